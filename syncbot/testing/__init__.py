"""Test doubles over real sockets, shipped for users: a Bot API server and a proxy with faults. TLS needs the extra `testing`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncbot.testing.answers import Answer as Answer
    from syncbot.testing.certs import TestCA as TestCA
    from syncbot.testing.limits import RateLimits as RateLimits
    from syncbot.testing.people import Group as Group
    from syncbot.testing.people import User as User
    from syncbot.testing.proxy import Fault as Fault
    from syncbot.testing.proxy import FaultProxy as FaultProxy
    from syncbot.testing.reading import Press as Press
    from syncbot.testing.reading import SentMessage as SentMessage
    from syncbot.testing.records import ConnectionRecord as ConnectionRecord
    from syncbot.testing.records import RecordedRequest as RecordedRequest
    from syncbot.testing.records import UploadedFile as UploadedFile
    from syncbot.testing.sandbox import Sandbox as Sandbox
    from syncbot.testing.server import TEST_TOKEN as TEST_TOKEN
    from syncbot.testing.server import BotApiServer as BotApiServer
    from syncbot.testing.webhooks import WebhookSender as WebhookSender
    from syncbot.testing.wire import WireTimes as WireTimes

_HOMES = {
    "Answer": "answers",
    "BotApiServer": "server",
    "ConnectionRecord": "records",
    "Fault": "proxy",
    "FaultProxy": "proxy",
    "Group": "people",
    "Press": "reading",
    "RateLimits": "limits",
    "RecordedRequest": "records",
    "Sandbox": "sandbox",
    "SentMessage": "reading",
    "TEST_TOKEN": "server",
    "TestCA": "certs",
    "UploadedFile": "records",
    "User": "people",
    "WebhookSender": "webhooks",
    "WireTimes": "wire",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
