"""The commands on a state in PostgreSQL: they take its URL wherever they take a path, and its password shows nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.postgres_kit import PASSWORD, PostgresServer
from kits.storage_kit import BOT
from kits.webhook_kit import eventually

from syncbot import Bot, Outbox, Runtime
from syncbot.cli import run
from syncbot.storage import End, Incoming, JobEntry, OutboxCall, Store, open_store
from syncbot.testing import TEST_TOKEN, BotApiServer

pytestmark = pytest.mark.programs("postgres")


@pytest.fixture
def store(postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """A bot's state with a dead letter, a job and a queued call; its token is set."""
    for name, value in (("TELEGRAM_BOT_TOKEN", f"{BOT}:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ("HOME", str(tmp_path)), ("SYNCBOT_PROXY", "direct")):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with open_store(postgres_url, BOT) as opened:
        opened.inbox.recover()
        opened.inbox.store([Incoming(1, "7", b'{"update_id":1}')])
        [claimed] = opened.inbox.claim()
        opened.inbox.settle([End(claimed, reason="ValueError: it failed")])
        opened.jobs.put(JobEntry("greet", "greet", {"every": 60}, 4e9))
        opened.outbox.put(OutboxCall("sendMessage", {"chat_id": 7, "text": "hi"}, "7"))
        yield opened


@pytest.mark.parametrize(
    "command",
    [
        ("outbox", "list"),
        ("dead-letters", "list"),
        ("dead-letters", "show", "1"),
        ("jobs", "list"),
        ("monitor", "--once"),
        ("outbox", "list", "--json"),
        ("dead-letters", "retry", "--all"),
        ("jobs", "pause", "greet"),
        ("outbox", "drop", "1"),
    ],
)
@pytest.mark.parametrize("by_option", [True, False])
def test_a_command_takes_the_url(
    store: Store, postgres_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], by_option: bool
) -> None:
    """By --state and by SYNCBOT_STATE; what it says holds no password."""
    if by_option:
        code = run([*command, "--state", postgres_url])
    else:
        monkeypatch.setenv("SYNCBOT_STATE", postgres_url)
        code = run(list(command))
    said = capsys.readouterr()
    assert code == (1 if command[0] == "monitor" else 0), said.err  # a dead letter of this minute is a trouble
    assert PASSWORD not in said.out + said.err


_BOT = """from syncbot import Bot, Runtime
app = Runtime(Bot.from_env(limits=None))
@app.command("count")
def count(update, context):
    context.user_data["count"] = context.user_data.get("count", 0) + 1
    context.reply(f"{context.user_data['count']}")
"""


def test_runs_from_cron_and_a_flush_work_on_a_database(postgres_url: str, tmp_path: Path) -> None:
    """`poll --once` handles what waits and remembers it for its next run, and leaves it to a runtime that polls; `outbox flush` delivers what it has queued."""
    (tmp_path / "counting.py").write_text(_BOT)
    with BotApiServer(slow_same_offset=False) as server:
        ann = server.user()
        base = {name: value for name, value in os.environ.items() if not name.startswith("SYNCBOT_")}
        env = base | {"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_BASE_URL": server.url, "SYNCBOT_STATE": postgres_url, "HOME": str(tmp_path)}

        def command(*argv: str, code: int = 0) -> Any:
            run = [sys.executable, "-c", "from syncbot.cli import main; main()", *argv, "--json"]
            ended = subprocess.run(run, capture_output=True, env=env, cwd=tmp_path, timeout=90)
            assert PASSWORD.encode() not in ended.stdout + ended.stderr
            assert ended.returncode == code, ended.stderr
            return json.loads(ended.stdout or "null")

        for number in ("1", "2"):
            ann.send("/count")
            assert command("poll", "counting:app", "--once")["handled"] == 1
            ann.wait_for(number)
        assert command("poll", "counting:app", "--once")["handled"] == 0
        with Bot(TEST_TOKEN, base_url=server.url, limits=None) as bot:
            Outbox(postgres_url, bot).send_message(ann.id, "from the outbox")
            assert command("outbox", "flush")["delivered"] == 1
            ann.wait_for("from the outbox")
            with Runtime(bot, state=postgres_url) as app:
                eventually(lambda: app.health()["polling"], what="the polling")
                command("poll", "counting:app", "--once", code=75)
                assert app.health()["polling"]


def test_check_state_looks_at_the_rows(store: Store, postgres: PostgresServer, postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole, it says so with what there is; a row that is no JSON, and what nobody would handle, are told, with exit code 78."""
    store.inbox.store([Incoming(2, "8", b"{}")])
    assert run(["check-state", postgres_url, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["whole"]
    assert (found["rows"]["dead_letter"], found["rows"]["job"], found["rows"]["inbox"]) == (1, 1, 1)
    postgres.run("UPDATE syncbot.job SET rule = '{'; DELETE FROM syncbot.chat", postgres_url)
    assert run(["check-state", postgres_url]) == 78
    said = capsys.readouterr().out
    assert "1 rows of job hold no JSON" in said
    assert "1 updates are such that nobody would handle them" in said
    assert run(["check-state", postgres_url, "--salvage-into", "new.db"]) == 78
    assert PASSWORD not in said + capsys.readouterr().err


def test_a_database_that_cannot_be_used_is_told_in_words(postgres: PostgresServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing listens there, the password is wrong, or the bot never ran: one line, without the password, and an exit code."""
    other = postgres.create_database()
    for url in (other, other.replace(PASSWORD, "wr0ng-pa55"), "postgresql://bot:wr0ng-pa55@127.0.0.1:1/bot"):
        assert run(["check-state", url]) in (75, 78)
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        assert PASSWORD not in said.err
        assert "wr0ng" not in said.err
    postgres.drop_database(other)
