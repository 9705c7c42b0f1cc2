"""The three kinds of store, for the tests that all must pass."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kits.storage_kit import Clock, Place
from kits.store_kinds import STORE_KINDS, store_place

from syncbot.storage import Store


@pytest.fixture
def clock() -> Clock:
    """The time that the stores of a test go by."""
    return Clock()


@pytest.fixture(params=STORE_KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """A store in memory, one in a file, and one in a database."""
    found = Place(store_place(request, tmp_path), clock)
    yield found
    found.close()


@pytest.fixture
def store(place: Place) -> Store:
    """An open store of each kind."""
    return place.open()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: thousands of fsyncs of a disk that many tests share say nothing here."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)
