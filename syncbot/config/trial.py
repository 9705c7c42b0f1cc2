"""The settings of a trial (`syncbot try`): they win over what stands in the code, so that a tried bot reaches the sandbox and its own state alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from syncbot.config.table import TRIAL
from syncbot.secret import Secret


@dataclass(frozen=True)
class TrialSettings:
    """What every bot and every runtime of a tried process gets, whatever it asks for."""

    token: Secret[str]
    proxy: str
    base_url: str
    ca_file: str | None
    state: Path


def trial_of(environ: Mapping[str, str]) -> TrialSettings | None:
    """The settings of the trial that a process with this environment is; None where it is none."""
    if not environ.get(TRIAL):
        return None
    value = environ.__getitem__
    ca_file = environ.get("SYNCBOT_CA_FILE") or None
    return TrialSettings(Secret(value("TELEGRAM_BOT_TOKEN")), value("SYNCBOT_PROXY"), value("SYNCBOT_BASE_URL"), ca_file, Path(value("SYNCBOT_STATE")))
