"""Test doubles over real sockets, shipped for users: a Bot API server and a proxy with faults. TLS needs the extra `testing`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncbot.testing.certs import TestCA as TestCA
    from syncbot.testing.page.trial import Trial as Trial
    from syncbot.testing.people.people import Group as Group
    from syncbot.testing.people.people import User as User
    from syncbot.testing.people.reading import Press as Press
    from syncbot.testing.people.reading import SentMessage as SentMessage
    from syncbot.testing.proxy.fault_kinds import Fault as Fault
    from syncbot.testing.proxy.fault_proxy import FaultProxy as FaultProxy
    from syncbot.testing.replaying import Replayed as Replayed
    from syncbot.testing.replaying import replay as replay
    from syncbot.testing.sandbox import Sandbox as Sandbox
    from syncbot.testing.server.answers import Answer as Answer
    from syncbot.testing.server.rate_limits import RateLimits as RateLimits
    from syncbot.testing.server.records import ConnectionRecord as ConnectionRecord
    from syncbot.testing.server.records import RecordedRequest as RecordedRequest
    from syncbot.testing.server.server import TEST_TOKEN as TEST_TOKEN
    from syncbot.testing.server.server import BotApiServer as BotApiServer
    from syncbot.testing.server.webhooks import WebhookSender as WebhookSender
    from syncbot.testing.server.wire import WireTimes as WireTimes
    from syncbot.testing.world.file_store import UploadedFile as UploadedFile

_HOMES = {
    "Answer": "server.answers",
    "BotApiServer": "server.server",
    "ConnectionRecord": "server.records",
    "Fault": "proxy.fault_kinds",
    "FaultProxy": "proxy.fault_proxy",
    "Group": "people.people",
    "Press": "people.reading",
    "RateLimits": "server.rate_limits",
    "RecordedRequest": "server.records",
    "Replayed": "replaying",
    "Sandbox": "sandbox",
    "SentMessage": "people.reading",
    "TEST_TOKEN": "server.server",
    "TestCA": "certs",
    "Trial": "page.trial",
    "UploadedFile": "world.file_store",
    "User": "people.people",
    "WebhookSender": "server.webhooks",
    "WireTimes": "server.wire",
    "replay": "replaying",
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
