"""Our own bot, as its lock and its state file tell of it: whoever runs it need not be disturbed to see that it is well."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncbot.cli.console.exits import Exit, exit_for
from syncbot.cli.console.state import bot_of, usual_state
from syncbot.cli.doctor.result import Result, Status
from syncbot.cli.monitor.look import Bounds, Look, span
from syncbot.cli.monitor.state_watch import StateWatch
from syncbot.config import Settings, state_dir
from syncbot.errors import ConfigError, StorageError
from syncbot.runtime.session.mode import WEBHOOK, mode_of
from syncbot.storage import StoreOptions, open_store
from syncbot.storage.address import StatePlace
from syncbot.storage.bot_lock import lock_path

STATE = "state and lock"
HEALTH = "health"


@dataclass(frozen=True)
class OwnBot:
    """What is known of our own bot on this machine.

    Args:
        runs: a process of it holds its lock, or says in its state file that it runs.
        process: its number; None where it is not known.
        by_webhook: it takes its updates from a webhook, or did when it ran last; None where nothing says how.
        look: what its state file tells; None where there is none.
        path: where its state is; None for nowhere.
    """

    runs: bool = False
    process: int | None = None
    by_webhook: bool | None = None
    look: Look | None = None
    path: StatePlace | None = None

    @property
    def said(self) -> Mapping[str, Any]:
        """Its last word about itself; empty where it has said nothing yet."""
        said: Mapping[str, Any] = self.look.facts.get("said", {}) if self.look is not None else {}
        return said

    @property
    def monitor(self) -> str:
        """The command that shows it."""
        return f"syncbot monitor --state {shlex.quote(str(self.path))}"


def own_bot(settings: Settings, state: StatePlace | None) -> tuple[Result, OwnBot]:
    """Look at the bot of these settings without touching it: neither its lock is taken nor anything asked of Telegram.

    Args:
        settings: the bot's.
        state: the state file that was named, or None for the usual one.
    """
    began = time.monotonic()
    path: StatePlace | None = None
    holder: int | None = None
    try:
        path = usual_state(settings, state)
        is_file = path is None or isinstance(path, Path)
        holder = _holder(lock_path(path, int(settings.token.partition(":")[0]), state_dir())) if is_file else None
        held = "nobody holds its lock" if holder is None else f"process {holder} holds its lock" if holder else "a process elsewhere holds its lock"
        if isinstance(path, Path) and holder is None and (unwritable := _unwritable(path, began)) is not None:
            return unwritable, OwnBot()
        if path is None or (isinstance(path, Path) and not (os.path.exists(path) and os.path.getsize(path) > 0)):  # an empty file belongs to nobody yet
            return _without_state(path, holder, held, began), OwnBot(holder is not None, holder or None)
        with open_store(path, None if is_file else bot_of(settings), options=StoreOptions(check=False)) as store:
            mode = mode_of(store)
            look = StateWatch(store, None, Bounds()).look(time.time())
    except (ConfigError, StorageError, OSError) as error:
        code = exit_for(error) if isinstance(error, ConfigError | StorageError) else Exit.CONFIG
        command = f"syncbot check-state {shlex.quote(str(path))}" if path is not None else ""
        advice = f"{command} looks through the state" if command else "name the state with --state"
        return Result(STATE, Status.FAILED, str(error), time.monotonic() - began, advice, command, exit=code), OwnBot(holder is not None, holder or None)
    runs = holder is not None or look.runs
    own = OwnBot(runs, holder or None, None if mode is None else mode == WEBHOOK, look, path)
    return Result(STATE, Status.OK, f"{path}; {held}" if is_file else str(path), time.monotonic() - began), own


def health(own: OwnBot) -> Result:
    """What the bot itself says of how it is."""
    if own.look is None:
        return Result(HEALTH, Status.SKIPPED, "it has said nothing yet" if own.runs else "none has run here")
    began, troubles = time.monotonic(), own.look.of_process
    if not own.runs:
        if own.said.get("once"):
            return Result(HEALTH, Status.OK, f"its last run from cron ended {span(time.time() - own.said['at'])} ago")
        stopped = "; ".join(troubles) or "none runs here"
        if own.said.get("running"):
            return Result(HEALTH, Status.NOTE, stopped, advice="what it had begun is done when it starts again; its log tells how it ended")
        return Result(HEALTH, Status.SKIPPED, stopped)
    if not own.look.facts.get("running"):  # its state file tells of the last run
        return Result(HEALTH, Status.OK, "it has just begun")
    if troubles:
        return Result(HEALTH, Status.FAILED, "; ".join(troubles), advice=f"{own.monitor} shows it", command=own.monitor, exit=Exit.BAD)
    known = ", ".join(f"{label} {value}" for label, value in own.look.shown if label in ("last poll", "handled") and value != "-")
    return Result(HEALTH, Status.OK, f"it is well{': ' if known else ''}{known}", time.monotonic() - began)


def _without_state(path: StatePlace | None, holder: int | None, held: str, began: float) -> Result:
    seconds = time.monotonic() - began
    if holder is not None:
        return Result(STATE, Status.OK, held, seconds)
    where = f"there is no {path}" if path is not None else "it keeps none"
    return Result(STATE, Status.SKIPPED, f"none has run here: {where}", seconds, "if it keeps its state elsewhere, name the file with --state")


def _unwritable(path: Path, began: float) -> Result | None:
    """What keeps the state file from being made or written by this user; None where nothing is seen to. Another user's file may be that user's bot."""
    try:
        there = next(one for one in (path, *path.absolute().parents) if one.exists())
        owner = there.stat().st_uid
    except (OSError, StopIteration):  # out of our sight
        return None
    is_file = there == path
    if os.access(there, os.W_OK) and (is_file or (there.is_dir() and os.access(there, os.X_OK))):
        return None
    foreign = owner != os.geteuid() and there in (path, path.parent)
    why = f"the {'file' if is_file else 'folder'} {there} may not be changed" if is_file or there.is_dir() else f"{there} is no folder"
    text = f"{path} cannot be written by this user: {why}"
    advice = "look as the user that runs the bot" if foreign else "name a state file in a folder of yours: SYNCBOT_STATE"
    return Result(STATE, Status.NOTE if foreign else Status.FAILED, text, time.monotonic() - began, advice, exit=Exit.OK if foreign else Exit.CONFIG)


def _holder(lock: Path) -> int | None:
    """The process that holds the lock; None where none does, or the system does not tell.

    The system's list is read, since whoever takes the lock to see whether it is free keeps a bot from starting at that moment.
    """
    with suppress(OSError, ValueError):
        inode = f":{os.stat(lock).st_ino}"
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()  # 1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF
            if len(words) == 8 and words[1] == "FLOCK" and words[5].endswith(inode):
                return int(words[4])
    return None
