"""What is not loaded: starting and calling cost what they need, and no event loop comes in by a back door."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from syncbot.testing import TEST_TOKEN, BotApiServer

_REPORT = "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))\n"
NEVER = {"telegram", "asyncio", "httpcore", "httpx", "anyio"}
NEVER_USED = {
    "syncbot.client.ptb.decode",
    "syncbot.client.uploads",
    "syncbot.config.envfile",
    "syncbot.config.trial",
    "syncbot.keyboards",
    "syncbot.runtime.durable.divergence",
    "syncbot.runtime.jobs.jobs",
    "syncbot.runtime.keywords",
    "syncbot.runtime.outbox.attempt",
    "syncbot.runtime.outbox.deliverer",
    "syncbot.runtime.outbox.file_copies",
    "syncbot.runtime.outbox.outbox",
    "syncbot.runtime.outbox.queue_files",
    "syncbot.runtime.outbox.recovery",
    "syncbot.runtime.receiving.intake",
    "syncbot.runtime.session.early_start",
    "syncbot.runtime.session.summary",
    "syncbot.runtime.webhook_face",
    "syncbot.storage.promises.parts",
    "syncbot.storage.promises.queues",
    "syncbot.storage.promises.turns",
    "syncbot.storage.sqlite.upgrade.kept_copy",
}
"""What a bot needs that queues calls, sends files, puts jobs, has telegram's types, or is behind a webhook; and what only type checkers read."""


def loaded_by(code: str, *arguments: str) -> set[str]:
    """The modules that stand loaded in a fresh process when the code has run."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "PYTEST"))}
    done = subprocess.run([sys.executable, "-c", code + _REPORT, *arguments], capture_output=True, text=True, env=bare)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_next_to_nothing() -> None:
    """`import syncbot` brings its errors; no third-party library, no thread machinery, no HTTP."""
    before = loaded_by("")
    new = loaded_by("import syncbot") - before
    assert {name for name in new if name.startswith("syncbot")} == {"syncbot", "syncbot.errors"}
    assert not new & {*NEVER, "requests", "urllib3", "ssl", "sqlite3", "click", "tenacity", "logging", "threading"}


@pytest.mark.parametrize("name", ["Bot", "Limits", "RetryPolicy", "Settings", "Proxy", "NotSent", "Runtime", "filters", "Router"])
def test_no_public_name_needs_telegram_to_be_imported(name: str) -> None:
    """Whatever a program imports at its top, telegram, asyncio and requests wait until they are used."""
    assert not loaded_by(f"from syncbot import {name}") & {*NEVER, "requests", "urllib3", "tenacity"}


def test_a_runtime_loads_neither_time_zones_nor_what_makes_unique_names(tmp_path: Path) -> None:
    """A bot without a job in another zone than the machine's loads no zones, and no module for unique names, which asks for the platform."""
    code = f"""
from syncbot import Bot, Runtime
from syncbot.transport import FakeTransport
app = Runtime(Bot({TEST_TOKEN!r}, transport=FakeTransport(getUpdates=[])), state={str(tmp_path / "bot.db")!r}, types=False)
app.daily("09:00")(lambda context: None)
app.run_once(max_seconds=5.0)
"""
    assert not loaded_by(code) & {"zoneinfo", "sysconfig", "uuid", "platform"}


def test_a_bot_that_polls_and_answers_loads_what_that_takes(tmp_path: Path) -> None:
    """A bot that has answered a message, and rests, holds in memory nothing of what it has never used: its outbox, uploads, jobs, webhooks, the env file."""
    update = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "hello"}}
    code = f"""
import threading
from syncbot import Bot, Runtime
from syncbot.transport import FakeTransport
transport = FakeTransport(sendMessage={{"message_id": 2, "date": 1, "chat": {{"id": 1, "type": "private"}}}}, getUpdates=[[{update!r}], []])
app = Runtime(Bot({TEST_TOKEN!r}, transport=transport), state={str(tmp_path / "bot.db")!r}, types=False)
answered = threading.Event()
@app.message()
def answer(update, context):
    context.reply(update.message.text)
    answered.set()
with app:
    assert answered.wait(30.0)
    assert app.health()["running"]
"""
    assert loaded_by(code) & (NEVER_USED | NEVER) == set()


def test_a_call_through_the_fake_transport_loads_no_network() -> None:
    """The tests of a bot need neither requests nor ssl, nor telegram."""
    code = f"""
from syncbot import Bot
from syncbot.transport import FakeTransport
bot = Bot({TEST_TOKEN!r}, transport=FakeTransport(sendMessage={{"message_id": 1}}))
assert bot.call("sendMessage", chat_id=1, text="hi") == {{"message_id": 1}}
bot.close()
"""
    assert not loaded_by(code) & {*NEVER, "requests", "urllib3", "tenacity", "sqlite3"}


def test_a_real_call_loads_neither_telegram_nor_an_event_loop(api: BotApiServer) -> None:
    """`Bot.call` over the network loads requests, and nothing asynchronous; tenacity and sqlite3 stay away."""
    code = f"""
import sys
from syncbot import Bot
with Bot({TEST_TOKEN!r}, proxies=["direct"], base_url=sys.argv[1], ca_file=sys.argv[2]) as bot:
    assert bot.call("getMe")["is_bot"]
"""
    loaded = loaded_by(code, api.url, api.ca_file)
    assert "requests" in loaded
    assert not loaded & {*NEVER, "tenacity", "sqlite3", "click"}


def test_a_typed_call_loads_telegram_but_no_connection_pool_of_its() -> None:
    """`bot.get_me()` needs telegram's types, which load httpx and asyncio, yet httpcore is never loaded and no event loop is made."""
    code = f"""
import sys
from syncbot import Bot
from syncbot.transport import FakeTransport
bot = Bot({TEST_TOKEN!r}, transport=FakeTransport(getMe={{"id": 1, "is_bot": True, "first_name": "B"}}))
assert bot.get_me().first_name == "B"
import asyncio
assert asyncio._get_running_loop() is None
policy = sys.modules["asyncio.events"]._event_loop_policy
assert policy is None or policy._local._loop is None
"""
    loaded = loaded_by(code)
    assert "telegram" in loaded
    assert "httpcore" not in loaded


def test_the_send_command_loads_neither_telegram_nor_an_event_loop(api: BotApiServer, tmp_path: Path) -> None:
    """`syncbot send` from cron starts as little as it can."""
    code = """
import sys
from syncbot.cli import run
assert run(["send", "--chat", "42", "from cron"]) == 0
"""
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV")},
        "HOME": str(tmp_path),
        "TELEGRAM_BOT_TOKEN": api.token,
        "SYNCBOT_BASE_URL": api.url,
        "SYNCBOT_CA_FILE": api.ca_file,
    }
    done = subprocess.run([sys.executable, "-c", code + _REPORT], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert api.count_text("from cron") == 1
    assert not set(json.loads(done.stdout.splitlines()[-1])) & {*NEVER, "tenacity", "sqlite3", "dotenv"}
