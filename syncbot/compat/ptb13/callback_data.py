"""`telegram.ext.callbackdatacache` of python-telegram-bot 13: buttons that hold any Python object, of which Telegram sees a name alone."""

from __future__ import annotations

import datetime as dtm
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import TelegramError

from syncbot.compat.ptb13.utils.helpers import to_float_timestamp
from syncbot.runtime.durable.seam import run_with_step

_LENGTH = 32
"""Of the name of a keyboard, and of that of a button behind it."""


class InvalidCallbackData(TelegramError):
    """Stands in `callback_query.data` where the button's object is not known any more, or was never there.

    Args:
        callback_data: what Telegram has brought instead.
    """

    def __init__(self, callback_data: str | None = None) -> None:
        super().__init__("The object belonging to this callback_data was deleted or the callback_data was manipulated.")
        self.callback_data = callback_data

    def __reduce__(self) -> tuple[type, tuple[str | None]]:  # type: ignore[override]  # what it is made of again
        return type(self), (self.callback_data,)


class _Keyboard:
    """What the buttons of one message hold, and when one was asked for last."""

    def __init__(self, name: str, at: float, buttons: Mapping[str, Any]) -> None:
        self.name = name
        self.access_time = at
        self.button_data = dict(buttons)


class CallbackDataCache:
    """Keeps what the buttons of the last keyboards hold, and to which keyboards queries belong.

    Args:
        bot: whose buttons they are; those of other bots are left alone.
        maxsize: how many keyboards are kept, and how many queries.
        persistent_data: what `persistence_data` was before.
    """

    def __init__(self, bot: Any, maxsize: int = 1024, persistent_data: tuple[Any, Mapping[str, str]] | None = None) -> None:
        self.bot = bot
        self.maxsize = maxsize
        self._lock = Lock()
        self._keyboards: OrderedDict[str, _Keyboard] = OrderedDict()
        self._queries: OrderedDict[str, str] = OrderedDict()
        if persistent_data:
            keyboards, queries = persistent_data
            for name, at, buttons in keyboards:
                self._keep(self._keyboards, name, _Keyboard(name, at, buttons))
            for query, name in queries.items():
                self._keep(self._queries, query, name)

    @property
    def persistence_data(self) -> tuple[list[tuple[str, float, dict[str, Any]]], dict[str, str]]:
        """What is to be kept: the keyboards (name, time of the last use, what each button holds), and the keyboard of each query."""
        with self._lock:
            return [(each.name, each.access_time, each.button_data) for each in self._keyboards.values()], dict(self._queries)

    def process_keyboard(self, reply_markup: Any) -> Any:
        """Take what the buttons hold, and return the keyboard with names instead; the same one where no button holds anything."""
        keyboard = _Keyboard(self._new_name(), time.time(), {})
        rows = [[self._named(button, keyboard) for button in row] for row in reply_markup.inline_keyboard]
        if not keyboard.button_data:
            return reply_markup
        with self._lock:
            self._keep(self._keyboards, keyboard.name, keyboard)
        return InlineKeyboardMarkup(rows)

    def process_message(self, message: Any) -> None:
        """Put back what the buttons of a message hold, in place, where they are this bot's."""
        with self._lock:
            self._put_back(message)

    def process_callback_query(self, callback_query: Any) -> None:
        """Put back what the pressed button holds, and the others of its message, in place."""
        with self._lock:
            if callback_query.data:
                name, held = self._held(callback_query.data)
                object.__setattr__(callback_query, "data", held)  # telegram's objects are frozen, and this one is for the handlers of this bot alone
                if name is not None:
                    self._keep(self._queries, callback_query.id, name)
            message = callback_query.message
            for each in (message, getattr(message, "pinned_message", None), getattr(message, "reply_to_message", None)):
                if each is not None:
                    self._put_back(each)

    def process_update(self, update: Any) -> None:
        """Put back what the buttons in an update hold, in place: of a query, or of its message and what that replies to or has pinned."""
        if update.callback_query:
            self.process_callback_query(update.callback_query)
            return
        message = update.effective_message
        replied = getattr(message, "reply_to_message", None)
        with self._lock:
            for each in (message, replied, *(getattr(one, "pinned_message", None) for one in (message, replied))):
                if each is not None:
                    self._put_back(each)

    def drop_data(self, callback_query: Any) -> None:
        """Forget the keyboard that a query belongs to.

        Raises:
            KeyError: the query is not known.
        """
        with self._lock:
            if callback_query.id not in self._queries:
                raise KeyError("CallbackQuery was not found in cache.")
            self._keyboards.pop(self._queries.pop(callback_query.id), None)

    def clear_callback_data(self, time_cutoff: float | dtm.datetime | None = None) -> None:
        """Forget all keyboards, or those that nobody has used since this time (seconds since 1970, or a datetime)."""
        zone = getattr(getattr(self.bot, "defaults", None), "tzinfo", None)
        cutoff = to_float_timestamp(time_cutoff, tzinfo=zone) if isinstance(time_cutoff, dtm.datetime) else time_cutoff
        with self._lock:
            for name, keyboard in list(self._keyboards.items()):
                if not cutoff or keyboard.access_time < cutoff:
                    del self._keyboards[name]

    def clear_callback_queries(self) -> None:
        """Forget to which keyboards the queries belong."""
        with self._lock:
            self._queries.clear()

    @staticmethod
    def extract_uuids(callback_data: str) -> tuple[str, str]:
        """The names of keyboard and button."""
        return callback_data[:_LENGTH], callback_data[_LENGTH:]

    def _new_name(self) -> str:
        """A name that nobody guesses. In each run of a handler it is the same: an earlier one may have sent the keyboard already."""
        calls = getattr(self.bot, "syncbot", None)
        run = run_with_step(calls.recorders) if calls is not None else None
        return uuid.uuid4().hex if run is None else f"{run.random.getrandbits(128):032x}"

    def _named(self, button: Any, keyboard: _Keyboard) -> Any:
        if not button.callback_data:
            return button
        name = self._new_name()
        keyboard.button_data[name] = button.callback_data
        return InlineKeyboardButton(button.text, callback_data=f"{keyboard.name}{name}")

    def _held(self, text: Any) -> tuple[str | None, Any]:
        """The name of the keyboard and what the button holds; None and an `InvalidCallbackData` where that is not known."""
        if not isinstance(text, str):  # put back already
            return None, text
        name, button = self.extract_uuids(text)
        keyboard = self._keyboards.get(name)
        if keyboard is None or button not in keyboard.button_data:
            return None, InvalidCallbackData(text)
        keyboard.access_time = time.time()
        self._keyboards.move_to_end(name)
        return name, keyboard.button_data[button]

    def _put_back(self, message: Any) -> None:
        markup = getattr(message, "reply_markup", None)
        sender = getattr(message, "via_bot", None) or getattr(message, "from_user", None)
        if markup is None or (sender is not None and sender.id != self.bot.id):
            return
        for button in (button for row in markup.inline_keyboard for button in row):
            if button.callback_data:
                object.__setattr__(button, "callback_data", self._held(button.callback_data)[1])

    def _keep(self, kept: OrderedDict[str, Any], name: str, value: Any) -> None:
        kept[name] = value
        kept.move_to_end(name)
        while len(kept) > self.maxsize:
            kept.popitem(last=False)
