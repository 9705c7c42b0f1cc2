"""The bot of a program that was written for 13: its names, its order of values, its errors; the calls are syncbot's."""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from telegram import LinkPreviewOptions, ReplyParameters

from syncbot.client.api.table import MethodSpec, find_method, python_names
from syncbot.client.bot import Bot as OwnBot
from syncbot.client.ptb.shortcuts import AttachedBot, install, one_timeout, resolved
from syncbot.compat.ptb13.bot.errors import as_telegram_error
from syncbot.compat.ptb13.bot.renamed import OLD_METHODS, method_name, named, translated
from syncbot.compat.ptb13.bot.request import Request
from syncbot.compat.ptb13.callback_data import CallbackDataCache
from syncbot.compat.ptb13.defaults import Defaults
from syncbot.compat.ptb13.utils.helpers import localize
from syncbot.config import from_environment
from syncbot.errors import ApiError, ConfigError, NetworkError
from syncbot.secret import Secret
from syncbot.types import DEFAULT_BASE_URL

_SETTINGS = ("base_url", "timeout", "deadline", "ca_file", "ipv4", "dns_cache", "early", "tls_groups")

_MOST_KEYBOARDS = 1024
_WITH_TEXTS = {"media", "results"}
"""Parameters whose parts have texts of their own."""


class CallingBot(OwnBot):
    """A `syncbot.Bot` whose objects are bound to the bot of the program.

    Args:
        face: that bot.
        token, options: of a `syncbot.Bot`.
    """

    def __init__(self, face: Bot, token: Secret[str], options: Mapping[str, Any]) -> None:
        super().__init__(token, **options)
        self._face = face
        self.on_failed_poll: Callable[[ApiError | NetworkError], object] = lambda _: None
        """Told of each poll that has failed."""
        install()

    def fetch_updates(self, *, stop: threading.Event, **given: Any) -> list[dict[str, Any]]:
        """See `syncbot.Bot`."""
        try:
            return super().fetch_updates(stop=stop, **given)
        except (ApiError, NetworkError) as error:
            if not stop.is_set():
                self.on_failed_poll(error)
            raise

    def _attached(self) -> Any:
        return self._face


class Bot(AttachedBot):
    """A bot as 13 has it: `bot.send_message(chat_id, "hi")`, and `bot.sendMessage` too. `bot.syncbot` makes the calls.

    Args:
        token: the bot's token.
        base_url: the address of the Bot API server, to which the token is put: "http://localhost:8081/bot".
        base_file_url: not used: a server has its files beside its methods.
        request: the network's settings.
        private_key: for Telegram passports, a key of the package cryptography.
        private_key_password: not used.
        defaults: what calls take where they are not told otherwise.
        arbitrary_callback_data: whether buttons may hold any object; a number says for how many messages.

    Raises:
        telegram.error.InvalidToken: it is none.
    """

    syncbot: CallingBot

    def __init__(
        self,
        token: str | Secret[str],
        base_url: str | None = None,
        base_file_url: str | None = None,
        request: Request | None = None,
        private_key: Any = None,
        private_key_password: bytes | None = None,
        defaults: Defaults | None = None,
        arbitrary_callback_data: bool | int = False,
    ) -> None:
        hidden = Secret(token)
        del token
        super().__init__(CallingBot(self, _checked(hidden), _options(base_url, request)))
        self.defaults = defaults  # type: ignore[assignment]  # the class has None
        self.private_key = private_key
        self.arbitrary_callback_data = arbitrary_callback_data
        most = _MOST_KEYBOARDS if isinstance(arbitrary_callback_data, bool) else arbitrary_callback_data
        self.callback_data_cache = CallbackDataCache(self, most) if arbitrary_callback_data else None
        self._token = hidden

    @property
    def token(self) -> str:
        """The token."""
        return self._token.reveal()

    def restore_buttons(self, update: Any) -> None:
        """Put what the buttons of an update hold in the place of what Telegram has of them, where buttons may hold any object."""
        if self.callback_data_cache is not None:
            self.callback_data_cache.process_update(update)

    def restore_callback_data(self, kept: Any) -> None:
        """Take over what a persistence has kept of the buttons."""
        if self.callback_data_cache is not None:
            self.callback_data_cache = CallbackDataCache(self, self.callback_data_cache.maxsize, kept)

    def is_inside(self) -> bool:
        """Whether one of telegram's own methods runs on this thread, and is what calls."""
        return self._is_running()

    def _call(self, name: str, values: tuple[Any, ...], given: dict[str, Any]) -> Any:
        """Carry out a call, whoever makes it: the program, or one of telegram's own methods, with today's names."""
        spec = find_method(method_name(name))
        assert spec is not None
        python = method_name(name)
        given = translated(python, named(f"Bot.{_of_13(name)}", values, given))
        given = self._with_names(self._with_defaults(spec, given))
        timeout = one_timeout(given)
        if timeout is not None:
            given.setdefault("timeout", timeout)
        return self.do(functools.partial(self._carried, spec, {key: value for key, value in given.items() if value is not None}))

    def _carried(self, spec: MethodSpec, given: dict[str, Any]) -> Any:
        try:
            result = getattr(self.syncbot, spec.python_name)(**given)
        except (ApiError, NetworkError) as error:
            raise as_telegram_error(error) from error
        if self.callback_data_cache is not None:
            for one in result if isinstance(result, tuple) else (result,):
                self.callback_data_cache.process_message(one)
        return list(result) if isinstance(result, tuple) else result

    def _with_names(self, given: dict[str, Any]) -> dict[str, Any]:
        """What was given, with names in the place of what buttons hold, where they may hold any object."""
        cache = self.callback_data_cache
        if cache is None:
            return given
        if hasattr(given.get("reply_markup"), "inline_keyboard"):
            given["reply_markup"] = cache.process_keyboard(given["reply_markup"])
        results = given.get("results")
        if isinstance(results, list | tuple):
            given["results"] = [_with_markup(one, cache.process_keyboard) for one in results]
        return given

    def _with_defaults(self, spec: MethodSpec, given: dict[str, Any]) -> dict[str, Any]:
        """What was given, and for what was not, what the bot's defaults say."""
        zone = UTC if self.defaults is None else self.defaults.tzinfo
        found = {name: _in_zone(resolved(value), zone) for name, value in given.items()}
        if self.defaults is None:
            return found
        for name, value in self.defaults.api_defaults.items():
            if name == "timeout":
                takes = "timeout" not in spec.parameters and "read_timeout" not in given
            else:
                takes = name in spec.parameters or name in spec.conveniences
            if takes and (name not in given or found[name] is not given[name] or (name == "disable_web_page_preview" and given[name] is None)):
                found[name] = value
        reply = found.get("reply_parameters")  # what telegram's own methods make of a quotation
        if self.defaults.allow_sending_without_reply is not None and hasattr(reply, "message_id") and not resolved(reply.allow_sending_without_reply):
            found["reply_parameters"] = ReplyParameters(reply.message_id, allow_sending_without_reply=self.defaults.allow_sending_without_reply)
        for name in _WITH_TEXTS & found.keys():
            for part in found[name] if isinstance(found[name], list | tuple) else (found[name],):
                _take_defaults(part, self.defaults)
        return found

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id})"


def _in_zone(value: Any, zone: tzinfo) -> Any:
    """A value; a time without a zone is one of this zone."""
    return localize(value, zone) if isinstance(value, datetime) and value.tzinfo is None else value


def _take_defaults(part: Any, defaults: Defaults) -> None:
    """Tell the texts of a medium or an inline result what they were not told themselves."""
    preview = None if defaults.disable_web_page_preview is None else LinkPreviewOptions(is_disabled=defaults.disable_web_page_preview)
    for one in (part, getattr(part, "input_message_content", None)):
        for name, value in (("parse_mode", defaults.parse_mode), ("link_preview_options", preview)):
            given = getattr(one, name, None)
            if value is not None and given is not None and resolved(given) is None:
                setattr(one, name, value)


def _with_markup(result: Any, process: Callable[[Any], Any]) -> Any:
    """An inline result with other buttons; the one that was given stays as it is."""
    if not hasattr(getattr(result, "reply_markup", None), "inline_keyboard"):
        return result
    changed = copy.copy(result)
    changed.reply_markup = process(result.reply_markup)
    return changed


def _of_13(name: str) -> str:
    """The name that a method had."""
    python = method_name(name)
    return next((old for old, new in OLD_METHODS.items() if new == python), python)


def _checked(token: Secret[str]) -> Secret[str]:
    head, colon, rest = token.reveal().partition(":")
    if not (colon and head.isdecimal() and rest) or any(character.isspace() for character in rest):
        from telegram.error import InvalidToken

        raise InvalidToken("the token is none: it looks like 123456789:AAE… and @BotFather gave it")
    return token


def _options(base_url: str | None, request: Request | None) -> dict[str, Any]:
    """What a `syncbot.Bot` is to be told: the environment's settings, and those of the program."""
    options = from_environment(*_SETTINGS) | {"ahead": "auto"} | (request or Request()).options()
    if base_url is not None and base_url != f"{DEFAULT_BASE_URL}/bot":
        if not base_url.endswith("/bot"):
            raise ConfigError("base_url: it has to end in /bot, to which the token is put; for example base_url='http://localhost:8081/bot'")
        options["base_url"] = base_url.removesuffix("/bot")
    return options


def _method(name: str) -> Callable[..., Any]:
    def method(self: Bot, /, *values: Any, **given: Any) -> Any:
        return self._call(name, values, given)

    method.__name__ = name
    method.__qualname__ = f"Bot.{name}"
    return method


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.title() for word in tail)


def _add_methods() -> None:
    """Put each method into the class under both of its names: a subclass may reach them by `super()`."""
    for name in (*python_names().values(), *OLD_METHODS):
        for spelling in (name, _camel(name)):
            setattr(Bot, spelling, _method(spelling))
    setattr(Bot, "close", _method("close_bot"))  # noqa: B010  # beside the others, which have no names of their own either


_add_methods()
