"""What the tests of the database share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest


@pytest.fixture
def held() -> Iterator[Callable[[str, str], Any]]:
    """`held(url, statement)` runs a statement in a transaction that stays open until the test ends, as another program's might; gives its connection."""
    import psycopg

    with ExitStack() as stack:

        def hold(url: str, statement: str) -> Any:
            connection = stack.enter_context(psycopg.connect(url, connect_timeout=20))
            connection.execute(statement.encode())
            stack.callback(connection.rollback)
            return connection

        yield hold
