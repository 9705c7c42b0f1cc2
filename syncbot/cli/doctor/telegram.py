"""What Telegram itself says: the token, the clock, ten calls in a row, the idle limit."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from statistics import median

from syncbot.cli.console.asking import ask_for
from syncbot.cli.console.exits import Exit, exit_for
from syncbot.cli.console.words import describe
from syncbot.cli.doctor.result import Result, Status
from syncbot.cli.doctor.way import clock_skew
from syncbot.client.bot import Bot
from syncbot.errors import Conflict, NetworkError, SyncBotError, Unauthorized
from syncbot.types import Request

QUICK_CALLS = 10
_SKEW_LIMIT_SECONDS = 10.0
CALLS_SECONDS = 30.0
"""After that no further call of the ten is made."""


def token(bot: Bot) -> Result:
    """Whether Telegram knows it: getMe."""
    began = time.monotonic()
    try:
        me = ask_for(dict, bot, "getMe")
    except Unauthorized as error:
        advice = "ask @BotFather for the token (/mybots, API Token), and put it into TELEGRAM_BOT_TOKEN"
        text = f"the token is wrong or was revoked: {error.description} ({error.code})"
        return failed("token", error, began, advice, "syncbot init --new-token", text=text)
    except SyncBotError as error:
        return failed("token", error, began, "try again; if it stays so, take another way (SYNCBOT_PROXY)", "syncbot init")
    return Result("token", Status.OK, f"the bot is @{me.get('username')} ({me.get('id')})", time.monotonic() - began)


def clock(bot: Bot, base_url: str) -> Result:
    """This machine's clock against the server's Date header."""
    began, began_wall = time.monotonic(), time.time()
    try:
        answer = bot.transport.send(Request(f"{base_url}/", "the clock", verb="GET", timeout=bot.timeout))
    except NetworkError as error:
        return failed("clock", error, began, "try again")
    skew = clock_skew({name.lower(): value for name, value in answer.headers.items()}, began_wall, time.time())
    seconds = time.monotonic() - began
    if skew is None:
        return Result("clock", Status.SKIPPED, "the server does not tell the time", seconds)
    if abs(skew) <= _SKEW_LIMIT_SECONDS:
        return Result("clock", Status.OK, "right" if abs(skew) < 1 else f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}", seconds)
    text = f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's"
    return Result("clock", Status.NOTE, text, seconds, "set it (ntpd, timedatectl): certificates and times of messages depend on it")


def quick_calls(bot: Bot, port: int) -> Result:
    """Ten calls in a row, each once, and no connection to the proxy's or server's port left over."""
    step = f"{QUICK_CALLS} quick calls"
    before, began = _connections(port), time.monotonic()
    times: list[float] = []
    problems: list[SyncBotError] = []
    for _ in range(QUICK_CALLS):
        started = time.monotonic()
        if started - began > CALLS_SECONDS:
            break
        try:
            bot.call("getMe")
        except SyncBotError as error:
            problems.append(error)
        else:
            times.append(time.monotonic() - started)
    seconds, left = time.monotonic() - began, _connections(port) - before
    text = f"{len(times)}/{QUICK_CALLS}" + (f", {median(times) * 1000:.0f} ms each" if times else "") + f", {max(0, left)} connections left open"
    if problems:
        advice = "the way is unsteady: retries carry a bot over it, another way is better (SYNCBOT_PROXY)"
        return Result(step, Status.FAILED, f"{text}; {describe(problems[0])}", seconds, advice, "syncbot init", exit=exit_for(problems[0]))
    if left > 0:
        return Result(step, Status.FAILED, text, seconds, "this is a mistake in syncbot: please report it", exit=Exit.INTERNAL)
    if len(times) < QUICK_CALLS:
        return Result(step, Status.NOTE, text, seconds, f"the way is slow: no more were made after {CALLS_SECONDS:.0f} s")
    return Result(step, Status.OK, text, seconds)


def idle_limit(bot: Bot, seconds: int) -> Result:
    """How long a poll may wait before something on the way cuts it."""
    began = time.monotonic()
    try:
        updates = ask_for(list, bot, "getUpdates", limit=1, timeout=seconds)
    except Conflict as error:
        return failed("idle limit", error, began, "stop the other program, and try again")
    except NetworkError as error:
        took = time.monotonic() - began
        text = f"a waiting connection is cut after {took:.0f} s ({error})"
        return Result(
            "idle limit", Status.NOTE, text, took, "a runtime learns it and polls in shorter turns by itself; other programs need a poll timeout below it"
        )
    except SyncBotError as error:
        return failed("idle limit", error, began, "try again")
    took = time.monotonic() - began
    if updates:
        return Result("idle limit", Status.SKIPPED, "updates wait, and so Telegram answers at once", took, "run the bot once, then try again")
    return Result("idle limit", Status.OK, f"a connection may wait {seconds} s", took)


def _connections(port: int) -> int:
    """How many connections to this port the process has open; 0 where the system does not tell."""
    names: list[str] = []
    with suppress(OSError):
        names = os.listdir("/proc/self/fd")
    return sum(_leads_to(name, port) for name in names)


def _leads_to(descriptor: str, port: int) -> bool:
    with suppress(OSError):  # the listing's own descriptor, or a socket that is not connected
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:"):
            with socket.socket(fileno=os.dup(int(descriptor))) as sock:
                peer = sock.getpeername()
                return isinstance(peer, tuple) and peer[1] == port
    return False


def failed(step: str, error: SyncBotError, began: float, advice: str, command: str = "syncbot doctor", *, text: str = "") -> Result:
    """A step that ended with this error; it began when `time.monotonic()` said so."""
    return Result(step, Status.FAILED, text or describe(error), time.monotonic() - began, advice, command, exit=exit_for(error))
