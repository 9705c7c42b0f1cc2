"""What telebot remembers of conversations, kept in the bot's state file: `register_next_step_handler`, and states with their data.

What JSON can say is kept, and messages of telebot's beside it. Anything else, a lambda as the next step for instance, stays in memory as before, and
the log says so once.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from types import FunctionType
from typing import TYPE_CHECKING, Any

from telebot import types
from telebot.handler_backends import HandlerBackend
from telebot.storage import StateStorageBase
from telebot.storage.base_storage import StateDataContext

from syncbot.runtime.handling.context import Context
from syncbot.storage.promises.data import DataChange, Scope

if TYPE_CHECKING:
    from syncbot.storage.promises.parts import Data

_log = logging.getLogger(__name__)
_STEPS = "telebot.next_step"
_STATE = "telebot.state"


class ChatRows:
    """Values of chats by name, as JSON. What an update changes in its own chat is written in the transaction that ends it: a run that has died counts for
    nothing. All else is written at once.

    Args:
        data: where they are kept.
    """

    def __init__(self, data: Data) -> None:
        self._data = data
        self._here = threading.local()

    @contextmanager
    def update(self, context: Context) -> Iterator[None]:
        """What happens in this thread meanwhile belongs to this update. Where its handling fails, what was changed before is written with that end, so that
        it stays changed, as in telebot."""
        context.run.has_acted = True  # its calls are telebot's: it is not to run again because others have written the same
        self._here.context, self._here.changed = context, set()
        try:
            yield
        except BaseException:
            if self._here.changed and context.chat_id is not None:
                now, names = dict(context.chat_data), self._here.changed
                changed = {name: now[name] for name in names if name in now}
                context.run.kept = (DataChange(Scope.CHAT, context.chat_id, changed, tuple(names - changed.keys())),)
            raise
        finally:
            self._here.context = None

    def get(self, chat: int, name: str) -> Any:
        """A value, nobody else's object; None where there is none."""
        mine = self._of_this_update(chat)
        return deepcopy(mine.get(name)) if mine is not None else self._data.load(Scope.CHAT, chat).get(name)

    def set(self, chat: int, name: str, value: Any) -> None:
        """Set a value; None takes it away."""
        mine = self._of_this_update(chat)
        if mine is None:
            self._data.save(Scope.CHAT, chat, {} if value is None else {name: value}, [name] if value is None else [])
            return
        self._here.changed.add(name)
        if value is None:
            mine.pop(name, None)
        else:
            mine[name] = deepcopy(value)

    def _of_this_update(self, chat: int) -> dict[str, Any] | None:
        context: Context | None = getattr(self._here, "context", None)
        return context.chat_data if context is not None and context.chat_id == chat else None


class DurableSteps(HandlerBackend):
    """telebot's next-step handlers, by chat.

    Args:
        rows: where they are kept.
        before: those that were registered until now.
    """

    def __init__(self, rows: ChatRows, before: dict[Any, list[dict[str, Any]]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # telebot has no types here
        self._rows = rows
        self._lock = threading.Lock()
        self._memory: dict[Any, list[dict[str, Any]]] = {}
        self._said = False
        for chat, handlers in before.items():
            for handler in handlers:
                self.register_handler(chat, handler)

    def register_handler(self, handler_group_id: Any, handler: Any) -> None:
        """Put another step behind those of this chat."""
        entry = _written(handler)
        with self._lock:
            if entry is None or type(handler_group_id) is not int:
                self._memory.setdefault(handler_group_id, []).append(handler)
                self._say_once(handler)
            else:
                self._rows.set(handler_group_id, _STEPS, [*self._kept(handler_group_id), entry])

    def clear_handlers(self, handler_group_id: Any) -> None:
        """Forget the steps of this chat."""
        self.get_handlers(handler_group_id)

    def get_handlers(self, handler_group_id: Any) -> list[dict[str, Any]] | None:
        """Take the steps of this chat; None where there are none."""
        with self._lock:
            held, taken = self._memory.pop(handler_group_id, []), []
            if type(handler_group_id) is int and (taken := self._kept(handler_group_id)):
                self._rows.set(handler_group_id, _STEPS, None)
        return [*map(_read, taken), *held] or None

    def _kept(self, chat: int) -> list[dict[str, Any]]:
        found = self._rows.get(chat, _STEPS)
        return found if isinstance(found, list) else []

    def _say_once(self, handler: Any) -> None:
        if not self._said:
            self._said = True
            name = getattr(handler["callback"], "__qualname__", repr(handler["callback"]))
            _log.warning(
                "the next step %s is lost at a restart: only functions of a module, with arguments that JSON can say, are kept; this is said once", name
            )


def _written(handler: Any) -> dict[str, Any] | None:
    """A step as JSON; None where it cannot be."""
    callback = handler["callback"]
    name = f"{getattr(callback, '__module__', '')}:{getattr(callback, '__qualname__', '')}"
    try:
        if _function(name) is not callback:
            return None
        given = {"args": [_packed(value) for value in handler["args"]], "kwargs": {key: _packed(value) for key, value in handler["kwargs"].items()}}
    except (LookupError, AttributeError, TypeError, ValueError):
        return None
    return {"callback": name, **given}


def _read(entry: dict[str, Any]) -> dict[str, Any]:
    """A step as telebot has it; one whose function the program does not have any more only says so."""
    args, kwargs = [_unpacked(value) for value in entry["args"]], {key: _unpacked(value) for key, value in entry["kwargs"].items()}
    try:
        callback = _function(entry["callback"])
    except (LookupError, AttributeError):
        callback = _lost(entry["callback"])
    return {"callback": callback, "args": args, "kwargs": kwargs}


def _lost(name: str) -> Callable[..., None]:
    def say(*_: Any, **__: Any) -> None:
        _log.error("the next step %s is not in the program any more; the message goes unanswered", name)

    return say


def _function(name: str) -> Any:
    """A function of a module, by name.

    Raises:
        LookupError, AttributeError: there is none.
    """
    module, _, path = name.partition(":")
    found: Any = sys.modules[module]
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, FunctionType):
        raise LookupError(name)
    return found


def _packed(value: Any) -> dict[str, Any]:
    if isinstance(value, types.Message | types.CallbackQuery):
        return {type(value).__name__: value.json}
    if not _is_json(value):
        raise TypeError("not JSON")
    return {"": value}


def _unpacked(packed: dict[str, Any]) -> Any:
    [(kind, value)] = packed.items()
    return getattr(types, kind).de_json(value) if kind else value


def _is_json(value: Any) -> bool:
    """Whether it comes back as it is."""
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError, RecursionError):
        return False


class DurableStates(StateStorageBase):
    """telebot's states and their data, by user in a chat.

    Args:
        rows: where they are kept.
    """

    def __init__(self, rows: ChatRows) -> None:
        super().__init__()
        self._rows = rows
        self._lock = threading.Lock()
        self._memory: dict[tuple[Any, str], dict[str, Any]] = {}
        self._said = False

    def set_state(self, chat_id: Any, user_id: Any, state: Any, *place: Any, **named: Any) -> bool:
        """Set a state; its data stays."""
        name = getattr(state, "name", state)
        return self._change(chat_id, _key(user_id, *place, **named), lambda row: {**(row or {"data": {}}), "state": name})

    def get_state(self, chat_id: Any, user_id: Any, *place: Any, **named: Any) -> Any:
        """The state; None where there is none."""
        return (self._row(chat_id, _key(user_id, *place, **named)) or {}).get("state")

    def delete_state(self, chat_id: Any, user_id: Any, *place: Any, **named: Any) -> bool:
        """Forget a state with its data; False where there was none."""
        return self._change(chat_id, _key(user_id, *place, **named), lambda _: None)

    def set_data(self, chat_id: Any, user_id: Any, key: Any, value: Any, *place: Any, **named: Any) -> bool:
        """Set one value of a state's data.

        Raises:
            RuntimeError: there is no state.
        """

        def change(row: dict[str, Any] | None) -> dict[str, Any]:
            if row is None:
                raise RuntimeError(f"there is no state of the user {user_id} in the chat {chat_id}, whose data could be set")
            return {**row, "data": {**row["data"], key: value}}

        return self._change(chat_id, _key(user_id, *place, **named), change)

    def get_data(self, chat_id: Any, user_id: Any, *place: Any, **named: Any) -> dict[Any, Any]:
        """The data of a state; empty where there is none."""
        data: dict[Any, Any] = (self._row(chat_id, _key(user_id, *place, **named)) or {}).get("data", {})
        return data

    def reset_data(self, chat_id: Any, user_id: Any, *place: Any, **named: Any) -> bool:
        """Empty the data of a state; False where there is no state."""
        return self._change(chat_id, _key(user_id, *place, **named), lambda row: row and {**row, "data": {}})

    def save(self, chat_id: Any, user_id: Any, data: Any, *place: Any, **named: Any) -> bool:
        """Put other data in the place of a state's; False where there is no state."""
        return self._change(chat_id, _key(user_id, *place, **named), lambda row: row and {**row, "data": data})

    def get_interactive_data(self, chat_id: Any, user_id: Any, *place: Any, **named: Any) -> Any:
        """What `with bot.retrieve_data(…) as data:` works with."""
        return StateDataContext(self, chat_id, user_id, *place, **named)  # type: ignore[no-untyped-call]  # telebot has no types here

    def _row(self, chat: Any, key: str) -> dict[str, Any] | None:
        if (chat, key) in self._memory or type(chat) is not int:
            return self._memory.get((chat, key))
        found = self._rows.get(chat, key)
        return found if isinstance(found, dict) else None

    def _change(self, chat: Any, key: str, change: Callable[[dict[str, Any] | None], dict[str, Any] | None]) -> bool:
        """Write what becomes of a row; False where there is none before and after."""
        with self._lock:
            before = self._row(chat, key)
            row = change(before)
            self._memory.pop((chat, key), None)
            durable = type(chat) is int and _is_json(row)
            if row is not None and not durable:
                self._memory[chat, key] = row
                self._say_once()
            if type(chat) is int:
                self._rows.set(chat, key, row if durable else None)
        return row is not None or before is not None

    def _say_once(self) -> None:
        if not self._said:
            self._said = True
            _log.warning("data of a state is lost at a restart: only what JSON can say is kept, with text as the keys of dicts; this is said once")


def _key(user: Any, business_connection_id: Any = None, message_thread_id: Any = None, bot_id: Any = None) -> str:
    """A user's place in a chat; the state file is one bot's, whose id therefore says nothing."""
    return f"{_STATE}:{user}:{business_connection_id or ''}:{message_thread_id or ''}"
