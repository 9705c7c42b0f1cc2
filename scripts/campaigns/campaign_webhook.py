#!/usr/bin/env python3
"""The webhook campaign: thousands of updates posted on many connections, while the process that handles them is killed.

    scripts/campaigns/campaign_webhook.py [--server waitress|gunicorn] [--updates 5000] [--connections 16] [--kills 1]

Each connection posts the updates of its chats one after the other and again until they are answered with 200, as Telegram does. In the middle,
after it was seen to handle, the process that holds the bot's lock is killed with SIGKILL. At the end every update that was answered with 200
must have been handled, those in flight at a kill at most twice, and each chat's in order. A process that ends is started anew, as a service
manager would.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(FOLDER), str(ROOT)]

from campaign_kit import kept_port, listens, wait_until  # noqa: E402  # found by the line above where this is no program but a module

from syncbot.testing import TEST_TOKEN, BotApiServer  # noqa: E402  # found by the line above where nothing is installed
from syncbot.webhook import SECRET_HEADER  # noqa: E402

SECRET = "the-secret_of-the-campaign"  # noqa: S105  # it protects nothing
CHATS_A_CONNECTION = 3
WORKERS = 4


@dataclass
class Outcome:
    """What a campaign found.

    `twice_allowed` is how many updates can have been in flight at the kills.
    """

    updates: int
    seconds: float = 0.0
    answered: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    killed: list[int] = field(default_factory=list)
    handled: int = 0
    lost: list[str] = field(default_factory=list)
    twice: int = 0
    twice_allowed: int = 0
    disorder: list[str] = field(default_factory=list)
    takeover_seconds: list[float] = field(default_factory=list)
    processes: int = 0

    @property
    def good(self) -> bool:
        """Whether everything promised was kept."""
        return self.answered == self.updates and not self.lost and not self.disorder and self.twice <= self.twice_allowed

    def __str__(self) -> str:
        answers = ", ".join(f"{name} {number}" for name, number in sorted(self.statuses.items()))
        takeovers = ", ".join(f"{seconds:.2f} s" for seconds in self.takeover_seconds)
        return (
            f"{self.answered} of {self.updates} answered with 200 in {self.seconds:.1f} s ({self.answered / self.seconds:.0f}/s; {answers}); "
            f"{self.handled} handled by {self.processes} processes, {len(self.lost)} lost, {self.twice} twice (at most {self.twice_allowed}), "
            f"{len(self.disorder)} out of order; {len(self.killed)} killed, taken over after {takeovers or '-'}: {'good' if self.good else 'BAD'}"
        )


class Service:
    """The server under test; a process that ends is started anew until the end."""

    def __init__(self, kind: str, port: int, journal: Path, folder: Path, api_url: str) -> None:
        bot = FOLDER / "campaign_webhook_bot.py"
        serve = [sys.executable, str(bot), str(port)]
        if kind == "gunicorn":
            name = bot.stem
            serve = [sys.executable, "-m", "gunicorn", "-c", f"python:{name}", "-b", f"127.0.0.1:{port}", f"{name}:application"]
        self._argv = serve
        settings = {
            "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
            "SYNCBOT_BASE_URL": api_url,
            "SYNCBOT_PROXY": "direct",
            "SYNCBOT_STATE": str(folder / "bot.db"),
            "JOURNAL": str(journal),
            "PYTHONPATH": os.pathsep.join([str(FOLDER), str(ROOT)]),
        }
        self._environment = {**os.environ, **settings}
        self._log = folder / "server.log"
        self._stop = threading.Event()
        self._process = self._begin()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _begin(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True)

    def _keep(self) -> None:
        while not self._stop.is_set():
            self._process.wait()
            if not self._stop.is_set():
                self._process = self._begin()

    def close(self) -> str:
        """End it; returns what it wrote."""
        self._stop.set()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20.0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._keeper.join()
        return self._log.read_text(errors="replace")


class Journal:
    """What the handlers wrote down."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._path = path

    def events(self) -> list[list[str]]:
        """Each event: begin or end, process, chat, text."""
        return [line.split() for line in self._path.read_text().splitlines()]

    def wait_until(self, ended: int, timeout: float) -> list[list[str]]:
        """The events, when so many updates have been handled, or when the time is up."""
        deadline, pause = time.monotonic() + timeout, threading.Event()
        while True:
            events = self.events()
            if len({(chat, text) for kind, _, chat, text in events if kind == "end"}) >= ended or time.monotonic() > deadline:
                return events
            pause.wait(0.05)


class Sender:
    """One connection: posts its chats' updates, each until it is taken; the last one after all kills, so that somebody has to take over."""

    def __init__(
        self,
        port: int,
        number: int,
        updates: int,
        outcome: Outcome,
        lock: threading.Lock,
        killed: threading.Event,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._port = port
        self._tls = tls
        self._number = number
        self._updates = updates
        self._outcome = outcome
        self._lock = lock
        self._killed = killed
        self._connection: http.client.HTTPConnection | None = None

    def run(self, give_up_at: float) -> None:
        """Post everything."""
        for count in range(self._updates):
            if count == self._updates - 1:
                self._killed.wait(give_up_at - time.monotonic())
            chat = 1 + self._number * CHATS_A_CONNECTION + count % CHATS_A_CONNECTION
            person = {"id": chat, "is_bot": False, "first_name": "A"}
            message = {"message_id": count + 1, "date": 1_700_000_000, "chat": {"id": chat, "type": "private"}, "from": person}
            text = str(count // CHATS_A_CONNECTION)
            body = json.dumps({"update_id": 1 + self._number * 1_000_000 + count, "message": {**message, "text": text}}).encode()
            while not self._post(body):
                if time.monotonic() > give_up_at:
                    return
                threading.Event().wait(0.05)
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=45.0, context=self._tls)
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=45.0)

    def _post(self, body: bytes) -> bool:
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.request("POST", "/hook", body, {"Content-Type": "application/json", SECRET_HEADER: SECRET})
            answer = self._connection.getresponse()
            answer.read()
            status = str(answer.status)
        except (OSError, http.client.HTTPException):
            status = "cut"
            if self._connection is not None:
                self._connection.close()
            self._connection = None
        with self._lock:
            self._outcome.statuses[status] += 1
            self._outcome.answered += status == "200"
        return status == "200"


def campaign(kind: str, updates: int, connections: int, kills: int = 1, *, timeout: float = 300.0) -> Outcome:
    """Run a campaign."""
    shares = [updates // connections + (number < updates % connections) for number in range(connections)]
    outcome = Outcome(updates, twice_allowed=kills * WORKERS)
    lock, killed = threading.Lock(), threading.Event()
    if not kills:
        killed.set()
    with tempfile.TemporaryDirectory() as name, BotApiServer() as api, kept_port() as port:
        folder = Path(name)
        journal = Journal(folder / "journal")
        service = Service(kind, port, folder / "journal", folder, api.url)
        try:
            if not wait_until(lambda: listens(port), 90.0):
                raise TimeoutError("the server did not start")
            began = time.monotonic()
            senders = [Sender(port, number, share, outcome, lock, killed) for number, share in enumerate(shares)]
            threads = [threading.Thread(target=sender.run, args=(began + timeout,)) for sender in senders]
            for thread in threads:
                thread.start()
            for kill in range(1, kills + 1):
                _kill_holder(journal, outcome.updates * kill // (kills + 1), outcome, timeout, killed if kill == kills else None)
            for thread in threads:
                thread.join()
            outcome.seconds = time.monotonic() - began
            judge(journal.wait_until(outcome.updates, 90.0), outcome, shares)
        finally:
            log = service.close()
    if not outcome.good or "Traceback" in log:
        print(log[-20_000:], file=sys.stderr)
    return outcome


def _kill_holder(journal: Journal, after: int, outcome: Outcome, timeout: float, killed_last: threading.Event | None) -> None:
    """Kill whoever handles, once so many have been handled, and measure how long nobody does."""
    events = journal.wait_until(after, timeout)
    if not events:
        return
    holder = int(events[-1][1])
    os.kill(holder, signal.SIGKILL)
    killed = time.monotonic()
    outcome.killed.append(holder)
    if killed_last is not None:
        killed_last.set()
    pause = threading.Event()
    while time.monotonic() - killed < 90.0:
        if any(int(process) not in outcome.killed for _, process, _, _ in journal.events()[-20:]):
            outcome.takeover_seconds.append(time.monotonic() - killed)
            return
        pause.wait(0.02)


def judge(events: list[list[str]], outcome: Outcome, shares: list[int]) -> None:
    begun = Counter((chat, text) for kind, _, chat, text in events if kind == "begin")
    ended = {(chat, text) for kind, _, chat, text in events if kind == "end"}
    outcome.handled = len(ended)
    outcome.processes = len({process for _, process, _, _ in events})
    outcome.twice = sum(number - 1 for number in begun.values())
    for connection, share in enumerate(shares):
        for count in range(share):
            wanted = str(1 + connection * CHATS_A_CONNECTION + count % CHATS_A_CONNECTION), str(count // CHATS_A_CONNECTION)
            if wanted not in ended:
                outcome.lost.append(" ".join(wanted))
    last: dict[str, int] = {}
    for kind, _, chat, text in events:
        if kind == "begin":
            before = last.get(chat, -1)
            if int(text) not in (before, before + 1):
                outcome.disorder.append(f"{chat}: {text} after {before}")
            last[chat] = int(text)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--server", choices=("waitress", "gunicorn"), help="only this one")
    parser.add_argument("--updates", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--kills", type=int, default=1)
    options = parser.parse_args()
    good = True
    for kind in [options.server] if options.server else ["waitress", "gunicorn"]:
        outcome = campaign(kind, options.updates, options.connections, options.kills)
        print(f"{kind}: {outcome}", flush=True)
        good = good and outcome.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
