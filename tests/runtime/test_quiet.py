"""A bot that has nothing to do sleeps, and hears at once of what other processes put into its state file."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from kits.runtime_kit import PROGRAM, Process, Seen, becomes, program_arguments
from kits.timing_kit import soon

from syncbot.runtime.runtime import Runtime
from syncbot.storage import Incoming, OutboxCall, Store, open_store
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]
PROMISED_SECONDS = 0.25
TRIES = 15
"""Each is five times in a row within a quarter of a second, which a busy machine does not give at every try."""
LOOK_SECONDS = 5.0

BOT = (
    PROGRAM
    + """
app = Runtime(bot, state=STATE, workers=4, types=False)
@app.message()
def answer(update, context):
    say(update.message.text)
app.run()
"""
)

STORES = """
import json, sys
from syncbot.storage import Incoming, open_store
message = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "told"}
with open_store(sys.argv[1], None) as store:
    store.inbox.store([Incoming(77, "1", json.dumps({"update_id": 77, "message": message}).encode())])
"""


def switches(process: int) -> int:
    """How often the threads of a process have been switched to so far."""
    total = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        total += sum(int(line.split()[1]) for line in (task / "status").read_text().splitlines() if "ctxt_switches" in line)
    return total


def pipe_of(state: Path) -> Path:
    """The pipe beside a state file."""
    return state.with_name(f".{state.name}-news")


def put(store: Store, update_id: int) -> None:
    """Store a message, as another process does."""
    body = b'{"update_id":%d,"message":{"message_id":1,"date":1,"chat":{"id":%d,"type":"private"},"text":"%d"}}' % ((update_id,) * 3)
    assert store.inbox.store([Incoming(update_id, str(update_id), body)]) == 1


def seen_by(app: Runtime) -> Seen:
    """What the handlers of a runtime see."""
    seen = Seen()

    @app.message()
    def see(update: object, context: object) -> None:
        seen.add(update.message.text)  # type: ignore[attr-defined]  # whatever its class is

    return seen


def longest(store: Store, seen: Seen, first: int) -> float:
    """The longest of five times from the end of storing to the handler; a look now and then would be late for one of them."""
    pause, times = threading.Event(), []
    for number in range(first, first + 5):
        pause.wait(0.37)
        began = time.monotonic()
        put(store, number)
        seen.wait(str(number))
        times.append(time.monotonic() - began)
    return max(times)


@pytest.mark.timeout(120)
def test_a_quiet_bot_wakes_up_rarely(server: BotApiServer, tmp_path: Path) -> None:
    """All threads of a bot that polls, with a state file, are switched to about once a second in all; what it is told of is handled all the same."""
    with Process(BOT, *program_arguments(server, tmp_path / "bot.db")) as bot:
        server.wait_polled(timeout=30.0)
        server.user(id=1).send("hello")
        assert bot.line() == "hello"
        pause = threading.Event()

        def a_second() -> float:
            before, began = switches(bot.process.pid), time.monotonic()
            pause.wait(LOOK_SECONDS)
            return (switches(bot.process.pid) - before) / (time.monotonic() - began)

        pause.wait(1.0)
        assert soon(2.0, a_second)
        with Process(STORES, str(tmp_path / "bot.db")) as other:
            assert other.end() == (0, "", "")
        assert bot.line() == "told"
        bot.signal(signal.SIGTERM)
        assert bot.end()[0] == 0


@pytest.mark.parametrize("poll", [True, False])
def test_what_another_puts_into_the_file_is_seen_at_once(make_app: MakeApp, tmp_path: Path, poll: bool) -> None:
    """Whether it polls or a webhook feeds it: a quarter of a second after it was stored it is handled."""
    app = make_app()
    seen = seen_by(app)
    app.start(poll=poll)
    with open_store(tmp_path / "bot.db", app.bot.id) as store:
        numbers = iter(range(1000, 10_000, 100))
        assert soon(PROMISED_SECONDS, lambda: longest(store, seen, next(numbers)), TRIES)


def test_what_another_queues_is_delivered_at_once(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """A call that another process puts into the outbox is made a quarter of a second later."""
    app = make_app()
    app.start()
    pause = threading.Event()

    def slowest() -> float:
        times: list[float] = []
        for _ in range(5):
            pause.wait(0.37)
            before, began = len(server.requests_for("sendMessage")), time.monotonic()
            store.outbox.put(OutboxCall("sendMessage", {"chat_id": 1, "text": "queued"}, "1"))
            assert becomes(lambda before=before: len(server.requests_for("sendMessage")) > before)  # type: ignore[misc] # mypy knows no defaults of lambdas
            times.append(time.monotonic() - began)
        return max(times)

    with open_store(tmp_path / "bot.db", app.bot.id) as store:
        assert soon(PROMISED_SECONDS, slowest, TRIES)


def test_where_there_can_be_no_pipe_it_looks_often(make_app: MakeApp, tmp_path: Path) -> None:
    """Something else that lies in the pipe's place is not touched, and what another stores is seen as soon."""
    path = pipe_of(tmp_path / "bot.db")
    path.write_text("somebody's")
    app = make_app()
    seen = seen_by(app)
    app.start(poll=False)
    with open_store(tmp_path / "bot.db", app.bot.id) as store:
        numbers = iter(range(1000, 10_000, 100))
        assert soon(2 * PROMISED_SECONDS, lambda: longest(store, seen, next(numbers)), TRIES)
    app.stop()
    assert path.read_text() == "somebody's"


def test_the_pipe_is_private_and_goes(make_app: MakeApp, tmp_path: Path) -> None:
    """While the bot runs nobody else may use it, whatever the umask and whatever was left there; afterwards nothing lies about."""
    path = pipe_of(tmp_path / "bot.db")
    os.mkfifo(path, 0o666)
    path.chmod(0o666)
    app = make_app()
    app.start(poll=False)
    assert becomes(lambda: stat.S_IMODE(path.stat().st_mode) == 0o600)
    before = len(os.listdir("/proc/self/fd"))
    app.stop()
    assert sorted(other.name for other in tmp_path.iterdir()) == ["bot.db", "bot.db.lock"]
    assert len(os.listdir("/proc/self/fd")) < before
    assert not [thread for thread in threading.enumerate() if thread.name == "syncbot-news"]


def test_a_pipe_that_nobody_reads_is_in_nobodys_way(tmp_path: Path) -> None:
    """What was left by a bot that was killed takes no writer's time, and a full one neither."""
    state = tmp_path / "bot.db"
    os.mkfifo(pipe_of(state), 0o600)
    with open_store(state, 1) as store:
        put(store, 1)
        full = os.open(pipe_of(state), os.O_RDWR | os.O_NONBLOCK)
        try:
            with suppress(BlockingIOError):
                while os.write(full, bytes(4096)):
                    pass
            put(store, 2)
        finally:
            os.close(full)


def test_a_child_does_not_wait_for_its_parent(tmp_path: Path) -> None:
    """A child that is forked while its parent waits has no part in the pipe: what it stores is told, and at its end the pipe is there still."""
    heard = threading.Event()
    with open_store(tmp_path / "bot.db", 1) as store:
        assert store.wait_for_others()  # what came before is to be looked at
        waiting = threading.Thread(target=lambda: store.wait_for_others() and heard.set())
        waiting.start()
        child = os.fork()
        if not child:
            put(store, 1)
            store.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert heard.wait(20.0)
        waiting.join(20.0)
        assert pipe_of(tmp_path / "bot.db").is_fifo()
    assert not pipe_of(tmp_path / "bot.db").exists()


def test_one_does_not_hear_oneself(tmp_path: Path) -> None:
    """What the store that waits writes wakes nobody; its end does, and there are no others for a store in memory."""
    with open_store(None, 1) as memory:
        assert not memory.wait_for_others()
    store = open_store(tmp_path / "bot.db", 1)
    assert store.wait_for_others()
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(store.wait_for_others()))
    waiting.start()
    put(store, 1)
    waiting.join(0.3)
    assert (waiting.is_alive(), heard) == (True, [])
    store.close()
    waiting.join(20.0)
    assert heard == [False]
    assert not store.wait_for_others()
