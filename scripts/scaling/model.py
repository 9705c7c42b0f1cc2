"""A discrete-event model of a bot on a PostgreSQL: updates arrive, are stored, claimed in bulk, handled on threads, and settled in groups.

It knows what the program does (one feeder a process, one round trip at a time, runs of one chat, order within a chat), and takes what each step
costs from measurements. What it does not know: memory, disks that fill, a network that loses packets.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

PER_KEY = 16
MOST_CHATS = 16
"""How many chats one claim takes at most, and how many updates of each."""
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
        processor: what of that is processor; measured with what feeding it takes, so a little too much.
        send: processor of the bot's process for one call.
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


class Servers:
    """So many alike, of which each does one thing at a time: cores, or one lock."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.busy_seconds = 0.0
        self._free_at = [0.0] * number

    def take(self, now: float, seconds: float) -> float:
        """Give it work; returns when it is done."""
        free = heapq.heappop(self._free_at)
        done = max(now, free) + seconds
        heapq.heappush(self._free_at, done)
        self.busy_seconds += seconds
        return done


class Process:
    """One process: its threads, its lock (of which Python code holds one at a time), and what has ended and not been settled."""

    def __init__(self, cores: Servers, threads: int) -> None:
        self.cores = cores
        self.interpreter = Servers(1)
        self.idle = threads
        self.ended: list[tuple[int, int]] = []
        self.is_feeding = False

    def work(self, now: float, seconds: float, processor: float | None = None) -> float:
        """Python code that has the lock so long, and a core for as long or less; returns when it is done."""
        return max(self.interpreter.take(now, seconds), self.cores.take(now, seconds if processor is None else processor))


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
        self._setting, self._costs = setting, costs
        self._chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        machines = [Servers(setting.cores) for _ in range(setting.machines)]
        self._cores = machines
        self._database = Servers(setting.database_cores) if setting.database_cores else machines[0]
        self._database_seconds = 0.0
        self._processes = [Process(cores, setting.threads) for cores in machines for _ in range(setting.processes)]
        self._telegram = [Servers(1) for _ in range(setting.bots)]
        self._chats: list[deque[float]] = [deque() for _ in range(setting.chats)]
        self._taken = bytearray(setting.chats)
        self._ready: deque[int] = deque()
        self._hungry: deque[Process] = deque(self._processes)
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
        self._wake(0.0)
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
            "Python's lock in each process": sum(process.interpreter.busy_seconds for process in self._processes) / len(self._processes),
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

    # ── claiming and settling ────────────────────────────────────────────────────────────────────────────────────────

    def _wake(self, now: float) -> None:
        """Whoever has idle threads looks, as long as there is something."""
        for _ in range(min(len(self._hungry), len(self._ready))):
            self._feed(self._hungry.popleft(), now)

    def _feed(self, process: Process, now: float) -> None:
        """One round trip: what has ended is settled, and chats are claimed for the idle threads."""
        if process.is_feeding:
            return
        ended, process.ended = process.ended, []
        chats = [self._claim(self._ready.popleft()) for _ in range(min(process.idle, MOST_CHATS, len(self._ready)))]
        if not ended and not chats:
            if process.idle:
                self._hungry.append(process)
            return
        process.is_feeding = True
        self._rounds += 1
        process.idle -= len(chats)
        number = sum(len(run) for _, run in chats)
        costs = self._costs

        def ask(at: float) -> None:
            done = self._in_database(at, costs.claim(number)) + costs.commit + costs.trip / 2
            self._at(done, lambda now: self._fed(process, now, ended, chats))

        self._at(process.work(now, costs.feed(number)) + costs.trip / 2, ask)

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
        for chat, run in chats:
            self._handle(process, now, chat, run)
        self._feed(process, now)
        self._wake(now)

    # ── handling ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _handle(self, process: Process, began: float, chat: int, run: list[float]) -> None:
        """A thread handles a run, one update after the other."""
        setting, costs = self._setting, self._costs

        def step(now: float, number: int = 0) -> None:
            if number == len(run):
                self._end(process, now, began, chat, number)
                return
            self._waits.append(now - run[number])
            done = process.work(now, costs.handle, costs.processor) + setting.handler
            self._at(done, lambda at: call(at, number, setting.calls))

        def call(now: float, number: int, left: int) -> None:
            """The calls of a handler: each is noted in the journal first, and waits for its turn."""
            if not left:
                step(now, number + 1)
                return
            noted = self._in_database(process.work(now, costs.send) + costs.trip / 2, costs.call) + costs.commit + costs.trip / 2
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
        self._feed(process, now)


def quantile(values: list[float], share: float) -> float:
    """The value below which so much of them lies; 0.0 for none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0
