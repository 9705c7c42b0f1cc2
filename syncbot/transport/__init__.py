"""Bytes out, bytes in: one session per attempt, bounded in time, honest about how far a request came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncbot.transport.fake import FakeTransport as FakeTransport
    from syncbot.transport.oneshot import OneShotTransport as OneShotTransport

__all__ = ["FakeTransport", "OneShotTransport"]


def __getattr__(name: str) -> Any:
    # requests costs tens of milliseconds; the fake transport needs none of it.
    if name == "OneShotTransport":
        from syncbot.transport.oneshot import OneShotTransport

        return OneShotTransport
    if name == "FakeTransport":
        from syncbot.transport.fake import FakeTransport

        return FakeTransport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
