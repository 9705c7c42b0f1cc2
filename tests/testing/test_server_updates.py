"""getUpdates on the fake server: offsets, limits, waiting, slowdowns, conflicts, allowed updates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kits.background_kit import Background
from kits.server_kit import Client, client_of, raw_socket
from kits.timing_kit import soon

from syncbot import Bot, Runtime
from syncbot.testing import BotApiServer

CONFLICT = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer(slow_same_offset=False, conflict_delay=0.5) as running:
        yield running


@pytest.fixture
def client(server: BotApiServer) -> Iterator[Client]:
    with client_of(server) as connected:
        yield connected


def ids(updates: list[dict[str, Any]]) -> list[int]:
    return [update["update_id"] for update in updates]


def fill(server: BotApiServer, count: int, first: int = 100) -> None:
    server.next_update_id = first
    user = server.user(42)
    for n in range(count):
        user.send(f"message {n}")


def test_an_offset_confirms_what_lies_below(server: BotApiServer, client: Client) -> None:
    """Updates come again until an offset above them confirms them."""
    fill(server, 5)
    assert ids(client.ok("getUpdates")) == [100, 101, 102, 103, 104]
    assert ids(client.ok("getUpdates", offset=0)) == [100, 101, 102, 103, 104]
    assert ids(client.ok("getUpdates", offset=102)) == [102, 103, 104]
    assert (server.confirmed_updates, server.confirmed_below) == (2, 102)
    assert client.ok("getUpdates", offset=105) == []
    server.wait_confirmed()
    assert server.confirmed_updates == 5
    assert server.confirmed_below == 105


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (-5, 1), (1, 1), (7, 7), (100, 100), (1000, 100)])
def test_the_limit_is_clamped(server: BotApiServer, client: Client, limit: int, count: int) -> None:
    """A limit below 1 or over 100 is taken as 1 or 100."""
    fill(server, 120)
    assert len(client.ok("getUpdates", limit=limit)) == count
    assert len(client.ok("getUpdates")) == 100


def test_a_negative_offset_keeps_the_last(server: BotApiServer, client: Client) -> None:
    """Offset -2 drops all but the last two, for good; a larger one drops nothing more."""
    fill(server, 5)
    assert ids(client.ok("getUpdates", offset=-2)) == [103, 104]
    assert ids(client.ok("getUpdates", offset=-50)) == [103, 104]
    assert len(server.pending_updates) == 2


@pytest.mark.parametrize("offset", [5, 99, 106, 10**9])
def test_an_offset_outside_the_queue_falls_back_to_its_head(server: BotApiServer, client: Client, offset: int) -> None:
    """An offset that is too old or too high confirms nothing and starts at the head."""
    fill(server, 5)
    assert ids(client.ok("getUpdates", offset=offset)) == [100, 101, 102, 103, 104]
    assert server.confirmed_updates == 0


def test_restarted_ids_are_delivered(server: BotApiServer, client: Client) -> None:
    """After the ids restart lower, an old high offset still brings the new updates, and the new ids confirm them."""
    fill(server, 2, first=900)
    assert client.ok("getUpdates", offset=902) == []
    fill(server, 2, first=7)
    assert ids(client.ok("getUpdates", offset=902)) == [7, 8]
    assert client.ok("getUpdates", offset=9) == []


def test_a_poll_waits_and_ends_with_the_update(server: BotApiServer, client: Client) -> None:
    """A long poll really waits, and is answered at once when an update comes."""

    def poll_once() -> float:
        poll = Background(lambda: (client.ok("getUpdates", offset=server.next_update_id, timeout=50), time.monotonic()))
        server.wait_polled()
        begin = time.monotonic()
        server.user(42).send("now")
        updates, end = poll.result()
        assert updates[0]["message"]["text"] == "now"
        assert not server.is_polled
        return float(end - begin)

    assert soon(0.3, poll_once)


def test_a_poll_ends_empty_after_its_timeout(server: BotApiServer, client: Client) -> None:
    """With nothing to deliver the answer is empty, after the time that was asked for and no sooner."""

    def poll_once() -> float:
        begin = time.monotonic()
        assert client.ok("getUpdates", timeout=1) == []
        seconds = time.monotonic() - begin
        assert seconds >= 1.0
        return seconds

    assert soon(1.5, poll_once)
    assert client.ok("getUpdates", timeout=0) == []


@pytest.mark.parametrize("tls", [False, True])
def test_a_client_that_hangs_up_ends_its_poll(tls: bool) -> None:
    """When the client goes away the waiting poll and its connection are gone at once."""
    with BotApiServer(tls=tls) as server, client_of(server) as client:
        client.connection.request("GET", client.path("getUpdates?timeout=50"))
        server.wait_polled()
        client.close()
        server.wait_closed()
        server.wait_until(lambda: not server.is_polled)


def test_a_request_behind_a_poll_is_not_lost(server: BotApiServer, client: Client) -> None:
    """Bytes that come while a poll waits belong to the next request."""
    path = client.path("")
    with raw_socket(server) as sock:
        sock.sendall(f"GET {path}getUpdates?timeout=50 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.wait_polled()
        sock.sendall(f"GET {path}getMe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        server.user(42).send("now")
        data = b""
        while piece := sock.recv(65_536):
            data += piece
    assert data.count(b"HTTP/1.1 200 OK") == 2


def test_the_older_poll_ends_with_409(server: BotApiServer, client: Client) -> None:
    """A second poll ends the first one with 409 and goes on itself."""
    with client_of(server) as other:
        first = Background(lambda: client.call("getUpdates", timeout=50))
        server.wait_polled()
        second = Background(lambda: other.ok("getUpdates", timeout=50))
        refused = first.result()
        assert (refused["error_code"], refused["description"]) == (409, CONFLICT)
        server.user(42).send("for the second")
        assert len(second.result()) == 1


def test_conflicts_in_quick_succession_are_answered_late() -> None:
    """The second 409 within the time of the delay is held for as long."""
    for delay in (0.5, 5.0):  # on a busy machine the second one may come when the shorter one is over
        times = []
        with BotApiServer(slow_same_offset=False, conflict_delay=delay) as server, client_of(server) as client, client_of(server) as other:
            for _ in range(2):
                first = Background(partial(client.call, "getUpdates", timeout=50))
                server.wait_polled()
                begin = time.monotonic()
                assert other.call("getUpdates", timeout=0)["ok"]
                assert first.result()["error_code"] == 409
                times.append(time.monotonic() - begin)
        if times[0] < 0.6 * delay and delay <= times[1] < 2 * delay:
            break
    assert times[0] < 0.6 * delay
    assert delay <= times[1] < 2 * delay


def test_the_same_offset_is_held() -> None:
    """With the slowdown on, an offset asked again soon is held, and gets one update only within a sixth of that time."""
    for delay in (0.6, 6.0):  # on a busy machine the next question may not come soon enough
        with BotApiServer(same_offset_delay=delay) as server, client_of(server) as slow:
            assert slow.ok("getUpdates", offset=5) == []
            begin = time.monotonic()
            assert slow.ok("getUpdates", offset=5) == []
            held = time.monotonic() - begin
            fill(server, 3)
            sizes = [len(slow.ok("getUpdates", offset=100)) for _ in range(2)]
            begin = time.monotonic()
            sizes.append(len(slow.ok("getUpdates", offset=101)))
            free = time.monotonic() - begin
        if delay <= held < 1.7 * delay and free < 0.5 * delay and sizes == [3, 1, 2]:
            break
    assert delay <= held < 1.7 * delay
    assert sizes == [3, 1, 2]
    assert free < 0.5 * delay


def test_without_the_slowdown_the_same_offset_is_quick(server: BotApiServer, client: Client) -> None:
    """With slow_same_offset=False the same question gets the same answer at once."""
    fill(server, 3)
    begin = time.monotonic()
    assert [len(client.ok("getUpdates", offset=100)) for _ in range(5)] == [3] * 5
    assert time.monotonic() - begin < 10.0, "held, they would take twelve seconds"


def test_allowed_updates_are_remembered(server: BotApiServer, client: Client) -> None:
    """Kinds that were not asked for are lost; the choice holds until another is made, and an empty list is the default."""
    user = server.user(42)
    client.ok("getUpdates", allowed_updates=["message_reaction"])
    assert user.send("lost") is None
    message = server.world.bot_says(server.world.chats[42], {"text": "hi"})
    assert user.react(user.last, "👍") is not None
    client.ok("getUpdates")
    assert user.send("lost too") is None
    client.ok("getUpdates", allowed_updates=[])
    assert user.send("kept") is not None
    assert user.react(user.last, "👎") is None
    kinds = [sorted(update)[0] for update in client.ok("getUpdates")]
    assert kinds == ["message_reaction", "message"]
    assert server.queue.not_allowed == 3
    assert message["message_id"] == user.last.message_id


def test_an_update_of_any_kind_can_be_pushed(server: BotApiServer, client: Client) -> None:
    """push queues whatever it is given under the kind's name."""
    update_id = server.push("poll_answer", {"poll_id": "1", "option_ids": [0]})
    assert client.ok("getUpdates") == [{"update_id": update_id, "poll_answer": {"poll_id": "1", "option_ids": [0]}}]


def test_a_bot_that_keeps_its_state_file_meets_one_server_after_another(tmp_path: Path) -> None:
    """The ids of updates begin anywhere, so that a state file that has seen those of one server does not pass over those of the next."""
    for text in ("first", "second", "third"):
        with BotApiServer() as server, Bot(server.token, base_url=server.url, proxies="direct") as bot:
            app = Runtime(bot, state=tmp_path / "bot.db")
            app.message()(lambda update, context: context.reply(update.message.text))
            server.user().send(text)
            assert app.run_once().handled == 1


def test_waiting_for_confirmation(server: BotApiServer, client: Client) -> None:
    """wait_confirmed returns when the bot has confirmed, and says so when it does not."""
    fill(server, 2)
    with pytest.raises(TimeoutError, match="not confirmed"):
        server.wait_confirmed(100, timeout=0.05)
    waiting = Background(lambda: server.wait_confirmed(100))
    client.ok("getUpdates", offset=101)
    waiting.result()
    with pytest.raises(TimeoutError, match="not confirmed"):
        server.wait_confirmed(timeout=0.05)
