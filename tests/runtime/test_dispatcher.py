"""The way of an update through a bot: who may, who waits, what is around the handlers, and what a failure does."""

from __future__ import annotations

import contextlib
import gc
import logging
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.dispatch_kit import ANNA, GROUP, JSON, SAMPLES, TOKEN, Rig, Turn, message, update
from kits.storage_kit import set_state

from syncbot.client.ptb.decode import DecodeError
from syncbot.errors import ApiError, NetworkError, NotSent, Stopped, Suspended
from syncbot.runtime.durable.durability import Durability
from syncbot.runtime.durable.seam import recorded
from syncbot.runtime.handling import filters
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.dispatcher import HandlerFailed
from syncbot.runtime.handling.handlers import ContinuePropagation, StopPropagation
from syncbot.runtime.handling.router import Router
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage import JournalKey
from syncbot.storage.promises.data import NO_CHANGES, Scope, StateChange


def fail(rig: Rig, raw: JSON | None = None, turn: Turn | None = None) -> HandlerFailed:
    """Handle an update that is to fail."""
    with pytest.raises(HandlerFailed) as caught:
        rig.handle(raw or update(), turn)
    return caught.value


# ── allowed users ────────────────────────────────────────────────────────────────────────────────────────────────────

FOREIGN = ANNA | {"id": 666}
REFUSED: list[JSON] = [
    update(from_user=FOREIGN),
    update(from_user=None),
    update(from_user=ANNA | {"id": "7"}),
    update(SAMPLES["poll"], "poll"),
    update(SAMPLES["channel_post"], "channel_post"),
    update(SAMPLES["chat_boost"], "chat_boost"),
    update(SAMPLES["callback_query"] | {"from": FOREIGN}, "callback_query"),
    update(SAMPLES["callback_query"] | {"from": FOREIGN, "message": message()}, "callback_query"),
    update() | {"callback_query": SAMPLES["callback_query"] | {"from": FOREIGN}},
    {"update_id": 1},
    {"update_id": 1, "newer": {"user": ANNA}},
    {},
]


@pytest.mark.parametrize("raw", REFUSED)
def test_with_a_list_everybody_else_is_refused(raw: JSON) -> None:
    """With a list set, an update from anyone else, or from nobody, reaches neither handlers, middleware, error handlers nor a waiting question."""
    rig = Rig(allowed_users=frozenset({7}))
    reached: list[str] = []
    rig.app.use(lambda update, context, following: reached.append("middleware"))
    rig.app.on(*SAMPLES, "newer", check=False)(lambda update, context: reached.append("handler"))
    rig.app.error(lambda update, context: reached.append("error"))
    turn = Turn(waiting=((7, 7), (7, 666)))
    assert rig.handle(raw, turn) is NO_CHANGES
    assert reached == []
    assert turn.offered == []
    rig.close()


def test_the_first_one_who_is_refused_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has set a wrong id finds the right one in the log; strangers cannot fill it."""
    rig = Rig(allowed_users=frozenset({7}))
    dispatcher = rig.dispatcher
    with caplog.at_level("INFO", logger="syncbot"):
        for raw in (update(), update(from_user=FOREIGN), update(from_user=FOREIGN)):
            dispatcher.handle(raw)
    assert caplog.messages == [
        "an update of user 666 was passed over, who is not among the allowed users (allowed_users= or ALLOWED_TELEGRAM_USER_ID); this is said once"
    ]
    rig.close()


@pytest.mark.parametrize("allowed", [None, frozenset({7}), frozenset({1, 7})])
def test_the_allowed_ones_pass(allowed: frozenset[int] | None) -> None:
    """Those on the list are handled, in groups too; without a list everybody is."""
    rig = Rig(allowed_users=allowed)
    reached: list[int] = []
    rig.app.on(*SAMPLES)(lambda update, context: reached.append(1))
    rig.send()
    rig.send(chat=GROUP)
    rig.handle(update(SAMPLES["inline_query"], "inline_query"))
    assert len(reached) == 3
    rig.handle(update(SAMPLES["poll"], "poll"))
    assert len(reached) == (4 if allowed is None else 3)
    rig.close()


def test_an_empty_list_allows_nobody() -> None:
    """Nobody is on an empty list."""
    rig = Rig(allowed_users=frozenset())
    assert not rig.dispatcher.allows(update())
    rig.close()


# ── questions that wait ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_waiting_question_gets_the_message(rig: Rig) -> None:
    """A message of the user and the chat that a question waits for goes there and nowhere else, unread."""
    handled: list[int] = []
    rig.app.on("message", "edited_message")(lambda update, context: handled.append(update.update_id))
    turn = Turn(waiting=((7, 7),))
    broken = update(date="not a date")
    assert rig.handle(broken, turn) == NO_CHANGES
    assert turn.offered == [broken]
    assert handled == []
    rig.handle(update(chat=GROUP), turn)
    rig.handle(update(kind="edited_message"), turn)
    assert handled == [1, 1]


# ── middleware ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_middleware_is_around_everything(rig: Rig) -> None:
    """Middleware runs once for each update, the first registered outermost, before and after all groups, also when no handler wants the update."""
    steps: list[str] = []

    @rig.app.use
    def outer(update: Any, context: Context, following: Any) -> None:
        steps.append("outer in")
        following()
        steps.append("outer out")

    @rig.app.use
    def inner(update: Any, context: Context, following: Any) -> None:
        steps.append("inner in")
        following()
        steps.append("inner out")

    rig.app.message()(lambda update, context: steps.append("0"))
    rig.app.message(group=1)(lambda update, context: steps.append("1"))
    rig.send()
    assert steps == ["outer in", "inner in", "0", "1", "inner out", "outer out"]
    rig.handle(update(SAMPLES["poll"], "poll"))
    assert len(steps) == 10


def test_middleware_can_end_the_handling(rig: Rig) -> None:
    """Without a call of next(), or with StopPropagation, no handler runs, and the update is done."""
    reached: list[int] = []
    rig.app.message()(lambda update, context: reached.append(1))
    rig.app.use(lambda update, context, following: None)
    assert rig.send() == NO_CHANGES
    other = Rig()
    other.app.message()(lambda update, context: reached.append(1))

    @other.app.use
    def stop(update: Any, context: Context, following: Any) -> None:
        raise StopPropagation

    assert other.send() == NO_CHANGES
    assert reached == []
    other.close()


def test_middleware_can_make_a_failure_none(rig: Rig) -> None:
    """What next() raises goes through the middleware, which may catch it."""

    @rig.app.use
    def catch(update: Any, context: Context, following: Any) -> None:
        with pytest.raises(ZeroDivisionError):
            following()

    rig.app.message()(lambda update, context: 1 / 0)
    assert rig.send() == NO_CHANGES


def test_next_cannot_be_called_twice(rig: Rig) -> None:
    """Handling an update twice is refused."""
    handled: list[int] = []

    @rig.app.use
    def twice(update: Any, context: Context, following: Any) -> None:
        following()
        following()

    rig.app.message()(lambda update, context: handled.append(1))
    assert "next() twice" in fail(rig).reason
    assert handled == [1]


def test_the_middleware_of_a_router_is_around_its_own_handlers(rig: Rig) -> None:
    """An included router's middleware is around each of its handlers, and sees nothing of StopPropagation and ContinuePropagation."""
    steps: list[str] = []
    inner = Router()

    @inner.use
    def around(update: Any, context: Context, following: Any) -> None:
        steps.append("in")
        try:
            following()
        except BaseException as seen:  # nothing of it may be seen here
            steps.append(repr(seen))
        steps.append("out")

    def pass_on(update: Any, context: Context) -> None:
        steps.append("pass on")
        raise ContinuePropagation

    def end(update: Any, context: Context) -> None:
        steps.append("end")
        raise StopPropagation

    inner.message()(pass_on)
    inner.message()(end)
    rig.app.message(group=-1)(lambda update, context: steps.append("app"))
    rig.app.include(inner)
    rig.app.message(group=1)(lambda update, context: steps.append("never"))
    rig.send()
    assert steps == ["app", "in", "pass on", "out", "in", "end", "out"]


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_error_handlers_get_update_and_error(rig: Rig) -> None:
    """Every error handler is told, in the order of registration, with the update and what was raised; then HandlerFailed goes up."""
    told: list[Any] = []
    inner = Router()
    rig.app.include(inner)

    @rig.app.error
    def first(update: Any, context: Context) -> None:
        told.append(("first", update.message.text, repr(context.error)))

    @rig.app.error()
    def second(update: Any, context: Context) -> None:
        context.reply("sorry")

    inner.error(lambda update, context: told.append(("inner",)))
    rig.app.message()(lambda update, context: 1 / 0)
    assert "ZeroDivisionError: division by zero" in fail(rig).reason
    assert told == [("inner",), ("first", "hi", "ZeroDivisionError('division by zero')")]
    assert rig.transport.parameters("sendMessage") == [{"chat_id": 7, "text": "sorry"}]


def test_error_handlers_for_some_errors(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """An error handler with classes is told of those only; a failure of which nobody is told is logged."""
    told: list[str] = []
    rig.app.error(NetworkError, ZeroDivisionError)(lambda update, context: told.append("some"))
    rig.app.error(ApiError)(lambda update, context: told.append("api"))
    raised: list[Exception] = [NotSent("x"), ZeroDivisionError(), ValueError("nobody's")]

    @rig.app.message()
    def handler(update: Any, context: Context) -> None:
        raise raised.pop(0)

    for _ in range(3):
        fail(rig)
    assert told == ["some", "some"]
    assert [record.getMessage() for record in caplog.records] == ["the handling of update 1 (message) failed"]
    assert "nobody's" in caplog.text


def test_an_error_handler_of_a_shared_router_is_told_once(rig: Rig) -> None:
    """A router that is held by two others has its error handlers told once."""
    told: list[int] = []
    shared, left, right = Router(), Router(), Router()
    shared.error(lambda update, context: told.append(1))
    for side in (left, right):
        side.include(shared)
        rig.app.include(side)
    rig.app.message()(lambda update, context: 1 / 0)
    fail(rig)
    assert told == [1]


def test_an_error_handler_that_fails_is_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """It does not loop, does not keep the others from being told, and does not hide the first failure; SystemExit is no exception."""
    told: list[str] = []

    @rig.app.error
    def broken(update: Any, context: Context) -> None:
        told.append("broken")
        raise SystemExit("error handler")

    rig.app.error(lambda update, context: told.append("sound"))
    rig.app.message()(lambda update, context: 1 / 0)
    assert "ZeroDivisionError" in fail(rig).reason
    assert told == ["broken", "sound"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "an error handler failed itself" in caplog.text


@pytest.mark.parametrize(("signal", "expected"), [(StopPropagation, ["first"]), (ContinuePropagation, ["first", "second"])])
def test_error_handlers_can_end_the_telling(rig: Rig, signal: type[Exception], expected: list[str]) -> None:
    """StopPropagation keeps the later error handlers from being told; ContinuePropagation changes nothing."""
    told: list[str] = []

    @rig.app.error
    def first(update: Any, context: Context) -> None:
        told.append("first")
        raise signal

    rig.app.error(lambda update, context: told.append("second"))
    rig.app.message()(lambda update, context: 1 / 0)
    fail(rig)
    assert told == expected


@pytest.mark.parametrize(
    "raised", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError(), RecursionError(), BaseExceptionGroup("g", [SystemExit()])]
)
def test_whatever_a_handler_raises_is_its_failure(rig: Rig, raised: BaseException) -> None:
    """sys.exit and its like in a handler end that handler, not the worker."""
    told: list[Any] = []
    rig.app.error(lambda update, context: told.append(context.error))

    @rig.app.message()
    def handler(update: Any, context: Context) -> None:
        raise raised

    assert type(raised).__name__ in fail(rig).reason
    assert told == [raised]


@pytest.mark.parametrize("place", ["handler", "middleware", "filter", "error handler"])
def test_stopped_passes_untouched(rig: Rig, place: str) -> None:
    """When the runtime stops, the update is not a failure but to be handled again: no error handler is told."""
    told: list[int] = []

    def stop(*values: Any) -> None:
        raise Stopped("stopping")

    if place == "middleware":
        rig.app.use(lambda update, context, following: stop())
    rig.app.message(stop if place == "filter" else None)(stop if place == "handler" else lambda update, context: 1 / 0)
    rig.app.error(stop if place == "error handler" else lambda update, context: told.append(1))
    with pytest.raises(Stopped):
        rig.send()
    assert told == []


def raise_(error: BaseException, cause: BaseException | None = None) -> None:
    """Raise an error as a function."""
    raise error from cause


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        (ValueError(), None, False),
        (ValueError(), Stopped(), True),
        (NotSent("no turn"), None, True),
        (ValueError(), NotSent("no turn"), True),
        (KeyError(), None, False),
    ],
)
def test_what_a_stop_has_cut_short_is_no_failure(rig: Rig, error: Exception, cause: Exception | None, expected: bool) -> None:
    """What comes of a wait that a stop has ended puts the update back, and no error handler is told; without a stop it is a failure as any other."""
    told: list[object] = []
    rig.app.error(lambda update, context: told.append(context.error))
    rig.app.message()(lambda update, context: raise_(error, cause))
    stop = threading.Event()
    durability = Durability(None, "again", stop.is_set, StorageRetry(stop), rig.bot.recorders)
    with recorded(durability, JournalKey(1), "update 1"):
        fail(rig)
    assert told == [error]
    stop.set()
    with pytest.raises(Suspended if expected else HandlerFailed), recorded(durability, JournalKey(1), "update 1"):
        rig.send()
    assert told == [error] * (1 if expected else 2)


def test_the_reason_holds_the_whole_chain_without_the_token(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Causes and contexts are in the reason, the token is in neither the reason nor the log, and nothing hangs on the exception itself."""

    @rig.app.message()
    def handler(update: Any, context: Context) -> None:
        try:
            raise ValueError(f"https://api.telegram.org/bot{TOKEN}/sendMessage")
        except ValueError as problem:
            try:
                raise KeyError("second") from problem
            except KeyError:
                raise RuntimeError("third") from None or OSError(TOKEN)

    failure = fail(rig)
    assert "third" in failure.reason
    assert "OSError: 123456789:<hidden>" in failure.reason
    assert TOKEN not in failure.reason + caplog.text + repr(failure)
    assert failure.__context__ is None
    assert failure.__cause__ is None


def test_an_error_that_cannot_be_printed_is_buried_all_the_same(rig: Rig) -> None:
    """An error whose own text fails still ends as HandlerFailed."""

    class Unprintable(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

        __repr__ = __str__

    rig.app.error(lambda update, context: None)
    rig.app.message()(lambda update, context: raise_(Unprintable()))
    assert "Unprintable" in fail(rig).reason


def test_a_failure_leaves_no_circle_of_references(rig: Rig) -> None:
    """After a failure its context is gone at once, without the garbage collector: thousands of failures must not pile up."""
    contexts: list[weakref.ref[Context]] = []

    @rig.app.message()
    def handler(update: Any, context: Context) -> None:
        contexts.append(weakref.ref(context))
        raise ValueError

    rig.app.error(lambda update, context: None)
    dispatcher = rig.dispatcher
    gc.disable()
    try:
        with contextlib.suppress(HandlerFailed):  # pytest.raises would keep the frames
            dispatcher.handle(update())
        assert contexts[0]() is None
    finally:
        gc.enable()


def test_an_update_that_cannot_be_decoded_reaches_the_error_handlers_raw(rig: Rig) -> None:
    """Error handlers get the dict itself; handlers and middleware are not called."""
    told: list[Any] = []
    rig.app.use(lambda update, context, following: told.append("middleware"))
    rig.app.error(lambda update, context: told.append((update, type(context.error))))
    raw = update(date="not a date")
    assert "DecodeError" in fail(rig, raw).reason
    assert told == [(raw, DecodeError)]


@pytest.mark.parametrize("raw", [{"update_id": 1}, {"update_id": 1, "newer": {}}, update(SAMPLES["poll"], "poll")])
def test_an_update_that_nobody_wants_is_done(rig: Rig, raw: JSON) -> None:
    """Updates without a handler are no failure."""
    rig.app.message()(lambda update, context: None)
    assert rig.handle(raw) == NO_CHANGES


def test_updates_carry_the_shortcuts_of_the_bot(rig: Rig) -> None:
    """python-telegram-bot's own methods of the update, and of an answer, send through this bot before they return."""

    @rig.app.message()
    def handler(update: Any, context: Context) -> None:
        assert update.message.reply_text("one").message_id == 99
        answer: Any = context.ask("two")
        answer.reply_text("three")

    rig.handle(update(), Turn(update(text="answer")))
    assert [sent["text"] for sent in rig.transport.parameters("sendMessage")] == ["one", "two", "three"]


def test_a_failing_filter_is_a_failure(rig: Rig) -> None:
    """A filter that raises is treated as a handler that does."""
    rig.app.message(lambda update: update.no_such_thing)(lambda update, context: None)
    assert "no_such_thing" in fail(rig).reason


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_mutated_updates_are_handled_or_fail_in_order(kind: str, draw: st.DataObject) -> None:
    """Whatever stands where something else was expected: an update is handled or is a HandlerFailed, never anything else, and the allowed users hold."""
    payload = dict(SAMPLES[kind])
    for _ in range(draw.draw(st.integers(1, 2))):
        name = draw.draw(st.sampled_from(sorted(payload)))
        part = payload[name]
        if isinstance(part, dict) and part and draw.draw(st.booleans()):
            payload[name] = part | {draw.draw(st.sampled_from(sorted(part))): draw.draw(_values)}
        else:
            payload[name] = draw.draw(_values)
    rig = Rig(allowed_users=frozenset({7}))
    reached: list[Context] = []
    rig.app.command("start")(lambda update, context: None)
    rig.app.callback_query("buy")(lambda update, context: reached.append(context))
    rig.app.on(*SAMPLES, filters=~filters.COMMAND & ~filters.regex("x{9}") & ~filters.state("s"), group=1)(lambda update, context: reached.append(context))
    rig.app.error(lambda update, context: reached.append(context))
    with contextlib.suppress(HandlerFailed):
        rig.handle(update(payload, kind), Turn())
    assert all(context.user_id == 7 for context in reached)
    rig.close()


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_failed_handling_changes_nothing(rig: Rig) -> None:
    """What handlers changed before the failure is not written, so that handling the update again starts from the same; what error handlers change is."""
    rig.store.data.save(Scope.USER, 7, {"tries": 1})
    set_state(rig.store.data, 7, 7, "name")
    seen: list[Any] = []

    @rig.app.message()
    def first(update: Any, context: Context) -> None:
        context.user_data["tries"] += 1
        context.chat_data["x"] = 1
        context.state = "age"

    rig.app.message(group=1)(lambda update, context: 1 / 0)

    @rig.app.error
    def told(update: Any, context: Context) -> None:
        seen.extend([context.user_data["tries"], dict(context.chat_data), context.state])
        context.state = None
        context.bot_data["failures"] = 1

    failure = fail(rig)
    assert seen == [1, {}, "name"]
    assert failure.changes.states == (StateChange(7, 7, None),)
    assert [(change.scope, change.changed) for change in failure.changes.data] == [(Scope.BOT, {"failures": 1})]


def test_what_cannot_be_stored_is_the_handlers_failure(rig: Rig) -> None:
    """A value that is no JSON fails the handling, with the name of its key."""
    rig.app.message()(lambda update, context: context.user_data.update(when=object()))
    assert "TypeError: user_data['when'] cannot be stored" in fail(rig).reason


def test_what_an_error_handler_cannot_store_is_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """In an error handler it is logged, and nothing is written."""
    rig.app.message()(lambda update, context: 1 / 0)
    rig.app.error(lambda update, context: context.bot_data.update(when=object()))
    assert fail(rig).changes == NO_CHANGES
    assert "bot_data['when'] cannot be stored" in caplog.text


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_jobs_have_a_context_without_an_update(rig: Rig) -> None:
    """A job sends and remembers, and is told in words what it cannot do."""

    def job(context: Context) -> None:
        assert context.job == "daily"
        context.bot.send_message(7, "hello")
        context.bot_data["runs"] = 1
        for refused, words in (
            (lambda: context.update, "no update"),
            (lambda: context.user_data, "user_data here: a context without an update has no user"),
            (lambda: context.reply("x"), "needs a chat_id, and there is none in a context without an update"),
            (lambda: context.ask("x"), "not in jobs without one"),
        ):
            with pytest.raises(RuntimeError, match=words):
                refused()
        assert context.state is None

    changes = rig.run_job(job)
    assert changes.data[0].changed == {"runs": 1}
    assert rig.transport.parameters("sendMessage") == [{"chat_id": 7, "text": "hello"}]


def test_a_failing_job_reaches_the_error_handlers(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Error handlers get None for the update of a job; without one, the failure is logged."""
    with pytest.raises(HandlerFailed, match="ZeroDivisionError"):
        rig.run_job(lambda context: 1 / 0)
    assert "the job daily failed" in caplog.text
    told: list[Any] = []
    rig.app.error(lambda update, context: told.append((update, context.job)))
    with pytest.raises(HandlerFailed):
        rig.run_job(lambda context: 1 / 0)
    assert told == [(None, "daily")]


# ── imports ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_heavy_is_loaded_before_the_first_update() -> None:
    """Registering handlers and refusing strangers load neither telegram nor asyncio; the first update that is decoded loads telegram."""
    script = f"""
import sys
sys.path.insert(0, {str(sys.path[0])!r})
from syncbot.client.bot import Bot
from syncbot.runtime.handling import filters
from syncbot.runtime.handling.dispatcher import Dispatcher
from syncbot.runtime.handling.router import Router
from syncbot.storage import open_store
from syncbot.transport import FakeTransport
app = Router()
app.message(filters.TEXT & filters.regex("x") & filters.state(None))(lambda update, context: None)
app.command("start")(lambda update, context: None)
bot = Bot({TOKEN!r}, transport=FakeTransport())
dispatcher = Dispatcher(app.routes, bot, open_store(None, 1).data, allowed_users=frozenset({{7}}))
dispatcher.handle({update(from_user=FOREIGN)!r})
assert not {{"telegram", "asyncio", "httpx"}} & set(sys.modules), sorted(sys.modules)
dispatcher.handle({update()!r})
assert "telegram" in sys.modules
assert "httpcore" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
