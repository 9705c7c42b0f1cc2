#!/usr/bin/env python3
"""The webhook fuzzer: thousands of bodies, from nearly right to wholly wrong, posted to a real server.

    scripts/fuzz_webhook.py [--bodies 10000] [--seed 1]

Each must be answered with 200, 400 or 413, without a traceback; what was answered with 200 must be handled, or lie among the dead letters;
and the next good request must be answered as ever.
"""

from __future__ import annotations

import argparse
import copy
import http.client
import json
import logging
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from syncbot import Bot, Runtime  # found by the line above where nothing is installed
from syncbot.storage import StoreOptions
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.webhook import MAX_BYTES, SECRET_HEADER
from syncbot.webhook.serving import Server

SECRET = "the-secret_of-the-fuzzer"  # noqa: S105  # it protects nothing
ANNA = {"id": 7, "is_bot": False, "first_name": "Anna", "username": "anna"}
CHAT = {"id": -100, "type": "supergroup", "title": "Friends"}
MESSAGE: dict[str, Any] = {"message_id": 5, "date": 1_700_000_000, "chat": CHAT, "from": ANNA, "text": "/start hällo 😀"}
SEEDS: list[dict[str, Any]] = [
    {"message": {**MESSAGE, "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}},
    {"message": {**MESSAGE, "reply_to_message": {**MESSAGE, "photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 2}]}}},
    {"callback_query": {"id": "1", "from": ANNA, "chat_instance": "1", "data": "x", "message": MESSAGE}},
    {"inline_query": {"id": "1", "from": ANNA, "query": "cats", "offset": ""}},
    {"poll_answer": {"poll_id": "1", "user": ANNA, "option_ids": [0], "option_persistent_ids": ["0"]}},
    {
        "chat_member": {
            "chat": CHAT,
            "from": ANNA,
            "date": 1,
            "old_chat_member": {"user": ANNA, "status": "left"},
            "new_chat_member": {"user": ANNA, "status": "member"},
        }
    },
    {"brand_new_kind": {"chat": CHAT, "from": ANNA, "value": 1.5}},
]
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**31,
    2**53,
    2**63 - 1,
    2**63,
    -(2**63),
    10**40,
    "",
    "0",
    "\0",
    "\ud800",
    "x" * 5000,
    [],
    {},
    [[]],
    {"id": 7},
    [None] * 50,
]
SNIPPETS = [
    b"\xff",
    b"\x00",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"NaN",
    b"Infinity",
    b"1e999",
    b'"',
    b"\\",
    b"\\u",
    b"\\ud800",
    b"[" * 500,
    b"{" * 500,
    b"/*",
    b",",
    b"}",
    b"9" * 5000,
]


def bodies(count: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """Bodies with the update ids they were made with."""
    dice = random.Random(seed)  # noqa: S311  # repeatable, not secret
    for number in range(1, count + 1):
        update = {"update_id": number, **json.loads(json.dumps(dice.choice(SEEDS)))}
        shape = dice.random()
        if shape < 0.4:
            for _ in range(dice.randint(1, 4)):
                _mutate(update, dice)
        body = json.dumps(update, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
        if shape > 0.5:
            body = _spoil(body, dice)
        if shape > 0.995:
            body += b" " * dice.randint(MAX_BYTES - len(body) - 2, MAX_BYTES + 10)
        yield number, body


def _mutate(value: Any, dice: random.Random) -> None:
    """Change one place in a tree of JSON."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = dice.choice(keys)
        if isinstance(value[key], dict | list) and value[key] and dice.random() < 0.7:
            value = value[key]
            continue
        change = dice.random()
        if change < 0.6:
            value[key] = copy.deepcopy(dice.choice(ODD))
        elif change < 0.8:
            del value[key]
        elif isinstance(value, dict):
            value[dice.choice(["chat", "from", "message", "update_id", "\0", "edited_message"])] = copy.deepcopy(value[key])
        return


def _spoil(body: bytes, dice: random.Random) -> bytes:
    """Change bytes."""
    place, end = sorted((dice.randrange(len(body)), dice.randrange(len(body))))
    spoilers: list[Callable[[], bytes]] = [
        lambda: body[:place],
        lambda: body[:place] + body[end:],
        lambda: body[:end] + body[place:],
        lambda: body[:place] + dice.choice(SNIPPETS) + body[place:],
        lambda: body[:place] + bytes([dice.randrange(256)]) + body[place + 1 :],
        lambda: dice.randbytes(dice.randrange(200)),
        lambda: body.decode("utf-8", "surrogatepass").encode(dice.choice(["utf-16", "utf-32", "utf-7"]), "surrogatepass"),
        lambda: b"[" * dice.choice([150, 250, 5000, 100_000]) + body,
    ]
    return dice.choice(spoilers)()


@dataclass
class Outcome:
    """What a run found; `problems` is empty when all is well."""

    statuses: Counter[int] = field(default_factory=Counter)
    handled: int = 0
    dead: int = 0
    problems: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0

    def __str__(self) -> str:
        answers = ", ".join(f"{status} {number}" for status, number in sorted(self.statuses.items()))
        return f"{answers}; handled {self.handled}, dead letters {self.dead}; slowest {self.slowest_seconds * 1000:.0f} ms; problems: {self.problems or 'none'}"


class _Tracebacks(logging.Handler):
    """Notices log records with a traceback, other than those of handlers that failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.name != "syncbot.runtime.handling.dispatcher":
            self.found.append(f"{record.name}: {record.getMessage()}")


def fuzz(count: int, seed: int) -> Outcome:
    """Post so many bodies."""
    outcome, tracebacks = Outcome(), _Tracebacks()
    logging.getLogger().addHandler(tracebacks)
    try:
        with tempfile.TemporaryDirectory() as folder, BotApiServer() as api, Bot(TEST_TOKEN, base_url=api.url, proxies="direct") as bot:
            app = Runtime(bot, state=Path(folder) / "bot.db", most_waiting=count, store_options=StoreOptions(dead_limit=count))
            _run(app, count, seed, outcome)
    finally:
        logging.getLogger().removeHandler(tracebacks)
    outcome.problems += tracebacks.found
    return outcome


def _run(app: Runtime, count: int, seed: int, outcome: Outcome) -> None:
    taken = {10**9}
    _listen(app)
    server = Server(app.wsgi("/hook", SECRET), "127.0.0.1", 0, threads=4)
    server.start()
    try:
        for number, body in bodies(count, seed):
            began = time.monotonic()
            status = _post(server.port, body)
            outcome.slowest_seconds = max(outcome.slowest_seconds, time.monotonic() - began)
            outcome.statuses[status] += 1
            if status == 200:
                taken.add(json.loads(body)["update_id"])
            if status not in (200, 400, 413):
                outcome.problems.append(f"body {number}: {status}: {body[:200]!r}")
        if _post(server.port, json.dumps({"update_id": 10**9, "message": MESSAGE}).encode()) != 200:
            outcome.problems.append("a good request is not answered with 200 any more")
        _wait_until_ended(app, len(taken))
        outcome.handled, outcome.dead = app.health()["handled"], app.store.dead_letters.count()
        if outcome.handled + outcome.dead != len(taken):
            outcome.problems.append(f"{len(taken)} updates were taken, and {outcome.handled} + {outcome.dead} came to an end")
    finally:
        server.close()
        app.stop()


def _listen(app: Runtime) -> None:
    @app.message()
    @app.callback_query()
    def note(update: Any, context: Any) -> None:
        context.user_data["last"] = update.update_id


def _post(port: int, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30.0)
    try:
        connection.putrequest("POST", "/hook")
        for name, value in (("Content-Type", "application/json"), (SECRET_HEADER, SECRET), ("Content-Length", str(len(body)))):
            connection.putheader(name, value)
        connection.endheaders()
        # What is too large is refused while it is still being sent.
        if len(body) <= MAX_BYTES:
            connection.send(body)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _wait_until_ended(app: Runtime, number: int) -> None:
    """Wait until so many updates have come to an end: an update is counted a moment after it has left the inbox."""
    deadline, pause = time.monotonic() + 60.0, threading.Event()
    while app.health()["handled"] + app.store.dead_letters.count() < number and time.monotonic() < deadline:
        pause.wait(0.02)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger("syncbot.runtime.handling.dispatcher").setLevel(logging.CRITICAL)  # handlers fail on what is no real update; that is expected
    began = time.monotonic()
    outcome = fuzz(options.bodies, options.seed)
    print(f"{options.bodies} bodies in {time.monotonic() - began:.1f} s: {outcome}")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
