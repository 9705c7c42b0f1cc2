"""What the bot called: each request that the server answered, with the attempts that it took."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Any

from syncbot.testing.server.records import Answered
from syncbot.types import JSON

_KEPT = 500
_LONGEST_TEXT = 2000


class CallLog:
    """The last calls, as JSON values for the page. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: OrderedDict[int, JSON] = OrderedDict()
        self._failed: dict[tuple[int, str], list[JSON]] = {}
        self._early: dict[str, deque[list[JSON]]] = {}

    def rows(self) -> list[JSON]:
        """The calls, the oldest first."""
        with self._lock:
            return [dict(row) for row in self._rows.values()]

    def answered(self, answer: Answered, wall_clock: float) -> JSON:
        """The server answered a request at this Unix time; returns its row."""
        request = answer.request
        row: JSON = {
            "number": request.number,
            "method": request.method,
            "params": {name: _shortened(value) for name, value in request.params.items()},
            "files": [{"field": file.field, "name": file.name, "size": file.size} for file in request.files],
            "status": answer.status,
            "milliseconds": round(answer.seconds * 1000, 1),
            "time": wall_clock,
            "tries": [],
        }
        with self._lock:
            waiting = self._early.get(request.method)
            if waiting:
                row["tries"] = waiting.popleft()
            self._rows[request.number] = row
            while len(self._rows) > _KEPT:
                self._rows.popitem(last=False)
            return dict(row)

    def attempted(self, attempt: JSON) -> JSON | None:
        """The bot's process tells an attempt; returns the row of the call that it ends, None where it does not end one yet."""
        key = (attempt["thread"], attempt["method"])
        row = {name: attempt[name] for name in ("proxy", "outcome", "seconds")}
        with self._lock:
            tries = self._failed.pop(key, [])
            tries.append(row)
            if not row["outcome"].isdecimal() or row["outcome"] in ("429", "502"):
                self._failed[key] = tries[-20:]
                return None
            for call in self._rows.values():
                if call["method"] == attempt["method"] and not call["tries"] and str(call["status"]) == row["outcome"]:
                    call["tries"] = tries
                    return dict(call)
            self._early.setdefault(attempt["method"], deque(maxlen=20)).append(tries)
            return None


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return value[:_LONGEST_TEXT] + "…"
    return value
