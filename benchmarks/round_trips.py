"""What people wait for, in round trips: the first call after a quiet moment, calls in a row, and the answer of a whole bot, through real proxies.

    python benchmarks/round_trips.py [--quick]

A relay adds 80 ms of round-trip time before each proxy (before the server, where there is none), and every figure is a time divided by that. So it
hardly matters how fast the machine is. The servers, the relays and what counts are one process; each library, on each way, is a process of its own. They
run side by side, since nearly all that they do is to wait.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from bots import running_bot
from kit import Api, Row, Table, clean_environment, missing
from kits.proxies_kit import running
from peers import aiogram, opened, ptb, syncbot, syncbot_auto, syncbot_learned, telebot

from syncbot.testing import BotApiServer, FaultProxy, TestCA
from syncbot.testing.certs import CertificateKind

RTT_SECONDS, FAR_RTT_SECONDS = 0.08, 0.15
WAYS = {
    "direct": "",
    "CONNECT, tinyproxy": "tinyproxy",
    "CONNECT, squid": "squid",
    "CONNECT, v2ray": "v2ray-http",
    "CONNECT, privoxy": "privoxy",
    "CONNECT with a password, tinyproxy": "tinyproxy-password",
    "SOCKS5, v2ray": "v2ray-socks",
    "SOCKS5, shadowsocks": "shadowsocks",
    "SOCKS5, shadowsocks --no-delay": "shadowsocks-no-delay",
    "SOCKS5, ssh -D": "ssh",
    "SOCKS5, microsocks": "microsocks",
    "SOCKS5 with a password, v2ray": "v2ray-socks-password",
    "SOCKS5 with a password, microsocks": "microsocks-password",
}
"""What the tables call each way, and the proxy in `proxies_kit`."""
PEERS = {"syncbot": syncbot_auto, "python-telegram-bot": ptb, "pyTelegramBotAPI": telebot, "aiogram": aiogram}
ALONE = {"step by step": syncbot, "way learned": syncbot_learned}
"""This library without a connection that stands ready."""
_START_SECONDS, _LOST_SECONDS = 300.0, 30.0
T = TypeVar("T")


@dataclass(frozen=True)
class Calls:
    """What is measured of single calls.

    Args:
        in_a_row: calls that follow each other.
        quiet: how many calls each come after so many seconds of quiet.
    """

    in_a_row: int = 30
    quiet: tuple[tuple[float, int], ...] = ((1.0, 9), (10.0, 7), (60.0, 3))


@dataclass(frozen=True)
class Talk:
    """What is measured of a conversation: so many messages each, so many seconds apart. The first ones, a few seconds apart, are not counted."""

    every: tuple[tuple[float, int], ...] = ((12.0, 9), (20.0, 7))
    warm_up: int = 5


FIRST_CALLS, QUICK_FIRST_CALLS = Calls(0, ((10.0, 15),)), Calls(0, ((1.0, 2),))
QUICK_CALLS, QUICK_TALK, QUIET_SECONDS, QUICK_QUIET_SECONDS = Calls(10, ((1.0, 3), (10.0, 2))), Talk(((12.0, 2),), 2), 300.0, 20.0


@dataclass(frozen=True)
class Place:
    """One library on one way.

    Args:
        way: of `WAYS`.
        peer: of `PEERS`.
        server: its own.
        relay: what adds the distance; counts the bytes.
        api: where its server is, for the library.
        proxy: the URL of the way's proxy, with the relay before it; empty where there is none.
        rtt_seconds: the distance.
    """

    way: str
    peer: str
    server: BotApiServer
    relay: FaultProxy
    api: Api
    proxy: str
    rtt_seconds: float


class _SmallKeyCA(TestCA):
    """Its servers take X25519 alone, the smaller of the two keys that OpenSSL offers from 3.5 on."""

    def server_context(self, *hosts: str, kind: CertificateKind = "valid") -> ssl.SSLContext:
        """As ever, with one group."""
        context = super().server_context(*hosts, kind=kind)
        context.set_ecdh_curve("X25519")
        return context


@contextmanager
def _places(ways: Sequence[str], peers: Sequence[str], folder: Path, rtt_seconds: float = RTT_SECONDS) -> Iterator[list[Place]]:
    """Every library on every way, each with a server of its own; those that are not installed are left out."""
    with ExitStack() as stack:
        ca = stack.enter_context(_SmallKeyCA())
        found = []
        for number, way in enumerate(ways):
            proxy, kind = "", WAYS[way]
            if kind:
                home = folder / kind
                home.mkdir()
                proxy = stack.enter_context(running(kind, home))
            for peer in peers:
                if not missing(peer, proxy):
                    server = stack.enter_context(BotApiServer(f"{1000 + number}:{'x' * 35}", tls=True, ca=ca, any_chat=True))
                    parts = urlsplit(proxy or server.url)
                    relay = stack.enter_context(FaultProxy("relay", target=f"127.0.0.1:{parts.port}", rtt=rtt_seconds))
                    near = proxy.replace(f":{parts.port}", f":{relay.port}") if proxy else ""
                    api = Api(server.url if proxy else relay.url_for("https"), server.token, ca.ca_file)
                    found.append(Place(way, peer, server, relay, api, near, rtt_seconds))
        yield found


# ── single calls ─────────────────────────────────────────────────────────────────────────────────────────────────────


def round_trips(calls: Calls, ways: Sequence[str] = tuple(WAYS), peers: Sequence[str] = tuple(PEERS)) -> Table:
    """The first call after some quiet, and calls in a row."""
    with tempfile.TemporaryDirectory() as folder, _places(ways, peers, Path(folder)) as places:
        found = _side_by_side(lambda place, gate: _calls(place, gate, calls, Path(folder)), places)
    rows, shown = [], _after(calls.quiet[len(calls.quiet) // 2][0])
    for place in places:
        figures = found[place.way, place.peer]
        rows.append(_row(place, {what: _told(each) for what, each in figures.items()}, figures[shown]))
    counts = ", ".join(f"{count} after {seconds:g} s" for seconds, count in calls.quiet)
    note = f"Medians of {calls.in_a_row} calls in a row, {counts}. The picture shows those {shown}. {_load()}"
    return Table("round_trips", "One message: the first one after a quiet moment, and in a row", "round trips", rows, note, common_scale=True)


def first_call(calls: Calls, ways: Sequence[str] = tuple(WAYS)) -> Table:
    """The first call of a bot that keeps no connection ready, on ways of which it knows nothing, and on learned ones."""
    after, cells = _after(calls.quiet[0][0]), {way: dict[str, str]() for way in ways}
    for rtt_seconds in (RTT_SECONDS, FAR_RTT_SECONDS):
        with tempfile.TemporaryDirectory() as folder, _places(ways, tuple(ALONE), Path(folder), rtt_seconds) as places:
            found = _side_by_side(partial(_calls, calls=calls, folder=Path(folder)), places)
        for (way, how), figures in found.items():
            cells[way][f"{how}, {rtt_seconds * 1000:.0f} ms"] = f"{_told(figures[after])} ({min(figures[after]):.2f})"
    rows = [Row(way, cells[way], statistics.median(found[way, "way learned"][after])) for way in ways]
    note = f"Medians of {calls.quiet[0][1]} calls {after}, each on a new connection, and in brackets the fastest; the picture shows the last column. {_load()}"
    return Table("first_call", "The first call where no connection stands ready", "round trips", rows, note)


def _calls(place: Place, gate: Gate, calls: Calls, folder: Path) -> dict[str, list[float]]:
    """Have a process of its own make the calls; see `_make_calls`."""
    task = {
        "peer": place.peer,
        "api": [place.api.url, place.api.token, place.api.ca_file],
        "proxy": place.proxy,
        "in_a_row": calls.in_a_row,
        "quiet": calls.quiet,
    }
    environment = os.environ | {"XDG_STATE_HOME": str(folder), "XDG_CACHE_HOME": str(folder / place.server.token)}
    command = [sys.executable, __file__, "--calls", json.dumps(task)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with gate.starting():
            ready = process.stdout.readline()
        gate.wait_for_all()
        output, _ = process.communicate("begin\n")
    if process.returncode or not ready:
        raise RuntimeError(f"{place.peer} has failed on the way {place.way}")
    return {what: [seconds / place.rtt_seconds for seconds in each] for what, each in json.loads(output).items()}  # one that was lost took for ever


def _make_calls(task: str) -> None:
    """In the process of a library: the seconds of each call, as JSON."""
    told = json.loads(task)
    nobody, found = threading.Event(), {}
    with opened({told["peer"]: (PEERS | ALONE)[told["peer"]]}, Api(*told["api"]).sending(), told["proxy"]) as ways:
        call = ways[told["peer"]]
        for _ in range(5):
            call()
        print("ready", flush=True)
        sys.stdin.readline()
        found["in a row"] = [_seconds(call) for _ in range(told["in_a_row"])]
        for quiet, count in told["quiet"]:
            found[_after(quiet)] = [_seconds(call) for _ in range(count) if not nobody.wait(quiet)]
    print(json.dumps(found))


def _after(quiet_seconds: float) -> str:
    return f"after {quiet_seconds:g} s of quiet"


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    try:
        call()
    except Exception:  # each library has errors of its own
        return math.inf
    return time.perf_counter() - began


# ── whole bots ───────────────────────────────────────────────────────────────────────────────────────────────────────


def conversation(talk: Talk, ways: Sequence[str] = tuple(WAYS), peers: Sequence[str] = tuple(PEERS)) -> Table:
    """From the user's message, at the server, to the bot's answer there."""
    with tempfile.TemporaryDirectory() as folder, _places(ways, peers, Path(folder)) as places:
        found = _side_by_side(lambda place, gate: _talk(place, gate, talk, _home(folder, place)), places)
    rows = []
    for place in places:
        figures = found[place.way, place.peer]
        cells = {f"every {seconds:g} s": _told(each) for seconds, each in figures.items()}
        cells |= {f"every {seconds:g} s, slowest": f"{max(filter(math.isfinite, each)):.2f}" for seconds, each in figures.items()}
        rows.append(_row(place, cells, next(iter(figures.values()))))
    counts = " and ".join(f"{count} messages {seconds:g} s apart" for seconds, count in talk.every)
    note = f"{counts}, a bot as each library's guide has it. A connection that stands makes it 1.0: half of one for the update, half of one for the "
    note += f"answer. {_load()}"
    return Table("conversation", "A bot in conversation: from the user's message to its answer", "round trips", rows, note, common_scale=True)


def _talk(place: Place, gate: Gate, talk: Talk, home: Path) -> dict[float, list[float]]:
    nobody, number, found = threading.Event(), 0, {}
    with _started(place, gate, home):
        user = place.server.user(id=42)
        for seconds, count in ((3.0, talk.warm_up), *talk.every):
            found[seconds] = []
            for _ in range(count):
                nobody.wait(seconds)
                number += 1
                text = f"message {number}"
                said_at = time.monotonic()
                user.send(text)
                found[seconds].append((_answered_at(place.server, text) - said_at) / RTT_SECONDS)
    del found[3.0]
    return found


def _answered_at(server: BotApiServer, text: str) -> float:
    """When the request with this answer was complete; infinity where it did not come."""
    try:
        server.wait_for(text, timeout=_LOST_SECONDS)
    except TimeoutError:
        return math.inf
    return next(request.time for request in server.requests_for("sendMessage") if request.params["text"] == text)


def quiet_bot(seconds: float) -> Table:
    """What a bot costs that has nothing to do, on a direct way."""
    with tempfile.TemporaryDirectory() as folder, _places(["direct"], tuple(PEERS), Path(folder)) as places:
        found = _side_by_side(lambda place, gate: _idle(place, gate, seconds, _home(folder, place)), places)
    rows = []
    for place in places:
        polls, handshakes, up, down = found[place.way, place.peer]
        cells = {"polls an hour": f"{polls:.0f}", "handshakes an hour": f"{handshakes:.0f}", "bytes a poll": f"{(up + down) / polls:.0f}"}
        cells |= {"KB an hour": f"{(up + down) / 1000:.0f}", "MB a day": f"{(up + down) * 24 / 1e6:.1f}"}
        rows.append(Row(place.peer, cells, (up + down) / 1000))
    note = f"Counted at the relay from the beginning of one poll to the beginning of the first one that came {seconds:g} s later or more, so over whole "
    note += "polls, and reckoned for an hour; with TLS, without the headers of TCP and IP, which are 40 bytes and more for each packet. Nobody has written "
    note += "to these bots."
    return Table("quiet_bot", "What a bot costs an hour that has nothing to do", "kilobytes an hour", rows, note)


def _idle(place: Place, gate: Gate, seconds: float, home: Path) -> tuple[float, float, float, float]:
    """Polls, handshakes, and bytes up and down, an hour."""
    server, relay = place.server, place.relay
    with _started(place, gate, home):

        def counted_at_next_poll() -> tuple[float, int, int, int, int]:
            polls = server.count("getUpdates")
            server.wait_count("getUpdates", polls + 1, timeout=120.0)
            return time.monotonic(), server.count("getUpdates"), server.connections_total, relay.bytes_up, relay.bytes_down

        began, *before = counted_at_next_poll()
        threading.Event().wait(seconds)
        ended, *after = counted_at_next_poll()
    polls, handshakes, up, down = ((last - first) / (ended - began) * 3600 for first, last in zip(before, after, strict=True))
    return polls, handshakes, up, down


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Gate:
    """Lets the places begin together, when all of them have started, a few at once.

    Args:
        number: of places.
    """

    def __init__(self, number: int) -> None:
        self._starts = threading.Semaphore(3)
        self._all_ready = threading.Barrier(number)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Within this a process starts."""
        with self._starts:
            yield

    def wait_for_all(self) -> None:
        """Return when all have started, each a while after the one before, so that their calls and messages seldom meet."""
        threading.Event().wait(0.1 * self._all_ready.wait())

    def give_up(self) -> None:
        """One has failed: let none of the others wait for it."""
        self._all_ready.abort()


def _side_by_side(measure: Callable[[Place, Gate], T], places: Sequence[Place]) -> Mapping[tuple[str, str], T]:
    """What was measured of each place, of all at the same time."""
    gate = Gate(len(places))

    def one(place: Place) -> T:
        try:
            return measure(place, gate)
        except BaseException:
            gate.give_up()
            raise

    with ThreadPoolExecutor(len(places)) as pool:
        return dict(zip(((place.way, place.peer) for place in places), pool.map(one, places), strict=True))


@contextmanager
def _started(place: Place, gate: Gate, home: Path) -> Iterator[None]:
    """A bot that polls, as all others do by now."""
    with ExitStack() as stack:
        with gate.starting():
            stack.enter_context(running_bot(place.peer, place.api, place.proxy, home))
            place.server.wait_polled(_START_SECONDS)
        gate.wait_for_all()
        yield


def _told(figures: Sequence[float]) -> str:
    lost = sum(map(math.isinf, figures))
    return f"{statistics.median(figures):.2f}" + (f", {lost} of {len(figures)} lost" if lost else "")


def _row(place: Place, cells: Mapping[str, str], drawn: Sequence[float]) -> Row:
    came = sorted(filter(math.isfinite, drawn))
    return Row(f"{place.way}: {place.peer}", cells, statistics.median(came), (came[0], came[-1]), panel=place.way)


def _home(folder: str, place: Place) -> Path:
    home = Path(folder) / f"{place.way}, {place.peer}"
    home.mkdir()
    return home


def _load() -> str:
    return f"The machine's load at the end: {os.getloadavg()[0]:.1f}."


def main(argv: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    if argv[:1] == ["--calls"]:
        _make_calls(argv[1])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter times, rough figures")
    parser.add_argument("--ways", default="; ".join(WAYS), help="some of them, with semicolons between (default: %(default)s)")
    options = parser.parse_args(argv)
    ways = [way.strip() for way in options.ways.split(";")]
    clean_environment()
    print(round_trips(QUICK_CALLS if options.quick else Calls(), ways).text(), flush=True)
    print(first_call(QUICK_FIRST_CALLS if options.quick else FIRST_CALLS, ways).text(), flush=True)
    print(conversation(QUICK_TALK if options.quick else Talk(), ways).text(), flush=True)
    print(quiet_bot(QUICK_QUIET_SECONDS if options.quick else QUIET_SECONDS).text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
