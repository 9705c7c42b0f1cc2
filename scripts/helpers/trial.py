"""What the three test scripts share: where the checks run, a line for each, the exit code, and the record in the env file.

With a token in the settings the checks run against the real Telegram. Without one they run against the built-in server, through a proxy in which each
kind of fault strikes every other connection in turn, so that a call which is tried again always finds a good one.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from syncbot import ConfigError, Settings, SyncBotError
from syncbot.cli.console.words import describe
from syncbot.cli.doctor.entry import DATE, PASSED
from syncbot.config import check_setting, config_dir, write_env_file
from syncbot.logs import guard

if TYPE_CHECKING:
    from syncbot.testing import Sandbox, User

_ROUNDS = 4
_CHAT = 42


class CheckFailed(Exception):
    """A check found something that is not as it should be; the text says what, and what to do."""


@dataclass(frozen=True)
class Place:
    """Where the checks run.

    Args:
        settings: the bot's.
        sandbox: the built-in server and its proxy; None at the real Telegram.
        user: somebody who talks to the bot there; None at the real Telegram.
    """

    settings: Settings
    sandbox: Sandbox | None = None
    user: User | None = None

    def __str__(self) -> str:
        if self.sandbox is not None:
            return f"the built-in server, through a proxy with faults ({self.settings.base_url})"
        return f"bot {self.settings.token.partition(':')[0]} at {self.settings.base_url}"

    @property
    def chat(self) -> int | str:
        """The chat to write to.

        Raises:
            CheckFailed: none is set.
        """
        if self.settings.chat is None:
            raise CheckFailed("there is no chat to write to: set SYNCBOT_CHAT, or give --chat ID (scripts/configure_env.sh finds yours)")
        return self.settings.chat

    def settle(self) -> None:
        """Wait until the other side has seen the end of every connection."""
        if self.sandbox is not None:
            self.sandbox.server.wait_closed()
            self.sandbox.proxy.wait_for(lambda: self.sandbox is None or self.sandbox.proxy.open_now == 0)


Check = tuple[str, Callable[[Place], str]]
"""What is looked at, and a function that looks and says in a few words what it found; whatever it raises is the failure."""


def run(title: str, checks: Sequence[Check]) -> int:
    """Run the checks of a script: 0 when all passed, 1 when one failed, 78 when the settings are wrong.

    Args:
        title: what the script is for.
        checks: in order; a failure does not keep the others from being made.
    """
    options = _parser(title).parse_args()
    try:
        found = Settings.load(options.env_file, require_token=False)
        if options.chat is not None:
            found = replace(found, chat=check_setting("SYNCBOT_CHAT", options.chat))
        with _place(found, stand_in=options.stand_in) as place:
            print(f"{title}: {place}", flush=True)
            passed = [_passes(check, place) for check in checks].count(False) == 0
        if options.record:
            target = _record(found, options.env_file, passed)
            print(f"Recorded in {target}: {PASSED}={str(passed).lower()}")
    except ConfigError as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        return 78
    return 0 if passed else 1


def open_sockets() -> int:
    """How many sockets this process has open."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    return sum(_is_socket(int(name)) for name in os.listdir(folder))


def quick_calls(call: Callable[[], object], number: int = 10) -> str:
    """Make calls one right after the other; says how many there were and how long each took.

    Raises:
        CheckFailed: not all of them were answered.
    """
    began, done = time.monotonic(), 0
    problem = ""
    for _ in range(number):
        try:
            call()
            done += 1
        except SyncBotError as error:
            problem = problem or describe(error)
    if done < number:
        raise CheckFailed(f"{done} of {number}; {problem}")
    return f"{done} of {number}, {(time.monotonic() - began) / number * 1000:.0f} ms each"


def faults_survived(place: Place) -> str:
    """A last check: that there were faults at all, where there were to be some."""
    if place.sandbox is None:
        return "none were made here: this is the real way"
    struck = place.sandbox.proxy.struck
    if not struck:
        raise CheckFailed("the proxy has not broken anything, so nothing was proved")
    return f"{sum(struck.values())} faults of {len(struck)} kinds on {place.sandbox.proxy.opened} connections"


def _parser(title: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"{title}. With a token in the settings at the real Telegram, else at the built-in server.")
    parser.add_argument("--record", action="store_true", help=f"write {PASSED} and {DATE} to the env file")
    parser.add_argument("--env-file", help="read the settings from this file (and record there)")
    parser.add_argument("--chat", help="the chat to write to, instead of SYNCBOT_CHAT")
    parser.add_argument("--stand-in", action="store_true", help="use the built-in server, whether there is a token or not")
    return parser


@contextmanager
def _place(found: Settings, *, stand_in: bool) -> Iterator[Place]:
    if found.token and not stand_in:
        yield Place(found)
        return
    from syncbot.testing import Fault, Sandbox  # the real Telegram needs none of it
    from syncbot.testing.sandbox import FAULTS

    with Sandbox(rate=0.0) as sandbox:
        script = [fault for kind in FAULTS for fault in (kind, Fault.NONE)]
        sandbox.proxy.script(*(script * _ROUNDS))
        environment = sandbox.environment() | {"SYNCBOT_CHAT": str(_CHAT)}
        yield Place(Settings.load("/dev/null", environ=environment), sandbox, sandbox.server.user(_CHAT, "Ada"))


def _passes(check: Check, place: Place) -> bool:
    name, look = check
    began = time.monotonic()
    good, words = True, ""
    try:
        words = look(place)
    except SyncBotError as error:
        good, words = False, describe(error)
    except Exception as error:
        good, words = False, f"{type(error).__name__}: {error}" if not isinstance(error, CheckFailed | TimeoutError) else str(error)
    mark = "ok    " if good else "FAILED"
    print(f"{mark} {(time.monotonic() - began) * 1000:7.0f} ms  {name}: {guard().text(words)}", flush=True)
    return good


def _record(found: Settings, named: str | None, passed: bool) -> Path:
    target = Path(named) if named is not None else found.env_file or config_dir() / "env"
    write_env_file(target, {PASSED: "true" if passed else "false", DATE: datetime.now(UTC).isoformat(timespec="seconds")})
    return target


def _is_socket(descriptor: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:  # the listing's own descriptor
        return False
