"""Where a bot's state is when nobody says."""

from __future__ import annotations

import os
from pathlib import Path

from syncbot.client.bot import Bot
from syncbot.config import from_environment, state_dir, trial_settings
from syncbot.storage.address import DatabaseUrl, StatePlace, database_url

AUTO = "auto"
"""In place of a path: SYNCBOT_STATE, else `<bot id>.db` in the user's state folder."""


def state_path(bot: Bot, state: str | os.PathLike[str] | DatabaseUrl) -> StatePlace:
    """The state file of a bot, as an absolute path, or the database that it is in.

    Raises:
        ConfigError: it is the URL of something else; or AUTO, and the environment is wrong or names no home folder.
    """
    if (trial := trial_settings()) is not None:
        return trial.state  # the file of the real bot would be bound to the sandbox's token
    if state != AUTO:
        return database_url(state) or Path(os.path.abspath(os.path.expanduser(os.fspath(state))))  # type: ignore[arg-type]  # no URL, and so a path
    configured: StatePlace | None = bot.settings.state if bot.settings is not None else from_environment("state").get("state")
    return configured or state_dir() / f"{bot.id}.db"
