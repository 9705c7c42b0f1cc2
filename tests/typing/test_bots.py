"""Users' bots, which the type checker accepts (`test_typing.py`): what it accepts works."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from kits.dispatch_kit import Turn

from syncbot.client.bot import Bot
from syncbot.errors import NotSent
from syncbot.runtime.handling.dispatcher import Dispatcher, HandlerFailed
from syncbot.runtime.handling.router import Router
from syncbot.storage import open_store
from syncbot.storage.promises.data import Scope
from syncbot.storage.promises.parts import Store
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.transport import FakeTransport

BOTS = Path(__file__).resolve().parent / "bots"
USER = {"id": 7, "is_bot": False, "first_name": "Anna"}
CHAT = {"id": 7, "type": "private", "first_name": "Anna"}
SENT = {"message_id": 99, "date": 1, "chat": CHAT, "text": "sent"}
METHODS = ("sendDocument", "sendInvoice", "sendPhoto", "sendPoll", "sendLocation", "sendDice", "forwardMessage", "editMessageText")
QUERIES = ("answerCallbackQuery", "answerInlineQuery", "answerShippingQuery", "answerPreCheckoutQuery", "approveChatJoinRequest", "sendChatAction")


class Driver:
    """Hands updates to a bot's router, and keeps what it changes."""

    def __init__(self, router: Router) -> None:
        answers: dict[str, Any] = dict.fromkeys(("sendMessage", *METHODS), SENT) | dict.fromkeys(QUERIES, True)
        self.transport = FakeTransport(**answers, sendMediaGroup=[[SENT]], setMessageReaction=True, deleteMessage=True)
        bot = Bot("123456789:" + "A" * 35, transport=self.transport, limits=None)
        self.store: Store = open_store(None, bot.id)
        self.dispatcher = Dispatcher(router.routes, bot, self.store.data)

    def update(self, kind: str, payload: dict[str, Any], turn: Any = None) -> None:
        """Handle an update."""
        try:
            changes = self.dispatcher.handle({"update_id": 1, kind: payload}, turn)
        except HandlerFailed as failure:
            self.store.data.apply(failure.changes)
            raise
        self.store.data.apply(changes)

    def message(self, text: str | None, turn: Any = None, **fields: Any) -> None:
        """Handle a message."""
        self.update("message", message(text, **fields), turn)

    @property
    def sent(self) -> list[str]:
        """The texts that were sent, and the methods of what else was called."""
        return [call.parameters["text"] if call.method == "sendMessage" else call.method for call in self.transport.calls]


def message(text: str | None, **fields: Any) -> dict[str, Any]:
    """A message of the user's."""
    made: dict[str, Any] = {"message_id": 1, "date": 1, "chat": CHAT, "from": USER} | fields
    if text is not None:
        made["text"] = text
        made["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}] if text.startswith("/") else []
    return made


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Any:
    """The bots can be imported by their names."""
    sys.path.insert(0, str(BOTS))
    yield
    sys.path.remove(str(BOTS))


def bot(name: str) -> ModuleType:
    """A bot's module."""
    return importlib.import_module(name)


def test_the_shop_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every handler of the shop does what the checker took for right."""
    monkeypatch.chdir(tmp_path)
    Path("item.pdf").write_bytes(b"PDF")
    driver = Driver(bot("shop").router)
    driver.message("/start books")
    driver.message("/price tea")
    pressed = {"id": "c", "from": USER, "chat_instance": "c", "message": message("offer"), "data": "buy:12"}
    driver.update("callback_query", pressed)
    query = {"id": "q", "from": USER, "invoice_payload": "order-12", "currency": "XTR", "total_amount": 5}
    driver.update("pre_checkout_query", query)
    address = dict.fromkeys(("country_code", "state", "city", "street_line1", "street_line2", "post_code"), "x")
    driver.update("shipping_query", {"id": "s", "from": USER, "invoice_payload": "order-12", "shipping_address": address})
    payment = dict.fromkeys(("currency", "invoice_payload", "telegram_payment_charge_id", "provider_payment_charge_id"), "x") | {"total_amount": 5}
    driver.message(None, successful_payment=payment)
    driver.update("inline_query", {"id": "i", "from": USER, "query": "find tea", "offset": ""})
    driver.update("chosen_inline_result", {"result_id": "1", "from": USER, "query": "find tea", "inline_message_id": "im"})
    driver.message(None, photo=[{"file_id": "F", "file_unique_id": "U", "width": 1, "height": 1}])
    driver.message(None, location={"latitude": 1.0, "longitude": 2.0})
    driver.update("chat_join_request", {"chat": CHAT, "from": USER, "user_chat_id": 7, "date": 1})
    member = {"user": USER, "status": "member"}
    driver.update("my_chat_member", {"chat": CHAT, "from": USER, "date": 1, "old_chat_member": member, "new_chat_member": member})
    driver.update("poll_answer", {"poll_id": "p", "user": USER | {"id": 42}, "option_ids": [], "option_persistent_ids": []})
    assert driver.sent[:2] == ["<b>books</b>", "tea costs 5"]
    assert driver.sent[2:7] == ["answerCallbackQuery", "editMessageText", "sendInvoice", "answerPreCheckoutQuery", "answerShippingQuery"]
    assert driver.sent[7:13] == ["sendChatAction", "sendDocument", "answerInlineQuery", "editMessageText", "sendPhoto", "setMessageReaction"]
    assert driver.sent[13:] == ["sendMediaGroup", "sendPoll", "sendLocation", "approveChatJoinRequest", "Welcome", "hello"]
    assert driver.store.data.load(Scope.USER, 7) == {"last_offer": 99}
    assert driver.store.data.load(Scope.BOT, 0) == {"seen": 1}
    driver.store.close()


def test_the_conversations_work() -> None:
    """States lead from question to question, and `ask` asks in one go."""
    app = Router()
    bot("talk").register(app)
    driver = Driver(app)
    for text in ("/register", "Anna", "old", "33"):
        driver.message(text)
    driver.message("/order", Turn(*({"update_id": 2, "message": message(text)} for text in ("big", "here"))))
    assert driver.sent == ["Your name?", "Your age?", "A number, please", "Welcome, Anna", "Which size?", "And <b>where</b>?", "Ordered"]
    assert driver.store.data.load(Scope.USER, 7) == {"name": "Anna", "age": 33}
    assert driver.store.data.load(Scope.CHAT, 7) == {"orders": [["big", "here"]]}
    driver.message("/register")
    driver.message("/cancel")
    assert driver.store.data.get_state(7, 7) is None
    assert driver.store.data.load(Scope.USER, 7) == {}
    driver.store.close()


def test_the_bot_with_jobs_works() -> None:
    """Jobs in every form are taken as they were written, and those whose time comes run."""
    with BotApiServer(any_chat=True) as server, Bot(TEST_TOKEN, base_url=server.url, proxies="direct") as api, bot("timed").make(api) as app:
        for text in ("Tea is ready", "count: three rounds"):
            server.wait_for(text, timeout=60)
        texts = sorted(message.text or "" for message in server.sent if message.text != "Good morning")  # which may be due at this very moment
        assert texts == ["Tea is ready", "count: three rounds"]
        assert app.health()["failed"] == 0


def test_the_bot_in_parts_works() -> None:
    """Routers, groups, middleware, error handlers and filters of all sorts act together."""
    driver = Driver(bot("parts").app)
    origin = {"type": "user", "date": 1, "sender_user": USER}
    driver.message("a very long text that goes past the first handler", forward_origin=origin)
    driver.message("xyz")
    driver.message(None, voice={"file_id": "F", "file_unique_id": "U", "duration": 1})
    driver.message(None, dice={"emoji": "🎲", "value": 1})
    driver.update("channel_post", message("post", chat={"id": -3, "type": "channel", "title": "News"}))
    driver.message("/run")
    assert driver.sent == ["forwardMessage", "sendDice", "sendDice", "sendDice", "deleteMessage", "deleteMessage"]
    assert driver.store.data.load(Scope.BOT, 0)["seconds"] >= 0
    driver.transport.answer("forwardMessage", NotSent("no way", retryable=False))
    with pytest.raises(HandlerFailed):
        driver.message("x", forward_origin=origin)
    assert driver.store.data.load(Scope.BOT, 0)["trouble"] == "not sent"
    driver.message("/block 7", **{"from": USER | {"id": 1}})
    driver.message("xyz")
    assert driver.sent.count("sendDice") == 3
    assert driver.sent[-1] == "forwardMessage"
    driver.store.close()
