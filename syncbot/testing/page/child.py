"""`python -m syncbot.testing.page.child DESCRIPTOR bot.py` (or bot:app): runs a bot as it is, and writes each attempt of each call to the descriptor.

What the bot is given stands in the environment: see `syncbot.config.trial`.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import runpy
import select
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

_LONGEST_LINE = 4096  # what a pipe takes in one piece, so that lines of several threads do not mix
_SECONDS_TO_END = 10.0


class AttemptPipe(logging.Filter):
    """Writes what the transport logs about its attempts to a descriptor, a line of JSON each, and lets pass what was to be logged anyway."""

    def __init__(self, descriptor: int, parent: logging.Logger) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._parent = parent

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record goes on to the handlers that the bot has set up."""
        if isinstance(record.args, tuple) and len(record.args) in (5, 6) and " by way of " in str(record.msg):
            method, way, outcome = (str(part) for part in record.args[:3])
            facts = {"thread": record.thread, "method": method, "proxy": way, "outcome": outcome[:300], "seconds": record.args[-1]}
            line = json.dumps(facts).encode("ascii")
            if len(line) < _LONGEST_LINE:
                with suppress(OSError):  # nobody reads any more
                    os.write(self._descriptor, line + b"\n")
        return record.levelno >= self._parent.getEffectiveLevel()


def main(argv: Sequence[str]) -> int:
    """Run the bot until it ends; returns the exit code."""
    descriptor, target, *_ = argv
    _tell_attempts(int(descriptor))
    threading.Thread(target=_end_with_the_trial, args=(int(descriptor),), name="syncbot-trial-watch", daemon=True).start()
    if target.endswith(".py") or os.path.isfile(target):
        sys.argv = list(argv[1:])
        sys.path[0] = os.path.dirname(os.path.abspath(target))
        runpy.run_path(target, run_name="__main__")
        return 0
    module, _, name = target.partition(":")
    sys.path.insert(0, os.getcwd())
    app = importlib.import_module(module)
    for part in (name or "app").split("."):
        app = getattr(app, part)
    if not hasattr(app, "run"):
        app = app()  # type: ignore[operator]  # a function that returns a runtime
    if not logging.getLogger().handlers:
        from syncbot.logs import setup_logging

        setup_logging("INFO")
    app.run()
    return 0


def _tell_attempts(descriptor: int) -> None:
    logger = logging.getLogger("syncbot.transport.oneshot")
    logger.setLevel(logging.DEBUG)
    logger.addFilter(AttemptPipe(descriptor, logging.getLogger("syncbot.transport")))


def _end_with_the_trial(descriptor: int) -> None:
    """Have the bot end when nobody can read of its calls any more: the trial was killed, and it would go on for ever."""
    watch = select.poll()
    watch.register(descriptor, 0)
    watch.poll()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_SECONDS_TO_END)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
