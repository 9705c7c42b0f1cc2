"""What the tests of all parts share."""

from __future__ import annotations

import logging
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


class LogTexts(logging.Handler):
    """Keeps every record, as it is and as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []
        self._formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append(record)

    @property
    def text(self) -> str:
        """All records with all that hangs on them: message, arguments, tracebacks, further fields."""
        return "\n".join(f"{self._formatter.format(record)} {record.args!r} {vars(record)!r}" for record in self.records)


@pytest.fixture
def all_logs() -> Iterator[LogTexts]:
    """Every record of every logger from DEBUG on, whatever the loggers are set to."""
    handler = LogTexts()
    root = logging.getLogger()
    loggers = [root, *(logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger))]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
        logger.propagate, logger.disabled = True, False
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for logger, level, propagate, disabled in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled
