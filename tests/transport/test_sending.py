"""When a call is told that its first byte is about to leave, and what follows from what that raises."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import responses
from kits.transport_kit import becomes, open_descriptors

from syncbot import Bot, Limits, NotSent, RetryPolicy
from syncbot.client.client import Call
from syncbot.client.encode import Encoded
from syncbot.errors import StorageError
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy

HELLO = Encoded({"chat_id": "42", "text": "hi"})


@dataclass
class Told:
    """Notes what a call is told, with what the server had got by then.

    Args:
        server: whose calls are counted; None for none.
        raises: what it raises when the first byte is about to leave.
    """

    server: BotApiServer | None = None
    raises: Exception | None = None
    seen: list[str] = field(default_factory=list)

    def sending(self) -> None:
        """Note it."""
        self.seen.append("sending" if self.server is None else f"sending, {self.server.count_text('hi')} there")
        if self.raises is not None:
            raise self.raises

    def refused(self) -> None:
        """Note it."""
        self.seen.append("refused")


def test_it_is_told_before_anything_has_arrived() -> None:
    """The connection stands, and Telegram has nothing of it yet."""
    with BotApiServer(any_chat=True) as server, Bot(server.token, base_url=server.url, proxies="direct") as bot:
        told = Told(server)
        bot.carry(Call("sendMessage", HELLO, witness=told))
        assert told.seen == ["sending, 0 there"]
        assert server.count_text("hi") == 1


def test_what_that_raises_is_what_the_call_raises_and_nothing_leaves() -> None:
    """Nothing arrives, and no connection stays open."""
    with BotApiServer(any_chat=True) as server, Bot(server.token, base_url=server.url, proxies="direct", ahead=0) as bot:
        bot.call("getMe")
        before = open_descriptors()
        trouble = StorageError("full", retryable=True)
        for _ in range(5):
            with pytest.raises(StorageError) as raised:
                bot.carry(Call("sendMessage", HELLO, witness=Told(raises=trouble)))
            assert raised.value is trouble
        assert server.count_text("hi") == 0
        assert becomes(lambda: open_descriptors() <= before)


def test_an_attempt_that_never_comes_so_far_is_not_told() -> None:
    """A way that fails before the request leaves nothing to be told, and the next attempt is told as the first."""
    with (
        BotApiServer(any_chat=True, tls=True) as server,
        FaultProxy() as proxy,
        Bot(server.token, base_url=server.url, proxies=[proxy.url], ca_file=server.ca_file, retry=RetryPolicy(first_wait=0.0)) as bot,
    ):
        proxy.script(Fault.tls_drop(), Fault.tls_drop())
        told = Told()
        bot.carry(Call("sendMessage", HELLO, witness=told))
        assert told.seen == ["refused", "refused", "sending"]


def test_what_telegram_puts_off_is_told_as_refused() -> None:
    """Before the wait for the next attempt, which is told anew."""
    with BotApiServer(any_chat=True) as server, Bot(server.token, base_url=server.url, proxies="direct", limits=Limits()) as bot:
        server.answer_next(Answer.error(429, "slow", retry_after=0))
        told = Told()
        bot.carry(Call("sendMessage", HELLO, witness=told))
        assert told.seen == ["sending", "refused", "sending"]


def test_a_mock_in_the_place_of_requests_is_told_too() -> None:
    """Nobody connects there: it is told before the mock is asked."""
    with responses.RequestsMock() as mock, Bot(TEST_TOKEN, proxies="direct") as bot:
        mock.post(f"https://api.telegram.org/bot{TEST_TOKEN}/sendMessage", json={"ok": True, "result": True})
        told = Told()
        bot.carry(Call("sendMessage", HELLO, witness=told))
        assert told.seen == ["sending"]


def test_without_a_way_nothing_is_told_but_that_it_did_nothing() -> None:
    """A call that fails as NotSent is never under way."""
    told = Told()
    with Bot(TEST_TOKEN, base_url="http://127.0.0.1:1", proxies="direct", retry=None) as bot, pytest.raises(NotSent):
        bot.carry(Call("sendMessage", HELLO, witness=told))
    assert told.seen == ["refused"]
