"""systemd's protocol, spoken to a real datagram socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kits.notify_kit import Manager
from kits.runtime_kit import PROGRAM, SECONDS, Process, becomes, program_arguments
from kits.timing_kit import soon, took

from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.session.notify import ServiceNotifier
from syncbot.testing import Answer, BotApiServer


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """A service manager at a path, or at an abstract address."""
    # Abstract addresses are the whole machine's: another run of these tests may be under way.
    found = Manager(str(tmp_path / "notify") if request.param == "path" else f"@syncbot-test-{uuid4()}")
    yield found
    found.close()


def test_the_words_are_systemds(manager: Manager) -> None:
    """READY=1 with a status, WATCHDOG=1 and STOPPING=1."""
    notifier = ServiceNotifier(manager.address, "3000000")
    notifier.ready("polling")
    notifier.alive()
    notifier.stopping()
    assert [manager.next() for _ in range(3)] == ["READY=1\nSTATUS=polling", "WATCHDOG=1", "STOPPING=1"]
    assert notifier.watchdog_seconds == 3.0


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody-listens-here"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    """No address, or one that nobody listens at, harms nothing."""
    ServiceNotifier(address, "soon").ready()
    assert ServiceNotifier(address, "soon").watchdog_seconds == 0.0


def test_a_runtime_tells_its_manager(manager: Manager, server: BotApiServer, make_app: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> None:
    """READY when it polls, WATCHDOG often enough, STOPPING at the stop; and nothing when NOTIFY_SOCKET is not set."""
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setenv("WATCHDOG_USEC", "1500000")
    app = make_app()
    app.start()
    assert manager.next() == "READY=1\nSTATUS=polling"

    def three() -> None:
        assert [manager.next() for _ in range(3)] == ["WATCHDOG=1"] * 3

    assert soon(1.5 * 3, lambda: took(three))
    app.stop()
    assert manager.drain()[-1] == "STOPPING=1"
    monkeypatch.delenv("NOTIFY_SOCKET")
    app.start()
    app.stop()
    assert manager.drain() == []


def test_a_network_that_is_away_is_no_reason_to_be_killed(
    tmp_path: Path, server: BotApiServer, make_app: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog goes on while Telegram cannot be reached, is silent while every worker hangs, and goes on after it."""
    manager = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setenv("WATCHDOG_USEC", "900000")
    app = make_app(workers=2, handler_warn_after=0.3)
    go_on = threading.Event()

    @app.message()
    def handler(update: Any, context: Context) -> None:
        go_on.wait(SECONDS)

    server.script("getUpdates", Answer.gateway(), times=2)
    app.start()
    try:
        assert manager.next().startswith("READY=1")
        assert [manager.next() for _ in range(3)] == ["WATCHDOG=1"] * 3
        for user in (1, 2):
            server.user(id=user).send("hang")
        assert becomes(lambda: app.health()["hung"] == 2)
        assert not app.health()["ok"]
        silent = False
        for _ in range(3):  # one may have been on its way; a watchdog that goes on would be heard each time
            manager.drain()
            silent = silent or manager.is_silent(0.7)
        assert silent
        go_on.set()
        assert manager.next() == "WATCHDOG=1"
    finally:
        go_on.set()
        app.stop()
        manager.close()


def test_a_standby_is_ready_and_alive(tmp_path: Path, server: BotApiServer) -> None:
    """A process that stands by tells its manager that it is ready, so that it is not taken for one that never starts."""
    manager = Manager(str(tmp_path / "notify"))
    source = PROGRAM + "app = Runtime(bot, state=STATE, standby=True, types=False)\napp.start()\nsay('started')\nsys.stdin.readline()\n"
    arguments = program_arguments(server, tmp_path / "bot.db")
    with Process(source, *arguments) as first:
        assert first.line() == "started"
        with Process(source, *arguments, environment={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000000"}):
            assert manager.next() == "READY=1\nSTATUS=standing by"
            assert manager.next() == "WATCHDOG=1"
    manager.close()
