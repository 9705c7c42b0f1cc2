"""Several runtimes on one PostgreSQL, as on several machines: all handle, one polls, and what one loses another has."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from kits.postgres_kit import PostgresServer
from kits.runtime_kit import Seen, becomes, make_bot
from kits.timing_kit import soon, took
from kits.webhook_kit import body_of, call

from syncbot.errors import AlreadyRunning, StorageError
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import Scope, StoreOptions, open_store
from syncbot.storage.promises.inbox import Incoming
from syncbot.testing import BotApiServer

pytestmark = pytest.mark.programs("postgres")

Make = Callable[..., Runtime]


@pytest.fixture
def make(server: BotApiServer, postgres_url: str) -> Iterator[Make]:
    """Makes runtimes of one bot, and stops them in the end."""
    with ExitStack() as stack:

        def runtime(state: str = postgres_url, **options: Any) -> Runtime:
            app = Runtime(make_bot(server), state=state, types=False, poll_wait=1, **({"workers": 2} | options))
            stack.callback(app.stop)
            return app

        yield runtime


def pollers(*apps: Runtime) -> list[Runtime]:
    """Those of them that poll."""
    return [app for app in apps if app.health().get("polling")]


def test_all_handle_and_one_polls(server: BotApiServer, make: Make) -> None:
    """Each of three runtimes handles, one fetches; when that one stops, another one does, and nothing is missed or handled twice."""
    seen, threads = Seen(), set[str]()
    apps = [make() for _ in range(3)]
    for number, app in enumerate(apps):

        @app.message()
        def note(update: Any, context: Context, number: int = number) -> None:
            threads.add(str(number))
            seen.add(update.message.text)

        app.start()
    assert becomes(lambda: len(pollers(*apps)) == 1)
    users = [server.user(id=100 + number) for number in range(30)]
    for user in users:
        user.send(f"first {user.id}")
    seen.wait_number(30)
    [first] = pollers(*apps)
    first.stop()
    left = [app for app in apps if app is not first]
    assert becomes(lambda: len(pollers(*left)) == 1)
    for user in users:
        user.send(f"then {user.id}")
    seen.wait_number(60)
    assert sorted(seen.texts) == sorted([f"first {user.id}" for user in users] + [f"then {user.id}" for user in users])
    assert becomes(lambda: all(app.health()["ok"] for app in left))


def test_what_others_store_is_begun_at_once(make: Make, postgres_url: str) -> None:
    """An update that another process stores right behind another one does not wait for a look that is made now and then."""
    seen, number, app = Seen(), itertools.count(1), make()

    @app.message()
    def note(update: Any, context: Context) -> None:
        seen.add(update.message.text)

    app.start(poll=False)
    with open_store(postgres_url, app.bot.id) as store:

        def seconds_for_five() -> float:
            return took(lambda: [one_more() for _ in range(5)])

        def one_more() -> None:
            assert becomes(lambda: store.inbox.counts().running == 0)  # a worker that settles looks for more by itself
            update_id = next(number)
            update = {"update_id": update_id, "message": {"message_id": update_id, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "hello"}}
            store.inbox.store([Incoming(update_id, "7", json.dumps(update).encode())])
            seen.wait_number(update_id)

        assert soon(0.35, seconds_for_five, tries=20), "looks that are made ten times a second would take 0.4 s"


def test_an_answer_comes_through_any_of_them(server: BotApiServer, make: Make) -> None:
    """A handler that asks in one process is answered by the update that another one handles, as often as it asks."""
    seen = Seen()
    for app in (make(), make(), make()):

        @app.command("ask")
        def ask(update: Any, context: Context) -> None:
            name = context.ask("Your name?", timeout=20).text
            seen.add(f"{name} {context.ask('Your age?', timeout=20).text}")

        app.start()
    users = [server.user(id=200 + number) for number in range(8)]
    for words in ("/ask", "Ann", "42"):
        for place, user in enumerate(users):
            wanted = {"/ask": 0, "Ann": 1, "42": 2}[words]
            assert becomes(lambda user=user, wanted=wanted: len([one for one in user.messages if one.text.startswith("Your")]) == wanted), place
            user.send(words)
    seen.wait_number(8)
    assert seen.texts == ["Ann 42"] * 8


def test_a_handler_that_was_taken_over_does_nothing_more(
    server: BotApiServer, make: Make, postgres: PostgresServer, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """While a handler runs its process is taken for dead, and another one handles the update: the first one sends nothing, and what it wrote is not kept."""
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    slow, quick = make(), make()

    @slow.message()
    def hang(update: Any, context: Context) -> None:
        context.chat_data["by"] = "the one that hung"
        begun.set()
        go_on.wait(60)
        try:
            context.reply("from the one that hung")
        finally:
            ended.set()

    @quick.message()
    def answer(update: Any, context: Context) -> None:
        context.reply("from the other one")
        context.chat_data["by"] = "the other one"

    slow.start()
    user = server.user(id=7)
    user.send("hello")
    assert begun.wait(20)
    quick.start()
    postgres.run("UPDATE syncbot.member SET lease_until = '-infinity' WHERE id = (SELECT min(id) FROM syncbot.member)", postgres_url)
    assert becomes(lambda: [message.text for message in user.messages] == ["from the other one"])
    assert becomes(lambda: quick.health()["queue"] + quick.health()["in_flight"] == 0)
    go_on.set()
    assert ended.wait(20)
    assert becomes(lambda: any("taken for dead" in record.getMessage() for record in caplog.records))
    slow.stop()
    assert [message.text for message in user.messages] == ["from the other one"]
    with open_store(postgres_url, None) as store:
        assert store.data.load(Scope.CHAT, 7) == {"by": "the other one"}
    assert postgres.run("SELECT count(*) FROM syncbot.dead_letter", postgres_url) == [(0,)]


def test_polling_and_a_webhook_exclude_each_other(make: Make) -> None:
    """Beside processes that take what a webhook brings none polls, and the refusal says so; more of the same kind are welcome."""
    make().start(poll=False)
    make().start(poll=False)
    with pytest.raises(AlreadyRunning, match="webhook"):
        make().start()


def test_a_go_from_cron_leaves_the_polling_to_whoever_polls(make: Make) -> None:
    """`run_once` beside a process that polls is refused, and fetches where none does."""
    app = make()
    app.start()
    assert becomes(lambda: pollers(app))
    with pytest.raises(AlreadyRunning, match="leaves them to it"):
        make().run_once()
    app.stop()
    assert make().run_once(10.0).error == ""


def test_while_the_database_is_away(server: BotApiServer, make: Make) -> None:
    """A webhook is answered 503 with Retry-After, health is bad, and all goes on by itself when the server is back."""
    seen = Seen()
    with PostgresServer(own=True) as postgres:
        app = make(postgres.create_database(), store_options=StoreOptions(busy_timeout=0.5))

        @app.message()
        def note(update: Any, context: Context) -> None:
            seen.add(update.message.text)

        hook = app.wsgi("/hook", "secret")
        secret = {"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": "secret"}
        assert becomes(lambda: call(hook, body_of(1, "before"), **secret).status == 200)
        seen.wait("before")
        postgres.crash()
        answer = call(hook, body_of(2, "while"), **secret)
        assert (answer.status, "Retry-After" in dict(answer.headers)) == (503, True)
        with pytest.raises(StorageError) as refusal:
            app.process(body_of(2, "while"))
        assert refusal.value.retryable
        assert becomes(lambda: not app.health()["ok"])
        postgres.start()
        assert becomes(lambda: call(hook, body_of(2, "while"), **secret).status == 200)
        seen.wait("while")
        assert becomes(lambda: app.health()["ok"])
        app.stop()
    assert seen.texts == ["before", "while"]


def test_what_waits_behind_a_question_goes_on_meanwhile(server: BotApiServer, make: Make) -> None:
    """Updates of one chat are claimed in runs; where the first of one asks, the rest of it is handled in its order, and one of them is the answer."""
    seen, begin = Seen(), threading.Event()
    app = make(workers=1)

    @app.message()
    def handler(update: Any, context: Context) -> None:
        begin.wait(20)
        if update.message.text == "ask":
            seen.add(f"answered {context.ask('Which?', timeout=20).text}")
        else:
            seen.add(update.message.text)

    user = server.user(id=9)
    for text in ("first", "ask", "this", "one", "two", "three"):
        user.send(text)
    app.start()
    assert becomes(lambda: app.health()["queue"] + app.health()["in_flight"] == 6)
    begin.set()
    seen.wait("answered this", "three")
    assert [text for text in seen.texts if not text.startswith("answered")] == ["first", "one", "two", "three"]
    assert becomes(lambda: app.health()["queue"] + app.health()["in_flight"] == 0)


def test_a_run_keeps_its_order(server: BotApiServer, make: Make) -> None:
    """Many updates of a few chats, handled by two processes with several threads, come one after the other in each chat, data and all."""
    apps = [make(workers=4) for _ in range(2)]
    seen, wrong = Seen(), list[str]()
    users = [server.user(id=300 + number) for number in range(3)]
    for number in range(40):
        for user in users:
            user.send(str(number))
    for app in apps:

        @app.message()
        def count(update: Any, context: Context) -> None:
            data = context.chat_data
            if data.get("next", 0) != int(update.message.text):
                wrong.append(f"{update.message.chat.id}: {update.message.text} after {data.get('next', 0) - 1}")
            data["next"] = int(update.message.text) + 1
            seen.add(update.message.text)

        app.start()
    seen.wait_number(120)
    assert wrong == []
