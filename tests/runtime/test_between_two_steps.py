"""What a process leaves behind that dies, or fails, between two steps which belong together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, Seen, logged, running

from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
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


def test_a_job_that_is_declared_behind_a_start_that_failed_touches_no_closed_file(make_app: MakeApp) -> None:
    """A start that fails over a job that cannot be stored leaves nobody who would write further ones into the file that was closed."""
    app = make_app()
    app.every(3600, name="\udcff")(lambda context: None)
    with pytest.raises(ValueError, match="is no name of a job"):
        app.start()
    with logged() as log:
        app.every(3600, name="second")(lambda context: None)
        assert log.count("the state cannot be used") == 0
