"""A place to try a bot in: the built-in server behind the built-in proxy with faults, and a user who talks to the bot.

`python -m syncbot.testing.sandbox examples/echo.py` runs a bot's own script, as it is, against it.
"""

from __future__ import annotations

from syncbot.testing.sandbox.conversation import converse, report
from syncbot.testing.sandbox.sandbox import FAULTS, Sandbox

__all__ = ["FAULTS", "Sandbox", "converse", "report"]
