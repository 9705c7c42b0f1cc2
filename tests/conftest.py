"""What the tests of all parts share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from syncbot.config import SETTINGS
from syncbot.testing import BotApiServer, TestCA


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Whatever the shell that runs the tests has set, no test sees it."""
    with pytest.MonkeyPatch.context() as patch:
        for setting in SETTINGS:
            for name in setting.spellings:
                if name in os.environ:
                    patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def ca() -> Iterator[TestCA]:
    """A certificate authority; making keys costs time, so one serves all tests."""
    with TestCA() as ca:
        yield ca


@pytest.fixture
def api(ca: TestCA) -> Iterator[BotApiServer]:
    """A Bot API server over TLS that takes messages to any chat."""
    with BotApiServer(tls=True, ca=ca, any_chat=True) as server:
        yield server
