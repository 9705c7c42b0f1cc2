"""The dicts that a handler changes and the store remembers: what was changed in them is found by comparing them with what was loaded."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from syncbot.runtime.durable.run import DurableRun
from syncbot.storage.promises.data import Changes, DataChange, DataConflict, Scope

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Data

_log = logging.getLogger(__name__)


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


class _Overtaken(Exception):
    """Others have changed it meanwhile."""


class StoredDict(dict[str, Any]):
    """A dict of JSON values that knows what was loaded into it: `context.user_data`, `chat_data` and `bot_data`.

    Args:
        data: where it is loaded from.
        scope: whose it is.
        owner: the id of the user or chat; 0 for the bot.
        run: that of the handler, in which what is changed at once is a step; None for none.
    """

    def __init__(self, data: Data, scope: Scope, owner: int, run: DurableRun | None = None) -> None:
        super().__init__(data.load(scope, owner))
        self._data = data
        self._scope = scope
        self._owner = owner
        self._run = run
        self._loaded = self._written()
        self._functions: dict[str, list[Callable[[Any], Any]]] = {}
        self._computed: dict[str, str] = {}
        self._winning: set[str] = set()

    def change(self, key: str, function: Callable[[Any], Any], *, default: Any = None, at_once: bool = False) -> Any:
        """Change a value so that no change of others is lost: `context.bot_data.change("visits", lambda number: number + 1, default=0)`.

        The value is written when the handler returns, as all others are; where another handler has changed it meanwhile, the function is called again,
        with the value that stands there then.

        Args:
            key: the key.
            function: makes the new value of the one that stands there, and does nothing else: it may be called several times.
            default: what it is given where nothing stands there.
            at_once: write it now, whatever becomes of the handler, instead of when it returns; for what others are to see while it runs. In a durable
                handler it is not done again when that runs again.

        Returns:
            The new value.

        Raises:
            TypeError, ValueError: the value cannot be stored.
        """

        def make(value: Any) -> Any:
            return plain(function(plain(default if value is None else value, self._name(key))), self._name(key))

        if at_once:
            self[key] = self._changed_now(key, make)
            self._loaded[key] = to_json(self[key], self._name(key))
            return self[key]
        is_assigned = self._is_assigned(key)
        self[key] = make(self.get(key))
        if not is_assigned:
            self._functions.setdefault(key, []).append(make)
            self._computed[key] = to_json(self[key], self._name(key))
        return self[key]

    def difference(self) -> DataChange | None:
        """What differs from what was loaded, nested values included; None where nothing does.

        Raises:
            TypeError, ValueError: a key or value cannot be stored; the text names the key.
        """
        now = self._written()
        changed = {key: self[key] for key, text in now.items() if self._loaded.get(key) != text or key in self._functions}
        removed = tuple(key for key in self._loaded if key not in now)
        expected = {key: self._loaded.get(key) for key in (*changed, *removed) if key not in self._winning}
        return DataChange(self._scope, self._owner, changed, removed, expected) if changed or removed else None

    def refresh(self) -> None:
        """Load it again, keeping the own changes: others may have written meanwhile.

        Raises:
            TypeError, ValueError: as `difference`.
        """
        own = self.difference()
        functions = {key: made for key, made in self._functions.items() if not self._is_assigned(key)}
        self.clear()
        self.update(self._data.load(self._scope, self._owner))
        self._loaded = self._written()
        self._functions, self._computed = {}, {}
        if own is not None:
            self.update({key: value for key, value in own.changed.items() if key not in functions})
            for key in own.removed:
                self.pop(key, None)
        for key, made in functions.items():
            self._compute(key, made)

    def change_again(self, key: str) -> bool:
        """Others have changed this key: do what was done by functions with what stands there now; False where it was assigned."""
        made = self._functions.get(key)
        if made is None or self._is_assigned(key):
            return False
        found = self._data.load(self._scope, self._owner)
        self.pop(key, None)
        self._loaded.pop(key, None)
        if key in found:
            self[key] = found[key]
            self._loaded[key] = to_json(found[key], self._name(key))
        self._compute(key, made)
        return True

    def win(self, key: str) -> None:
        """Write this key whatever others have written."""
        self._winning.add(key)

    def _compute(self, key: str, made: list[Callable[[Any], Any]]) -> None:
        for one in made:
            self[key] = one(self.get(key))
        self._functions[key] = made
        self._computed[key] = to_json(self[key], self._name(key))

    def _changed_now(self, key: str, make: Callable[[Any], Any]) -> Any:
        run = self._run
        if run is None:
            return self._change_now(key, make, lambda write: write())
        value = run.once(f"change {self._name(key)}", lambda: self._change_now(key, make, partial(run.keep, durable=False)))
        run.has_acted = True
        return value

    def _change_now(self, key: str, make: Callable[[Any], Any], keep: Callable[[Callable[[], Any]], Any]) -> Any:
        while True:
            found = self._data.load(self._scope, self._owner)
            before = to_json(found[key], self._name(key)) if key in found else None
            value = make(found.get(key))
            change = DataChange(self._scope, self._owner, {key: value}, expected={key: before})
            with suppress(_Overtaken):
                return keep(partial(self._write, change, value))

    def _write(self, change: DataChange, value: Any) -> Any:
        if self._data.apply(Changes((change,))):
            raise _Overtaken
        return value

    def _is_assigned(self, key: str) -> bool:
        """Whether it was changed otherwise than by functions."""
        now = to_json(self[key], self._name(key)) if key in self else None
        return now != (self._computed[key] if key in self._computed else self._loaded.get(key))

    def _name(self, key: str) -> str:
        return f"{self._scope}_data[{key!r}]"

    def _written(self) -> dict[str, str]:
        if wrong := [key for key in self if not isinstance(key, str)]:
            raise TypeError(f"{self._scope}_data[{wrong[0]!r}] cannot be stored: a key has to be a str")
        return {key: to_json(value, self._name(key)) for key, value in self.items()}


class StoredDicts:
    """The dicts of one handler, and what becomes of them when others have changed the same keys meanwhile.

    Args:
        data: where they are loaded from.
        run: the run of the handler.
        told: the keys of which it has been told already that changes of theirs were overwritten.
    """

    def __init__(self, data: Data, run: DurableRun, told: set[tuple[Scope, str]]) -> None:
        self._data = data
        self._run = run
        self._told = told
        self._dicts: dict[Scope, StoredDict] = {}

    def of(self, scope: Scope, owner: int) -> StoredDict:
        """The dict of a user, a chat or the bot."""
        if scope not in self._dicts:
            self._dicts[scope] = StoredDict(self._data, scope, owner, self._run)
        return self._dicts[scope]

    def changes(self) -> tuple[DataChange, ...]:
        """What was changed in them.

        Raises:
            TypeError, ValueError: a value cannot be stored; the text names its key.
        """
        return tuple(change for loaded in self._dicts.values() if (change := loaded.difference()) is not None)

    def refresh(self) -> None:
        """Load them again, keeping the own changes."""
        for loaded in self._dicts.values():
            loaded.refresh()

    def forget(self) -> None:
        """Load them anew when they are asked for; what was changed is forgotten."""
        self._dicts.clear()

    def settle(self, conflicts: tuple[DataConflict, ...], last: bool) -> bool:
        """See to it that changes can be written in spite of those of others; False where the handler is to run again instead, which it can as long as it has
        called nobody."""
        lost = [one for one in conflicts if last or not self._dicts[one.scope].change_again(one.key)]
        if lost and not self._run.has_acted and not last:
            return False
        for one in lost:
            self._dicts[one.scope].win(one.key)
            if (one.scope, one.key) not in self._told:
                self._told.add((one.scope, one.key))
                _log.warning(
                    "%s_data[%r] was changed by two handlers at once, and what the first one wrote is lost; change it with context.%s_data.change(%r, function)"
                    " (told once for each key)",
                    one.scope,
                    one.key,
                    one.scope,
                    one.key,
                )
        return True


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
