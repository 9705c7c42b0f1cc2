"""The generator of the table and the stub."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from syncbot.client.api.table import find_method, method_names
from syncbot.runtime.handling.kinds import API_VERSION

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/generators/generate_methods.py"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    found = importlib.util.spec_from_file_location("generate_methods", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def committed_api() -> dict[str, Any]:
    """The Bot API as the committed table has it, in the form that the generator reads."""
    methods = {}
    for name in method_names():
        spec = find_method(name)
        assert spec is not None
        fields = [{"name": p.name, "types": list(p.types), "required": p.required} for p in spec.parameters.values()]
        methods[name] = {"name": name, "returns": list(spec.returns), "fields": fields}
    return {"version": f"Bot API {API_VERSION}", "methods": methods}


@pytest.fixture
def api_file(tmp_path: Path) -> Path:
    """The file that BOT_API_SPEC names; without it, one made of the committed table."""
    if named := os.environ.get("BOT_API_SPEC"):
        return Path(named)
    path = tmp_path / "api.json"
    path.write_text(json.dumps(committed_api()), encoding="utf-8")
    return path


def test_the_committed_files_are_current(api_file: Path) -> None:
    """`--check` agrees that the table and the stub are what the specification and the review make of them."""
    done = subprocess.run([sys.executable, str(SCRIPT), str(api_file), "--check"], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_finds_what_is_stale(tmp_path: Path, generator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` names the files that are not current, exits with 1 and writes nothing."""
    changed = committed_api()
    changed["methods"]["sendDice"]["fields"].append({"name": "colour", "types": ["String"], "required": False})
    path = tmp_path / "api.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    before = generator.TABLE.read_bytes()
    assert generator.main([str(path), "--check"]) == 1
    assert capsys.readouterr().err.count("is not current") == 3
    assert generator.TABLE.read_bytes() == before


def test_a_method_without_a_review_is_refused(tmp_path: Path, generator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """A specification with a method that nobody has reviewed is refused by name."""
    changed = committed_api()
    changed["methods"]["sendSmell"] = {"returns": ["Message"], "fields": []}
    path = tmp_path / "api.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    assert generator.main([str(path), "--check"]) == 1
    assert "missing in the review: sendSmell" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("review", "words"),
    [
        ({"methods": {"send": {"repeat": False, "summary": "Send."}}, "positional": {"send": ["nobody"]}}, "send has no parameter nobody"),
        ({"methods": {"send": {"repeat": False, "summary": "Send."}}, "positional": {"sned": []}}, "missing in the specification: sned"),
        ({"methods": {"send": {"summary": "Send."}}, "positional": {}}, "the review holds repeat"),
        ({"methods": {"send": {"repeat": True, "summary": "Send"}}, "positional": {}}, "a summary that is a sentence"),
        ({"methods": {"send": {"repeat": True, "summary": "Send.", "wyh": ""}}, "positional": {}}, "the review holds"),
    ],
)
def test_a_wrong_review_is_refused(generator: ModuleType, review: dict[str, Any], words: str) -> None:
    """A review that does not fit the specification, or leaves something open, is refused with the reason."""
    spec = {"methods": {"send": {"returns": ["Message"], "fields": [{"name": "to", "types": ["Integer"], "required": True}]}}}
    with pytest.raises(generator.ReviewError, match=words):
        generator.read_methods(spec, review)


def test_an_order_that_python_cannot_write_is_refused(generator: ModuleType) -> None:
    """A required parameter behind one that can be left out is refused, since no Python signature can say it."""
    fields = [{"name": "a", "types": ["Integer"], "required": False}, {"name": "b", "types": ["Integer"], "required": True}]
    method = generator.read_method(
        "send", {"returns": ["Boolean"], "fields": fields}, {"methods": {"send": {"repeat": False, "summary": "Send."}}, "positional": {"send": ["a", "b"]}}
    )
    with pytest.raises(generator.ReviewError, match="b is required and stands behind one that is not"):
        generator.render_def(method)


def test_a_convenience_never_hides_a_parameter(generator: ModuleType) -> None:
    """When Telegram adds a parameter with the name of a convenience, the generator says so."""
    changed = committed_api()
    changed["methods"]["sendVenue"]["fields"].append({"name": "venue", "types": ["Venue"], "required": False})
    method = generator.read_method(
        "sendVenue", changed["methods"]["sendVenue"], {"methods": {"sendVenue": {"repeat": False, "summary": "Send."}}, "positional": {}}
    )
    with pytest.raises(generator.ReviewError, match="Telegram now has venue itself"):
        generator.check_conveniences([method])


def test_writing_and_reading_the_table_agree(generator: ModuleType) -> None:
    """What is read out of the committed table writes the same table again."""
    table = generator.TABLE.read_text(encoding="utf-8")
    assert generator.render_table(API_VERSION, map(find_method, method_names())) == table
