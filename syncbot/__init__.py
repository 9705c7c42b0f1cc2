"""A synchronous Telegram bot runtime: threads, no event loop, and every Bot API call on a connection of its own.

```python
from syncbot import Bot, Runtime, filters

app = Runtime(Bot.from_env())

@app.message(filters.TEXT & ~filters.COMMAND)
def echo(update, context):
    context.reply(update.message.text)

app.run()
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from syncbot.errors import (
    AlreadyRunning,
    ApiError,
    AskTimeout,
    BadRequest,
    Cancelled,
    ChatMigrated,
    ConfigError,
    Conflict,
    DeliveryUncertain,
    Forbidden,
    NetworkError,
    NotFound,
    NotSent,
    Phase,
    ProxyAuthRequired,
    RetryAfter,
    ServerError,
    Stopped,
    StorageError,
    SyncBotError,
    Unauthorized,
)

if TYPE_CHECKING:
    from syncbot.adapters.http import request as request
    from syncbot.client.bot import Bot as Bot
    from syncbot.client.limits import Limits as Limits
    from syncbot.client.retry import RetryPolicy as RetryPolicy
    from syncbot.config import Settings as Settings
    from syncbot.runtime.durable.queued import Queued as Queued
    from syncbot.runtime.handling import filters
    from syncbot.runtime.handling.context import Context as Context
    from syncbot.runtime.handling.context import QueuedContext as QueuedContext
    from syncbot.runtime.handling.handlers import ContinuePropagation as ContinuePropagation
    from syncbot.runtime.handling.handlers import StopPropagation as StopPropagation
    from syncbot.runtime.handling.router import Router as Router
    from syncbot.runtime.outbox.outbox import Outbox as Outbox
    from syncbot.runtime.runtime import Runtime as Runtime
    from syncbot.runtime.session.summary import Summary as Summary
    from syncbot.types import Proxy as Proxy

__version__ = "0.1.0"

# What needs more than the standard library is loaded when it is first asked for (PEP 562), so that `import syncbot` costs next to nothing.
_HOMES = {
    "Bot": "syncbot.client.bot",
    "Context": "syncbot.runtime.handling.context",
    "ContinuePropagation": "syncbot.runtime.handling.handlers",
    "Limits": "syncbot.client.limits",
    "Outbox": "syncbot.runtime.outbox.outbox",
    "Proxy": "syncbot.types",
    "Queued": "syncbot.runtime.durable.queued",
    "QueuedContext": "syncbot.runtime.handling.context",
    "RetryPolicy": "syncbot.client.retry",
    "Router": "syncbot.runtime.handling.router",
    "Runtime": "syncbot.runtime.runtime",
    "Settings": "syncbot.config",
    "StopPropagation": "syncbot.runtime.handling.handlers",
    "Summary": "syncbot.runtime.session.summary",
    "request": "syncbot.adapters.http",
}

__all__ = [
    "AlreadyRunning",
    "ApiError",
    "AskTimeout",
    "BadRequest",
    "Bot",
    "Cancelled",
    "ChatMigrated",
    "ConfigError",
    "Conflict",
    "Context",
    "ContinuePropagation",
    "DeliveryUncertain",
    "Forbidden",
    "Limits",
    "NetworkError",
    "NotFound",
    "NotSent",
    "Outbox",
    "Phase",
    "Proxy",
    "ProxyAuthRequired",
    "Queued",
    "QueuedContext",
    "RetryAfter",
    "RetryPolicy",
    "Router",
    "Runtime",
    "ServerError",
    "Settings",
    "StopPropagation",
    "Stopped",
    "StorageError",
    "Summary",
    "SyncBotError",
    "Unauthorized",
    "filters",
    "plain",
    "request",
]


def __getattr__(name: str) -> Any:
    if name == "plain":
        return importlib.import_module("syncbot.plain")
    if name == "filters":
        return importlib.import_module("syncbot.runtime.handling.filters")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
