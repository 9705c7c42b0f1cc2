"""The poller: it stores before it confirms, and survives everything but a wrong token."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, Records, Seen, becomes, logged, running

from syncbot.errors import (
    ApiError,
    BadRequest,
    Conflict,
    DeliveryUncertain,
    Forbidden,
    NetworkError,
    NotFound,
    NotSent,
    Phase,
    ProxyAuthRequired,
    RetryAfter,
    ServerError,
    StorageError,
    Unauthorized,
)
from syncbot.runtime.handling.context import Context
from syncbot.runtime.receiving.backlog import DurableBacklog
from syncbot.runtime.receiving.idle_limit import IdleLimit
from syncbot.runtime.receiving.poller import Poller, PollFacts
from syncbot.runtime.runtime import Runtime
from syncbot.storage import Store, open_store
from syncbot.storage.promises.inbox import Incoming
from syncbot.storage.promises.queues import Inbox
from syncbot.testing import Answer, BotApiServer, Fault, FaultProxy

MakeApp = Callable[..., Runtime]
Update = dict[str, Any]


def update(number: int, chat: int = 1) -> Update:
    """A message."""
    return {"update_id": number, "message": {"message_id": number, "date": 1, "chat": {"id": chat, "type": "private"}, "text": "hi"}}


class Telegram:
    """Answers polls from a script, and remembers what was asked; at the end of the script it stops the poller."""

    def __init__(self, stop: threading.Event, *answers: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self._stop = stop
        self.answers = list(answers)

    def __call__(self, *, offset: int | None, limit: int, wait: int, allowed_updates: Sequence[str] | None, stop: threading.Event) -> list[Update]:
        self.asked.append({"offset": offset, "limit": limit, "wait": wait, "allowed_updates": allowed_updates})
        if not self.answers:
            self._stop.set()
            return []
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        found: list[Update] = answer
        return found

    @property
    def offsets(self) -> list[int | None]:
        """The offsets that were asked for."""
        return [asked["offset"] for asked in self.asked]


@pytest.fixture
def store() -> Iterator[Store]:
    """A store in memory."""
    with open_store(None, 1) as store:
        store.inbox.recover()
        yield store


class Rig:
    """A poller with a scripted Telegram."""

    def __init__(self, inbox: Inbox, *answers: Any, **options: Any) -> None:
        self.stop = threading.Event()
        self.telegram = Telegram(self.stop, *answers)
        self.idle = IdleLimit()
        self.poller = Poller(self.telegram, inbox, self.stop, DurableBacklog(inbox, self.stop, 1000), idle=self.idle, **options)

    def steps(self, number: int) -> list[float]:
        """So many polls; returns the pauses after them."""
        return [self.poller.step() for _ in range(number)]


# ── what is asked and confirmed ──────────────────────────────────────────────────────────────────────────────────────


def test_the_next_offset_is_the_last_id_plus_one(store: Store) -> None:
    """Of the last one, not of the highest: ids can begin anew at a lower number."""
    rig = Rig(store.inbox, [update(900), update(901)], [update(5), update(6)], [update(7)])
    rig.poller.run()
    assert rig.telegram.offsets == [None, 902, 7, 8]
    assert store.inbox.counts().waiting == 5
    assert store.inbox.next_offset() == 8


def test_a_new_poller_goes_on_where_the_last_one_was(store: Store) -> None:
    """The offset is remembered with the batch."""
    Rig(store.inbox, [update(10)]).poller.run()
    rig = Rig(store.inbox)
    rig.poller.run()
    assert rig.telegram.offsets == [11]


def test_what_cannot_be_stored_is_not_confirmed(store: Store) -> None:
    """After an error of the store the same offset is asked for again."""

    class FullInbox:
        def __init__(self, inbox: Inbox) -> None:
            self._inbox = inbox
            self.full = True

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inbox, name)

        def store(self, updates: Sequence[Incoming], *, next_offset: int | None = None) -> int:
            if self.full:
                raise StorageError("the disk is full", retryable=True)
            return self._inbox.store(updates, next_offset=next_offset)

    inbox: Any = FullInbox(store.inbox)
    rig = Rig(inbox, [update(10)], [update(10)], [update(10)], [])
    with logged() as log:
        assert all(pause > 0 for pause in rig.steps(2))
        assert rig.poller.facts.storage_trouble
        assert log.count("not confirmed", "WARNING") == 1
        inbox.full = False
        rig.steps(2)
        assert log.count("polling works again", "WARNING") == 1
    assert rig.telegram.offsets == [None, None, None, 11]
    assert not rig.poller.facts.storage_trouble


def test_a_store_that_cannot_be_used_ends_it(store: Store) -> None:
    """What does not pass by itself is raised."""
    rig = Rig(store.inbox, [update(1)])
    store.close()
    with pytest.raises(StorageError):
        rig.poller.step()


def test_the_same_id_is_stored_once(store: Store) -> None:
    """A batch that comes again is confirmed again, and not handled again."""
    told: list[int] = []
    rig = Rig(store.inbox, [update(1), update(2)], [update(1), update(2), update(3)], notify=told.append)
    rig.poller.run()
    assert store.inbox.counts().waiting == 3
    assert told == [2, 1]
    assert rig.poller.facts.received == 3


def test_the_kinds_wanted_are_asked_for(store: Store) -> None:
    """allowed_updates goes out with each poll; None leaves it out."""
    rig = Rig(store.inbox, allowed_updates=("message", "poll"))
    rig.poller.run()
    assert rig.telegram.asked[0]["allowed_updates"] == ["message", "poll"]
    rig = Rig(store.inbox)
    rig.poller.run()
    assert rig.telegram.asked[0]["allowed_updates"] is None


def test_every_id_from_nought_on_is_one(store: Store) -> None:
    """A server of one's own may count from 0."""
    rig = Rig(store.inbox, [update(0)], [])
    rig.steps(2)
    assert store.inbox.counts().waiting == 1
    assert rig.telegram.offsets == [None, 1]


@pytest.mark.parametrize("broken", [{}, {"update_id": "1"}, {"update_id": True}, {"update_id": -1}, {"update_id": 2**70}, {"update_id": None}])
def test_an_update_without_a_usable_id_is_left_out(store: Store, broken: Update) -> None:
    """What has no id cannot be confirmed; the others of its batch are stored, and polling goes on."""
    rig = Rig(store.inbox, [broken, update(5), broken], [broken], [broken], [broken])
    with logged() as log:
        pauses = rig.steps(4)
        assert log.count("without an id", "ERROR") == 5
    assert store.inbox.counts().waiting == 1
    assert rig.telegram.offsets == [None, 6, 6, 6]
    assert pauses[-1] > 0, "no hurry with a server that gives nothing usable"


def test_what_waits_is_dropped_where_that_is_wanted(store: Store) -> None:
    """drop_pending takes the newest update's id and confirms up to it; failures do not lose the wish."""
    rig = Rig(store.inbox, NotSent("no"), [update(41)], [update(42)], drop_pending=True)
    rig.steps(3)
    assert rig.telegram.offsets == [-1, -1, 42]
    assert [asked["wait"] for asked in rig.telegram.asked[:2]] == [0, 0]
    assert store.inbox.counts().waiting == 1


def test_where_nothing_waits_nothing_is_dropped(store: Store) -> None:
    """drop_pending with an empty queue."""
    rig = Rig(store.inbox, [], [update(42)], drop_pending=True)
    rig.steps(2)
    assert rig.telegram.offsets == [-1, None]
    assert store.inbox.counts().waiting == 1


def test_updates_that_come_with_the_stop_are_left_to_the_next_start(store: Store) -> None:
    """An answer that comes after the stop is neither stored nor confirmed: the state file may be closed by then."""
    rig = Rig(store.inbox)
    rig.poller = Poller(
        lambda **_: (rig.stop.set(), [update(1)])[1],  # type: ignore[func-returns-value]  # two things in one expression
        store.inbox,
        rig.stop,
        DurableBacklog(store.inbox, rig.stop, 10),
        idle=IdleLimit(),
    )
    rig.poller.run()
    assert store.inbox.counts().waiting == 0


# ── what it survives ─────────────────────────────────────────────────────────────────────────────────────────────────


def lost(stage: str = "receive", elapsed: float = 0.1, **facts: Any) -> NetworkError:
    """An answer that was lost."""
    return NetworkError("it was lost", phase=Phase.MAYBE_SENT, stage=stage, elapsed=elapsed, **facts)


ERRORS = [
    NotSent("refused", stage="connect"),
    ProxyAuthRequired("407"),
    lost(),
    lost("body"),
    DeliveryUncertain("uncertain"),
    NetworkError("a portal's page", phase=Phase.ANSWERED),
    ServerError("restart", code=500),
    BadRequest("bad", code=400),
    Forbidden("no", code=403),
    NotFound("what", code=404),
    ApiError("teapot", code=418),
    Conflict("Conflict: terminated by other getUpdates request", code=409),
    Conflict("Conflict: can't use getUpdates method while webhook is active", code=409),
    RetryAfter("slow", code=429, parameters={"retry_after": 3}),
    ValueError("a mistake of ours"),
    RecursionError("too deep"),
    MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.goes_on_after("polling goes on after an error")
def test_no_error_but_one_stops_it(store: Store, error: Exception) -> None:
    """Ten of any error in a row: it pauses longer and longer within bounds, goes on, says so a few times at most, and says when it is over."""
    rig = Rig(store.inbox, *[error] * 10, [update(1)])
    with logged() as log:
        pauses = rig.steps(10)
        facts = rig.poller.facts
        assert facts.failures_in_a_row == 10
        assert facts.last_error
        assert all(0.2 <= pause <= 60.0 for pause in pauses)
        assert log.count("polling fails") <= 2
        assert log.count("polling fails", "WARNING") >= 1
        rig.steps(1)
        assert log.count("polling works again, after 10 failures", "WARNING") == 1
    assert store.inbox.counts().waiting == 1
    assert facts.failures_in_a_row == 0


def test_a_wrong_token_ends_it(store: Store) -> None:
    """Telegram's own 401 is raised."""
    with pytest.raises(Unauthorized):
        Rig(store.inbox, Unauthorized("Unauthorized", code=401)).poller.run()


def test_one_failure_is_no_warning(store: Store) -> None:
    """On a bad way single failures are ordinary: each spell is told once, and not as a warning."""
    rig = Rig(store.inbox, NotSent("a"), [update(1)], NotSent("b"), lost(), [update(2)])
    with logged() as log:
        rig.steps(5)
    assert log.count("polling fails", "INFO") == 2
    assert log.count("polling", "WARNING") == 0


def test_the_pauses_grow_with_jitter(store: Store) -> None:
    """Doubling from half a second to fifteen, less a random part."""
    pauses = Rig(store.inbox, *[NotSent("no")] * 12).steps(12)
    for n, pause in enumerate(pauses):
        whole = min(15.0, 0.5 * 2**n)
        assert whole / 2 <= pause <= whole
    assert len(set(pauses)) == 12


def test_it_waits_as_long_as_telegram_asks(store: Store) -> None:
    """429: exactly retry_after; and no answer is expected meanwhile."""
    rig = Rig(store.inbox, RetryAfter("slow", code=429, parameters={"retry_after": 17}))
    before = rig.poller.facts.expected_since
    assert rig.steps(1) == [17.0]
    assert rig.poller.facts.expected_since > before + 16


@pytest.mark.parametrize("seconds", [0, -1, 0.001])
def test_who_asks_for_no_wait_is_not_polled_at_once(store: Store, seconds: float) -> None:
    """A 429 that asks for no time, or less, is followed by a pause all the same: else the poller would spin."""
    assert Rig(store.inbox, *[RetryAfter("slow", code=429, parameters={"retry_after": seconds})] * 3).steps(3) == [0.5] * 3


def test_whoever_looks_between_two_steps_takes_no_held_back_poller_for_a_silent_one(store: Store) -> None:
    """When a poller is held back no more, it is known already that an answer is to be expected from then on, and not from before."""
    expected: list[float] = []

    class Watched(PollFacts):
        """Facts that are read, as by `Runtime.health`, right after each step."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "held_since" and value is None:
                expected.append(self.expected_since)

    rig = Rig(store.inbox, [])
    rig.poller.facts = Watched(expected_since=0.0)
    expected.clear()
    rig.poller.run()
    assert len(expected) == 2
    assert all(expected)


def test_between_two_polls_it_pauses_and_nothing_is_under_way(store: Store) -> None:
    """`run` waits out each pause, the first and shortest one too; a pause is not taken for a poll that hangs."""

    class Stop(threading.Event):
        """Lets no time pass, and looks what is under way."""

        def wait(self, timeout: float | None = None) -> bool:
            pauses.append((timeout, rig.poller.facts.under_way_since))
            return self.is_set()

    pauses: list[tuple[float | None, float | None]] = []
    rig = Rig(store.inbox)
    stop = Stop()
    telegram = Telegram(stop, NotSent("a"), NotSent("b"), RetryAfter("slow", code=429, parameters={"retry_after": 0.01}), [update(1)])
    rig.poller = Poller(telegram, store.inbox, stop, DurableBacklog(store.inbox, stop, 1000), idle=rig.idle)
    rig.poller.run()
    assert len(pauses) == 3
    assert all(seconds and under_way is None for seconds, under_way in pauses)


def test_after_a_lost_poll_a_conflict_may_be_its_own(store: Store) -> None:
    """In the minute after the start, and after a poll that was lost on the way, it says so; at other times somebody else polls."""
    now = [1000.0]

    def cause(*answers: Any) -> str:
        rig.telegram.answers += [*answers, Conflict("Conflict: terminated by other getUpdates request", code=409)]
        rig.steps(len(answers) + 1)
        return "own" if "an earlier poll of its own" in rig.poller.facts.last_error else "somebody"

    rig = Rig(store.inbox, clock=lambda: now[0])
    causes = [cause()]
    now[0] += 61.0
    causes += [cause(), cause(lost())]
    now[0] += 59.0
    causes.append(cause())
    now[0] += 2.0
    assert [*causes, cause()] == ["own", "somebody", "own", "own", "somebody"]


def test_where_another_way_stands_ready_it_tries_at_once(store: Store) -> None:
    """With another proxy to fail over to there is no pause."""
    assert Rig(store.inbox, NotSent("no", failover=True)).steps(1) == [0.0]


@pytest.mark.parametrize("words", ["Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"])
def test_a_conflict_says_its_likely_cause(store: Store, words: str) -> None:
    """Soon after a start or a lost poll it may be an earlier poll of its own; later it is a second instance. The waits grow to a minute."""
    conflict = Conflict(words, code=409)
    rig = Rig(store.inbox, *[conflict] * 10)
    with logged() as log:
        assert rig.steps(1)[0] < 1.0
        assert log.count("an earlier poll of its own", "WARNING") == 1
        rig.poller._lingers_until = 0.0  # a minute has passed
        assert rig.steps(9)[-1] > 25.0
        assert log.count("a second instance with the same token, here or on another machine", "WARNING") == 1
    assert rig.poller.facts.conflicts == 10


def test_a_webhook_is_reported_or_removed(store: Store) -> None:
    """A webhook keeps Telegram from answering: without take_over that is said at once, and how to remove it."""
    conflict = Conflict("Conflict: can't use getUpdates method while webhook is active; use deleteWebhook", code=409)
    with logged() as log:
        Rig(store.inbox, conflict).steps(1)
        assert log.count("take_over=True", "WARNING") == 1
    removed: list[int] = []
    rig = Rig(store.inbox, conflict, remove_webhook=lambda: removed.append(1))
    assert rig.steps(1) == [0.0]
    assert removed == [1]

    def fails() -> None:
        raise NotSent("no way")

    rig = Rig(store.inbox, conflict, remove_webhook=fails)
    with logged() as log:
        assert rig.steps(1)[0] > 0
        assert log.count("could not be removed: no way", "WARNING") == 1


def test_a_batch_that_does_not_come_through_is_halved(store: Store) -> None:
    """Half the limit for an answer that is cut in its body, down to one; doubled again when whole ones come."""
    rig = Rig(store.inbox, *[lost("body")] * 8, [update(1)], [update(2), update(3)], [update(4)])
    assert all(0.2 <= pause <= 15.0 for pause in rig.steps(8)), "a pause as after any failure"
    rig.steps(3)
    assert [asked["limit"] for asked in rig.telegram.asked[:10]] == [100, 50, 25, 12, 6, 3, 1, 1, 1, 2]
    assert rig.telegram.asked[10]["limit"] == 4


def test_a_poll_that_was_cut_after_a_while_is_asked_again_at_once(store: Store) -> None:
    """A way that cuts idle connections costs no time; the limit is learned, and the polls are shortened."""
    rig = Rig(store.inbox, [], lost(elapsed=20.0), [], lost(elapsed=20.2), [])
    pauses = rig.steps(4)
    assert pauses[1] == pauses[3] == 0.0
    assert rig.idle.next_wait() == 16
    assert rig.poller.facts.cut == 2


def test_a_poll_that_got_no_answer_at_all_is_counted_as_stalled(store: Store) -> None:
    """Longer than Telegram waits: something swallows the answers."""
    rig = Rig(store.inbox, [], lost(elapsed=52.0), lost(elapsed=52.0))
    rig.steps(3)
    assert rig.poller.facts.stalled == 2
    assert rig.idle.next_wait() == 25


def test_what_waits_is_asked_for_before_a_poll_waits(store: Store) -> None:
    """Only an answer tells that there is nothing more: a poll may be long on its way as well, as where a name is not found. It says nothing of how long one may
    wait either.
    """
    now, seen = [1000.0], list[bool]()

    def fetch(**asked: Any) -> list[Update]:
        now[0] += 60.0
        seen.append(rig.poller.up_to_date_row is not None)
        return rig.telegram(**asked)

    rig = Rig(store.inbox, NotSent("no way"), lost(elapsed=60.0), [update(number) for number in range(100)], [update(100)], [])
    rig.poller = Poller(fetch, store.inbox, rig.stop, DurableBacklog(store.inbox, rig.stop, 1000), idle=rig.idle, clock=lambda: now[0])
    rig.steps(5)
    assert seen == [False, False, False, False, True]
    assert [asked["wait"] for asked in rig.telegram.asked] == [0, 0, 0, 0, 50]


def test_answers_that_come_at_once_and_empty_are_not_asked_for_in_a_hurry(store: Store) -> None:
    """Something in between that answers everything with nothing gets no storm of polls, and is reported."""
    rig = Rig(store.inbox, *[[]] * 10)
    with logged() as log:
        pauses = rig.steps(10)
        assert log.count("come empty and at once") <= 2
    assert pauses[:2] == [0.0, 0.0]
    assert pauses[-1] > 5.0


def test_the_same_batch_again_and_again_is_not_asked_for_in_a_hurry(store: Store) -> None:
    """A server that ignores the offset gets no storm of polls."""
    pauses = Rig(store.inbox, *[[update(1)]] * 6).steps(6)
    assert pauses == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]


# ── with a real server ───────────────────────────────────────────────────────────────────────────────────────────────


def collects(app: Runtime) -> Seen:
    """Let it note what it is told."""
    seen = Seen()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        seen.add(update.message.text)

    return seen


@pytest.mark.parametrize(
    "answers",
    [
        [Answer.captive_portal(), Answer.captive_portal(200), Answer.redirect("http://login.example/")],
        [Answer.gateway(502), Answer.gateway(504)],
        [Answer.server_error(), Answer.error(404, "Not Found"), Answer.error(400, "Bad Request: strange")],
        [Answer.broken_json(), Answer.raw(b""), Answer.raw(b"\xff\xfe"), Answer.raw(b"[]"), Answer.raw(b'{"ok":true,"result":{"a":1}}')],
        [Answer.raw(b'{"ok":true,"result":[1,"x",null,[]]}'), Answer.raw(b"[" * 100_000)],
        [Answer.retry_after(1)],
        [Answer.error(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")],
        [Answer.normal().cut(0), Answer.normal().cut(50, reset=True), Answer.normal().cut(200)],
        [Answer.huge(1 << 30)],
    ],
    ids=["captive portal", "gateway", "errors", "no JSON", "odd JSON", "429", "409", "cut", "huge"],
)
def test_polling_goes_on_after_any_answer(server: BotApiServer, make_app: MakeApp, answers: list[Answer]) -> None:
    """Whatever something on the way answers, the poller goes on, and what waits is handled once."""
    app = make_app()
    seen = collects(app)
    server.script("getUpdates", *answers)
    server.user(id=42).send("hi")
    with running(app):
        seen.wait("hi")
        assert becomes(lambda: server.scripted_left == 0 and app.health()["ok"])
    assert seen.texts == ["hi"]


def test_it_goes_on_at_once_when_the_way_is_free(make_app: MakeApp, server: BotApiServer) -> None:
    """After a time without a proxy, what was sent meanwhile is handled within the pause that had been reached."""
    with FaultProxy() as proxy, logged() as log:
        app = make_app(bot_options={"proxies": [proxy.url]})
        seen = collects(app)
        with running(app):
            server.wait_polled()
            with proxy.refuse_connections():
                proxy.cut_all()
                log.wait("polling fails")
                server.user(id=42).send("sent while away")
            seen.wait("sent while away", seconds=12.0)  # less than the longest pause


def test_it_learns_an_idle_limit_through_a_real_proxy(server: BotApiServer, make_app: MakeApp) -> None:
    """A proxy that cuts what is idle for 3.3 s is found out, the polls get shorter, and the next start remembers."""
    with FaultProxy(idle_cut_after_seconds=3.3) as proxy:
        app = make_app(bot_options={"proxies": [proxy.url]})
        collects(app)
        with running(app):
            server.wait_until(lambda: any(request.params["timeout"] == 3 for request in server.requests_for("getUpdates")), 3 * SECONDS)
            assert 2 <= app.health()["cut"] <= 4, "two, and those that a busy machine made look older than the others"
            assert app.health()["ok"]
        server.script("getUpdates", Answer.ok([]))
        count = server.count("getUpdates")
        with running(app):
            server.wait_count("getUpdates", count + 2)
        assert str(server.requests_for("getUpdates")[count + 1].params["timeout"]) == "3"


def test_a_stalled_poll_is_ended_and_polled_anew(server: BotApiServer, make_app: MakeApp) -> None:
    """A tunnel that becomes a black hole costs one poll, is counted, and the next one brings what waits."""
    with FaultProxy() as proxy:
        proxy.script(Fault.never_answer())
        app = make_app(poll_wait=1, bot_options={"proxies": [proxy.url], "timeout": 2.0})
        seen = collects(app)
        with running(app):
            assert becomes(lambda: app.health()["stalled"] == 1)
            server.user(id=42).send("hi")
            seen.wait("hi")


@pytest.mark.parametrize("take_over", [False, True])
def test_a_webhook_that_is_set(server: BotApiServer, make_app: MakeApp, take_over: bool) -> None:
    """A webhook found at the start is removed with take_over, and left alone and reported without."""
    app = make_app(take_over=take_over)
    seen = collects(app)
    app.bot.call("setWebhook", url="https://example.org/hook")
    server.user(id=42).send("hi")
    with logged() as log, running(app):
        if take_over:
            seen.wait("hi")
            assert log.count("has been removed", "WARNING") == 1
        else:
            log.wait("remove it with Runtime(take_over=True)")
    assert bool(app.bot.call("getWebhookInfo")["url"]) is not take_over


def test_pending_updates_are_dropped_at_the_start_only(server: BotApiServer, make_app: MakeApp) -> None:
    """drop_pending_updates drops what waited before, a webhook stays as it is, and what comes later is handled."""
    user = server.user(id=42)
    app = make_app(drop_pending_updates=True)
    seen = collects(app)
    for n in range(5):
        user.send(f"old {n}")
    with running(app):
        assert becomes(lambda: not server.pending_updates)
        user.send("new")
        seen.wait("new")
    assert seen.texts == ["new"]
    assert server.count("deleteWebhook") == 0


def test_the_kinds_follow_from_the_handlers(server: BotApiServer, make_app: MakeApp) -> None:
    """Telegram is asked for the kinds that there are handlers for, unless others are given."""
    app = make_app()

    @app.message_reaction()
    def handler(update: Any, context: Context) -> None: ...

    with running(app):
        server.wait_polled()
        assert server.requests_for("getUpdates")[-1].params["allowed_updates"] == ["message", "message_reaction", "callback_query"]
    given = make_app(allowed_updates=["poll"])
    with running(given):
        server.wait_until(lambda: server.requests_for("getUpdates")[-1].params["allowed_updates"] == ["poll"], SECONDS)


def test_a_hundred_failures_are_few_lines(store: Store) -> None:
    """A way that fails in ever new words does not fill the log."""
    errors: list[Exception] = [NotSent(f"failure {n}", stage="connect") if n % 2 else lost() for n in range(100)]
    records: Records
    with logged() as records:
        Rig(store.inbox, *errors).steps(100)
    assert len(records.found) <= 3
