"""Where a user's folders are, as the XDG Base Directory Specification has it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from syncbot.errors import ConfigError
from syncbot.secret import Secret


def _home(environ: Secret[Mapping[str, str]]) -> Path:
    """The home folder; from the user database where HOME says nothing, as under cron."""
    if os.path.isabs(home := environ.reveal().get("HOME", "")):
        return Path(home)
    import pwd  # costs a little, and is hardly ever needed

    with suppress(KeyError):  # a container's user may stand in no database
        if os.path.isabs(home := pwd.getpwuid(os.getuid()).pw_dir):
            return Path(home)
    raise ConfigError("no home folder is known for this user: set HOME, for example HOME=/home/me")


def xdg(variable: str, below_home: str, environ: Secret[Mapping[str, str]]) -> Path:
    """syncbot's folder below the one that a variable names, or below one of the home folder.

    Raises:
        ConfigError: neither the environment nor the user database names a home folder.
    """
    base = environ.reveal().get(variable, "")  # the specification says to ignore a relative one
    return (Path(base) if os.path.isabs(base) else _home(environ) / below_home) / "syncbot"
