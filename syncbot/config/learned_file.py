"""What connections have learned of their ways, kept in the user's cache folder from one process to the next: for what cron starts, and lives for a second."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from syncbot.config.settings import cache_dir
from syncbot.errors import ConfigError
from syncbot.regular import opener
from syncbot.types import JSON

_MOST_BYTES = 262_144


def read_learned() -> object:
    """What stands there; None where there is nothing that can be read. Whoever takes it has to look whether it makes sense."""
    with suppress(ConfigError, OSError, ValueError, RecursionError), open(_path(), "rb", opener=opener) as file:
        return json.loads(file.read(_MOST_BYTES))
    return None


def write_learned(facts: JSON) -> None:
    """Put this there, in one step; where that cannot be, it is learned again."""
    import tempfile  # hardly ever needed

    with suppress(ConfigError, OSError):
        path = _path()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".ways.", dir=path.parent)  # with mode 600
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(facts, file)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise


def _path() -> Path:
    return cache_dir() / "ways.json"
