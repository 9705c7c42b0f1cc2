"""Trouble with the state file, as those tell it who work on one store at the same time."""

from __future__ import annotations

import logging
import threading

import pytest

from syncbot.errors import StorageError
from syncbot.runtime.work.storage_retry import StorageRetry

FULL = StorageError("the disk is full", retryable=True)


def in_a_thread(work: threading.Thread) -> None:
    work.start()
    work.join()


def test_it_is_over_when_it_is_for_everybody(caplog: pytest.LogCaptureFixture) -> None:
    """On a full disk some things go on; that one of them works is not said to be the end of another's trouble."""
    retry = StorageRetry(threading.Event())
    with caplog.at_level(logging.WARNING):
        retry.met(FULL)
        in_a_thread(threading.Thread(target=retry.over))
        in_a_thread(threading.Thread(target=retry.until_stop, args=(lambda: None,)))
        assert retry.trouble
        retry.met(FULL)
        retry.over()
    assert not retry.trouble
    assert [record.getMessage() for record in caplog.records] == ["the state cannot be used: the disk is full", "the state can be used again"]


def test_whoever_gives_up_is_in_no_trouble() -> None:
    """A wait that the stop ends, and one that ends with an error that does not pass, leave nothing behind."""
    stop = threading.Event()
    stop.set()

    def fail(*, retryable: bool) -> None:
        raise StorageError("it cannot be written", retryable=retryable)

    retry = StorageRetry(stop)
    assert not retry.until_stop(lambda: fail(retryable=True))
    with pytest.raises(StorageError):
        retry.until_stop(lambda: fail(retryable=False))
    assert not retry.trouble
