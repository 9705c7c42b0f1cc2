"""Every Python block of the guides: it compiles, its names exist, it passes the type checker, and it runs."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from kits.docs_kit import ROOT, Block, blocks

from syncbot.testing import TEST_TOKEN, BotApiServer

# Their blocks are modules that import each other, and have tests of their own.
ELSEWHERE = {"from-async.md", "functions.md"}
TALKED_TO = "writing-bots.md"
"""Each of its programs is run and talked to by test_docs_writing.py."""
BLOCKS = [block for block in blocks("python") if block.guide.name not in ELSEWHERE]
FOREIGN = re.compile(r"^(?:import telebot|from telegram\.ext import|from aiogram import)", re.MULTILINE)
"""Programs in other libraries: those of docs/adapters.md have a test of their own, the others show what to come from."""
TESTS = re.compile(r"^def test_\w+", re.MULTILINE)
OURS = [block for block in BLOCKS if not FOREIGN.search(block.text)]
PROGRAMS = [block for block in OURS if not TESTS.search(block.text)]
BOTS = [block for block in PROGRAMS if "app.run()" in block.text]


def _name(block: Block) -> str:
    """A name for a module that holds it."""
    return re.sub(r"[^a-zA-Z0-9]", "_", str(block))


@pytest.mark.parametrize("block", [pytest.param(block, marks=pytest.mark.slow) if "aiogram" in block.text else block for block in BLOCKS], ids=str)
def test_it_compiles_and_what_it_imports_is_there(block: Block) -> None:
    """Each block is Python, and each name that it imports can be imported."""
    tree = ast.parse(block.text, filename=str(block))
    compile(tree, str(block), "exec")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                import_module(alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = import_module(str(node.module))
            assert all(hasattr(module, alias.name) for alias in node.names), node.module


@pytest.mark.slow
def test_the_type_checker_accepts_them(tmp_path: Path) -> None:
    """mypy finds nothing wrong in any block, handlers without annotations included."""
    for block in BLOCKS:
        (tmp_path / f"block_{_name(block)}.py").write_text(block.text, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text("[mypy]\nignore_missing_imports = True\nfollow_imports = silent\ncheck_untyped_defs = True\n")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", str(tmp_path / "cache"), "--config-file", str(tmp_path / "mypy.ini")]
    ended = subprocess.run([*command, *map(str, sorted(tmp_path.glob("*.py")))], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


@pytest.fixture
def telegram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BotApiServer]:
    """Telegram as far as the programs can tell, and a folder to run them in."""
    with BotApiServer(any_chat=True, slow_same_offset=False) as server:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TEST_TOKEN)
        monkeypatch.setenv("SYNCBOT_BASE_URL", server.url)
        monkeypatch.setenv("SYNCBOT_CHAT", "42")
        yield server


@contextlib.contextmanager
def _running(block: Block, folder: Path) -> Iterator[subprocess.Popen[str]]:
    path = folder / "program.py"
    path.write_text(block.text, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("block", [*BOTS[:4], *(pytest.param(block, marks=pytest.mark.slow) for block in BOTS[4:])], ids=str)
def test_each_bot_answers_and_stops(block: Block, telegram: BotApiServer, tmp_path: Path) -> None:
    """A block with app.run() is a whole bot: it answers what a user writes, and ends well when it is asked to."""
    with _running(block, tmp_path) as process:
        user = telegram.user(7, "Ann")
        user.send("/start" if '"start"' in block.text else "Good morning")
        user.wait_for(lambda message: bool(message.text), 60)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("block", [block for block in PROGRAMS if block not in BOTS and block.guide.name != TALKED_TO], ids=str)
def test_each_other_program_runs_to_its_end(block: Block, telegram: BotApiServer, tmp_path: Path) -> None:
    """A block without app.run() runs to its end without an error or a warning."""
    with _running(block, tmp_path) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert "Traceback" not in out
    assert "Error" not in out


@pytest.mark.slow
def test_the_tests_in_the_guides_pass(tmp_path: Path) -> None:
    """Blocks that are tests are collected by pytest, and pass."""
    tests = [block for block in OURS if TESTS.search(block.text)]
    for block in tests:
        (tmp_path / f"test_{_name(block)}.py").write_text(block.text, encoding="utf-8")
    ended = subprocess.run([sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
    assert f"{sum(len(TESTS.findall(block.text)) for block in tests)} passed" in ended.stdout


def test_the_conversation_of_the_first_guide(telegram: BotApiServer, tmp_path: Path) -> None:
    """The bot of getting-started.md asks twice, remembers, and answers in the order that the guide shows."""
    [block] = [block for block in BOTS if block.guide.name == "getting-started.md"]
    with _running(block, tmp_path) as process:
        user = telegram.user(7, "Ann")
        for said, answer in [("/order", "Which size?"), ("L", "How many?"), ("3", "3 × L, thank you.")]:
            user.send(said)
            user.wait_for(answer, 30)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_there_are_blocks_of_every_kind() -> None:
    """The sorting above loses none."""
    tests = [block for block in OURS if TESTS.search(block.text)]
    assert len(BOTS) >= 6
    assert len(tests) >= 4
    assert len(PROGRAMS) + len(tests) + sum(bool(FOREIGN.search(block.text)) for block in BLOCKS) == len(BLOCKS)
