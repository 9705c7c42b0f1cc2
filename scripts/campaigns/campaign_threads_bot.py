"""The bot of `campaign_threads.py`: below it the sockets, the connection to the state file and the clock can be made to raise in one of its threads.

    python scripts/campaigns/campaign_threads_bot.py '{"url": …, "token": …, "state": …, "heartbeat": …, "fault": {…}}'

A line on standard input is answered with a line of figures as JSON; "arm" lets the fault strike.
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import threading
import time
from typing import Any

_ERRORS: dict[str, BaseException] = {
    "OverflowError": OverflowError("timestamp too large to convert to C PyTime_t"),
    "ValueError": ValueError("Exceeds the limit (4300 digits) for integer string conversion"),
    "UnicodeDecodeError": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    "RecursionError": RecursionError("maximum recursion depth exceeded"),
    "MemoryError": MemoryError(),
    "KeyError": KeyError("result"),
    "RuntimeError": RuntimeError("can't start new thread"),
    "OSError": OSError(5, "Input/output error"),
    "SystemExit": SystemExit(0),
}
ERRORS = tuple(_ERRORS)
"""What is raised, by name."""


class Fault:
    """Raises below one thread.

    Args:
        thread: how the name of the thread begins.
        layer: "socket", "storage" or "clock".
        error: one of `ERRORS`.
        after: how many uses of the layer pass first.
        lasting: it raises at every further use too.
    """

    def __init__(self, thread: str, layer: str, error: str, after: int, lasting: bool) -> None:
        self.armed = False
        self.struck_at: float | None = None
        self._thread, self._layer, self._error, self._left, self._lasting = thread, layer, _ERRORS[error], after, lasting
        self._now = time.monotonic

    def use(self, layer: str) -> None:
        """A layer is used; to be called before anything is done."""
        if not self.armed or layer != self._layer or not threading.current_thread().name.startswith(self._thread):
            return
        self._left -= 1
        if self._left < 0 and (self._lasting or self.struck_at is None):
            self.struck_at = self.struck_at or self._now()
            raise self._error.with_traceback(None)


def put_below(fault: Fault) -> None:
    """Let the standard library's sockets, connections to state files and clocks go through the fault; before the bot's modules are loaded."""
    real_socket: Any = socket.socket
    connect, monotonic, wall = sqlite3.connect, time.monotonic, time.time

    class Socket(real_socket):  # type: ignore[misc]  # the class is a value here
        def connect(self, address: Any) -> None:
            fault.use("socket")
            super().connect(address)

        def sendall(self, *arguments: Any) -> None:
            fault.use("socket")
            super().sendall(*arguments)

        def sendto(self, *arguments: Any) -> int:
            fault.use("socket")
            return int(super().sendto(*arguments))

        def recv_into(self, *arguments: Any) -> int:
            fault.use("socket")
            return int(super().recv_into(*arguments))

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            fault.use("storage")
            return super().execute(*arguments)

    def clock() -> float:
        fault.use("clock")
        return monotonic()

    def wall_clock() -> float:
        fault.use("clock")
        return wall()

    library: Any = socket
    library.socket = Socket
    library = sqlite3
    library.connect = lambda *arguments, **options: connect(*arguments, factory=Connection, **options)
    library = time
    library.monotonic, library.time = clock, wall_clock


def main(options: dict[str, Any]) -> int:
    """Run the bot until a signal, or until it ends; returns the exit code."""
    fault = Fault(**options["fault"])
    put_below(fault)
    from syncbot.cli.console.exits import exit_for  # deferred: what is below has to be there first
    from syncbot.client.bot import Bot
    from syncbot.errors import SyncBotError
    from syncbot.logs import setup_logging
    from syncbot.runtime.runtime import Runtime

    setup_logging("INFO")
    bot = Bot(options["token"], proxies=["direct"], base_url=options["url"], limits=None)
    app = Runtime(bot, state=options["state"], heartbeat_file=options["heartbeat"], grace=2.0, ahead=1)
    app.message()(lambda update, context: None)
    ended = threading.Event()

    def report() -> None:
        for line in sys.stdin:
            fault.armed = fault.armed or line.strip() == "arm"
            print(json.dumps({"ok": app.health()["ok"], "struck_at": fault.struck_at}), flush=True)

    def queue() -> None:
        while not ended.wait(0.1):
            try:
                app.outbox.send_message(chat_id=1, text="queued")
            except SyncBotError:
                return  # it has ended

    for target in (report, queue):
        threading.Thread(target=target, daemon=True).start()
    try:
        app.run()
    except SyncBotError as error:
        print(f"it has ended: {error}", file=sys.stderr)  # here too: the log needs the clock, which its thread may not have any more
        return int(exit_for(error))
    finally:
        ended.set()
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
