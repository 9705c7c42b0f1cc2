"""The clock of jobs, with a time that the test moves: ten thousand jobs over changes of daylight-saving time and a week of being off."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kits.runtime_kit import logged
from kits.storage_kit import BOT
from kits.storage_kit import Clock as Time

from syncbot.runtime.jobs.clock import Clock
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.jobs.rules import cron_rule, daily_rule, first_time, next_time, seconds_rule, shown
from syncbot.runtime.work.questions import Questions
from syncbot.runtime.work.storage_retry import StorageRetry
from syncbot.storage import End, JobEntry, Missed, Store, open_store
from syncbot.storage.promises.questions import Question

BERLIN = ZoneInfo("Europe/Berlin")
DAY_SECONDS = 86_400.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: thousands of processes' starts are not about the disk."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


def test_a_function_that_was_to_run_once_is_forgotten_when_it_has() -> None:
    """Not before: the end of a run of the process before may be recorded while the job of this one still waits to be put."""

    def tea(context: object) -> None: ...

    functions = JobFunctions()
    functions.later(1.0, name="tea")(tea)
    functions.ended("@tea")
    assert functions.find("@tea") is not None
    functions.begun(functions.declared(0.0))
    assert functions.find("@tea") is not None
    functions.ended("@tea")
    assert functions.find("@tea") is None


class Bench:
    """A state file with jobs, a clock that begins them, and a handler that notes what it is given."""

    def __init__(self, folder: Path, start: datetime) -> None:
        self.path = folder / "bot.db"
        self.time = Time()
        self.time.time = start.timestamp()
        self.ran: list[tuple[str, float]] = []

    def put(self, *entries: JobEntry) -> None:
        """Put jobs into the file."""
        with open_store(self.path, BOT, now=self.time) as store:
            store.jobs.put(*entries)

    def work(self) -> None:
        """A process starts, does what is due, and ends."""
        with open_store(self.path, BOT, now=self.time) as store:
            store.inbox.recover()
            functions = JobFunctions()
            functions.job("note")(lambda context: None)
            clock = Clock(store.jobs, functions, StorageRetry(threading.Event()), lambda number: None, now=self.time)
            while clock.begin_due():
                self._handle(store)

    def _handle(self, store: Store) -> None:
        claimed = store.inbox.claim(1000)
        while claimed:
            facts = [json.loads(one.body)["job"] for one in claimed]
            self.ran += [(fact["key"], fact["due"]) for fact in facts]
            claimed = store.inbox.settle([End(one) for one in claimed], claim=1000).claimed


@pytest.fixture
def berlin_machine() -> Iterator[None]:
    """A machine whose zone is Berlin's."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def many(number: int, now: float, missed: Missed) -> list[JobEntry]:
    """Daily jobs, spread over the day by minutes."""
    entries = []
    for n in range(number):
        rule = daily_rule(f"{n % 24:02}:{n // 24 % 60:02}", "Europe/Berlin")
        entries.append(JobEntry(f"{n:05}", "note", rule, first_time(rule, now), missed=missed))
    return entries


@pytest.mark.parametrize("number", [480, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("month", [3, 10], ids=["spring", "autumn"])
def test_thousands_of_jobs_over_a_change_and_a_week_of_being_off(folder: Path, month: int, number: int) -> None:
    """Two days with the change between them, hour by hour, each process a new one: every job once a day; then a week off, made up for once each."""
    start, end = (datetime(2026, month, day, 12, tzinfo=BERLIN) for day in ((28, 30) if month == 3 else (24, 26)))
    bench = Bench(folder, start)
    bench.put(*many(number, bench.time.time, Missed.ONCE))
    for _ in range(int((end.timestamp() - start.timestamp()) / 3600)):
        bench.time.forward(3600)
        bench.work()
    counts = Counter(key for key, _ in bench.ran)
    assert (len(counts), set(counts.values())) == (number, {2}), "each on both days, whether its hour is left out or comes twice"
    assert len(set(bench.ran)) == len(bench.ran)
    wanted = {f"{n:05}": (n % 24, n // 24 % 60) for n in range(number)}
    on_the_day = Counter((there.hour, there.minute) == wanted[key] for key, due in bench.ran for there in [datetime.fromtimestamp(due, BERLIN)])
    assert on_the_day[False] == (len(range(2, number, 24)) if month == 3 else 0), "those of the hour that is left out come right behind it"
    bench.ran.clear()
    bench.time.forward(7 * DAY_SECONDS)
    bench.work()
    assert Counter(key for key, _ in bench.ran) == dict.fromkeys(wanted, 1)
    with open_store(bench.path, None, now=bench.time) as store:
        assert all(0 < entry.next_time - bench.time.time <= DAY_SECONDS for entry in store.jobs.entries())


@pytest.mark.parametrize(("missed", "runs"), [(Missed.ONCE, 1), (Missed.ALL, 7), (Missed.NONE, 0)])
def test_what_was_missed_is_made_up_for_as_it_was_told(folder: Path, missed: Missed, runs: int) -> None:
    """A hundred daily jobs after a week of being off: one run each, or seven in their order, or none; and the next day one."""
    bench = Bench(folder, datetime(2026, 6, 1, 0, 0, 30, tzinfo=UTC))
    bench.put(*many(100, bench.time.time, missed))
    bench.time.forward(7 * DAY_SECONDS)
    bench.work()
    assert Counter(key for key, _ in bench.ran) == Counter({f"{n:05}": runs for n in range(100) if runs})
    for n in range(100):
        own = [due for key, due in bench.ran if key == f"{n:05}"]
        assert own == sorted(set(own))
    bench.ran.clear()
    for seconds in (180, 180, 3240) * 24:  # they are due within the first minutes of an hour
        bench.time.forward(seconds)
        bench.work()
    assert Counter(key for key, _ in bench.ran) == {f"{n:05}": 1 for n in range(100)}


def test_a_beat_is_kept(folder: Path) -> None:
    """What runs every ten minutes goes on at its own minutes after it was off."""
    bench = Bench(folder, datetime(2026, 6, 1, tzinfo=UTC))
    start = bench.time.time
    bench.put(JobEntry("beat", "note", seconds_rule("every", 600.0), start + 600))
    for seconds in (600, 610, 3333, 267, 600):
        bench.time.forward(seconds)
        bench.work()
    assert [due - start for _, due in bench.ran] == [600, 1200, 1800, 4800, 5400]


def test_a_clock_that_jumps_begins_nothing_twice(folder: Path) -> None:
    """A machine's clock that is set back an hour and goes on again does not repeat what was done."""
    bench = Bench(folder, datetime(2026, 6, 1, 8, 30, tzinfo=UTC))
    rule = daily_rule("09:00", "UTC")
    bench.put(JobEntry("daily", "note", rule, first_time(rule, bench.time.time)))
    for seconds in (1800, -3600, 1800, 1800, 1800):
        bench.time.forward(seconds)
        bench.work()
    assert len(bench.ran) == 1


def test_a_clock_that_was_ahead_holds_up_nothing(folder: Path) -> None:
    """What was put by a clock years ahead is due in its time once the clock is right, at the next start; what runs once keeps its time."""
    bench = Bench(folder, datetime(2031, 1, 1, tzinfo=UTC))
    rules = {"beat": seconds_rule("every", 600.0), "daily": daily_rule("09:00", "UTC"), "once": {"at": bench.time.time + 60}}
    bench.put(*(JobEntry(key, "note", rule, first_time(rule, bench.time.time)) for key, rule in rules.items()))
    bench.time.time = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
    with open_store(bench.path, None, now=bench.time) as store:
        Clock(store.jobs, JobFunctions(), StorageRetry(threading.Event()), lambda number: None, now=bench.time).declare()
        times = {entry.key: entry.next_time - bench.time.time for entry in store.jobs.entries()}
    assert (times["beat"], times["daily"]) == (600.0, 9 * 3600.0)
    assert times["once"] > 1e8


class Asked:
    """The jobs of a store, and how often something was asked of them: each time is a round trip where they stand in a database."""

    def __init__(self, entries: Any) -> None:
        self._entries = entries
        self.times = 0

    def __getattr__(self, name: str) -> Any:
        self.times += 1
        return getattr(self._entries, name)


def test_a_start_asks_as_often_for_many_jobs_as_for_one(folder: Path) -> None:
    """Those that stand in the program are put together, and looked up together."""
    asked = []
    for number in (1, 50):
        functions = JobFunctions()
        for each in range(number):
            functions.every(60.0, name=f"job{each}")(lambda context: None)
        with open_store(folder / "bot.db", BOT) as store:
            entries: Any = Asked(store.jobs)
            Clock(entries, functions, StorageRetry(threading.Event()), lambda number: None).declare()
            asked.append(entries.times)
    assert asked[0] == asked[1]


def test_a_rule_that_another_release_wrote_is_paused_with_words(folder: Path) -> None:
    """What this release does not know holds up no other job."""
    bench = Bench(folder, datetime(2026, 6, 1, tzinfo=UTC))
    start = bench.time.time
    strange = [
        *({"moon": "full"}, {"daily": 9, "tz": None}, {"cron": "* * * * *", "tz": "Mars/Olympus"}, {"cron": "x", "tz": None}),
        *({"every": 0}, {"every": -5}, {"every": 1e-300}, {"every": "x"}, {"every": [1]}, {"every": True}, {"every": 1e300}),
    ]
    bench.put(*(JobEntry(f"strange {n}", "note", rule, start) for n, rule in enumerate(strange)), JobEntry("good", "note", {"at": start}, start))
    with logged() as log:
        bench.work()
        assert log.count("is paused: ") == len(strange)
    assert bench.ran == [("good", start)]
    bench.work()
    assert len(bench.ran) == 1


@pytest.mark.parametrize("time", [60.0, 1e11])
def test_a_strange_rule_with_a_strange_time_keeps_no_bot_from_starting(folder: Path, time: float) -> None:
    """What another clock has put for a rule that nobody can read stays as it is until it is due."""
    bench = Bench(folder, NOW)
    bench.put(
        *(JobEntry(f"{n}", "note", rule, time) for n, rule in enumerate([{"daily": 9, "tz": None}, {"every": -5}, {"cron": "x", "tz": None}, {"moon": 1}]))
    )
    machine = Machine(bench.path, NOW)
    with machine.bot() as clock, logged() as log:
        clock.begin_due()
        assert log.count("is paused: ") == (4 if time == 60.0 else 0)
    assert set(machine.times.values()) == {time}


def test_nothing_is_due_where_nothing_is_known(folder: Path) -> None:
    """Jobs of functions that this program does not have stay where they are."""
    bench = Bench(folder, datetime(2026, 6, 1, tzinfo=UTC))
    bench.put(JobEntry("other", "unknown", {"at": 0.0}, 0.0))
    bench.work()
    assert bench.ran == []


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("zone", ["Europe/Berlin", None])
@pytest.mark.parametrize(
    ("time_of_day", "day", "expected"),
    [
        ("02:30", (3, 28), ["29 01:00:00", "30 00:30:00"]),
        ("02:30:20", (3, 28), ["29 01:00:20", "30 00:30:20"]),
        ("02:30", (10, 24), ["25 00:30:00", "26 01:30:00"]),
        ("09:00:30", (3, 28), ["29 07:00:30", "30 07:00:30"]),
        ("09:00:30", (10, 24), ["25 08:00:30", "26 08:00:30"]),
    ],
)
def test_a_daily_time_over_a_change(berlin_machine: None, zone: str | None, time_of_day: str, day: tuple[int, int], expected: list[str]) -> None:
    """A time that is left out comes right behind the gap, one that comes twice is its first one; in a zone that is named, and in the machine's."""
    rule, now, found = daily_rule(time_of_day, zone), datetime(2026, *day, 12, tzinfo=UTC).timestamp(), []
    for _ in expected:
        now = next_time(rule, now) or 0.0
        found.append(datetime.fromtimestamp(now, UTC).strftime("%d %H:%M:%S"))
    assert found == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", None])
@pytest.mark.parametrize("time_of_day", ["02:30", "02:59:59", "03:00"])
def test_the_next_time_is_always_later(berlin_machine: None, time_of_day: str, zone: str | None) -> None:
    """Whenever one asks, within the hour that comes twice too."""
    start = datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp()
    for minute in range(0, 600, 7):
        found = next_time(daily_rule(time_of_day, zone), start + minute * 60)
        assert found is not None
        assert 0 < found - (start + minute * 60) <= 25 * 3600


@pytest.mark.parametrize("zone", ["Europe/Berlin", None])
def test_every_half_hour_comes_every_half_hour(berlin_machine: None, zone: str | None) -> None:
    """What runs every half hour does so in the hour that comes twice, too."""
    rule, now, found = cron_rule("*/30 * * * *", zone), datetime(2026, 10, 24, 23, 40, tzinfo=UTC).timestamp(), []
    for _ in range(8):
        found.append(now := next_time(rule, now) or 0.0)
    assert {later - earlier for earlier, later in pairwise(found)} == {1800.0}


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", 9), (UTC, 9), (ZoneInfo("Europe/Berlin"), 7), (datetime(2026, 1, 1).astimezone(UTC).tzinfo, 9), ("+7200", 7)]
)
def test_zones_are_kept_as_text(zone: object, hour: int) -> None:
    """A zone is given by its name or as an object, and stands in the file by its name."""
    rule = json.loads(json.dumps(daily_rule("09:00", zone)))  # type: ignore[arg-type]  # some are None to mypy
    found = next_time(rule, datetime(2026, 7, 1, tzinfo=UTC).timestamp())
    assert found is not None
    assert datetime.fromtimestamp(found, UTC).hour == hour


def test_rules_are_shown() -> None:
    """For `syncbot jobs list`."""
    rules = ({"at": 1.0}, {"every": 60.0}, {"daily": "09:00", "tz": None}, {"cron": "* * * * *", "tz": "UTC"})
    assert [shown(rule) for rule in rules] == ["once", "every 60", "daily 09:00", "cron * * * * * UTC"]


class Machine:
    """A machine with a clock that is set while its bot runs, and a bot that has handled what it has begun."""

    def __init__(self, path: Path, clock: datetime, is_alone: bool = True) -> None:
        self.path = path
        self.is_alone = is_alone
        self.time = Time()
        self.time.time = clock.timestamp()
        self.passed = 0.0
        self.questions = Questions(now=self.time, passing=lambda: self.passed)

    @contextmanager
    def bot(self, *declared: JobEntry) -> Iterator[Clock]:
        """One that runs."""
        with open_store(self.path, BOT, now=self.time) as store:
            store.inbox.recover()
            functions = JobFunctions()
            functions.job("note")(lambda context: None)
            for entry in declared:
                functions._declared[entry.key] = entry
            told = StorageRetry(threading.Event())
            clock = Clock(store.jobs, functions, told, lambda number: None, self.time, self.questions, is_alone=self.is_alone, passing=lambda: self.passed)
            clock.declare()
            yield clock
            self.times = {entry.key: entry.next_time for entry in store.jobs.entries()}

    def goes_on(self, seconds: float) -> None:
        """Time passes."""
        self.time.forward(seconds)
        self.passed += seconds

    def is_set(self, clock: datetime) -> None:
        """By somebody, or from the network."""
        self.time.time = clock.timestamp()


NOW = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
RULES = {"beat": seconds_rule("every", 600.0), "daily": daily_rule("09:00", "UTC"), "cron": cron_rule("*/10 * * * *", "UTC")}


@pytest.mark.parametrize("wrong", [NOW + timedelta(days=1), NOW + timedelta(days=4000)])
def test_a_clock_that_is_set_back_while_the_bot_runs_holds_up_nothing(folder: Path, wrong: datetime) -> None:
    """What was put by the wrong one is due in its time, and the thread that waits for it looks again."""
    machine = Machine(folder / "bot.db", wrong)
    with machine.bot(*(JobEntry(key, "note", rule, 0.0) for key, rule in RULES.items())) as clock:
        clock.begin_due()
        machine.goes_on(60)
        machine.is_set(NOW)
        clock._news = False
        clock.tick()
        assert clock._news
        assert clock.begin_due() == 0
        machine.goes_on(600)
        assert clock.begin_due() == 2
    assert all(0 < time - NOW.timestamp() <= DAY_SECONDS for time in machine.times.values())


@pytest.mark.parametrize("wrong", [datetime(1970, 1, 1, 0, 1, tzinfo=UTC), NOW - timedelta(days=60), NOW - timedelta(days=3)])
@pytest.mark.parametrize("missed", list(Missed))
@pytest.mark.parametrize("seconds", [60.0, 600.0, 601.0])
def test_a_clock_that_is_set_when_the_network_comes_up_has_missed_nothing(folder: Path, missed: Missed, wrong: datetime, seconds: float) -> None:
    """A router without a battery: no job runs for the years between, neither at its first start nor at a later one, and each is due in its time,
    also where one was just about to be begun."""
    machine = Machine(folder / "bot.db", wrong)
    declared = [JobEntry(f"@{key}", "note", rule, 0.0, missed=missed, declared=True) for key, rule in RULES.items()]
    for _ in range(2):
        with machine.bot(*declared) as clock:
            clock.begin_due()
            machine.goes_on(seconds)
            machine.is_set(NOW)
            assert clock.begin_due() == 0
        assert machine.times["@daily"] == NOW.timestamp() + 18 * 3600
        assert all(0 < time - NOW.timestamp() <= DAY_SECONDS for time in machine.times.values())
        machine.is_set(wrong)  # it is switched off and on


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_clock_that_is_wrong_for_a_while_has_nothing_done_twice(folder: Path, is_alone: bool) -> None:
    """It is set back by days and then right again: what was done today is not done once more. Where others go by clocks of their own it changes nothing."""
    machine = Machine(folder / "bot.db", NOW, is_alone)
    with machine.bot(*(JobEntry(key, "note", rule, 0.0) for key, rule in RULES.items())) as clock:
        clock.begin_due()
        machine.goes_on(60)
        machine.is_set(NOW - timedelta(days=3))
        assert clock.begin_due() == 0
        machine.goes_on(60)
        machine.is_set(NOW + timedelta(seconds=120))
        assert clock.begin_due() == 0
    assert machine.times == {"beat": NOW.timestamp() + 600, "cron": NOW.timestamp() + 600, "daily": NOW.timestamp() + 18 * 3600}


def test_one_that_begins_before_its_clock_is_set_leaves_the_times_of_others_alone(folder: Path) -> None:
    """In 1970 every time of a job seems far ahead; where others go by right clocks they would run all of them at once."""
    machine = Machine(folder / "bot.db", NOW, is_alone=False)
    declared = [JobEntry(f"@{key}", "note", rule, 0.0, declared=True) for key, rule in RULES.items()]
    with machine.bot(*declared):
        pass
    before = machine.times
    machine.is_set(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    with machine.bot(*declared):
        pass
    assert machine.times == before


def test_what_was_missed_before_the_clock_was_set_is_made_up_for(folder: Path) -> None:
    """A machine that begins at the time at which it was switched off: what came while it was off is done when its clock is set."""
    machine = Machine(folder / "bot.db", NOW)
    declared = [JobEntry("@daily", "note", RULES["daily"], 0.0, declared=True)]
    with machine.bot(*declared) as clock:
        clock.begin_due()
    with machine.bot(*declared) as clock:
        assert clock.begin_due() == 0
        machine.is_set(NOW + timedelta(days=3))
        assert clock.begin_due() == 1


def test_what_a_clock_of_1970_has_put_is_not_made_up_for_at_the_next_start(folder: Path) -> None:
    """Nor for each minute of half a century."""
    machine = Machine(folder / "bot.db", datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    with open_store(machine.path, BOT, now=machine.time) as store:
        store.jobs.put(*(JobEntry(key, "note", rule, 60.0, missed=Missed.ALL) for key, rule in RULES.items()), JobEntry("once", "note", {"at": 60.0}, 60.0))
    machine.is_set(NOW)
    with machine.bot() as clock:
        assert clock.begin_due() == 1
    assert sorted(machine.times) == ["beat", "cron", "daily"]
    assert all(0 < time - NOW.timestamp() <= DAY_SECONDS for time in machine.times.values())


@pytest.mark.parametrize("wrong", [NOW + timedelta(days=1), NOW - timedelta(days=60)])
def test_a_question_waits_for_as_long_as_it_was_told_whatever_is_done_to_the_clock(folder: Path, wrong: datetime) -> None:
    """It is neither over at once nor open for a day."""
    machine = Machine(folder / "bot.db", wrong)
    with machine.bot() as clock:
        asked = Question(1, 0, "ask", 7, 7, {}, machine.time.time, machine.time.time + 300)
        found = machine.questions.ask(asked, is_recorded=False, may_hold=True)
        machine.questions.opened(found)
        machine.goes_on(100)
        machine.is_set(NOW)
        late = machine.questions.ask(Question(2, 0, "ask", 7, 7, {}, machine.time.time, machine.time.time + 300), is_recorded=False, may_hold=True)
        machine.questions.opened(late)  # before anybody has seen that the clock was set
        assert clock.begin_due() == 0
        machine.goes_on(199)
        assert clock.begin_due() == 0
        machine.goes_on(1)
        assert clock.begin_due() == 1
        assert found.over.is_set()
        machine.goes_on(99)
        assert clock.begin_due() == 0
        machine.goes_on(1)
        assert clock.begin_due() == 1
    assert late.over.is_set()


def test_a_question_of_a_clock_that_was_ahead_counts_from_the_next_start(folder: Path) -> None:
    """It is open for its own time from then on, and not until that other clock would be right."""
    machine = Machine(folder / "bot.db", NOW)
    later = (NOW + timedelta(days=1)).timestamp()
    machine.questions.opened(machine.questions.ask(Question(1, 0, "ask", 7, 7, {}, later, later + 300), is_recorded=False, may_hold=True))
    assert machine.questions.next_time() == NOW.timestamp() + 300
