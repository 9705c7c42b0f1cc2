"""telegram's own methods on its objects, as they were called in 13: synchronous, with the values of then in the order of then."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import telegram

from syncbot.compat.ptb13.bot.bot import Bot
from syncbot.compat.ptb13.bot.errors import as_telegram_error
from syncbot.compat.ptb13.bot.renamed import named, order_of, ordered_classes, translated
from syncbot.compat.ptb13.defaults import DEFAULT_NONE
from syncbot.errors import ApiError, NetworkError

_BASES = {"_ChatBase": "Chat", "ChatFullInfo": "Chat"}
_API_METHODS = {"InlineQuery.answer": "answer_inline_query"}


def install() -> None:
    """Wrap the methods, which syncbot has made synchronous already, and the classes whose values had another order."""
    for kind in list(_kinds(telegram.TelegramObject)):
        for name, function in list(vars(kind).items()):
            if not name.startswith("_") and inspect.iscoroutinefunction(getattr(function, "__wrapped__", None)):
                setattr(kind, name, _as_in_13(f"{_BASES.get(kind.__name__, kind.__name__)}.{name}", function))
    for name in ordered_classes():
        kind = getattr(telegram, name)
        kind.__init__ = _made_as_in_13(name, kind.__init__)
    chat: Any = telegram.Chat.__mro__[1]
    chat.kick_member, chat.get_members_count = chat.ban_member, chat.get_member_count
    telegram.File.download = _download  # type: ignore[attr-defined]  # today's have other names


def _kinds(kind: type) -> Iterator[type]:
    """Telegram's own classes; its bots, which are among them, left out."""
    if not kind.__module__.startswith("telegram.") or hasattr(kind, "get_updates"):
        return
    yield kind
    below: type
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _as_in_13(what: str, function: Callable[..., Any]) -> Callable[..., Any]:
    api_method = _API_METHODS.get(what, "")

    @functools.wraps(function)
    def method(self: Any, /, *values: Any, **given: Any) -> Any:
        attached = self._bot
        if not isinstance(attached, Bot) or attached.is_inside():  # telegram's own code calls in its own way
            return function(self, *values, **given)
        if order_of(what):
            given, values = named(what, values, given), ()
        if "timeout" in given:
            given["read_timeout"] = given.pop("timeout")
        if "quote" in given:
            given["do_quote"] = given.pop("quote")
        try:
            result = function(self, *values, **translated(api_method, given))
        except (ApiError, NetworkError) as error:  # of a download, which is no call of the bot's
            raise as_telegram_error(error) from error
        return list(result) if isinstance(result, tuple) else result

    return method


def _made_as_in_13(name: str, function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def init(self: Any, /, *values: Any, **given: Any) -> None:
        given = named(name, values, given)
        _drop_old(name, given)
        function(self, **given)

    return init


def _drop_old(name: str, given: dict[str, Any]) -> None:
    """What the Bot API has no more, or has in several parts."""
    given.pop("hide_url", None)
    if name == "ForceReply":
        given.pop("force_reply", None)
    if name == "ChatPermissions" and (media := given.pop("can_send_media_messages", None)) is not None:
        for part in ("audios", "documents", "photos", "videos", "video_notes", "voice_notes"):
            given.setdefault(f"can_send_{part}", media)


def _download(self: Any, custom_path: str | Path | None = None, out: IO[bytes] | None = None, timeout: Any = DEFAULT_NONE) -> Any:
    """Store the file: under `custom_path`, in `out`, or else in the working folder under its own name.

    Returns:
        The path, or `out`.

    Raises:
        ValueError: both are given.
    """
    if custom_path is not None and out is not None:
        raise ValueError("give either custom_path or out, not both")
    if out is not None:
        self.download_to_memory(out, read_timeout=timeout)
        return out
    return str(self.download_to_drive(custom_path, read_timeout=timeout))
