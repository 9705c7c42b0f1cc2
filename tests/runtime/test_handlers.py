"""Registering handlers, which of them gets an update, and what it is told."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from kits.dispatch_kit import ANNA, CHANNEL, GROUP, JSON, SAMPLES, Rig, message, update

from syncbot.runtime.handling import filters
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.decorators import KindDecorators
from syncbot.runtime.handling.dispatcher import HandlerFailed
from syncbot.runtime.handling.handlers import ANY, CommandHandler, ContinuePropagation, Handler, PatternHandler, StopPropagation
from syncbot.runtime.handling.kinds import KINDS
from syncbot.runtime.handling.router import Router


class Log:
    """Makes handlers that write down their name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def handler(self, name: str, ends_with: type[Exception] | None = None) -> Callable[[Any, Context], None]:
        """A handler that writes its name, and raises something perhaps."""

        def handle(update: Any, context: Context) -> None:
            self.names.append(name)
            if ends_with is not None:
                raise ends_with

        return handle


@pytest.fixture
def log() -> Log:
    """What the handlers have written."""
    return Log()


# ── kinds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_has_its_decorator(rig: Rig, log: Log, kind: str) -> None:
    """The decorator of a kind registers for that kind alone, and `on` does the same; the function comes back unchanged."""
    function = log.handler("own")
    assert getattr(rig.app, kind)()(function) is function
    assert rig.app.on(kind, group=1)(log.handler("on")) is not None
    for other in SAMPLES:
        rig.handle(update(SAMPLES[other], other))
    assert log.names == ["own", "on"]


def test_the_decorators_are_those_of_the_table() -> None:
    """There is one decorator for every kind and no other, each with its words."""
    own = {name: inspect.getdoc(function) or "" for name, function in vars(KindDecorators).items() if not name.startswith("_")}
    assert list(own) == [kind.name for kind in KINDS]
    assert all(text.startswith("Handle ") for text in own.values())


def test_on_takes_several_kinds_and_newer_ones(rig: Rig, log: Log) -> None:
    """`on` registers for all kinds that it is given, one that the table lacks among them."""
    rig.app.on("message", "edited_message", "zz_newer")(log.handler("on"))
    rig.handle(update())
    rig.handle(update(kind="edited_message"))
    rig.handle({"update_id": 1, "zz_newer": {"from": ANNA}})
    rig.handle(update(kind="channel_post"))
    assert log.names == ["on"] * 3


@pytest.mark.parametrize(("kinds", "error"), [(("mesage",), ValueError), ((), TypeError), ((5,), TypeError)])
def test_on_refuses_misspelt_kinds(rig: Rig, kinds: Any, error: type[Exception]) -> None:
    """A kind that looks misspelt is refused with the right one, since Telegram would ignore it in silence."""
    with pytest.raises(error):
        rig.app.on(*kinds)
    with pytest.raises(ValueError, match="did you mean 'message'"):
        rig.app.on("mesage")
    rig.app.on("mesage", check=False)


def test_allowed_updates_follow_from_the_handlers(rig: Rig, log: Log) -> None:
    """What is asked of Telegram are the kinds of all handlers, those of included routers too, and messages and buttons for `ask` and `choose`."""
    assert rig.app.routes.kinds_wanted() == []
    rig.app.callback_query("x")(log.handler("a"))
    assert rig.app.routes.kinds_wanted() == ["message", "callback_query"]
    inner = Router()
    inner.on("newer_kind", check=False)(log.handler("b"))
    inner.command("start", kinds=("message", "channel_post"))(log.handler("c"))
    inner.chat_member()(log.handler("d"))
    rig.app.include(inner)
    assert rig.app.routes.kinds_wanted() == ["message", "channel_post", "callback_query", "chat_member", "newer_kind"]


def test_a_decorator_without_parentheses_is_found_before_the_start(rig: Rig) -> None:
    """`@app.message` without parentheses would lose its handler in silence; it is named before the first poll instead, in included routers too."""
    inner = Router()

    @inner.message
    def handler(update: Any, context: Any) -> None: ...

    rig.app.include(inner)
    with pytest.raises(TypeError, match=r"message\(.*handler\): no handler .* parentheses"):
        rig.app.routes.kinds_wanted()


# ── order ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_that_fits_wins(rig: Rig, log: Log) -> None:
    """Within a group the first handler that fits gets the update, in the order of registration."""
    rig.app.message(filters.PHOTO)(log.handler("photo"))
    rig.app.message(filters.TEXT)(log.handler("text"))
    rig.app.message()(log.handler("any"))
    rig.send()
    rig.send(text=None, dice={"emoji": "🎲", "value": 1})
    assert log.names == ["text", "any"]


def test_every_group_gets_the_update_once(rig: Rig, log: Log) -> None:
    """Groups are asked in ascending order, whatever the order of registration, and one handler of each gets the update."""
    rig.app.message(group=5)(log.handler("5"))
    rig.app.message()(log.handler("0"))
    rig.app.message()(log.handler("0 again"))
    rig.app.message(group=-1)(log.handler("-1"))
    rig.send()
    assert log.names == ["-1", "0", "5"]


def test_stop_propagation_ends_the_groups(rig: Rig, log: Log) -> None:
    """A handler that raises StopPropagation keeps the update from later groups; that is no failure, and its changes are kept."""

    @rig.app.message(group=-1)
    def guard(update: Any, context: Context) -> None:
        context.user_data["seen"] = True
        raise StopPropagation

    rig.app.message()(log.handler("0"))
    assert rig.send().data[0].changed == {"seen": True}
    assert log.names == []


def test_continue_propagation_goes_on_in_the_group(rig: Rig, log: Log) -> None:
    """A handler that raises ContinuePropagation leaves the update to the next one of its group."""
    rig.app.message()(log.handler("first", ContinuePropagation))
    rig.app.message()(log.handler("second"))
    rig.app.message()(log.handler("third"))
    rig.send()
    assert log.names == ["first", "second"]


def test_a_later_handler_does_not_see_what_an_earlier_one_matched(rig: Rig) -> None:
    """Arguments and match belong to one handler."""
    seen: list[tuple[list[str], Any]] = []

    @rig.app.message(filters.regex("s"))
    def first(update: Any, context: Context) -> None:
        seen.append((context.args, context.match and context.match[0]))

    @rig.app.command("start", group=1)
    def second(update: Any, context: Context) -> None:
        seen.append((context.args, context.match))

    @rig.app.message(group=2)
    def third(update: Any, context: Context) -> None:
        seen.append((context.args, context.match))

    rig.send("/start a b")
    assert seen == [([], "s"), (["a", "b"], None), ([], None)]


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────

COMMANDS: list[tuple[JSON, JSON, list[str] | None]] = [
    ({}, update(text="/start"), []),
    ({}, update(text="/START"), []),
    ({}, update(text="/start payload_123"), ["payload_123"]),
    ({}, update(text="/start  a\nb\tc "), ["a", "b", "c"]),
    ({}, update(text="/start ünï 👍🏽"), ["ünï", "👍🏽"]),
    ({}, update(text="/start@TheBot x"), ["x"]),
    ({}, update(text="/start@thebot"), []),
    ({}, update(text="/start@OtherBot"), None),
    ({}, update(text="/begin"), []),
    ({}, update(text="/starting"), None),
    ({}, update(text="start"), None),
    ({}, update(text="/start", entities=[]), None),
    ({}, update(text="x /start", entities=[{"type": "bot_command", "offset": 2, "length": 6}]), None),
    ({}, update(text=None, caption="/start", caption_entities=[{"type": "bot_command", "offset": 0, "length": 6}]), None),
    ({"captions": True}, update(text=None, caption="/start x", caption_entities=[{"type": "bot_command", "offset": 0, "length": 6}]), ["x"]),
    ({"captions": True}, update(text="/start x"), ["x"]),
    ({}, update(kind="edited_message", text="/start"), None),
    ({"kinds": "edited_message"}, update(kind="edited_message", text="/start x"), ["x"]),
    ({"kinds": ("message", "channel_post")}, update(kind="channel_post", text="/start", chat=CHANNEL), []),
    ({}, update(SAMPLES["callback_query"] | {"message": message("/start")}, "callback_query"), None),
    ({"has_args": True}, update(text="/start"), None),
    ({"has_args": True}, update(text="/start x"), ["x"]),
    ({"has_args": False}, update(text="/start"), []),
    ({"has_args": False}, update(text="/start x"), None),
    ({"has_args": 2}, update(text="/start x y"), ["x", "y"]),
    ({"has_args": 2}, update(text="/start x"), None),
    ({"filters": filters.GROUPS}, update(text="/start"), None),
    ({"filters": filters.GROUPS}, update(text="/start", chat=GROUP), []),
    ({"state": "name"}, update(text="/start"), None),
]


@pytest.mark.parametrize(("options", "raw", "expected"), COMMANDS)
def test_commands(rig: Rig, options: Any, raw: JSON, expected: list[str] | None) -> None:
    """A command is what Telegram marks as one at the start of a message, for this bot; `args` holds the words behind it."""
    seen: list[list[str]] = []

    @rig.app.command("start", "/begin", **options)
    def start(update: Any, context: Context) -> None:
        seen.append(context.args)

    rig.handle(raw)
    assert seen == ([] if expected is None else [expected])


def test_the_bots_name_is_looked_up_only_where_it_matters() -> None:
    """The bot's own name is asked for when a command names one; where it is not known, such a command is left alone."""
    asked: list[str] = []

    def username() -> None:
        asked.append("asked")

    rig = Rig(bot_username=username)
    log = Log()
    rig.app.command("start")(log.handler("start"))
    rig.send("/start")
    rig.send("/help@TheBot")
    assert (log.names, asked) == (["start"], [])
    rig.send("/start@TheBot")
    assert (log.names, asked) == (["start"], ["asked"])
    rig.close()


@pytest.mark.parametrize("names", [(), ("",), ("two words",), ("ü",), ("x" * 33,), (5,)])
def test_names_that_no_command_can_have_are_refused(rig: Rig, names: Any) -> None:
    """A command that Telegram cannot send is a mistake where it is written."""
    with pytest.raises((TypeError, ValueError), match="command"):
        rig.app.command(*names)(lambda update, context: None)


# ── patterns ─────────────────────────────────────────────────────────────────────────────────────────────────────────

PATTERNS: list[tuple[str, Any, bool]] = [
    ("callback_query", r"buy:(\d+)$", True),
    ("callback_query", r"uy", False),
    ("callback_query", re.compile("BUY", re.IGNORECASE), True),
    ("callback_query", None, True),
    ("inline_query", "cats", True),
    ("inline_query", "dogs", False),
    ("chosen_inline_result", "r1", True),
    ("shipping_query", "order-", True),
    ("pre_checkout_query", "order-", True),
    ("pre_checkout_query", "x", False),
    ("purchased_paid_media", "media-", True),
]


@pytest.mark.parametrize(("kind", "pattern", "expected"), PATTERNS)
def test_patterns(rig: Rig, kind: str, pattern: Any, expected: bool) -> None:
    """A pattern has to match from the start of the text that its kind is told apart by."""
    log = Log()
    getattr(rig.app, kind)(pattern)(log.handler(kind))
    rig.handle(update(SAMPLES[kind], kind))
    assert log.names == ([kind] if expected else [])


def test_the_match_of_a_pattern(rig: Rig) -> None:
    """`context.match` is the pattern's match, also where a filter has found another."""
    seen: list[Any] = []

    @rig.app.callback_query(r"buy:(?P<id>\d+)", filters=filters.regex("h"))
    def buy(update: Any, context: Context) -> None:
        assert context.match is not None
        seen.append(context.match["id"])

    rig.handle(update(SAMPLES["callback_query"], "callback_query"))
    assert seen == ["12"]


def test_a_button_without_data_matches_no_pattern(rig: Rig, log: Log) -> None:
    """The button of a game has no data: only a handler without a pattern gets it."""
    rig.app.callback_query("")(log.handler("pattern"))
    rig.app.callback_query()(log.handler("any"))
    pressed = {name: value for name, value in SAMPLES["callback_query"].items() if name != "data"} | {"game_short_name": "g"}
    rig.handle(update(pressed, "callback_query"))
    assert log.names == ["any"]


def test_a_kind_without_a_text_takes_no_pattern() -> None:
    """Messages have filters.regex; a pattern for them is refused."""
    with pytest.raises(TypeError, match=r"use filters\.regex"):
        PatternHandler("message", lambda update, context: None, "x")


# ── states ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_conversation_goes_from_state_to_state(rig: Rig) -> None:
    """`state=` picks the handler by where the conversation with this user in this chat stands, and None by there being none."""
    seen: list[Any] = []

    @rig.app.command("start")
    def start(update: Any, context: Context) -> None:
        context.state = ("name", 1)

    @rig.app.message(state=["name", 1])
    def name(update: Any, context: Context) -> None:
        seen.append(update.message.text)
        context.state = None

    @rig.app.message(state=None)
    def idle(update: Any, context: Context) -> None:
        seen.append("idle")

    @rig.app.message(state=ANY, group=1)
    def every(update: Any, context: Context) -> None:
        seen.append("+")

    for text in ("x", "/start", "Anna", "y"):
        rig.send(text)
    rig.send(chat=GROUP)
    assert seen == ["idle", "+", "+", "Anna", "+", "idle", "+", "idle", "+"]


# ── registration ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_handlers_can_be_added_by_hand(rig: Rig, log: Log) -> None:
    """`add_handler` takes the objects that the decorators make."""
    rig.app.add_handler(Handler("message", log.handler("message"), filters.PHOTO), 1)
    rig.app.add_handler(Handler(["message", "edited_message"], log.handler("both")), 2)
    rig.app.add_handler(CommandHandler(["start", "go"], log.handler("command")))
    rig.app.add_handler(PatternHandler("callback_query", log.handler("pattern"), "buy"))
    rig.send("/go")
    rig.handle(update(SAMPLES["callback_query"], "callback_query"))
    assert log.names == ["command", "both", "pattern"]
    assert "CommandHandler(message, " in repr(CommandHandler("start", log.handler("x")))


def test_add_handler_takes_nothing_else(rig: Rig) -> None:
    """Another library's handler, or a function, is refused in words."""
    with pytest.raises(TypeError, match="takes syncbot's Handler"):
        rig.app.add_handler(lambda update, context: None)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(TypeError, match="needs the name of a kind"):
        Handler([], lambda update, context: None)


class Asynchronous:
    """An object that is called like an `async def` function."""

    async def __call__(self, update: Any, context: Any) -> None:
        """Do nothing."""


def test_async_middleware_is_refused(rig: Rig) -> None:
    """An `async def` middleware would run what it is around within itself: it is refused by its name where it is registered."""

    async def around(update: Any, context: Any, following: Any) -> None: ...

    with pytest.raises(TypeError, match=r"around is an async def function"):
        rig.app.use(around)


def test_a_middleware_whose_coroutine_comes_to_light_later_is_a_failure(rig: Rig) -> None:
    """A middleware that only returns a coroutine has done nothing: that is a failure with its reason, and no warning of a forgotten await."""

    async def around(update: Any, context: Any, following: Any) -> None: ...

    rig.app.use(lambda update, context, following: around(update, context, following))
    with pytest.raises(HandlerFailed, match="returned a coroutine, which nobody awaits"):
        rig.send()


@pytest.mark.parametrize("function", ["start", 5, Asynchronous])
def test_what_is_no_function_is_refused(rig: Rig, function: Any) -> None:
    """A handler that cannot be called is refused at registration."""
    with pytest.raises(TypeError, match="the handler has to be a function"):
        rig.app.message()(function)


@pytest.mark.parametrize("function", [lambda: None, lambda update: None, lambda update, context, more: None])
def test_what_cannot_be_called_with_two_values_is_refused(rig: Rig, function: Any) -> None:
    """A handler that would fail at every update is refused at registration, with the parameters that it has to have."""
    with pytest.raises(TypeError, match=r"the handler .* write its parameters as \(update, context\)"):
        rig.app.message()(function)


async def yields(update: Any, context: Any) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("function", [lambda update, context: (yield), yields])
def test_a_handler_with_a_yield_is_refused(rig: Rig, function: Any) -> None:
    """A call of a generator runs nothing of it, and would lose each update in silence."""
    with pytest.raises(TypeError, match="has a yield in it"):
        rig.app.message()(function)


def test_a_group_that_is_no_number_is_refused(rig: Rig) -> None:
    """Beside others it would fail at each update."""
    with pytest.raises(TypeError, match="group is a number, such as group=1, not '1'"):
        rig.app.message(group="1")(lambda update, context: None)  # type: ignore[arg-type]  # wrong on purpose


def test_words_that_nobody_can_count_are_refused(rig: Rig) -> None:
    """`has_args` as a text would fit no command."""
    with pytest.raises(TypeError, match="True, False or a number of words, not 'yes'"):
        rig.app.command("start", has_args="yes")(lambda update, context: None)  # type: ignore[arg-type]  # wrong on purpose


def test_a_command_without_parentheses_is_refused_on_its_line(rig: Rig) -> None:
    """`@app.command` gets a function where names belong."""
    with pytest.raises(TypeError, match=r'@app\.command\("start"\)'):
        rig.app.command(lambda update, context: None)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("function", [lambda update, context, more=1: None, lambda *values: None, functools.partial(lambda more, update, context: None, 1)])
def test_whatever_takes_two_values_is_a_handler(rig: Rig, function: Any) -> None:
    """Defaults, `*args` and partial functions are fine."""
    assert rig.app.message()(function) is function
    rig.send()


def test_wrong_filters_are_refused_where_they_are_written(rig: Rig) -> None:
    """A decorator that gets no filter fails itself, not its first update."""
    with pytest.raises(TypeError, match="is not a filter"):
        rig.app.message("text")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(TypeError, match="is not a filter"):
        rig.app.on("poll", filters=5)  # type: ignore[arg-type]  # the same


# ── routers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_included_router_stands_where_it_was_included(rig: Rig, log: Log) -> None:
    """Its handlers come before those registered later on, also those that it gets afterwards; its groups count among all groups."""
    inner, innermost = Router(), Router()
    rig.app.message(filters.text("app"))(log.handler("app"))
    rig.app.include(inner)
    inner.include(innermost)
    rig.app.message()(log.handler("last"))
    rig.send("x")
    innermost.message(filters.text("inner"))(log.handler("inner"))
    inner.message(group=-5)(log.handler("early"))
    for text in ("app", "inner", "x"):
        rig.send(text)
    assert log.names == ["last", "early", "app", "early", "inner", "early", "last"]


def test_circles_of_routers_are_refused(rig: Rig) -> None:
    """A router cannot hold itself, be held twice, or be anything else."""
    inner = Router()
    rig.app.include(inner)
    for wrong in (rig.app, inner):
        with pytest.raises(ValueError, match=r"itself|already"):
            rig.app.include(wrong)
    with pytest.raises(ValueError, match="itself"):
        inner.include(rig.app)
    with pytest.raises(TypeError, match="takes a Router"):
        rig.app.include(5)  # type: ignore[arg-type]  # wrong on purpose


def test_a_router_can_be_part_of_several_apps(log: Log) -> None:
    """A router at the top of a module serves every app that is made with it, as tests of a bot make them."""
    shared = Router()
    shared.message()(log.handler("shared"))
    for _ in range(2):
        rig = Rig()
        rig.app.include(shared)
        rig.send()
        rig.close()
    assert log.names == ["shared", "shared"]
