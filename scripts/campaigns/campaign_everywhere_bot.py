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
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any, TypeVar

from syncbot import AskTimeout, Bot, Context, DeliveryUncertain, NotSent, Runtime
from syncbot.logs import setup_logging
from syncbot.runtime.handling import filters

_T = TypeVar("_T")

LIFE_SECONDS = 60.0
"""A life that has not come to its end by then has lost something."""
LEFT = """SELECT (SELECT count(*) FROM inbox WHERE state <> 'done')
    + (SELECT count(*) FROM outbox WHERE not_before < ? AND state IN ('queued', 'claimed', 'sending'))"""
WRITES = ("BEGIN", "COMMIT", "ROLLBACK", "INSERT", "UPDATE", "DELETE")
PARTS = {
    "INSERT OR REPLACE INTO journal": "question",
    "INSERT OR REPLACE INTO question": "question",
    "DELETE FROM question WHERE seq = ? AND step": "answer",
    "UPDATE journal": "answer",
    "DELETE FROM journal": "end",
}
"""What of the journal is written by a statement that begins so."""


class Steps:
    """Counts the steps of a life, and ends it before one of them.

    Args:
        names: the file that each step's name is written into.
        die_at: the number of the step, from 1 on; 0 for none.
        without: what of the journal is left out: "intent" and "result" of a call, the "value" of a step that is none, "question", "answer", "end", or "".
        behind: count only what follows the first step of this name, on its thread; "" counts all.
    """

    def __init__(self, names: int, die_at: int, without: str, behind: str = "") -> None:
        self.not_counted: set[int] = set()
        """The threads that stand for Telegram."""
        self._lock = threading.Lock()
        self._names = names
        self._die_at = die_at
        self._count = 0
        self._without = without
        self._behind = behind
        self._counted_thread = 0

    def step(self, name: str) -> None:
        """A step is about to be done."""
        if threading.get_ident() in self.not_counted:
            return
        with self._lock:
            os.write(self._names, f"{name}\n".encode())
            self._count += not self._behind or self._counted_thread == threading.get_ident()
            if name == self._behind and not self._counted_thread:
                self._counted_thread = threading.get_ident()
            if self._count == self._die_at > 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def is_left_out(self, sql: str, values: Any) -> bool:
        """Whether a statement of the journal is not to be carried out."""
        if sql.startswith("INSERT INTO journal"):
            part = "intent" if values["outcome"] is None else "value" if values["what"].islower() else "result"
        else:
            part = next((part for begins, part in PARTS.items() if sql.startswith(begins)), "none")
        return self._without == part


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
    steps = Steps(names, life["die_at"], life["without"], life["behind"])
    install(steps)
    if life["dies_after"]:
        dying = threading.Timer(life["dies_after"], os.kill, (os.getpid(), signal.SIGKILL))
        dying.daemon = True
        dying.start()
    bot = Bot(settings["token"], proxies=[life["proxy"]], base_url=settings["url"], limits=None, timeout=2.0 if life["faults"] else 10.0)
    options = {name: life[name] for name in ("state", "interrupted", "replies", "asks")}
    app = Runtime(bot, workers=2, poll_wait=1, uncertain="again", **options)
    app.message(filters.regex("^go$") if life["faults"] else filters.TEXT)(handler_of(app, bot, life["timeout"]))
    if life["way"] == "run_once":
        app.run_once(LIFE_SECONDS)
        return
    app.start(poll=life["way"] == "polling")
    feed = Feed(f"{settings['url']}/bot{settings['token']}/getUpdates", app, steps) if life["way"] == "webhook" else None
    until, pause = time.monotonic() + LIFE_SECONDS, threading.Event()
    while not ((feed.looks if feed else app.health()["polls"]) >= 2 and is_over(life["state"])):
        if time.monotonic() > until:
            os._exit(3)
        pause.wait(0.01)
    if feed:
        feed.end()
    app.stop()


def handler_of(app: Runtime, bot: Bot, timeout: float) -> Callable[[Any, Context], None]:
    """What is killed: five calls, an ask, a choice, data and a state, and what is written at once."""

    def handler(update: Any, context: Context) -> None:
        context.user_data["runs"] = context.user_data.get("runs", 0) + 1
        _carried(lambda: context.reply("1"))
        _carried(lambda: context.bot.send_message(update.message.chat.id, "2"))
        context.user_data.change("at once", lambda number: number + 1, default=0, at_once=True)
        name = _answer(lambda: context.ask("name?", timeout=timeout).text)
        _carried(lambda: update.message.reply_text(f"3 {name}"))
        app.outbox.send_message(chat_id=1, text="later", not_before=timedelta(days=1000))
        context.state = "told"
        context.once("note", lambda: "noted")
        size = _answer(lambda: context.choose("size?", ["S", "M"], timeout=timeout))
        _carried(lambda: bot.call("sendMessage", chat_id=update.message.chat.id, text=f"4 {size}"))
        _carried(lambda: context.reply("5"))

    return handler


def _answer(ask: Callable[[], str]) -> str:
    try:
        return _carried(ask)
    except AskTimeout:
        return "?"


def _carried(call: Callable[[], _T]) -> _T:
    """Make a call until it is carried out; what may have been is made again, and told."""
    while True:
        try:
            return call()
        except NotSent:
            pass
        except DeliveryUncertain as error:
            print("its answer was lost, and it is made again:", type(error).__name__, file=sys.stderr, flush=True)


def is_over(path: str) -> bool:
    """Whether nothing is left to be handled or delivered, but for what is for much later."""
    with closing(sqlite3.Connection(path)) as db:
        return db.execute(LEFT, (time.time() + 1e6,)).fetchone() == (0,)


class Feed:
    """Telegram, which hands out updates by webhook: each one again until it was accepted.

    Args:
        url: where it gets them from.
        app: whom it gives them.
        steps: what does not count this.
    """

    def __init__(self, url: str, app: Runtime, steps: Steps) -> None:
        self.looks = 0
        self._url = url
        self._app = app
        self._steps = steps
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Hand out no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        offset, me = 0, threading.get_ident()
        while not self._stop.wait(0.01):
            self._steps.not_counted.add(me)
            with urllib.request.urlopen(f"{self._url}?timeout=0&offset={offset}") as answer:  # noqa: S310 - of our own server
                updates = json.load(answer)["result"]
            self._steps.not_counted.discard(me)
            for update in updates:
                self._app.process(update)
                offset = update["update_id"] + 1
            self.looks += not updates or 2


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
