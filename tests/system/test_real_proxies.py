"""Calls through the proxies that people run: squid, tinyproxy, privoxy, microsocks, v2ray, shadowsocks and ssh."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from kits.ports_kit import free_port
from kits.programs_kit import real_proxies
from kits.proxies_kit import KINDS
from kits.timing_kit import soon, took

from syncbot.client.bot import Bot
from syncbot.client.retry import RetryPolicy
from syncbot.errors import NotSent, ProxyAuthRequired
from syncbot.testing import TEST_TOKEN, BotApiServer, TestCA
from syncbot.transport import OneShotTransport
from syncbot.types import Proxy, Request

GRANTED_EARLY = ("shadowsocks", "shadowsocks-no-delay", "v2ray-http", "v2ray-http-password", "v2ray-socks", "v2ray-socks-password")
"""They say that the tunnel stands before they have tried to reach the target."""
WITH_PASSWORD = ("tinyproxy-password", "v2ray-http-password", "microsocks-password", "v2ray-socks-password")


@pytest.fixture
def bot_through(ca: TestCA, api: BotApiServer) -> Iterator[Callable[[str], Bot]]:
    """Makes bots that go through a proxy to `api`."""
    bots: list[Bot] = []

    def make(proxy: str) -> Bot:
        bots.append(Bot(api.token, proxies=[proxy], base_url=api.url, ca_file=ca.ca_file, timeout=30.0, limits=None, retry=RetryPolicy(first_wait=0.05)))
        return bots[-1]

    yield make
    for bot in bots:
        bot.close()


@pytest.mark.parametrize("kind", real_proxies(KINDS))
def test_calls_polls_and_uploads_pass(kind: str, real_proxy: Callable[[str], str], bot_through: Callable[[str], Bot], api: BotApiServer) -> None:
    """Twenty calls, a long poll that waits for its update, and a large upload, each on a connection of its own; none is left open.

    One more was opened where the poll has learned that the proxy drops what comes early.
    """
    bot = bot_through(real_proxy(kind))
    user = api.user(id=42)
    for number in range(19):
        bot.call("sendMessage", chat_id=42, text=f"{kind} {number}")
    assert [api.count_text(f"{kind} {number}") for number in range(19)] == [1] * 19

    updates: list[object] = []
    poll = threading.Thread(target=lambda: updates.extend(bot.call("getUpdates", timeout=30)))
    poll.start()
    api.wait_polled()
    user.send("while it waits")
    poll.join(60)
    assert len(updates) == 1

    content = bytes(range(256)) * 8000
    bot.call("sendDocument", chat_id=42, document=content)
    assert api.requests_for("sendDocument")[0].file("document").size == len(content)
    api.wait_closed()
    assert api.connections_total in (21, 22)
    assert (len(api.requests), api.max_requests_per_connection) == (21, 1)


@pytest.mark.parametrize("kind", real_proxies(KINDS))
def test_calls_of_many_threads_pass(kind: str, real_proxy: Callable[[str], str], bot_through: Callable[[str], Bot], api: BotApiServer) -> None:
    """Eight threads at once: every message arrives once."""
    bot = bot_through(real_proxy(kind))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: bot.call("sendMessage", chat_id=number + 1, text=f"{kind} {number}"), range(80)))
    assert all(api.count_text(f"{kind} {number}") == 1 for number in range(80))
    api.wait_closed()


@pytest.mark.parametrize("kind", real_proxies(KINDS))
def test_a_stop_ends_a_poll_at_once(kind: str, real_proxy: Callable[[str], str], bot_through: Callable[[str], Bot], api: BotApiServer) -> None:
    """Through a real proxy, too, a waiting poll is ended from another thread, and the server sees it go."""
    bot = bot_through(real_proxy(kind))

    def stop_once() -> float:
        stop = threading.Event()
        failed: list[Exception] = []

        def poll() -> None:
            try:
                bot.fetch_updates(offset=None, limit=100, wait=50, allowed_updates=None, stop=stop)
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=poll)
        thread.start()
        api.wait_polled()
        stop.set()
        bot.abort_poll()
        seconds = took(lambda: thread.join(30))
        assert not thread.is_alive()
        assert [str(error) for error in failed] == ["aborted"]
        api.wait_closed()
        return seconds

    assert soon(0.5, stop_once)


@pytest.mark.parametrize("credentials", ["", "ann:wrong@", "bob:s3cret-word@"])
@pytest.mark.parametrize("kind", real_proxies(WITH_PASSWORD))
def test_other_credentials_are_refused(
    kind: str, credentials: str, real_proxy: Callable[[str], str], bot_through: Callable[[str], Bot], api: BotApiServer
) -> None:
    """It is ProxyAuthRequired, at the first attempt, and nothing reaches the server."""
    proxy = Proxy.parse(real_proxy(kind))
    with pytest.raises(ProxyAuthRequired) as caught:
        bot_through(f"{proxy.scheme}://{credentials}{proxy.host}:{proxy.port}").call("getMe")
    assert caught.value.attempts == 1
    assert proxy.password not in str(caught.value)
    assert api.connections_total == 0


@pytest.mark.parametrize("kind", real_proxies(KINDS))
def test_a_server_that_is_not_there_is_not_sent(kind: str, real_proxy: Callable[[str], str], ca: TestCA) -> None:
    """Whatever the proxy says about a target that it cannot reach: the request never left."""
    bot = Bot(TEST_TOKEN, proxies=[real_proxy(kind)], base_url=f"https://127.0.0.1:{free_port()}", ca_file=ca.ca_file, retry=None, timeout=30.0)
    with bot, pytest.raises(NotSent) as caught:
        bot.call("sendMessage", chat_id=1, text="hi")
    assert caught.value.stage == ("tls" if kind in GRANTED_EARLY else "proxy")


@pytest.mark.parametrize("kind", real_proxies(("shadowsocks", "tinyproxy", "microsocks")))
def test_no_relay_holds_an_answer_back(kind: str, real_proxy: Callable[[str], str], bot_through: Callable[[str], Bot]) -> None:
    """They gather small packets and would hold it for 40 ms; the server closes behind it, as it is asked to, and that pushes it out."""
    bot = bot_through(real_proxy(kind))
    assert soon(0.035, lambda: took(lambda: bot.call("getMe")), tries=50)


DROPS_EARLY = ("privoxy", "microsocks", "microsocks-password")
"""They drop what comes before they have answered."""


@pytest.mark.parametrize("kind", real_proxies(KINDS))
def test_the_early_opening_is_learned_and_costs_no_call(kind: str, real_proxy: Callable[[str], str], ca: TestCA, api: BotApiServer) -> None:
    """Polls find out whether the proxy takes it; calls are then opened so, five of five, or are opened as ever, and the server sees each of them once."""
    proxy = Proxy.parse(real_proxy(kind))
    transport = OneShotTransport([proxy], ca_file=Path(ca.ca_file))

    def calls(times: int, wait: float = 0.0) -> None:
        for _ in range(times):
            assert transport.send(Request(f"{api.url}/bot{api.token}/getMe", "getMe", body=b"", timeout=30.0, wait=wait)).status == 200

    with closing(transport):
        calls(20)
        if kind not in DROPS_EARLY:  # as if openings took long: one that a busy machine holds up is waited for
            way = f"{proxy.scheme}://{'*@' if proxy.username else ''}{proxy.host}:{proxy.port} 127.0.0.1:{api.port}"
            transport.learned.opened(way, 20.0)
        calls(3, wait=1.0)
        (facts,) = transport.learned.facts()["ways"].values()
        assert (facts["recent"], facts["not_before"] > 0) == (("", True) if kind in DROPS_EARLY else ("www", False))
        calls(5)
        assert [facts["recent"] for facts in transport.learned.facts()["ways"].values()] == ["" if kind in DROPS_EARLY else "w" * 8]
    api.wait_closed()
    assert (api.count("getMe"), api.max_requests_per_connection) == (28, 1)
