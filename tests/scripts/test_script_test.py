"""`scripts/test`: with Python and pip alone, and with `--all` the real programs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from kits.proxies_kit import KINDS, PACKAGES, programs
from kits.scripts_kit import ROOT, Checkout

_TESTS = """
import pytest
def test_plain(): pass
@pytest.mark.programs("no-such-program")
def test_real(): pass
@pytest.mark.parametrize("kind", ["a", pytest.param("b", marks=pytest.mark.programs("sh", "no-such-program"))])
def test_some(kind): pass
@pytest.mark.slow
def test_long(): pass
"""


@pytest.fixture
def shims(checkout: Checkout, tmp_path: Path) -> Path:
    """A folder that is all of PATH: what the script itself needs, an apt-get that only notes its calls, and a user who may install."""
    tests = checkout.folder / "tests"
    shutil.copytree(ROOT / "tests" / "kits", tests / "kits", ignore=shutil.ignore_patterns("__pycache__"))
    (tests / "conftest.py").write_text("from kits.programs_kit import pytest_addoption, pytest_configure\n")
    (tests / "test_some.py").write_text(_TESTS)
    folder = tmp_path / "shims"
    folder.mkdir()
    for name in ("sh", "dirname"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, text in {"apt-get": f'echo "$@" >> {tmp_path}/installed', "id": "echo 0"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("processes", ["0", "2"])
def test_what_needs_programs_or_takes_long_is_not_run_and_the_last_line_says_so(checkout: Checkout, shims: Path, tmp_path: Path, processes: str) -> None:
    """Without --all nothing is installed, the other tests are run, and the last line names what was left out; in one process and in several."""
    ended = checkout.run("test", env={"PATH": str(shims), "PROCESSES": processes})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "NOT RUN: 3 tests that take long (1) or need real programs (2): no-such-program, sh; with --all they are run"
    assert not (tmp_path / "installed").exists()


def test_with_all_a_missing_program_is_a_failure(checkout: Checkout, shims: Path, tmp_path: Path) -> None:
    """--all says what it installs, runs everything, and a program that is missing all the same fails the tests that need it."""
    ended = checkout.run("test", "--all", env={"PATH": str(shims), "PROCESSES": "0"})
    assert ended.returncode == 1
    assert re.search(r"installing .*tinyproxy.* with apt-get", ended.stderr)
    assert re.search(r"^install .*tinyproxy", (tmp_path / "installed").read_text(), re.MULTILINE)
    assert "no-such-program is not installed here" in ended.stdout
    assert re.search("3 passed, 2 errors|2 failed, 3 passed", ended.stdout), ended.stdout
    assert "NOT RUN" not in ended.stdout


def test_who_may_not_install_is_told_what_to_install(checkout: Checkout, shims: Path, tmp_path: Path) -> None:
    """An ordinary user gets the line to give, and nothing is tried."""
    (shims / "id").write_text("#!/bin/sh\necho 1000\n")
    ended = checkout.run("test", "--all", "-k", "plain", env={"PATH": str(shims), "PROCESSES": "0"})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"Install them: sudo apt-get install .*tinyproxy", ended.stderr)
    assert not (tmp_path / "installed").exists()


def test_the_packages_that_are_installed_are_those_that_tests_need() -> None:
    """The list in scripts/test holds a package for each program that a test is marked with."""
    listed = set(re.findall(r"[a-z0-9.-]+:([a-z0-9][a-z0-9.-]+)", (ROOT / "scripts" / "test").read_text()))
    texts = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))
    marked = {name for text in texts for names in re.findall(r'mark\.programs\(("[^)]+)\)', text) for name in re.findall(r'"([^"]+)"', names)}
    needed = marked.union(*map(programs, KINDS))
    assert listed == {PACKAGES.get(name, name) for name in needed}
