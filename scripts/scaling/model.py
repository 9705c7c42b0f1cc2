"""A discrete-event model of a bot on a PostgreSQL: updates arrive, are stored, claimed in bulk, handled on threads, and settled in groups.

It knows what the program does (one feeder a process, one round at a time, claims ahead of idle threads, runs of one chat, order within a chat, one
lock of Python in a process), and that whoever wants a processor shares it with all others that do. What each step costs it takes from measurements.
What it does not know: memory, disks that fill, a network that loses packets.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

PER_KEY = 16
"""How many updates of a chat one claim takes at most."""
MOST_AHEAD = 64
GROUP_SECONDS = 0.002
"""How many chats are claimed at most before a thread is idle, and how long an end waits for others meanwhile (`syncbot/runtime/work/feeder.py`)."""
TELEGRAM_A_SECOND = 30.0


@dataclass(frozen=True)
class Line:
    """Seconds that a step takes: so many once, and so many for each."""

    once: float
    each: float = 0.0

    def __call__(self, number: int = 1) -> float:
        return self.once + self.each * number


@dataclass(frozen=True)
class Costs:
    """What was measured, in seconds.

    Args:
        store: processor of the database for a batch of so many updates.
        claim: processor of the database for a round trip that settles, and claims so many updates.
        call: processor of the database for the journal of one call.
        commit: how long a durable commit waits for the disk.
        trip: how long a round trip over the network takes.
        feed: processor of the bot's process for a round trip of so many updates.
        handle: how long one update keeps Python's lock in its process, without what the handler does; the waits of its threads for each other among it.
        processor: what of that is processor.
        send: processor of the bot's process for one call.
        crowd: by what share all that processors do takes longer for each further process that a core has: they take each other's caches.
        weight: as how many that want a processor all the time another such program counts, against those that sleep in between, which come first.
    """

    store: Line
    claim: Line
    call: float
    commit: float
    trip: float
    feed: Line
    handle: float
    processor: float
    send: float
    crowd: float = 0.0
    weight: float = 1.0

    def crowded(self, processes: int, cores: int) -> Costs:
        """What the processors of a machine do there with so many processes."""
        by = 1 + self.crowd * (processes - 1) / cores
        own = {"handle": self.handle * by, "processor": self.processor * by, "send": self.send * by}
        return replace(self, feed=Line(self.feed.once * by, self.feed.each * by), **own)


@dataclass(frozen=True)
class Setting:
    """What is asked.

    Args:
        rate: updates a second that arrive; 0: all `waiting` ones are there at the beginning, and no more come.
        waiting: how many are there at the beginning.
        seconds: how long is looked at.
        batch: how many are stored at once: 100 where they are polled under load, 1 for a webhook.
        handler: seconds that a handler waits for others (its processor is in `Costs.handle`).
        calls: messages that each handler sends.
        bots: over how many bots they are spread; each may send 30 a second.
        limited: whether Telegram's limit holds (a test server has none).
        chats: of how many chats they are.
        hot: the share of one chat.
        machines: how many.
        processes: of each machine.
        threads: of each process.
        cores: of each machine.
        database_cores: of the database's own machine; 0: it runs on the first machine, with the bot.
        others: how many other programs want a processor of each machine all the time.
    """

    rate: float = 100.0
    waiting: int = 0
    seconds: float = 10.0
    batch: int = 100
    handler: float = 0.1
    calls: int = 1
    bots: int = 1
    limited: bool = True
    chats: int = 10_000
    hot: float = 0.0
    machines: int = 1
    processes: int = 1
    threads: int = 16
    cores: int = 2
    database_cores: int = 4
    others: float = 0.0


class Turns:
    """What one gives to all, one after the other: Telegram, so many a second."""

    def __init__(self) -> None:
        self.busy_seconds = 0.0
        self._free_at = 0.0

    def take(self, now: float, seconds: float) -> float:
        """Returns when it is done."""
        self._free_at = max(now, self._free_at) + seconds
        self.busy_seconds += seconds
        return self._free_at


class Cores:
    """Processors, of which all that want one have an equal share: other programs, too. They are asked in the order of time."""

    def __init__(self, number: int, others: float = 0.0) -> None:
        self.number = number
        self.busy_seconds = 0.0
        self._others = others
        self._at_work: list[float] = []

    def take(self, now: float, seconds: float) -> float:
        """Give one work; returns when it is done."""
        while self._at_work and self._at_work[0] <= now:
            heapq.heappop(self._at_work)
        done = now + seconds * max(1.0, (len(self._at_work) + 1 + self._others) / self.number)
        heapq.heappush(self._at_work, done)
        self.busy_seconds += seconds
        return done


@dataclass(frozen=True)
class Job:
    """Python code that waits for the lock of its process, which it keeps for `lock` seconds, `processor` of them on a core, and what comes then."""

    lock: float
    processor: float
    then: Callable[[float], None]


class Process:
    """One process: its threads, its lock (of which Python code holds one at a time), what is ready for a thread, and what has ended and is not settled."""

    def __init__(self, cores: Cores, threads: int) -> None:
        self.cores = cores
        self.idle = threads
        self.jobs: deque[Job] = deque()
        self.locked_seconds = 0.0
        self.is_locked = self.is_feeding = self.is_hungry = False
        self.ready: deque[tuple[int, list[float]]] = deque()
        self.ended: list[tuple[int, int]] = []


@dataclass
class Outcome:
    """What came of it.

    Args:
        handled: how many updates.
        seconds: until the last of them.
        arrived: how many.
        waits: seconds from an update's arrival to the beginning of its handler, of a sample.
        use: of each resource the share of the time in which it was busy.
        rounds: how many round trips settled and claimed.
    """

    handled: int
    seconds: float
    arrived: int
    waits: list[float] = field(repr=False)
    use: dict[str, float]
    rounds: int

    @property
    def rate(self) -> float:
        """Updates handled a second."""
        return self.handled / self.seconds if self.seconds else 0.0

    @property
    def bound(self) -> str:
        """What is busiest."""
        return max(self.use, key=lambda name: self.use[name])


class Simulation:
    """One run of the model.

    Args:
        setting: what is asked.
        costs: what each step costs.
        seed: of the arrivals.
    """

    def __init__(self, setting: Setting, costs: Costs, seed: int = 1) -> None:
        self._setting, self._costs = setting, costs.crowded(setting.processes, setting.cores)
        self._chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        machines = [Cores(setting.cores, setting.others * costs.weight) for _ in range(setting.machines)]
        self._cores = machines
        self._database = Cores(setting.database_cores) if setting.database_cores else machines[0]
        self._database_seconds = 0.0
        self._processes = [Process(cores, setting.threads) for cores in machines for _ in range(setting.processes)]
        self._telegram = [Turns() for _ in range(setting.bots)]
        self._chats: list[deque[float]] = [deque() for _ in range(setting.chats)]
        self._taken = bytearray(setting.chats)
        self._ready: deque[int] = deque()
        self._hungry: deque[Process] = deque()
        self._busy_thread_seconds = self._hot_seconds = 0.0
        self._arrived = self._handled = self._rounds = 0
        self._waits: list[float] = []
        self._last = 0.0

    def run(self) -> Outcome:
        """Run it."""
        setting = self._setting
        for _ in range(setting.waiting):
            self._arrive_one(0.0)
        if setting.rate:
            self._at(0.0, self._arrive)
        for process in self._processes:
            self._feed(process, 0.0)
        while self._events:
            now, _, act = heapq.heappop(self._events)
            if setting.rate and now > setting.seconds:
                break
            act(now)
        return self._outcome()

    def _outcome(self) -> Outcome:
        setting = self._setting
        seconds = setting.seconds if setting.rate else self._last
        threads = setting.machines * setting.processes * setting.threads
        bot_cores = sum(cores.busy_seconds for cores in self._cores) / (setting.machines * setting.cores)
        use = {
            "the database's processors": self._database_seconds / self._database.number,
            "the machines' processors": bot_cores,
            "Python's lock in each process": sum(process.locked_seconds for process in self._processes) / len(self._processes),
            "threads": self._busy_thread_seconds / threads,
            "Telegram's limit of 30 a second": sum(bot.busy_seconds for bot in self._telegram) / setting.bots if setting.limited else 0.0,
            "the order within the busiest chat": self._hot_seconds,
        }
        shares = {name: busy / seconds if seconds else 0.0 for name, busy in use.items()}
        return Outcome(self._handled, seconds, self._arrived, self._waits, shares, self._rounds)

    def _at(self, time: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), act))

    # ── arriving ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _arrive(self, now: float) -> None:
        """A batch comes, and stands in the database when it has been stored."""
        setting, costs = self._setting, self._costs
        done = self._in_database(now, costs.store(setting.batch)) + costs.commit
        self._at(done, lambda stored: self._store(stored, setting.batch, now))
        self._at(now + self._chance.expovariate(setting.rate / setting.batch), self._arrive)

    def _store(self, now: float, number: int, arrived: float) -> None:
        for _ in range(number):
            self._arrive_one(arrived)
        self._wake(now)

    def _arrive_one(self, now: float) -> None:
        setting = self._setting
        chat = 0 if setting.hot and self._chance.random() < setting.hot else int(self._chance.random() * setting.chats)
        self._arrived += 1
        waiting = self._chats[chat]
        if not waiting and not self._taken[chat]:
            self._ready.append(chat)
        waiting.append(now)

    def _in_database(self, now: float, seconds: float) -> float:
        self._database_seconds += seconds
        return self._database.take(now, seconds)

    def _work(self, process: Process, now: float, job: Job) -> None:
        """Python code of a process: it waits for the lock."""
        process.jobs.append(job)
        if not process.is_locked:
            self._work_on(process, now)

    def _work_on(self, process: Process, now: float) -> None:
        process.is_locked = bool(process.jobs)
        if process.is_locked:
            job = process.jobs.popleft()
            done = max(now + job.lock, process.cores.take(now, job.processor))
            process.locked_seconds += done - now
            self._at(done, job.then)
            self._at(done, lambda at: self._work_on(process, at))

    # ── claiming and settling ────────────────────────────────────────────────────────────────────────────────────────

    def _wake(self, now: float) -> None:
        """Whoever has idle threads looks, as long as there is something."""
        for _ in range(min(len(self._hungry), len(self._ready))):
            process = self._hungry.popleft()
            process.is_hungry = False
            self._feed(process, now)

    def _feed(self, process: Process, now: float) -> None:
        """One round: what has ended is settled, and chats are claimed for idle threads, and as many ahead as have just ended twice over."""
        if process.is_feeding:
            return
        ended, process.ended = process.ended, []
        wanted = process.idle + min(MOST_AHEAD, 2 * sum(number for _, number in ended)) - len(process.ready)
        chats = [self._claim(self._ready.popleft()) for _ in range(min(wanted, len(self._ready)))]
        if not ended and not chats:
            if process.idle and not process.is_hungry:
                process.is_hungry = True
                self._hungry.append(process)
            return
        process.is_feeding = True
        self._rounds += 1
        number, costs = sum(len(run) for _, run in chats), self._costs

        def ask(at: float) -> None:
            done = self._in_database(at, costs.claim(number)) + 2 * costs.trip + costs.commit  # of what is asked, and of the COMMIT
            self._at(done, lambda now: self._fed(process, now, ended, chats))

        seconds = costs.feed(number)
        self._work(process, now, Job(seconds, seconds, ask))

    def _claim(self, chat: int) -> tuple[int, list[float]]:
        self._taken[chat] = 1
        waiting = self._chats[chat]
        return chat, [waiting.popleft() for _ in range(min(PER_KEY, len(waiting)))]

    def _fed(self, process: Process, now: float, ended: list[tuple[int, int]], chats: list[tuple[int, list[float]]]) -> None:
        process.is_feeding = False
        for chat, _ in ended:
            self._taken[chat] = 0
            if self._chats[chat]:
                self._ready.append(chat)
        process.ready += chats
        self._begin(process, now)
        self._feed_soon(process, now)
        self._wake(now)

    def _feed_soon(self, process: Process, now: float) -> None:
        """The next round: at once, unless every thread has work."""
        if process.ready and process.ended:
            self._at(now + GROUP_SECONDS, lambda at: self._feed(process, at))
        elif not process.ready:
            self._feed(process, now)

    # ── handling ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, process: Process, now: float) -> None:
        """Idle threads take what is ready."""
        while process.idle and process.ready:
            process.idle -= 1
            self._handle(process, now, *process.ready.popleft())

    def _handle(self, process: Process, began: float, chat: int, run: list[float]) -> None:
        """A thread handles a run, one update after the other."""
        setting, costs = self._setting, self._costs

        def step(now: float, number: int = 0) -> None:
            if number == len(run):
                self._end(process, now, began, chat, number)
                return
            self._waits.append(now - run[number])
            after = Job(costs.handle, costs.processor, lambda at: self._at(at + setting.handler, lambda later: call(later, number, setting.calls)))
            self._work(process, now, after)

        def call(now: float, number: int, left: int) -> None:
            """The calls of a handler: each is noted in the journal first, and waits for its turn."""
            if left:
                self._work(process, now, Job(costs.send, costs.send, lambda at: note(at, number, left)))
            else:
                step(now, number + 1)

        def note(now: float, number: int, left: int) -> None:
            noted = self._in_database(now, costs.call) + costs.commit + costs.trip
            sent = self._telegram[chat % setting.bots].take(noted, 1.0 / TELEGRAM_A_SECOND) if setting.limited else noted
            self._at(sent, lambda at: call(at, number, left - 1))

        step(began)

    def _end(self, process: Process, now: float, began: float, chat: int, number: int) -> None:
        process.idle += 1
        process.ended.append((chat, number))
        self._busy_thread_seconds += now - began
        self._hot_seconds += now - began if chat == 0 else 0.0
        self._handled += number
        self._last = now
        self._begin(process, now)
        self._feed_soon(process, now)


def quantile(values: list[float], share: float) -> float:
    """The value below which so much of them lies; 0.0 for none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0
