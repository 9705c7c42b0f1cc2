"""How many updates a second a bot takes and handles: by polling, and by a webhook served with waitress, on the same machine.

    python benchmarks/webhook/edge.py [--updates 3000] [--rounds 5]

The bot is a process of its own with 4 workers and a state file, and its handler only counts. Polling fetches what waits at a Bot API server in
this process (`syncbot.testing`), 100 at a time; the webhook gets each update in a POST of its own, on 1 or 16 connections kept alive, without TLS,
as behind a reverse proxy. Every update is stored durably before it is acknowledged, each way. Time runs from the first handled update to the last;
CPU time is the bot's.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts" / "campaigns"))

from campaign_kit import kept_port, listens, wait_until
from kit import Row, Table, clean_environment, installed

from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.webhook import SECRET_HEADER

SECRET = "the-secret_of-the-benchmark"  # it protects nothing
CHATS = 64
START_SECONDS = 30.0
POLLING = "polling, 100 a batch"
WAYS = {POLLING: 0, "webhook, 16 connections": 16, "webhook, 1 connection": 1}
"""The connections that updates come on by themselves."""

BOT = """
import json, sys, threading, time
from syncbot import Bot, Runtime

port, total, secret = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
app = Runtime(Bot.from_env(), workers=4, most_waiting=total)
lock, marks, done = threading.Lock(), [], threading.Event()
count = 0

@app.message()
def note(update, context):
    global count
    with lock:
        count += 1
        if count in (1, total):
            marks.append((time.perf_counter(), time.process_time()))
        if count == total:
            done.set()

def end():
    done.wait()
    app.stop()

threading.Thread(target=end, daemon=True).start()
if port:
    app.run_webhook(f"http://127.0.0.1:{port}/hook", port=port, secret_token=secret, threads=16)
else:
    app.run()
print(json.dumps([marks[1][0] - marks[0][0], marks[1][1] - marks[0][1]]))
"""


@dataclass(frozen=True)
class Run:
    """One run: updates a second, and CPU milliseconds an update."""

    rate: float
    cpu_ms: float


def run(connections: int, total: int) -> Run:
    """Let a bot take so many updates on so many connections, or fetch them where there are none."""
    with tempfile.TemporaryDirectory() as folder, BotApiServer(keep_requests=100, keep_texts=False) as server, kept_port() as kept:
        port = kept if connections else 0
        if not connections:
            for number in range(total):
                server.push("message", _message(number))
        settings = {"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_BASE_URL": server.url, "SYNCBOT_PROXY": "direct", "SYNCBOT_STATE": str(Path(folder) / "bot.db")}
        command = [sys.executable, "-c", BOT, str(port), str(total), SECRET]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **settings}) as bot:
            if connections:
                if not wait_until(lambda: listens(port) or bot.poll() is not None, START_SECONDS) or bot.poll() is not None:
                    raise RuntimeError("the bot does not listen")
                _post_all(port, total, connections)
            out, _ = bot.communicate(timeout=300)
    seconds, cpu_seconds = json.loads(out)
    return Run(total / seconds, cpu_seconds / total * 1000)


def _message(number: int) -> dict[str, object]:
    chat = 1 + number % CHATS
    person = {"id": chat, "is_bot": False, "first_name": "Anna", "username": "anna", "language_code": "de"}
    return {
        "message_id": number + 1,
        "date": 1_700_000_000,
        "chat": {"id": chat, "type": "private", "first_name": "Anna"},
        "from": person,
        "text": f"hello {number}",
    }


def _post_all(port: int, total: int, connections: int) -> None:
    threads = [threading.Thread(target=_post_some, args=(port, range(first, total, connections))) for first in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _post_some(port: int, numbers: range) -> None:
    """Post by hand: a client that costs much would be what is measured."""
    with socket.create_connection(("127.0.0.1", port), timeout=30.0) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in numbers:
            body = json.dumps({"update_id": number + 1, "message": _message(number)}).encode()
            lines = ("POST /hook HTTP/1.1", "Host: x", "Content-Type: application/json", f"{SECRET_HEADER}: {SECRET}", f"Content-Length: {len(body)}")
            head = "\r\n".join((*lines, "", ""))
            sock.sendall(head.encode() + body)
            answer = sock.recv(4096)
            if b" 200 " not in answer[:20]:
                raise RuntimeError(f"update {number} was answered with {answer[:40]!r}")


def webhook(updates: int, rounds: int) -> Table:
    """Each way so often, in turn, so that what the machine does meanwhile falls on all of them."""
    ways = installed(WAYS)
    found: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, connections in ways.items():
            found[name].append(run(connections, updates))
    base = statistics.median(one.rate for one in found[POLLING])
    rows = []
    for name, runs in found.items():
        rates = [one.rate for one in runs]
        median, cpu_ms = statistics.median(rates), statistics.median(one.cpu_ms for one in runs)
        cells = {"updates a second": f"{median:.0f}", "of polling": f"{median / base:.2f}", "from … to": f"{min(rates):.0f} … {max(rates):.0f}"}
        rows.append(Row(name, cells | {"CPU ms an update": f"{cpu_ms:.2f}"}, median, (min(rates), max(rates))))
    note = "The handler only counts. Each update is on the disk before it is acknowledged, either way; those that come at the same time share one write."
    return Table("webhook", f"Polling and webhook: a bot that takes {updates} updates, medians of {rounds} rounds", "updates a second", rows, note)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    clean_environment()
    print(webhook(options.updates, options.rounds).text())
