"""Jobs that `app.jobs` puts: they outlive the process, know their chat, and run wherever the bot's updates are handled."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kits.dispatch_kit import message
from kits.runtime_kit import SECONDS, Process, Seen, becomes, logged, program_arguments, running

from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.storage import Changes, DataChange, Incoming, JobEntry, Missed, Scope, Store, StoreOptions, open_store
from syncbot.testing import BotApiServer

MakeApp = Callable[..., Runtime]
WEEK_SECONDS = 7 * 86_400.0


def reminds(app: Runtime) -> Seen:
    """Let it have the job "remind", which notes what it is given."""
    seen = Seen()

    @app.job("remind")
    def remind(context: Context) -> None:
        assert context.job is not None
        seen.add(str(context.job.data))

    return seen


def overdue(app: Runtime, *, missed: str, seconds: float = WEEK_SECONDS, every: float = 86_400.0) -> None:
    """Put a job whose times began to pass so long ago."""
    with open_store(app.state, app.bot.id) as store:
        store.jobs.put(JobEntry("late", "remind", {"every": every}, time.time() - seconds + 60.0, data="late", missed=Missed(missed)))


def test_a_job_knows_its_chat_and_user(server: BotApiServer, make_app: MakeApp) -> None:
    """It answers in its chat, has the data of its user, and says what it is and when it was due."""
    app, seen, user = make_app(), Seen(), server.user(id=42)
    when = datetime.now(UTC) - timedelta(seconds=5)

    @app.message()
    def asked(update: Any, context: Context) -> None:
        context.user_data["tea"] = "green"
        app.jobs.at(when, "remind", key="tea-42", chat_id=context.chat_id, data={"cups": 2})

    @app.job("remind")
    def remind(context: Context) -> None:
        job = context.job
        assert job is not None
        assert (job, job.key, job.chat_id, job.user_id, abs(job.due - when) < timedelta(seconds=1)) == ("remind", "tea-42", 42, None, True)
        assert (context.raw, context.chat_id, context.user_id) == (None, 42, 42)
        context.user_data["drunk"] = True
        context.chat_data["reminded"] = job.data["cups"]
        context.reply(f"{job.data['cups']} cups of {context.user_data['tea']} tea")
        seen.add("done")

    with running(app):
        user.send("remind me")
        user.wait_for("2 cups of green tea", timeout=SECONDS)
        seen.wait("done")
    assert app.jobs.entries() == []
    assert dict(app.users()) == {42: {"tea": "green", "drunk": True}}


def test_a_job_of_a_user_answers_in_the_private_chat(server: BotApiServer, make_app: MakeApp) -> None:
    """With a user alone, replies go to the chat with that user; with a group alone there is no user's data."""
    app, seen, user = make_app(), Seen(), server.user(id=42)

    @app.job("greet")
    def greet(context: Context) -> None:
        if context.user_id is None:
            with pytest.raises(RuntimeError, match="has no user"):
                context.user_data.clear()
            seen.add("no user")
        else:
            context.reply("hello")

    with running(app):
        app.jobs.at(timedelta(0), "greet", user_id=42)
        app.jobs.at(0.0, "greet", chat_id=-100)
        user.wait_for("hello", timeout=SECONDS)
        seen.wait("no user")


def test_a_job_can_ask(server: BotApiServer, make_app: MakeApp) -> None:
    """A job with a user in a chat waits for an answer like any handler."""
    app, user = make_app(), server.user(id=42)

    @app.job("ask")
    def ask(context: Context) -> None:
        context.reply(f"Nice to meet you, {context.ask('Name?').text}")

    app.message()(lambda update, context: None)
    with running(app):
        app.jobs.at(timedelta(0), "ask", chat_id=42)
        user.wait_for("Name?", timeout=SECONDS)
        user.send("Anna")
        user.wait_for("Nice to meet you, Anna", timeout=SECONDS)


def test_a_job_outlives_the_process(make_app: MakeApp) -> None:
    """What one process has put another one runs, and what is put while nothing runs waits in the file."""
    first = make_app()
    first.jobs.at(timedelta(seconds=0.05), "remind", data="put by a process that has ended")
    second = make_app()
    seen = reminds(second)
    with running(second):
        seen.wait("put by a process that has ended")


def test_a_job_that_fails_goes_to_the_dead_letters_and_runs_again(make_app: MakeApp) -> None:
    """One that runs once is kept as a failed update is, and can be handled again; one that repeats has its next time."""
    app, seen = make_app(), Seen()
    broken = True

    @app.job("pay")
    def pay(context: Context) -> None:
        seen.add("tried")
        if broken:
            raise ValueError("no money")

    with logged() as log:
        app.jobs.at(0.0, "pay", key="rent")
        app.jobs.every(3600, "pay", key="again and again")
        assert app.jobs.run("again and again")
        summary = app.run_once()
        assert (summary.handled, summary.failed, summary.exit_code) == (0, 2, 1)
        assert log.count("the job pay failed") == 2
    assert [entry.key for entry in app.jobs.entries()] == ["again and again"]
    broken = False
    with open_store(app.state, None) as store:
        [letter] = store.dead_letters.entries()
        assert "no money" in letter.reason
        store.dead_letters.requeue(letter.id)
    assert app.run_once().handled == 1
    assert len(seen.texts) == 3


def test_a_job_without_its_function_waits(make_app: MakeApp) -> None:
    """A program that does not have the function says so at its start, and leaves the job to one that has it."""
    app = make_app()
    app.jobs.at(0.0, "remind", data="at last")
    with logged() as log:
        assert app.run_once().handled == 0
        assert log.count("functions that this program does not have (remind)") == 1
    other = make_app()
    seen = reminds(other)
    other.run_once()
    assert seen.texts == ["at last"]


def test_a_function_that_went_away_leaves_a_dead_letter(make_app: MakeApp) -> None:
    """A run that stands in the inbox when its function is gone is kept, with words."""
    app = make_app()
    reminds(app)
    app.jobs.at(0.0, "remind")
    with open_store(app.state, None) as store:
        from syncbot.storage import JobStart

        store.jobs.begin([JobStart(store.jobs.entries()[0], None, "", _body(store))])
    other = make_app()
    with logged() as log:
        assert other.run_once().failed == 1
        assert log.count("this program has no job remind") == 1
    with open_store(app.state, None) as store:
        assert "@app.job('remind')" in store.dead_letters.entries()[0].reason


def _body(store: Store) -> bytes:
    from syncbot.runtime.job import job_body

    return job_body(store.jobs.entries()[0], repeats=False)


def test_nobody_from_outside_has_a_job_run(make_app: MakeApp) -> None:
    """An update that looks like a job is an update, and what has no update_id is none."""
    app = make_app()
    seen = reminds(app)
    with open_store(app.state, app.bot.id) as store:
        store.jobs.put(JobEntry("tea", "remind", {"at": 2e9}, 2e9, data="forged"))
        forged = json.loads(_body(store))
    app.on("message", "job", check=False)(lambda update, context: seen.add(f"update {context.job}"))
    app.handle({"update_id": 1, **forged})
    assert seen.texts == ["update None"]
    with pytest.raises(ValueError, match="update_id"):
        app.process(forged)


# ── missed times ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("missed", "runs"), [("once", 1), ("all", 7), ("none", 0)])
@pytest.mark.parametrize("way", ["run_once", "run", "handle"])
def test_a_week_of_being_off(make_app: MakeApp, missed: str, runs: int, way: str) -> None:
    """Of a daily job's times that passed one is made up for, or all, or none; on every way that updates are handled."""
    app = make_app()
    seen = reminds(app)
    overdue(app, missed=missed)
    if way == "run_once":
        app.run_once()
    elif way == "handle":
        app.message()(lambda update, context: None)
        app.handle({"update_id": 1, "message": message()})
    else:
        with running(app):
            assert becomes(lambda: app.jobs.entries()[0].next_time > time.time() and len(seen.texts) >= runs)
    assert seen.texts == ["late"] * runs
    [entry] = app.jobs.entries()
    assert 0 < entry.next_time - time.time() <= 86_400


def test_a_little_late_is_not_missed(make_app: MakeApp) -> None:
    """Who wants no run for missed times gets one that is only minutes late, as from cron."""
    app = make_app()
    seen = reminds(app)
    overdue(app, missed="none", seconds=240.0)
    app.run_once()
    assert seen.texts == ["late"]


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_jobs_are_unique_by_key(make_app: MakeApp) -> None:
    """What repeats is known by function, chat and user, what runs once by a key of its own, and a given key wins."""
    app = make_app()
    for time_of_day in ("09:00", "10:00"):
        app.jobs.daily(time_of_day, "remind", tz="UTC", chat_id=42)
    app.jobs.daily("09:00", "remind", tz="UTC", chat_id=43)
    once = [app.jobs.at(timedelta(days=1), "remind", chat_id=42) for _ in range(2)]
    for cups in (1, 2):
        app.jobs.cron("0 9 * * mon-fri", "remind", key="tea", data=cups)
    assert {entry.key for entry in app.jobs.entries()} == {"remind:42", "remind:43", "tea", *(entry.key for entry in once)}
    assert len(app.jobs.entries(chat_id=42)) == 3
    assert [entry.rule["daily"] for entry in app.jobs.entries("remind", chat_id=42) if "daily" in entry.rule] == ["10:00"]
    tea = app.jobs.get("tea")
    assert tea is not None
    assert tea.data == 2


def test_jobs_are_cancelled_and_paused(make_app: MakeApp) -> None:
    """A paused job does not run, and goes on with its next time; a cancelled one is gone; what is not there is said."""
    app = make_app()
    seen = reminds(app)
    overdue(app, missed="all")
    app.jobs.at(0.0, "remind", key="once", data="once")
    assert app.jobs.pause("late")
    assert app.jobs.pause("once")
    assert not app.jobs.run("late"), "it is paused"
    app.run_once()
    assert seen.texts == []
    assert app.jobs.resume("late")
    assert app.jobs.resume("once")
    app.run_once()
    assert seen.texts == ["once"], "what passed during the pause is passed over"
    assert [app.jobs.cancel("late"), app.jobs.cancel("late"), app.jobs.pause("late"), app.jobs.resume("late"), app.jobs.run("late")] == [True] + 4 * [False]


def test_what_is_put_while_it_runs_is_checked(make_app: MakeApp) -> None:
    """A misspelt name is told where it is given, as soon as all functions are known; so are a wrong key, chat and time."""
    app = make_app()
    reminds(app)
    with running(app), pytest.raises(ValueError, match="did you mean 'remind'"):
        app.jobs.at(0.0, "remnid")
    for wrong in (
        lambda: app.jobs.at(float("nan"), "remind"),
        lambda: app.jobs.at(0.0, "remind", key="@x"),
        lambda: app.jobs.at(0.0, ""),
        lambda: app.jobs.at(0.0, "remind", chat_id="42"),  # type: ignore[arg-type]  # that is the test
        lambda: app.jobs.at(0.0, "remind", missed="never"),  # type: ignore[arg-type]  # that is the test
        lambda: app.jobs.at(0.0, "remind", data=object()),
        lambda: app.jobs.every(0, "remind"),
        lambda: app.jobs.daily("25:00", "remind"),
        lambda: app.jobs.cron("0 0 31 2 *", "remind"),
        lambda: app.job("remind")(lambda context: None),
        lambda: app.job("@remind"),
        lambda: app.job("other", interrupted="perhaps"),  # type: ignore[arg-type]  # that is the test
        lambda: app.every(60, often=True),  # type: ignore[call-arg]  # that is the test
        lambda: app.job("other")(lambda: None),  # type: ignore[type-var]  # that is the test
    ):
        with pytest.raises((ValueError, TypeError)):
            wrong()
    assert app.jobs.entries() == []


def test_without_a_state_file_jobs_need_a_runtime_that_runs(make_app: MakeApp) -> None:
    """In memory they last as long as the run."""
    app = make_app(state=None)
    seen = reminds(app)
    with pytest.raises(RuntimeError, match="only while the runtime runs"):
        app.jobs.at(0.0, "remind")
    with running(app):
        app.jobs.at(0.0, "remind", data="in memory")
        seen.wait("in memory")
        assert app.jobs.entries() == []


def test_a_decorated_job_is_gone_with_its_decorator(make_app: MakeApp) -> None:
    """The times in the program are those in the file: what the program does not have any more is not begun, what it keeps keeps its next time."""
    app = make_app()
    app.every(3600, name="old")(lambda context: None)
    app.every(3600, name="kept")(lambda context: None)
    app.every(7200, name="kept")(lambda context: None)
    app.run_once()
    before = {entry.key: entry.next_time for entry in app.jobs.entries()}
    assert set(before) == {"@old", "@kept", "@kept#2"}
    other = make_app()
    other.every(3600, name="kept")(lambda context: None)
    other.run_once()
    assert {entry.key: entry.next_time for entry in other.jobs.entries()} == {"@kept": before["@kept"]}


def test_a_job_of_this_process_that_a_stop_caught_runs_once(make_app: MakeApp) -> None:
    """`later` whose run stands in the inbox when the stop comes runs at the next start, and is not put again."""
    app, seen = make_app(workers=1), Seen()
    busy, go_on = threading.Event(), threading.Event()

    @app.later(0.001)
    def first(context: Context) -> None:
        busy.set()
        go_on.wait(SECONDS)

    app.start()
    assert busy.wait(SECONDS)
    app.later(0.001, name="second")(lambda context: seen.add("second"))
    assert becomes(lambda: not app.jobs.entries())
    threading.Timer(0.1, go_on.set).start()
    app.stop()
    with running(app):
        seen.wait("second")
        app.later(0.1)(lambda context: seen.add("later"))
        seen.wait("later")
    assert seen.texts == ["second", "later"]


def test_a_job_of_this_process_runs_again_where_others_have_changed_its_data(make_app: MakeApp) -> None:
    """One that runs once is there until its end is recorded: an assignment that meets another's change is made again with what stands there then."""
    app, seen = make_app(), Seen()

    def count(context: Context) -> None:
        context.bot_data["n"] = context.bot_data.get("n", 0) + 1
        if not seen.texts:  # somebody else is quicker, once
            with open_store(app.state, app.bot.id) as other:
                other.data.apply(Changes((DataChange(Scope.BOT, 0, {"n": 10}),)))
        seen.add(str(context.bot_data["n"]))

    app.later(0.001)(count)
    with running(app):
        seen.wait("11")
        assert becomes(lambda: app.job_functions.names() == [])  # nothing is left of it
    with open_store(app.state, app.bot.id) as store:
        assert store.data.load(Scope.BOT, 0) == {"n": 11}
    assert seen.texts == ["1", "11"]


@pytest.mark.goes_on_after("could not be handled")
def test_a_run_that_is_damaged_holds_up_no_other(make_app: MakeApp) -> None:
    """One whose time is none goes to the dead letters, and the jobs behind it run."""
    app = make_app()
    seen = reminds(app)
    facts = {"name": "remind", "key": "bad", "chat_id": None, "user_id": None, "data": "bad", "due": 1e30, "repeats": False, "declared": False}
    with open_store(app.state, app.bot.id) as store:
        store.inbox.store([Incoming(-1, "", json.dumps({"job": facts}).encode())])
    with logged(), running(app):
        assert becomes(lambda: app.health()["dead_letters"] == 1)
        app.jobs.at(0.0, "remind", data="good")
        seen.wait("good")
    assert seen.texts == ["good"]


def test_a_run_by_hand_moves_the_beat_and_leaves_times_of_day(make_app: MakeApp) -> None:
    """A job that is run every hour counts on from there; one that is run at nine is run at nine again."""
    app = make_app()
    seen = reminds(app)
    began = time.time()
    app.jobs.every(3600, "remind", key="hourly", data="hourly")
    daily = app.jobs.daily("09:00", "remind", tz="UTC", key="daily", data="daily")
    for key in ("hourly", "daily"):
        assert app.jobs.run(key)
    with running(app):
        seen.wait_number(2)
        assert becomes(lambda: all(entry.next_time > time.time() for entry in app.jobs.entries()))
        times = {entry.key: entry.next_time for entry in app.jobs.entries()}
    assert 0 <= times["hourly"] - began - 3600 <= time.time() - began
    assert times["daily"] - daily.next_time in (0.0, 86_400.0)  # nine o'clock may have passed meanwhile


def test_users_are_gone_through_in_pages(make_app: MakeApp) -> None:
    """`app.users()` gives every user with data, while it runs and while it does not."""
    app = make_app()
    with open_store(app.state, app.bot.id) as store:
        for user in range(1, 251):
            store.data.save("user", user, {"n": user})  # type: ignore[arg-type]  # the scope is a StrEnum
        store.data.save("chat", 999, {"n": 1})  # type: ignore[arg-type]  # the same
    assert dict(app.users()) == {user: {"n": user} for user in range(1, 251)}
    with running(app):
        assert len(list(app.users())) == 250


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────

CHILD = """
import os, sys
from syncbot import Bot, Runtime

url, token, state, journal = sys.argv[1:]
log = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
app = Runtime(Bot(token, base_url=url, proxies=["direct"]), state=state, types=False)

@app.job("note")
def note(context):
    os.write(log, f"{os.getpid()} {context.job.key} {context.job.due.timestamp()}\\n".encode())

app.start(poll=False)
os.write(log, f"{os.getpid()} started\\n".encode())
app.join()
"""


def test_two_processes_on_one_file_run_each_time_once(server: BotApiServer, make_app: MakeApp, tmp_path: Path) -> None:
    """While the one that runs jobs is killed again and again, another takes over: each of 300 times is run, and none is begun twice.

    What a kill catches is handled again: what was claimed, and whose end was not recorded yet. Ends are recorded together, while the four workers go on with
    what was claimed ahead, 64 at most; so many have run before a takeover whose jobs have piled up is killed.
    """
    app, journal = make_app(), tmp_path / "journal"

    def start() -> Process:
        return processes.enter_context(Process(CHILD, *program_arguments(server, tmp_path / "bot.db"), str(journal)))

    def lines() -> list[list[str]]:
        return [line.split() for line in journal.read_text().splitlines()] if journal.exists() else []

    def runs() -> list[str]:
        return [line[1] for line in lines() if len(line) == 3]

    def put_some() -> None:
        for _ in range(75):
            n = next(numbers)
            app.jobs.at(time.time() + 0.5 + n % 75 * 0.01, "note", key=f"{n:03}")

    with ExitStack() as processes:
        children, numbers = [start()], itertools.count()
        for number in (60, 130, 200):
            children.append(start())
            assert becomes(lambda: sum("started" in line for line in lines()) == len(children))
            put_some()  # only now: a machine that takes long for a start would run all of them before the first kill
            assert becomes(lambda number=number: len(runs()) >= number, 60.0)  # type: ignore[misc]  # mypy does not know the type of a default
            children[-2].kill()
        put_some()
        assert becomes(lambda: len(set(runs())) == 300, 60.0)
    begun = [(line[0], line[1]) for line in lines() if len(line) == 3]
    assert len(begun) == len(set(begun)), "no process runs one twice"
    last_process = {key: process for process, key in begun}
    again = Counter(process for process, key in begun if last_process[key] != process)
    assert all(number <= 4 + 64 for number in again.values()), "a kill catches no more than is claimed at once"
    assert len(again) <= 3, "only what a kill has caught is run again"
    assert len({process for process, _ in begun}) >= 2
    with open_store(tmp_path / "bot.db", None) as store:
        assert store.jobs.entries() == []


def run_to_its_end(source: str, *arguments: str) -> int:
    """Run a program; its exit code."""
    with Process(source, *arguments) as process:
        return process.end()[0]


DYING = """
import os, sys
from syncbot import Bot, Runtime

url, token, state, marker = sys.argv[1:5]
app = Runtime(Bot(token, base_url=url, proxies=["direct"]), state=state, types=False)

@app.job("tell", durable=len(sys.argv) < 6)
def tell(context):
    context.reply("one")
    if not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), 9)
    context.reply("two")

app.run_once()
"""


@pytest.mark.parametrize("durable", [True, False])
def test_a_job_that_died_goes_on_there(server: BotApiServer, make_app: MakeApp, tmp_path: Path, durable: bool) -> None:
    """A job is a durable handler: what it had sent before its process was killed is not sent again, unless it says that it may be."""
    app, user = make_app(), server.user(id=42)
    app.jobs.at(0.0, "tell", chat_id=42)
    arguments = [*program_arguments(server, tmp_path / "bot.db"), str(tmp_path / "marker"), *([] if durable else ["again"])]
    assert [run_to_its_end(DYING, *arguments) for _ in range(2)] == [-9, 0]
    assert [message.text for message in user.messages] == ["one", "two"] if durable else ["one", "one", "two"]


PUTTING = """
import os, sys
from syncbot import Bot, Runtime

url, token, state, marker, where = sys.argv[1:]
app = Runtime(Bot(token, base_url=url, proxies=["direct"]), state=state, types=False)
app.job("remind")(lambda context: None)

def die():
    if not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), 9)

def die_within(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "notify" and frame.f_code.co_filename.endswith("clock.py"):
        die()  # the job is in the state file, and what put it does not know yet

@app.job("put")
def put(context):
    if where == "between":
        sys.setprofile(die_within)
    app.jobs.at(2e9, "remind")
    app.jobs.at(2e9, "remind")
    sys.setprofile(None)
    die()

app.run_once()
"""


@pytest.mark.parametrize("where", ["between", "behind"])
def test_a_handler_that_died_puts_no_job_twice(server: BotApiServer, make_app: MakeApp, tmp_path: Path, where: str) -> None:
    """A job without a key that a handler has put is the same one in its next run, also where the process died before it could note that."""
    app = make_app()
    app.jobs.at(0.0, "put")
    arguments = [*program_arguments(server, tmp_path / "bot.db"), str(tmp_path / "marker"), where]
    assert [run_to_its_end(PUTTING, *arguments) for _ in range(2)] == [-9, 0]
    assert len(app.jobs.entries("remind")) == 2


def test_a_full_disk_does_not_keep_a_run_beyond_its_time(make_app: MakeApp) -> None:
    """What is due cannot be begun where there is no room: the run ends when its time is up, and the job waits."""
    path = make_app().state
    assert path is not None
    with open_store(path, make_app().bot.id) as store:
        store.jobs.put(JobEntry("large", "remind", {"every": 60.0}, 0.0, data="x" * 200_000))
    app = make_app(store_options=StoreOptions(max_pages=path.stat().st_size // 4096 + 8))
    seen = reminds(app)
    with logged() as log:
        summary = app.run_once(max_seconds=1.0)
        assert log.count("is full") >= 1
    assert (summary.error, seen.texts, app.jobs.entries()[0].next_time) == ("the time was up", [], 0.0)


def test_a_key_may_be_the_name_of_a_function(make_app: MakeApp) -> None:
    """A job that has run once leaves the function alone that is called as it is."""
    app = make_app()
    seen = reminds(app)
    with running(app):
        for text in ("one", "two"):
            app.jobs.at(0.0, "remind", key="remind", data=text)
            seen.wait(text)
            assert becomes(lambda: app.store.inbox.counts().running == 0)
        assert app.jobs.at(0.0, "remind").name == "remind"


def test_what_is_put_or_queued_within_once_is_part_of_it(make_app: MakeApp) -> None:
    """Where a side effect is a job or a queued call, neither is a step of its own."""
    app = make_app()
    app.job("remind")(lambda context: None)

    @app.message()
    def handler(update: Any, context: Context) -> None:
        context.once("remind", lambda: app.jobs.at(2e9, "remind").key)
        context.once("tell", lambda: app.outbox.send_message(7, "hi", not_before=timedelta(days=1)))

    assert app.handle({"update_id": 1, "message": message(text="hi")}).handled == 1
    assert (len(app.jobs.entries("remind")), len(app.outbox.entries())) == (1, 1)


def test_jobs_run_without_any_thread_waking_up_in_between(make_app: MakeApp) -> None:
    """A job that is put while nothing was due before is begun at its time, by the thread that slept."""
    app = make_app()
    seen = reminds(app)
    with running(app):
        assert becomes(lambda: any(thread.name == "syncbot-jobs" for thread in threading.enumerate()))
        app.jobs.at(timedelta(seconds=0.3), "remind", data="awake")
        seen.wait("awake")
