"""Tells a chat when a bot turns bad, and when it is good again; remembers it between two runs from cron."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from syncbot.cli.console.output import complain
from syncbot.cli.monitor.look import Look, span
from syncbot.config import state_dir
from syncbot.regular import opener, private

_MOST_CHARACTERS = 1000


class Alerts:
    """Sends a message at each turn from good to bad and back.

    Args:
        name: what is watched, for people.
        send: sends a text; says whether it was sent. What was not is tried again at the next look.
        memory: a file that keeps the last state between runs.
        steady: so many looks in a row must agree before a turn is told.
    """

    def __init__(self, name: str, send: Callable[[str], bool], memory: Path, *, steady: int = 1) -> None:
        self._name = name
        self._send = send
        self._memory = memory
        self._steady = steady
        self._agreeing = 0
        self._last: bool | None = None

    def take(self, look: Look) -> None:
        """Tell the chat, where this look is a turn from good to bad, or back."""
        self._agreeing = self._agreeing + 1 if look.is_good is self._last else 1
        self._last = look.is_good
        if self._agreeing < self._steady:
            return
        told = self._read()
        if told.get("good", True) is look.is_good:
            return
        since = told.get("since")
        if look.is_good:
            after = f", after {span(look.at - since)}" if isinstance(since, int | float) else ""
            text = f"\N{WHITE HEAVY CHECK MARK} {self._name} is well again{after}."
        else:
            text = f"\N{WARNING SIGN} {self._name} is in trouble: {'; '.join(look.troubles)}."
        if self._send(text[:_MOST_CHARACTERS]):
            self._write({"good": look.is_good, "since": look.at})

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError), open(self._memory, encoding="utf-8", opener=opener) as file:
            found = json.load(file)
            if isinstance(found, dict):
                return found
        return {}

    def _write(self, value: dict[str, Any]) -> None:
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = self._memory.with_name(f"{self._memory.name}.{os.getpid()}")
            with open(part, "w", encoding="utf-8", opener=private) as file:
                json.dump(value, file)
            part.replace(self._memory)
        except OSError as problem:
            complain(f"what was told cannot be remembered, and may be told again: {self._memory}: {problem.strerror}")


def memory_for(watched: Path, chat: object) -> Path:
    """Where the last state is kept, for one file that is watched and one chat that is told.

    Raises:
        ConfigError: no home folder is known.
    """
    mark = hashlib.sha256(f"{watched.absolute()}\n{chat}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return state_dir() / f"monitor-{mark}.json"
