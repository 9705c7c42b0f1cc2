#!/usr/bin/env python3
"""The flood: hundreds of strangers' connections that bring nothing good and come again, and good requests that must not notice.

    scripts/campaigns/campaign_flood.py [--way waitress|nginx] [--seconds 60] [--connections 500]

Half of the good senders keep their connection, as Telegram does; the others open one for each request. A request that is not answered with 200 is
sent again at once, and its time goes on. Each must be answered within a second and be handled, and no stranger may stay longer than 10 s (behind
nginx: those that drip a body stay, see docs/webhook.md). All traffic stays on 127.0.0.0/8.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(FOLDER), str(ROOT)]

from campaign_kit import kept_port, listens, wait_until  # noqa: E402  # found by the line above where this is no program but a module
from campaign_nginx import Nginx  # noqa: E402  # the same
from campaign_webhook import SECRET, Journal, Service  # noqa: E402  # the same

from syncbot.testing import BotApiServer  # noqa: E402  # found by the line above where nothing is installed
from syncbot.webhook import BODY_SECONDS, SECRET_HEADER  # noqa: E402  # the same

SENDERS = 8
PAUSE_SECONDS = 0.1
QUIET_SECONDS = 2.0
PROMISED_SECONDS = 1.0
LOOK_SECONDS = 2.0
"""How much later than promised a stranger may see that it was closed: the server looks twice a second, and the machine is busy."""


@dataclass
class Outcome:
    """What a flood found; times in seconds."""

    way: str
    answered: int = 0
    handled: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    slowest_before: float = 0.0
    slowest_kept: float = 0.0
    slowest_new: float = 0.0
    strangers: dict[str, Any] = field(default_factory=dict)
    traceback: bool = False

    @property
    def slowest(self) -> float:
        """The slowest good answer."""
        return max(self.slowest_kept, self.slowest_new)

    @property
    def stayed_too_long(self) -> bool:
        """Whether a stranger was not closed in time."""
        return self.way == "waitress" and self.strangers["longest_life"] > BODY_SECONDS + LOOK_SECONDS

    @property
    def good(self) -> bool:
        """Whether everything promised was kept."""
        kept = self.slowest < PROMISED_SECONDS and not self.stayed_too_long and not self.traceback
        return kept and self.answered == self.handled > 0 and self.strangers["connections"] > 0

    def __str__(self) -> str:
        answers = ", ".join(f"{name} {number}" for name, number in sorted(self.statuses.items()))
        return (
            f"{self.answered} good requests answered ({answers}) and {self.handled} handled, the slowest before the flood after "
            f"{self.slowest_before * 1000:.0f} ms, in it after {self.slowest_kept * 1000:.0f} ms on a kept "
            f"connection, {self.slowest_new * 1000:.0f} ms on a new one; strangers: {self.strangers['most_open']} connections at once, "
            f"{self.strangers['connections']} in all, {self.strangers['not_let_in']} not let in, {self.strangers['answers']} refusals read, "
            f"the longest stayed {self.strangers['longest_life']:.1f} s: {'good' if self.good else 'BAD'}"
        )


class Sender:
    """One good sender: an update now and then, each until it is taken."""

    def __init__(self, number: int, port: int, tls: ssl.SSLContext | None, outcome: Outcome, lock: threading.Lock, flooded: threading.Event) -> None:
        self._flooded = flooded
        self._number = number
        self._port = port
        self._tls = tls
        self._outcome = outcome
        self._lock = lock
        self._keeps = number % 2 == 0
        self._connection: http.client.HTTPConnection | None = None

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; what was begun is brought to its end, or given up after 30 s."""
        count = 0
        while not stop.wait(PAUSE_SECONDS):
            count += 1
            chat = {"id": 1 + self._number, "type": "private"}
            person = {"id": 1 + self._number, "is_bot": False, "first_name": "A"}
            message = {"message_id": count, "date": 1_700_000_000, "chat": chat, "from": person, "text": str(count)}
            body = json.dumps({"update_id": self._number * 1_000_000 + count, "message": message}).encode()
            began = time.monotonic()
            answered = False
            while not answered and time.monotonic() - began < 30.0:
                answered = self._post(body)
            self._note(answered, time.monotonic() - began)
        self._close()

    def _post(self, body: bytes) -> bool:
        if not self._keeps:
            self._close()
        try:
            self._connection = self._connection or self._connect()
            self._connection.request("POST", "/hook", body, {"Content-Type": "application/json", SECRET_HEADER: SECRET})
            answer = self._connection.getresponse()
            answer.read()
            status = str(answer.status)
        except (OSError, http.client.HTTPException) as problem:
            status = f"cut ({type(problem).__name__})"
            self._close()
        with self._lock:
            self._outcome.statuses[status] += 1
        return status == "200"

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=10.0, context=self._tls)
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=10.0)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _note(self, answered: bool, seconds: float) -> None:
        with self._lock:
            self._outcome.answered += answered
            if not self._flooded.is_set():
                self._outcome.slowest_before = max(self._outcome.slowest_before, seconds)
            elif self._keeps:
                self._outcome.slowest_kept = max(self._outcome.slowest_kept, seconds)
            else:
                self._outcome.slowest_new = max(self._outcome.slowest_new, seconds)


def flood(way: str, seconds: float, connections: int) -> Outcome:
    """Flood a bot of its own.

    Args:
        way: "waitress" alone, or "nginx" in front of it.
        seconds: how long.
        connections: how many strangers come at once.
    """
    outcome = Outcome(way)
    with tempfile.TemporaryDirectory() as name, BotApiServer() as api, kept_port() as port, kept_port() as edge_port, contextlib.ExitStack() as stack:
        folder = Path(name)
        journal = Journal(folder / "journal")
        service = Service("waitress", port, folder / "journal", folder, api.url)
        edge = None
        try:
            if way == "nginx":
                (folder / "nginx").mkdir()
                edge = stack.enter_context(Nginx(folder / "nginx", edge_port, port))
            if not wait_until(lambda: listens(port) and (edge is None or listens(edge_port)), 90.0):
                raise TimeoutError("the server did not start")
            _run(outcome, seconds, connections, port if edge is None else edge_port, edge)
            wait_until(lambda: len(_ended(journal)) >= outcome.answered, 30.0)
            outcome.handled = len(_ended(journal))
        finally:
            log = service.close()
    outcome.traceback = "Traceback" in log or "uncaptured" in log
    if not outcome.good:
        print(log[-5_000:], file=sys.stderr)
    return outcome


def _run(outcome: Outcome, seconds: float, connections: int, port: int, edge: Nginx | None) -> None:
    stop, flooded, lock = threading.Event(), threading.Event(), threading.Lock()
    context = None if edge is None else edge.context
    senders = [threading.Thread(target=Sender(number, port, context, outcome, lock, flooded).run, args=(stop,)) for number in range(SENDERS)]
    argv = [sys.executable, str(FOLDER / "campaign_strangers.py"), str(port), str(connections), str(seconds), *([edge.ca_file] if edge else [])]
    for thread in senders:
        thread.start()
    try:
        stop.wait(QUIET_SECONDS)  # what the machine is like without strangers
        flooded.set()
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=seconds + 60.0, check=True)
        outcome.strangers = json.loads(done.stdout)
    finally:
        stop.set()
        for thread in senders:
            thread.join()


def _ended(journal: Journal) -> set[tuple[str, str]]:
    return {(chat, text) for kind, _, chat, text in journal.events() if kind == "end"}


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--way", choices=("waitress", "nginx"), help="only this one")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=500)
    options = parser.parse_args()
    good = True
    for way in [options.way] if options.way else ["waitress", "nginx"]:
        outcome = flood(way, options.seconds, options.connections)
        print(f"{way}: {outcome}", flush=True)
        good = good and outcome.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
