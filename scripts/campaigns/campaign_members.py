"""Several processes run one bot on a PostgreSQL; one after the other is killed, stopped or cut off, the server is stopped hard, and nothing may come of it.

    python scripts/campaigns/campaign_members.py --updates 20000 --chats 500 --hits 30 --crashes 5

Of the updates a fifth goes to one chat. A hit is one of four: `kill -9`; SIGSTOP for longer than the lease; the connections to the database dropped and
refused; the database silent. Half of them strike the process that polls. A PostgreSQL of its own is started; it is stopped as a crash would. With `--hits 0`
that alone happens, one crash after the other.

Exits 0 when every update was handled, each chat's in its order; when no two handlers of a chat ran side by side (a process that is hit goes on in vain with
what others have taken over, until it finds out: what it does then is not counted here, and must not show); when the data counts each update once; when no
message is there twice but for those that a process has told of as under way; and when no dead letter, no update and no step of a journal is left. Prints how
long it took until another process went on with what the one that was hit had in hand.
"""

from __future__ import annotations

import argparse
import math
import random
import secrets
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

from campaign_kit import BotDied, BotProcess, wait_until
from kits.gate_kit import Gate
from kits.postgres_kit import PostgresServer

from syncbot.storage import Scope, open_store
from syncbot.testing import BotApiServer

HOT_CHAT = 7
KINDS = ("kill", "stop", "cut", "mute")
_ENDS_WITHIN_SECONDS = 180.0
_UNDER_WAY = "was under way when"
_SHOWN = 5
_FINDS_OUT_SECONDS = 10.0
"""How long others may take to take over, and a process that is back to find it out, on a busy machine."""


@dataclass
class Hit:
    """One process was struck, or all of them by a crash of the server.

    Args:
        kind: how.
        member: which of them; -1 for all.
        at: when, by the monotonic clock.
        polled: whether it was the one that polls.
        life: which life of the process.
        back: when it was over, by the same clock.
    """

    kind: str
    member: int
    at: float
    polled: bool = False
    life: int = 0
    back: float = math.inf

    def meets(self, run: Run) -> bool:
        """Whether it struck the process of a run."""
        return (self.member, self.life) == (run.member, run.life) or self.member == -1

    def strikes(self, run: Run) -> bool:
        """Whether a run began while its process did not know yet that what it had is another's."""
        return self.meets(run) and self.at <= run.begin <= self.back + _FINDS_OUT_SECONDS


@dataclass
class Run:
    """One run of a handler, as it was noted.

    Args:
        member: in which process.
        life: in which life of it.
        number: the update.
        last: the number that its data had as the last one.
        begin: when it began.
        replied: when its reply had been made; None where none was.
        end: when it ended; None where it did not.
    """

    member: int
    life: int
    number: int
    last: int
    begin: float
    replied: float | None = None
    end: float | None = None


@dataclass
class Member:
    """A process that is started anew when it was killed."""

    server: BotApiServer
    folder: Path
    number: int
    gate: Gate
    options: dict[str, Any]
    life: int = 0
    process: BotProcess = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.begin()

    def begin(self) -> None:
        """The next life."""
        self.process = BotProcess(
            self.server, self.folder, program="campaign_members_bot.py", **self.options, notes=str(self.folder / f"notes.{self.life}.txt")
        )

    def polls(self) -> bool:
        """Whether it is the one that polls."""
        try:
            return bool(self.process.figures().get("polling"))
        except (BotDied, ValueError):
            return False


class Campaign:
    """The members, what happens to them, and what they have noted.

    Args:
        options: of the command line.
        server: whose bot it is.
        postgres: where its state is.
        folder: for the notes.
    """

    def __init__(self, options: argparse.Namespace, server: BotApiServer, postgres: PostgresServer, folder: Path) -> None:
        self._options = options
        self._server = server
        self._postgres = postgres
        self._folder = folder
        self._chance = random.Random(options.seed)  # noqa: S311  # repeatable, not secret
        self._pause = threading.Event()
        self.url = postgres.create_database()
        self.hits: list[Hit] = []
        self.members: list[Member] = []
        self.sent: Counter[int] = Counter()
        self.codes: list[int] = []

    def run(self) -> None:
        """All of it: the updates, the hits, the crashes, the end."""
        with ExitStack() as stack:
            for number in range(self._options.members):
                self._add(number, stack)
            sender = threading.Thread(target=self._send)
            sender.start()
            wait_until(self.ended, _ENDS_WITHIN_SECONDS)
            for _ in range(0 if self._options.hits else self._options.crashes):
                self._crash()
            for number in range(self._options.hits):
                if self._options.crashes and number % max(1, self._options.hits // self._options.crashes) == 1:
                    self._crash()
                self._hit(KINDS[number % len(KINDS)], number)
                self._gets_on()
            sender.join()
            wait_until(lambda: not self._work_left(), _ENDS_WITHIN_SECONDS)
            for member in self.members:
                member.process.process.send_signal(signal.SIGTERM)
            self.codes = [member.process.process.wait(40.0) for member in self.members]

    def _add(self, number: int, stack: ExitStack) -> None:
        gate = stack.enter_context(Gate(urlsplit(self.url).port or 5432))
        options = {"state": gate.url(self.url), "lease_seconds": self._options.lease, "workers": self._options.workers, "work_seconds": self._options.work}
        member = Member(self._server, self._folder / str(number), number, gate, options)
        self.members.append(member)
        stack.callback(lambda: member.process.__exit__(None, None, None))

    def _send(self) -> None:
        """The updates, spread over the time that the hits take: each fifth to the hot chat, the others to chats by chance."""
        users = [self._server.user(id=1000 + n) for n in range(self._options.chats - 1)]
        hot = self._server.user(id=HOT_CHAT)
        pause_seconds = self._options.seconds / self._options.updates * 50
        for number in range(self._options.updates):
            user = hot if number % 5 == 0 else self._chance.choice(users)
            self.sent[user.id] += 1
            user.send(str(self.sent[user.id]))
            if number % 50 == 49:
                self._pause.wait(pause_seconds)

    def _hit(self, kind: str, number: int) -> None:
        """Strike one: in every other round of all kinds the one that polls, else the next in turn; it is away until others have taken over."""
        pollers = [member for member in self.members if member.polls()]
        member = pollers[0] if pollers and number // len(KINDS) % 2 == 0 else self.members[number % len(self.members)]
        away_seconds = self._options.lease + 2.0 + self._chance.random()
        hit = Hit(kind, member.number, time.monotonic(), member in pollers, member.life)
        self.hits.append(hit)
        if kind == "kill":
            member.process.kill()
            self._pause.wait(1.0 + self._chance.random())
            member.process.__exit__(None, None, None)
            member.life += 1
            member.begin()
        elif kind == "stop":
            member.process.signal(signal.SIGSTOP)
            self._pause.wait(away_seconds)
            member.process.signal(signal.SIGCONT)
        else:
            (member.gate.cut if kind == "cut" else member.gate.mute)()
            self._pause.wait(away_seconds)
            member.gate.open()
        hit.back = time.monotonic()

    def _crash(self) -> None:
        hit = Hit("crash", -1, time.monotonic())
        self.hits.append(hit)
        self._postgres.crash()
        self._pause.wait(self._chance.uniform(0.2, 2.0))
        self._postgres.start()
        hit.back = time.monotonic()
        self._gets_on()

    def _gets_on(self) -> None:
        """Wait until something more has been handled."""
        before = self.ended()
        wait_until(lambda: self._all_live() and (self.ended() > before or not self._work_left()), _ENDS_WITHIN_SECONDS)
        self._pause.wait(self._chance.uniform(0.2, 1.0))

    def _all_live(self) -> bool:
        """One that could not start, since the database was away, is started anew, as a service manager would; true."""
        for member in self.members:
            if member.process.process.poll() is not None:
                member.process.__exit__(None, None, None)
                member.life += 1
                member.begin()
        return True

    def ended(self) -> int:
        """How many handlers have come to their end."""
        return sum(file.read_bytes().count(b" end ") for file in self._folder.glob("*/notes.*.txt"))

    def _work_left(self) -> bool:
        if self._server.pending_updates:
            return True
        with open_store(self.url, None) as store:
            counts = store.inbox.counts()
        return bool(counts.waiting or counts.running)

    # ── what was noted ───────────────────────────────────────────────────────────────────────────────────────────────

    def runs(self) -> dict[int, list[Run]]:
        """The runs of each chat, by their beginning."""
        found: dict[int, list[Run]] = defaultdict(list)
        for member in range(self._options.members):
            for file in sorted((self._folder / str(member)).glob("notes.*.txt")):
                open_runs: dict[tuple[int, int], Run] = {}
                for at, kind, chat, number, last in _notes(file):
                    if kind == "begin":
                        open_runs[chat, number] = Run(member, int(file.suffixes[0][1:]), number, last, at)
                        found[chat].append(open_runs[chat, number])
                    elif kind == "reply":
                        open_runs[chat, number].replied = at
                    else:
                        open_runs[chat, number].end = at
        for runs in found.values():
            runs.sort(key=lambda run: run.begin)
        return found

    def log(self) -> str:
        """What all of them have logged."""
        return "".join(member.process.log.read_text(encoding="utf-8") for member in self.members)


def _notes(file: Path) -> Iterator[tuple[float, str, int, int, int]]:
    for line in file.read_text(encoding="ascii").splitlines():
        at, kind, chat, number, last = line.split()
        yield float(at), kind, int(chat), int(number), int(last)


def until(run: Run, hits: Sequence[Hit]) -> float:
    """Until when a run counts as one that runs: its end, or when its process was struck behind its beginning."""
    struck = [hit.at for hit in hits if hit.meets(run) and hit.at >= run.begin]
    ends = [run.end] if run.end is not None else []
    return min(struck + ends, default=run.begin)


def in_vain(run: Run, runs: Sequence[Run], hits: Sequence[Hit]) -> bool:
    """Whether it was begun by a process that was hit, and had been taken over: somebody else began it, or the data had it already."""
    if not _is_struck(run, hits):
        return False
    others = [other for other in runs if other.number == run.number and other is not run]
    is_taken_over = any(other.begin > run.begin or not _is_struck(other, hits) for other in others)
    return is_taken_over or any(other.last >= run.number and other.begin <= run.begin for other in runs)


def _is_struck(run: Run, hits: Sequence[Hit]) -> bool:
    return any(hit.strikes(run) for hit in hits)


def overlapping(runs: Sequence[Run], hits: Sequence[Hit]) -> int:
    """How many runs of a chat began while another one of it ran."""
    return len(_beside_others(runs, hits))


def _beside_others(runs: Sequence[Run], hits: Sequence[Hit]) -> list[Run]:
    found, latest = [], 0.0
    for run in runs:
        if in_vain(run, runs, hits):
            continue
        found += [run] if run.begin < latest else []
        latest = max(latest, until(run, hits))
    return found


def disordered(runs: Sequence[Run]) -> int:
    """How many runs began before the one before them had been ended: its number is not in the data."""
    return sum(run.last < run.number - 1 for run in runs)


def takeovers(runs: dict[int, list[Run]], hit: Hit) -> list[float]:
    """Seconds from a hit until another process began with what the one that was hit had in hand."""
    found = []
    for of_chat in runs.values():
        for run in of_chat:
            if hit.meets(run) and run.begin <= hit.at and (run.end is None or run.end > hit.at):
                found += [min(other.begin for other in later) - hit.at] if (later := _later(of_chat, run, hit)) else []
    return found


def _later(runs: Sequence[Run], run: Run, hit: Hit) -> list[Run]:
    return [other for other in runs if other.number == run.number and other.begin > hit.at and (other.member, other.life) != (run.member, run.life)]


def judge(campaign: Campaign, server: BotApiServer) -> bool:
    """Print what came of it; whether all is as promised."""
    runs, hits = campaign.runs(), campaign.hits
    updates = sum(campaign.sent.values())
    lost = updates - len({(chat, run.number) for chat, of_chat in runs.items() for run in of_chat if run.end is not None})
    begun = sum(map(len, runs.values()))
    replies = Counter((chat, message.text) for chat in campaign.sent for message in server.user(id=chat).messages)
    twice, told = sum(replies.values()) - len(replies), campaign.log().count(_UNDER_WAY)
    with open_store(campaign.url, None) as store:
        dead, counts = store.dead_letters.count(), store.inbox.counts()
        wrong = [chat for chat, number in campaign.sent.items() if store.data.load(Scope.CHAT, chat) != {"last": number, "count": number}]
        steps = campaign._postgres.run("SELECT count(*) FROM syncbot.journal", campaign.url)[0][0]
    vain = sum(in_vain(run, of_chat, hits) for of_chat in runs.values() for run in of_chat)
    out, side_by_side = sum(map(disordered, runs.values())), sum(overlapping(of_chat, hits) for of_chat in runs.values())
    left = counts.waiting + counts.running
    print(
        f"{updates} updates of {len(campaign.sent)} chats: {lost} lost, {begun - updates + lost} begun again, {vain} of them in vain, "
        f"{out} out of order, {side_by_side} overlapping, "
        f"{len(wrong)} chats whose data did not count each once, {len(replies)} replies, {twice} of them twice, {told} told as under way, "
        f"{dead} dead letters, {left} left, {steps} steps left in the journal, exit codes {campaign.codes}"
    )
    for kind in KINDS:
        print(_of_kind(kind, hits, runs))
    for chat, of_chat in runs.items():
        if disordered(of_chat) or overlapping(of_chat, hits):
            _print_chat(chat, of_chat, hits)
    return not (lost or out or side_by_side or wrong or dead or left or steps or any(campaign.codes)) and twice <= told


def _print_chat(chat: int, runs: Sequence[Run], hits: Sequence[Hit]) -> None:
    """Show what happened in a chat around a run that was out of order or overlapped, with the hits of that time."""
    start, side_by_side = hits[0].at, _beside_others(runs, hits)
    wrong = [place for place, run in enumerate(runs) if run.last < run.number - 1 or run in side_by_side]
    for place in wrong[:_SHOWN]:
        run = runs[place]
        near = [hit for hit in hits if run.begin - 20 < hit.at < run.begin + 5]
        print(f"chat {chat}, number {run.number} began with {run.last} as the last one; near it: ", end="")
        print(", ".join(f"{hit.kind} of {hit.member} at {hit.at - start:.2f} to {hit.back - start:.2f}" for hit in near))
        for other in runs[max(0, place - 4) : place + 5]:
            times = [f"{at - start:.3f}" if at is not None else "-" for at in (other.begin, other.replied, other.end)]
            print(f"    number {other.number}, last {other.last}, member {other.member}.{other.life}: {' '.join(times)}")


def _of_kind(kind: str, hits: Sequence[Hit], runs: dict[int, list[Run]]) -> str:
    struck = [hit for hit in hits if hit.kind == kind]
    seconds = [value for hit in struck for value in takeovers(runs, hit)]
    times = "none in hand"
    if seconds:
        times = f"taken over after {statistics.median(seconds):.2f} s in the median, {max(seconds):.2f} s at most ({len(seconds)} updates)"
        times += ": " + ", ".join(" ".join(f"{value:.2f}" for value in sorted(takeovers(runs, hit))) or "none" for hit in struck)
    return f"{kind}: {len(struck)} times, {sum(hit.polled for hit in struck)} of them the one that polls; {times}"


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    options.seed = options.seed if options.seed is not None else secrets.randbits(32)
    print(f"seed {options.seed}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, PostgresServer(own=True) as postgres, BotApiServer(any_chat=True) as server:
        campaign = Campaign(options, server, postgres, Path(name))
        campaign.run()
        print(f"{len(campaign.hits)} hits and crashes in {time.monotonic() - began:.0f} s")
        ok = judge(campaign, server)
        if not ok and options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / "log.txt").write_text(campaign.log())
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_members.py", description="Strikes the processes of one bot on a PostgreSQL.")
    parser.add_argument("--updates", type=int, default=20_000, help="how many (default: 20000)")
    parser.add_argument("--chats", type=int, default=500, help="of how many chats; one of them gets a fifth (default: 500)")
    parser.add_argument("--members", type=int, default=4, help="how many processes (default: 4)")
    parser.add_argument("--workers", type=int, default=8, help="threads of each (default: 8)")
    parser.add_argument("--work", type=float, default=0.03, help="seconds that a handler takes (default: 0.03)")
    parser.add_argument("--lease", type=float, default=5.0, help="seconds of the lease (default: 5)")
    parser.add_argument("--hits", type=int, default=30, help="how often one is struck (default: 30)")
    parser.add_argument("--crashes", type=int, default=5, help="how often the server is stopped hard (default: 5)")
    parser.add_argument("--seconds", type=float, default=240.0, help="over how long the updates come (default: 240)")
    parser.add_argument("--seed", type=int, help="of all that is random; default: a new one")
    parser.add_argument("--keep", type=Path, help="a folder for the log of a run that fails")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
