"""What type checkers see of bots, of the methods and of the outbox."""

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
BOTS = sorted((ROOT / "tests/typing/bots").glob("*.py"))
CALLS = [ROOT / "tests/kits" / name for name in ("typed_calls.py", "typed_queued.py", "typed_end.py")]
"""Queued calls have numbers as results, or `Queued` where they go out with the end."""


class EncodingBot(BotMethods):
    """Encodes every call, and answers with an object on which nothing is done."""

    def __init__(self) -> None:
        self.bodies: list[int] = []

    def _invoke(self, spec: MethodSpec, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
        _, written = body(encode(spec, parameters))
        self.bodies.append(len(written) if isinstance(written, bytes) else written.size)


@pytest.mark.slow
def test_mypy_accepts_what_is_right_and_finds_what_is_wrong() -> None:
    """`mypy --strict` passes over users' bots, and over typical calls, with the result types that they have, beside mistakes each of which needs an ignore."""
    command = [sys.executable, "-m", "mypy", "--strict", *map(str, [*BOTS, *CALLS])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=230, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_mistakes_are_ignored() -> None:
    """No bot but the one that is all mistakes needs an ignore."""
    assert [path.stem for path in BOTS if "# type: ignore" in path.read_text(encoding="utf-8")] == ["mistakes"]


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
