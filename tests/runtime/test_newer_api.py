"""What python-telegram-bot's types do not know yet reaches handlers and filters all the same, and no field of an update is lost on the way."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import telegram
from kits.call_kit import spec_of
from kits.dispatch_kit import ALONE, ALONE_OF_BOT, GROUP, SAMPLES, Rig, message, update
from kits.runtime_kit import SECONDS, make_bot
from kits.types_kit import all_forms, back, full, full_updates, through_attributes, types

from syncbot import Runtime, filters
from syncbot.client.api.table import method_names
from syncbot.client.plain_bot import PlainBot
from syncbot.client.ptb.decode import decode
from syncbot.runtime.handling.kinds import KINDS
from syncbot.testing import BotApiServer

JSON = dict[str, Any]


@pytest.fixture(params=[True, False], ids=["types", "plain"])
def rig(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A bot with python-telegram-bot's types, and one with plain objects."""
    made = Rig()
    if not request.param:
        made.bot = PlainBot.of(made.bot)
    yield made
    made.close()


its_own_warnings = pytest.mark.filterwarnings("ignore:.*:telegram.warnings.PTBDeprecationWarning")
"""python-telegram-bot warns of a field that will have another type, when it makes the object that has it."""


@its_own_warnings
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["some", "every"])
@pytest.mark.parametrize("with_types", [True, False], ids=["types", "plain"])
def test_nothing_of_an_update_is_lost(with_types: bool, every: bool) -> None:
    """An update of each kind with every field of the Bot API set, in each of its forms, reaches its handler through a runtime as it was sent."""
    wanted, seen, done = dict[int, JSON](), dict[int, JSON](), threading.Event()
    with BotApiServer(slow_same_offset=False) as server:
        app: Any = Runtime(make_bot(server), state=None, workers=1) if with_types else Runtime(make_bot(server), types=False, state=None, workers=1)

        def handler(given: Any, _: Any) -> None:
            seen[given.update_id] = back(given) if with_types else through_attributes(given)
            if len(seen) == len(wanted):
                done.set()

        for kind in KINDS:
            app.on(kind.name)(handler)
        server.queue.allow(kind.name for kind in KINDS)
        for kind_name, value in full_updates(every):
            number = server.push(kind_name, value)
            assert number is not None
            wanted[number] = {"update_id": number, kind_name: value}
        with app:
            assert done.wait(4 * SECONDS)
    assert sorted(seen) == sorted(wanted)
    for number, raw in wanted.items():
        assert seen[number] == raw


@its_own_warnings
def test_nothing_of_a_result_is_lost() -> None:
    """A result of each type that methods return, with every field set, becomes an object that says all of it."""
    returned = {kind.removeprefix("Array of ") for name in method_names() for kind in spec_of(name).returns}
    for forms in all_forms():
        for kind in sorted(returned & set(types()) - {"Message", "Update"}):  # which the test above looks at
            raw = full(kind, forms)
            assert back(decode((kind,), raw)) == raw


@pytest.mark.parametrize("kind", ["subscription", "stopped_message_generation"])
def test_kinds_that_python_telegram_bot_lacks_reach_their_handlers(rig: Any, kind: str) -> None:
    """The decorator of such a kind, with filters for its user, gets the update; what remembers things knows its user."""
    seen: list[Any] = []

    @getattr(rig.app, kind)(filters=filters.user(7))
    def handler(given: Any, context: Any) -> None:
        seen.append(given)
        context.user_data["seen"] = kind

    @getattr(rig.app, kind)(filters=filters.user(8), group=1)
    def other(given: Any, context: Any) -> None:
        seen.append("a stranger's")

    raw = update(SAMPLES[kind], kind)
    changes = rig.handle(raw)
    assert [back(given) for given in seen] == [raw]
    assert changes.data[0].owner == 7


def test_a_pattern_tells_subscriptions_apart(rig: Any) -> None:
    """The pattern of `subscription` is for the payload of its invoice."""
    matched: list[str] = []

    @rig.app.subscription(r"order-(\d+)")
    def handler(_: Any, context: Any) -> None:
        matched.append(context.match[1])

    rig.handle(update(SAMPLES["subscription"], "subscription"))
    rig.handle(update(SAMPLES["subscription"] | {"invoice_payload": "gift-2"}, "subscription"))
    assert matched == ["1"]


@pytest.mark.parametrize(
    ("wanted", "raw", "fits"),
    [
        (filters.EPHEMERAL, update(ALONE), True),
        (filters.EPHEMERAL, update(), False),
        (filters.RICH_MESSAGE, update(text=None, rich_message={"blocks": []}), True),
        (filters.has("community_chat_added"), update(text=None, community_chat_added={"community": {"id": 1, "name": "C"}}), True),
        (filters.has("community_chat_removed"), update(text=None, community_chat_removed={}), True),
        (filters.SERVICE, update(text=None, community_chat_joined={"community": {"id": 1, "name": "C"}}), True),
        (filters.PRIVATE, update(SAMPLES["stopped_message_generation"], "stopped_message_generation"), True),
        (filters.GROUPS, update(SAMPLES["stopped_message_generation"], "stopped_message_generation"), False),
        (filters.language("pt"), update(SAMPLES["subscription"], "subscription"), True),
        (filters.chat(7), update(SAMPLES["stopped_message_generation"], "stopped_message_generation"), True),
    ],
)
def test_filters_see_what_python_telegram_bot_lacks(rig: Any, wanted: Any, raw: JSON, fits: bool) -> None:
    """A field that its types lack counts for the filters as any other."""
    seen: list[Any] = []
    for kind in KINDS:
        rig.app.on(kind.name, filters=wanted)(lambda given, _: seen.append(given))
    rig.handle(raw)
    assert bool(seen) is fits


# ── messages that one user alone sees ────────────────────────────────────────────────────────────────────────────────


def parameters(rig: Any) -> JSON:
    """Those of the last call."""
    found: JSON = rig.calls[-1].parameters
    return found


def handled(rig: Any, raw: JSON, work: Any) -> None:
    """Let a handler do something with an update."""
    kind = next(name for name in raw if name != "update_id")
    rig.app.on(kind)(lambda _, context: work(context))
    rig.handle(raw)


PRESS = update(SAMPLES["callback_query"] | {"message": ALONE_OF_BOT}, "callback_query")
FOR_ANNA: JSON = {"chat_id": -100, "receiver_user_id": 7, "ephemeral_message_id": 6}


def test_a_reply_stays_between_the_two(rig: Any) -> None:
    """What answers an ephemeral message is for its writer alone, and says which message it answers, so that a bot without rights may send it."""
    handled(rig, update(ALONE), lambda context: context.reply("psst"))
    assert parameters(rig) == {
        "chat_id": -100,
        "text": "psst",
        "ephemeral_message_parameters": {"receiver_user_id": 7},
        "reply_parameters": {"ephemeral_message_id": 5},
    }


def test_a_quote_of_it_is_the_same_answer(rig: Any) -> None:
    """quote=True adds nothing: the answer is a reply already."""
    handled(rig, update(ALONE), lambda context: context.reply("psst", quote=True, allow_sending_without_reply=True))
    assert parameters(rig)["reply_parameters"] == {"ephemeral_message_id": 5}


def test_an_answer_to_a_press_stays_between_the_two(rig: Any) -> None:
    """After a press under an ephemeral message the press is what the new message answers."""
    handled(rig, PRESS, lambda context: context.reply("psst"))
    assert parameters(rig) == {"chat_id": -100, "text": "psst", "ephemeral_message_parameters": {"receiver_user_id": 7, "callback_query_id": "cq"}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ephemeral_message_parameters": None}, {}),
        ({"ephemeral_message_parameters": {"receiver_user_id": 8}}, {"ephemeral_message_parameters": {"receiver_user_id": 8}}),
        ({"reply_parameters": {"message_id": 3}}, {"ephemeral_message_parameters": {"receiver_user_id": 7}, "reply_parameters": {"message_id": 3}}),
    ],
)
def test_the_caller_says_who_sees_a_reply(rig: Any, given: JSON, expected: JSON) -> None:
    """None is for everybody, another user for that one, and another message is answered where it is named."""
    handled(rig, update(ALONE), lambda context: context.reply("x", **given))
    assert parameters(rig) == {"chat_id": -100, "text": "x"} | expected


@pytest.mark.parametrize(
    ("work", "method", "expected"),
    [
        (lambda context: context.edit("new", parse_mode="HTML"), "editEphemeralMessageText", {"text": "new", "parse_mode": "HTML"}),
        (lambda context: context.edit_caption("new"), "editEphemeralMessageCaption", {"caption": "new"}),
        (lambda context: context.edit_media({"type": "photo", "media": "x"}), "editEphemeralMessageMedia", {"media": {"type": "photo", "media": "x"}}),
        (lambda context: context.edit_reply_markup({"inline_keyboard": []}), "editEphemeralMessageReplyMarkup", {"reply_markup": {"inline_keyboard": []}}),
        (lambda context: context.delete(), "deleteEphemeralMessage", {}),
    ],
)
def test_what_changes_it_has_methods_of_its_own(rig: Any, work: Any, method: str, expected: JSON) -> None:
    """The context's edits and delete of an ephemeral message under a pressed button are those that Telegram has for it."""
    rig.transport.answer(method, True)
    handled(rig, PRESS, work)
    assert (rig.calls[-1].method, parameters(rig)) == (method, FOR_ANNA | expected)


def test_an_edit_finds_the_ephemeral_message_that_was_sent_before(rig: Any) -> None:
    """reply and then edit is the pair that it is with ordinary messages."""
    rig.transport.answer("sendMessage", ALONE_OF_BOT)
    rig.transport.answer("editEphemeralMessageText", True)

    def work(context: Any) -> None:
        context.reply("psst")
        context.edit("louder")

    handled(rig, update(ALONE), work)
    assert (rig.calls[-1].method, parameters(rig)) == ("editEphemeralMessageText", FOR_ANNA | {"text": "louder"})


def test_after_an_ordinary_reply_the_ordinary_message_is_edited(rig: Any) -> None:
    """A public answer to an ephemeral command is edited as a public one."""
    rig.transport.answer("sendMessage", message("all", message_id=33, chat=GROUP))
    rig.transport.answer("editMessageText", True)

    def work(context: Any) -> None:
        context.reply("all", ephemeral_message_parameters=None)
        context.edit("all of you")

    handled(rig, update(ALONE), work)
    assert (rig.calls[-1].method, parameters(rig)) == ("editMessageText", {"chat_id": -100, "message_id": 33, "text": "all of you"})


def test_what_cannot_be_done_with_it_is_said(rig: Any) -> None:
    """Pins and reactions need a message that everybody sees; nothing is sent."""
    problems: list[str] = []

    def work(context: Any) -> None:
        for act in (context.pin, context.react):
            with pytest.raises(RuntimeError) as caught:
                act()
            problems.append(str(caught.value))

    handled(rig, update(ALONE), work)
    assert all(re.search("needs a message_id, and there is none", text) for text in problems)
    assert not rig.calls


@pytest.mark.parametrize("with_types", [True, False], ids=["types", "plain"])
def test_a_bot_without_rights_talks_to_one_member(with_types: bool) -> None:
    """A whole conversation that nobody else sees: command, answer, press, edit, deletion."""
    with BotApiServer(slow_same_offset=False) as server:
        bot = make_bot(server)
        app: Any = Runtime(bot, state=None) if with_types else Runtime(bot, types=False, state=None)
        app.command("secret")(lambda _, context: context.reply("Sure?", reply_markup={"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}))

        @app.callback_query("yes")
        def pressed(_: Any, context: Any) -> None:
            context.edit("Done.")
            context.reply("Gone soon.")
            context.delete()

        bot.set_my_commands([{"command": "secret", "description": "Ask", "is_ephemeral": True}])
        ann, bob = server.user(first_name="Ann"), server.user(first_name="Bob")
        group = server.group(members=[ann, bob])
        with app:
            group.send(ann, "/secret")
            group.seen_by(ann).wait_for("Sure?")
            ann.press("Yes", in_chat=group)
            group.seen_by(ann).wait_for("Gone soon.")
            server.wait_count("deleteEphemeralMessage", 1)
            server.wait_confirmed()
        assert [message.text for message in group.seen_by(ann).messages] == ["Gone soon."]
        assert group.seen_by(bob).messages == group.messages == []
        assert server.problems == []


@pytest.mark.parametrize("with_types", [True, False], ids=["types", "plain"])
def test_a_draft_is_stopped_by_one_who_may(with_types: bool) -> None:
    """The update of a stopped draft comes from the user of its chat, so that a list of allowed users lets it through; the answer goes into its thread."""
    with BotApiServer(slow_same_offset=False) as server:
        ann, eve = server.user(first_name="Ann"), server.user(first_name="Eve")
        bot = make_bot(server)
        app: Any = Runtime(bot, state=None, allowed_users={ann.id}) if with_types else Runtime(bot, types=False, state=None, allowed_users={ann.id})
        app.stopped_message_generation()(lambda _, context: context.reply("Stopped."))
        threads = {user.id: bot.create_forum_topic(user.id, "t").message_thread_id for user in (ann, eve)}
        with app:
            for user in (eve, ann):
                bot.send_message_draft(user.id, 1, "So far", message_thread_id=threads[user.id], can_stop=True)
                user.wait_for_draft("So far")
                user.stop_draft()
            assert ann.wait_for("Stopped.").data["message_thread_id"] == threads[ann.id]
            server.wait_confirmed()
        assert eve.messages == []


def test_what_an_object_of_a_keyboard_lacks_is_among_its_api_kwargs() -> None:
    """python-telegram-bot takes the rows of a keyboard alone; the rest stands where it puts what other types lack."""
    markup = {"inline_keyboard": [[{"text": "x", "disabled": {}}]], "force_reply": True}
    made = decode(("Message",), message(reply_markup=markup))
    assert isinstance(made, telegram.Message)
    assert made.reply_markup is not None
    assert made.reply_markup.api_kwargs == {"force_reply": True}
    assert made.reply_markup.inline_keyboard[0][0].api_kwargs == {"disabled": {}}
