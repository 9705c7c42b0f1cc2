"""Which lines and branches of syncbot an input reaches: `sys.monitoring` from Python 3.12 on, `sys.settrace` before."""

from __future__ import annotations

import sys
import threading
from types import CodeType, FrameType
from typing import Any

Edge = tuple[CodeType, int, int]
"""A piece of code, and from where to where in it."""


class Tracer:
    """Notes what is reached in some folders.

    Args:
        folders: parts of the paths of the files that count.
    """

    def __init__(self, folders: tuple[str, ...]) -> None:
        self._folders = folders
        self._wanted: dict[CodeType, bool] = {}
        self._edges: set[Edge] = set()

    def take(self) -> set[Edge]:
        """What was reached since the last call."""
        edges, self._edges = self._edges, set()
        return edges

    def restart(self) -> None:
        """Note again what was reached before."""
        self._edges = set()

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def wants(self, code: CodeType) -> bool:
        """Whether a piece of code counts."""
        wanted = self._wanted.get(code)
        if wanted is None:
            wanted = self._wanted[code] = any(folder in code.co_filename for folder in self._folders)
        return wanted


class SettraceTracer(Tracer):
    """Lines, and the line before each in the same function."""

    def start(self) -> None:
        """Trace this thread and those that are started from now on."""
        threading.settrace(self._called)
        sys.settrace(self._called)

    def stop(self) -> None:
        """End."""
        sys.settrace(None)
        threading.settrace(None)

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return _Lines(self._edges_of, frame.f_code).line if self.wants(frame.f_code) else None

    def _edges_of(self) -> set[Edge]:
        return self._edges


class _Lines:
    """One call of a function."""

    def __init__(self, edges: Any, code: CodeType) -> None:
        self._edges = edges
        self._code = code
        self._last = 0

    def line(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            self._edges().add((self._code, self._last, frame.f_lineno))
            self._last = frame.f_lineno
        return self.line


class MonitoringTracer(Tracer):
    """Lines and branches; each is told once, so that what was reached already costs nothing."""

    def start(self) -> None:
        """Trace every thread."""
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]  # from Python 3.12 on
        self._tool, self._disable, events = 4, monitoring.DISABLE, monitoring.events
        monitoring.use_tool_id(self._tool, "fuzz")
        monitoring.register_callback(self._tool, events.LINE, self._line)
        monitoring.register_callback(self._tool, events.BRANCH, self._branch)
        monitoring.set_events(self._tool, events.LINE | events.BRANCH)
        self._ways: dict[tuple[CodeType, int], set[int]] = {}

    def stop(self) -> None:
        """End."""
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]  # the same
        monitoring.set_events(self._tool, 0)
        monitoring.free_tool_id(self._tool)

    def restart(self) -> None:
        """Note again what was reached before."""
        super().restart()
        self._ways.clear()
        sys.monitoring.restart_events()  # type: ignore[attr-defined,unused-ignore]  # the same

    def _line(self, code: CodeType, number: int) -> Any:
        if self.wants(code):
            self._edges.add((code, -1, number))
        return self._disable

    def _branch(self, code: CodeType, start: int, end: int) -> Any:
        if not self.wants(code):
            return self._disable
        ways = self._ways.setdefault((code, start), set())
        if end not in ways:
            ways.add(end)
            self._edges.add((code, start, end))
        return self._disable if len(ways) > 1 else None


def make_tracer(folders: tuple[str, ...]) -> Tracer:
    """The tracer for this Python."""
    return MonitoringTracer(folders) if sys.version_info >= (3, 12) else SettraceTracer(folders)
