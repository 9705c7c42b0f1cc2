"""What handlers read, while the store is away: they wait for it, as everything else does, instead of failing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from syncbot.errors import Stopped
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage.promises.data import Scope

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Data

_T = TypeVar("_T")


class PatientData:
    """`syncbot.storage.promises.parts.Data`, whose reads wait until the store can be used again; a stop ends the waiting with `Stopped`.

    Args:
        data: what is read.
        retry: tells trouble that passes from trouble that does not.
    """

    def __init__(self, data: Data, retry: StorageRetry) -> None:
        self._data = data
        self._retry = retry
        self.owners = data.owners
        self.save = data.save
        self.apply = data.apply

    def load(self, scope: Scope, owner: int) -> dict[str, Any]:
        return self._read(lambda: self._data.load(scope, owner))

    def get_state(self, chat: int, user: int) -> Any:
        return self._read(lambda: self._data.get_state(chat, user))

    def _read(self, look: Callable[[], _T]) -> _T:
        found: list[_T] = []
        if not self._retry.until_stop(lambda: found.append(look())):
            raise Stopped("the runtime is stopping")
        return found[0]
