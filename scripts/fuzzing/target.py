"""What a target is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from fuzzing.findings import Guard, Problem
from fuzzing.mutation import mutate_bytes


class Planted(Exception):
    """A bug that was put in on purpose, to see how long it takes to be found."""


class Target:
    """Something that takes what others send; used with `with`.

    Args:
        guard: holds each input to its bounds, and counts the outcomes.
        planting: put a bug in; `plant` says which.
    """

    about: ClassVar[str] = ""
    shape: ClassVar[Any] = staticmethod(mutate_bytes)  # a `Mutator`, which mypy would take for a method
    words: ClassVar[tuple[bytes, ...]] = ()
    seeds: ClassVar[tuple[bytes, ...]] = ()
    longest: ClassVar[int] = 4096
    spare: ClassVar[int] = 0
    may_log_errors: ClassVar[tuple[str, ...]] = ()

    def __init__(self, guard: Guard, *, planting: bool = False) -> None:
        self.guard = guard
        self.planting = planting

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="syncbot-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108  # memory, not a secret
        os.environ["XDG_STATE_HOME"] = str(self.folder)  # where the locks of bots without a state file are: other runs of the fuzzer have theirs
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(self) -> None:
        """Make what all inputs share."""

    def close(self) -> None:
        """Let go of it."""

    def run(self, data: bytes) -> None:
        """Run one input. Errors that are documented are caught and given to the guard; whatever else leaves here is a finding."""
        raise NotImplementedError

    def finish(self) -> None:
        """Look at what can only be seen at the end; what is wrong is raised."""

    def plant(self, value: Any) -> bool:
        """Whether a bug that was put in strikes: an input of some structure leads there, and one that meets the first conditions is told by coverage."""
        raise NotImplementedError

    def planted(self, value: Any) -> None:
        """Raise `Planted` where a value meets all conditions."""
        if self.planting and self.plant(value):
            raise Planted

    def attempt(self, work: Callable[[], Any], *documented: type[Exception]) -> Any:
        """Do what may fail as documented; its result, or None."""
        try:
            result = work()
        except documented as error:
            if isinstance(error, ValueError) and type(error) not in documented:
                raise  # a UnicodeError, say, is no ValueError that anybody meant
            self.guard.failed(error)
            return None
        self.guard.outcomes["ok"] += 1
        self.planted(result)
        return result

    def must(self, condition: object, promise: str) -> None:
        """Raise a `Problem` unless a promise is kept."""
        if not condition:
            raise Problem(promise)
