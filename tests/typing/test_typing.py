"""What type checkers see of the methods."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import telegram
from kits import typed_calls as calls

from syncbot.client.api.bot_methods import BotMethods
from syncbot.client.api.table import MethodSpec
from syncbot.client.encode import body, encode

ROOT = Path(__file__).resolve().parents[2]


class EncodingBot(BotMethods):
    """Encodes every call, and answers with an object on which nothing is done."""

    def __init__(self) -> None:
        self.bodies: list[int] = []

    def _invoke(self, spec: MethodSpec, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
        _, written = body(encode(spec, parameters))
        self.bodies.append(len(written) if isinstance(written, bytes) else written.size)


def test_mypy_takes_typical_calls_and_refuses_mistakes() -> None:
    """`mypy --strict` passes over typical calls with the result types that they have, and finds the mistakes."""
    command = [sys.executable, "-m", "mypy", "--strict", str(ROOT / "tests/kits/typed_calls.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=230, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_typical_calls_can_be_made(tmp_path: Path) -> None:
    """The typical calls that the checker takes, the methods and the encoder take too."""
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"JPEG")
    bot = EncodingBot()
    calls.messages(bot)
    calls.files(bot, picture, telegram.PhotoSize("F", "U", 1, 1))
    calls.chats(bot, telegram.Venue(telegram.Location(1, 2), "t", "a"), telegram.Contact("+1", "A"))
    assert len(bot.bodies) > 40
    assert all(bot.bodies)


def test_mistakes_fail_at_run_time_too() -> None:
    """The first of the mistakes is refused when the call is made."""
    with pytest.raises(TypeError, match="sendMessage needs text"):
        calls.mistakes(EncodingBot())
