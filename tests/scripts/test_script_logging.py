"""setup_logging.py and monitor_bot.py: a log that is written, and somebody who watches it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from kits.scripts_kit import Checkout

from syncbot.testing import TEST_TOKEN

BOT = "import logging\nfrom bot_logging import set_up_logging\nset_up_logging()\nlogging.getLogger('mine').warning('the token is %s', '" + TEST_TOKEN + "')\n"


def _write_log(folder: Path) -> None:
    (folder / "mine.py").write_text(BOT)
    subprocess.run([sys.executable, "mine.py"], cwd=folder, check=True, capture_output=True)


def test_the_set_up_that_is_written_logs_without_secrets(checkout: Checkout, tmp_path: Path) -> None:
    """bot_logging.py, as it is written, logs to the file, and a token in a record is hidden."""
    ended = checkout.run("setup_logging.py", "--folder", str(tmp_path), "--level", "warning")
    assert ended.returncode == 0, ended.stderr
    _write_log(tmp_path)
    log = (tmp_path / "bot.log").read_text()
    assert "WARNING mine: the token is 123456789:<hidden>" in log
    assert TEST_TOKEN not in log


def test_json_lines_are_chosen_by_an_option(checkout: Checkout, tmp_path: Path) -> None:
    """With --json each record is a JSON object in a line."""
    assert checkout.run("setup_logging.py", "--folder", str(tmp_path), "--json", "--log", "other.log").returncode == 0
    _write_log(tmp_path)
    [line] = (tmp_path / "other.log").read_text().splitlines()
    assert json.loads(line)["logger"] == "mine"


def test_files_that_are_there_are_not_overwritten(checkout: Checkout, tmp_path: Path) -> None:
    """A second run changes nothing and ends with 73, unless --force says so."""
    arguments = ("setup_logging.py", "--folder", str(tmp_path))
    assert checkout.run(*arguments).returncode == 0
    (tmp_path / "bot_logging.py").write_text("mine")
    again = checkout.run(*arguments)
    assert (again.returncode, (tmp_path / "bot_logging.py").read_text()) == (73, "mine")
    assert "is there already; --force overwrites it" in again.stderr
    assert checkout.run(*arguments, "--force").returncode == 0
    assert "def set_up_logging" in (tmp_path / "bot_logging.py").read_text()


def test_a_wrong_level_or_file_is_told_before_anything_is_written(checkout: Checkout, tmp_path: Path) -> None:
    """A level that there is not, or a log in a folder that there is not, ends with 78 and writes nothing."""
    for wrong in (("--level", "loud"), ("--log", str(tmp_path / "no" / "bot.log"))):
        ended = checkout.run("setup_logging.py", "--folder", str(tmp_path), *wrong)
        assert ended.returncode == 78
        assert ended.stderr.startswith("setup_logging: log ")
    assert not (tmp_path / "bot_logging.py").exists()


def test_the_log_can_be_watched_with_the_script_that_is_written(checkout: Checkout, tmp_path: Path) -> None:
    """watch_log.sh runs `syncbot monitor` on the log file; options may follow."""
    assert checkout.run("setup_logging.py", "--folder", str(tmp_path)).returncode == 0
    _write_log(tmp_path)
    ended = subprocess.run([tmp_path / "watch_log.sh", "--once"], cwd="/", env=checkout.environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


def test_monitor_bot_is_syncbot_monitor(checkout: Checkout) -> None:
    """monitor_bot.py hands its arguments on to `syncbot monitor`, and its exit code back."""
    ended = checkout.run("monitor_bot.py", "--help")
    assert ended.returncode == 0
    assert "syncbot monitor" in ended.stdout
    assert checkout.run("monitor_bot.py", "--no-such-option").returncode == 2
