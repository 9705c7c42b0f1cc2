"""The programs of docs/adapters.md, run as they stand there."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kits.adapters_kit import becomes

from syncbot.testing import TEST_TOKEN, BotApiServer, FaultProxy, TestCA

GUIDE = Path(__file__).parents[2] / "docs" / "adapters.md"
PROGRAMS = dict(re.findall(r"^## (.+?)$.*?^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def api(ca: TestCA) -> Iterator[BotApiServer]:
    """Telegram, as far as the programs can tell."""
    with BotApiServer(tls=True, ca=ca, hosts=["api.telegram.org"], slow_same_offset=False) as server:
        yield server


@pytest.fixture
def start(api: BotApiServer, tmp_path: Path) -> Iterator[Start]:
    """Starts a program of the guide, its example proxy replaced by one that leads to the test server."""
    running: list[subprocess.Popen[str]] = []
    with FaultProxy(resolve={"api.telegram.org:443": f"127.0.0.1:{api.port}"}) as proxy:
        environment = {
            "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
            "SYNCBOT_CA_FILE": api.ca_file,
            "HTTPS_PROXY": proxy.url,
            "HOME": str(tmp_path),
            "PYTHONPATH": ":".join(filter(None, sys.path)),
            "PYTHONUNBUFFERED": "1",
        }

        def begin(title: str) -> subprocess.Popen[str]:
            path = tmp_path / "program.py"
            path.write_text(PROGRAMS[title].replace("http://proxy.example:3128", proxy.url), encoding="utf-8")
            # python-telegram-bot's run_polling asks for the event loop in a way that newer Pythons warn of.
            strict = ["-W", "error", "-W", "ignore:There is no current event loop:DeprecationWarning"]
            process = subprocess.Popen(
                [sys.executable, *strict, str(path)], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            running.append(process)
            return process

        yield begin
        for process in running:
            process.kill()
            process.communicate()


def test_the_guide_has_these_programs() -> None:
    """Each part of it has one."""
    assert list(PROGRAMS) == ["python-telegram-bot", "pyTelegramBotAPI", "aiogram", "Any other HTTP call", "Moving handlers over"]


@pytest.mark.parametrize("title", ["python-telegram-bot", "pyTelegramBotAPI", pytest.param("aiogram", marks=pytest.mark.slow), "Moving handlers over"])
def test_the_bots_of_the_guide_answer_and_end(start: Start, api: BotApiServer, title: str) -> None:
    """Each echoes what it is told, and ends in peace on Ctrl-C."""
    user = api.user()
    program = start(title)
    assert becomes(lambda: api.is_polled or program.poll() is not None, 60.0), "it does not poll"
    assert program.poll() is None, program.communicate()[0]
    user.send("hello there")
    user.wait_for("hello there", timeout=40.0)
    assert [message.text for message in api.sent] == ["hello there"]
    program.send_signal(signal.SIGINT)
    output, _ = program.communicate(timeout=60)
    assert program.returncode == 0, output
    assert TEST_TOKEN not in output


def test_the_call_of_the_guide_prints_its_answer(start: Start) -> None:
    """Status and name."""
    output, _ = start("Any other HTTP call").communicate(timeout=60)
    assert output == "200 test_bot\n"
