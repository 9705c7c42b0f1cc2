"""Texts of any length, sent in several messages."""

from __future__ import annotations

import traceback

import pytest
from telegram.constants import ParseMode

from syncbot.client.bot import Bot
from syncbot.errors import BadRequest, DeliveryUncertain, NetworkError, RetryAfter
from syncbot.keyboards import inline
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer
from syncbot.transport import FakeTransport

MESSAGE = {"message_id": 7, "date": 1_700_000_000, "chat": {"id": 1, "type": "private", "first_name": "Ann"}}
LONG = "\n".join(f"line {n} of a long text" for n in range(500))


def test_a_long_text_arrives_whole() -> None:
    """Telegram shows all of it, in order, with its markup on every piece."""
    with BotApiServer() as server, Bot(TEST_TOKEN, base_url=server.url, limits=None) as bot:
        ann = server.user(first_name="Ann")
        sent = bot.send_long(ann.id, f"<b>{LONG}</b>", ParseMode.HTML)
        assert len(sent) == 3
        assert "\n".join(message.text or "" for message in sent) == LONG
        assert all(message.entities[0].type == "bold" and message.entities[0].offset == 0 for message in sent)
        assert [message.message_id for message in sent] == [message.message_id for message in server.sent]
        assert server.problems == []


def test_4096_emoji_are_one_message() -> None:
    """Telegram counts characters, not UTF-16 units, so that nothing is cut that fits."""
    with BotApiServer() as server, Bot(TEST_TOKEN, base_url=server.url, limits=None) as bot:
        ann = server.user(first_name="Ann")
        assert len(bot.send_long(ann.id, "🙂" * 4096)) == 1
        sent = bot.send_long(ann.id, f"<b>{'🙂' * 5000}</b>", ParseMode.HTML)
        assert [len(message.text or "") for message in sent] == [4096, 904]
        assert [message.entities[0].length for message in sent] == [8192, 1808]


def test_each_option_goes_with_the_piece_that_it_is_for() -> None:
    """The first message replies, the last one has the keyboard, and the rest holds for all."""
    transport = FakeTransport(sendMessage=MESSAGE)
    bot = Bot(TEST_TOKEN, transport=transport)
    keyboard = inline([[("A", "a")]])
    bot.send_long(1, LONG, reply_to_message_id=5, message_effect_id="9", reply_markup=keyboard, disable_notification=True, message_thread_id=3, timeout=4)
    first, middle, last = transport.parameters("sendMessage")
    assert first["reply_parameters"] == {"message_id": 5}
    assert last["reply_markup"] == keyboard
    assert first.keys() == {"chat_id", "text", "disable_notification", "message_thread_id", "reply_parameters", "message_effect_id"}
    assert middle.keys() == {"chat_id", "text", "disable_notification", "message_thread_id"}
    assert last.keys() == middle.keys() | {"reply_markup"}
    assert {request.timeout for request in transport.requests} == {4}


def test_a_short_text_is_one_message_as_it_is() -> None:
    """What fits is sent untouched, with all its options; what is empty is left for Telegram to refuse."""
    refusal = BadRequest("Bad Request: message text is empty", code=400)
    transport = FakeTransport(sendMessage=[MESSAGE, refusal, refusal])
    bot = Bot(TEST_TOKEN, transport=transport)
    keyboard = inline([[("A", "a")]])
    assert len(bot.send_long(1, "*a*", "MarkdownV2", reply_to_message_id=5, reply_markup=keyboard)) == 1
    for empty in ("", "\n" * 5000):
        with pytest.raises(BadRequest) as caught:
            bot.send_long(1, empty)
        assert caught.value.sent == ()
        assert not hasattr(caught.value, "__notes__")
    assert transport.parameters("sendMessage")[0] == {
        "chat_id": 1,
        "text": "*a*",
        "parse_mode": "MarkdownV2",
        "reply_parameters": {"message_id": 5},
        "reply_markup": keyboard,
    }


def test_the_first_failure_stops_it_and_says_what_was_sent() -> None:
    """No piece is sent after one that failed; the error is the call's own, with the messages before it."""
    with BotApiServer() as server, Bot(TEST_TOKEN, base_url=server.url, limits=None) as bot:
        ann = server.user(first_name="Ann")
        server.script("sendMessage", Answer.normal(), Answer.normal().cut())
        with pytest.raises(DeliveryUncertain) as caught:
            bot.send_long(ann.id, LONG)
        assert [message.message_id for message in caught.value.sent] == [server.sent[0].message_id]
        assert server.count("sendMessage") == 2
        assert f"piece 2 of 3 failed; sent before it: message {server.sent[0].message_id}" in "".join(traceback.format_exception(caught.value))


def test_a_failure_of_the_first_piece() -> None:
    """Then nothing was sent, and the error says so."""
    bot = Bot(TEST_TOKEN, transport=FakeTransport(sendMessage=NetworkError("cut")), retry=None)
    with pytest.raises(NetworkError) as caught:
        bot.send_long(1, LONG)
    assert caught.value.sent == ()
    assert "sent before it: nothing" in caught.value.__notes__[0]


def test_a_flood_in_the_middle_is_waited_out() -> None:
    """A 429 is waited out as for any message, and no piece is sent twice."""
    wait = RetryAfter("Too Many Requests: retry after 0", code=429, parameters={"retry_after": 0})
    transport = FakeTransport(sendMessage=[MESSAGE, wait, MESSAGE])
    bot = Bot(TEST_TOKEN, transport=transport, limits=None)
    assert len(bot.send_long(1, LONG)) == 3
    assert len(transport.calls) == 4


def test_what_cannot_be_split_is_refused_before_anything_is_sent() -> None:
    """Broken markup, the old Markdown, and entities beside a long text."""
    transport = FakeTransport()
    bot = Bot(TEST_TOKEN, transport=transport)
    with pytest.raises(ValueError, match="never closed"):
        bot.send_long(1, f"<b>{LONG}", "HTML")
    with pytest.raises(ValueError, match="MarkdownV2"):
        bot.send_long(1, LONG, "Markdown")
    with pytest.raises(TypeError, match="parse_mode, not with entities"):
        bot.send_long(1, LONG, entities=[{"type": "bold", "offset": 0, "length": 1}])
    with pytest.raises(TypeError, match="did you mean"):
        bot.send_long(1, LONG, disable_notifications=True)
    assert transport.calls == []
