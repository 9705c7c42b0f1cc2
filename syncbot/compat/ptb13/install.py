"""One line for programs that were written for python-telegram-bot 13: `import syncbot.compat.ptb13.install`, before they import telegram's.

It does for the process what `syncbot run-ptb13` does: `from telegram.ext import …` finds the synchronous classes of then, and telegram's types have the
methods and names of then.
"""

from __future__ import annotations

from typing import Any

import telegram

from syncbot.client.ptb import shortcuts
from syncbot.compat.ptb13 import finder
from syncbot.compat.ptb13.objects import fields, methods


def install() -> None:
    """Put everything in place; the second time nothing happens.

    Raises:
        ImportError: today's `telegram.ext` has been imported already.
    """
    if finder.is_in_place():
        return
    finder.put_in_place()
    shortcuts.install()  # while telegram's own Bot is still under its name
    methods.install()
    fields.install()
    package: Any = telegram
    package.__getattr__ = finder.late_module


install()
