"""Calls that are answered from a record, or written into one: whoever keeps it takes part in `Bot.carry`, thread by thread."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from syncbot.client.client import Call

_log = logging.getLogger(__name__)


class NoResult:
    """What a call returns that has no result, or none yet; whoever looks for something in it is told why.

    Args:
        why: in words.
    """

    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self._why}, so that there is no {name}", name=name, obj=self)

    def __getitem__(self, key: object) -> Any:
        raise LookupError(f"{self._why}, so that there is no {key!r}")

    def __repr__(self) -> str:
        return f"<{self._why}>"


if TYPE_CHECKING:

    class CallStep(Protocol):
        """One call of a thread that has a recorder."""

        @property
        def call(self) -> Call:
            """The call, as it is to be made."""
            ...

        @property
        def is_over(self) -> bool:
            """Whether its result is known, from the record or since it was made."""
            ...

        def done(self, result: Any) -> None:
            """It was made, and this came of it."""
            ...

        def failed(self, error: Exception) -> None:
            """It was made, and ended with an error; where it is not over then, it is to be made again."""
            ...

        def result(self) -> Any:
            """What came of it.

            Raises:
                SyncBotError: that was an error.
            """
            ...


if TYPE_CHECKING:

    class Recorder(Protocol):
        """Keeps the record of one thread's calls."""

        def step(self, call: Call) -> CallStep | None:
            """Take part in a call; None leaves it alone."""
            ...


class Recorders:
    """Which threads have a recorder."""

    def __init__(self) -> None:
        self._by_thread: dict[int, Recorder] = {}
        self._has_told = False

    @property
    def here(self) -> Recorder | None:
        """That of the calling thread."""
        return self._by_thread.get(threading.get_ident())

    @contextlib.contextmanager
    def recording(self, recorder: Recorder) -> Iterator[None]:
        """Within the block the calling thread has this one."""
        thread = threading.get_ident()
        before = self._by_thread.get(thread)
        self._by_thread[thread] = recorder
        try:
            yield
        finally:
            if before is None:
                del self._by_thread[thread]
            else:
                self._by_thread[thread] = before

    def step(self, call: Call) -> CallStep | None:
        """The recorder's part in a call of the calling thread; None where there is none."""
        recorder = self.here
        if recorder is not None:
            return recorder.step(call)
        if self._by_thread and not _is_ours(call):
            self.tell_of_other_thread(call.method)
        return None

    def tell_of_other_thread(self, what: str) -> None:
        """Say once that the calling thread is no handler's."""
        if not self._has_told:
            self._has_told = True
            _log.warning(
                "%s is called on the thread %s, which is no handler's: what other threads than its own call does not stand in the journal of a handler, and"
                " is done again when it runs again (this is told once)",
                what,
                threading.current_thread().name,
            )


def _is_ours(call: Call) -> bool:
    """Whether a runtime makes it for itself, or delivers it from an outbox."""
    return call.begin is not None or threading.current_thread().name.startswith("syncbot-")
