"""Connections opened ahead while somebody talks: when one stands, for how long, how many under load, and what becomes of a call whose spare has died."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import telebot
import telegram
from kits.interleave_kit import Steps, at_every_line
from kits.timing_kit import took, tried
from kits.transport_kit import Line, Peer, becomes, open_descriptors, send
from telebot import apihelper
from transport.test_ahead import Clock, call, get_me, openers

from syncbot.adapters.ptb import OneShotRequest
from syncbot.adapters.telebot import install
from syncbot.client.bot import Bot
from syncbot.errors import ConfigError, DeliveryUncertain
from syncbot.runtime.outbox.outbox import Outbox
from syncbot.testing import TEST_TOKEN, BotApiServer, Fault, FaultProxy, TestCA
from syncbot.transport import FakeTransport, OneShotTransport
from syncbot.transport.standing.spares import Spare
from syncbot.types import AheadAuto, Proxy, Request

TALK_SECONDS = 300.0
UNTRIED_SECONDS = 15.0
CALLS = 12
UPDATES = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
JSON = b'{"ok":true,"result":[%s]}'


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(ca: TestCA, clock: Clock) -> Iterator[OneShotTransport]:
    transport = OneShotTransport(ca_file=Path(ca.ca_file), ahead="auto", clock=clock)
    yield transport
    transport.close()


def stands(transport: OneShotTransport, number: int = 1) -> bool:
    return becomes(lambda: transport.standing == number)


def poll(url: str) -> Request:
    return Request(f"{url}/getUpdates", "getUpdates", body=b"", timeout=20.0, wait=1.0)


def updates(number: int) -> bytes:
    body = JSON % b",".join(b'{"update_id":%d}' % each for each in range(number))
    return UPDATES % (len(body), body)


def serving(polls: bytes) -> Callable[[Line], None]:
    """A server that answers polls with this, and everything else with good news."""

    def serve(line: Line) -> None:
        line.sock.sendall(polls if b"getUpdates" in line.request() else updates(0))

    return serve


# ---------------------------------------------------------------------- when one stands


def test_after_a_call_one_stands_and_the_next_call_takes_it(transport: OneShotTransport, api: BotApiServer, clock: Clock) -> None:
    """A conversation with a message each 12 s: each call finds a connection that stands, however far apart they are, and another one takes its place."""
    call(transport, get_me(api))
    for number in range(2, 6):
        assert stands(transport)
        assert api.connections_total == number
        clock.ahead_seconds += 12.0
        call(transport, get_me(api))
    assert stands(transport)
    assert api.max_requests_per_connection == 1


def test_the_next_one_is_opened_when_the_request_is_written(transport: OneShotTransport, api: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a call asks what stands whether it is alive nobody is held up, and nothing is opened: that is done while the call waits for its answer."""
    call(transport, get_me(api))
    assert stands(transport)
    asked, go_on, is_alive = threading.Event(), threading.Event(), Spare.is_alive

    def slow(spare: Spare) -> bool:
        if threading.current_thread().name != "syncbot-ahead":
            asked.set()
            assert go_on.wait(20.0)
        return is_alive(spare)

    monkeypatch.setattr(Spare, "is_alive", slow)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, transport, get_me(api))
        assert asked.wait(20.0)
        assert (transport.standing, api.connections_total) == (0, 2)
        go_on.set()
        answer.result(20.0)
    assert stands(transport)
    assert api.connections_total == 3


def test_one_that_has_stood_too_long_is_replaced(transport: OneShotTransport, api: BotApiServer, clock: Clock) -> None:
    """Shortly before its time is over another one is opened, and it is closed without having been used."""
    call(transport, get_me(api))
    assert stands(transport)
    clock.ahead_seconds += UNTRIED_SECONDS - 0.5
    assert becomes(lambda: api.connections_total == 3)
    assert becomes(lambda: sum(record.closed is not None for record in api.connections) == 2)
    assert stands(transport)


def test_when_nobody_has_talked_for_five_minutes_none_stands(transport: OneShotTransport, api: BotApiServer, clock: Clock) -> None:
    """What stands is closed, the thread ends, and nothing is opened any more."""
    descriptors = open_descriptors()
    call(transport, get_me(api))
    assert stands(transport)
    clock.ahead_seconds += TALK_SECONDS
    assert becomes(lambda: openers() == [])
    api.wait_closed()
    assert (transport.standing, api.connections_total) == (0, 2)
    transport.close()
    assert becomes(lambda: open_descriptors() <= descriptors)


def test_the_five_minutes_are_a_setting(ca: TestCA, api: BotApiServer, clock: Clock) -> None:
    """With a minute none stands after a minute."""
    with closing(OneShotTransport(ca_file=Path(ca.ca_file), ahead=AheadAuto(seconds=60.0), clock=clock)) as transport:
        call(transport, get_me(api))
        assert stands(transport)
        clock.ahead_seconds += 60.0
        assert stands(transport, 0)
        api.wait_closed()
        assert api.connections_total == 2


def test_one_stands_too_where_updates_come_by_another_way(transport: OneShotTransport, api: BotApiServer, clock: Clock) -> None:
    """What has been heard of by a webhook has one opened on the way that calls have taken before, after any time; before the first call no way is known."""
    transport.expect_calls()
    assert openers() == []
    call(transport, get_me(api))
    assert stands(transport)
    clock.ahead_seconds += TALK_SECONDS
    assert stands(transport, 0)
    transport.expect_calls()
    assert stands(transport)
    assert becomes(lambda: api.connections_total == 3)


@pytest.mark.parametrize("wrong", ["soon", -1, 1.5, True, None])
def test_what_is_no_way_of_opening_ahead_is_refused(wrong: Any) -> None:
    """The error names the option, and a right value."""
    with pytest.raises(ConfigError, match=r"ahead: .*ahead=3"):
        Bot(TEST_TOKEN, ahead=wrong, transport=FakeTransport())


@pytest.mark.parametrize("wrong", [{"seconds": -1.0}, {"seconds": float("nan")}, {"seconds": float("inf")}, {"seconds": "60"}, {"most": 0}, {"most": 1.5}])
def test_a_number_that_makes_no_sense_is_refused(wrong: Any) -> None:
    """Both numbers of `AheadAuto` are finite and not below the least."""
    with pytest.raises(ConfigError, match=r"(seconds|most): .*for example"):
        AheadAuto(**wrong)


# ---------------------------------------------------------------------- polls


def test_polls_that_bring_nothing_open_none(transport: OneShotTransport, clock: Clock) -> None:
    """A quiet bot makes as many connections as it makes polls, and has no thread that opens more."""
    with Peer(serving(updates(0))) as peer:
        for _ in range(5):
            call(transport, poll(peer.url))
            clock.ahead_seconds += 50.0
        assert (peer.accepted, openers(), transport.standing) == (5, [], 0)


def test_a_poll_that_brings_updates_opens_the_next_poll_and_the_answers(transport: OneShotTransport) -> None:
    """Before anybody has decoded anything there are connections for three answers and for the next poll, and each takes its own."""
    with Peer(serving(updates(3))) as peer:
        call(transport, poll(peer.url))
        assert stands(transport, 4)
        assert peer.wait_for(lambda: peer.accepted == 5)
        call(transport, poll(peer.url))
        assert stands(transport, 4), "its own was taken, and another one opened for the poll after it; those for the answers stand"
        transport.close()


def test_after_many_updates_one_more_opens_no_more_than_one(transport: OneShotTransport, clock: Clock) -> None:
    """What many messages at once have needed is over with them, also where an answer was lost and all that stood was closed: later a single one opens one."""
    answers = iter([updates(8), b"", updates(1)])

    def serve(line: Line) -> None:
        line.request()
        line.sock.sendall(next(answers))

    with Peer(serve) as peer:
        call(transport, poll(peer.url))
        assert stands(transport, 9)
        assert send(transport, Request(f"{peer.url}/x", "sendMessage", body=b"", timeout=20.0)).error is not None
        clock.ahead_seconds += 5.0
        assert stands(transport, 1)
        call(transport, poll(peer.url))
        assert stands(transport, 2), "one for the answer, and one for the next poll"
        assert not becomes(lambda: transport.standing > 2, 0.5)
        transport.close()


class Openers:
    """A name look-up in which those who open ahead wait, until they are let go on or are to fail; calls pass."""

    def __init__(self) -> None:
        self.came = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.fail = False

    def __call__(self, host: str, port: int, family: int) -> list[tuple[int, tuple[Any, ...]]]:
        if threading.current_thread().name == "syncbot-ahead":
            self.came.release()
            assert self.go_on.wait(20.0)
            if self.fail:
                raise OSError("no such name")
        return [(socket.AF_INET, ("127.0.0.1", port))]


@pytest.fixture
def line() -> Iterator[tuple[Openers, OneShotTransport, Peer]]:
    """Two connections of which one is for an answer are being opened, and wait."""
    openers = Openers()
    with Peer(serving(updates(1))) as peer, closing(OneShotTransport(ahead="auto", look_up=openers)) as transport:
        call(transport, poll(peer.url.replace("127.0.0.1", "api.test")))
        for _ in range(2):
            assert openers.came.acquire(timeout=20.0)
        yield openers, transport, peer
        openers.go_on.set()


def reply(peer: Peer) -> Request:
    return Request(f"{peer.url.replace('127.0.0.1', 'api.test')}/sendMessage", "sendMessage", body=b"", timeout=20.0)


def test_an_answer_takes_the_connection_that_is_being_opened_for_it(line: tuple[Openers, OneShotTransport, Peer]) -> None:
    """A reply that is ready before its connection stands waits for that one, which has begun earlier than its own would."""
    openers, transport, peer = line
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, transport, reply(peer))
        assert not becomes(lambda: peer.accepted > 1, 0.1)
        openers.go_on.set()
        answer.result(20.0)
    assert stands(transport, 2), "one for the next answer, and one for the next poll"
    assert not becomes(lambda: transport.standing > 2, 0.5), "what has waited has ordered the next one already"


def test_an_opening_that_fails_is_not_waited_for_any_more(line: tuple[Openers, OneShotTransport, Peer]) -> None:
    """A reply that waits for it opens its own at once."""
    openers, transport, peer = line
    openers.fail = True
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, transport, reply(peer))
        openers.go_on.set()
        answer.result(20.0)
    assert (peer.accepted, transport.standing) == (2, 0)


def test_an_opening_that_hangs_is_not_waited_for_for_long(line: tuple[Openers, OneShotTransport, Peer]) -> None:
    """After a second, or three times as long as openings take there, a reply opens its own beside it; and the next one does so at once."""
    _, transport, peer = line
    call(transport, reply(peer))
    assert (peer.accepted, transport.standing) == (2, 0)

    def attempt(seconds: float) -> None:
        nobody_comes = took(lambda: becomes(lambda: False, seconds))  # so that all that is under way has been so for longer than is worth waiting
        assert nobody_comes >= seconds
        assert took(lambda: call(transport, reply(peer))) < 0.5

    tried(attempt, (1.1,) * 8)


def test_half_of_the_time_is_left_for_ones_own(line: tuple[Openers, OneShotTransport, Peer]) -> None:
    """A reply that has less time than it would wait gives up half-way, and is sent."""
    _, transport, peer = line

    def attempt(seconds: float) -> None:
        outcome = send(transport, replace(reply(peer), timeout=seconds))
        assert outcome.error is None

    tried(attempt, (0.6, 0.6, 1.0, 1.6, 3.0, 6.0))


@pytest.mark.parametrize("end", [OneShotTransport.close, lambda transport: transport.abort("poll")], ids=["close", "abort"])
def test_a_call_that_waits_for_one_ends_its_wait_with_close_and_abort(
    end: Callable[[OneShotTransport], object], line: tuple[Openers, OneShotTransport, Peer]
) -> None:
    """It opens its own at once, and is ended by whatever ends it there."""
    openers, transport, peer = line
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(send, transport, reply(peer))
        assert not becomes(lambda: peer.accepted > 1, 0.1)
        openers.go_on.set()
        end(transport)
        answer.result(20.0)
    assert becomes(lambda: transport.standing == 0)


# ---------------------------------------------------------------------- under load


@pytest.mark.slow
def test_under_load_there_are_as_many_as_the_calls_need(ca: TestCA, api: BotApiServer) -> None:
    """Eight threads on a long way: but for the first ones, calls take little more than a round trip; soon no more than eight are left, and then one."""

    def attempt(rtt: float) -> None:
        with (
            FaultProxy("relay", target=f"127.0.0.1:{api.port}", rtt=rtt) as relay,
            closing(OneShotTransport(ca_file=Path(ca.ca_file), ahead="auto")) as transport,
        ):
            request = Request(f"{relay.url_for('https')}/bot{api.token}/getMe", "getMe", body=b"", timeout=60.0)
            with ThreadPoolExecutor(8) as pool:
                seconds = took(lambda: list(pool.map(lambda _: [call(transport, request) for _ in range(CALLS)], range(8))))
            assert transport.standing <= 16
            assert becomes(lambda: transport.standing <= 8, 2.0), "half a second after the last call they are as many as calls ran at once"
            assert seconds < 2.0 * CALLS * rtt, "on connections of their own they take three round trips"
            assert stands(transport)
            assert api.max_requests_per_connection == 1

    tried(attempt, (0.1, 0.1, 0.3, 0.6))


# ---------------------------------------------------------------------- what dies


def test_the_kernel_probes_what_stands(transport: OneShotTransport) -> None:
    """Keep-alive is switched on for what stands, ten seconds after the last byte at the latest."""
    with Peer(serving(updates(0))) as peer:
        call(transport, Request(f"{peer.url}/x", "getMe", body=b"", timeout=20.0))
        assert stands(transport)
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        established = "01"  # one that was used may wait for the other end's close, which has such a timer too
        timers = [columns[5] for columns in sockets if columns[2].endswith(f":{peer.port:04X}") and columns[3] == established]
        probed = [int(timer.partition(":")[2], 16) / 100 for timer in timers if timer.startswith("02:")]
        assert len(probed) == 1
        assert 0 < probed[0] <= 10.0
        transport.close()


def test_a_way_that_goes_dead_in_silence_costs_one_call_and_never_another(ca: TestCA, api: BotApiServer, clock: Clock) -> None:
    """The call that finds out is uncertain, and from then on nothing stands between calls there."""
    with FaultProxy() as proxy:
        # What stands after the first call, and no later call that a busy machine holds up; either of the first two may come first.
        proxy.script(*[Fault.idle_dead(after_seconds=2.0)] * 2)
        transport = OneShotTransport([Proxy.parse(proxy.url)], ca_file=Path(ca.ca_file), ahead="auto", clock=clock)
        with Bot(api.token, base_url=api.url, transport=transport, limits=None, retry=None, deadline=1000.0) as bot:
            bot.call("sendMessage", chat_id=42, text="0")
            assert stands(transport)
            assert proxy.wait_for(lambda: proxy.struck["idle_dead"] >= 1)
            clock.ahead_seconds += 6.0
            with pytest.raises(DeliveryUncertain):
                bot.call("sendMessage", chat_id=42, text="1", timeout=1.0)
            for number in range(2, 12):
                clock.ahead_seconds += 6.0
                bot.call("sendMessage", chat_id=42, text=str(number))
                assert transport.standing == 0
    assert [api.count_text(str(number)) for number in range(12)] == [1, 0, *[1] * 10]


def test_after_a_sleep_of_the_machine_none_is_used(transport: OneShotTransport, api: BotApiServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood while a laptop was shut is closed unused, though the clock that stands still meanwhile says that it is young."""
    call(transport, get_me(api))
    assert stands(transport)
    clock.ahead_seconds += 5.0
    since_start, slept_seconds = time.clock_gettime, 60.0
    monkeypatch.setattr(time, "clock_gettime", lambda which: since_start(which) + (slept_seconds if which == time.CLOCK_BOOTTIME else 0.0))
    call(transport, get_me(api))
    assert stands(transport)
    assert becomes(lambda: sum(record.closed is not None and record.requests == 0 for record in api.connections) == 1)
    assert transport.idle_limits.changes == 0


def test_a_server_that_closes_what_stands_is_not_asked_to_bear_it(transport: OneShotTransport, clock: Clock) -> None:
    """Its limit is seen from two that it closed, and one stands for less from then on; no call has met one that was closed."""
    bell, cord = socket.socketpair()
    closed = threading.Semaphore(0)

    def serve(line: Line) -> None:
        if line.sock in select.select([line.sock, bell], [], [])[0]:
            line.request()
            line.sock.sendall(updates(0))
        else:
            bell.recv(1)
            line.sock.close()
            closed.release()

    with bell, cord, Peer(serve) as peer:
        request = Request(f"{peer.url}/x", "getMe", body=b"", timeout=20.0)
        for _ in range(2):
            call(transport, request)
            assert stands(transport)
            clock.ahead_seconds += 10.0
            cord.send(b"!")
            assert closed.acquire(timeout=20.0)
        call(transport, request)
        [facts] = transport.idle_limits.facts().values()
        assert facts["unused"] == pytest.approx(8.0)
        transport.close()


@pytest.mark.slow
def test_what_dies_young_is_not_opened_one_after_the_other(transport: OneShotTransport, clock: Clock) -> None:
    """A server that soon closes what brings no request sees another such connection after fifteen seconds, and then no more."""

    def serve(line: Line) -> None:
        if select.select([line.sock], [], [], 1.0)[0]:
            line.request()
            line.sock.sendall(updates(0))

    with Peer(serve) as peer:
        call(transport, Request(f"{peer.url}/x", "getMe", body=b"", timeout=20.0))
        for number in (2, 3):
            assert peer.wait_for(lambda expected=number: peer.accepted == expected and peer.ended == expected)
            clock.ahead_seconds += 3.0
            assert stands(transport, 0)
            clock.ahead_seconds += 11.0
            assert not becomes(lambda expected=number: peer.accepted > expected, 3.2)
            clock.ahead_seconds += 4.0
        assert not becomes(lambda: peer.accepted > 3, 3.2)
        transport.close()


# ---------------------------------------------------------------------- calls in a row


def test_calls_in_a_row_have_them_opened_whatever_the_number_is(ca: TestCA, api: BotApiServer) -> None:
    """Within `in_a_row` one stands after a call; afterwards none is left, and none is opened."""
    with Bot(api.token, base_url=api.url, ca_file=ca.ca_file, proxies="direct", limits=None) as bot:
        transport = bot.transport
        assert isinstance(transport, OneShotTransport)
        with bot.in_a_row(), bot.in_a_row():
            bot.call("getMe")
            assert stands(transport)
        assert (transport.standing, bot.ahead) == (0, 0)
        total = api.connections_total
        bot.call("getMe")
        bot.call("getMe")
        api.wait_closed()
        assert api.connections_total == total + 2


def test_a_row_that_begins_in_another_one_does_not_end_it() -> None:
    """Of two that overlap the second one's end is the end, in whatever order the threads go."""

    def make() -> Steps:
        transport = OneShotTransport()
        outer = transport.in_a_row()
        outer.__enter__()

        def row() -> None:
            with transport.in_a_row():
                pass

        def check() -> None:
            assert transport._ahead._rows == 1
            outer.__exit__(None, None, None)
            assert transport._ahead._rows == 0

        return Steps(row, row, check)

    assert at_every_line(make, "transport/standing/ahead.py") > 3


@pytest.fixture
def seen() -> Iterator[tuple[Bot, BotApiServer, set[str]]]:
    """A bot, its server, and the names of the threads that have looked up a name to open a connection."""
    threads: set[str] = set()

    def look_up(host: str, port: int, family: int) -> list[tuple[int, tuple[Any, ...]]]:
        threads.add(threading.current_thread().name)
        return [(socket.AF_INET, ("127.0.0.1", port))]

    with (
        BotApiServer(any_chat=True) as server,
        Bot(server.token, base_url=server.url.replace("127.0.0.1", "api.test"), transport=OneShotTransport(look_up=look_up), limits=None) as bot,
    ):
        yield bot, server, threads


def test_a_long_text_is_sent_in_a_row(seen: tuple[Bot, BotApiServer, set[str]]) -> None:
    """While its pieces are sent, connections are opened ahead; none is left afterwards."""
    bot, server, threads = seen
    assert len(bot.send_long(42, "word " * 4000)) > 3
    assert "syncbot-ahead" in threads
    server.wait_closed()
    assert server.max_requests_per_connection == 1
    assert becomes(lambda: openers() == [])


def test_a_flush_sends_in_a_row(seen: tuple[Bot, BotApiServer, set[str]], tmp_path: Path) -> None:
    """While the outbox is flushed connections are opened ahead, each for one call; none is left afterwards."""
    bot, server, threads = seen
    with Outbox(tmp_path / "bot.db", bot) as outbox:
        for number in range(6):
            outbox.send_message(1, str(number))
        assert outbox.flush().delivered == 6
    assert "syncbot-ahead" in threads
    server.wait_closed()
    assert (server.count("sendMessage"), server.max_requests_per_connection) == (6, 1)
    assert becomes(lambda: openers() == [])


# ---------------------------------------------------------------------- the bridges


def test_telebot_has_it_too(ca: TestCA, api: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a call one stands, by default, and it is gone with the end; with ahead=0 none is opened."""
    monkeypatch.setattr(apihelper, "API_URL", api.url + "/bot{0}/{1}")
    bot = telebot.TeleBot(api.token, threaded=False)
    with install("direct", ca_file=ca.ca_file):
        bot.send_message(1, "a")
        assert becomes(lambda: api.connections_total == 2)
    api.wait_closed()
    with install("direct", ca_file=ca.ca_file, ahead=0):
        bot.send_message(1, "b")
    api.wait_closed()
    assert api.connections_total == 3


def test_python_telegram_bot_has_it_too(ca: TestCA, api: BotApiServer) -> None:
    """After a call one stands, by default, and it is gone with the end; polls that bring nothing open none."""

    async def main() -> None:
        request, polling = OneShotRequest("direct", ca_file=ca.ca_file), OneShotRequest("direct", ca_file=ca.ca_file)
        bot = telegram.Bot(api.token, f"{api.url}/bot", request=request, get_updates_request=polling)
        for _ in range(3):
            await bot.get_updates(timeout=0)
        api.wait_closed()
        assert api.connections_total == 3
        await bot.send_message(1, "a")
        assert becomes(lambda: api.connections_total == 5)
        await request.shutdown()
        await polling.shutdown()

    asyncio.run(main())
    api.wait_closed()
    assert (api.connections_total, api.max_requests_per_connection) == (5, 1)
