"""An answer that came while a bot with a webhook was down is one: questions from before the start wait until Telegram has brought what there is."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, becomes

from syncbot import Bot, Context
from syncbot.client.retry import RetryPolicy
from syncbot.errors import AskTimeout, NotSent
from syncbot.runtime.receiving.backlog import MemoryBacklog
from syncbot.runtime.receiving.idle_limit import IdleLimit
from syncbot.runtime.receiving.poller import Poller
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.session.catching_up import CatchingUp
from syncbot.runtime.work.workers import Workers
from syncbot.storage import NO_CHANGES, Changes, Incoming, Store, open_store
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.transport import FakeTransport

MakeApp = Callable[..., Runtime]


@contextmanager
def serving(app: Runtime) -> Iterator[Runtime]:
    """A runtime that handles what a webhook brings."""

    @app.command("go")
    def go(update: Any, context: Context) -> None:
        context.reply(f"Hello {context.ask('Name?').text}")

    @app.error(AskTimeout)
    def late(update: Any, context: Context) -> None:
        context.reply("Too late")

    app.start(poll=False)
    try:
        yield app
    finally:
        app.stop()


def rows(state: str, sql: str) -> list[Any]:
    """What a statement finds in the state file, or has changed there."""
    with closing(sqlite3.connect(state, timeout=SECONDS)) as db, db:
        return db.execute(sql).fetchall()


def bring(app: Runtime, offset: int) -> int:
    """Bring all that waits at Telegram, which forgets it then; returns where the rest begins."""
    updates = app.bot.call("getUpdates", offset=offset)
    for update in updates:
        app.process(update)
    following: int = max([offset, *(update["update_id"] + 1 for update in updates)])
    app.bot.call("getUpdates", offset=following)
    return following


@pytest.mark.parametrize(("answer", "end"), [("Ada", "Hello Ada"), ("", "Too late")])
def test_an_answer_that_came_while_a_bot_with_a_webhook_was_down_is_one(answer: str, end: str, make_app: MakeApp, server: BotApiServer) -> None:
    """It is brought only after the start, when the question's time is over; where nothing waits at Telegram the question ends."""
    user = server.user(id=42)
    with serving(make_app()) as app:
        user.send("/go")
        following = bring(app, 0)
        user.wait_for("Name?", timeout=SECONDS)
        state = str(app.state)
        assert becomes(lambda: rows(state, "SELECT 1 FROM question"))
    assert len(rows(state, "UPDATE question SET until = 1.0 RETURNING 1")) == 1
    if answer:
        user.send(answer)
    asked = server.count("getWebhookInfo")
    with serving(make_app()) as app:
        assert becomes(lambda: server.count("getWebhookInfo") > asked)
        bring(app, following)
        user.wait_for(end, timeout=SECONDS)
    assert [message.text for message in user.messages] == ["Name?", end]


def test_telegram_is_not_asked_where_no_time_is_over(make_app: MakeApp, server: BotApiServer) -> None:
    """A start without questions costs no call."""
    with serving(make_app()) as app:
        user = server.user(id=42)
        user.send("/go")
        bring(app, 0)
        user.wait_for("Name?", timeout=SECONDS)
    assert server.count("getWebhookInfo") == 0


class Bench:
    """One process that has just started, with a webhook.

    Args:
        path: its state file.
    """

    def __init__(self, path: Path) -> None:
        self.now = 1000.0
        self.store: Store = open_store(path, 123456789)
        self.transport = FakeTransport(getWebhookInfo={"url": "https://bot.example", "pending_update_count": 1})
        self.bot = Bot(TEST_TOKEN, transport=self.transport, limits=None, retry=RetryPolicy(attempts=1))
        self.stop = threading.Event()
        self.may_end = threading.Event()
        self.store.inbox.recover()
        self.workers = Workers(self.store.inbox, self._handle, 1, self.stop)
        poller = Poller(lambda **_: [], self.store.inbox, self.stop, MemoryBacklog(self.stop), idle=IdleLimit(1, None, lambda _: None))
        self.catching_up = CatchingUp(self.bot, self.store, poller, self.workers, polls=False, clock=lambda: self.now)

    def close(self) -> None:
        """End it."""
        self.may_end.set()
        self.stop.set()
        self.workers.notify()
        self.workers.join(SECONDS, threading.Event())
        self.bot.close()
        self.store.close()

    def _handle(self, raw: dict[str, Any], turn: object) -> Changes:
        if raw.get("update_id") != 1:
            self.may_end.wait(SECONDS)
        return NO_CHANGES


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """One process."""
    bench = Bench(tmp_path / "bot.db")
    yield bench
    bench.close()


def test_telegram_is_asked_again_until_nothing_waits(bench: Bench) -> None:
    """Every two seconds at most; an answer that is none, or does not come, says nothing."""
    bench.workers.start()
    waits, none = {"url": "", "pending_update_count": 1}, {"url": "", "pending_update_count": 0}
    bench.transport.answer("getWebhookInfo", waits, NotSent("no route"), ["?"], none)
    for asked in range(1, 4):
        assert not bench.catching_up.is_through()
        assert not bench.catching_up.is_through()
        assert len(bench.transport.calls) == asked
        bench.now += 2.0
    assert becomes(bench.catching_up.is_through)
    assert len(bench.transport.calls) == 4
    bench.now += 2.0
    assert bench.catching_up.is_through()
    assert len(bench.transport.calls) == 4


def test_what_does_not_come_is_not_waited_for(bench: Bench) -> None:
    """Two and a half minutes after the start, whatever Telegram says, and without asking it."""
    bench.workers.start()
    assert not bench.catching_up.is_through()
    bench.now += 149.0
    assert not bench.catching_up.is_through()
    bench.now += 1.0
    assert becomes(bench.catching_up.is_through)
    assert len(bench.transport.calls) == 2


def test_what_another_process_has_stored_is_handled_first(bench: Bench, tmp_path: Path) -> None:
    """Also where the workers have not been told of it, and found nothing to do before."""
    bench.workers.start()
    assert becomes(lambda: bench.workers.is_through(0))
    with open_store(tmp_path / "bot.db", 123456789) as other:
        other.inbox.store([Incoming(1, "7", b"{}")])
    bench.transport.answer("getWebhookInfo", {"url": "", "pending_update_count": 0})
    assert not bench.catching_up.is_through()
    assert becomes(bench.workers.busy)
    assert not bench.catching_up.is_through()
    bench.may_end.set()
    assert becomes(bench.catching_up.is_through)


def test_workers_that_never_rest_have_caught_up_too(bench: Bench) -> None:
    """What counts is what came before the start; what has come since keeps the workers busy for ever."""
    bench.store.inbox.store([Incoming(1, "7", b'{"update_id":1}')])
    bench.transport.answer("getWebhookInfo", {"url": "", "pending_update_count": 0})
    assert not bench.catching_up.is_through()
    bench.store.inbox.store([Incoming(2, "8", b'{"update_id":2}'), Incoming(3, "9", b'{"update_id":3}')])
    bench.workers.start()
    assert becomes(bench.catching_up.is_through)
    assert not bench.workers.has_idle
