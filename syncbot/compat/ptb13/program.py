"""Runs a program that was written for python-telegram-bot 13."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path


def run_program(path: str | Path, arguments: Sequence[str] = (), *, reads_pickles: bool = False, pickled: bool = False) -> None:
    """Run a program as `python path arguments…` would, with the modules of 13 in place; its errors, and SystemExit, come out as they are.

    Args:
        path: its file.
        arguments: what it finds in `sys.argv[1:]`.
        reads_pickles: read the files that its `PicklePersistence` has written before, once. A pickle runs the code of whoever wrote it.
        pickled: keep what is neither JSON nor a dataclass as pickles.

    Raises:
        FileNotFoundError: there is no such file.
    """
    file = Path(path).resolve(strict=True)
    from syncbot.compat.ptb13 import install  # noqa: F401  # it puts everything in place
    from syncbot.compat.ptb13.persistence.picklepersistence import PicklePersistence

    PicklePersistence.reads_pickles = reads_pickles
    PicklePersistence.keeps_pickled = pickled
    sys.argv = [str(path), *arguments]
    if str(file.parent) not in sys.path[:1]:
        sys.path.insert(0, str(file.parent))
    runpy.run_path(str(path), run_name="__main__")
