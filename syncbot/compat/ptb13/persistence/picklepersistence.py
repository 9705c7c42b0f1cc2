"""`PicklePersistence`: no pickle any more, but the bot's state file; the files of python-telegram-bot 13 are read once, when asked for."""

from __future__ import annotations

import json
import logging
import os
import pickle
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from syncbot.compat.ptb13.persistence.base import BD, CD, UD, BasePersistence, CallbackData, ConversationKey
from syncbot.compat.ptb13.persistence.codec import TAG, Codec, NotStorable
from syncbot.compat.ptb13.work import Owner, Work, work_here
from syncbot.regular import opener
from syncbot.runtime.state_file import AUTO, state_path
from syncbot.storage import Data, DataChange, Scope, StatePlace, Store, StoreOptions, open_store

_log = logging.getLogger(__name__)

_KEY = f"{TAG}:key:"
"""Before the JSON of a key that is no text, or that begins like this."""
_WHOLE = f"{TAG}:whole"
"""The key of data that are no dict."""
_STATE = f"{TAG}:conversation:"
_BUTTONS = f"{TAG}:callback_data"
_READ = f"{TAG}:read"
_PARTS = ("user_data", "chat_data", "bot_data", "conversations", "callback_data")


class PicklePersistence(BasePersistence[UD, CD, BD]):
    """Keeps data and conversations in the bot's state file, in transactions that outlive a power cut.

    A file that python-telegram-bot 13 has written is not read by itself, since a pickle runs the code of whoever wrote it: `syncbot run-ptb13 --read-pickles`
    reads it, once, and from then on the state file counts. It is left as it is.

    Args:
        filename: that of the pickle, or with `single_file=False` what its files' names begin with.
        store_user_data, store_chat_data, store_bot_data, store_callback_data: what is kept.
        single_file: as it was written there.
        on_flush: write at the end alone.
        context_types: a `ContextTypes`: which classes the data are of; None for dicts.
    """

    reads_pickles: ClassVar[bool] = False
    """Whether files of python-telegram-bot 13 are read, by all of a process; `run-ptb13 --read-pickles` sets it."""
    keeps_pickled: ClassVar[bool] = False
    """Whether values that are neither JSON nor dataclasses are kept as pickles within the state file; `run-ptb13 --pickled` sets it."""

    def __init__(
        self,
        filename: str,
        store_user_data: bool = True,
        store_chat_data: bool = True,
        store_bot_data: bool = True,
        single_file: bool = True,
        on_flush: bool = False,
        store_callback_data: bool = False,
        context_types: Any = None,
    ) -> None:
        super().__init__(store_user_data, store_chat_data, store_bot_data, store_callback_data)
        self.filename = filename
        self.single_file = single_file
        self.on_flush = on_flush
        self.context_types = context_types
        self._makes = {scope: getattr(context_types, f"{scope}_data", dict) for scope in Scope}
        self.state: str | os.PathLike[str] = AUTO
        """The state file; an Updater that is told of another one says so here."""
        self._lock = threading.RLock()  # conversations say their states from threads of their own
        self._data: Data | None = None
        self._store: Store | None = None
        self._codec = Codec()
        self._written: dict[Owner, dict[str, str]] = {}
        self._waiting: dict[Owner, dict[str, str]] = {}
        self._told: set[tuple[Scope, str]] = set()

    def set_bot(self, bot: Any) -> None:
        super().set_bot(bot)
        self._codec = Codec(bot, self.keeps_pickled)
        self._open()

    def use(self, data: Data) -> None:
        """Keep it in this place instead of the bot's state file.

        Raises:
            TypeError: files of python-telegram-bot 13 are to be read, and cannot be.
        """
        self._data = data
        if not self.reads_pickles:
            self._tell_of_files(data)
        elif not data.load(Scope.BOT, 0).get(_READ):
            self._read_pickles(data)

    def _open(self) -> None:
        """Open the bot's state file, which the runtime has open too."""
        if self._data is None and self.bot is not None:
            self._store = open_store(state_path(self.bot.syncbot, self.state), self.bot.id, options=StoreOptions(check=False))
            self.use(self._store.data)

    def get_user_data(self) -> Any:
        return self._all(Scope.USER)

    def get_chat_data(self) -> Any:
        return self._all(Scope.CHAT)

    def get_bot_data(self) -> Any:
        return self._one(Scope.BOT, 0)

    def get_callback_data(self) -> CallbackData | None:
        kept = self._load(Scope.BOT, 0).get(_BUTTONS)
        if kept is None:
            return None
        keyboards, queries = self._codec.decode(kept)
        return [tuple(keyboard) for keyboard in keyboards], queries

    def get_conversations(self, name: str) -> dict[ConversationKey, Any]:
        start = _state_name(name, "")
        kept = self._load(Scope.BOT, 0)
        return {tuple(json.loads(key[len(start) :])): self._codec.decode(value) for key, value in kept.items() if key.startswith(start)}

    def update_user_data(self, user_id: int, data: Any) -> None:
        self._keep(Scope.USER, user_id, dict(self._encoded(Scope.USER, data)))

    def update_chat_data(self, chat_id: int, data: Any) -> None:
        self._keep(Scope.CHAT, chat_id, dict(self._encoded(Scope.CHAT, data)))

    def update_bot_data(self, data: Any) -> None:
        self._keep(Scope.BOT, 0, dict(self._encoded(Scope.BOT, data)))

    def update_callback_data(self, data: CallbackData) -> None:
        encoded = self._value(Scope.BOT, _BUTTONS, [[list(keyboard) for keyboard in data[0]], data[1]])
        if encoded is not None:
            self._keep(Scope.BOT, 0, {_BUTTONS: encoded}, keeps=lambda _: True)

    def update_conversation(self, name: str, key: ConversationKey, new_state: Any) -> None:
        row = _state_name(name, json.dumps(list(key)))
        encoded = None if new_state is None else self._value(Scope.BOT, f"the state of {name}", new_state)
        self._keep(Scope.BOT, 0, {} if encoded is None else {row: encoded}, keeps=lambda other: other != row)

    def flush(self) -> None:
        """Write what waits for the end, and close the state file; it is opened again where something is to be kept afterwards."""
        with self._lock:
            while self._waiting:
                owner, values = self._waiting.popitem()
                self._write(owner, values)
            if self._store is not None:
                self._store.close()
                self._store = self._data = None

    # ── to and from the state file ───────────────────────────────────────────────────────────────────────────────────

    def _load(self, scope: Scope, owner: int) -> dict[str, Any]:
        kept = {} if self._data is None else self._data.load(scope, owner)
        self._written.setdefault((scope, owner), {key: json.dumps(value) for key, value in kept.items()})
        return kept

    def _all(self, scope: Scope) -> defaultdict[int, Any]:
        found: defaultdict[int, Any] = defaultdict(self._makes[scope])
        after: int | None = None
        while self._data is not None and (owners := self._data.owners(scope, after=after)):
            found.update((owner, self._one(scope, owner)) for owner in owners)
            after = owners[-1]
        return found

    def _one(self, scope: Scope, owner: int) -> Any:
        kept = self._load(scope, owner)
        try:
            if _WHOLE in kept:
                return self._codec.decode(kept[_WHOLE])
            made: Any = self._makes[scope]()
            for row, value in kept.items():
                if row.startswith(_KEY):
                    made[self._codec.decode(json.loads(row[len(_KEY) :]))] = self._codec.decode(value)
                elif not row.startswith(f"{TAG}:"):
                    made[row] = self._codec.decode(value)
        except NotStorable as problem:  # to go on without it would be to lose it at the next change
            raise NotStorable(f"{scope}_data of {owner} holds {problem}: pickles are read with `syncbot run-ptb13 --pickled` alone") from None
        return made

    def _encoded(self, scope: Scope, data: Any) -> Iterator[tuple[str, str]]:
        """The rows of somebody's data: one for each key, so that a handler of syncbot's own finds them in its `context.user_data`."""
        if not isinstance(data, dict):
            value = self._value(scope, type(data).__name__, data)
            if value is not None:
                yield _WHOLE, value
            return
        for key, item in data.items():
            value = self._value(scope, str(key), item)
            if value is not None:
                yield key if isinstance(key, str) and not key.startswith(f"{TAG}:") else _KEY + json.dumps(self._codec.encode(key)), value

    def _value(self, scope: Scope, name: str, value: Any) -> str | None:
        """A value as JSON text; None for what cannot be kept, of which it is told once."""
        try:
            return json.dumps(self._codec.encode(value), allow_nan=False)
        except (NotStorable, pickle.PicklingError, AttributeError, RecursionError, ValueError, TypeError) as problem:
            if (scope, name) not in self._told:
                self._told.add((scope, name))
                _log.warning(
                    "%s_data[%r] holds %s, which is not kept: JSON's values, tuples, sets, times and dataclasses are;"
                    " `syncbot run-ptb13 --pickled` keeps the rest as pickles (told once for each key)",
                    scope,
                    name,
                    problem,
                )
            return None

    def _keep(self, scope: Scope, owner: int, values: Mapping[str, str], keeps: Callable[[str], bool] | None = None) -> None:
        """Write what has changed. Of the rows before, those go that `keeps` does not name: of somebody's data, which are given as a whole, all."""
        with self._lock:
            if (work := self._holding_work()) is not None:
                work.rows.setdefault((scope, owner), {})
            before = self._waiting.get((scope, owner)) or self._written.get((scope, owner), {})
            after = {row: text for row, text in before.items() if (keeps or _is_own)(row)} | dict(values)
            if after == before:
                return
            if self.on_flush:
                self._waiting[scope, owner] = after
            else:
                self._write((scope, owner), after)

    def _write(self, owner: Owner, rows: dict[str, str]) -> None:
        before = self._written.get(owner, {})
        changed = {row for row in before.keys() | rows if before.get(row) != rows.get(row)}
        if (work := self._holding_work()) is not None:
            work.rows.setdefault(owner, {}).update(dict.fromkeys(changed, time.monotonic()))
        else:
            self._open()
            if self._data is None:
                raise RuntimeError("PicklePersistence is kept in the state file of a bot, and there is none: give it to an Updater or a Dispatcher")
            change = _change(owner, changed, rows)
            self._data.save(*owner, change.changed, list(change.removed))
        self._written[owner] = rows

    def _holding_work(self) -> Work | None:
        """The work with whose end is written what the calling thread gives; None where that is written at once, or by `flush`."""
        work = work_here()
        return work if work is not None and work.holds and not self.on_flush else None

    @property
    def place(self) -> StatePlace | None:
        """Where its state file is; None where it was told to keep everything elsewhere, or belongs to no bot."""
        is_elsewhere = self._data is not None and self._store is None
        return None if is_elsewhere or self.bot is None else state_path(self.bot.syncbot, self.state)

    def changes(self, work: Work, others: Iterable[Work]) -> tuple[DataChange, ...]:
        """What the end of an update is to write: what stands now in the rows that have changed of whatever was given for it.

        Args:
            work: on the update.
            others: whose end is yet to come: what this one has changed, they may have noticed first. Their conversations are their own.
        """
        with self._lock:
            rows = {owner: set(names) for owner, names in work.rows.items()}
            for other in others:
                for owner, names in rows.items():
                    noticed = other.rows.get(owner, {}).items()
                    names.update(name for name, at in noticed if at >= work.began and not name.startswith(_STATE))
            return tuple(_change(owner, names, self._written.get(owner, {})) for owner, names in rows.items() if names)

    # ── the files of before ──────────────────────────────────────────────────────────────────────────────────────────

    def _files(self) -> dict[str, Path]:
        """The pickles that are there, by what they hold; "" for one that holds all."""
        names = {"": self.filename} if self.single_file else {part: f"{self.filename}_{part}" for part in _PARTS}
        return {part: Path(name) for part, name in names.items() if os.path.isfile(name)}

    def _tell_of_files(self, data: Data) -> None:
        if self._files() and not data.load(Scope.BOT, 0).get(_READ):
            _log.warning(
                "%s was written by python-telegram-bot 13 and is not read: a pickle runs the code of whoever wrote it. If that was your bot, start it once"
                " with `syncbot run-ptb13 --read-pickles`; what it holds is kept in the state file from then on",
                self.filename,
            )

    def _read_pickles(self, data: Data) -> None:
        """Take over what the files hold.

        Raises:
            TypeError: a file is no pickle, or of something else.
        """
        found: dict[str, Any] = {}
        for part, path in self._files().items():
            try:
                with open(path, "rb", opener=opener) as file:
                    held = pickle.load(file)  # noqa: S301  # asked for, by whoever knows who wrote it
                found.update(held if part == "" else {part: held})
            except Exception as problem:
                raise TypeError(f"{path} cannot be read as a pickle of python-telegram-bot 13: {problem}") from problem
        for part, update in (("user_data", self.update_user_data), ("chat_data", self.update_chat_data)):
            for owner, values in (found.get(part) or {}).items():
                update(owner, values)
        self.update_bot_data(found.get("bot_data") or self._makes[Scope.BOT]())
        for name, states in (found.get("conversations") or {}).items():
            for key, state in states.items():
                self.update_conversation(name, key, state)
        if found.get("callback_data"):
            self.update_callback_data(found["callback_data"])
        while self._waiting:
            self._write(*self._waiting.popitem())
        data.save(Scope.BOT, 0, {_READ: self.filename})
        self._written.clear()


def _change(owner: Owner, names: Iterable[str], rows: Mapping[str, str]) -> DataChange:
    return DataChange(*owner, {name: json.loads(rows[name]) for name in names if name in rows}, tuple(name for name in names if name not in rows))


def _is_own(key: str) -> bool:
    """Whether a row of the bot is no data of the program's."""
    return key.startswith(f"{TAG}:") and not key.startswith(_KEY) and key != _WHOLE


def _state_name(name: str, key: str) -> str:
    return f"{_STATE}{name}:{key}"
