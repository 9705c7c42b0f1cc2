"""Our own bot, as its lock and its state file tell of it: whoever runs it need not be disturbed to see that it is well."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from syncbot.cli.console.exits import Exit, exit_for
from syncbot.cli.console.state import bot_of, usual_state
from syncbot.cli.doctor.result import Result, Status
from syncbot.cli.monitor.look import Bounds
from syncbot.cli.monitor.state_watch import StateWatch
from syncbot.config import Settings, state_dir
from syncbot.errors import ConfigError, StorageError
from syncbot.runtime.session.mode import WEBHOOK, mode_of
from syncbot.storage import StoreOptions, open_store
from syncbot.storage.address import StatePlace
from syncbot.storage.bot_lock import lock_path

STEP = "bot"


@dataclass(frozen=True)
class OwnBot:
    """What is known of our own bot on this machine.

    Args:
        runs: a process of it holds its lock, or says in its state file that it runs.
        by_webhook: it takes its updates from a webhook, or did when it ran last; None where nothing says how.
    """

    runs: bool = False
    by_webhook: bool | None = None


def own_bot(settings: Settings, state: StatePlace | None) -> tuple[Result, OwnBot]:
    """Look at the bot of these settings without touching it: neither its lock is taken nor anything asked of Telegram.

    Args:
        settings: the bot's.
        state: the state file that was named, or None for the usual one.
    """
    began = time.monotonic()
    try:
        path = usual_state(settings, state)
        is_file = path is None or isinstance(path, Path)
        holder = _holder(lock_path(path, int(settings.token.partition(":")[0]), state_dir())) if is_file else None
        if path is None or (isinstance(path, Path) and not (os.path.exists(path) and os.path.getsize(path) > 0)):  # an empty file belongs to nobody yet
            return _without_state(path, holder, began), OwnBot(runs=holder is not None)
        with open_store(path, None if is_file else bot_of(settings), options=StoreOptions(check=False)) as store:
            mode = mode_of(store)
            look = StateWatch(store, None, Bounds()).look(time.time())
    except (ConfigError, StorageError, OSError) as error:
        code = exit_for(error) if isinstance(error, ConfigError | StorageError) else Exit.CONFIG
        return Result(STEP, Status.FAILED, str(error), time.monotonic() - began, "syncbot check-state looks through the state file", exit=code), OwnBot()
    bot = OwnBot(holder is not None or _says_it_runs(look.facts.get("running"), look.troubles), None if mode is None else mode == WEBHOOK)
    seconds = time.monotonic() - began
    if not bot.runs:
        return Result(STEP, Status.OK, f"none runs here with {path}", seconds), bot
    if look.troubles and look.facts.get("running"):  # else it has just begun, and its state file tells of the last run
        return Result(STEP, Status.FAILED, "; ".join(look.troubles), seconds, f"syncbot monitor --state {path} shows it", exit=Exit.BAD), bot
    way = "takes what its webhook brings" if bot.by_webhook else "polls"
    known = ", ".join(f"{label} {value}" for label, value in look.shown if label in ("last poll", "handled") and value != "-")
    process = f" (process {holder})" if holder else ""  # 0 is one of another container
    return Result(STEP, Status.OK, f"it runs here{process} and {way}" + (f"; {known}" if known else ""), seconds), bot


def _without_state(path: StatePlace | None, holder: int | None, began: float) -> Result:
    seconds = time.monotonic() - began
    if holder is not None:
        return Result(STEP, Status.OK, "it runs here" + (f" (process {holder})" if holder else ""), seconds)
    where = f", and there is no {path}" if path is not None else ""
    return Result(STEP, Status.SKIPPED, f"none has run here{where}", seconds, "if it keeps its state elsewhere, name the file with --state")


def _says_it_runs(running: object, troubles: tuple[str, ...]) -> bool:
    """Whether its last word is that it runs, and it is not known to be gone: its lock may be out of our sight, as another container's is."""
    return bool(running) and not any(words in trouble for trouble in troubles for words in ("does not run", "has said nothing"))


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
