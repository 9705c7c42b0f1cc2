"""The Bot API read from documentation in Markdown: one page, a file for each method and type, in a folder or at a URL."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts/generators"
INDEX = """\
# The API of smells

The newest version is **Bot API 99.2**, after Bot API 99.10 and 99.1 there was none. See [methods](api/methods.md), [types](api/types.md),
[elsewhere](https://elsewhere.invalid/api/methods/sendSmell.md) and [the start](api.md).

## How it all works

| Parameter | Type | Required | Description |
|---|---|---|---|
| not\\_a\\_method | String | Yes | A heading of several words is none. |
"""
METHODS = "# Methods\n\n- [sendSmell](methods/sendsmell.md)\n- [getNoses](methods/getnoses.md#parameters)\n- [smellMedia](methods/smellmedia.md)\n"
TYPES = "# Types\n\n- [Smell](types/smell.md)\n- [Nose](types/nose.md)\n- [DogNose](types/dognose.md)\n- [CatNose](types/catnose.md)\n"
PAGES = {
    "methods/sendsmell.md": """\
# sendSmell

Spreads a smell. On success, if it was smelt, the sent [Smell](../types/smell.md) is returned, otherwise *True* is returned. Returns an error where
there is no nose. The method [getNoses](getnoses.md) tells of Noses.

| Parameter | Type | Required | Description |
| :--- | --- | :---: | --- |
| `chat_id` | Integer or String | Yes | Where; one of 1 \\| 2 |
| **strength** | Float number | Optional | How strong |
| reply\\_to | [Smell](../types/smell.md) | Optional | Which smell it answers |
""",
    "methods/getnoses.md": "### getNoses\n\nTells who can smell. Returns an Array of [Nose](../types/nose.md) objects. Requires no parameters.\n",
    "methods/smellmedia.md": """\
#### smellMedia

Returns the number of them as Int on success.

|Parameter|Type|Required|Description|
|-|-|-|-|
|media|Array of [DogNose](#dognose), [CatNose](#catnose) and Smell|Yes|What|
|rows|Array of Array of String|Optional|How|
""",
    "types/smell.md": """\
# Smell

What is smelt.

| Field | Type | Description |
|---|---|---|
| id | String | Its name |
| is_bad | True | *Optional*. True, if it is |
""",
    "types/nose.md": "# Nose\n\nIt is one of these:\n\n- [DogNose](dognose.md)\n- [CatNose](catnose.md)\n- and no other\n",
    "types/dognose.md": "# DogNose\n\nA dog's. It holds no information.\n",
    "types/catnose.md": "# CatNose\n\n| Field | Type | Description |\n|---|---|---|\n| whiskers | Int | How many |\n",
}
EXPECTED: dict[str, Any] = {
    "version": "Bot API 99.10",
    "methods": {
        "sendSmell": {
            "returns": ["Smell", "Boolean"],
            "fields": [
                {"name": "chat_id", "types": ["Integer", "String"], "required": True, "description": "Where; one of 1 | 2"},
                {"name": "strength", "types": ["Float"], "required": False, "description": "How strong"},
                {"name": "reply_to", "types": ["Smell"], "required": False, "description": "Which smell it answers"},
            ],
        },
        "getNoses": {"returns": ["Array of Nose"], "fields": []},
        "smellMedia": {
            "returns": ["Integer"],
            "fields": [
                {"name": "media", "types": ["Array of DogNose", "Array of CatNose", "Array of Smell"], "required": True, "description": "What"},
                {"name": "rows", "types": ["Array of Array of String"], "required": False, "description": "How"},
            ],
        },
    },
    "types": {
        "Smell": {
            "fields": [
                {"name": "id", "types": ["String"], "required": True, "description": "Its name"},
                {"name": "is_bad", "types": ["Boolean"], "required": False, "description": "Optional. True, if it is"},
            ]
        },
        "Nose": {"subtypes": ["DogNose", "CatNose"]},
        "DogNose": {"fields": []},
        "CatNose": {"fields": [{"name": "whiskers", "types": ["Integer"], "required": True, "description": "How many"}]},
    },
}


@pytest.fixture(scope="module")
def api_spec() -> ModuleType:
    found = importlib.util.spec_from_file_location("api_spec", SCRIPTS / "api_spec.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The documentation as files."""
    pages = {"api.md": INDEX, "api/methods.md": METHODS, "api/types.md": TYPES} | {f"api/{name}": text for name, text in PAGES.items()}
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def site(folder: Path) -> Iterator[str]:
    """The address of a server on this machine that has these files."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """One that prints nothing."""

    def log_message(self, format: str, *args: Any) -> None: ...


def test_a_folder_of_pages(api_spec: ModuleType, folder: Path) -> None:
    """Links, code, emphasis and escapes are taken out; names, types, what is required and what comes back are found; other headings are passed over."""
    assert api_spec.load(str(folder)) == EXPECTED


def test_one_page(api_spec: ModuleType, tmp_path: Path) -> None:
    """The same below each other in one file."""
    page = tmp_path / "whole.md"
    page.write_text("\n\n".join([INDEX, *PAGES.values()]), encoding="utf-8")
    assert api_spec.load(str(page)) == EXPECTED


def test_a_url(api_spec: ModuleType, site: str) -> None:
    """From the first page every one below its address is read once; nothing else is asked for."""
    assert api_spec.load(f"{site}/api.md") == EXPECTED


def test_json_as_it_is(api_spec: ModuleType, tmp_path: Path) -> None:
    """A file of JSON is the data itself."""
    path = tmp_path / "api.json"
    path.write_text(json.dumps(EXPECTED), encoding="utf-8")
    assert api_spec.load(str(path)) == EXPECTED


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("api.md", "# Nothing here\n\nBot API 99.2", "there is no method in it"),
        ("api.md", PAGES["methods/getnoses.md"], "does not say which version it is"),
        ("api.json", "{", "cannot be read"),
        ("", "", "cannot be read"),
    ],
)
def test_what_is_no_documentation(api_spec: ModuleType, tmp_path: Path, name: str, text: str, words: str) -> None:
    """It is told what is missing, or that it cannot be read."""
    if name:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(api_spec.SpecError, match=words):
        api_spec.load(str(tmp_path / (name or "nowhere.md")))


def test_a_page_that_is_not_there(api_spec: ModuleType, site: str) -> None:
    """A refusal of the server is told with the address."""
    with pytest.raises(api_spec.SpecError, match=f"{site}/gone.md cannot be read: .*404"):
        api_spec.load(f"{site}/gone.md")


def test_endless_links_come_to_an_end(api_spec: ModuleType) -> None:
    """A site whose every page leads to a new one is left after the bound."""
    numbers = iter(range(1_000_000))
    with pytest.raises(api_spec.SpecError, match="leads to more than"):
        api_spec.load("https://docs.example/api.md", lambda _: f"[next](/api/{next(numbers)}.md)")
