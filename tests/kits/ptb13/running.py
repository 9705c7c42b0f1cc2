"""Short programs of python-telegram-bot 13, written by a test and run as their users run them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kits.ptb13.programs import Process, catches
from kits.timing_kit import becomes
from syncbot.storage import StoreOptions, open_store
from syncbot.storage.address import database_url

HEAD = """
import os, queue, sys, threading
from telegram import Update
from telegram.ext import *
TOKEN, BASE = os.environ["TOKEN"], os.environ["BASE"]
nobody = threading.Event()
"""
TAIL = """
updater.start_polling()
updater.idle()
"""
Run = Callable[..., "Program"]


class Program:
    """A program that runs."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.process = process
        self._folder = folder

    @property
    def output(self) -> str:
        """What it, and those before it in its folder, have printed."""
        return (self._folder / "output").read_text(encoding="utf-8", errors="replace")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it as a service manager does, once it is in idle(): it polls a moment before. Return how it has ended."""
        assert becomes(lambda: self.process.poll() is not None or catches(self.process.pid, signal.SIGTERM)), self.output
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(30)

    def stop_at_once(self) -> None:
        """Stop it, and leave no time to what it is at."""
        assert becomes(lambda: catches(self.process.pid, signal.SIGTERM)), self.output

        def has_ended() -> bool:
            if self.process.poll() is None:
                os.kill(self.process.pid, signal.SIGTERM)  # again: two that come together are one
            return self.process.poll() is not None

        assert becomes(has_ended), self.output

    def left(self) -> int:
        """How many updates are not handled to their end."""
        return left(self._folder / "state.db")


def left(state: str | Path) -> int:
    """How many updates of a state file, or database, are not handled to their end."""
    place: Any = database_url(state) or state
    store = open_store(place, None, options=StoreOptions(check=False))
    try:
        counts = store.inbox.counts()
        return counts.waiting + counts.running
    finally:
        store.close()
