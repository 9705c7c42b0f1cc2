"""`syncbot new`: each kind of project is whole, installs, passes its own tests, and nothing that was there is touched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from kits.docs_kit import ROOT

from syncbot.cli.console.frame import run
from syncbot.cli.new import project
from syncbot.cli.new.project import KINDS, pinned
from syncbot.redact import Redactor

TOKEN = re.compile(r"\d{6,}:[\w-]{30,}")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> Path:
    """A project of this kind, in a folder whose name a shell and cron would take apart."""
    folder = tmp_path / "50% of it"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run(["new", kind, "tea-shop"]) == 0
    return folder / "tea-shop"


def _outside(folder: Path) -> dict[str, str]:
    """The environment of a user who has set nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCBOT_", "TELEGRAM_", "PYTEST_", "COV_"))}
    return kept | {"HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def _pytest(folder: Path, *arguments: str) -> str:
    """What pytest says of the project's own tests."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "timeout=100", *arguments]
    ended = subprocess.run(command, cwd=folder, env=_outside(folder), capture_output=True, text=True, timeout=200)
    return ended.stdout + ended.stderr


@pytest.mark.parametrize("kind", [kind if kind == "cron" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS])
def test_a_new_project_passes_its_own_tests(made: Path, kind: str) -> None:
    """Its three tests pass as they stand, and leave the bot's own state alone."""
    said = _pytest(made)
    assert "3 passed" in said, said
    assert list(made.rglob("*.db")) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["service"])
def test_a_new_project_fails_its_own_tests_when_the_bot_says_something_else(made: Path, kind: str) -> None:
    """One changed answer is one failure, and the failure says what was said."""
    bot = made / "bot.py"
    bot.write_text(bot.read_text().replace("Hello! /order takes", "Hello! /order took"))
    (made / "tests" / "conftest.py").write_text("import pytest\n\n\n@pytest.fixture\ndef syncbot_timeout():\n    return 5.0\n")
    said = _pytest(made, "-k", "an_order")
    assert "1 failed" in said, said
    assert "it said 'Hello! /order took an order.'" in said


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_project_has_what_it_needs(made: Path, kind: str) -> None:
    """Bot, tests, settings, what git leaves out, versions, what starts it, and a short guide; no token, and no place that was left open."""
    files = {path.relative_to(made).as_posix(): path.read_text(encoding="utf-8") for path in made.rglob("*") if path.is_file()}
    assert {".env.example", ".gitignore", "README.md", "pyproject.toml", "tests/test_bot.py"} <= set(files)
    assert ("crontab" if kind == "cron" else "tea-shop.service") in files
    assert len(files["README.md"].splitlines()) <= 15
    assert files[".gitignore"].startswith(".env\n")
    assert "TELEGRAM_BOT_TOKEN=\n" in files[".env.example"]
    for name, text in files.items():
        assert not TOKEN.search(text), name
        assert Redactor().text(text) == text, name
        assert "{{" not in text, name
        if name.endswith(".py"):
            compile(text, name, "exec")


@pytest.mark.parametrize("kind", ["cron"])
def test_the_line_for_cron_is_run_as_it_stands(made: Path, kind: str) -> None:
    """cron takes the % out of its escape and hands the line to a shell, which finds the folder whatever its name."""
    line = (made / "crontab").read_text().splitlines()[-1].removeprefix("* * * * * ")
    stand_in = made / ".venv" / "bin" / "syncbot"
    stand_in.parent.mkdir(parents=True)
    stand_in.write_text('#!/bin/sh\npwd; echo "$*"\n')
    stand_in.chmod(0o700)
    assert re.search(r"(?<!\\)%", line) is None, "an open % ends the command"
    ended = subprocess.run(["sh", "-c", line.replace(r"\%", "%")], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == [str(made), "poll bot:make_app --once --max-seconds 50"]


@pytest.mark.parametrize("kind", ["service"])
def test_the_unit_is_the_one_of_the_guide(made: Path, kind: str) -> None:
    """The unit of a new service is deploy/syncbot.service with its name."""
    ours = (made / "tea-shop.service").read_text().replace("tea-shop", "mybot").splitlines()[1:]
    guides = (ROOT / "deploy" / "syncbot.service").read_text().replace("bot:app", "bot:make_app").splitlines()[1:]
    assert ours == guides


@pytest.mark.slow
def test_each_kind_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip takes them, and the versions that they ask for are those that are here: nothing is fetched."""
    monkeypatch.chdir(tmp_path)
    for kind in KINDS:
        assert run(["new", kind, f"{kind}-shop"]) == 0
    projects = [f"{tmp_path / kind}-shop" for kind in KINDS]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--dry-run", *(f"{one}[test]" for one in projects)], env=_outside(tmp_path), check=True, timeout=200)
    subprocess.run([*pip, "--no-deps", "--target", "there", tmp_path / "django-shop", tmp_path / "cron-shop"], env=_outside(tmp_path), check=True, timeout=200)
    assert (tmp_path / "there" / "django_shop" / "management" / "commands" / "runbot.py").is_file()
    assert (tmp_path / "there" / "bot.py").is_file()


def test_the_templates_come_with_the_wheel(tmp_path: Path) -> None:
    """What is installed from a wheel has each template that lies in the checkout."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "syncbot" / "cli" / "new", checkout / "syncbot" / "cli" / "new", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("syncbot/__init__.py", "syncbot/cli/__init__.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout / name)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", build], cwd=checkout, capture_output=True, text=True, check=True, timeout=200)
    packed = set(zipfile.ZipFile(checkout / ended.stdout.split()[-1]).namelist())
    lying = {path.relative_to(ROOT).as_posix() for path in (ROOT / "syncbot" / "cli" / "new" / "templates").rglob("*") if path.is_file()}
    assert len(lying) > 20
    assert lying <= packed


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("telegram", "is there already"),
        ("syncbot", "is there already"),
        ("pytest-timeout", "is there already"),
        ("JSON", "is there already"),
        ("tests", "is there already"),
        ("class", "word of Python"),
        ("shop/bot", "no name of a project"),
        ("../shop", "no name of a project"),
        ("9lives", "no name of a project"),
        ("shop--bot", "no name of a project"),
        ("läden", "no name of a project"),
        ("s" * 64, "no name of a project"),
        ("", "no name of a project"),
    ],
)
def test_names_that_cannot_be_had(name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is no module's, or that something else has, is refused before anything is written."""
    monkeypatch.chdir(tmp_path)
    assert run(["new", "service", name]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["folder", "file", "link to nothing"])
def test_what_is_there_is_left_alone(there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder, even an empty one, a file, or a link of that name is a reason not to begin."""
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "tea-shop"
    {"folder": target.mkdir, "file": lambda: target.write_text("mine"), "link to nothing": lambda: target.symlink_to("nowhere")}[there]()
    before = target.lstat()
    assert run(["new", "service", "tea-shop"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert target.lstat() == before
    assert not target.is_dir() or list(target.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is gone is told in a line."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert run(["new", "service", "tea-shop"]) == 78
    assert "cannot be written: this folder" in capsys.readouterr().err


def test_who_comes_between_is_not_overwritten(tmp_path: Path) -> None:
    """A folder that another process makes after the look at it is not written into."""
    (tmp_path / "shop").mkdir()
    with pytest.raises(FileExistsError):
        project.write_files(tmp_path / "shop", {"bot.py": ""})
    assert list((tmp_path / "shop").iterdir()) == []


def test_versions_are_those_of_now() -> None:
    """What is installed is pinned; what is not has the bound that syncbot itself has; of anything else the name alone is known."""
    assert re.fullmatch(r"pytest==[\d.]+", pinned("pytest"))
    assert re.fullmatch(r"matplotlib(>=3\.9|==[\d.]+)", pinned("matplotlib"))
    assert pinned("no-such-package") == "no-such-package"
