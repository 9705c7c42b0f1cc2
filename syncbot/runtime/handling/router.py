"""Where handlers are registered, and the order in which they are asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, overload

from syncbot.runtime.durable.options import HandlerOptions
from syncbot.runtime.handling.decorators import KindDecorators
from syncbot.runtime.handling.filters import FilterLike, as_filter
from syncbot.runtime.handling.handlers import (
    ANY,
    AlbumHandler,
    CommandHandler,
    D,
    E,
    ErrorDecorator,
    ErrorFunction,
    H,
    Handler,
    HandlerFunction,
    Middleware,
    PatternHandler,
    PlainHandlerFunction,
    check_function,
    command_names,
)
from syncbot.runtime.handling.update_facts import misspelt_kind, ordered_kinds

if TYPE_CHECKING:
    from typing import Unpack

M = TypeVar("M", bound=Middleware)


class Route(NamedTuple):
    """A handler with its place.

    Args:
        group: its group.
        handler: the handler.
        middleware: what is around it: that of the included routers it came with, the outermost first.
    """

    group: int
    handler: Handler
    middleware: tuple[Middleware, ...] = ()


class ErrorHandler(NamedTuple):
    """An error handler, and the kinds of errors that it wants; none stands for all."""

    function: ErrorFunction
    types: tuple[type[BaseException], ...] = ()

    def wants(self, error: BaseException) -> bool:
        """Whether it is to be told of this one."""
        return not self.types or isinstance(error, self.types)


class _Registration:
    """What a call such as `app.message()` returns: takes the handler. Until then it is known as unfinished (`@app.message` without parentheses)."""

    def __init__(self, routes: Routes, what: str, make: Callable[[HandlerFunction | PlainHandlerFunction], Handler], group: int) -> None:
        self.what = what
        self._routes = routes
        self._make = make
        self._group = group
        routes.unfinished.append(self)

    def __call__(self, function: H, /) -> H:
        self._routes.add(Route(self._group, self._make(function)))
        if self in self._routes.unfinished:
            self._routes.unfinished.remove(self)
        return function


class Routes:
    """The handlers that are registered on a router, in the order in which they are asked."""

    def __init__(self) -> None:
        self.unfinished: list[_Registration] = []
        self._entries: list[Route | Routes] = []
        self._middleware: list[Middleware] = []
        self._errors: list[ErrorHandler | Routes] = []
        self._included: list[Routes] = []
        self._changes = 0
        self._table: tuple[int, dict[str, tuple[Route, ...]]] = (-1, {})
        self._albums: tuple[int, frozenset[str]] = (-1, frozenset())

    def add(self, route: Route) -> None:
        """Add a handler.

        Raises:
            TypeError: its group is no number, and could not be put into an order with others.
        """
        if not isinstance(route.group, int | float):
            raise TypeError(f"group is a number, such as group=1, not {route.group!r}")
        self._entries.append(route)
        self._changes += 1

    def add_middleware(self, middleware: Middleware) -> None:
        """Add a middleware, within those that are there."""
        self._middleware.append(middleware)
        self._changes += 1

    def add_error_handler(self, handler: ErrorHandler) -> None:
        """Add an error handler."""
        self._errors.append(handler)

    def include(self, routes: Routes) -> None:
        """Take in those of another router.

        Raises:
            ValueError: they are these, hold these, or are included already.
        """
        if routes is self or any(inner is self for inner in routes._inner()):
            raise ValueError("a router cannot include itself")
        if any(inner is routes for inner in self._inner()):
            raise ValueError("this router is included already")
        self._entries.append(routes)
        self._included.append(routes)
        self._errors.append(routes)

    def album_kinds(self) -> frozenset[str]:
        """The kinds of updates of which albums are collected, since there are handlers for these."""
        changes = self._version()
        if self._albums[0] != changes:
            self._albums = (changes, frozenset[str]().union(*(route.handler.kinds for route in self._walk(()) if route.handler.takes_albums)))
        return self._albums[1]

    def kinds_wanted(self) -> list[str]:
        """The `allowed_updates` that follow from the handlers, in the table's order; empty where there is no handler.

        "message" and "callback_query" are always among them, since `context.ask` and `context.choose` wait for them.

        Raises:
            TypeError: a decorator was written without its parentheses, so that its handler would never be called.
        """
        for routes in (self, *self._inner()):
            if routes.unfinished:
                what = routes.unfinished[0].what
                raise TypeError(f"{what}: no handler was given to this decorator; write it with parentheses: @app.{what.partition('(')[0]}()")
        kinds = {kind for route in self._walk(()) for kind in route.handler.kinds}
        return ordered_kinds(kinds | {"message", "callback_query"}) if kinds else []

    def refuse_types(self) -> None:
        """Refuse handlers and filters that need python-telegram-bot's objects; see `Handler.refuse_types`."""
        for route in self._walk(()):
            route.handler.refuse_types()

    def of(self, kind: str) -> tuple[Route, ...]:
        """The handlers of a kind of update in the order in which they are asked, all groups in one."""
        changes = self._version()
        known, table = self._table
        if known != changes:
            table = {}
            for route in sorted(self._walk(()), key=lambda route: route.group):
                for wanted in route.handler.kinds:
                    table[wanted] = (*table.get(wanted, ()), route)
            self._table = (changes, table)
        return table.get(kind, ())

    def has_command(self, kind: str | None, name: str | None) -> bool:
        """Whether there is a handler of just this command."""
        return name is not None and any(isinstance(route.handler, CommandHandler) and name in route.handler.names for route in self.of(kind or ""))

    def middleware(self) -> tuple[Middleware, ...]:
        """This router's own middleware, the outermost first."""
        return tuple(self._middleware)

    def error_handlers(self) -> Iterator[ErrorHandler]:
        """The error handlers of this router and of those that it includes, in the order of registration."""
        for entry in tuple(self._errors):
            if isinstance(entry, Routes):
                yield from entry.error_handlers()
            else:
                yield entry

    def _walk(self, around: tuple[Middleware, ...]) -> Iterator[Route]:
        """The handlers in the order of registration, with the middleware around them (this router's own is left to who asks)."""
        for entry in tuple(self._entries):
            if isinstance(entry, Routes):
                yield from entry._walk((*around, *entry._middleware))
            else:
                yield Route(entry.group, entry.handler, around)

    def _inner(self) -> Iterator[Routes]:
        for routes in tuple(self._included):
            yield routes
            yield from routes._inner()

    def _version(self) -> int:
        return self._changes + sum(routes._version() for routes in self._included)


class Router(KindDecorators[D]):
    """A set of handlers; a bot that is split over files has one in each.

    ```python
    router = Router()

    @router.command("start")
    def start(update, context):
        context.reply("Hello")

    app.include(router)
    ```

    Order: the groups in ascending order; in each, the first handler that fits, in the order of registration, gets the update. An included
    router's handlers stand where it was included, those that it gets later too.
    """

    def __init__(self) -> None:
        self.routes = Routes()

    def command(
        self,
        *names: str,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        has_args: bool | int | None = None,
        kinds: str | Iterable[str] = "message",
        captions: bool = False,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle a command; the arguments are those of `CommandHandler`.

        Raises:
            TypeError, ValueError: a name is none.
        """
        command_names(names)  # `@app.command` without its parentheses fails on its own line

        def make(function: HandlerFunction | PlainHandlerFunction) -> Handler:
            return CommandHandler(names, function, filters, state=state, has_args=has_args, kinds=kinds, captions=captions, **options)

        return self._registration(f"command({', '.join(map(repr, names))})", make, group)

    def on(
        self,
        *kinds: str,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ANY,
        check: bool = True,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle updates of any kinds, also of one that is newer than syncbot.

        Args:
            kinds: their names, as the Bot API has them in `Update`.
            filters: what an update has to satisfy.
            group: see `Router`.
            state: the state that the conversation has to be in.
            check: refuse an unknown name that looks like a misspelt one.
            options: `durable`, `interrupted` and `replies`, see `syncbot.runtime.durable.options.HandlerOptions`.

        Raises:
            ValueError: a name looks misspelt.
        """
        if not kinds or not all(isinstance(kind, str) for kind in kinds):
            raise TypeError('on() needs the name of a kind of update: on("message")')
        for kind in kinds:
            if check and (meant := misspelt_kind(kind)):
                raise ValueError(f"there is no kind of update {kind!r}; did you mean {meant!r}? If it is newer than syncbot, say check=False")
        wanted = None if filters is None else as_filter(filters)
        return self._registration(f"on({', '.join(map(repr, kinds))})", lambda function: Handler(kinds, function, wanted, state=state, **options), group)

    def album(
        self,
        filters: FilterLike | None = None,
        *,
        group: int = 0,
        state: Any = ANY,
        kinds: str | Iterable[str] = "message",
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle an album: all photos, videos or files that were sent together, as one update. `context.album` holds their messages; the update and
        the filters see the first one.

        It comes half a second after its last message, two seconds after the first one at the latest. It goes to no other handler but those for albums, unless
        none of these wants it: then each message is handled by itself.

        Args:
            filters: what the first message has to satisfy.
            group: see `Router`.
            state: the state that the conversation has to be in.
            kinds: where albums are looked for; "channel_post" and "business_message" have them too.
            options: `durable` and `interrupted`, see `syncbot.runtime.durable.options.HandlerOptions`.
        """
        wanted = None if filters is None else as_filter(filters)
        return self._registration("album", lambda function: AlbumHandler(kinds, function, wanted, state=state, **options), group)

    @overload
    def error(self, *types: type[BaseException]) -> ErrorDecorator: ...  # type: ignore[overload-overlap]  # a class can be called too; it is meant here
    @overload
    def error(self, function: E, /) -> E: ...
    def error(self, *given: Any) -> Any:
        """Be told of failures: `@app.error`, or `@app.error(NetworkError)` for some kinds of them only.

        Every error handler that fits is called, in the order of registration, wherever in the bot the failure was; `context.error` is what was raised.
        """
        if len(given) == 1 and not isinstance(given[0], type):
            return self._add_error(given[0], ())
        if wrong := [one for one in given if not (isinstance(one, type) and issubclass(one, BaseException))]:
            raise TypeError(f"error() takes classes of exceptions, not {wrong[0]!r}")
        return lambda function: self._add_error(function, given)

    def use(self, middleware: M) -> M:
        """Put a function around the handling: `middleware(update, context, next)` calls `next()` for what follows.

        That of the app itself is called once for every update, whether or not a handler wants it; that of an included router, around each
        of the router's own handlers. The first one registered is the outermost. What it changes in `context` is seen by the handlers. One
        that does not call `next` ends the handling, and one that catches what `next` raises makes it no failure.
        """
        check_function(middleware, 3, "the middleware", may_await=False)
        self.routes.add_middleware(middleware)
        return middleware

    def add_handler(self, handler: Handler, group: int = 0) -> None:
        """Register a handler that was made by hand.

        Raises:
            TypeError: it is no `Handler`.
        """
        if not isinstance(handler, Handler):
            raise TypeError(f"add_handler() takes syncbot's Handler, CommandHandler or PatternHandler, not {handler!r}")
        self.routes.add(Route(group, handler))

    def include(self, router: Router[D]) -> None:
        """Take in another router, or what is registered on another runtime.

        Raises:
            TypeError: it is none.
            ValueError: it is this one, holds this one, or is included already.
        """
        if not isinstance(router, Router):
            raise TypeError(f"include() takes a Router, not {router!r}")
        self.routes.include(router.routes)

    def _registration(self, what: str, make: Callable[[HandlerFunction | PlainHandlerFunction], Handler], group: int) -> D:
        return cast("D", _Registration(self.routes, what, make, group))

    def _decorate(self, kind: str, filters: FilterLike | None, pattern: str | re.Pattern[str] | None, group: int, state: Any, options: HandlerOptions) -> D:
        wanted = None if filters is None else as_filter(filters)

        def make(function: HandlerFunction | PlainHandlerFunction) -> Handler:
            if pattern is None:
                return Handler(kind, function, wanted, state=state, **options)
            return PatternHandler(kind, function, pattern, wanted, state=state, **options)

        return self._registration(kind if wanted is None else f"{kind}({wanted!r})", make, group)

    def _add_error(self, function: E, types: tuple[type[BaseException], ...]) -> E:
        check_function(function, 2, "the error handler")
        self.routes.add_error_handler(ErrorHandler(function, types))
        return function
