"""The bot that `campaign_everywhere.py` kills: each life is a child of its own, which ends by SIGKILL before the step of a number.

    python scripts/campaigns/campaign_everywhere_bot.py '{"url": …, "token": …}'

A line of JSON on standard input is a life; it is answered with a line when that has ended. Steps are what touches the state file or a socket, counted
by a layer below syncbot's: statements that write, and calls of sockets.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable
from typing import Any

from syncbot import Bot, Context, Runtime
from syncbot.logs import setup_logging
from syncbot.runtime.handling import filters

WRITES = ("BEGIN", "COMMIT", "ROLLBACK", "INSERT", "UPDATE", "DELETE")


class Steps:
    """Counts the steps of a life, and ends it before one of them.

    Args:
        names: the file that each step's name is written into.
        die_at: the number of the step, from 1 on; 0 for none.
        without: what of the journal is left out: "intent", "result", "end", or "".
    """

    def __init__(self, names: int, die_at: int, without: str) -> None:
        self._lock = threading.Lock()
        self._names = names
        self._die_at = die_at
        self._count = 0
        self._without = without

    def step(self, name: str) -> None:
        """A step is about to be done."""
        with self._lock:
            self._count += 1
            os.write(self._names, f"{name}\n".encode())
            if self._count == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def is_left_out(self, sql: str, values: Any) -> bool:
        """Whether a statement of the journal is not to be carried out."""
        if sql.startswith("INSERT INTO journal"):
            return self._without == ("intent" if values["outcome"] is None else "result")
        return self._without == "end" and sql.startswith("DELETE FROM journal")


class Written:
    """What a statement that was left out returns."""

    rowcount = 1


def install(steps: Steps) -> None:
    """Count from here on."""

    class Counted(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> Any:
            if sql.startswith(WRITES):
                steps.step(_named(sql))
                if steps.is_left_out(sql, *values or ((),)):
                    return Written()
            return super().execute(sql, *values)

        def executemany(self, sql: str, values: Any) -> Any:
            steps.step(_named(sql))
            return Written() if steps.is_left_out(sql, ()) else super().executemany(sql, values)

    connect = sqlite3.connect
    sqlite3.connect = lambda *values, **options: connect(*values, **{"factory": Counted} | options)
    for name in ("connect", "sendall", "recv_into"):
        setattr(socket.socket, name, _counted(getattr(socket.socket, name), f"socket.{name}", steps))


def _named(sql: str) -> str:
    """A statement without its values: "INSERT INTO journal"."""
    words = sql.replace("OR REPLACE ", "").replace("OR IGNORE ", "").split()
    return " ".join(words[: {"INSERT": 3, "DELETE": 3, "UPDATE": 2}.get(words[0], 1)])


def _counted(function: Callable[..., Any], name: str, steps: Steps) -> Callable[..., Any]:
    def counted(self: socket.socket, *values: Any) -> Any:
        if self.family != socket.AF_UNIX:
            steps.step(name)
        return function(self, *values)

    return counted


def live(settings: dict[str, Any], life: dict[str, Any]) -> None:
    """One life, from its start to its end."""
    names = os.open(life["steps"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    log = os.open(life["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stderr.fileno())
    setup_logging("WARNING")
    install(Steps(names, life["die_at"], life["without"]))
    bot = Bot(settings["token"], proxies=["direct"], base_url=settings["url"], limits=None, timeout=10.0)
    app = Runtime(bot, state=life["state"], interrupted=life["interrupted"], workers=2, poll_wait=1)

    @app.message(filters.TEXT)
    def handler(update: Any, context: Context) -> None:
        context.user_data["runs"] = context.user_data.get("runs", 0) + 1
        context.reply("1")
        context.bot.send_message(update.message.chat.id, "2")
        update.message.reply_text("3")
        context.state = "told"
        context.once("note", lambda: "noted")
        bot.call("sendMessage", chat_id=update.message.chat.id, text="4")
        context.reply("5")

    if life["way"] == "run_once":
        app.run_once(30.0)
        return
    if life["way"] == "webhook":
        app.process(life["update"])
    app.start(poll=life["way"] == "polling")
    pause = threading.Event()
    while not _is_done(app.health(), life["way"]):
        pause.wait(0.01)
    app.stop()


def _is_done(health: dict[str, Any], way: str) -> bool:
    idle = health["running"] and health["queue"] + health["in_flight"] == 0
    return bool(idle and (way == "webhook" or health["polls"] >= 2))


def main(settings: dict[str, Any]) -> None:
    """Lives, one after the other, as they are asked for."""
    Bot(settings["token"], base_url=settings["url"]).load_types()  # once for all of them
    for line in sys.stdin:
        child = os.fork()
        if not child:
            live(settings, json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"killed": os.WIFSIGNALED(status), "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0}), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
