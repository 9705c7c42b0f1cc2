"""The files that hold secrets, or what people wrote: who may read and change them."""

from __future__ import annotations

import os
import shlex
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from syncbot.cli.console.state import usual_state
from syncbot.cli.doctor.result import Result, Status
from syncbot.config import Settings
from syncbot.storage.address import StatePlace
from syncbot.storage.bot_lock import file_lock_path

_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def files(settings: Settings, state: StatePlace | None, logs: Sequence[str]) -> Result:
    """Modes and owners of the env file, of the state file with what lies beside it, and of logs with their rotated parts, as far as they are there.

    Args:
        settings: the bot's.
        state: the state file that was named, or None for the usual one.
        logs: the log files that were named.
    """
    began = time.monotonic()
    seen: list[str] = []
    wrong: list[str] = []
    loose: list[str] = []
    foreign: list[str] = []
    for name, path in _paths(settings, state, logs):
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            wrong.append(f"the {name} {path} cannot be looked at ({problem.strerror})")
            continue
        seen.append(name)
        if words := _open_to_others(found.st_mode):
            wrong.append(f"others can {words} the {name} {path} (mode {stat.S_IMODE(found.st_mode):o})")
            loose.append(str(path))
        # Its owner may be ourselves, or root for what we only read; root itself may look at another user's bot.
        if os.geteuid() not in (found.st_uid, 0) and not (name == "env file" and found.st_uid == 0):
            wrong.append(f"the {name} {path} belongs to another user (uid {found.st_uid}, not {os.geteuid()})")
            foreign.append(str(path))
    advice = [shlex.join([*command, *paths]) for command, paths in ((["chmod", "600"], loose), (["sudo", "chown", str(os.geteuid())], foreign)) if paths]
    good = f"nobody else can read or change {', '.join(dict.fromkeys(seen))}" if seen else "neither env file nor state file is there"
    return Result("files", Status.NOTE if wrong else Status.OK, "; ".join(wrong) or good, time.monotonic() - began, "; ".join(advice))


def _paths(settings: Settings, state: StatePlace | None, logs: Sequence[str]) -> Iterator[tuple[str, Path]]:
    if settings.env_file is not None and settings.env_file != Path(os.devnull):
        yield "env file", settings.env_file
    place = usual_state(settings, state)
    if isinstance(place, Path):
        yield from (("state file", Path(f"{place}{end}")) for end in ("", "-wal", "-shm", "-turns"))
        yield "lock", file_lock_path(place)
    for log in map(Path, logs):
        yield "log", log
        beside: list[Path] = []
        with suppress(OSError):  # a folder that is not there, or shows nothing
            beside = sorted(log.parent.iterdir())
        yield from (("log", part) for part in beside if part.name.startswith(f"{log.name}."))


def _open_to_others(mode: int) -> str:
    """What others may do with a file, in words."""
    if mode & _OTHERS_WRITE:
        return "read and change" if mode & _OTHERS_READ else "change"
    return "read" if mode & _OTHERS_READ else ""
