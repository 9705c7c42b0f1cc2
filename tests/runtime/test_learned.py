"""What a bot's connections learn stands in its state file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kits.runtime_kit import becomes, logged, running

from syncbot import Runtime
from syncbot.client.bot import Bot
from syncbot.runtime.session.learned_note import LearnedNote
from syncbot.storage import open_store
from syncbot.testing import BotApiServer, FaultProxy, TestCA
from syncbot.transport import FakeTransport, OneShotTransport
from syncbot.transport.learned import Learned


def test_a_bot_learns_by_its_polls_and_the_next_run_begins_with_it(ca: TestCA, tmp_path: Path) -> None:
    """Three openings go well, which the state file knows at the latest at the end; the first connection of the next run is opened early."""
    with BotApiServer(tls=True, ca=ca) as server, FaultProxy(username="ann", password="s3cret-word") as proxy:

        def bot() -> Bot:
            return Bot(server.token, proxies=[proxy.url], base_url=server.url, ca_file=ca.ca_file)

        def run(enough: Callable[[Learned], bool]) -> None:
            app = Runtime(bot(), state=tmp_path / "bot.db", poll_wait=1)
            app.command("start")(lambda update, context: None)
            transport = app.bot.transport
            assert isinstance(transport, OneShotTransport)
            with logged(), running(app):
                assert becomes(lambda: enough(transport.learned))

        # The proxy sees a trial come before the bot knows how it went, and on a busy machine one may not go well.
        run(lambda learned: any(facts["recent"].count("w") == 3 for facts in learned.facts()["ways"].values()))
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        established, early = proxy.established, proxy.came_early
        seen: list[int] = []

        def stands(_: Learned) -> bool:
            if proxy.established > established:
                seen.append(proxy.came_early - early)
            return bool(seen)

        run(stands)
        assert seen[0] > 0
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
        assert store.meta.get("learned")["servers"] == {}


def test_a_transport_that_learns_nothing_is_left_alone() -> None:
    """A transport of somebody's own need not know of it."""
    with open_store(None, 1) as store:
        LearnedNote(store.meta, FakeTransport()).keep()
        assert store.meta.get("learned") is None
