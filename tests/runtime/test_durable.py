"""Durable handlers, from the inbox to the wire: what a handler has done is not done again when it runs again."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from kits.dispatch_kit import SENT, TOKEN, update

from syncbot import BadRequest, Bot, Context, DeliveryUncertain, Limits, NotSent, RetryPolicy, Router, StorageError
from syncbot.client.plain_bot import PlainBot
from syncbot.client.recording import NoResult
from syncbot.errors import Suspended
from syncbot.runtime.durable.divergence import Divergence
from syncbot.runtime.durable.durability import Durability, DurableFacts
from syncbot.runtime.durable.options import Interrupted
from syncbot.runtime.handling.dispatcher import Dispatcher
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.jobs.jobs import Jobs, OpenJobs
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.runtime.outbox.outbox import OpenQueue, RuntimeOutbox
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.runtime.work.update_run import Done, run_here
from syncbot.storage import Incoming, Journal, JournalKey, JournalStep, Scope, open_store
from syncbot.transport import FakeTransport
from syncbot.types import Request, Response

BOT = int(TOKEN.partition(":")[0])
Handler = Callable[[Any, Context], object]


class Killed(Suspended):
    """The process dies here: no handler catches it, and nothing of what follows is done. Its update is claimed anew by the next life."""


class Deadly:
    """A transport that dies at a call: before its first byte, when it was carried out and the answer is lost, or when the answer is there."""

    def __init__(self) -> None:
        self.fake = FakeTransport(sendMessage=SENT, sendPhoto=SENT, editMessageText=SENT, answerCallbackQuery=True)
        self.dies: dict[int, str] = {}
        self.made = 0

    def send(self, request: Request) -> Response:
        """Carry it out with the fake one, unless it is time to die."""
        self.made += 1
        how = self.dies.pop(self.made, "")
        if how == "connecting":
            raise Killed
        if how == "sending":
            if request.sending is not None:
                request.sending()
            raise Killed
        response = self.fake.send(request)
        if how == "sent":
            raise Killed
        return response

    def abort(self, scope: str) -> int:
        return 0

    def close(self) -> None: ...


class Lives:
    """A bot whose process may die: each life has a new store, a new bot and new handlers, and what was sent stays.

    Args:
        path: the state file.
        durable, interrupted: as the runtime's.
        updates: how many wait.
    """

    def __init__(self, path: Path, *, durable: bool = True, interrupted: Interrupted = "again", updates: int = 1) -> None:
        self.path = path
        self.transport = Deadly()
        self.durable = durable
        self.interrupted: Interrupted = interrupted
        self.stop = threading.Event()
        self.facts = DurableFacts()
        self.limits: Limits | None = None
        self.plain = False
        self.wrap: Callable[[Journal], Any] = lambda journal: journal
        with open_store(path, BOT) as store:
            store.inbox.store([Incoming(n, "7", json.dumps(update(text="go") | {"update_id": n}).encode()) for n in range(1, updates + 1)])

    def live(self, handler: Handler, *, dies: str = "", at: int = 1, **how: Any) -> Done:
        """Handle what waits with a handler.

        Args:
            handler: it.
            dies: the process dies when a call is "connecting", "sending", or "sent"; "" for never.
            at: which call of this life.
            how: the handler's options.
        """
        self.transport.dies = {self.transport.made + at: dies}
        router: Router[Any] = Router()
        router.message(**how)(handler)
        return self.run(router)

    def run(self, router: Router[Any]) -> Done:
        """The same with any handlers."""
        self.bot = bot = Bot(TOKEN, transport=self.transport, limits=self.limits, retry=RetryPolicy(first_wait=0.0))
        if self.plain:
            bot = PlainBot.of(bot)
        bot.stop_event = self.stop
        with open_store(self.path, BOT) as store:
            store.inbox.recover()
            durability = Durability(
                self.wrap(store.journal) if self.durable else None, self.interrupted, self.stop.is_set, StorageRetry(self.stop), bot.recorders, self.facts
            )
            return run_here(store.inbox, Dispatcher(router.routes, bot, store.data).handle, self.stop, time.monotonic() + 60, durability)

    @property
    def texts(self) -> list[str]:
        """What was sent, in order."""
        return [str(call.parameters.get("text", call.method)) for call in self.transport.fake.calls]

    def steps(self) -> list[JournalStep]:
        """What stands in the journal of the first update."""
        with open_store(self.path, BOT) as store:
            return list(store.journal.steps(JournalKey(1)))


@pytest.fixture
def lives(tmp_path: Path) -> Lives:
    """A bot with one update."""
    return Lives(tmp_path / "bot.db")


def three(update: Any, context: Context) -> None:
    """A handler with three calls."""
    for text in ("one", "two", "three"):
        context.reply(text)


# ── what was done is not done again ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("at", [1, 2, 3])
def test_no_call_is_made_twice(lives: Lives, at: int) -> None:
    """A process that dies before any call has left goes on there: each message is there once, and nothing is told."""
    assert lives.live(three, dies="connecting", at=at).handled == 0
    assert lives.live(three).handled == 1
    assert lives.texts == ["one", "two", "three"]
    assert (lives.facts.replayed, lives.facts.interrupted, lives.facts.diverged) == (at - 1, 0, 0)


def test_a_first_run_does_not_look_into_the_journal(lives: Lives) -> None:
    """Nothing can stand there, and to look costs time before its first call; the next run finds what it has left."""
    looked: list[JournalKey] = []

    class Watched:
        """The journal."""

        def __init__(self, journal: Journal) -> None:
            self._journal = journal

        def __getattr__(self, name: str) -> Any:
            return getattr(self._journal, name)

        def steps(self, key: JournalKey) -> Sequence[JournalStep]:
            looked.append(key)
            return self._journal.steps(key)

    lives.wrap = Watched
    lives.live(three, dies="connecting", at=3)
    assert looked == []
    lives.live(three)
    assert ([key.row for key in looked], lives.texts) == ([1], ["one", "two", "three"])


def test_a_run_gets_the_results_of_the_one_before(lives: Lives) -> None:
    """Objects, booleans and errors of Telegram's come back as they were."""
    seen: list[Any] = []

    def handler(update: Any, context: Context) -> None:
        sent = context.reply("one")
        seen.append((type(sent).__module__.split(".")[0], sent.message_id, context.bot.answer_callback_query("q")))
        try:
            context.bot.set_chat_title(chat_id=7, title="x")
        except BadRequest as error:
            seen.append((error.code, error.description, error.method))
        context.reply("two")

    lives.transport.fake.answer("setChatTitle", Response(400, {}, b'{"ok":false,"error_code":400,"description":"Bad Request: no"}'))
    lives.live(handler, dies="connecting", at=4)
    lives.live(handler)
    assert seen[:2] == seen[2:] == [("telegram", 99, True), (400, "Bad Request: no", "setChatTitle")]
    assert lives.transport.made == 5


def test_an_error_on_the_way_is_a_result_too(lives: Lives) -> None:
    """A handler that was told that a message never left, and wrote to somebody else, does so again without trying the first anew."""

    def handler(update: Any, context: Context) -> None:
        try:
            context.reply("to you")
        except NotSent as error:
            context.bot.send_message(8, f"not sent: {error.attempts}")
        context.bot.send_message(9, "end")

    lives.transport.fake.answer("sendMessage", NotSent("no route", retryable=False), SENT)
    lives.live(handler, dies="connecting", at=3)
    lives.live(handler)
    assert lives.texts == ["to you", "not sent: 1", "end"]


def test_every_way_to_the_bot_is_one(lives: Lives) -> None:
    """The context, its bot, the bot itself and telegram's own methods: each stands in the journal."""
    bots: list[Any] = []

    def handler(update: Any, context: Context) -> None:
        context.reply("context")
        context.bot.send_message(7, "its bot")
        context.bot.call("sendMessage", chat_id=7, text="call")
        update.message.reply_text("shortcut")
        bots.append(context.bot)

    lives.live(handler, dies="connecting", at=4)
    lives.live(handler)
    assert lives.texts == ["context", "its bot", "call", "shortcut"]
    assert lives.facts.replayed == 3


def test_a_plain_bot_and_the_one_that_was_given_are_one(lives: Lives) -> None:
    """With types=False handlers have another view of the bot; what they call on either stands in the journal, and comes back with attributes."""
    lives.plain = True
    seen: list[int] = []

    def handler(update: Any, context: Context) -> None:
        seen.append(context.reply("one").message_id)
        lives.bot.send_message(7, "two")
        context.reply("three")

    lives.live(handler, dies="connecting", at=3)
    lives.live(handler)
    assert seen == [99, 99]
    assert lives.texts == ["one", "two", "three"]


def test_the_journal_goes_with_the_update(lives: Lives) -> None:
    """Nothing is left of it when its handler has returned, or failed; what failed is made again as a whole when somebody says so."""
    lives.live(three, dies="connecting", at=3)
    assert [step.number for step in lives.steps()] == [0, 1]
    lives.live(three)
    assert lives.steps() == []


def test_data_is_written_with_the_end_alone(lives: Lives) -> None:
    """A second run starts with the data that the first one started with."""

    def handler(update: Any, context: Context) -> None:
        context.user_data["visits"] = context.user_data.get("visits", 0) + 1
        context.reply("one")
        context.reply("two")

    lives.live(handler, dies="connecting", at=2)
    lives.live(handler)
    with open_store(lives.path, BOT) as store:
        assert store.data.load(Scope.USER, 7) == {"visits": 1}


def test_error_handlers_are_part_of_the_run(lives: Lives) -> None:
    """What they have sent is not sent again either."""
    router: Router[Any] = Router()

    @router.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        raise ValueError("x")

    @router.error
    def failed(update: Any, context: Context) -> None:
        context.reply("sorry")
        context.reply("really")

    lives.transport.dies = {3: "connecting"}
    lives.run(router)
    assert lives.run(router).failed == 1
    assert lives.texts == ["one", "sorry", "really"]


# ── what was under way ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dies", ["sending", "sent"])
@pytest.mark.parametrize(("interrupted", "twice"), [("again", True), ("skip", False)])
def test_what_was_under_way_follows_the_policy(tmp_path: Path, caplog: pytest.LogCaptureFixture, dies: str, interrupted: Interrupted, twice: bool) -> None:
    """It is made again, and may be there twice; or it is gone on without, and may be lost. It is counted and told either way."""
    lives = Lives(tmp_path / "bot.db", interrupted=interrupted)
    lives.live(three, dies=dies, at=2)
    assert [step.outcome is None for step in lives.steps()] == [False, True]
    assert lives.live(three).handled == 1
    times = (dies == "sent") + twice
    assert lives.texts == ["one", *["two"] * times, "three"]
    assert lives.facts.interrupted == 1
    assert "sendMessage (chat_id=7) was under way when the process died" in caplog.text


def test_what_was_under_way_can_be_raised(tmp_path: Path) -> None:
    """The handler is told that nobody knows, in each run, and what it does then is done once."""
    lives = Lives(tmp_path / "bot.db", interrupted="raise")

    def handler(update: Any, context: Context) -> None:
        try:
            context.reply("one")
        except DeliveryUncertain as error:
            context.bot.send_message(8, f"{error.method} {error.phase}: look")
        context.reply("two")

    lives.live(handler, dies="sent")
    lives.live(handler, dies="connecting", at=2)
    lives.live(handler)
    assert lives.texts == ["one", "sendMessage maybe sent: look", "two"]
    assert lives.facts.interrupted == 1


def test_a_handlers_own_policy_wins(lives: Lives) -> None:
    """Over that of the runtime."""
    lives.live(three, dies="sent", interrupted="skip")
    lives.live(three, interrupted="skip")
    assert lives.texts == ["one", "two", "three"]


def test_what_does_no_harm_twice_is_made_again_in_any_case(tmp_path: Path) -> None:
    """An edit that was under way is made again, whatever the policy."""
    lives = Lives(tmp_path / "bot.db", interrupted="skip")

    def handler(update: Any, context: Context) -> None:
        context.bot.edit_message_text("new", chat_id=7, message_id=3)

    lives.live(handler, dies="sent")
    lives.live(handler)
    assert lives.texts == ["new", "new"]


def test_the_result_of_what_is_skipped_says_so(tmp_path: Path) -> None:
    """A message is not there; what returns True alone does; both are the same in a third run."""
    lives = Lives(tmp_path / "bot.db", interrupted="skip")
    seen: list[Any] = []

    def handler(update: Any, context: Context) -> None:
        seen.append(context.reply("one"))
        seen.append(context.bot.leave_chat(8))
        context.reply("two")

    lives.transport.fake.answer("leaveChat", True)
    for at in (1, 1, 1):
        lives.live(handler, dies="sent", at=at)
    lives.live(handler)
    assert [type(one) for one in seen[-2:]] == [NoResult, bool]
    with pytest.raises(AttributeError, match="nobody knows its result"):
        _ = seen[-2].message_id
    assert lives.texts == ["one", "leaveChat", "two"]


def test_an_attempt_that_telegram_has_refused_is_not_under_way(lives: Lives) -> None:
    """A process that dies while a 429 is waited for has nothing under way: the call is made once."""
    slow = Response(429, {}, b'{"ok":false,"error_code":429,"description":"slow","parameters":{"retry_after":0}}')
    lives.transport.fake.answer("sendMessage", slow, SENT)
    lives.live(lambda update, context: context.reply("one"), dies="connecting", at=2)
    assert lives.steps() == []
    lives.live(lambda update, context: context.reply("one"))
    assert (lives.facts.interrupted, lives.facts.replayed) == (0, 0)


# ── divergence ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_that_does_something_else_goes_on_anew(lives: Lives, caplog: pytest.LogCaptureFixture) -> None:
    """What fits up to there counts as done, whatever its text; from there on all is new, and the warning says where and what may be there twice."""

    def other(update: Any, context: Context) -> None:
        context.reply("another text")
        context.bot.send_message(8, "x")
        context.reply("three")

    lives.live(three, dies="connecting", at=3)
    with caplog.at_level(logging.WARNING):
        lives.live(other)
    assert lives.texts == ["one", "two", "x", "three"]
    [record] = [record for record in caplog.records if hasattr(record, "divergence")]
    found: Divergence = record.divergence
    assert found.handler == f"{other.__qualname__} ({__file__}:{other.__code__.co_firstlineno})"
    assert (found.handled, found.step, found.now, found.recorded, found.replayed, found.again) == (
        "update 1", 1, "sendMessage (chat_id=8)", "sendMessage (chat_id=7)", 1, ("sendMessage (chat_id=7)",)
    )  # fmt: skip
    assert "another text" not in caplog.text


def test_the_new_way_is_what_a_further_run_follows(lives: Lives) -> None:
    """The old steps behind a divergence are gone: they would fit what they have nothing to do with."""

    def other(update: Any, context: Context) -> None:
        context.bot.send_message(8, "x")
        context.reply("two")
        context.reply("end")

    lives.live(three, dies="connecting", at=3)
    lives.live(other, dies="connecting", at=2)
    lives.live(other)
    assert lives.texts == ["one", "two", "x", "two", "end"]
    assert lives.facts.diverged == 1


# ── once, now, random ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_done_once_is_not_done_again(lives: Lives) -> None:
    """The result of a side effect, the time and chance are those of the first run."""
    done: list[str] = []
    seen: list[Any] = []

    def handler(update: Any, context: Context) -> None:
        value = context.once("order", lambda: done.append("ordered") or {"id": (1, 2)})
        seen.append((value, context.now(), context.random.random(), context.random.randint(1, 10**9)))
        context.reply("one")
        context.reply("two")

    lives.live(handler, dies="connecting", at=2)
    lives.live(handler)
    assert done == ["ordered"]
    assert seen[0] == seen[1]
    assert seen[0][0] == {"id": [1, 2]}
    assert abs(seen[0][1].timestamp() - time.time()) < 60


def test_a_side_effect_under_another_name_diverges(lives: Lives) -> None:
    """It is known by its name."""
    lives.live(lambda update, context: (context.once("a", lambda: 1), context.reply("x")), dies="connecting")
    lives.live(lambda update, context: (context.once("b", lambda: 2), context.reply("x")))
    assert lives.facts.diverged == 1


def unpaid() -> None:
    """A side effect that fails."""
    raise ValueError("the card was refused")


@pytest.mark.parametrize("step", [lambda context: context.once("pay", unpaid), lambda context: context.reply("\ud800")])
def test_what_fails_here_and_is_caught_has_its_place_too(lives: Lives, step: Callable[[Context], object]) -> None:
    """A side effect that raises, or a call that cannot be written: the handler goes on, and so does its next run, which tries again and repeats nothing."""
    tried: list[object] = []

    def handler(update: Any, context: Context) -> None:
        with pytest.raises(ValueError) as caught:
            step(context)
        tried.append(str(caught.value))
        context.reply("one")
        context.reply("two")

    lives.live(handler, dies="connecting", at=2)
    assert lives.live(handler).handled == 1
    assert (lives.texts, lives.facts.diverged, lives.facts.interrupted) == (["one", "two"], 0, 0)
    assert len(tried) == 2
    assert tried[0] == tried[1]


def test_a_call_that_could_not_be_made_is_made_by_the_next_run(lives: Lives) -> None:
    """In its place, and what was done behind it stays done, whatever comes between."""
    slow = Response(429, {}, b'{"ok":false,"error_code":429,"description":"slow","parameters":{"retry_after":0}}')
    texts = ["\ud800", "zero"]

    def handler(update: Any, context: Context) -> None:
        with contextlib.suppress(ValueError):
            context.reply(texts.pop(0) if len(texts) > 1 else texts[0])
        context.reply("one")
        context.reply("two")

    lives.live(handler, dies="connecting", at=2)
    lives.transport.fake.answer("sendMessage", slow, SENT)
    assert lives.live(handler).handled == 1
    assert lives.texts == ["one", "zero", "zero", "two"]  # the first of the two was refused


def test_there_is_no_step_within_another(lives: Lives) -> None:
    """A call, or another side effect, within `once` is refused in words: it would be done again or not as a whole."""
    problems: list[str] = []

    def handler(update: Any, context: Context) -> None:
        for inner in (lambda: context.reply("x"), lambda: context.once("b", lambda: 1), lambda: context.now().timestamp()):
            try:
                context.once("a", inner)
            except RuntimeError as problem:
                problems.append(str(problem))

    assert lives.live(handler).handled == 1
    assert [problem.partition(":")[0] for problem in problems] == [
        f"{what} within context.once('a')" for what in ("sendMessage", "context.once", "context.now")
    ]
    assert lives.texts == []


def test_what_once_returns_has_to_be_json(lives: Lives) -> None:
    """Anything else is told by its name."""
    problems: list[str] = []

    def handler(update: Any, context: Context) -> None:
        try:
            context.once("order", lambda: object())
        except TypeError as problem:
            problems.append(str(problem))

    lives.live(handler)
    assert problems
    assert problems[0].startswith("the result of once('order') is not a JSON value")


def test_once_takes_a_function(lives: Lives) -> None:
    """Its result in its place means that the side effect would be done in each run: it is refused, and told how."""
    problems: list[str] = []

    def handler(update: Any, context: Context) -> None:
        try:
            context.once("order", {"id": 5})  # type: ignore[arg-type]  # wrong on purpose
        except TypeError as problem:
            problems.append(str(problem))

    lives.live(handler)
    assert problems == ["once('order') takes a function and calls it itself: context.once('order', lambda: …), not {'id': 5}"]


# ── without ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_runtime_can_do_without(tmp_path: Path) -> None:
    """durable=False runs the handler from its beginning, with all its calls."""
    lives = Lives(tmp_path / "bot.db", durable=False)
    lives.live(three, dies="connecting", at=3)
    assert lives.steps() == []
    lives.live(three)
    assert lives.texts == ["one", "two", "one", "two", "three"]


def test_a_handler_can_do_without(lives: Lives) -> None:
    """Its own calls, and what it does once; those of others for the same update stand in the journal."""
    router: Router[Any] = Router()
    done: list[int] = []

    @router.message(durable=False)
    def first(update: Any, context: Context) -> None:
        context.once("x", lambda: done.append(1))
        context.reply("again")

    router.message(group=1)(three)
    lives.transport.dies = {4: "connecting"}
    lives.run(router)
    lives.run(router)
    assert lives.texts == ["again", "one", "two", "again", "three"]
    assert done == [1, 1]


@pytest.mark.parametrize(
    "make", [lambda: Router().message(interrupted="perhaps"), lambda: Router().command("a", interrupted="no"), lambda: Router().message(durably=1)]
)
def test_what_a_handler_cannot_say_is_refused(make: Any) -> None:
    """A wrong word, or an option that there is not, is told where it stands."""
    with pytest.raises((ValueError, TypeError), match=r"interrupted: '\w+' is none of|a handler takes no durably"):
        make()(three)


def test_files_are_brought_anew(lives: Lives, tmp_path: Path) -> None:
    """A download is no step: its path holds for an hour, and the file may be gone."""
    lives.transport.fake.answer("getFile", {"file_id": "f", "file_unique_id": "u", "file_path": "a/b"})
    lives.transport.fake.answer("download", b"content")
    got: list[bytes] = []

    def handler(update: Any, context: Context) -> None:
        got.append(context.bot.download_bytes("f"))
        context.reply("one")

    lives.live(handler, dies="connecting", at=3)
    lives.live(handler)
    assert got == [b"content", b"content"]
    assert lives.texts.count("getFile") == 2


def test_calls_of_other_threads_are_told_once(lives: Lives, caplog: pytest.LogCaptureFixture) -> None:
    """They are made, they do not stand in the journal, and nobody is told each time."""

    def handler(update: Any, context: Context) -> None:
        for text in ("one", "two"):
            thread = threading.Thread(target=context.reply, args=(text,), name="helper")
            thread.start()
            thread.join()
        context.reply("three")

    with caplog.at_level(logging.WARNING):
        lives.live(handler, dies="connecting", at=3)
    assert caplog.text.count("is called on the thread helper") == 1
    lives.live(handler)
    assert lives.texts == ["one", "two", "one", "two", "three"]


def test_side_effects_on_other_threads_are_no_steps(lives: Lives, caplog: pytest.LogCaptureFixture) -> None:
    """They are done each time, told once, and disturb neither the handler's own steps nor its next run."""
    done: list[str] = []

    def handler(update: Any, context: Context) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def help_out() -> None:
            done.append("helped")
            begun.set()
            assert go_on.wait(20.0)

        def helper() -> None:
            context.once("helped", help_out)
            context.random.random()

        thread = threading.Thread(target=helper, name="helper")
        thread.start()
        assert begun.wait(20.0)
        context.reply("one")
        go_on.set()
        thread.join()
        context.reply(f"{context.random.random()}")
        context.reply("three")

    with caplog.at_level(logging.WARNING):
        lives.live(handler, dies="connecting", at=3)
    assert caplog.text.count("context.once is called on the thread helper") == 1
    assert [step.what for step in lives.steps()] == ["sendMessage", "random", "sendMessage"]
    assert lives.live(handler).handled == 1
    assert (len(lives.texts), lives.facts.diverged, done) == (3, 0, ["helped", "helped"])


def test_a_child_that_a_handler_forks_writes_no_steps(lives: Lives) -> None:
    """What it does is its own affair: the handler's next run goes on where the handler was."""

    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        child = os.fork()
        if not child:
            context.once("mine", lambda: 1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        context.reply("two")

    lives.live(handler, dies="connecting", at=2)
    assert [step.what for step in lives.steps()] == ["sendMessage"]
    assert lives.live(handler).handled == 1
    assert lives.texts == ["one", "two"]


# ── a stop, and troubles of our own ──────────────────────────────────────────────────────────────────────────────────


class Slow(Deadly):
    """A transport that sets the stop while a call is under way."""

    def __init__(self, stop: threading.Event, at: int) -> None:
        super().__init__()
        self._stop = stop
        self._at = at

    def send(self, request: Request) -> Response:
        """Carry it out, and stop."""
        response = super().send(request)
        if self.made == self._at:
            self._stop.set()
        return response


def test_a_call_that_waits_for_its_turn_at_a_stop_is_no_error(lives: Lives) -> None:
    """No error handler is told, the handler sees nothing of it, its update is put back, and its next run goes on there."""
    lives.limits = Limits(chat_burst=1, chat_interval=3600.0)
    lives.transport = Slow(lives.stop, at=1)
    router: Router[Any] = Router()
    told: list[object] = []

    @router.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        try:
            context.reply("two")
        except Exception as error:
            told.append(error)
            raise
        context.reply("three")

    router.error(lambda update, context: told.append(context.error))
    assert lives.run(router) == Done(0, 0)
    lives.stop, lives.limits = threading.Event(), None
    assert lives.run(router) == Done(1, 0)
    assert told == []
    assert lives.texts == ["one", "two", "three"]


def test_who_swallows_it_is_put_back_all_the_same(lives: Lives, caplog: pytest.LogCaptureFixture) -> None:
    """Once a handler is put aside, every further step raises it again and leaves nothing; one that returns in spite of it is told, and runs again."""
    lives.limits = Limits(chat_burst=1, chat_interval=3600.0)
    lives.transport = Slow(lives.stop, at=1)
    raised: list[str] = []

    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        for step in (
            lambda: context.reply("two"),
            lambda: context.bot.send_message(8, "x"),
            lambda: context.once("x", lambda: 1),
            context.now,
            lambda: context.user_data.update(a=1),
            lambda: setattr(context, "state", "x"),
        ):
            try:
                step()
            except Suspended as put_aside:
                raised.append(str(put_aside))

    assert lives.live(handler) == Done(0, 0)
    assert len(raised) == 6
    assert "goes on here when it runs again (the runtime is stopping)" in raised[0]
    assert "caught what puts it aside" in caplog.text
    assert lives.texts == ["one"]
    with open_store(lives.path, BOT) as store:
        assert store.inbox.counts().waiting == 1
        assert store.data.load(Scope.USER, 7) == {}


def test_an_error_handler_that_swallows_it_is_put_back_too(lives: Lives, caplog: pytest.LogCaptureFixture) -> None:
    """The update is no dead letter: its error handler has not said what it wanted to say, and says it in the next run."""
    lives.limits = Limits(chat_burst=1, chat_interval=3600.0)
    lives.transport = Slow(lives.stop, at=1)
    router: Router[Any] = Router()

    @router.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        raise ValueError

    @router.error
    def sorry(update: Any, context: Context) -> None:
        with contextlib.suppress(BaseException):
            context.reply("sorry")

    assert lives.run(router) == Done(0, 0)
    assert "caught what puts it aside" in caplog.text
    lives.stop, lives.limits = threading.Event(), None
    assert lives.run(router) == Done(0, 1)
    assert lives.texts == ["one", "sorry"]


def test_a_full_disk_is_waited_for(lives: Lives, caplog: pytest.LogCaptureFixture) -> None:
    """A call whose intent cannot be written is not made, and made when there is room: once."""
    lives.transport = Deadly()
    left = [2]

    class Full:
        """The journal; there is no room for a while."""

        def __init__(self, journal: Journal) -> None:
            self._journal = journal

        def __getattr__(self, name: str) -> Any:
            return getattr(self._journal, name)

        def write(self, key: JournalKey, step: JournalStep) -> None:
            if step.outcome is None and left[0]:
                left[0] -= 1
                assert lives.texts == []
                raise StorageError("database or disk is full", retryable=True)
            self._journal.write(key, step)

    lives.wrap = Full
    assert lives.live(three).handled == 1
    assert lives.texts == ["one", "two", "three"]
    assert caplog.text.count("disk is full") == 1


def test_who_has_lost_its_claim_sends_nothing(lives: Lives) -> None:
    """Another one handles the update now: the handler is put aside before its next call, and what handles updates here ends."""

    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        with open_store(lives.path, BOT) as other:
            other.inbox.recover()
        context.reply("two")

    with pytest.raises(StorageError, match="another process"):
        lives.live(handler)
    assert lives.texts == ["one"]


def test_a_journal_that_cannot_be_used_any_more_ends_it(lives: Lives) -> None:
    """A damaged file is told once, and the update is not tried again and again; what it was called with is not lost."""

    class Broken:
        """The journal; its part of the file cannot be read."""

        def __init__(self, journal: Journal) -> None:
            self._journal = journal

        def steps(self, key: JournalKey) -> list[JournalStep]:
            raise StorageError("the state file is damaged")

    lives.live(three, dies="connecting", at=2)
    lives.wrap = Broken
    with pytest.raises(StorageError, match="is damaged"):
        lives.live(three)
    assert lives.texts == ["one"]
    lives.wrap = lambda journal: journal
    assert (lives.live(three).handled, lives.texts) == (1, ["one", "two", "three"])


# ── any handler, any deaths ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(24))
def test_random_handlers_with_random_deaths(tmp_path: Path, seed: int) -> None:
    """Whatever a handler does, and wherever it dies: each call is made once, but for those under way, and the last run ends as one without deaths would."""
    chance = random.Random(seed)
    script = [chance.choice(["reply", "photo", "once", "now", "get", "data", "refused"]) for _ in range(chance.randint(1, 9))]
    raises = chance.random() < 0.3
    once: list[int] = []

    def handler(update: Any, context: Context) -> None:
        for place, what in enumerate(script):
            if what == "reply":
                context.reply(f"{place}")
            elif what == "photo":
                context.bot.send_photo(7, f"{place}")
            elif what == "once":
                assert context.once(f"{place}", lambda place=place: once.append(place) or place) == place  # type: ignore[misc]  # bound by a default
            elif what == "now":
                context.user_data["now"] = context.now().timestamp()
            elif what == "get":
                assert context.bot.get_chat_member_count(7) == 5
            elif what == "data":
                context.user_data["places"] = [*context.user_data.get("places", []), place]
            else:
                with pytest.raises(BadRequest):
                    context.bot.set_chat_title(chat_id=7, title=f"{place}")
        if raises:
            raise ValueError("x")

    lives = Lives(tmp_path / "bot.db")
    lives.transport.fake.answer("setChatTitle", Response(400, {}, b'{"ok":false,"error_code":400,"description":"no"}'))
    lives.transport.fake.answer("getChatMemberCount", 5)
    sent = 0
    for _ in range(chance.randint(0, 6)):
        dies = chance.choice(["connecting", "sending", "sent"])
        before = len(lives.texts)
        if lives.live(handler, dies=dies, at=chance.randint(1, 3)) != Done(0, 0):
            break
        sent += dies == "sent" and len(lives.texts) > before
    else:
        lives.live(handler)
    assert lives.live(handler) == Done(0, 0)
    calls = [(call.method, call.parameters.get("text") or call.parameters.get("photo") or call.parameters.get("title")) for call in lives.transport.fake.calls]
    names = {"reply": "sendMessage", "photo": "sendPhoto", "refused": "setChatTitle", "get": "getChatMemberCount"}
    wanted = [(names[what], None if what == "get" else f"{place}") for place, what in enumerate(script) if what in names]
    assert list(dict.fromkeys(call for call in calls if call[1])) == [call for call in wanted if call[1]]
    assert len(calls) - len(wanted) <= sent
    assert once == [place for place, what in enumerate(script) if what == "once"]
    with open_store(lives.path, BOT) as store:
        assert store.data.load(Scope.USER, 7).get("places", []) == [place for place, what in enumerate(script) if what == "data" and not raises]
        assert store.dead_letters.count() == raises


# ── what is written at once, and its step ────────────────────────────────────────────────────────────────────────────


class DiesBefore:
    """The journal of a process that dies when it is about to write what came of a step.

    Args:
        journal: the real one.
        what: the step.
    """

    def __init__(self, journal: Journal, what: str) -> None:
        self._journal = journal
        self._what = what

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def write(self, key: JournalKey, step: JournalStep) -> None:
        """Write it, or die."""
        if step.what == self._what and step.outcome is not None:
            raise Killed
        self._journal.write(key, step)


@pytest.mark.parametrize("what", ["once", "queue", "job"])
def test_what_is_written_at_once_stands_there_with_its_step_or_not_at_all(lives: Lives, what: str) -> None:
    """A process that dies between a change at once, a queued call or a job and its step leaves neither; the next run does it, once."""
    functions = JobFunctions()
    functions.job("remind")(lambda context: None)
    with open_store(lives.path, BOT) as store:

        def handler(update: Any, context: Context) -> None:
            journal = lives.wrap(store.journal)
            if what == "once":
                context.user_data.change("n", lambda number: number + 1, default=0, at_once=True)
            elif what == "queue":
                RuntimeOutbox(lives.path, lives.bot, lambda: OpenQueue(store.outbox, QueueFolder(None), journal)).send_message(7, "queued")
            else:
                Jobs(lives.path, BOT, functions, lives.bot.recorders, lambda: OpenJobs(store.jobs, journal)).at(4e9, "remind")

        def done() -> int:
            return int(store.data.load(Scope.USER, 7).get("n", 0)) + len(store.outbox.entries()) + len(store.jobs.entries())

        lives.wrap = lambda journal: DiesBefore(journal, what)
        lives.live(handler)
        assert done() == 0
        lives.wrap = lambda journal: journal
        assert lives.live(handler).handled == 1
        assert done() == 1


def test_what_stands_there_is_not_done_again_though_something_has_failed_behind_it(lives: Lives) -> None:
    """A queued call whose handler is told of an error all the same, such as of a system that gives no memory, is there once when it runs again."""
    told: list[object] = []

    with open_store(lives.path, BOT) as store:

        def notify() -> None:
            told.append(None)
            if len(told) == 1:
                raise MemoryError

        def handler(update: Any, context: Context) -> None:
            outbox = RuntimeOutbox(lives.path, lives.bot, lambda: OpenQueue(store.outbox, QueueFolder(None), store.journal, notify))
            try:
                outbox.send_message(7, "queued")
            except MemoryError:
                raise Killed from None

        lives.live(handler)
        assert lives.live(handler).handled == 1
        assert len(store.outbox.entries()) == 1


@pytest.mark.parametrize("what", ["once", "queue", "job"])
def test_who_has_lost_its_claim_writes_nothing_at_once(lives: Lives, what: str) -> None:
    """Where another one handles the update now, this one changes, queues and puts nothing: of two lives one alone does it."""
    functions = JobFunctions()
    functions.job("remind")(lambda context: None)

    def handler(update: Any, context: Context) -> None:
        with open_store(lives.path, BOT) as other:
            other.inbox.recover()
        write(context)

    def write(context: Context) -> None:
        if what == "once":
            context.user_data.change("n", lambda number: number + 1, default=0, at_once=True)
        elif what == "queue":
            RuntimeOutbox(lives.path, lives.bot, lambda: OpenQueue(store.outbox, QueueFolder(None), store.journal)).send_message(7, "queued")
        else:
            Jobs(lives.path, BOT, functions, lives.bot.recorders, lambda: OpenJobs(store.jobs, store.journal)).at(4e9, "remind")

    with open_store(lives.path, BOT) as store:
        with pytest.raises(StorageError, match="another process"):
            lives.live(handler)
        assert (store.data.load(Scope.USER, 7), store.outbox.entries(), store.jobs.entries()) == ({}, [], [])
        assert lives.live(lambda update, context: write(context)).handled == 1
        assert int(store.data.load(Scope.USER, 7).get("n", 0)) + len(store.outbox.entries()) + len(store.jobs.entries()) == 1
