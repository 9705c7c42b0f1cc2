"""README.md, word by word: its commands in its order, with its bot, in a fresh checkout."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from kits.scripts_kit import ROOT, Checkout

from syncbot.runtime.session.health_note import FACTS
from syncbot.storage import StoreOptions, open_store
from syncbot.testing import TEST_TOKEN, BotApiServer

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS: list[str] = [
    line.partition("  #")[0].strip()
    for block in re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


def _command(words: str) -> str:
    """The command of the README that begins with these words."""
    return next(command for command in COMMANDS if command.startswith(words))


def _wait_for_facts(state: Path) -> None:
    """Wait until the bot has written down how it is, which it does within its first second."""
    ends_at = time.monotonic() + 90
    with open_store(state, None, options=StoreOptions(check=False)) as store:
        while store.meta.get(FACTS) is None:
            assert time.monotonic() < ends_at
            threading.Event().wait(0.02)


@pytest.mark.slow
def test_everything_goes_by_the_readmes_words(checkout: Checkout, server: BotApiServer) -> None:
    """Set up without a terminal, doctor, send, run, monitor, poll: each command as it stands in README.md does what is said there."""
    user = server.user(123456789, "Ann")
    environment = checkout.environment | {"SYNCBOT_BASE_URL": server.url, "PATH": f"{checkout.folder}/.venv/bin:/usr/bin:/bin"}

    def shell(command: str) -> str:
        ended = subprocess.run(["/bin/sh", "-c", command], cwd=checkout.folder, env=environment, capture_output=True, text=True, timeout=90)
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)
        return ended.stdout

    (checkout.folder / "token.txt").write_text(TEST_TOKEN + "\n")
    [without_terminal] = re.findall(r"`(scripts/configure_env\.sh [^`]+< token\.txt)`", README)
    assert "Written to .env" in shell(without_terminal)
    assert "10/10" in shell(_command("syncbot doctor"))
    assert shell(_command("syncbot send")) == ""
    user.wait_for("The backup is done.")

    (checkout.folder / "bot.py").write_text(re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[0])
    run = ["/bin/sh", "-c", "exec " + _command("syncbot run")]
    with subprocess.Popen(run, cwd=checkout.folder, env=environment, stderr=subprocess.DEVNULL) as running:
        try:
            user.send("/start")
            user.wait_for("Hello! Tell me something.", 60)
            _wait_for_facts(checkout.folder / "bot.db")
            assert "good" in shell(_command("syncbot monitor --state bot.db") + " --once")
        finally:
            running.send_signal(signal.SIGTERM)
    assert running.returncode == 0

    user.send("Are you there?")
    assert shell(_command("syncbot poll")) == ""
    user.wait_for("Are you there?")
    assert "good" in shell(_command("syncbot monitor --state bot.db") + " --once")
    assert "dead-letters" in shell(_command("syncbot --help"))
