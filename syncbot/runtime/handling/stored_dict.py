"""The dicts that a handler changes and the store remembers: what was changed in them is found by comparing them with what was loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from syncbot.storage.promises.data import Data, DataChange, Scope


def to_json(value: Any, name: str) -> str:
    """Write a value as JSON.

    Args:
        value: any value.
        name: what an error calls it: 'user_data["basket"]'.

    Raises:
        TypeError: it is not made of JSON's values.
        ValueError: it is too deep, goes in a circle, or holds NaN or infinity.
    """
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as problem:
        kind = TypeError if isinstance(problem, TypeError) else ValueError
        raise kind(f"{name} cannot be stored: {problem}; only None, bool, int, float, str, list and dict can") from None


class StoredDict(dict[str, Any]):
    """A dict that knows what was loaded into it.

    Args:
        data: where it is loaded from.
        scope: whose it is.
        owner: the id of the user or chat; 0 for the bot.
    """

    def __init__(self, data: Data, scope: Scope, owner: int) -> None:
        super().__init__(data.load(scope, owner))
        self._data = data
        self._scope = scope
        self._owner = owner
        self._loaded = self._written()

    def change(self) -> DataChange | None:
        """What differs from what was loaded, nested values included; None where nothing does.

        Raises:
            TypeError, ValueError: a key or value cannot be stored; the text names the key.
        """
        now = self._written()
        changed = {key: self[key] for key, text in now.items() if self._loaded.get(key) != text}
        removed = tuple(key for key in self._loaded if key not in now)
        return DataChange(self._scope, self._owner, changed, removed) if changed or removed else None

    def refresh(self) -> None:
        """Load it again, keeping the own changes: others may have written meanwhile.

        Raises:
            TypeError, ValueError: as `change`.
        """
        own = self.change()
        self.clear()
        self.update(self._data.load(self._scope, self._owner))
        self._loaded = self._written()
        if own is not None:
            self.update(own.changed)
            for key in own.removed:
                self.pop(key, None)

    def _written(self) -> dict[str, str]:
        name = f"{self._scope}_data"
        if wrong := [key for key in self if not isinstance(key, str)]:
            raise TypeError(f"{name}[{wrong[0]!r}] cannot be stored: a key has to be a str")
        return {key: to_json(value, f"{name}[{key!r}]") for key, value in self.items()}


def all_owners(data: Data, scope: Scope) -> Iterator[tuple[int, dict[str, Any]]]:
    """Everybody of whom something is remembered, with what that is, page by page."""
    after: int | None = None
    while owners := data.owners(scope, after=after):
        yield from ((owner, data.load(scope, owner)) for owner in owners)
        after = owners[-1]


def plain(value: Any, name: str) -> Any:
    """A value as the store will give it back: tuples as lists, keys of dicts as strings.

    Raises:
        TypeError, ValueError: it cannot be stored.
    """
    return json.loads(to_json(value, name))
