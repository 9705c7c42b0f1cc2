"""python-telegram-bot's own methods on its objects (`message.reply_text(…)`), run synchronously where the object came from a syncbot bot.

They are coroutines there. Each is wrapped once; the wrapper looks at the bot that the object is bound to. Where that is an `AttachedBot`, the
coroutine is run to its end at once: all that it awaits is the attached bot, whose methods do their work without ever suspending, so that no event
loop is needed. With any other bot, or none, it returns the coroutine as before; an asyncio `Application` in the same process notices nothing.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

import telegram

from syncbot.client.api.table import MethodSpec, find_method

if TYPE_CHECKING:
    from typing import BinaryIO

_TIMEOUTS = ("connect_timeout", "write_timeout", "read_timeout", "pool_timeout")
_OF_THE_USER = frozenset({"username", "first_name", "last_name", "name", "link", "can_join_groups", "can_read_all_group_messages", "supports_inline_queries"})
_ELSEWHERE = "https://telegram.invalid/"
"""Stands before the path of a file where python-telegram-bot would take a bare path for a file of this machine; nothing is ever asked there."""


class NeedsEventLoop(RuntimeError):
    """A coroutine waits for something that is not the bot."""


class SyncBot(Protocol):
    """What is needed of a `syncbot.Bot`, which makes these objects itself."""

    local: bool
    id: int

    def get_me(self) -> telegram.User: ...
    def download(self, file: Any, path: str | Path | None = None, *, timeout: float | None = None) -> Path: ...
    def download_to(self, file: Any, out: BinaryIO, *, timeout: float | None = None) -> int: ...
    def download_bytes(self, file: Any, *, timeout: float | None = None) -> bytes: ...


class AttachedBot:
    """What telegram's objects that come from a syncbot bot are bound to; `message.get_bot()` returns it.

    It has the methods of python-telegram-bot's `Bot` by their names, and carries them out with the syncbot bot: as plain calls, or, while one of
    telegram's coroutines runs, as awaitables that are done at once. The timeouts of python-telegram-bot mean single steps; here read, write and
    connect timeouts added up are the time of one attempt, where a read or write timeout is given. A pool there is none.

    Args:
        bot: does the work.
    """

    defaults = None
    """python-telegram-bot's Defaults; a syncbot bot has none."""
    private_key: Any = None
    """The key for telegram passports, as python-telegram-bot has it; set it to a private key of the package cryptography."""

    def __init__(self, bot: SyncBot) -> None:
        self.syncbot = bot
        self.request = _Retrieval(self)
        self._running = threading.local()

    @property
    def id(self) -> int:
        """The bot's id."""
        return self.syncbot.id

    @property
    def local_mode(self) -> bool:
        """The server is a local Bot API server."""
        return self.syncbot.local

    @functools.cached_property
    def bot(self) -> telegram.User:
        """The bot's own user; Telegram is asked the first time."""
        return self.syncbot.get_me()

    def __getattr__(self, name: str) -> Any:
        """A method of the Bot API, or a field of the bot's own user."""
        if name in _OF_THE_USER:
            return getattr(self.bot, name)
        spec = None if name.startswith("_") else find_method(name)
        if spec is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        return functools.partial(self._carry_out, spec)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.syncbot!r})"

    def _carry_out(self, spec: MethodSpec, /, *values: Any, **given: Any) -> Any:
        method = getattr(self.syncbot, spec.python_name)
        given = {name: resolved(value) for name, value in given.items()}
        timeout = one_timeout(given)
        if timeout is not None and "timeout" not in spec.parameters:
            given.setdefault("timeout", timeout)
        return self.do(functools.partial(method, *map(resolved, values), **given))

    def do(self, work: Callable[[], Any]) -> Any:
        """Do some work: at once, or as an awaitable while a coroutine of telegram's runs on this thread."""
        return self._awaitable(work) if self._is_running() else work()

    async def _awaitable(self, work: Callable[[], Any]) -> Any:
        was_running = self._is_running()
        # What is called from in here (a progress function, a transport) is no part of the coroutine; shortcuts run in it as anywhere.
        self._running.now = False
        try:
            return work()
        finally:
            self._running.now = was_running

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine of telegram's to its end; one that another one awaits is returned as it is."""
        if self._is_running():
            return coroutine
        self._running.now = True
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        finally:
            self._running.now = False
        coroutine.close()
        raise NeedsEventLoop(f"{coroutine!r} waits for something that is not the bot; it needs asyncio, and a bot of python-telegram-bot")

    def _is_running(self) -> bool:
        return getattr(self._running, "now", False)


class _Retrieval:
    """Stands for python-telegram-bot's request object, of which telegram's classes use one method: to download a file."""

    def __init__(self, attached: AttachedBot) -> None:
        self._attached = attached

    def retrieve(self, url: str, **timeouts: Any) -> Any:
        """The content of a file, by the address that `_shadow` has made."""
        path = unquote(url.removeprefix(_ELSEWHERE))
        timeout = one_timeout({name: resolved(value) for name, value in timeouts.items()})
        return self._attached.do(lambda: self._attached.syncbot.download_bytes({"file_path": path}, timeout=timeout))


def resolved(value: Any) -> Any:
    """None for python-telegram-bot's values that stand for "not given", however many they are."""
    return None if type(value).__name__ == "DefaultValue" else value


def one_timeout(given: dict[str, Any]) -> float | None:
    """Take python-telegram-bot's timeouts out of the arguments, and make one of them."""
    connect, write, read, _ = (given.pop(name, None) for name in _TIMEOUTS)
    if read is None and write is None:
        return None
    return float(sum(seconds for seconds in (connect, write, read) if seconds is not None))


@functools.cache
def install() -> None:
    """Wrap the public coroutine methods of telegram's classes, once for all bots of a process; what is wrapped stays as it is.

    Two threads may do it at once: each wraps the originals, and the wrappers do the same.
    """
    for kind in _kinds(telegram.TelegramObject):
        for name, function in list(vars(kind).items()):
            if not name.startswith("_") and inspect.iscoroutinefunction(function):
                setattr(kind, name, _synchronous(function))


def _kinds(kind: type) -> Iterator[type]:
    """Telegram's own classes below this one; the asyncio bots, which are among them, left out."""
    if issubclass(kind, telegram.Bot) or not kind.__module__.startswith("telegram."):
        return
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _synchronous(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    own = _DOWNLOADS.get(function.__qualname__)

    @functools.wraps(function)
    def shortcut(self: telegram.TelegramObject, /, *values: Any, **given: Any) -> Any:
        attached = self._bot  # get_bot() raises where there is none, and the coroutine does that in its own words
        if not isinstance(attached, AttachedBot):
            return function(self, *values, **given)
        if own is not None and isinstance(self, telegram.File):
            if self._credentials is None:
                return attached.do(functools.partial(own, attached.syncbot, self, *values, **given))
            self = _shadow(self, attached)
        return attached.run(function(self, *values, **given))

    return shortcut


def _shadow(file: telegram.File, attached: AttachedBot) -> telegram.File:
    """A passport's file, which telegram's own code decrypts, with a path that it cannot take for one of this machine."""
    path = file.file_path
    if path and not attached.local_mode:
        path = _ELSEWHERE + path
    shadow = telegram.File(file.file_id, file.file_unique_id, file.file_size, path)
    shadow.set_bot(attached)  # type: ignore[arg-type]  # it has what telegram's classes use of a bot
    assert file._credentials is not None
    shadow.set_credentials(file._credentials)
    return shadow


# telegram's own code for these keeps the whole file in memory, and takes any path that exists here for the file itself.


def _to_drive(bot: SyncBot, file: telegram.File, custom_path: str | Path | None = None, **timeouts: Any) -> Path:
    if custom_path is None and bot.local and file.file_path and Path(file.file_path).is_absolute():
        return Path(file.file_path)
    return bot.download(file, custom_path, timeout=_timeout_of(timeouts))


def _to_memory(bot: SyncBot, file: telegram.File, out: BinaryIO, **timeouts: Any) -> None:
    bot.download_to(file, out, timeout=_timeout_of(timeouts))


def _as_bytearray(bot: SyncBot, file: telegram.File, buf: bytearray | None = None, **timeouts: Any) -> bytearray:
    content = bot.download_bytes(file, timeout=_timeout_of(timeouts))
    buf = bytearray() if buf is None else buf
    buf.extend(content)
    return buf


def _timeout_of(timeouts: dict[str, Any]) -> float | None:
    if unknown := timeouts.keys() - set(_TIMEOUTS):
        raise TypeError(f"a download takes no {', '.join(sorted(unknown))}")
    return one_timeout({name: resolved(value) for name, value in timeouts.items()})


_DOWNLOADS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"File.download_to_drive": _to_drive, "File.download_to_memory": _to_memory, "File.download_as_bytearray": _as_bytearray}
)
