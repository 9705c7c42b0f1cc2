"""No thread dies in silence: what ends one ends the session with a reason, and nothing says "ok" while the bot does not poll."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kits.notify_kit import Manager
from kits.runtime_kit import SECONDS, Records, becomes, logged

from syncbot.client.bot import Bot
from syncbot.errors import NetworkError, NotSent, SyncBotError
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.session.monitor import Monitor
from syncbot.storage import open_store
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer
from syncbot.transport import FakeTransport, OneShotTransport
from syncbot.types import Proxy

MakeApp = Callable[..., Runtime]
ENDS = [SystemExit(0), KeyboardInterrupt(), GeneratorExit()]
"""What no net for errors catches."""


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """A service manager that wants to hear of the bot every 0.6 s."""
    found = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", found.address)
    monkeypatch.setenv("WATCHDOG_USEC", "600000")
    yield found
    found.close()


def app_of(transport: Any, folder: Path, **options: Any) -> Runtime:
    """A runtime with the waits of a real bot."""
    return Runtime(Bot(TEST_TOKEN, transport=transport, limits=None), **({"state": folder / "bot.db", "grace": 1.0} | options))


def fails(app: Runtime, log: Records) -> SyncBotError:
    """The reason that `join` raises and the log tells; nothing is well from then on."""
    with pytest.raises(SyncBotError) as caught:
        app.join(SECONDS)
    assert not app.health()["ok"]
    assert log.count("the runtime stops", "CRITICAL") == 1
    return caught.value


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_a_dead_poller_ends_the_session(end: BaseException, tmp_path: Path, manager: Manager) -> None:
    """Nothing feeds the service manager or the heartbeat any more, and `run` raises the reason."""
    heartbeat = tmp_path / "heartbeat"
    app = app_of(FakeTransport(getUpdates=[[], end]), tmp_path, heartbeat_file=heartbeat)
    with logged() as log:
        app.start()
        assert type(end).__name__ in str(fails(app, log))
    manager.drain()
    assert manager.is_silent(1.0)
    beaten = heartbeat.stat().st_mtime if heartbeat.exists() else 0.0
    assert time.time() - beaten > 0.9


@pytest.mark.parametrize("end", ENDS, ids=repr)
@pytest.mark.goes_on_after("delivery stops after an error")
def test_a_dead_deliverer_ends_the_session(end: BaseException, tmp_path: Path) -> None:
    """What is queued must not wait for ever behind a bot that is well."""
    app = app_of(FakeTransport(getUpdates=lambda call: threading.Event().wait(0.1) or [], sendMessage=end), tmp_path)
    with logged() as log:
        app.start()
        app.outbox.send_message(1, "queued")
        assert "delivery stopped" in str(fails(app, log))


def test_a_thread_that_leaves_in_order_is_not_dead(make_app: MakeApp) -> None:
    """Workers and deliverers come and go: one that ends between the look who is there and the look whether he lives does not end the bot."""
    ended = threading.Thread(target=lambda: None, name="ended")
    ended.start()
    ended.join()
    app = make_app()
    app.start()
    watched = app._lifecycle.components.monitor._watched  # type: ignore[union-attr]  # it runs
    looks = [{ended}]
    assert Monitor(watched, lambda: looks.pop() if looks else set(), lambda: False).dead_thread() == ""
    assert Monitor(watched, lambda: {ended}, lambda: False).dead_thread() == "the thread ended is dead"


class Clock:
    """A clock that stops to work in one of the threads.

    Args:
        thread: how the thread's name begins.
    """

    def __init__(self, thread: str) -> None:
        self.broken = threading.Event()
        self._thread = thread

    def __call__(self) -> float:
        """The time."""
        if self.broken.is_set() and threading.current_thread().name.startswith(self._thread):
            raise OverflowError("no such time")
        return time.monotonic()


@pytest.mark.parametrize("thread", ["syncbot-watchdog", "syncbot-ahead"])
@pytest.mark.goes_on_after("the watchdog of the connections has ended")
def test_a_dead_thread_of_the_transport_ends_the_session(thread: str, server: BotApiServer, tmp_path: Path) -> None:
    """Without what keeps calls to their time the bot is not well; and the same bot can be started again."""
    clock = Clock(thread)
    transport = OneShotTransport([Proxy.parse("direct")], ahead=2, clock=clock)
    bot = Bot(server.token, base_url=server.url, transport=transport, limits=None)
    app = Runtime(bot, state=tmp_path / "bot.db", grace=1.0)
    with logged() as log:
        app.start()
        server.wait_polled()
        assert becomes(lambda: app.health()["ok"])
        clock.broken.set()
        for _ in range(3):
            with suppress(NetworkError):  # that of the thread's end, wherever the call had come to
                bot.call("getMe", timeout=5.0)
        assert "OverflowError" in str(fails(app, log))
    clock.broken.clear()
    app.start()
    assert becomes(lambda: app.health()["ok"])
    assert app.join(0.6) is False
    app.stop()
    bot.close()


@pytest.mark.goes_on_after("the watchdog of the connections has ended")
def test_calls_go_on_after_the_watchdog_has_died(server: BotApiServer) -> None:
    """What is under way ends rather than go on without a bound, and the next call has a watchdog again."""
    clock = Clock("syncbot-watchdog")
    with Bot(server.token, base_url=server.url, transport=OneShotTransport([Proxy.parse("direct")], clock=clock), retry=None) as bot, logged():
        failed: list[BaseException] = []

        def poll() -> None:
            try:
                bot.call("getUpdates", timeout=50)
            except SyncBotError as error:
                failed.append(error)

        thread = threading.Thread(target=poll)
        thread.start()
        server.wait_polled()
        clock.broken.set()
        with suppress(NetworkError):
            bot.call("getMe", timeout=5.0)  # sooner than the poll: the watchdog looks at its clock
        thread.join(SECONDS)
        assert failed
        clock.broken.clear()
        assert bot.call("getMe")


def test_what_ends_run_once_is_raised_in_words(tmp_path: Path) -> None:
    """It raises an error of ours, whatever it was."""
    for end in ENDS:
        with logged(), pytest.raises(SyncBotError, match=type(end).__name__):
            app_of(FakeTransport(getUpdates=end), tmp_path).run_once(5.0)


@pytest.mark.parametrize("asked", ["5000000000000", "1e999", "9" * 401, "9" * 5000, "NaN", "-1", '"x"'])
def test_no_retry_after_ends_or_silences_the_poller(asked: str, server: BotApiServer, make_app: MakeApp) -> None:
    """Whatever it is told to wait, it waits an hour at most, and is alive."""
    body = b'{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":%b}}' % asked.encode()
    server.script("getUpdates", Answer.raw(body, status=429))
    app = make_app()
    with logged() as log:
        app.start()
        log.wait("polling fails")
        assert "syncbot-poller" in {thread.name for thread in threading.enumerate()}
        poller = app._lifecycle.components.poller  # type: ignore[union-attr]  # it runs
        assert poller.facts.expected_since - time.monotonic() <= 3600.0
        assert not poller.facts.polls > 1 or becomes(lambda: app.health()["ok"])
        assert not log.count("polling goes on after an error")


def test_a_bot_that_gets_no_answer_is_not_well_for_long(tmp_path: Path) -> None:
    """With the waits of a real bot: seconds after the last poll, and not a minute and a half, or never."""
    transport = FakeTransport(getUpdates=[[], NotSent("no route")])
    app = app_of(transport, tmp_path)
    with logged():
        app.start()
        assert transport.wait_for(lambda calls: len(calls) > 1)
        last = time.monotonic()
        assert becomes(lambda: not app.health()["ok"])
        assert time.monotonic() - last < 10.0
        assert not becomes(lambda: app.health()["ok"], 3.0)  # nor while it tries again
        transport.answer("getUpdates", lambda call: threading.Event().wait(0.1) or [])
        assert becomes(lambda: app.health()["ok"], 30.0)
        app.stop()


def test_a_name_of_the_bot_that_is_none_harms_nothing(tmp_path: Path) -> None:
    """A getMe that brings no object leaves commands with a name unhandled, and no update among the dead letters."""
    update = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "/start@other_bot"}}
    update["message"]["entities"] = [{"type": "bot_command", "offset": 0, "length": 16}]  # type: ignore[index]  # it is a dict
    app = app_of(FakeTransport(getUpdates=[[update], []], getMe=[[1]]), tmp_path)
    app.command("start")(lambda update, context: None)
    with logged():
        app.start()
        assert becomes(lambda: app.health()["handled"] == 1)
        app.stop()
    with open_store(tmp_path / "bot.db", None) as store:
        assert store.dead_letters.count() == 0
