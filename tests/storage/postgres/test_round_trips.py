"""How often a verb waits for the database, which may be far away."""

from __future__ import annotations

from collections import defaultdict
from urllib.parse import urlsplit

import pytest
from kits.gate_kit import Gate
from kits.storage_kit import BOT, put

from syncbot.storage import Changes, DataChange, End, Scope, open_store

pytestmark = pytest.mark.programs("postgres")


def test_a_round_of_the_feeder_waits_twice(postgres_url: str) -> None:
    """However much is settled, changed and claimed: for what was asked, which is one answer, and for the COMMIT."""
    said = defaultdict[object, list[tuple[bool, int]]](list)
    with Gate(urlsplit(postgres_url).port or 5432) as gate, open_store(gate.url(postgres_url), BOT) as store:
        store.inbox.recover()
        put(store.inbox, *((number, str(number % 20)) for number in range(200)))
        claimed = store.inbox.claim(4, per_key=3)
        gate.on_piece = lambda connection, is_answer, piece: said[connection].append((is_answer, len(piece)))
        for number in range(8):
            said.clear()
            changes = [Changes((DataChange(Scope.CHAT, int(one.key), {"number": number}),)) for one in claimed]
            claimed = store.inbox.settle([End(*both) for both in zip(claimed, changes, strict=True)], claim=4, per_key=3).claimed
            assert len(claimed) == 12
        gate.on_piece = lambda *_: None
    mine = max(said.values(), key=lambda pieces: sum(length for _, length in pieces))  # the member's own connection says little
    turns = [is_answer for (is_answer, _), (was_answer, _) in zip(mine[1:], mine, strict=False) if is_answer != was_answer]
    assert sum(turns) == 2
