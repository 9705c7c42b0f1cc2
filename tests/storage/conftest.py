"""The two kinds of store, for the tests that both must pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from storage_kit import Clock, Place

from syncbot.storage import Store


@pytest.fixture
def clock() -> Clock:
    """The time that the stores of a test go by."""
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """A store in memory and one in a file."""
    found = Place(tmp_path / "bot.db" if request.param == "sqlite" else None, clock)
    yield found
    found.close()


@pytest.fixture
def store(place: Place) -> Store:
    """An open store of either kind."""
    return place.open()
