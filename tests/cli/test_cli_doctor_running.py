"""`syncbot doctor` beside our own bot: it looks at its lock and its health instead of polling against it, and is green while the bot is well."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.timing_kit import becomes

from syncbot import Bot, Runtime
from syncbot.config import state_dir
from syncbot.runtime.session.health_note import FACTS
from syncbot.runtime.session.mode import write_mode
from syncbot.storage import open_store
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
        assert "it runs here" in steps["bot"]["text"]
        assert "polls" in steps["bot"]["text"]
        assert steps["another poller"]["status"] == steps["idle limit"]["status"] == "skipped"
        assert not [request for request in server.requests_for("getUpdates") if request.params.get("limit") == 1 or request.params.get("timeout") == 1]
        assert app.health()["ok"] is True


def test_a_bot_by_webhook(command: Command, server: BotApiServer, app: Runtime) -> None:
    """A bot whose webhook is set is green while it runs, and between two requests where nothing keeps running; without the webhook that is noted."""
    assert command("call", "setWebhook", "url=https://bot.example/hook").code == 0
    app.start(poll=False)
    try:
        assert becomes(lambda: has_told_its_health(app))
        code, steps = examined(command)
        assert code == 0, steps
        assert "takes what its webhook brings" in steps["bot"]["text"]
        assert (steps["webhook"]["status"], steps["webhook"]["advice"]) == ("ok", "")
    finally:
        app.stop()
    code, steps = examined(command)
    assert (code, steps["webhook"]["status"]) == (0, "ok")
    assert command("webhook", "delete").code == 0
    assert examined(command)[1]["webhook"]["status"] == "note"


def test_a_webhook_before_a_bot_that_polls(command: Command, server: BotApiServer) -> None:
    """A webhook that keeps our own bot from polling is a failure, with our own command to remove it."""
    with open_store(state_dir() / f"{TEST_TOKEN.partition(':')[0]}.db", 1) as store:
        write_mode(store, poll=True)
    assert command("call", "setWebhook", "url=https://bot.example/hook").code == 0
    code, steps = examined(command)
    assert (code, steps["webhook"]["status"]) == (77, "failed")
    assert "syncbot webhook delete" in steps["webhook"]["advice"]


def test_a_bot_that_is_not_well(command: Command, server: BotApiServer, app: Runtime) -> None:
    """A running bot whose own word is that something is wrong is the cause."""
    with app:
        assert becomes(lambda: has_told_its_health(app))
        assert app.state is not None
        with open_store(app.state, None) as store:
            store.meta.set(FACTS, {**store.meta.get(FACTS), "ok": False, "last_error": "no way to Telegram"})
        code, steps = examined(command)
    assert (code, steps["bot"]["status"]) == (1, "failed")
    assert "no way to Telegram" in steps["bot"]["text"]
    assert "syncbot monitor" in steps["bot"]["advice"]


def test_a_bot_that_was_stopped(command: Command, server: BotApiServer, app: Runtime) -> None:
    """Where none runs, or none has run, the doctor looks for other pollers itself, and nothing is red."""
    code, steps = examined(command)
    assert (code, steps["bot"]["status"], steps["another poller"]["status"]) == (0, "skipped", "ok")
    with app:
        assert becomes(lambda: has_told_its_health(app))
    code, steps = examined(command)
    assert (code, steps["bot"]["status"], steps["another poller"]["status"]) == (0, "ok", "ok")
    assert "none runs here" in steps["bot"]["text"]


def test_a_bot_that_has_just_begun(command: Command, server: BotApiServer, app: Runtime) -> None:
    """A bot that holds its lock and has not told its health yet runs, whatever the last run said."""
    assert app.state is not None
    with app:
        assert becomes(lambda: has_told_its_health(app))
        with open_store(app.state, None) as store:
            store.meta.set(FACTS, {**store.meta.get(FACTS), "running": False})
        code, steps = examined(command)
    assert code == 0, steps
    assert "it runs here" in steps["bot"]["text"]


def test_a_state_file_that_cannot_be_used(command: Command, server: BotApiServer) -> None:
    """What is no state file is told, with the command that looks into it."""
    Path("bot.db").write_text("no database, but a text that is long enough to be read as the head of one" * 20)
    code, steps = examined(command, "--state", "bot.db")
    assert (code, steps["bot"]["status"]) == (78, "failed")
    assert "check-state" in steps["bot"]["advice"]


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
