"""What a process leaves behind that dies, or fails, between two steps which belong together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, Seen, running

from syncbot.errors import StorageError
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import open_store
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]


def test_an_answer_that_its_asker_has_not_seen_is_there_in_the_next_life(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """The process dies when the answering update has ended, before the handler that asked goes on: the next one goes on with the answer, and asks nothing."""
    copy, user, seen = tmp_path / "copy.db", server.user(id=42), Seen()

    def conversation(app: Runtime, answered: Callable[[], object]) -> Runtime:
        @app.command("start")
        def start(update: Any, context: Context) -> None:
            name = context.ask("Name?", timeout=SECONDS).text
            answered()
            seen.add(name)

        return app

    def copy_file() -> None:
        with closing(sqlite3.connect(tmp_path / "bot.db")) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)

    with running(conversation(make_app(), copy_file)):
        user.send("/start")
        user.wait_for("Name?", timeout=SECONDS)
        user.send("Ada")
        seen.wait("Ada")
    with running(conversation(make_app(state=copy), lambda: None)):
        seen.wait_number(2)
    assert (seen.texts, [message.text for message in user.messages]) == (["Ada", "Ada"], ["Name?"])


def test_a_job_that_is_declared_behind_a_start_that_failed_is_put_by_the_next_one(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """A start that fails when it has declared the jobs leaves nobody to tell of further ones: they are declared without an error."""
    app = make_app()
    with open_store(tmp_path / "bot.db", app.bot.id), closing(sqlite3.connect(tmp_path / "bot.db")) as db:
        db.execute("CREATE TRIGGER no_jobs BEFORE INSERT ON job BEGIN SELECT RAISE(ABORT, 'no'); END")
    app.every(3600, name="first")(lambda context: None)
    with pytest.raises(StorageError):
        app.start()
    app.every(3600, name="second")(lambda context: None)
    with closing(sqlite3.connect(tmp_path / "bot.db")) as db:
        db.execute("DROP TRIGGER no_jobs")
    with running(app):
        assert sorted(entry.name for entry in app.jobs.entries()) == ["@first", "@second"]
