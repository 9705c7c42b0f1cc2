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
from types import FunctionType
from typing import Any

from telebot import types
from telebot.handler_backends import HandlerBackend
from telebot.storage import StateStorageBase
from telebot.storage.base_storage import StateDataContext

from syncbot.storage.promises.data import Data, Scope

_log = logging.getLogger(__name__)
_STEPS = "telebot.next_step"
_STATE = "telebot.state"


class DurableSteps(HandlerBackend):
    """telebot's next-step handlers, by chat. A step is gone when the update that took it has been handled; one whose process died meanwhile takes it again.

    Args:
        data: where they are kept.
        before: those that were registered until now.
    """

    def __init__(self, data: Data, before: dict[Any, list[dict[str, Any]]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # telebot has no types here
        self._data = data
        self._lock = threading.Lock()
        self._here = threading.local()
        self._memory: dict[Any, list[dict[str, Any]]] = {}
        self._said = False
        for chat, handlers in before.items():
            for handler in handlers:
                self.register_handler(chat, handler)

    @contextmanager
    def update(self, update_id: int) -> Iterator[None]:
        """What happens in this thread meanwhile belongs to this update."""
        self._here.update_id = update_id
        try:
            yield
        finally:
            self._here.update_id = None

    def register_handler(self, handler_group_id: Any, handler: Any) -> None:
        """Put another step behind those of this chat."""
        entry = _written(handler)
        with self._lock:
            if entry is None or type(handler_group_id) is not int:
                self._memory.setdefault(handler_group_id, []).append(handler)
                self._say_once(handler)
                return
            row = self._row(handler_group_id)
            row["waiting"].append(entry | {"by": self._update_id})
            self._save(handler_group_id, row)

    def clear_handlers(self, handler_group_id: Any) -> None:
        """Forget the steps of this chat."""
        with self._lock:
            self._memory.pop(handler_group_id, None)
            if type(handler_group_id) is int:
                self._save(handler_group_id, {**self._row(handler_group_id), "waiting": []})

    def get_handlers(self, handler_group_id: Any) -> list[dict[str, Any]] | None:
        """Take the steps of this chat; None where there are none."""
        with self._lock:
            held = self._memory.pop(handler_group_id, [])
            if type(handler_group_id) is not int:
                return held or None
            before, update_id = self._row(handler_group_id), self._update_id
            # What this very update has registered was registered by a run of it that has died: it does so again.
            waiting = [entry for entry in before["waiting"] if update_id is None or entry["by"] != update_id]
            again = update_id is not None and before["taken_by"] == update_id
            taken = before["taken"] if again else waiting
            row = {"waiting": waiting if again else [], "taken": taken if update_id is not None else [], "taken_by": update_id if taken else None}
            if row != before:
                self._save(handler_group_id, row)
        return [*map(_read, taken), *held] or None

    @property
    def _update_id(self) -> int | None:
        return getattr(self._here, "update_id", None)

    def _row(self, chat: int) -> dict[str, Any]:
        found = self._data.load(Scope.CHAT, chat).get(_STEPS)
        return found if isinstance(found, dict) else {"waiting": [], "taken": [], "taken_by": None}

    def _save(self, chat: int, row: dict[str, Any]) -> None:
        if row["waiting"] or row["taken"]:
            self._data.save(Scope.CHAT, chat, {_STEPS: row})
        else:
            self._data.save(Scope.CHAT, chat, {}, [_STEPS])

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
        data: where they are kept.
    """

    def __init__(self, data: Data) -> None:
        super().__init__()
        self._data = data
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
        found = self._data.load(Scope.CHAT, chat).get(key)
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
                self._data.save(Scope.CHAT, chat, {key: row} if row is not None and durable else {}, [] if row is not None and durable else [key])
        return row is not None or before is not None

    def _say_once(self) -> None:
        if not self._said:
            self._said = True
            _log.warning("data of a state is lost at a restart: only what JSON can say is kept, with text as the keys of dicts; this is said once")


def _key(user: Any, business_connection_id: Any = None, message_thread_id: Any = None, bot_id: Any = None) -> str:
    """A user's place in a chat; the state file is one bot's, whose id therefore says nothing."""
    return f"{_STATE}:{user}:{business_connection_id or ''}:{message_thread_id or ''}"
