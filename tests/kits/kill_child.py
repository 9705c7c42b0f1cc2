"""The process that the kill test kills: it stores, claims and finishes with several threads, and writes down outside of the store what it did.

Usage: kill_child.py STATE_FILE JOURNAL TOTAL. The journal gets one line an
event, appended in one write each, so that no kill tears it: `start`, `stored ID …` (the batch may be confirmed), `begin KEY ID` and `end KEY ID`
(around a handler).
"""

from __future__ import annotations

import os
import sys
import threading

from syncbot.storage import Changes, DataChange, End, Incoming, Scope, open_store

KEYS, WORKERS, BATCH = 7, 4, 10


def main(path: str, journal: str, total: int) -> None:
    log = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    store = open_store(path, 1)
    store.inbox.recover()
    os.write(log, b"start\n")
    stored_all = threading.Event()

    def produce() -> None:
        # As the poller does: begin with what may not be confirmed yet, and let the inbox know the repeated ones.
        # Several kills in a row can each strike between the commit of a batch and its line, so it goes back some batches.
        confirmed = max(0, (store.inbox.next_offset() or 0) - 20 * BATCH)
        for first in range(confirmed, total, BATCH):
            ids = range(max(0, first - BATCH), min(first + BATCH, total))
            store.inbox.store([Incoming(id, str(id % KEYS), b'{"id":%d}' % id) for id in ids], next_offset=ids[-1] + 1)
            os.write(log, ("stored " + " ".join(map(str, ids)) + "\n").encode())
        stored_all.set()

    def handle() -> None:
        while True:
            claimed = store.inbox.claim()
            if not claimed and stored_all.is_set() and store.inbox.counts().waiting == 0:
                return
            while claimed:
                [one] = claimed
                os.write(log, f"begin {one.key} {one.update_id}\n".encode())
                last = store.data.load(Scope.CHAT, int(one.key)).get("last", -1)
                assert last < one.update_id, f"{one.update_id} of {one.key} after {last}"
                change = DataChange(Scope.CHAT, int(one.key), {"last": one.update_id})
                claimed = store.inbox.settle([End(one, Changes((change,)))], claim=1).claimed
                os.write(log, f"end {one.key} {one.update_id}\n".encode())

    threads = [threading.Thread(target=produce), *(threading.Thread(target=handle) for _ in range(WORKERS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
