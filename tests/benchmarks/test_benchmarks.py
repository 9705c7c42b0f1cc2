"""benchmarks/run.py: a short run with what is installed here, and what it says about what is not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = (
    "round_trips",
    "first_call",
    "conversation",
    "quiet_bot",
    "per_call",
    "long_way",
    "real_proxies",
    "threads",
    "cold_start",
    "idle_memory",
    "throughput",
    "webhook",
    "faults",
)
WAYS = {
    "raw socket + TLS": None,
    "http.client": None,
    "requests.post": None,
    "syncbot": None,
    "pooled requests": None,
    "pyTelegramBotAPI": "telebot",
    "python-telegram-bot": "telegram",
    "aiogram": "aiogram",
    "syncbot, opened ahead": None,
}
"""The lines of per_call's table, and the modules that may be missing."""
BEFORE = "# A page\n\n<!-- long_way -->\nold, too\n<!-- /long_way -->\n\n<!-- per_call -->"
AFTER = "<!-- /per_call -->\n\nThe end, without a line break, and <!-- per_call --> again"


@dataclass(frozen=True)
class Measured:
    """A finished run, and the page that it has written into."""

    out: str
    err: str
    page: str
    pictures: Path


def run(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, with a folder of modules before all others."""
    found = os.pathsep.join(filter(None, [str(path or ""), str(ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, str(ROOT / "benchmarks/run.py"), *arguments]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": found}, capture_output=True, text=True, timeout=100, check=False)


def measured(folder: Path, path: Path | None = None) -> Measured:
    """The shortest run of the first benchmark."""
    page = folder / "page.md"
    page.write_text(f"{BEFORE}\nold\n{AFTER}", encoding="utf-8")
    done = run("--quick", "--only", "per_call", "--pictures", str(folder / "pictures"), "--page", str(page), path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    return Measured(done.stdout, done.stderr, page.read_text(encoding="utf-8"), folder / "pictures")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """A run with what is installed."""
    return measured(tmp_path_factory.mktemp("benchmark"))


@pytest.mark.slow
def test_the_table_has_every_way_or_says_what_is_missing(here: Measured) -> None:
    """Each way has a line with figures on the terminal and in the page; one whose library is not installed is named with the module that is missing."""
    for name, module in WAYS.items():
        cells = re.search(rf"^{re.escape(name)}  .*\d", here.out, re.MULTILINE)
        row = re.search(rf"^\| {re.escape(name)} \| \d+\.\d\d \|", here.page, re.MULTILINE)
        if module is None or find_spec(module) is not None:
            assert cells, name
            assert row, name
        else:
            assert not cells
            assert not row
            assert f"{name} is left out: there is no module {module}\n" in here.err
            assert f"{name} is not installed" in here.out


@pytest.mark.slow
def test_there_is_a_picture_or_a_word_about_it(here: Measured) -> None:
    """With matplotlib there is a picture, which the page shows; without, the terminal says so, and the page shows none."""
    picture = here.pictures / "per_call.svg"
    if find_spec("matplotlib") is None:
        assert "no picture, since matplotlib is not installed" in here.out
        assert not picture.exists()
        assert "![" not in here.page
    else:
        assert "<svg" in picture.read_text(encoding="utf-8")
        assert str(picture) in here.out
        assert "(pictures/per_call.svg)" in here.page


@pytest.mark.slow
def test_exactly_the_marked_place_is_replaced(here: Measured) -> None:
    """What stands between the marks is replaced, and not a byte before or behind them."""
    assert here.page.startswith(f"{BEFORE}\n**One getMe over TLS")
    assert here.page.endswith(f"\n{AFTER}")
    assert "\nold\n" not in here.page


@pytest.mark.slow
def test_without_matplotlib_the_tables_still_come(tmp_path: Path) -> None:
    """Where matplotlib cannot be imported, the run ends with 0 and has everything but the picture, and no traceback is shown."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "matplotlib.py").write_text("raise ModuleNotFoundError(\"No module named 'matplotlib'\", name='matplotlib')\n")
    found = measured(tmp_path, modules)
    assert "no picture, since matplotlib is not installed" in found.out
    assert "Traceback" not in found.out + found.err
    assert "| syncbot |" in found.page
    assert "![" not in found.page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "per_call,nothing"], "there is no benchmark nothing"),
        (["--only", "per_call", "--page", "{folder}/empty.md"], "empty.md has no <!-- per_call --> … <!-- /per_call -->"),
        (["--only", "per_call", "--page", "{folder}/none.md"], "none.md"),
    ],
    ids=["unknown", "no place", "no page"],
)
def test_what_cannot_be_done_is_said_before_anything_is_measured(tmp_path: Path, arguments: list[str], words: str) -> None:
    """A benchmark that is unknown, and a page without the place, end with 2 and a word at once."""
    (tmp_path / "empty.md").write_text("nothing\n")
    done = run(*[each.format(folder=tmp_path) for each in arguments], "--pictures", str(tmp_path / "pictures"))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "pictures").exists()


def called(source: str) -> str:
    """What a few lines of Python print that import from the benchmarks."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "benchmarks"), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_call_and_an_answer_are_told_in_round_trips() -> None:
    """On a direct way a message takes one round trip at least, whoever sends it and however it follows another one; so does a bot's answer."""
    source = "from kit import clean_environment; from round_trips import Calls, Talk, conversation, first_call, round_trips; clean_environment()\n"
    source += "print(round_trips(Calls(2, ((0.1, 1), (0.2, 1))), ['direct'], ['syncbot', 'pyTelegramBotAPI']).markdown())\n"
    source += "print(conversation(Talk(((0.1, 1),), 1), ['direct'], ['syncbot']).markdown())\n"
    source += "print(first_call(Calls(0, ((0.1, 1),)), ['direct']).markdown())"
    found = re.findall(r"^\| direct: (\S+) \| (.*) \|$", called(source), re.MULTILINE)
    assert [name for name, _ in found].count("syncbot") == 2
    for name, cells in found:
        assert all(1.0 <= float(cell) < 200.0 for cell in cells.split(" | ")), (name, cells)


def test_the_page_has_a_place_for_each_benchmark() -> None:
    """docs/benchmarks.md has exactly one place for each benchmark that run.py knows, so that one command refreshes the whole page."""
    known = re.sub(r"\s", "", run("--help").stdout).partition("withcommasbetween:")[2]
    assert known.startswith(f"{','.join(PLACES)}--pictures")
    page = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^<!-- (\w+) -->$", page, re.MULTILINE)) == sorted(PLACES)
    assert sorted(re.findall(r"^<!-- /(\w+) -->$", page, re.MULTILINE)) == sorted(PLACES)
