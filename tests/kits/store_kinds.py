"""The kinds of stores, for fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

STORE_KINDS = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.programs("postgres"))]
"""For fixtures that give a store of each kind."""


def store_place(request: pytest.FixtureRequest, folder: Path) -> Path | str | None:
    """Where a store of the kind that the request names stands: nowhere, in a file, or in a fresh database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return None if request.param == "memory" else folder / "bot.db"
