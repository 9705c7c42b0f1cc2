"""The typical calls of the outbox that the type checker takes (`test_typing.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from kits import typed_queued as queued

from syncbot import Bot, Outbox
from syncbot.client.api.table import find_method, method_names
from syncbot.runtime.durable.queued import may_wait
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """An outbox whose bot cannot send anything."""
    return Outbox(tmp_path / "bot.db", Bot(TEST_TOKEN, transport=FakeTransport()))


def test_queued_calls_can_be_made(outbox: Outbox, tmp_path: Path) -> None:
    """What the checker takes is queued."""
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"JPEG")
    queued.calls(outbox, picture)
    assert len(outbox.entries()) == 9


def test_mistakes_fail_at_run_time_too(outbox: Outbox) -> None:
    """The first of the mistakes is refused when the call is queued."""
    with pytest.raises(TypeError, match="sendMessage needs text"):
        queued.mistakes(outbox)


def test_the_stub_has_every_method_that_does_something() -> None:
    """The stub of the outbox has each method of the table but those that only ask."""
    stub = (ROOT / "syncbot/client/api/queued.pyi").read_text(encoding="utf-8")
    for name in method_names():
        spec = find_method(name)
        assert spec is not None
        assert (f"    def {spec.python_name}(" in stub) is not spec.only_asks


def test_the_stub_of_a_bot_whose_calls_go_out_with_the_end_has_those_that_do() -> None:
    """The stub has each method that waits for the end of its handler, and none that goes at once."""
    stub = (ROOT / "syncbot/runtime/handling/replies.pyi").read_text(encoding="utf-8").partition("class QueuedCalls")[2]
    for name in method_names():
        spec = find_method(name)
        assert spec is not None
        assert (f"    def {spec.python_name}(" in stub) is may_wait(name)
