"""What a handler is: a function, and the updates that it wants."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar

from syncbot.runtime.durable.options import HandlerOptions, check_options
from syncbot.runtime.handling.filters import Filter, FilterLike, as_filter, match_in
from syncbot.runtime.handling.stored_dict import plain
from syncbot.runtime.handling.update_facts import KIND_BY_NAME, field_of

if TYPE_CHECKING:
    from typing import Unpack

    import telegram
    from typing_extensions import TypeVar as TypeVarWithDefault

    from syncbot import plain as _plain
    from syncbot.runtime.handling.context import Context, QueuedContext

HandlerFunction: TypeAlias = Callable[["telegram.Update", "Context"], object] | Callable[["telegram.Update", "QueuedContext"], object]
"""A handler; what it returns is ignored."""
PlainHandlerFunction: TypeAlias = Callable[["_plain.Update", "_plain.Context"], object]
"""A handler of `Runtime(bot, types=False)`."""
ErrorFunction: TypeAlias = Callable[[Any, "Context"], object] | Callable[[Any, "_plain.Context"], object]
"""An error handler; it gets the update as handlers do, the raw dict of an update that cannot be decoded, or None for a job."""
Middleware: TypeAlias = (
    Callable[["telegram.Update", "Context", Callable[[], None]], object] | Callable[["_plain.Update", "_plain.Context", Callable[[], None]], object]
)
"""A function around the handling: it calls its third argument for what follows, or does not."""

H = TypeVar("H", bound=HandlerFunction)
P = TypeVar("P", bound=PlainHandlerFunction)
E = TypeVar("E", bound=ErrorFunction)


class Decorator(Protocol):
    """Takes a handler and returns it unchanged."""

    def __call__(self, function: H, /) -> H: ...


class PlainDecorator(Protocol):
    """The same in a `Runtime(bot, types=False)`, or in a `Router[PlainDecorator]` for one."""

    def __call__(self, function: P, /) -> P: ...


if TYPE_CHECKING:
    D = TypeVarWithDefault("D", default=Decorator)
else:
    D = TypeVar("D")


class ErrorDecorator(Protocol):
    """Takes an error handler and returns it unchanged."""

    def __call__(self, function: E, /) -> E: ...


class Whichever(enum.Enum):
    """The type of `ANY`."""

    ANY = "any"

    def __repr__(self) -> str:
        return "ANY"


ANY = Whichever.ANY
"""Whichever state the conversation is in, and none too."""


class StopPropagation(Exception):
    """Raised by a handler: this update is done; no further group gets it. No failure: what the handler changed is kept."""


class ContinuePropagation(Exception):
    """Raised by a handler: not for me after all; the next handler of the same group that fits gets the update."""


class Matched(NamedTuple):
    """That a handler wants an update, and what it found in it.

    Args:
        args: the words behind a command.
        match: what a pattern found.
    """

    args: tuple[str, ...] = ()
    match: re.Match[str] | None = None


_MATCHED = Matched()
_NO_ASYNC = "is an async def function, as python-telegram-bot's handlers are, and with types=False there is none: write def instead, and leave out await"


_GIVEN = {1: "context", 2: "update, context", 3: "update, context, next"}


def check_function(function: Callable[..., object], number: int, what: str, *, may_await: bool = True) -> None:
    """Refuse at registration what would fail at the first update.

    Args:
        function: a handler, error handler or middleware.
        number: how many values it is called with.
        what: what an error calls it.
        may_await: it may be an `async def` function, see `syncbot.runtime.handling.async_handlers`.

    Raises:
        TypeError: it cannot be called, is a generator, is an `async def` function that it may not be, or does not take `number` values.
    """
    name = getattr(function, "__qualname__", repr(function))
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"{what} has to be a function, and {name} is none")
    target = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004  # its code, not whether it is there
    if any(inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one) for one in (function, target)):
        raise TypeError(f"{what} {name} has a yield in it, so that a call of it would do nothing: leave out yield")
    if not may_await and (inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(target)):
        raise TypeError(f"{what} {name} is an async def function, which only handlers can be: write def instead, and leave out await")
    try:
        inspect.signature(function).bind(*range(number))
    except TypeError:
        raise TypeError(f"{what} {name} takes other values than it is given: write its parameters as ({_GIVEN[number]})") from None
    except ValueError:
        return  # some functions written in C do not tell


def call(function: Callable[..., object], *values: Any) -> None:
    """Call a handler, error handler, middleware or job: the one place where this is done.

    A coroutine that comes back is run to its end; the `Context` is the last value of all of these but a middleware.

    Raises:
        TypeError: a middleware's coroutine: what it is around would run within it.
    """
    result = function(*values)
    if not inspect.iscoroutine(result):
        return
    if len(values) > 2:
        result.close()
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"the middleware {name} returned a coroutine, which nobody awaits; write def instead, and leave out await")
    if not values[-1].types:
        result.close()
        raise TypeError(f"{getattr(function, '__qualname__', function)} {_NO_ASYNC}")
    from syncbot.runtime.handling.async_handlers import drive  # deferred: it loads telegram, and few bots need it

    drive(result, function, values[-1])


class Handler:
    """A function and the updates that it wants.

    Args:
        kinds: the kinds of updates ("message", …): one or several.
        function: called with the `telegram.Update` and the `Context`.
        filters: what the update has to satisfy.
        state: the state that the conversation has to be in; None for no conversation.
        options: `durable`, `interrupted` and `replies`, see `syncbot.runtime.durable.options.HandlerOptions`.

    Raises:
        TypeError: the function or a filter is none.
        ValueError: `interrupted` or `replies` is none of its words.
    """

    takes_albums = False
    """Whether it is for albums, and for nothing else."""

    def __init__(
        self,
        kinds: str | Iterable[str],
        function: HandlerFunction | PlainHandlerFunction,
        filters: FilterLike | None = None,
        *,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> None:
        check_function(function, 2, "the handler")
        self.kinds = frozenset([kinds] if isinstance(kinds, str) else kinds)
        self.function = function
        self.filter: Filter | None = None if filters is None else as_filter(filters)
        self.state = state if state is ANY else plain(state, "state=")
        self.options = options
        check_options(options, "a handler")
        if not self.kinds:
            raise TypeError("a handler needs the name of a kind of update")

    def refuse_types(self) -> None:
        """Refuse what needs python-telegram-bot's objects.

        Raises:
            TypeError: the function is an `async def` function, or python-telegram-bot's filter is among the filters.
        """
        if inspect.iscoroutinefunction(self.function):
            raise TypeError(f"{self!r} {_NO_ASYNC}")
        asked = [] if self.filter is None else [self.filter]
        for one in asked:
            asked += one.parts
            if one.is_telegrams:
                raise TypeError(
                    f"{self!r}: {one!r} is a filter of python-telegram-bot's, which looks at its objects, and with types=False updates are plain JSON:"
                    " use syncbot.filters, or a function f(update)"
                )

    def check(self, update: telegram.Update, context: Context) -> Matched | None:
        """Whether the update is wanted. The state comes last, since only it has to be looked up."""
        own = self._own(update, context)
        if own is None:
            return None
        found = True if self.filter is None else self.filter.check(update, context)
        if not found or (self.state is not ANY and context.state != self.state):
            return None
        match = match_in(found)
        return own if match is None or own.match is not None else Matched(own.args, match)

    def _own(self, update: telegram.Update, context: Context) -> Matched | None:
        """What a special handler looks at by itself."""
        return _MATCHED

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'|'.join(sorted(self.kinds))}, {getattr(self.function, '__qualname__', self.function)})"


class AlbumHandler(Handler):
    """A handler for albums: all messages of a media group, as one update. Its arguments are those of `Handler`.

    The update and its filters see the first message, and `context.album` holds all.
    """

    takes_albums = True

    def _own(self, update: telegram.Update, context: Context) -> Matched | None:
        return _MATCHED if context.is_album else None


class PatternHandler(Handler):
    """A handler for the updates whose own text (a callback query's `data`, an inline query's `query`, …) a pattern matches.

    Args:
        kind: a kind that has such a text.
        function: called with the `telegram.Update` and the `Context`, whose `match` holds the match.
        pattern: a regular expression that matches from the start; one that ends in `$` has to match all.
        filters: what the update has to satisfy too.
        state: the state that the conversation has to be in.
    """

    def __init__(
        self,
        kind: str,
        function: HandlerFunction | PlainHandlerFunction,
        pattern: str | re.Pattern[str],
        filters: FilterLike | None = None,
        *,
        state: Any = ANY,
        **options: Unpack[HandlerOptions],
    ) -> None:
        super().__init__(kind, function, filters, state=state, **options)
        self._pattern = re.compile(pattern)
        self._kind = kind
        self._field = KIND_BY_NAME[kind].pattern if kind in KIND_BY_NAME else ""
        if not self._field:
            raise TypeError(f"updates of the kind {kind} have no text that a pattern could match; use filters.regex for messages")

    def _own(self, update: telegram.Update, context: Context) -> Matched | None:
        text = field_of(field_of(update, self._kind), self._field)
        match = self._pattern.match(text) if isinstance(text, str) else None
        return Matched(match=match) if match else None


_COMMAND = re.compile(r"/?([A-Za-z0-9_]{1,32})")


def command_names(names: str | Iterable[str]) -> frozenset[str]:
    """The names of commands as they are compared: in lower case, without the slash.

    Raises:
        TypeError, ValueError: there is none, or one is none that Telegram knows as a command.
    """
    given = [names] if isinstance(names, str) else list(names)
    if not given or not all(isinstance(name, str) for name in given):
        raise TypeError('a command needs its name: @app.command("start")')
    if wrong := [name for name in given if not _COMMAND.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} is no command: up to 32 of a-z, 0-9 and _")
    return frozenset(name.removeprefix("/").lower() for name in given)


class CommandHandler(Handler):
    """A handler for commands: "/start", "/start words", "/start@ThisBot".

    Args:
        names: the commands, with or without the slash; case does not count.
        function: called with the `telegram.Update` and the `Context`, whose `args` holds the words behind the command. The payload of a deep
            link is `context.args[0]` of "start".
        filters: what the update has to satisfy too.
        state: the state that the conversation has to be in.
        has_args: whether there have to be words: True, False, a number of them, or None for whichever.
        kinds: where commands are looked for; edited messages and channels are not among it by default.
        captions: look in the captions of media too.

    Raises:
        TypeError, ValueError: a name is none that Telegram knows as a command, or `has_args` is something else.
    """

    def __init__(
        self,
        names: str | Iterable[str],
        function: HandlerFunction | PlainHandlerFunction,
        filters: FilterLike | None = None,
        *,
        state: Any = ANY,
        has_args: bool | int | None = None,
        kinds: str | Iterable[str] = "message",
        captions: bool = False,
        **options: Unpack[HandlerOptions],
    ) -> None:
        super().__init__(kinds, function, filters, state=state, **options)
        self.names = command_names(names)
        if not isinstance(has_args, int | None):
            raise TypeError(f"has_args is True, False or a number of words, not {has_args!r}")
        self._has_args = has_args
        self._captions = captions

    def _own(self, update: telegram.Update, context: Context) -> Matched | None:
        message = getattr(update, context.kind or "", None)
        found = split_command(message) or (split_command(message, "caption", "caption_entities") if self._captions else None)
        if found is None:
            return None
        name, _, addressee = found[0].partition("@")
        if name.lower() not in self.names or not self._wants(len(found[1])):
            return None
        if addressee and addressee.lower() != (context.bot_username or "").lower():
            return None
        return Matched(found[1])

    def _wants(self, number: int) -> bool:
        if self._has_args is None:
            return True
        return bool(number) is self._has_args if isinstance(self._has_args, bool) else number == self._has_args


def split_command(message: Any, text_field: str = "text", entities_field: str = "entities") -> tuple[str, tuple[str, ...]] | None:
    """The command that a message begins with, without its slash, and the words behind it; None where it begins with none."""
    text = getattr(message, text_field, None)
    if not text:
        return None
    for entity in getattr(message, entities_field, None) or ():
        if entity.offset == 0 and entity.type == "bot_command":
            # Entities count in UTF-16; a command is ASCII throughout, so that the numbers agree.
            return text[1 : entity.length], tuple(text[entity.length :].split())
    return None
