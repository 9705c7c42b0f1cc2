"""What a member of the bot's processes holds: what it has claimed, and what that allows next. Pure memory, the same for every store."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from syncbot.errors import StorageError
from syncbot.storage.promises.inbox import Claimed


class ClaimGone(StorageError):
    """What is handled is not this process's any more, which goes on with others: nothing of it may be written, and no call made for it."""


class Held(NamedTuple):
    """One update that is claimed."""

    key: str
    ticket: int
    alone: bool = False
    suspect: bool = False


class Claims:
    """What is claimed now.

    A store changes a `copy()` while its transaction is open and keeps the copy once it is committed, so that an error undoes both.

    Args:
        run: the number that `recover` gave to this process's time as the one that handles.
        suspects: the rows that are to be handed out one at a time.
    """

    def __init__(self, run: int, suspects: Iterable[int] = ()) -> None:
        self.run = run
        self.pid = os.getpid()
        self._tickets = run << 32  # no other run gives the same
        self._suspects = set(suspects)
        self._running: dict[int, Held] = {}
        self._yielded: dict[int, Held] = {}

    def copy(self) -> Claims:
        """Another one in the same state."""
        other = Claims(self.run, self._suspects)
        other._tickets = self._tickets
        other._running = self._running.copy()
        other._yielded = self._yielded.copy()
        return other

    @property
    def blocked(self) -> bool:
        """Nothing may be handed out: somebody runs alone, or a suspect waits for the others to end."""
        return bool(self._running) and (bool(self._suspects) or self.runs_alone)

    @property
    def is_idle(self) -> bool:
        """Nothing is handled; what waits for an answer does not count."""
        return not self._running

    @property
    def is_empty(self) -> bool:
        """Nothing is claimed."""
        return not self._running and not self._yielded

    @property
    def runs_alone(self) -> bool:
        """Something is handled beside which nothing may be."""
        return any(held.alone for held in self._running.values())

    @property
    def suspect(self) -> int | None:
        """The suspect that is next, or None."""
        return min(self._suspects, default=None)

    def busy_keys(self) -> set[str]:
        """The keys of which nothing may be handed out."""
        return {held.key for held in self._running.values() if held.key}

    def has_yielded(self, row: int) -> bool:
        """Whether its turn is given away."""
        return row in self._yielded

    def running_of(self, key: str) -> list[int]:
        """The rows of a key that are handled now."""
        return [row for row, held in self._running.items() if held.key == key]

    def holds(self, claimed: Claimed) -> bool:
        """Whether this very claim still stands, its turn yielded or not."""
        return self.has(claimed.row, claimed.ticket)

    def has(self, row: int, ticket: int) -> bool:
        """Whether the claim of a row with this ticket still stands."""
        held = self._running.get(row) or self._yielded.get(row)
        return held is not None and held.ticket == ticket

    def has_row(self, row: int) -> bool:
        """Whether it is claimed, its turn yielded or not."""
        return row in self._running or row in self._yielded

    def hold(self, row: int, key: str, *, alone: bool = False) -> int:
        """It is claimed; returns its ticket."""
        self._tickets += 1
        self._running[row] = Held(key, self._tickets, alone, row in self._suspects)
        self._suspects.discard(row)
        return self._tickets

    def end(self, row: int) -> Held | None:
        """It is handled or buried."""
        return self._running.pop(row, None) or self._yielded.pop(row, None)

    def put_back(self, row: int) -> None:
        """It waits again; a suspect stays one."""
        held = self.end(row)
        if held and held.suspect:
            self._suspects.add(row)

    def forget_suspect(self, row: int) -> None:
        """It is not there any more."""
        self._suspects.discard(row)

    def yield_turn(self, row: int) -> bool:
        """Let others go on; False if it has done so already."""
        held = self._running.pop(row, None)
        if held is None:
            return False
        # Having come as far as to wait for others, it is harmless enough to run beside them afterwards.
        self._yielded[row] = held._replace(alone=False)
        return True

    def take_turn(self, row: int) -> bool:
        """Run again, if that is possible now."""
        held = self._yielded.get(row)
        if held is None:
            return True
        if held.key in self.busy_keys() or self.runs_alone:
            return False
        self._running[row] = self._yielded.pop(row)
        return True


def taken_over(place: str) -> StorageError:
    """What to say to a process, or a handler, whose claim is gone."""
    return StorageError(
        f"another process has taken over the updates in {place}, or this one was ended already; only the holder of the bot's lock may handle them"
    )


def claim_gone(place: str) -> ClaimGone:
    """What to say to a handler whose claim is gone, while its process goes on."""
    return ClaimGone(f"another process has taken over what is handled here (in {place}), or it was ended already: nothing more is done for it")
