"""What a handler has beside its update: replies and their places, questions, data and states."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from kits.dispatch_kit import ANNA, FORUM, GROUP, JSON, PRIVATE, SAMPLES, SENT, Rig, Turn, message, update
from kits.storage_kit import set_state

from syncbot.client.api.table import find_method, method_names
from syncbot.client.ptb.decode import DecodeError
from syncbot.errors import AskTimeout
from syncbot.runtime.handling import reply_table as shortcuts
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.dispatcher import HandlerFailed
from syncbot.runtime.handling.replies import Replies
from syncbot.storage.promises.data import Scope


def context_of(rig: Rig, raw: JSON | None, turn: Turn | None = None) -> Context:
    """The context of an update."""
    return Context(rig.bot, rig.store.data, raw=raw, answers=turn)


def sample(kind: str, **fields: Any) -> JSON:
    """An update of a kind."""
    return update(SAMPLES[kind] | fields, kind)


# ── replies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

IN_TOPIC: JSON = {"chat": FORUM, "message_thread_id": 44, "is_topic_message": True}
DIRECT = {"id": -400, "type": "supergroup", "title": "DM", "is_direct_messages": True}

PLACES: list[tuple[JSON, JSON]] = [
    (update(), {"chat_id": 7}),
    (update(chat=GROUP), {"chat_id": -100}),
    (update(**IN_TOPIC), {"chat_id": -200, "message_thread_id": 44}),
    (update(chat=FORUM), {"chat_id": -200}),
    (update(chat=GROUP, message_thread_id=44), {"chat_id": -100}),
    (update(chat=PRIVATE, message_thread_id=44, is_topic_message=True), {"chat_id": 7, "message_thread_id": 44}),
    (update(chat=DIRECT, direct_messages_topic={"topic_id": 9}), {"chat_id": -400, "direct_messages_topic_id": 9}),
    (sample("edited_message"), {"chat_id": 7}),
    (sample("channel_post"), {"chat_id": -300}),
    (sample("business_message"), {"chat_id": 7, "business_connection_id": "bc"}),
    (sample("deleted_business_messages"), {"chat_id": 7, "business_connection_id": "bc"}),
    (sample("business_connection"), {"chat_id": 7}),
    (sample("callback_query"), {"chat_id": -100}),
    (sample("callback_query", message=message(**IN_TOPIC)), {"chat_id": -200, "message_thread_id": 44}),
    (sample("callback_query", message=message(business_connection_id="bc")), {"chat_id": 7, "business_connection_id": "bc"}),
    (sample("callback_query", message={"chat": GROUP, "message_id": 1, "date": 0}), {"chat_id": -100}),
    (sample("message_reaction"), {"chat_id": -100}),
    (sample("message_reaction_count"), {"chat_id": -100}),
    (sample("inline_query"), {"chat_id": 7}),
    (sample("chosen_inline_result"), {"chat_id": 7}),
    (sample("shipping_query"), {"chat_id": 7}),
    (sample("pre_checkout_query"), {"chat_id": 7}),
    (sample("poll_answer"), {"chat_id": 7}),
    (sample("my_chat_member"), {"chat_id": -100}),
    (sample("chat_join_request"), {"chat_id": 70}),
    (sample("chat_boost"), {"chat_id": -300}),
]


@pytest.mark.parametrize(("raw", "place"), PLACES)
def test_a_reply_goes_where_the_update_came_from(rig: Rig, raw: JSON, place: JSON) -> None:
    """Chat, forum topic, topic of direct messages and business account are filled in; what happened outside of chats is answered in private."""
    assert context_of(rig, raw).reply("hello").message_id == 99
    assert rig.transport.parameters("sendMessage") == [place | {"text": "hello"}]


@pytest.mark.parametrize("raw", [sample("poll"), sample("guest_message"), None, {"update_id": 1}, update(chat={"id": "x"}, from_user=None)])
def test_a_reply_to_nowhere_is_refused(rig: Rig, raw: JSON | None) -> None:
    """Where an update says no place, the reply fails in words before anything is sent; a guest message says what to use."""
    with pytest.raises(RuntimeError, match=r"context\.reply\(\) needs a chat_id, and there is none in"):
        context_of(rig, raw).reply("hello")
    assert rig.calls == []


def test_a_guest_message_is_answered_otherwise(rig: Rig) -> None:
    """The refusal for a guest message names `context.answer`."""
    with pytest.raises(RuntimeError, match=r"a guest message is answered with context\.answer"):
        context_of(rig, sample("guest_message")).reply("hello")


def test_places_can_be_chosen_by_hand(rig: Rig) -> None:
    """An explicit topic wins, None among it (the general topic); the chat and the business account are the update's own."""
    context = context_of(rig, update(**IN_TOPIC))
    context.reply("x", message_thread_id=5)
    context.reply("x", message_thread_id=None)
    assert [sent.get("message_thread_id") for sent in rig.transport.parameters("sendMessage")] == [5, None]
    with pytest.raises(TypeError, match=r"takes chat_id from the update; for another one use context\.bot\.send_message"):
        context.reply("x", chat_id=8)  # type: ignore[call-arg]  # wrong on purpose


def test_parameters_keep_their_order_and_their_checks(rig: Rig) -> None:
    """By position the parameters stand as in the bot's own method, less what is filled in; mistakes are refused as there."""
    context = context_of(rig, update())
    context.reply("*x*", "MarkdownV2", disable_notification=True)
    assert rig.transport.parameters("sendMessage") == [{"chat_id": 7, "text": "*x*", "parse_mode": "MarkdownV2", "disable_notification": True}]
    with pytest.raises(TypeError, match="did you mean 'parse_mode'"):
        context.reply("x", parse_mod="HTML")  # type: ignore[call-arg]  # wrong on purpose
    with pytest.raises(TypeError, match="text twice"):
        context.reply("x", text="y")  # type: ignore[misc]  # wrong on purpose
    with pytest.raises(TypeError, match=r"takes 5 values by position \(text, parse_mode"):
        context.reply("x", None, None, None, None, None)  # type: ignore[call-arg]  # wrong on purpose


QUOTES: list[tuple[JSON, JSON, JSON]] = [
    (update(), {"quote": True}, {"message_id": 11, "allow_sending_without_reply": True}),
    (update(), {"quote": True, "allow_sending_without_reply": False}, {"message_id": 11, "allow_sending_without_reply": False}),
    (sample("callback_query"), {"quote": True}, {"message_id": 21, "allow_sending_without_reply": True}),
    (sample("message_reaction"), {"quote": True}, {"message_id": 5, "allow_sending_without_reply": True}),
    (update(), {"reply_to_message_id": 3}, {"message_id": 3}),
]


@pytest.mark.parametrize(("raw", "options", "expected"), QUOTES)
def test_quotes(rig: Rig, raw: JSON, options: Any, expected: JSON) -> None:
    """`quote=True` replies to the update's message, and sends also when that is deleted meanwhile, unless told otherwise."""
    context_of(rig, raw).reply("x", **options)
    assert rig.transport.parameters("sendMessage")[0]["reply_parameters"] == expected


def test_wrong_quotes_are_refused(rig: Rig) -> None:
    """Quoting needs a message, and only one thing can be replied to."""
    with pytest.raises(RuntimeError, match="no message to quote in an update of the kind inline_query"):
        context_of(rig, sample("inline_query")).reply("x", quote=True)
    with pytest.raises(TypeError, match="either quote or reply_to_message_id"):
        context_of(rig, update()).reply("x", quote=True, reply_to_message_id=3)
    assert rig.calls == []


# What each method of the family needs beside what is filled in.
FAMILY: dict[str, JSON] = {
    "reply": {"text": "x"},
    "reply_photo": {"photo": "F"},
    "reply_live_photo": {"photo": "F", "live_photo": "F"},
    "reply_audio": {"audio": "F"},
    "reply_document": {"document": "F"},
    "reply_video": {"video": "F"},
    "reply_animation": {"animation": "F"},
    "reply_voice": {"voice": "F"},
    "reply_video_note": {"video_note": "F"},
    "reply_paid_media": {"star_count": 1, "media": [{"type": "photo", "media": "F"}]},
    "reply_media_group": {"media": [{"type": "photo", "media": "F"}, {"type": "photo", "media": "G"}]},
    "reply_location": {"latitude": 1.0, "longitude": 2.0},
    "reply_venue": {"latitude": 1.0, "longitude": 2.0, "title": "t", "address": "a"},
    "reply_contact": {"phone_number": "1", "first_name": "A"},
    "reply_poll": {"question": "?", "options": ["a", "b"]},
    "reply_checklist": {"checklist": {"title": "t", "tasks": []}},
    "reply_dice": {},
    "reply_sticker": {"sticker": "F"},
    "reply_rich_message": {"rich_message": {"html": "x"}},
    "reply_invoice": {"title": "t", "description": "d", "payload": "p", "currency": "XTR", "prices": [{"label": "l", "amount": 1}]},
    "reply_game": {"game_short_name": "g"},
    "reply_message_draft": {"draft_id": 1, "text": "x"},
    "reply_rich_message_draft": {"draft_id": 1, "rich_message": {"html": "x"}},
    "send_chat_action": {"action": "typing"},
}


@pytest.mark.parametrize("name", FAMILY)
def test_the_whole_family_fills_in_the_place(rig: Rig, name: str) -> None:
    """Every method of the family names chat, topic and business account as far as its Bot API method takes them, and can quote if that one can."""
    shortcut = shortcuts.SHORTCUTS[name]
    rig.transport.answer(shortcut.method, [SENT] if shortcut.spec.returns == ("Array of Message",) else True if "Boolean" in shortcut.spec.returns else SENT)
    context = context_of(rig, update(**IN_TOPIC, business_connection_id="bc"))
    options: JSON = {"quote": True} if "reply_parameters" in shortcut.spec.parameters else {}
    getattr(context, name)(**FAMILY[name], **options)
    sent = rig.transport.parameters(shortcut.method)[0]
    place = {"chat_id": -200, "message_thread_id": 44, "business_connection_id": "bc"}
    assert {key: sent.get(key) for key in place} == {key: value if key in shortcut.spec.parameters else None for key, value in place.items()}
    assert sent.get("reply_parameters", {}).get("message_id") == (11 if options else None)


def test_no_send_method_is_left_out() -> None:
    """Every method that sends into a chat has its reply; gifts, which are bought, are no replies."""
    sending = {name for name in method_names() if name.startswith("send") and "chat_id" in _parameters(name)} - {"sendGift"}
    assert {shortcuts.SHORTCUTS[name].method for name in FAMILY} == sending
    assert set(FAMILY) <= set(shortcuts.SHORTCUTS)


def _parameters(name: str) -> Any:
    spec = find_method(name)
    assert spec is not None
    return spec.parameters


@pytest.mark.parametrize("name", shortcuts.SHORTCUTS)
def test_shortcuts_fit_their_methods(name: str) -> None:
    """Every shortcut fills in parameters that its method has, is documented, and is a method of the context."""
    shortcut = shortcuts.SHORTCUTS[name]
    assert set(shortcut.fixed) & set(shortcut.spec.parameters)
    assert inspect.getdoc(getattr(Replies, name))


# ── edits, and what else is done with a message ──────────────────────────────────────────────────────────────────────

PRESSED = sample("callback_query")
PRESSED_INLINE = update({"id": "cq", "from": ANNA, "chat_instance": "c", "data": "d", "inline_message_id": "im"}, "callback_query")
EDITED: list[tuple[JSON, bool, JSON]] = [
    (PRESSED, False, {"chat_id": -100, "message_id": 21}),
    (PRESSED, True, {"chat_id": -100, "message_id": 21}),
    (PRESSED_INLINE, False, {"inline_message_id": "im"}),
    (PRESSED_INLINE, True, {"inline_message_id": "im"}),
    (sample("chosen_inline_result"), False, {"inline_message_id": "im"}),
    (sample("chosen_inline_result"), True, {"inline_message_id": "im"}),
    (update(), True, {"chat_id": 7, "message_id": 99}),
    (update(), False, {"chat_id": 7, "message_id": 11}),
    (sample("channel_post"), False, {"chat_id": -300, "message_id": 11}),
    (sample("business_message"), False, {"chat_id": 7, "message_id": 11, "business_connection_id": "bc"}),
    (sample("business_message"), True, {"chat_id": 7, "message_id": 99, "business_connection_id": "bc"}),
]


@pytest.mark.parametrize(("raw", "after_reply", "expected"), EDITED)
def test_edits(rig: Rig, raw: JSON, after_reply: bool, expected: JSON) -> None:
    """`edit` changes the message under the pressed button, else the last one sent from here, else the update's own."""
    rig.transport.answer("editMessageText", True)
    context = context_of(rig, raw)
    if after_reply:
        context.reply("first")
    context.edit("new")
    assert rig.transport.parameters("editMessageText") == [expected | {"text": "new"}]


def test_an_edit_of_nothing_is_refused(rig: Rig) -> None:
    """Where there is no message, `edit` says so."""
    with pytest.raises(RuntimeError, match=r"context\.edit\(\) needs a message_id, and there is none in an update of the kind inline_query"):
        context_of(rig, sample("inline_query")).edit("new")
    with pytest.raises(RuntimeError, match=r"context\.stop_poll\(\) needs a chat_id"):
        context_of(rig, PRESSED_INLINE).stop_poll()


ACTIONS: list[tuple[JSON, str, tuple[Any, ...], str, JSON]] = [
    (update(), "delete", (), "deleteMessage", {"chat_id": 7, "message_id": 11}),
    (PRESSED, "delete", (), "deleteMessage", {"chat_id": -100, "message_id": 21}),
    (sample("business_message"), "delete", (), "deleteBusinessMessages", {"business_connection_id": "bc", "message_ids": [11]}),
    (update(), "pin", (), "pinChatMessage", {"chat_id": 7, "message_id": 11}),
    (sample("business_message"), "unpin", (), "unpinChatMessage", {"chat_id": 7, "message_id": 11, "business_connection_id": "bc"}),
    (update(), "react", ("👍",), "setMessageReaction", {"chat_id": 7, "message_id": 11, "reaction": [{"type": "emoji", "emoji": "👍"}]}),
    (PRESSED, "edit_reply_markup", (), "editMessageReplyMarkup", {"chat_id": -100, "message_id": 21}),
    (PRESSED, "edit_caption", ("c",), "editMessageCaption", {"chat_id": -100, "message_id": 21, "caption": "c"}),
    (sample("chat_join_request"), "approve", (), "approveChatJoinRequest", {"chat_id": -100, "user_id": 7}),
    (sample("chat_join_request"), "decline", (), "declineChatJoinRequest", {"chat_id": -100, "user_id": 7}),
]


@pytest.mark.parametrize(("raw", "name", "values", "method", "expected"), ACTIONS)
def test_actions_on_the_message(rig: Rig, raw: JSON, name: str, values: tuple[Any, ...], method: str, expected: JSON) -> None:
    """Each names the message, or the request, that the update is about."""
    rig.transport.answer(method, True)
    assert getattr(context_of(rig, raw), name)(*values) is True
    assert rig.transport.parameters(method) == [expected]


def test_a_message_is_passed_on(rig: Rig) -> None:
    """`forward` and `copy` take where to, and fill in where from; the topic of the origin is not that of the other chat."""
    rig.transport.answer("forwardMessage", SENT)
    rig.transport.answer("copyMessage", {"message_id": 5})
    context = context_of(rig, update(**IN_TOPIC))
    context.forward(-300)
    assert context.copy(-300, caption="c").message_id == 5
    assert rig.transport.parameters("forwardMessage") == [{"chat_id": -300, "from_chat_id": -200, "message_id": 11}]
    assert rig.transport.parameters("copyMessage") == [{"chat_id": -300, "from_chat_id": -200, "message_id": 11, "caption": "c"}]


RESULT = {"type": "article", "id": "1", "title": "t", "input_message_content": {"message_text": "x"}}
ANSWERED: list[tuple[str, tuple[Any, ...], str, JSON, Any]] = [
    ("callback_query", ("Done",), "answerCallbackQuery", {"callback_query_id": "cq", "text": "Done"}, True),
    ("callback_query", (), "answerCallbackQuery", {"callback_query_id": "cq"}, True),
    ("inline_query", ([RESULT],), "answerInlineQuery", {"inline_query_id": "iq", "results": [RESULT]}, True),
    ("shipping_query", (False, None, "no"), "answerShippingQuery", {"shipping_query_id": "sq", "ok": False, "error_message": "no"}, True),
    ("pre_checkout_query", (True,), "answerPreCheckoutQuery", {"pre_checkout_query_id": "pq", "ok": True}, True),
    ("guest_message", (RESULT,), "answerGuestQuery", {"guest_query_id": "gq", "result": RESULT}, {"inline_message_id": "x"}),
    ("chat_join_request", ("approve",), "answerChatJoinRequestQuery", {"chat_join_request_query_id": "jq", "result": "approve"}, True),
]


@pytest.mark.parametrize(("kind", "values", "method", "expected", "result"), ANSWERED)
def test_answers(rig: Rig, kind: str, values: tuple[Any, ...], method: str, expected: JSON, result: Any) -> None:
    """`answer` is the method that ends the waiting of the update's query, whichever it is."""
    rig.transport.answer(method, result)
    assert context_of(rig, sample(kind)).answer(*values)
    assert rig.transport.parameters(method) == [expected]


def test_what_is_no_query_cannot_be_answered(rig: Rig) -> None:
    """For other updates `answer` names the right method; parameters of another kind of query are refused as unknown."""
    with pytest.raises(RuntimeError, match=r"none in an update of the kind message; use context\.reply"):
        context_of(rig, update()).answer("x")
    with pytest.raises(RuntimeError, match=r"use context\.approve\(\) or context\.decline"):
        context_of(rig, update({**SAMPLES["chat_join_request"], "query_id": None}, "chat_join_request")).answer("x")
    with pytest.raises(TypeError, match="answerInlineQuery has no parameter 'show_alert'"):
        context_of(rig, sample("inline_query")).answer(results=[], show_alert=True)  # type: ignore[call-overload]  # wrong on purpose
    assert rig.calls == []


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ask_sends_and_waits(rig: Rig) -> None:
    """`ask` sends the question as a reply, waits for the same user in the same chat, and returns the message."""
    turn = Turn(update(text="Anna", message_id=12, chat=FORUM))
    answer = context_of(rig, update(**IN_TOPIC), turn).ask("Your name?", timeout=20, quote=True)
    assert (answer.text, answer.message_id) == ("Anna", 12)
    assert turn.asked == [(-200, 7, 20)]
    sent = rig.transport.parameters("sendMessage")[0]
    assert (sent["text"], sent["message_thread_id"], sent["reply_parameters"]["message_id"]) == ("Your name?", 44, 11)


def test_ask_waits_five_minutes_by_default(rig: Rig) -> None:
    """The timeout is 300 s unless given, and its end is AskTimeout; the call's own time is bounded by `deadline`."""
    turn = Turn()
    with pytest.raises(AskTimeout):
        context_of(rig, update(), turn).ask("?", deadline=5)
    assert turn.asked == [(7, 7, 300.0)]


def test_an_answer_may_come_to_a_business_account(rig: Rig) -> None:
    """The answer can be a message of a business account."""
    turn = Turn(update(message("yes", business_connection_id="bc"), "business_message"))
    assert context_of(rig, sample("business_message"), turn).ask("?").text == "yes"


@pytest.mark.parametrize("raw", [sample("channel_post"), sample("inline_query"), sample("poll"), sample("guest_message"), None])
def test_ask_needs_a_user_in_a_chat(rig: Rig, raw: JSON | None) -> None:
    """Where there is no chat or no user, `ask` is refused before anything is sent."""
    with pytest.raises(RuntimeError, match="waits for a user in a chat"):
        context_of(rig, raw, Turn()).ask("?")
    assert rig.calls == []


def test_ask_is_refused_without_a_turn(rig: Rig) -> None:
    """Where nothing can be waited for, and in error handlers, `ask` is refused before anything is sent."""
    with pytest.raises(RuntimeError, match="not in error handlers"):
        context_of(rig, update()).ask("?")
    told: list[str] = []

    @rig.app.error
    def error(update: Any, context: Context) -> None:
        with pytest.raises(RuntimeError, match="not in error handlers"):
            context.ask("?")
        told.append("refused")

    rig.app.message()(lambda update, context: 1 / 0)
    with pytest.raises(HandlerFailed):
        rig.handle(update(), Turn(update()))
    assert told == ["refused"]
    assert rig.calls == []


def test_while_a_question_waits_others_may_write(rig: Rig) -> None:
    """After `ask` the dicts and the state show what other handlers wrote meanwhile, and the own changes stay."""
    data = rig.store.data
    data.save(Scope.USER, 7, {"same": 1, "theirs": 1, "gone": 1, "mine": 1, "removed": 1})
    set_state(data, 7, 7, "asking")
    turn = Turn(update(text="yes"))

    def meanwhile() -> None:
        data.save(Scope.USER, 7, {"theirs": 2, "mine": 2}, ["gone"])
        set_state(data, 7, 7, "theirs")

    turn.before_answer = meanwhile
    context = context_of(rig, update(), turn)
    own = context.user_data
    own["mine"] = 3
    del own["removed"]
    assert context.state == "asking"
    context.ask("?")
    assert context.user_data is own
    assert own == {"same": 1, "theirs": 2, "mine": 3}
    assert context.state == "theirs"
    changes = context.changes()
    assert [(change.changed, change.removed) for change in changes.data] == [({"mine": 3}, ("removed",))]
    assert changes.states == ()


def test_a_state_that_was_set_before_a_question_stays(rig: Rig) -> None:
    """What this handler has set wins over what others set while it waited."""
    turn = Turn(update(text="yes"))
    turn.before_answer = lambda: set_state(rig.store.data, 7, 7, "theirs")
    context = context_of(rig, update(), turn)
    context.state = "mine"
    context.ask("?")
    assert context.state == "mine"
    assert context.changes().states[0].state == "mine"


def test_an_answer_that_cannot_be_decoded_fails(rig: Rig) -> None:
    """A broken answer is an error of the asking handler."""
    with pytest.raises(DecodeError):
        context_of(rig, update(), Turn(update(date="x"))).ask("?")


# ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class CountingData:
    """A store's data that counts how often something is loaded."""

    def __init__(self, rig: Rig) -> None:
        self.inner = rig.store.data
        self.loads: list[Any] = []

    def load(self, scope: Scope, owner: int) -> JSON:
        """Count, and load."""
        self.loads.append((scope, owner))
        return self.inner.load(scope, owner)

    def get_state(self, chat: int, user: int) -> Any:
        """Count, and load."""
        self.loads.append("state")
        return self.inner.get_state(chat, user)


def test_only_what_is_touched_is_loaded_and_only_once(rig: Rig) -> None:
    """A handler that touches no data costs no look-up; one that does costs one for each dict and one for the state."""
    counting: Any = CountingData(rig)
    context = Context(rig.bot, counting, raw=update(chat=GROUP))
    assert context.changes().data == ()
    assert counting.loads == []
    for _ in range(2):
        assert (context.user_data, context.chat_data, context.bot_data, context.state) == ({}, {}, {}, None)
    assert counting.loads == [(Scope.USER, 7), (Scope.CHAT, -100), (Scope.BOT, 0), "state"]


def test_only_changed_keys_are_written(rig: Rig) -> None:
    """New, changed (also deep inside) and removed keys are written, and no others, so that parallel handlers keep each other's."""
    rig.store.data.save(Scope.CHAT, 7, {"same": [1], "deep": {"a": [1, {"b": 2}]}, "gone": 1, "swapped": {"x": 1}})
    context = context_of(rig, update())
    data = context.chat_data
    data["deep"]["a"][1]["b"] = 3
    data["new"] = (1, 2)
    data["same"] = [1]
    data["swapped"] = {"x": 1.0}
    del data["gone"]
    (change,) = context.changes().data
    assert (change.scope, change.owner, change.removed) == (Scope.CHAT, 7, ("gone",))
    assert change.changed == {"deep": {"a": [1, {"b": 3}]}, "new": (1, 2), "swapped": {"x": 1.0}}


def test_two_handlers_at_once_keep_each_others_keys(rig: Rig) -> None:
    """Two contexts that loaded the same dict and change different keys both count."""
    first, second = context_of(rig, update()), context_of(rig, update(chat=GROUP))
    first.bot_data["a"] = 1
    second.bot_data["b"] = 2
    for context in (first, second):
        rig.store.data.apply(context.changes())
    assert rig.store.data.load(Scope.BOT, 0) == {"a": 1, "b": 2}


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)
DEEP: Any = 1
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("key", "value", "error", "words"),
    [
        ("when", object(), TypeError, r"user_data\['when'\] cannot be stored"),
        ("set", {1}, TypeError, r"user_data\['set'\]"),
        ("nan", float("nan"), ValueError, r"user_data\['nan'\]"),
        ("circle", CIRCLE, ValueError, r"user_data\['circle'\]"),
        ("deep", DEEP, ValueError, r"user_data\['deep'\]"),
        (5, 1, TypeError, r"user_data\[5\] cannot be stored: a key has to be a str"),
    ],
    ids=["object", "set", "nan", "circle", "deep", "key"],
)
def test_what_is_no_json_is_refused_by_name(rig: Rig, key: Any, value: Any, error: type[Exception], words: str) -> None:
    """A value that the store could not give back is refused with its key."""
    context = context_of(rig, update())
    context.user_data[key] = value
    with pytest.raises(error, match=words):
        context.changes()


def test_there_is_no_data_of_nobody(rig: Rig) -> None:
    """Without a user or a chat the dicts say so; the bot's own is always there."""
    context = context_of(rig, sample("channel_post"))
    with pytest.raises(RuntimeError, match=r"no context\.user_data here: the update has no user"):
        _ = context.user_data
    with pytest.raises(RuntimeError, match=r"no context\.chat_data here: the update has no chat"):
        _ = context_of(rig, sample("guest_message")).chat_data
    assert context.bot_data == {}


# ── states ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_states_belong_to_a_user_in_a_chat(rig: Rig) -> None:
    """The state of one chat is not that of another, and is written at the end only."""
    context = context_of(rig, update())
    context.state = {"step": (1, 2)}
    assert context.state == {"step": [1, 2]}
    assert rig.store.data.get_state(7, 7) is None
    rig.store.data.apply(context.changes())
    assert context_of(rig, update()).state == {"step": [1, 2]}
    assert context_of(rig, update(chat=GROUP)).state is None


def test_a_state_that_is_changed_in_place_is_written(rig: Rig) -> None:
    """A list or dict that is the state may be changed without being set again; one that is only looked at is not written."""
    set_state(rig.store.data, 7, 7, ["a"])
    context = context_of(rig, update())
    assert context.state == ["a"]
    assert context.changes().states == ()
    context.state.append("b")
    assert context.changes().states[0].state == ["a", "b"]


def test_states_without_a_conversation(rig: Rig) -> None:
    """Where there is no user or no chat, there is no state, and setting one is refused; what is no JSON is refused at once."""
    context = context_of(rig, sample("inline_query"))
    assert context.state is None
    with pytest.raises(RuntimeError, match="no conversation here"):
        context.state = "x"
    with pytest.raises(TypeError, match=r"context\.state cannot be stored"):
        context_of(rig, update()).state = object()


# ── what the update is ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_facts_of_the_update(rig: Rig) -> None:
    """Kind, ids, update and message can be read without asking whether they are there."""
    context = context_of(rig, update())
    assert (context.kind, context.chat_id, context.user_id, context.args, context.match, context.error, context.job) == ("message", 7, 7, [], None, None, None)
    assert context.update is context.update
    assert context.message is context.update.message
    assert context_of(rig, PRESSED).message.message_id == 21
    assert context_of(rig, None).kind is None


def test_messages_that_are_not_there(rig: Rig) -> None:
    """`message` says in words that there is none, or that it is too old."""
    with pytest.raises(RuntimeError, match="no message in an update of the kind inline_query"):
        _ = context_of(rig, sample("inline_query")).message
    with pytest.raises(RuntimeError, match="not accessible any more"):
        _ = context_of(rig, sample("callback_query", message={"chat": GROUP, "message_id": 1, "date": 0})).message
    with pytest.raises(RuntimeError, match="no message in an update of the kind callback_query"):
        _ = context_of(rig, PRESSED_INLINE).message
