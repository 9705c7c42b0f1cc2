"""A member in a process of its own, which can be stopped: it claims, says what it has, and tries everything with it when it is told to.

python tests/kits/member_child.py URL LEASE_SECONDS
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from kits.storage_kit import BOT
from syncbot.errors import StorageError
from syncbot.storage import Changes, DataChange, End, JournalKey, JournalStep, Scope, StoreOptions, open_store


def main(url: str, lease_seconds: float) -> None:
    """Claim two updates; then, at a line on standard input, try to go on with them."""
    with open_store(url, BOT, options=StoreOptions(lease_seconds=lease_seconds)) as store:
        store.inbox.recover()
        one, other = store.inbox.claim(2)
        print(json.dumps([one.update_id, other.update_id]), flush=True)
        sys.stdin.readline()
        end = End(one, Changes((DataChange(Scope.CHAT, 1, {"by": "the one that was stopped"}),)))
        tries: dict[str, Callable[[], object]] = {
            "journal": lambda: store.journal.write(JournalKey(one.row, one.ticket), JournalStep(0, "sendMessage")),
            "claim": lambda: [claimed.update_id for claimed in store.inbox.claim(10)],
            "settle": lambda: [lost.update_id for lost in store.inbox.settle([end]).lost],
            "yield": lambda: store.inbox.yield_turn(other),
            "release": lambda: store.inbox.release(other),
        }
        print(json.dumps({name: _tried(act) for name, act in tries.items()}), flush=True)
        sys.stdin.readline()


def _tried(act: Callable[[], object]) -> object:
    try:
        return act()
    except StorageError as problem:
        return f"refused: {problem}"


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
