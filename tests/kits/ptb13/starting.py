"""Starts programs in a moment: this process has loaded telegram and syncbot's classes once, and forks for each program. Orders come as JSON on stdin."""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
from typing import Any

from syncbot.compat.ptb13 import ext, install
from syncbot.compat.ptb13.program import run_program

LOADED = (
    "syncbot.client.api.signatures",
    "syncbot.client.ptb.decode",
    "syncbot.storage.memory.store",
    "syncbot.storage.sqlite.store",
    "syncbot.transport.http",
    "syncbot.transport.oneshot",
    "syncbot.transport.ways",
    "tenacity",
)
"""What a bot loads as it begins and with its first calls."""


def serve() -> dict[str, Any] | None:
    """Obey: {"program": …} forks, and says the process's id; {"wait": id} says how it has ended. In a fork, what is to be run."""
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                return dict(order)
        print(answer, flush=True)
    return None


def become(order: dict[str, Any]) -> None:
    """Be the program."""
    sys.stdout.flush()
    output = os.open(order["output"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run_program(order["program"], [])


if __name__ == "__main__":
    install.install()
    for name in ext.__all__:  # what a program would load otherwise
        getattr(ext, name)
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()  # what is loaded is the programs' too, and stays in the same memory as long as nobody looks through it
    print("ready", flush=True)
    if (given := serve()) is not None:
        become(given)
