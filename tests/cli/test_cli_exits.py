"""The exit codes: one table, complete, and what each command line ends with."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncbot import errors
from syncbot.cli.console.exits import BY_ERROR, MEANINGS, Exit, exit_for, worst
from syncbot.testing import Answer, BotApiServer, User

OURS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.SyncBotError)]


def test_table_is_complete() -> None:
    """Every class of errors.py has its exit code, and no other class has one."""
    assert set(BY_ERROR) == set(OURS)


def test_every_code_has_a_meaning() -> None:
    """Each exit code says what it means."""
    assert set(MEANINGS) == set(Exit)
    assert all(MEANINGS[code].endswith((".", "shows where.", "(128 + SIGINT).")) for code in Exit)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 78),
        (errors.StorageError("x"), 78),
        (errors.StorageError("x", retryable=True), 75),
        (errors.NotSent("x"), 75),
        (errors.ProxyAuthRequired("x"), 78),
        (errors.NetworkError("x"), 75),
        (errors.DeliveryUncertain("x"), 76),
        (errors.api_error("x", method="m", code=400), 77),
        (errors.api_error("x", method="m", code=400, parameters={"migrate_to_chat_id": -1}), 77),
        (errors.api_error("x", method="m", code=401), 77),
        (errors.api_error("x", method="m", code=403), 77),
        (errors.api_error("x", method="m", code=404), 77),
        (errors.api_error("x", method="m", code=409), 77),
        (errors.api_error("x", method="m", code=418), 77),
        (errors.api_error("x", method="m", code=429), 75),
        (errors.api_error("x", method="sendMessage", code=500), 76),
        (errors.api_error("x", method="unheardOf", code=500), 76),
        (errors.api_error("x", method="getMe", code=500), 75),
        (errors.AlreadyRunning("x"), 75),
        (errors.AskTimeout("x"), 75),
        (errors.Cancelled("x"), 75),
        (errors.Stopped("x"), 75),
        (errors.SyncBotError("x"), 1),
    ],
)
def test_code_of_an_error(error: errors.SyncBotError, code: int) -> None:
    """An error ends a command with the code that its delivery state asks for."""
    assert exit_for(error) == code


def test_subclasses_of_a_user_count_as_what_they_are() -> None:
    """An error class that is derived from one of ours has that one's code."""

    class Special(errors.NotSent):
        pass

    assert exit_for(Special("x")) == 75


def test_the_worst_outcome() -> None:
    """Of several outcomes the worst counts, and uncertain delivery is worse than a refusal."""
    assert worst([]) == 0
    assert worst([Exit.OK, Exit.TRY_LATER]) == 75
    assert worst([Exit.TRY_LATER, Exit.REFUSED, Exit.OK]) == 77
    assert worst([Exit.UNCERTAIN, Exit.REFUSED]) == 76
    assert all(worst([Exit.OK, code]) == code for code in Exit)


SCENARIOS: dict[Exit, tuple[str, dict[str, str], Answer | None]] = {
    Exit.OK: ("send x", {}, None),
    Exit.INTERNAL: ("run broken:app", {}, None),
    Exit.USAGE: ("send --no-such-option", {}, None),
    Exit.TRY_LATER: ("send --timeout 1 x", {"SYNCBOT_PROXY": "http://127.0.0.1:9"}, None),
    Exit.UNCERTAIN: ("send x", {}, Answer.normal().once_done().cut()),
    Exit.REFUSED: ("send --chat 4004 x", {}, None),
    Exit.CONFIG: ("send x", {"SYNCBOT_TIMEOUT": "soon"}, None),
    Exit.INTERRUPTED: ("send x", {}, Answer.never()),
    Exit.READER_GONE: ("call getMe", {}, None),
}
"""A command line for every exit code: its words, its environment, and what the server answers."""


def test_every_exit_code_has_a_scenario() -> None:
    """The walk below leaves no exit code out."""
    assert set(SCENARIOS) == set(Exit)


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_as_a_process(code: Exit, process: Callable[..., Any], terminal: Callable[..., Any], server: BotApiServer, user: User) -> None:
    """Each exit code is reached by a real process, with at most one line on standard error and no traceback."""
    words, extra, answer = SCENARIOS[code]
    Path("broken.py").write_text("1 / 0")
    if answer is not None:
        server.script("sendMessage", answer)
    if code is Exit.INTERRUPTED:
        running = terminal(*words.split())
        server.wait_count("sendMessage", 1, timeout=30.0)
        running.type("\x03")
        assert running.wait() == code
        return
    if code is Exit.READER_GONE:
        # Bash has noted the end of the reader before the writer begins.
        program = f'exec 3> >(true); wait $!; "{sys.executable}" -c "from syncbot.cli import main; main()" {words} >&3; echo $?'
        ended = subprocess.run(["/bin/bash", "-c", program], capture_output=True, text=True, timeout=60, check=False)
        assert (ended.stdout, ended.stderr) == (f"{int(code)}\n", "")
        return
    ended = process(*words.split(), **extra)
    assert ended.code == code
    assert "Traceback" not in ended.err
    assert ended.err.count("\n") == (0 if code is Exit.OK else 1)
