"""The settings, how their values are read, and the env file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncbot.config.settings import (
    Settings,
    cache_dir,
    check_setting,
    config_dir,
    environment_proxies,
    from_environment,
    given_ways,
    misspelt,
    service_settings,
    state_dir,
    trial_settings,
)
from syncbot.config.table import SETTINGS, Setting

if TYPE_CHECKING:
    from syncbot.config.envfile import read_env_file as read_env_file
    from syncbot.config.envfile import write_env_file as write_env_file

__all__ = [
    "SETTINGS",
    "Setting",
    "Settings",
    "cache_dir",
    "check_setting",
    "config_dir",
    "environment_proxies",
    "from_environment",
    "given_ways",
    "misspelt",
    "read_env_file",
    "service_settings",
    "state_dir",
    "trial_settings",
    "write_env_file",
]


def __getattr__(name: str) -> Any:
    # Most processes find their settings in the environment, or are given them.
    if name in ("read_env_file", "write_env_file"):
        from syncbot.config import envfile

        return getattr(envfile, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
