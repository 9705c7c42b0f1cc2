"""`@app.album()`: what was sent together is handled together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from kits.dispatch_kit import ANNA, message
from kits.runtime_kit import SECONDS, Seen, logged, running

from syncbot import filters
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]


def photo(id: int, album: str = "g", **fields: Any) -> dict[str, Any]:
    """An update with a photo of an album."""
    return {"update_id": id, "message": message(None, message_id=100 + id, photo=PHOTO, media_group_id=album, **fields)}


def send(server: BotApiServer, *updates: dict[str, Any]) -> None:
    """Have Telegram give these; the ids are its own."""
    for update in updates:
        [(kind, value)] = [(name, value) for name, value in update.items() if name != "update_id"]
        server.push(kind, value)


def text(id: int, words: str) -> dict[str, Any]:
    """An update with a text."""
    return {"update_id": id, "message": message(words, message_id=100 + id)}


def shown(context: Context) -> str:
    """What an album's handler got."""
    return " ".join(str(found.message_id) for found in context.album)


def listening(app: Runtime, **options: Any) -> Seen:
    """Let it note albums and messages."""
    seen = Seen()
    app.message()(lambda update, context: seen.add(f"message {update.message.message_id}"))
    app.album(**options)(lambda update, context: seen.add(f"album {shown(context)}"))
    return seen


@pytest.mark.parametrize("options", [{}, {"state": None}, {"types": False}], ids=["file", "memory", "plain"])
def test_an_album_is_one_call(server: BotApiServer, make_app: MakeApp, options: dict[str, Any]) -> None:
    """All its messages come at once, in their order, between what was sent before and after it, by polling; and it is confirmed."""
    app = make_app(**options)
    seen = listening(app)
    send(server, text(1, "before"), photo(2, caption="three of them"), photo(4), photo(3), text(5, "behind"))
    with running(app):
        seen.wait("message 105")
        assert seen.texts == ["message 101", "album 102 103 104", "message 105"]
    assert not server.pending_updates


def test_parts_that_come_one_by_one(make_app: MakeApp) -> None:
    """What a webhook brings in requests of its own is one album, and is handled within a second of its last message."""
    app = make_app()
    seen = listening(app)
    app.start(poll=False)
    for id in range(1, 5):
        app.process(photo(id))
    began = time.monotonic()
    seen.wait("album 101 102 103 104")
    assert time.monotonic() - began < SECONDS
    app.stop()
    assert len(seen.texts) == 1


def test_an_album_inline_and_by_run_once(server: BotApiServer, make_app: MakeApp) -> None:
    """Where nothing may keep running, whoever has stored a message of it waits until it is complete."""
    app = make_app()
    seen = listening(app)
    assert app.handle(photo(1)).handled == 1
    send(server, photo(2), photo(3))
    summary = app.run_once()
    assert (summary.received, summary.handled, summary.left) == (2, 1, 0)
    assert seen.texts == ["album 101", "album 102 103"]


def test_without_a_handler_for_albums_each_message_is_an_update(make_app: MakeApp) -> None:
    """All stays as it is: nothing waits, and nothing is put together."""
    app, seen = make_app(), Seen()
    app.message()(lambda update, context: seen.add(f"{update.message.message_id} {len(context.album)}"))
    for id in (1, 2):
        began = time.monotonic()
        assert app.handle(photo(id)).handled == 1
        assert time.monotonic() - began < SECONDS
    assert seen.texts == ["101 0", "102 0"]


def test_an_album_that_nobody_wants_is_handled_message_by_message(server: BotApiServer, make_app: MakeApp) -> None:
    """Where no filter of a handler for albums fits, its messages go to the others, one after the other, and share data and state."""
    app, seen = make_app(), Seen()
    app.album(filters.CAPTION)(lambda update, context: seen.add("album"))

    @app.message(filters.PHOTO)
    def one(update: Any, context: Context) -> None:
        context.user_data["n"] = context.user_data.get("n", 0) + 1
        context.state = (context.state or 0) + 1
        seen.add(f"{update.message.message_id} {context.user_data['n']} {context.state}")

    send(server, photo(1), photo(2), photo(3))
    app.run_once()
    assert seen.texts == ["101 1 1", "102 2 2", "103 3 3"]
    assert dict(app.users()) == {7: {"n": 3}}


def test_groups_and_kinds_of_albums(server: BotApiServer, make_app: MakeApp) -> None:
    """The first handler of each group gets it, a state counts, and channels' albums are collected where they are asked for."""
    app, seen = make_app(), Seen()
    app.album(state="other")(lambda update, context: seen.add("wrong state"))
    app.album(kinds=("message", "channel_post"))(lambda update, context: seen.add(f"first {context.kind} {shown(context)}"))
    app.album()(lambda update, context: seen.add("second"))
    app.album(group=1)(lambda update, context: seen.add("group 1"))
    send(server, photo(1), photo(2))
    channel = {"id": -300, "type": "channel", "title": "News"}
    for id in (3, 4):
        send(server, {"update_id": id, "channel_post": message(None, message_id=id, photo=PHOTO, media_group_id="c", chat=channel, from_user=None)})
    assert set(app.kinds_asked_for()) == {"message", "channel_post", "callback_query"}
    app.run_once()
    assert sorted(seen.texts) == ["first channel_post 3 4", "first message 101 102", "group 1"]


def test_an_album_as_an_answer(server: BotApiServer, make_app: MakeApp) -> None:
    """Its first message answers the question that waits, and the others are messages like any."""
    app, seen, user = make_app(), Seen(), server.user(id=7)

    @app.command("ask")
    def ask(update: Any, context: Context) -> None:
        seen.add(f"answer {context.ask('A photo?').message_id}")

    app.album()(lambda update, context: seen.add("album"))
    app.message(filters.PHOTO)(lambda update, context: seen.add(f"message {update.message.message_id}"))
    with running(app):
        user.send("/ask")
        user.wait_for("A photo?", timeout=SECONDS)
        send(server, photo(1001), photo(1002))
        seen.wait("answer 1101", "message 1102")
    assert "album" not in seen.texts


def test_an_album_that_fails_is_one_dead_letter(server: BotApiServer, make_app: MakeApp) -> None:
    """Its handler's error buries it as a whole, and strangers' albums go nowhere."""
    app, seen = make_app(allowed_users={7}), Seen()

    @app.album()
    def album(update: Any, context: Context) -> None:
        seen.add(shown(context))
        raise ValueError("no")

    stranger = {**ANNA, "id": 666}
    send(server, photo(1), photo(2), photo(3, "x", from_user=stranger), photo(4, "x", from_user=stranger))
    with logged():
        assert app.run_once().failed == 1
    assert seen.texts == ["101 102"]


def test_a_button_about_one_message_of_an_album_answers_nothing_about_another(server: BotApiServer, make_app: MakeApp) -> None:
    """Who presses the first question's button twice has answered the first question alone, though one update holds both messages."""
    app, user = make_app(), server.user(id=7)
    app.album(filters.CAPTION)(lambda update, context: None)

    @app.message(filters.PHOTO)
    def one(update: Any, context: Context) -> None:
        context.reply(f"{update.message.message_id} {context.choose(f'{update.message.message_id}?', ['keep', 'drop'])}")

    send(server, photo(1), photo(2))
    with running(app):
        first = user.wait_for("101?", timeout=SECONDS)
        user.press(first, "drop")
        second = user.wait_for("102?", timeout=SECONDS)
        user.press(first, "drop")
        user.press(second, "keep")
        user.wait_for(lambda message: message.text.startswith("102 "), timeout=SECONDS)
    assert [message.text for message in user.messages] == ["101?", "101 drop", "102?", "102 keep"]


@pytest.mark.parametrize("state", ["file", None, pytest.param("postgres", marks=pytest.mark.programs("postgres"))])
def test_an_album_whose_name_nobody_could_store(server: BotApiServer, make_app: MakeApp, request: pytest.FixtureRequest, state: str | None) -> None:
    """Such a message is one by itself; it neither stops the polling nor holds up what comes with it."""
    options: dict[str, Any] = {} if state == "file" else {"state": request.getfixturevalue("postgres_url") if state else None}
    app = make_app(**options)
    seen = listening(app)
    send(server, photo(1, "half \ud83d"), photo(2, "zero \0"), photo(3, "whole"), text(4, "behind"))
    with running(app):
        seen.wait("message 101", "message 102", "album 103", "message 104")
