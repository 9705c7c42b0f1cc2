"""Real runs on a PostgreSQL: so many processes of a bot handle what waits, and tell when each handler ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

from syncbot.storage import Incoming, Store, open_store
from syncbot.testing import TEST_TOKEN

BOT_ID = int(TEST_TOKEN.partition(":")[0])
_BATCH = 1000
_ENDS_WITHIN_SECONDS = 120.0
_ALONE = 0.97


@dataclass(frozen=True)
class Load:
    """What is to be run.

    Args:
        processes: how many.
        threads: of each.
        handler: seconds that a handler waits for others.
        updates: how many wait at the beginning.
        chats: of how many chats.
        hot: the share of one chat.
        calls: messages that each handler sends.
    """

    processes: int = 1
    threads: int = 16
    handler: float = 0.0
    updates: int = 20_000
    chats: int = 10_000
    hot: float = 0.0
    calls: int = 0


@dataclass(frozen=True)
class Found:
    """What came of it.

    Args:
        rate: handled a second, from when all processes had begun until the first had nothing more to do.
        seconds: from the first beginning to the last end.
        processor: seconds of processor that the bot's processes took for an update.
        oldest: the greatest age of a waiting update that was seen while they ran.
        handled: how many handlers have come to their end, updates that were handled again among them.
        others: how many other programs wanted a processor all the time, before it and after it.
    """

    rate: float
    seconds: float
    processor: float
    oldest: float
    handled: int
    waits: list[float] = field(default_factory=list, repr=False)
    others: float = 0.0


class Processes:
    """So many processes of the bot (`scale_bot.py`), started and ready. A context manager."""

    def __init__(self, url: str, api_url: str, load: Load) -> None:
        options = {"state": url, "url": api_url, "token": TEST_TOKEN, "threads": load.threads, "handler": load.handler, "calls": load.calls}
        program = Path(__file__).with_name("scale_bot.py")
        command = [sys.executable, str(program), json.dumps(options)]
        environment = os.environ | {"PYTHONPATH": str(program.parents[2])}  # where nothing is installed
        self._all = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(load.processes)]

    def tell(self, word: str) -> list[Any]:
        """Say a word to each, and return what each answers."""
        for process in self._all:
            assert process.stdin is not None
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
        answers = []
        for process in self._all:
            assert process.stdout is not None
            answers.append(json.loads(process.stdout.readline()))
        return answers

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def updates_of(load: Load, first: int = 1) -> Iterator[Incoming]:
    """The updates of a load."""
    every = round(1 / load.hot) if load.hot else 0
    for number in range(load.updates):
        chat = 1 if every and number % every == 0 else 2 + number % max(1, load.chats - 1)
        yield Incoming(first + number, str(chat), body(first + number, chat, str(number)))


def body(update_id: int, chat: int, text: str) -> bytes:
    """An update that brings a message."""
    person = {"id": chat, "first_name": "Ann", "is_bot": False}
    message = {"message_id": update_id, "date": 1, "chat": {"id": chat, "type": "private", "first_name": "Ann"}, "from": person, "text": text}
    return json.dumps({"update_id": update_id, "message": message}).encode()


def fill(store: Store, load: Load) -> float:
    """Store a load; returns how many seconds that took."""
    updates, began = list(updates_of(load)), time.monotonic()
    for at in range(0, len(updates), _BATCH):
        store.inbox.store(updates[at : at + _BATCH])
    return time.monotonic() - began


def run(url: str, api_url: str, load: Load) -> Found:
    """Let the processes handle a load that waits."""
    pause, oldest = Event(), 0.0
    with open_store(url, BOT_ID) as store, Processes(url, api_url, load) as processes:
        fill(store, load)
        processes.tell("ready")
        others = others_here()
        processes.tell("go")
        ends_at = time.monotonic() + _ENDS_WITHIN_SECONDS
        began = time.time()
        while (counts := store.inbox.counts()).waiting + counts.running and time.monotonic() < ends_at:
            oldest = max(oldest, time.time() - max(began, counts.oldest)) if counts.oldest is not None else oldest
            pause.wait(0.1)
        others = (others + others_here()) / 2
        answers = processes.tell("stop")
    if counts.waiting + counts.running:
        raise RuntimeError(f"{counts} after {_ENDS_WITHIN_SECONDS:.0f} s")
    return replace(found(answers, oldest), others=others)


def others_here(seconds: float = 0.7) -> float:
    """How many other programs want a processor of this machine all the time, told by the share that one gets which does; 0 where there is room for it."""
    began, before = time.monotonic(), time.thread_time()
    while (passed := time.monotonic() - began) < seconds:
        pass
    share = (time.thread_time() - before) / passed
    return max(0.0, (os.cpu_count() or 1) / share - 1) if share < _ALONE else 0.0


def found(answers: Sequence[dict[str, Any]], oldest: float) -> Found:
    """What the processes have told, put together."""
    ends = [sorted(answer["ends"]) for answer in answers if answer["ends"]]
    handled = sum(map(len, ends))
    since, until = max(one[0] for one in ends), min(one[-1] for one in ends)
    within = sum(since < end <= until for one in ends for end in one)
    first, last = min(one[0] for one in ends), max(one[-1] for one in ends)
    rate = within / (until - since) if until > since else handled / max(last - first, 1e-9)
    waits = [wait for answer in answers for wait in answer["waits"]]
    return Found(rate, last - first, sum(answer["processor"] for answer in answers) / handled, oldest, handled, waits)


def store_to_handler(url: str, api_url: str, number: int = 200) -> list[float]:
    """Seconds from the call that stores an update to the beginning of its handler, one update after the other, with two processes."""
    load, pause = Load(processes=2, updates=0), Event()
    with open_store(url, BOT_ID) as store, Processes(url, api_url, load) as processes:
        processes.tell("ready")
        processes.tell("go")
        pause.wait(1.0)
        for count in range(number):
            store.inbox.store([Incoming(count + 1, str(count), body(count + 1, count, f"at {time.monotonic()!r}"))])
            pause.wait(0.01)
        pause.wait(1.0)
        answers = processes.tell("stop")
    return [wait for answer in answers for wait in answer["waits"]]


@contextmanager
def servers(url: str | None = None, *, durable: bool = False) -> Iterator[tuple[str, Any]]:
    """A Bot API server's URL, and a PostgreSQL of its own, or that of PG_URL; `durable` has its commits wait for the disk."""
    sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))
    from kits.postgres_kit import PostgresServer

    from syncbot.testing import BotApiServer

    if url:
        os.environ["PG_URL"] = url
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer(durable=durable))
        api = stack.enter_context(BotApiServer(any_chat=True))
        yield api.url, postgres
