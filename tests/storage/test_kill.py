"""Kill -9 at random moments: no stored update is lost, the order per key holds, only what was in flight is handled twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from kits.storage_kit import BOT, put

from syncbot.storage import OutboxCall, OutboxState, open_store
from syncbot.storage.promises.inbox import DIED_ALONE

CHILD = Path(__file__).resolve().parents[1] / "kits" / "kill_child.py"
WORKERS = 4


def run_and_kill(state: Path, journal: Path, total: int, lines: int | None) -> bool:
    """Run the child for so many updates; kill it when its journal has grown by so many lines (None: let it end). True if it was killed."""
    before = journal.stat().st_size if journal.exists() else 0
    process = subprocess.Popen([sys.executable, str(CHILD), str(state), str(journal), str(total)])
    pause = threading.Event()
    while process.poll() is None:
        # A line is about 12 bytes; the exact moment is left to chance.
        if lines is not None and journal.exists() and journal.stat().st_size > before + 12 * lines:
            process.kill()
            process.wait()
            return True
        pause.wait(0.0005)
    assert process.returncode == 0
    return False


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("most", "total"), [(4, 2_500), pytest.param(15, 12_000, marks=pytest.mark.slow)])
def test_kills_lose_nothing_and_keep_the_order(tmp_path: Path, most: int, total: int) -> None:
    """Fifteen kills of a process that stores, handles and finishes: every update once, twice at most what was in flight, in order."""
    state, journal = tmp_path / "bot.db", tmp_path / "journal"
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    kills = sum(run_and_kill(state, journal, total, dice.randrange(1, 1500)) for _ in range(most))
    run_and_kill(state, journal, total, None)
    assert kills >= most // 3, "all, unless a busy machine lets it come to its end before it is killed"

    stored: set[int] = set()
    ended: set[int] = set()
    begun: dict[str, list[int]] = {}
    for word, *rest in (line.split() for line in journal.read_text().splitlines()):
        if word == "stored":
            stored |= set(map(int, rest))
        elif word == "begin":
            assert int(rest[1]) not in ended
            begun.setdefault(rest[0], []).append(int(rest[1]))
        elif word == "end":
            ended.add(int(rest[1]))
    assert stored == set(range(total))
    again = Counter(id for ids in begun.values() for id in ids)
    assert set(again) == stored
    assert sum(count - 1 for count in again.values()) <= kills * WORKERS
    # A repetition is of the last one of its key, which was in flight; beside that the ids only grow.
    assert all(ids == sorted(ids) for ids in begun.values())
    with open_store(state, 1) as store:
        assert store.inbox.counts().waiting == 0
        assert store.dead_letters.count() == 0


DIE = """
import os, sys
from syncbot.storage import End, open_store
store = open_store(sys.argv[1], 123456)
store.inbox.recover()
claimed = store.inbox.claim(4)
while claimed:
    if any(one.key == "killer" for one in claimed):
        os.kill(os.getpid(), 9)
    claimed = claimed[1:] + store.inbox.settle([End(claimed[0])], claim=1).claimed
"""


def test_an_update_that_kills_its_process_ends_in_the_dead_letters(tmp_path: Path) -> None:
    """A handler that always kills the process is found and buried, and all the others are handled."""
    state = tmp_path / "bot.db"
    with open_store(state, BOT) as store:
        put(store.inbox, (1, "a"), (2, "b"), (3, "killer"), (4, "c"), (5, "killer's friend"), (6, "a"))
    codes: list[int] = []
    while not codes or codes[-1] != 0:
        codes.append(subprocess.run([sys.executable, "-c", DIE, str(state)]).returncode)
        assert len(codes) < 10
    assert codes == [-9] * (len(codes) - 1) + [0]
    with open_store(state, BOT) as store:
        assert [(letter.update_id, letter.reason) for letter in store.dead_letters.entries()] == [(3, DIED_ALONE)]
        assert store.inbox.counts().waiting == 0


DELIVER = """
import os, sys
from syncbot.storage import open_store
path, owner, sent = sys.argv[1:]
log = os.open(sent, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
store = open_store(path, 123456)
while store.outbox.outlook().next_time is not None:
    for item in store.outbox.claim(owner, lease=3600):
        if store.outbox.sending(item.id, owner, lease=3600):
            os.write(log, f"{item.call.key} {item.id}\\n".encode())
            store.outbox.sent(item.id, owner)
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("calls", [250, pytest.param(600, marks=pytest.mark.slow)])
def test_killed_deliverers_send_nothing_twice(tmp_path: Path, calls: int) -> None:
    """Two deliverers, killed at random: each call is sent once; those in flight at a kill, and only those, are uncertain; the order holds."""
    state, sent = tmp_path / "bot.db", tmp_path / "sent"
    sent.touch()
    dice = random.Random(os.urandom(8))
    pause = threading.Event()
    kills = 0
    with open_store(state, BOT) as store:
        ids = store.outbox.put(*(OutboxCall("sendMessage", {"n": n}, str(n % 5)) for n in range(calls)))
        processes = {name: subprocess.Popen([sys.executable, "-c", DELIVER, str(state), name, str(sent)]) for name in ("first", "second")}
        while processes:
            goal = sent.stat().st_size + dice.randrange(50, 600)
            while sent.stat().st_size < goal and any(process.poll() is None for process in processes.values()):
                pause.wait(0.0005)
            name = dice.choice(list(processes))
            process = processes.pop(name)
            kills += process.poll() is None
            process.kill()
            process.wait()
            store.outbox.abandon(name)
            if store.outbox.outlook().next_time is not None:
                name = f"next {kills}"
                processes[name] = subprocess.Popen([sys.executable, "-c", DELIVER, str(state), name, str(sent)])
        uncertain = {item.id for item in store.outbox.entries(OutboxState.UNCERTAIN, limit=1000)}
        assert sum(store.outbox.counts().values()) == len(uncertain)
    lines = [line.split() for line in sent.read_text().splitlines()]
    delivered = [int(id) for _, id in lines]
    assert len(delivered) == len(set(delivered))
    assert set(delivered) | uncertain == set(ids)
    assert len(uncertain) <= kills
    for key in range(5):
        order = [int(id) for other, id in lines if other == str(key)]
        assert order == sorted(order)
