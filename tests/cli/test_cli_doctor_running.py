"""`syncbot doctor` beside our own bot: it looks at its lock and its health instead of polling against it, and is green while the bot is well."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.timing_kit import becomes

from syncbot import Bot, Runtime
from syncbot.cli.doctor.living import delivery
from syncbot.cli.doctor.result import Status
from syncbot.cli.doctor.running import OwnBot
from syncbot.cli.monitor.look import Look
from syncbot.config import state_dir
from syncbot.runtime.session.health_note import FACTS
from syncbot.runtime.session.mode import write_mode
from syncbot.storage import OutboxCall, OutboxState, open_store
from syncbot.storage.bot_lock import BotLock, lock_path
from syncbot.testing import TEST_TOKEN, BotApiServer

Command = Callable[..., Any]


@pytest.fixture
def app(server: BotApiServer, environment: dict[str, str]) -> Iterator[Runtime]:
    """A bot with its state file at the usual place."""
    with Bot(TEST_TOKEN, base_url=server.url, proxies="direct") as bot:
        yield Runtime(bot)


def examined(command: Command, *argv: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run the doctor; its exit code, and its steps by name."""
    ended = command("doctor", "--json", "--watch", "1", *argv)
    return ended.code, {step["step"]: step for step in json.loads(ended.out)["steps"]}


def has_told_its_health(app: Runtime) -> bool:
    """Whether the running bot has written down how it is."""
    assert app.state is not None
    with open_store(app.state, None) as store:
        return bool((store.meta.get(FACTS) or {}).get("running"))


def test_a_bot_that_polls(command: Command, server: BotApiServer, app: Runtime) -> None:
    """Beside a bot that polls the doctor is green and asks for no update, so that none of the bot's polls is ended; also with --idle."""
    with app:
        assert becomes(lambda: has_told_its_health(app) and server.count("getUpdates") > 0)
        code, steps = examined(command, "--idle", "1")
        assert code == 0, steps
        assert f"process {os.getpid()} holds its lock" in steps["state and lock"]["text"]
        assert "it is well" in steps["health"]["text"]
        assert steps["how it runs"]["text"] == f"it runs here (process {os.getpid()}) and polls"
        assert steps["how it runs"]["status"] == steps["delivery"]["status"] == "ok"
        assert steps["idle limit"]["status"] == "skipped"
        assert not [request for request in server.requests_for("getUpdates") if request.params.get("limit") == 1 or request.params.get("timeout") == 1]
        assert app.health()["ok"] is True


def test_a_bot_by_webhook(command: Command, server: BotApiServer, app: Runtime) -> None:
    """A bot whose webhook is set is green while it runs, and between two requests where nothing keeps running; without the webhook it gets nothing."""
    assert command("call", "setWebhook", "url=https://bot.example/hook").code == 0
    app.start(poll=False)
    try:
        assert becomes(lambda: has_told_its_health(app))
        code, steps = examined(command)
        assert code == 0, steps
        assert "takes what its webhook brings" in steps["how it runs"]["text"]
        assert (steps["how it runs"]["status"], steps["how it runs"]["advice"]) == ("ok", "")
        assert command("webhook", "delete").code == 0
        code, steps = examined(command)
        assert (code, steps["how it runs"]["status"], steps["how it runs"]["command"]) == (1, "failed", "syncbot webhook set URL")
    finally:
        app.stop()
    assert examined(command)[1]["how it runs"]["status"] == "note"
    assert command("call", "setWebhook", "url=https://bot.example/hook").code == 0
    code, steps = examined(command)
    assert (code, steps["how it runs"]["status"]) == (0, "ok")


def test_a_webhook_before_a_bot_that_polls(command: Command, server: BotApiServer) -> None:
    """A webhook that keeps our own bot from polling is a failure, with our own command to remove it."""
    with open_store(state_dir() / f"{TEST_TOKEN.partition(':')[0]}.db", 1) as store:
        write_mode(store, poll=True)
    assert command("call", "setWebhook", "url=https://bot.example/hook").code == 0
    code, steps = examined(command)
    assert (code, steps["how it runs"]["status"], steps["how it runs"]["command"]) == (77, "failed", "syncbot webhook delete")


def test_a_bot_that_is_not_well(command: Command, server: BotApiServer, app: Runtime) -> None:
    """A running bot whose own word is that something is wrong is the cause."""
    with app:
        assert becomes(lambda: has_told_its_health(app))
        assert app.state is not None
        with open_store(app.state, None) as store:
            store.meta.set(FACTS, {**store.meta.get(FACTS), "ok": False, "last_error": "no way to Telegram"})
        code, steps = examined(command)
    assert (code, steps["health"]["status"]) == (1, "failed")
    assert "no way to Telegram" in steps["health"]["text"]
    assert steps["health"]["command"] == f"syncbot monitor --state {app.state}"


def test_a_bot_that_was_stopped(command: Command, server: BotApiServer, app: Runtime) -> None:
    """Where none runs, or none has run, the doctor looks for other pollers itself, and nothing is red."""
    code, steps = examined(command)
    assert (code, steps["state and lock"]["status"], steps["health"]["status"], steps["how it runs"]["status"]) == (0, "skipped", "skipped", "ok")
    assert "none has run here" in steps["state and lock"]["text"]
    with app:
        assert becomes(lambda: has_told_its_health(app))
    code, steps = examined(command)
    assert (code, steps["state and lock"]["status"], steps["health"]["status"], steps["how it runs"]["status"]) == (0, "ok", "skipped", "ok")
    assert "nobody holds its lock" in steps["state and lock"]["text"]
    assert "it was stopped" in steps["health"]["text"]
    assert steps["how it runs"]["text"].startswith("stopped; nobody else polls for it")


def test_a_bot_that_died(command: Command, server: BotApiServer, app: Runtime) -> None:
    """A bot whose process has ended without a word is worth a note: nobody knows whether somebody wanted that."""
    with app:
        assert becomes(lambda: has_told_its_health(app))
    assert app.state is not None
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    with open_store(app.state, None) as store:
        store.meta.set(FACTS, {**store.meta.get(FACTS), "running": True, "pid": ended.pid})
    code, steps = examined(command)
    assert (code, steps["health"]["status"]) == (0, "note")
    assert "ended without a word" in steps["health"]["text"]


def test_a_bot_that_cron_starts(command: Command, server: BotApiServer, app: Runtime) -> None:
    """Between two runs from cron a bot is well, and the doctor says when the last one was."""
    app.run_once(max_seconds=20)
    code, steps = examined(command)
    assert (code, steps["health"]["status"], steps["how it runs"]["status"]) == (0, "ok", "ok")
    assert "its last run from cron ended" in steps["health"]["text"]
    assert steps["how it runs"]["text"].startswith("cron starts it; nobody else polls")


def test_what_waits_to_be_delivered(command: Command, server: BotApiServer, app: Runtime) -> None:
    """What waits at Telegram and here is counted; dead letters and calls that failed are noted, with the command that shows them."""
    server.user(1001).send("wait for the bot")
    assert app.state is not None
    with open_store(app.state, int(TEST_TOKEN.partition(":")[0])) as store:
        store.inbox.recover()
        [number] = store.outbox.put(OutboxCall("sendMessage", {"chat_id": 1001, "text": "never"}))
        assert store.outbox.claim("one", lease=60.0)
        assert store.outbox.hold(number, "one", OutboxState.FAILED, "refused")
        store.outbox.put(OutboxCall("sendMessage", {"chat_id": 1001, "text": "later"}))
    code, steps = examined(command)
    assert (code, steps["delivery"]["status"]) == (0, "note")
    assert steps["delivery"]["text"] == "1 failed calls; 1 updates wait at Telegram; 0 here; 1 calls in the outbox"
    assert steps["delivery"]["command"] == f"syncbot outbox list --state {app.state}"


def test_updates_that_a_running_bot_leaves_waiting(command: Command, server: BotApiServer, app: Runtime) -> None:
    """An update that waits for minutes while the bot runs is the cause, with the command that shows how the bot is."""
    with app:
        assert becomes(lambda: has_told_its_health(app))
        assert app.state is not None
        own = OwnBot(True, 1, False, Look(0.0, (), {"lag": 600.0, "queue": 3, "running": True}), app.state)
        found = delivery(own, {})
    assert (found.status, found.exit) == (Status.FAILED, 1)
    assert found.text.startswith("an update has been waiting for 10 min")
    assert found.command.startswith("syncbot monitor --state ")


def test_a_bot_that_has_just_begun(command: Command, server: BotApiServer, app: Runtime) -> None:
    """A bot that holds its lock and has not told its health yet runs, whatever the last run said."""
    assert app.state is not None
    with app:
        assert becomes(lambda: has_told_its_health(app))
        with open_store(app.state, None) as store:
            store.meta.set(FACTS, {**store.meta.get(FACTS), "running": False})
        code, steps = examined(command)
    assert code == 0, steps
    assert steps["health"]["text"] == "it has just begun"
    assert "it runs here" in steps["how it runs"]["text"]


def test_a_state_file_that_cannot_be_used(command: Command, server: BotApiServer) -> None:
    """What is no state file is told, with the command that looks into it."""
    Path("bot.db").write_text("no database, but a text that is long enough to be read as the head of one" * 20)
    code, steps = examined(command, "--state", "bot.db")
    assert (code, steps["state and lock"]["status"]) == (78, "failed")
    assert steps["state and lock"]["command"] == "syncbot check-state bot.db"


def test_a_state_file_that_nobody_can_write(command: Command, server: BotApiServer) -> None:
    """A place where no state file can be made is told before the bot fails there, with what to set."""
    Path("taken").write_text("a file, and no folder")
    code, steps = examined(command, "--state", "taken/bot.db")
    assert (code, steps["state and lock"]["status"]) == (78, "failed")
    assert "taken is no folder" in steps["state and lock"]["text"]
    assert "SYNCBOT_STATE" in steps["state and lock"]["advice"]


def test_a_damaged_state_file_of_a_bot_that_runs(command: Command, server: BotApiServer, app: Runtime) -> None:
    """Where the lock is held, no poll is made, whatever the state file looks like."""
    with app:
        assert becomes(lambda: has_told_its_health(app))
        Path("bot.db").write_text("no database, but a text that is long enough to be read as the head of one" * 20)
        lock = BotLock(lock_path(Path("bot.db"), int(TEST_TOKEN.partition(":")[0]), state_dir()))
        assert lock.acquire()
        try:
            polls = len([one for one in server.requests_for("getUpdates") if one.params.get("timeout") == 1])
            assert examined(command, "--state", "bot.db")[1]["state and lock"]["status"] == "failed"
            assert len([one for one in server.requests_for("getUpdates") if one.params.get("timeout") == 1]) == polls
        finally:
            lock.release()


def test_looking_takes_no_lock(command: Command, server: BotApiServer, app: Runtime) -> None:
    """A bot that starts at the very moment of a look is not kept from it."""
    from syncbot.cli.doctor.running import own_bot
    from syncbot.config import Settings

    settings, over = Settings.load("/dev/null"), threading.Event()

    def look_all_the_time() -> None:
        while not over.is_set():
            own_bot(settings, None)

    looking = threading.Thread(target=look_all_the_time)
    looking.start()
    try:
        for _ in range(5):
            app.start()
            app.stop()
    finally:
        over.set()
        looking.join(20)
