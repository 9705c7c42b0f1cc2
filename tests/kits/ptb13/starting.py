"""What programs of python-telegram-bot 13 load, loaded; and such a program. See `fork_kit.Starter`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from syncbot.compat.ptb13 import ext, install
from syncbot.compat.ptb13.program import run_program

install.install()
for _name in ext.__all__:
    getattr(ext, _name)


def main() -> None:
    """Be the program that is `sys.argv[0]`."""
    run_program(sys.argv[0], sys.argv[1:])


def module() -> None:
    """Be the module of this folder that is `sys.argv[0]`."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
