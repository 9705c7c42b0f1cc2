"""The main job, end to end: the echo example, as it is, in a process of its own, talking to a user."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kits.programs_kit import real_proxies

from syncbot.testing import Sandbox
from syncbot.testing.sandbox import converse

ECHO = Path(__file__).parents[2] / "examples" / "echo.py"
TEXTS = ["Is anybody there?", "ещё раз, 再来一次, 🚀", "And yet it moves."]


@pytest.mark.parametrize("kind", real_proxies(["squid", "tinyproxy", "privoxy", "microsocks", "microsocks-password"]))
def test_echo_through_a_real_proxy(kind: str, real_proxy: Callable[[str], str]) -> None:
    """The same conversation passes through each of the proxies that people run, and leaves no connection open."""
    with Sandbox(rate=0.0) as sandbox:
        user = sandbox.server.user(id=42, first_name="Ada")
        with sandbox.running([sys.executable, str(ECHO)], {"SYNCBOT_PROXY": real_proxy(kind)}):
            assert converse(sandbox, user, "Ada", ["/start", *TEXTS]) == 4
        assert [message.text for message in user.messages] == ["Hello, Ada! Tell me something.", *TEXTS]
        sandbox.server.wait_closed()
        assert sandbox.server.max_requests_per_connection == 1
        assert sandbox.server.problems == []
        assert sandbox.proxy.opened == 0, "the bot went by the proxy it was told to"


def test_sandbox_from_a_shell() -> None:
    """The sandbox's command runs the bot through faults, shows the conversation and what happened, and ends with 0 as all was delivered."""
    command = [sys.executable, "-m", "syncbot.testing.sandbox", str(ECHO)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "5 of 5 updates received" in result.stdout
    assert "5 messages delivered, 5 of 5 answered, none twice" in result.stdout
    assert "0 sockets left open" in result.stdout


def test_sandbox_tells_when_a_bot_does_not_answer(tmp_path: Path) -> None:
    """A bot that ends at once is noticed: the sandbox says so and does not end with 0."""
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(3)\n")
    command = [sys.executable, "-m", "syncbot.testing.sandbox", str(broken)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert result.returncode == 1
    assert "the bot ended with exit code 3" in result.stderr


def test_nobody_else_is_listened_to(tmp_path: Path) -> None:
    """With ALLOWED_TELEGRAM_USER_ID set, the bot answers that user and nobody else."""
    with Sandbox(rate=0.0) as sandbox:
        stranger, user = sandbox.server.user(id=7, first_name="Eve"), sandbox.server.user(id=42, first_name="Ada")
        with sandbox.running([sys.executable, str(ECHO)], {"ALLOWED_TELEGRAM_USER_ID": "42"}):
            stranger.send("Let me in")
            assert converse(sandbox, user, "Ada", ["Hello"]) == 1
            sandbox.server.wait_confirmed()
        assert stranger.messages == []
