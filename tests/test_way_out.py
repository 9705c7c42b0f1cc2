"""The way out is short, and one: how many of our frames lie between a handler and requests, and where every call of a bot passes."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests
from kits.dispatch_kit import SENT, update

import syncbot
from syncbot import Bot, Context, Limits, RetryPolicy
from syncbot.client.client import Call
from syncbot.storage import open_store
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport, OneShotTransport

PACKAGE = str(Path(syncbot.__file__).parent)
MOST_FRAMES = 8
"""Ours, from a handler to `requests.Session.send`, neither of them counted."""


class OnPurposeError(BaseException):
    """What nothing on the way catches."""


def ours_until_requests(error: BaseException) -> list[str]:
    """The functions of ours in an error's traceback, from the one that a handler called to the last one before requests."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [code.co_qualname for code in codes[: codes.index(requests.Session.send.__code__)] if code.co_filename.startswith(PACKAGE)]


WAYS: list[Callable[[Context], object]] = [
    lambda context: context.reply("hi", quote=True),
    lambda context: context.bot.send_message(chat_id=1, text="hi"),
    lambda context: context.bot.call("sendMessage", chat_id=1, text="hi"),
]


@pytest.mark.parametrize("failures", [0, 2])
@pytest.mark.parametrize("handler", WAYS, ids=["reply", "send_message", "call"])
def test_the_way_out_is_short(handler: Callable[[Context], object], failures: int) -> None:
    """Between a handler and requests there are at most eight frames of ours, in the first attempt and in a further one."""
    left = [OSError("no such name")] * failures

    def look_up(host: str, port: int, family: int) -> NoReturn:
        raise left.pop() if left else OnPurposeError()

    with Bot(TEST_TOKEN, transport=OneShotTransport(look_up=look_up), retry=RetryPolicy(first_wait=0.0), limits=Limits()) as bot:
        context = Context(bot, open_store(None, bot.id).data, raw=update())
        with pytest.raises(OnPurposeError) as raised:
            handler(context)
    ours = ours_until_requests(raised.value)
    assert ours[-1] == "OneShotTransport.send"
    assert {"Bot.carry", "Client.call"} <= set(ours)
    assert len(ours) <= MOST_FRAMES, ours


class Recorded(Bot):
    """A bot whose calls are answered from a record, and never made."""

    def __init__(self, *results: Any) -> None:
        super().__init__(TEST_TOKEN, transport=FakeTransport())
        self.calls: list[tuple[str, dict[str, str]]] = []
        self._results = list(results)

    def carry(self, call: Call) -> Any:
        """Answer from the record."""
        self.calls.append((call.method, call.encoded.fields))
        return self._results.pop(0)


def test_every_call_of_a_bot_passes_one_place(tmp_path: Path) -> None:
    """Named and encoded, whoever makes it: a handler, `call`, a poll, a download; what comes back there is the result."""
    bot = Recorded(SENT, True, [{"update_id": 5}], {"file_id": "f", "file_unique_id": "u"})
    store = open_store(None, bot.id)
    assert Context(bot, store.data, raw=update()).reply("hi").message_id == SENT["message_id"]
    assert bot.call("deleteMessage", chat_id=1, message_id=2) is True
    assert bot.fetch_updates(offset=5, limit=1, wait=0, allowed_updates=None, stop=threading.Event()) == [{"update_id": 5}]
    with pytest.raises(syncbot.SyncBotError):
        bot.download("f", tmp_path)
    assert bot.calls == [
        ("sendMessage", {"chat_id": "7", "text": "hi"}),
        ("deleteMessage", {"chat_id": "1", "message_id": "2"}),
        ("getUpdates", {"offset": "5", "limit": "1", "timeout": "0"}),
        ("getFile", {"file_id": "f"}),
    ]
    assert bot.transport.calls == []  # type: ignore[attr-defined]  # the fake one's
