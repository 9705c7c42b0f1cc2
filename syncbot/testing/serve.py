"""Runs a `BotApiServer` from the shell: `python -m syncbot.testing.serve --tls --port 0`.

Prints one line of JSON with `url`, `ca_file` (null without TLS) and `token`, and runs until standard input ends, SIGTERM or SIGINT; with `--stats` a
last line tells what was counted. Standard input takes commands, a line each: `stats` prints the counters, `updates N` queues N more updates.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

from syncbot.testing.server.rate_limits import RateLimits
from syncbot.testing.server.server import TEST_TOKEN, BotApiServer
from syncbot.testing.shell import obey, say, signals

FIRST_CHAT = 1001
"""The id of the first user that updates come from."""


def run(argv: Sequence[str], *, stdin: int, stdout: TextIO) -> int:
    """Serve until a signal or the end of what the descriptor `stdin` brings; returns the exit code. Belongs in the main thread."""
    options = _parser().parse_args(argv)
    server = BotApiServer(
        options.token,
        tls=options.tls,
        port=options.port,
        any_chat=options.any_chat,
        rate_limits=RateLimits() if options.rate_limits else None,
        slow_same_offset=not options.no_slow_same_offset,
        keep_requests=options.keep,
        keep_texts=not options.no_texts,
    )
    started = time.monotonic()
    with signals() as bell, server:  # before the first line, so that whoever has read it can end us
        users = _Users(server, options.chats, options.text)
        users.send(options.updates)
        say(stdout, {"url": server.url, "ca_file": server.ca_file if options.tls else None, "token": server.token})
        obey(bell, None if options.ignore_stdin else stdin, lambda line: _command(line, server, users, stdout, started))
        facts = statistics(server, started)
    if options.stats:
        say(stdout, facts)
    return 0


def statistics(server: BotApiServer, started: float) -> dict[str, Any]:
    """What the server counted, and what the process used, as JSON values."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    texts = server.texts
    return {
        "seconds": round(time.monotonic() - started, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "requests": server.count(),
        "methods": dict(server.recorder.by_method),
        "statuses": {str(status): count for status, count in dict(server.recorder.by_status).items()},
        "connections_total": server.connections_total,
        "open_connections": server.open_connections,
        "max_requests_per_connection": server.max_requests_per_connection,
        "updates_pending": len(server.pending_updates),
        "updates_confirmed": server.confirmed_updates,
        "texts_delivered": sum(texts.values()),
        "texts_repeated": sum(count - 1 for count in texts.values()),
        "most_per_second": server.meter.most_per_second,
        "problems": server.problems[-20:],
    }


class _Users:
    """The people that preloaded updates come from, in turn."""

    def __init__(self, server: BotApiServer, count: int, text: str) -> None:
        self._people = [server.user(FIRST_CHAT + n, f"User {n}") for n in range(count)]
        self._text = text
        self._sent = 0

    def send(self, count: int) -> None:
        for _ in range(count):
            self._people[self._sent % len(self._people)].send(self._text.replace("{n}", str(self._sent)))
            self._sent += 1


def _command(line: str, server: BotApiServer, users: _Users, stdout: TextIO, started: float) -> None:
    match line.split():
        case ["stats"]:
            say(stdout, statistics(server, started))
        case ["updates", number] if number.isdigit():
            users.send(int(number))
            say(stdout, {"updates_pending": len(server.pending_updates)})
        case []:
            pass
        case _:
            say(stdout, {"error": f"unknown command {line!r}; there are: stats, updates N"})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m syncbot.testing.serve", description="A fake Bot API server on 127.0.0.1.")
    parser.add_argument("--tls", action="store_true", help="speak TLS with a certificate of its own authority")
    parser.add_argument("--port", type=int, default=0, help="the port; 0 takes a free one")
    parser.add_argument("--token", default=TEST_TOKEN, help="the one token that is known")
    parser.add_argument("--updates", type=int, default=0, metavar="N", help="queue N updates before the start")
    parser.add_argument("--chats", type=int, default=1, metavar="N", help=f"from N users in turn, with the ids {FIRST_CHAT}, {FIRST_CHAT + 1}, … (default: 1)")
    parser.add_argument("--text", default="message {n}", help="the text of these updates; {n} is a running number")
    parser.add_argument("--any-chat", action="store_true", help="accept messages to chats that do not exist")
    parser.add_argument("--rate-limits", action="store_true", help="enforce Telegram's limits on sending")
    parser.add_argument("--no-slow-same-offset", action="store_true", help="do not hold a poll that repeats its offset")
    parser.add_argument("--keep", type=int, default=1000, metavar="N", help="remember the last N requests, connections and messages (default: 1000)")
    parser.add_argument("--no-texts", action="store_true", help="do not count delivered texts, so that memory stays flat")
    parser.add_argument("--stats", action="store_true", help="print what was counted at the end")
    parser.add_argument("--ignore-stdin", action="store_true", help="run until a signal, whatever standard input does")
    return parser


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], stdin=sys.stdin.fileno(), stdout=sys.stdout))
