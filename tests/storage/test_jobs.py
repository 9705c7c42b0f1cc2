"""Jobs that wait for their time: the same promises in memory and in SQLite."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kits.damage_kit import damaged
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT, START, Clock, Place, finish, put

from syncbot.storage import JobEntry, JobStart, Missed, Store, open_store
from syncbot.storage.promises.jobs import MOST_BEGUN

NAMES = {"remind"}


def job(key: str = "tea", seconds: float = 0.0, **facts: Any) -> JobEntry:
    """A job of the function "remind" that is due in so many seconds."""
    return JobEntry(key, "remind", facts.pop("rule", {"at": START + seconds}), START + seconds, **facts)


def begin(store: Store, entry: JobEntry, following: float | None = None) -> int:
    """Its time has come."""
    return store.jobs.begin([JobStart(entry, following, "7", b'{"job":{}}')])


def due(store: Store, clock: Clock) -> list[str]:
    """The keys of what is due."""
    return [entry.key for entry in store.jobs.due(clock.time, NAMES)]


def test_a_job_comes_out_as_it_went_in(place: Place) -> None:
    """Everything that was given is kept, over a restart too where there is a file."""
    store = place.open()
    wanted = job(seconds=60, chat_id=-100, user_id=7, data={"text": "é😀", "big": 1 << 70}, missed=Missed.ALL, paused=True, declared=True)
    store.jobs.put(wanted)
    if store.persistent:
        store.close()
        store = place.open()
    assert store.jobs.entries() == [store.jobs.get("tea")] == [wanted]
    assert store.jobs.get("coffee") is None


@pytest.mark.parametrize("wrong", [{"data": object()}, {"chat_id": 1 << 70}, {"seconds": -1e12}, {"key": "\ud800"}, {"key": "\0"}, {"name": "\0"}])
def test_what_cannot_be_stored_is_refused(store: Store, wrong: dict[str, Any]) -> None:
    """A value that is not JSON, an id that does not fit and a time that is none are refused, and nothing is written."""
    with pytest.raises((TypeError, ValueError)):
        store.jobs.put(job(), job(**{"key": "other", **wrong}))
    assert store.jobs.entries() == []


def test_a_key_is_there_once(store: Store) -> None:
    """The later one takes the place; with the same rule the next time and the pause stay, so that a program can put its jobs at each start."""
    daily = {"daily": "09:00", "tz": None}
    store.jobs.put(job(seconds=60, rule=daily, data=1))
    store.jobs.change("tea", paused=True)
    store.jobs.put(job(seconds=999, rule=daily, data=2))
    assert store.jobs.entries() == [job(seconds=60, rule=daily, data=2, paused=True)]
    store.jobs.put(job(seconds=999, rule={"daily": "10:00", "tz": None}))
    assert store.jobs.entries() == [job(seconds=999, rule={"daily": "10:00", "tz": None})]


def test_what_the_program_does_not_have_any_more_is_gone(store: Store) -> None:
    """Declared jobs are those of the last declaration; what was put by hand stays."""
    store.jobs.put(job("by hand"))
    store.jobs.declare([job("one", declared=True), job("two", declared=True)])
    store.jobs.declare([job("two", declared=True)])
    assert {entry.key for entry in store.jobs.entries()} == {"by hand", "two"}
    store.jobs.declare([])
    assert [entry.key for entry in store.jobs.entries()] == ["by hand"]


def test_a_time_that_has_come_is_begun_once(store: Store, clock: Clock) -> None:
    """The run stands in the inbox and the next time is written down in the same step; who comes second finds it changed."""
    store.jobs.put(job("late", 60), job("now"), job("paused", paused=True), replace(job("stranger"), name="unknown"))
    store.inbox.recover()
    assert due(store, clock) == ["now"]
    [entry] = store.jobs.due(clock.time, NAMES)
    assert [begin(store, entry, START + 10), begin(store, entry, START + 10)] == [1, 0]
    assert due(store, clock) == []
    [run] = store.inbox.claim(5)
    assert (run.update_id < 0, run.key, json.loads(run.body)) == (True, "7", {"job": {}})
    assert store.jobs.get("now") == replace(entry, next_time=START + 10)


def test_the_last_time_takes_the_job_out(store: Store, clock: Clock) -> None:
    """A job without a next time is gone once it is begun; a time that is passed over leaves no run."""
    store.jobs.put(job("once"), job("passed over"))
    [once, passed] = sorted(store.jobs.due(clock.time, NAMES), key=lambda entry: entry.key)
    assert begin(store, once) == 1
    assert store.jobs.begin([JobStart(passed, None)]) == 0
    assert store.jobs.entries() == []
    assert store.inbox.counts().waiting == 1


def test_a_job_is_not_begun_while_its_last_run_is_there(store: Store, clock: Clock) -> None:
    """It is due again when the run has ended, also while that still lies about as done."""
    store.jobs.put(job(rule={"every": 1.0}))
    store.inbox.recover()
    begin(store, store.jobs.due(clock.time, NAMES)[0], START + 1)
    clock.forward(5)
    assert (due(store, clock), store.jobs.next_time(NAMES)) == ([], None)
    [run] = store.inbox.claim()
    assert due(store, clock) == []
    finish(store.inbox, run)
    assert (due(store, clock), store.jobs.next_time(NAMES)) == (["tea"], START + 1)


def test_what_is_due_at_once_does_not_bury_the_updates(store: Store, clock: Clock) -> None:
    """Of thousands of jobs so many stand in the inbox at most; the others follow as those end."""
    store.jobs.put(*(job(f"{n:04}", rule={"at": n}) for n in range(MOST_BEGUN + 50)))
    store.inbox.recover()
    assert len(first := store.jobs.due(clock.time, NAMES)) == MOST_BEGUN
    assert store.jobs.begin([JobStart(entry, None, "", b"{}") for entry in first]) == MOST_BEGUN
    assert (due(store, clock), store.jobs.next_time(NAMES)) == ([], None)
    for run in store.inbox.claim(20):
        finish(store.inbox, run)
    assert len(due(store, clock)) == 20


def test_a_job_is_cancelled_paused_and_due_now(store: Store, clock: Clock) -> None:
    """Each by its key; what is not there is said."""
    store.jobs.put(job(seconds=60))
    assert store.jobs.change("tea", next_time=START)
    assert due(store, clock) == ["tea"]
    assert store.jobs.change("tea", paused=True)
    assert (due(store, clock), store.jobs.next_time(NAMES)) == ([], None)
    assert store.jobs.change("tea", paused=False)
    [entry] = store.jobs.due(clock.time, NAMES)
    assert [store.jobs.remove("tea"), store.jobs.remove("tea"), store.jobs.change("tea", paused=True)] == [True, False, False]
    assert begin(store, entry) == 0, "it was cancelled meanwhile"


def test_a_run_takes_no_place_among_the_remembered_ids(store: Store, clock: Clock) -> None:
    """Jobs push out no id of an update, which would then be handled twice."""
    put(store.inbox, (5, "a"))
    store.inbox.recover()
    store.jobs.put(job())
    begin(store, store.jobs.due(clock.time, NAMES)[0])
    ended = store.inbox.claim(5)
    assert ended[0].update_id == 5
    for run in ended:
        finish(store.inbox, run)
    put(store.inbox, (-ended[1].row, "b"))  # an id that the run had is not known


def test_two_processes_begin_each_time_once(tmp_path: Path) -> None:
    """Two stores that work off one file at once begin each of 300 jobs one time."""
    path, begun = tmp_path / "bot.db", [0, 0]
    with open_store(path, BOT, now=Clock()) as one, open_store(path, BOT, now=Clock()) as two:
        one.jobs.put(*(job(f"{n:04}", rule={"at": n}) for n in range(MOST_BEGUN)))
        together = threading.Barrier(2)

        def work(number: int, store: Store) -> None:
            for _ in range(30):
                together.wait(20)
                for entry in store.jobs.due(START, NAMES)[:9]:
                    begun[number] += begin(store, entry)

        other = threading.Thread(target=work, args=(1, two))
        other.start()
        work(0, one)
        other.join(20)
        assert sum(begun) == one.inbox.counts().waiting == MOST_BEGUN
        assert one.jobs.entries() == []


def test_a_damaged_job_holds_up_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said and set aside, and the others are begun."""
    with open_store(tmp_path / "bot.db", BOT, now=Clock()) as store:
        store.jobs.put(job("bad"), job("good"))
        damaged(tmp_path / "bot.db", "UPDATE job SET rule = '[1' WHERE key = 'bad'")
        assert [entry.key for entry in store.jobs.due(START, NAMES)] == ["good"]
        assert "the job 'bad' in the state file is damaged (rule" in caplog.text
        assert [entry.key for entry in store.jobs.due(START, NAMES)] == ["good"]
        assert caplog.text.count("is damaged") == 1
        store.jobs.put(job("bad", rule={"at": 1}))
        assert len(store.jobs.due(START, NAMES)) == 2


@pytest.mark.programs("postgres")
@pytest.mark.parametrize("junk", ["rule = '[5]'", "rule = 'null'", "next_time = 'NaN'", "next_time = 'Infinity'", "next_time = -5e300", "missed = 'x'"])
def test_a_damaged_job_in_a_database_holds_up_no_other(postgres: PostgresServer, postgres_url: str, caplog: pytest.LogCaptureFixture, junk: str) -> None:
    """It is said and set aside, whatever stands where its rule or its time should be; nobody waits for a time that is none."""
    with open_store(postgres_url, BOT, now=Clock()) as store:
        store.jobs.put(job("bad"), job("good", 60.0))
        postgres.run(f"UPDATE syncbot.job SET {junk} WHERE key = 'bad'", postgres_url)
        assert store.jobs.due(START, NAMES) == []
        assert caplog.text.count("the job 'bad' in the database is damaged") == 1
        assert store.jobs.next_time(NAMES) == START + 60
