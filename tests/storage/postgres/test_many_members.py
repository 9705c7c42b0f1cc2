"""Many machines: none of them looks at all the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT
from kits.webhook_kit import eventually

from syncbot.storage import open_store
from syncbot.storage.postgres.server.schema import LOCK

pytestmark = pytest.mark.programs("postgres")

_MAKE = f"""INSERT INTO syncbot.member (bot, id, name, lease_until)
    SELECT {BOT}, nextval('syncbot.member_id'), 'x', now() + interval '1 h' FROM generate_series(1, 500)"""
_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE schemaname = 'syncbot' AND relname = 'member'"


def test_a_look_at_others_reads_a_few_of_them(postgres: PostgresServer, postgres_url: str, held: Callable[[str, str], Any]) -> None:
    """Among 500 living members a look reads a handful of rows: else a thousand members would read a million at each of their looks."""
    with open_store(postgres_url, BOT) as store:
        postgres.run(_MAKE, postgres_url)
        held(postgres_url, f"SELECT pg_advisory_lock({LOCK} + id) FROM syncbot.member")
        store.inbox.recover()

        def read() -> int:
            return int(postgres.run(_READ, postgres_url)[0][0])

        def read_by_some_looks() -> int:
            before = read()
            return int(eventually(lambda: (more := read() - before) >= 10 and more, what="some looks"))

        # The first look is at all of them, and is told late; once a second they are counted.
        assert any(read_by_some_looks() < 1500 for _ in range(4))
