"""The processes that handle the same bot at the same time, on many machines: the promises of the place where they know of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from syncbot.storage.promises.questions import SharedQuestions


class Members(Protocol):
    """The calling process among those that handle, from `Inbox.recover` on. One of them polls.

    One that is killed, frozen or cut off is found out by the others, which take over what it has. Whoever comes back begins anew by itself.
    """

    on_polling_lost: Callable[[], object]
    """Told at once when this process is not certain any more that it is the one that polls."""

    on_news: Callable[[], object]
    """Told at once, and not more than a hundred times a second, when another process may have stored what is to be handled."""
    number: int
    """How many there are, this one included, as was seen some seconds ago."""
    longest_seconds: float
    """For how long another program has had a transaction open: while it has, nothing can be cleared away, and claims get slower."""

    @property
    def questions(self) -> SharedQuestions:
        """What handlers wait for in any of the processes."""
        ...

    def join(self, mode: str) -> str:
        """Say what this process does ("polling", "webhook"); returns what another one does that does something else, "" where none does.

        Raises:
            StorageError: the database cannot be used.
        """
        ...

    def take_polling(self) -> bool:
        """Become the one that polls, unless another one is.

        Raises:
            StorageError: the database cannot be used.
        """
        ...

    def wait_for_polling(self, seconds: float) -> None:
        """Wait until another one may have ceased to poll, for so long at most."""
        ...

    @property
    def may_poll(self) -> bool:
        """Whether this process is the one that polls, and certain of it."""
        ...

    def has(self, row: int, ticket: int) -> bool:
        """Whether the claim of a row with this ticket stands, as far as can be told without asking the database."""
        ...
