"""Updates a second: syncbot, pyTelegramBotAPI and python-telegram-bot's Application, in turn on the same server with the same handler.

    pip install 'syncbot[bench]'
    python benchmarks/throughput.py [--updates 10000] [--rounds 3]

The server is `syncbot.testing`'s over TLS, in a process of its own, with all updates waiting before a bot starts; each bot is a process of its own
too, and is timed from the start of its polling to the last handled update. syncbot keeps its inbox in a file, as it does by default; the others keep none. Rate
limits are off everywhere. In the last case a relay adds round-trip time, as every real way to Telegram has it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit import installed

CHATS = 50
PRAGMAS = "journal_mode={journal_mode}, synchronous=FULL for each stored batch and NORMAL for the rest, wal_autocheckpoint=1000"


@dataclass(frozen=True)
class Case:
    """What is measured.

    Args:
        name: what it is called.
        reply: whether the handler sends an answer.
        read: whether it reads the text. A library may put decoding off until somebody asks for what was decoded.
        rtt: seconds of round-trip time that are added.
        workers: handler threads of syncbot and telebot.
        share: how many of the updates are worth the time.
    """

    name: str
    reply: bool
    read: bool = False
    rtt: float = 0.0
    workers: int = 4
    share: float = 1.0


CASES = (
    Case("nothing sent", reply=False),
    Case("text read, nothing sent", reply=False, read=True),
    Case("one reply", reply=True, workers=8, share=0.2),
    Case("one reply, 20 ms of round-trip time", reply=True, rtt=0.02, workers=8, share=0.045),
)
PEERS = ("syncbot", "syncbot, types=False", "telebot", "python-telegram-bot", "python-telegram-bot, 8 at once")


class Clock:
    """Counts what was handled from the start of polling on; at the last one it tells how fast that was, and ends the process.

    Args:
        number: how many will come.
        read: whether each has to come with its text.
    """

    def __init__(self, number: int, read: bool) -> None:
        self._number = number
        self._read = read
        self._lock = threading.Lock()
        self._handled = 0
        self._texts = 0
        self._began = 0.0

    def start(self) -> None:
        """Polling begins now."""
        self._began = time.perf_counter()

    def handled(self, text: str | None) -> None:
        """One more, with its text where it was read."""
        with self._lock:
            self._handled += 1
            self._texts += bool(text)
            if self._handled == self._number:
                seconds = time.perf_counter() - self._began
                if self._texts == (self._number if self._read else 0):
                    print(self._number / seconds, flush=True)
                else:
                    print(f"{self._texts} of {self._number} texts were read", file=sys.stderr, flush=True)
                os._exit(0)


# ── the bots ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def run_syncbot(url: str, token: str, case: Case, clock: Clock, state: str) -> None:
    """syncbot with its inbox in a file."""
    import telegram  # noqa: F401  # syncbot loads it with the first update; the others have loaded it before the clock starts

    from syncbot import Bot, Runtime

    _run_runtime(Runtime(Bot(token, base_url=url, limits=None), state=state, workers=case.workers), case, clock)


def run_plain(url: str, token: str, case: Case, clock: Clock, state: str) -> None:
    """The same on plain updates, and without telegram."""
    from syncbot import Bot, Runtime

    _run_runtime(Runtime(Bot(token, base_url=url, limits=None), types=False, state=state, workers=case.workers), case, clock)


def _run_runtime(app: Any, case: Case, clock: Clock) -> None:
    @app.message()  # type: ignore[untyped-decorator]  # the runtime is of either kind
    def handler(update: Any, context: Any) -> None:
        if case.reply:
            context.reply(update.message.text)
        clock.handled(update.message.text if case.read else None)

    clock.start()
    app.run()


def run_telebot(url: str, token: str, case: Case, clock: Clock, state: str) -> None:
    """pyTelegramBotAPI with its own pool of threads."""
    import telebot
    from telebot import apihelper

    apihelper.API_URL = f"{url}/bot{{0}}/{{1}}"  # type: ignore[assignment]  # telebot says that it is None
    bot = telebot.TeleBot(token, num_threads=case.workers)

    @bot.message_handler(func=lambda message: True)  # type: ignore[untyped-decorator]  # telebot's are untyped
    def handler(message: Any) -> None:
        if case.reply:
            bot.send_message(message.chat.id, message.text)
        clock.handled(message.text if case.read else None)

    clock.start()
    bot.infinity_polling()


def run_ptb(url: str, token: str, case: Case, clock: Clock, state: str, concurrent: int = 0) -> None:
    """python-telegram-bot's Application."""
    from telegram.ext import Application, MessageHandler, filters

    async def start(app: Any) -> None:
        clock.start()

    async def handler(update: Any, context: Any) -> None:
        if case.reply:
            await update.message.reply_text(update.message.text)
        clock.handled(update.message.text if case.read else None)

    app = Application.builder().token(token).base_url(f"{url}/bot").concurrent_updates(concurrent or False).post_init(start).build()
    app.add_handler(MessageHandler(filters.ALL, handler))
    app.run_polling(stop_signals=None)


def run_ptb_at_once(url: str, token: str, case: Case, clock: Clock, state: str) -> None:
    """The same with `concurrent_updates(8)`; its pool of connections grows with it."""
    run_ptb(url, token, case, clock, state, concurrent=8)


RUN: dict[str, Callable[[str, str, Case, Clock, str], None]] = dict(zip(PEERS, (run_syncbot, run_plain, run_telebot, run_ptb, run_ptb_at_once), strict=True))


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def server(updates: int) -> Iterator[dict[str, str]]:
    """A Bot API server in a process of its own; gives its url, ca_file and token."""
    command = ["-m", "syncbot.testing.serve", "--tls", "--any-chat", "--no-texts", "--keep", "100", "--updates", str(updates), "--chats", str(CHATS)]
    with _process(*command) as process:
        yield json.loads(_line(process))


@contextlib.contextmanager
def relay(url: str, rtt: float) -> Iterator[str]:
    """The server's address behind a relay that adds round-trip time; the server's own where none is to be added."""
    if not rtt:
        yield url
        return
    with _process(__file__, "--relay", url.partition("//")[2], str(rtt)) as process:
        yield _line(process)


def measure(peer: str, case: Case, updates: int, folder: Path) -> float:
    """Updates a second of one bot in one case."""
    number = max(50, int(updates * case.share))
    state = folder / f"{peer}-{time.monotonic_ns()}.db"
    with server(number) as api, relay(api["url"], case.rtt) as url:
        trusted = {"SSL_CERT_FILE": api["ca_file"], "REQUESTS_CA_BUNDLE": api["ca_file"]}
        arguments = ["--bot", peer, url, api["token"], str(CASES.index(case)), str(number), str(state)]
        done = subprocess.run([sys.executable, __file__, *arguments], env=_environment() | trusted, capture_output=True, text=True, timeout=300, check=False)
    if not done.stdout:
        raise RuntimeError(f"{peer} has failed: {done.stderr[-2000:]}")
    return float(done.stdout)


def rounds(case: Case, updates: int, number: int, folder: Path) -> Mapping[str, Sequence[float]]:
    """Updates a second of each bot that is installed, so often, in turn, so that whatever else the machine does meets all of them."""
    found: dict[str, list[float]] = {peer: [] for peer in installed(RUN)}
    for _ in range(number):
        for peer, rates in found.items():
            rates.append(measure(peer, case, updates, folder))
    return found


@contextlib.contextmanager
def _process(*command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _relay(target: str, rtt: str) -> None:
    from syncbot.testing import FaultProxy

    with FaultProxy("relay", target=target, rtt=float(rtt)) as proxy:
        print(proxy.url_for("https"), flush=True)
        sys.stdin.read()


def _pragmas(folder: Path) -> str:
    """The PRAGMAs of the file that syncbot has left behind."""
    with contextlib.closing(sqlite3.connect(next(folder.glob("syncbot-*.db")))) as db:
        return PRAGMAS.format(journal_mode=db.execute("PRAGMA journal_mode").fetchone()[0])


def main(argv: Sequence[str]) -> int:
    """Measure and print; returns the exit code."""
    if argv[:1] == ["--bot"]:
        peer, url, token, which, number, state = argv[1:]
        case = CASES[int(which)]
        RUN[peer](url, token, case, Clock(int(number), case.read), state)
        return 0
    if argv[:1] == ["--relay"]:
        _relay(*argv[1:])
        return 0
    parser = argparse.ArgumentParser(prog="throughput.py", description="Updates a second of syncbot and its peers.")
    parser.add_argument("--updates", type=int, default=10_000, help="how many wait (default: 10000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the median counts (default: 3)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        for case in CASES:
            rates = {peer: statistics.median(each) for peer, each in rounds(case, options.updates, options.rounds, Path(name)).items()}
            print(f"{case.name} ({case.workers} workers)")
            for peer, rate in rates.items():
                print(f"  {peer:32} {rate:7.0f} updates a second   {rates['syncbot'] / rate:5.2f}", flush=True)
        print(f"syncbot's inbox in a file: {_pragmas(Path(name))}; the last column is syncbot's rate over theirs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
