"""What the tests of the outbox share: a bot whose calls are answered from a script, a queue, and a deliverer."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from syncbot import Bot
from syncbot.runtime.outbox.deliverer import Deliverer
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.runtime.outbox.outbox import Outbox
from syncbot.storage import OutboxCall, OutboxState, Store
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport
from syncbot.types import Response

BOT_ID = int(TEST_TOKEN.partition(":")[0])
SENT = {"message_id": 1}


def make_bot(transport: FakeTransport | None = None, **options: Any) -> Bot:
    """A bot without rate limits; every message is delivered unless the transport says otherwise."""
    return Bot(TEST_TOKEN, transport=transport or FakeTransport(sendMessage=SENT), **{"limits": None, **options})


def refusal(code: int, description: str, **parameters: Any) -> Response:
    """Telegram's refusal."""
    import json

    envelope = {"ok": False, "error_code": code, "description": description, **({"parameters": parameters} if parameters else {})}
    return Response(code, {"Content-Type": "application/json"}, json.dumps(envelope).encode())


def deliver(store: Store, bot: Bot, folder: QueueFolder | None = None, *, seconds: float = 30.0, patience: float | None = 0.0, **options: Any) -> Deliverer:
    """Deliver what is due, and stop; returns the deliverer with what it did."""
    deliverer = Deliverer(store.outbox, bot, folder or QueueFolder(None), **{"stop": threading.Event(), "settle_seconds": 0.02, **options})
    try:
        deliverer.work_off(seconds, patience=patience)
    finally:
        assert deliverer.join(20.0)
    return deliverer


def queue(store: Store, *texts: str, chat: int = 1, **facts: Any) -> list[int]:
    """Queue messages to a chat."""
    return store.outbox.put(*(OutboxCall("sendMessage", {"chat_id": str(chat), "text": text}, str(chat), **facts) for text in texts))


def states(store: Store) -> dict[int, OutboxState]:
    """The state of every call by its number."""
    return {item.id: item.state for item in store.outbox.entries(limit=1000)}


def reason(store: Store, id: int) -> str:
    """Why a call is where it is."""
    item = store.outbox.get(id)
    assert item is not None
    return item.reason


def texts(transport: FakeTransport) -> list[str]:
    """The texts of the messages that were sent, in order."""
    return [str(parameters["text"]) for parameters in transport.parameters("sendMessage")]


def copies(outbox_file: Path) -> list[Path]:
    """The copies of files that wait beside a state file."""
    folder = Path(f"{outbox_file}.outbox")
    return sorted(folder.glob("*.copy")) if folder.is_dir() else []


__all__ = ["BOT_ID", "SENT", "Outbox", "copies", "deliver", "make_bot", "queue", "reason", "refusal", "states", "texts"]
