"""What a bot's connections learn stands in its state file; and what a day costs is reckoned from poll to poll."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kits.runtime_kit import becomes, logged, running

from syncbot import Runtime
from syncbot.client.bot import Bot
from syncbot.runtime.session.day_count import DayCount
from syncbot.runtime.session.learned_note import LearnedNote
from syncbot.storage import open_store
from syncbot.testing import BotApiServer, FaultProxy, TestCA
from syncbot.transport import FakeTransport, OneShotTransport

DAY_SECONDS = 86_400


def test_a_bot_learns_by_its_polls_and_the_next_run_begins_with_it(ca: TestCA, tmp_path: Path) -> None:
    """Three polls go well, which the state file knows at the latest at the end; the first connection of the next run is opened early."""
    with BotApiServer(tls=True, ca=ca) as server, FaultProxy(username="ann", password="s3cret-word") as proxy:

        def bot() -> Bot:
            return Bot(server.token, proxies=[proxy.url], base_url=server.url, ca_file=ca.ca_file)

        def run(enough: Callable[[], bool]) -> None:
            app = Runtime(bot(), state=tmp_path / "bot.db", poll_wait=1)
            app.command("start")(lambda update, context: None)
            with logged(), running(app):
                becomes(enough)

        run(lambda: proxy.came_early >= 3)
        opened, early = proxy.opened, proxy.came_early
        run(lambda: proxy.opened > opened)
        assert proxy.came_early - early == proxy.opened - opened
        with open_store(tmp_path / "bot.db", int(server.token.partition(":")[0])) as store:
            kept = store.meta.get("learned")
        assert list(kept["ways"]) == [f"http://*@127.0.0.1:{proxy.port} 127.0.0.1:{server.port}"]


def test_it_is_written_when_there_is_something_new(ca: TestCA) -> None:
    """Once for each change, and not at each look."""
    transport = OneShotTransport(ca_file=Path(ca.ca_file))
    with open_store(None, 1) as store:
        note = LearnedNote(store.meta, transport)
        note.keep()
        assert store.meta.get("learned") is None
        transport.learned.chose("api.example:443", lean=True)
        note.keep()
        store.meta.set("learned", None)
        note.keep()
        assert store.meta.get("learned") is None, "nothing has changed since"
        transport.learned.doubt("api.example:443")
        note.keep()
        assert store.meta.get("learned") == {"ways": {}, "servers": {}}


def test_a_transport_that_learns_nothing_is_left_alone() -> None:
    """A transport of somebody's own need not know of it."""
    with open_store(None, 1) as store:
        LearnedNote(store.meta, FakeTransport()).keep()
        assert store.meta.get("learned") is None


# ---------------------------------------------------------------------- bytes a day


class Meter:
    """A bot that polls, on a clock of its own."""

    def __init__(self) -> None:
        self.now, self.moved, self.polls = 5000.0, 70_000, 0
        self.count = DayCount(lambda: self.moved, lambda: self.now)

    def passes(self, seconds: float, moved: int, polls: int = 0) -> None:
        self.now += seconds
        self.moved += moved
        self.polls += polls
        self.count.tick(self.polls)


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.mark.parametrize("polls", [3, 10, 1000])
def test_a_quiet_bot_is_reckoned_by_its_polls(polls: int, meter: Meter) -> None:
    """What the start costs is not a part of every day: 2,000 bytes each 50 s are 3.5 MB, from the third poll on."""
    meter.passes(0.5, 30_000, polls=1)
    for _ in range(polls):
        meter.passes(50.0, 2_000, polls=1)
        meter.passes(20.0, 0)
        meter.now -= 20.0
    assert meter.count.bytes_a_day() == 2_000 * DAY_SECONDS // 50


def test_in_the_first_minutes_nothing_is_reckoned(meter: Meter) -> None:
    """Before two polls have ended it is what was moved, and not that many times over."""
    assert meter.count.bytes_a_day() == 0
    meter.passes(0.5, 30_000, polls=1)
    assert meter.count.bytes_a_day() == 30_000
    meter.passes(50.0, 2_000, polls=1)
    assert meter.count.bytes_a_day() == 32_000


def test_a_bot_without_polls_is_reckoned_by_the_hour(meter: Meter) -> None:
    """With a webhook there is no poll to go by."""
    meter.passes(1800.0, 10_000)
    assert meter.count.bytes_a_day() == 10_000
    meter.passes(1800.0, 10_000)
    assert meter.count.bytes_a_day() == 20_000 * 24
