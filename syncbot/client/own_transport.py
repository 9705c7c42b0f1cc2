"""The transport of a bot that was given none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from syncbot.config import check_setting, from_environment
from syncbot.secret import Secret
from syncbot.types import Proxy, Transport


def own_transport(ways: Sequence[Proxy], no_proxy: Secret[str], ca_file: str | Path | None, *, early: str, tls_groups: str, **options: Any) -> Transport:
    """A `OneShotTransport` of what the arguments of a `Bot` say, its certificates those of the environment where no file is named.

    Raises:
        ConfigError: one of them is wrong.
    """
    from syncbot.transport import OneShotTransport  # deferred: a bot with another transport needs no requests

    ca_path = from_environment("ca_file").get("ca_file") if ca_file is None else check_setting("SYNCBOT_CA_FILE", os.fspath(ca_file))
    options |= {"early": check_setting("SYNCBOT_EARLY", early), "tls_groups": check_setting("SYNCBOT_TLS_GROUPS", tls_groups)}
    return OneShotTransport(ways, no_proxy=no_proxy, ca_file=ca_path, **options)
