"""Plain updates: what `Runtime(bot, types=False)` hands to handlers, the JSON itself with attributes.

```python
from syncbot import Runtime, plain

app = Runtime(bot, types=False)

@app.message()
def echo(update: plain.Update, context: plain.Context) -> None:
    context.reply(update.message.text or "")
```

There is a class for each type that Telegram hands out (`plain.Message`, `plain.User`, …), `plain.Bot`, whose methods hand them out,
and `plain.Context`; a router for such an app is a `Router[plain.Decorator]()`.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Bot": ("syncbot.client.plain_bot", "PlainBot"),
    "Context": ("syncbot.runtime.handling.context", "Context"),
    "Decorator": ("syncbot.runtime.handling.handlers", "PlainDecorator"),
    "Object": ("syncbot.plain.objects", "Object"),
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module, own = _HOMES[name]
        value = getattr(importlib.import_module(module), own)
    else:
        from syncbot.plain.objects import find_type  # deferred: whoever asks for the bot or the context alone needs no table

        try:
            value = find_type(name)
        except KeyError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    from syncbot.plain.objects import type_names

    return sorted({*globals(), *_HOMES, *type_names()})
