"""Fixtures of the transport's tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.transport_kit import LogTexts

from syncbot.testing import TestCA
from syncbot.transport import OneShotTransport


@pytest.fixture
def transport(ca: TestCA) -> Iterator[OneShotTransport]:
    """A transport that trusts the tests' servers."""
    transport = OneShotTransport(ca_file=Path(ca.ca_file))
    yield transport
    transport.close()


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
