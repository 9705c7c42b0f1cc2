"""The settings, how their values are read, and the env file."""

from __future__ import annotations

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
    "service_settings",
    "state_dir",
    "trial_settings",
]
