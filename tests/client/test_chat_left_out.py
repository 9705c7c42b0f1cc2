"""`chat_id` left out: what is sent goes to the chat of the settings, and never where it was meant for somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncbot import Bot, Context, Outbox, Runtime, Settings
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.transport import FakeTransport

MESSAGE = {"message_id": 1, "date": 0, "chat": {"id": 42, "type": "private"}, "text": "x"}


def make_bot(transport: FakeTransport, **environ: str) -> Bot:
    """A bot with these settings."""
    settings = Settings.load("/dev/null", environ={"TELEGRAM_BOT_TOKEN": TEST_TOKEN, **environ})
    return Bot.from_settings(settings, transport=transport)


@pytest.mark.parametrize(("text", "chat"), [("42", 42), ("-1001234567890", -1001234567890), ("@somewhere", "@somewhere")])
def test_what_is_sent_goes_to_the_chat_of_the_settings(text: str, chat: int | str) -> None:
    """Texts and files alike; `bot.chat` names it, and a chat that is given wins."""
    transport = FakeTransport(sendMessage=MESSAGE, sendDocument=MESSAGE)
    bot = make_bot(transport, SYNCBOT_CHAT=text)
    assert bot.chat == chat
    bot.send_message(text="Done")
    bot.send_document(document=b"all is well", filename="report.txt")
    bot.send_message(7, "Done")
    assert [call["chat_id"] for call in transport.parameters("sendMessage")] == [chat, 7]
    assert [str(call["chat_id"]) for call in transport.parameters("sendDocument")] == [text]


def test_none_is_no_chat_that_was_left_out() -> None:
    """A variable that turns out to be None does not write to the owner."""
    transport = FakeTransport(sendMessage=MESSAGE)
    bot: Any = make_bot(transport, SYNCBOT_CHAT="42")
    for send in (lambda: bot.send_message(chat_id=None, text="secret"), lambda: bot.send_message(None, "secret"), lambda: bot.call("sendMessage", text="x")):
        with pytest.raises(TypeError, match="chat_id"):
            send()
    assert transport.calls == []


def test_only_what_sends_takes_it() -> None:
    """What deletes, edits or bans, and what is queued, names its chat; so does a bot without one, and is told how to get it."""
    transport = FakeTransport(sendMessage=MESSAGE)
    bot: Any = make_bot(transport, SYNCBOT_CHAT="42")
    with pytest.raises(TypeError, match="deleteMessage needs chat_id"):
        bot.delete_message(message_id=7)
    for without in (make_bot(transport), Bot(TEST_TOKEN, transport=transport)):
        assert without.chat is None
        with pytest.raises(TypeError, match="SYNCBOT_CHAT"):
            without.send_message(text="Done")
    assert transport.calls == []


def test_what_is_queued_names_its_chat(tmp_path: Path) -> None:
    """An outbox takes no chat from the settings: who fills it may be a handler of another process."""
    outbox: Any = Outbox(tmp_path / "bot.db", make_bot(FakeTransport(), SYNCBOT_CHAT="42"))
    with pytest.raises(TypeError, match="chat_id"):
        outbox.send_message(text="Done")


@pytest.mark.parametrize("options", [{}, {"durable": False}, {"state": None}, {"types": False}], ids=str)
def test_a_handler_names_its_chat(options: dict[str, Any], tmp_path: Path) -> None:
    """In a handler it is refused, by whichever name the bot goes and however the handler runs; what comes after it takes it again."""
    refused = []
    with BotApiServer(slow_same_offset=False) as server:
        owner, bob = server.user(42, "Owner"), server.user(43, "Bob")
        environ = {"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_CHAT": "42", "SYNCBOT_BASE_URL": server.url}
        bot = Bot.from_settings(Settings.load("/dev/null", environ=environ))
        app = Runtime(bot, **{"state": tmp_path / "bot.db"} | options)

        @app.message()
        def handle(update: Any, context: Context) -> None:
            for one in (context.bot, bot):
                with pytest.raises(TypeError, match="needs chat_id in a handler") as caught:
                    one.send_message(text="for Bob alone")
                refused.append(str(caught.value))
            context.reply("handled")

        with app:
            bob.send("hello")
            bob.wait_for("handled", 30)
        bot.send_message(text="the end")
        owner.wait_for("the end", 30)
        assert [message.text for message in owner.messages] == ["the end"]
    assert len(refused) == 2
