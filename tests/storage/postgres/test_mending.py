"""What somebody else writes into the tables of the inbox keeps no update from being handled."""

from __future__ import annotations

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT, drain, ids, put

from syncbot.storage import Question, QuestionAnswer, QuestionOpening, Store, open_store

pytestmark = pytest.mark.programs("postgres")

_JUNK = {
    "a state that there is not": "UPDATE syncbot.inbox SET state = 'wating' WHERE update_id = 2",
    "another chat's turn": "UPDATE syncbot.inbox SET lane = 'c' WHERE update_id = 2",
    "a turn of nobody": "UPDATE syncbot.inbox SET lane = 'x' WHERE update_id IN (2, 4)",
    "a process that was never there": "UPDATE syncbot.inbox SET state = 'yielded', owner = 99 WHERE update_id = 2",
    "a chat of such a process": "UPDATE syncbot.chat SET owner = 99, running = 1 WHERE key = 'b'",
    "a chat that begins too late": "UPDATE syncbot.chat SET since = since + 100 WHERE key = 'b'",
    "no chat": "DELETE FROM syncbot.chat WHERE key <> 'c'",
    "several of these": "UPDATE syncbot.inbox SET lane = 'x', state = ''; UPDATE syncbot.chat SET owner = -1",
}


@pytest.mark.parametrize("junk", _JUNK.values(), ids=_JUNK)
@pytest.mark.parametrize("by_start", [True, False], ids=["start", "housekeeping"])
def test_junk_in_the_inbox_leaves_no_update_waiting(
    postgres: PostgresServer, postgres_url: str, caplog: pytest.LogCaptureFixture, junk: str, by_start: bool
) -> None:
    """At the next start, or while the bot runs, all of it is handled, once and in order, is counted as it is, and the log tells of it."""
    with open_store(postgres_url, BOT) as store:
        if not by_start:
            store.inbox.recover()
        put(store.inbox, (1, "a"), (2, "b"), (3, "b"), (4, ""), (5, "c"))
        postgres.run(junk, postgres_url)
        store.inbox.recover() if by_start else store.maintain()
        assert store.inbox.counts().waiting == 5
        assert sorted(done := drain(store.inbox, 2)) == [1, 2, 3, 4, 5]
        assert done.index(2) < done.index(3)
        counts = store.inbox.counts()
        assert (counts.waiting, counts.running) == (0, 0)
        assert postgres.run("SELECT count(*) FROM syncbot.chat", postgres_url) == [(0,)]
    assert "would have been handled by nobody" in caplog.text


def _whole(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.maintain()
    assert caplog.text == ""


def test_what_is_handled_and_what_waits_is_left_alone(postgres_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Housekeeping beside another member finds nothing to mend at whatever it holds: what runs, is behind that, has given its turn away, or asks."""
    with open_store(postgres_url, BOT) as one, open_store(postgres_url, BOT) as other:
        one.inbox.recover()
        other.inbox.recover()
        put(one.inbox, (1, "a"), (2, "a"), (3, "b"), (4, ""), (5, "c"))
        claimed = one.inbox.claim(3, per_key=2)
        assert ids(claimed) == [1, 2, 3, 4]
        _whole(other, caplog)
        one.inbox.yield_turn(claimed[2])
        one.inbox.yield_turn(claimed[3], QuestionOpening(Question(claimed[3].row, 0, "ask", 7, 7)))
        put(other.inbox, (6, "b"), (7, "a"))
        _whole(other, caplog)
        one.inbox.release(claimed[3])
        _whole(other, caplog)
        other.questions.close([QuestionAnswer(claimed[3].row, 0, "{}")])
        assert one.inbox.take_turn(claimed[2])
        _whole(other, caplog)
        one.inbox.release(*claimed[:3])
        _whole(other, caplog)
        assert sorted(drain(one.inbox, 3)) == [1, 2, 3, 4, 5, 6, 7]
        _whole(other, caplog)
