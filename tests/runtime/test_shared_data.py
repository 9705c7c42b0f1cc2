"""Data that several handlers change at once: no change is lost silently."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kits.dispatch_kit import message
from kits.runtime_kit import SECONDS, Seen, becomes, logged, running

from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import Scope, open_store
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]


class Others:
    """Somebody else who changes the bot's data, once for each time that is asked for, while a handler runs."""

    def __init__(self, path: Path, times: int = 1) -> None:
        self.path = path
        self.left = times

    def change(self, **values: Any) -> None:
        """Write these."""
        if self.left:
            self.left -= 1
            with open_store(self.path, None) as store:
                store.data.save(Scope.BOT, 0, values)

    def data(self) -> dict[str, Any]:
        """What stands there now."""
        with open_store(self.path, None) as store:
            return store.data.load(Scope.BOT, 0)


@pytest.fixture
def others(tmp_path: Path) -> Others:
    """Somebody else."""
    return Others(tmp_path / "bot.db")


def handled(app: Runtime) -> int:
    """Let it handle one update in the calling thread."""
    return app.handle({"update_id": 1, "message": message(text="hi")}).handled


@pytest.mark.parametrize("inline", [True, False])
def test_a_handler_that_has_called_nobody_runs_again(server: BotApiServer, make_app: MakeApp, others: Others, inline: bool) -> None:
    """A plain assignment to what somebody else has changed meanwhile: the handler runs again with the new value, and nobody notices."""
    app, seen, user = make_app(), Seen(), server.user(id=7)

    @app.message()
    def count(update: Any, context: Context) -> None:
        seen.add("run")
        number = context.bot_data.get("n", 0)
        others.change(n=10)
        context.bot_data["n"] = number + 1

    with logged() as log:
        if inline:
            assert handled(app) == 1
        else:
            with running(app):
                user.send("hi")
                seen.wait_number(2)
        assert log.count("was changed by two handlers") == 0
    assert (others.data(), len(seen.texts)) == ({"n": 11}, 2)


@pytest.mark.parametrize("inline", [True, False])
def test_a_handler_that_runs_again_gets_what_its_first_run_has_left(server: BotApiServer, make_app: MakeApp, others: Others, inline: bool) -> None:
    """The time that stands in the journal is the time of both runs."""
    app, runs, user = make_app(), Seen(), server.user(id=7)

    @app.message()
    def count(update: Any, context: Context) -> None:
        runs.add(context.now().isoformat())
        number = context.bot_data.get("n", 0)
        others.change(n=10)
        context.bot_data["n"] = number + 1

    if inline:
        assert handled(app) == 1
    else:
        with running(app):
            user.send("hi")
            runs.wait_number(2)
            assert becomes(lambda: others.data() == {"n": 11})
    first, second = runs.texts
    assert first == second


def test_behind_a_call_the_later_one_wins_with_one_warning(server: BotApiServer, make_app: MakeApp, others: Others) -> None:
    """A handler that has sent something is not run again: what it assigns is written, and it is said once how that is avoided."""
    app, user = make_app(), server.user(id=7)
    others.left = 2

    @app.message()
    def count(update: Any, context: Context) -> None:
        number = context.bot_data.get("n", 0)
        others.change(n=10 + others.left)
        context.reply("counted")
        context.bot_data["n"] = number + 1

    with logged() as log, running(app):
        for _ in range(2):
            user.send("hi")
            user.wait_for("counted", timeout=SECONDS)
    assert log.count("change it with context.bot_data.change('n', function)", "WARNING") == 1
    assert others.data() == {"n": 2}


def test_change_loses_nothing(server: BotApiServer, make_app: MakeApp) -> None:
    """Eight chats whose handlers count at once, behind a call: every count is there, and each update was answered once."""
    app, together = make_app(workers=8), threading.Barrier(8, timeout=SECONDS)
    users = [server.user(id=n + 1) for n in range(8)]

    @app.message()
    def count(update: Any, context: Context) -> None:
        context.bot_data.get("n")
        together.wait()
        context.reply("counted")
        context.bot_data.change("n", lambda number: number + 1, default=0)
        context.bot_data.change("names", lambda names: [*names, context.user_id], default=[])

    with running(app):
        for _ in range(3):
            for user in users:
                user.send("hi")
            for user in users:
                user.wait_for("counted", timeout=SECONDS)
    with open_store(app.state, None) as store:
        data = store.data.load(Scope.BOT, 0)
    assert data["n"] == 24
    assert sorted(data["names"]) == sorted(3 * list(range(1, 9)))
    assert all(len(user.messages) == 3 for user in users)


def test_the_function_sees_what_stands_there_at_the_end(make_app: MakeApp, others: Others) -> None:
    """It is called again with the value of others, and several changes of one key are all done again in their order."""
    app, values = make_app(), Seen()

    @app.message()
    def change(update: Any, context: Context) -> None:
        context.bot.send_message(7, "first a call")
        assert context.bot_data.change("n", lambda number: number + 1, default=0) == 1
        others.change(n=10, other="kept")
        assert context.bot_data.change("n", lambda number: number * 2) == 2
        values.add(str(context.bot_data["n"]))

    assert handled(app) == 1
    assert (others.data(), values.texts) == ({"n": 22, "other": "kept"}, ["2"])


def test_an_assignment_before_or_behind_a_change_is_one(make_app: MakeApp, others: Others) -> None:
    """A key that is assigned too is treated as an assignment, and so the handler runs again."""
    app, seen = make_app(), Seen()

    @app.message()
    def change(update: Any, context: Context) -> None:
        seen.add("run")
        context.bot_data["a"] = len(seen.texts)
        context.bot_data.change("a", lambda number: number + 10)
        context.bot_data.change("b", lambda number: number + 1, default=0)
        context.bot_data["b"] += 100
        others.change(a=5, b=5)

    assert handled(app) == 1
    assert (len(seen.texts), others.data()) == (2, {"a": 12, "b": 106})


def test_a_change_at_once_is_seen_at_once_and_stays(make_app: MakeApp, others: Others) -> None:
    """Others see it while the handler runs, it is not undone when that fails, and not repeated at its end."""
    app = make_app()

    @app.message()
    def change(update: Any, context: Context) -> None:
        others.change(n=5)
        assert context.bot_data.change("n", lambda number: number + 1, default=0, at_once=True) == 6
        assert others.data()["n"] == 6
        context.bot_data["half"] = True
        raise ValueError("no")

    with logged():
        assert handled(app) == 0
    assert others.data() == {"n": 6}


@pytest.mark.goes_on_after("could not be changed again")
def test_a_function_that_fails_on_the_new_value_is_the_handlers_failure(make_app: MakeApp, others: Others) -> None:
    """What cannot be done with what stands there now goes to the dead letters with its traceback, and nothing is written."""
    app = make_app()

    @app.message()
    def change(update: Any, context: Context) -> None:
        context.bot_data.change("n", lambda number: number + 1, default=0)
        others.change(n="a text")

    with logged():
        summary = app.handle({"update_id": 1, "message": message(text="hi")})
    assert summary.failed == 1
    with open_store(app.state, None) as store:
        assert "TypeError" in store.dead_letters.entries()[0].reason
    assert others.data() == {"n": "a text"}


def test_somebody_who_never_stops_does_not_hold_up_a_handler(make_app: MakeApp, others: Others) -> None:
    """After twenty runs what the handler has written wins, and that is said."""
    app, seen = make_app(), Seen()
    others.left = 1000

    @app.message()
    def count(update: Any, context: Context) -> None:
        seen.add("run")
        context.bot_data["n"] = context.bot_data.get("n", 0) + 1
        others.change(n=len(seen.texts) * 100)

    with logged() as log:
        assert handled(app) == 1
        assert log.count("was changed by two handlers") >= 1
    assert len(seen.texts) < 30


def test_a_handler_that_is_to_run_again_at_a_stop_has_ended_in_time(server: BotApiServer, make_app: MakeApp, others: Others) -> None:
    """It is put back, nobody says that it was too slow, and the next start runs it."""
    app, user, begun = make_app(), server.user(id=7), threading.Event()

    @app.message()
    def count(update: Any, context: Context) -> None:
        context.bot_data["n"] = context.bot_data.get("n", 0) + 1
        if others.left:
            others.change(n=10)
            begun.set()
            assert app.bot.stop_event is not None
            assert app.bot.stop_event.wait(SECONDS)

    with logged() as log:
        with running(app):
            user.send("hi")
            assert begun.wait(SECONDS)
        assert log.count("did not end in time") == 0
    with running(app):
        assert becomes(lambda: others.data() == {"n": 11})


def test_what_a_job_for_once_has_changed_is_written(server: BotApiServer, make_app: MakeApp, others: Others) -> None:
    """One that has sent something is not run again, as a handler is not: where others have changed the same, it wins, with the warning."""
    app, seen = make_app(), Seen()
    server.user(id=7)

    @app.later(0.001)
    def count(context: Context) -> None:
        context.bot_data["n"] = context.bot_data.get("n", 0) + 1
        context.bot.send_message(7, "counted")
        others.change(n=100)
        seen.add("run")

    with logged() as log, running(app):
        seen.wait("run")
        assert becomes(lambda: others.data() == {"n": 1})
        assert log.count("was changed by two handlers") == 1
    assert seen.texts == ["run"]


def test_jobs_and_queued_calls_are_done_once(make_app: MakeApp, others: Others) -> None:
    """A handler that has put a job or queued a call is not run again."""
    app, seen = make_app(), Seen()
    app.job("remind")(lambda context: None)

    @app.message()
    def count(update: Any, context: Context) -> None:
        seen.add("run")
        context.bot_data["n"] = context.bot_data.get("n", 0) + 1
        app.jobs.at(2e9, "remind")
        others.change(n=100)

    with logged():
        assert handled(app) == 1
    assert (len(seen.texts), len(app.jobs.entries()), others.data()) == (1, 1, {"n": 1})


@pytest.mark.programs("postgres")
@pytest.mark.parametrize("once", [False, True])
@pytest.mark.goes_on_after("the feeder goes on after an error")
def test_a_name_that_is_too_long_for_the_database(server: BotApiServer, make_app: MakeApp, postgres_url: str, once: bool) -> None:
    """A stranger's text as a name, longer than an index of PostgreSQL takes: that update is a dead letter which says so, and all others are handled."""
    app = make_app(state=postgres_url)
    long = "".join(Random(1).choices("абвгдежзийклмнопрстуфхцчшщъыьэюя", k=4000))

    @app.message()
    def count(update: Any, context: Context) -> None:
        context.user_data[update.message.text] = context.user_data.get(update.message.text, 0) + 1

    for id, text in ((1, "hi"), (2, long), (3, "ho")):
        server.user(id=id).send(text)
    if once:
        summary = app.run_once()
        assert (summary.handled, summary.failed, summary.error) == (2, 1, "")
    else:
        with running(app):
            assert becomes(lambda: app.health()["handled"] + app.health()["failed"] == 3)
    with open_store(postgres_url, app.bot.id) as store:
        [letter] = store.dead_letters.entries()
        assert "index row size" in letter.reason
        assert [store.data.load(Scope.USER, id) for id in (1, 2, 3)] == [{"hi": 1}, {}, {"ho": 1}]
        assert (store.inbox.counts().waiting, store.inbox.counts().running) == (0, 0)
