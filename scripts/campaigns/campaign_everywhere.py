"""Kills a bot at every step that touches its state file or a socket, one after the other, and looks whether anything is there twice, or lost.

    python scripts/campaigns/campaign_everywhere.py --way polling --way webhook --way run_once

A life is killed before step 1, the next one before step 2, and so on until one comes through; after each kill another life goes on with the same state
file. A handler makes five calls, asks, lets choose, changes data (one at once) and a state, and puts a call into the outbox. Exits 0 when each of the seven
messages was there once, in order and with the answers, but for the one under way at the kill, which is as `--interrupted` says and was told (with `raise` the
handler makes it again); when data, state and outbox are those of one run; and when nothing is left of the journal. With `--replies "with the end"` it is the
outbox that makes what was under way again. With `--seconds` it kills at random moments instead, for so long, and a proxy with faults stands between the bot
and Telegram.

`--without` leaves one transaction of the journal out: then the campaign must fail, and ends where it does. Shown last by run_once: the intent of a call after
54 kills (a message twice that was not told), its result, the value of a step, a question, an answer and the end with the first kill.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from campaign_everywhere_bot import is_over

from syncbot.storage import OutboxState, Scope, open_store
from syncbot.testing import BotApiServer, Fault, FaultProxy, User

WAYS = ("polling", "webhook", "run_once")
TEXTS = ["1", "2", "name?", "3", "size?", "4", "5"]
ANSWERS = {"3": ("name?", "Ann"), "4": ("size?", "M")}
PARTS = ("intent", "result", "value", "question", "answer", "end")
UNDER_WAY = ("was under way when the process died", "uncertain", "its answer was lost")
_LIFE_SECONDS = 60.0
_FAULTS = [fault for fault in Fault.all() if fault.name not in ("drip_response", "auth_required")]
_MOST_DEATHS = 2
"""Of one update; a third one in a row, alone in its handler, would make it pass for one that kills the process."""
_LONGEST_LIFE_SECONDS = 1.0
_NO_DEATH = {"die_at": 0, "dies_after": 0.0}


class Campaign:
    """Kills at each step.

    Args:
        server: whose bot it is.
        folder: where the state files are.
        options: of the command line.
        proxy: the way to Telegram.
    """

    def __init__(self, server: BotApiServer, folder: Path, options: argparse.Namespace, proxy: str) -> None:
        self.steps: Counter[str] = Counter()
        self.kills = 0
        self.twice = 0
        self.lost = 0
        self.wrong: list[str] = []
        self._server = server
        self._folder = folder
        self._options = options
        self._proxy = proxy
        self.conversations = 0
        settings = json.dumps({"url": server.url, "token": server.token})
        program = Path(__file__).with_name("campaign_everywhere_bot.py")
        self._bots = subprocess.Popen([sys.executable, str(program), settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        """End the bots' process."""
        assert self._bots.stdin is not None
        self._bots.stdin.close()
        self._bots.wait(_LIFE_SECONDS)

    def run(self, way: str) -> None:
        """Kill at step 1, 2, … until a life comes through."""
        die_at = self._options.first
        while self._one(way, die_at) and die_at < self._options.last and not (self._options.without and self.wrong):
            die_at += self._options.stride

    def run_at_random(self, ways: Sequence[str], seconds: float) -> None:
        """Kill at random moments, for so long."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            for way in ways:
                self._one(way, 0, random.randint(1, _MOST_DEATHS))  # noqa: S311  # chance, no secret

    def _one(self, way: str, die_at: int, deaths: int = 1) -> bool:
        """One update that is handled over kills; False when it came through without one."""
        self.conversations += 1
        folder = self._folder / str(self.conversations)
        folder.mkdir()
        person = Person(self._server.user(id=1000 + self.conversations))
        skips = self._options.interrupted == "skip"
        life = {
            "way": way, "state": str(folder / "bot.db"), "steps": str(folder / "steps"), "log": str(folder / "log"), "timeout": 25.0 if skips else 600.0,
            "interrupted": self._options.interrupted, "without": self._options.without, "behind": self._options.behind,
            "replies": self._options.replies, "asks": self._options.asks, "proxy": self._proxy, "faults": bool(self._options.seconds),
        }  # fmt: skip
        died_before = ""
        for _ in range(self._options.lives):
            ended = self._live(life | (self._death(die_at) if deaths else _NO_DEATH))
            steps = (folder / "steps").read_text().splitlines()
            die_at -= 0 if self._options.behind else len(steps)
            if ended["killed"]:
                died_before = steps[-1] if steps else "the first step"
                deaths -= 1
                self.kills += 1
                continue
            if ended["code"]:
                self.wrong.append(f"{way}, killed before {died_before}: a life has ended with {ended['code']}")
            if ended["code"] or (is_over(life["state"]) and person.user.messages):  # a life may end before the update has come again
                break
            person.acted.wait(5.0)
            person.acted.clear()
        self.steps.update([died_before] if died_before else [])
        self._judge(f"{way}, kill {self.kills}, before {died_before}", folder, person.user)
        return bool(died_before)

    def _death(self, die_at: int) -> dict[str, float]:
        """How the next life ends."""
        return {"die_at": 0, "dies_after": random.uniform(0.01, _LONGEST_LIFE_SECONDS)} if self._options.seconds else {"die_at": die_at, "dies_after": 0.0}  # noqa: S311  # as above

    def _live(self, life: dict[str, Any]) -> dict[str, Any]:
        assert self._bots.stdin is not None
        assert self._bots.stdout is not None
        self._bots.stdin.write(json.dumps(life) + "\n")
        self._bots.stdin.flush()
        answer: dict[str, Any] = json.loads(self._bots.stdout.readline())
        return answer

    def _judge(self, where: str, folder: Path, user: User) -> None:
        sent = [message.text for message in user.messages]
        texts = [text.split()[0] for text in sent]
        log = (folder / "log").read_text()
        raises_once = self._options.interrupted == "raise" and not self._options.seconds  # which the handler tells once more
        told = sum(log.count(words) for words in (UNDER_WAY[:1] if raises_once else UNDER_WAY))
        different = list(dict.fromkeys(texts))
        twice, lost = len(texts) - len(different), len(TEXTS) - len(different)
        self.twice += twice
        self.lost += lost
        at_once = self._options.replies == "at once"
        skips = self._options.interrupted == "skip" and at_once
        in_order = texts == [text for text in TEXTS for _ in range(texts.count(text))]
        allowed = told if told <= 1 or self._options.seconds else 0 if at_once else 1  # the outbox tells in two lines
        if not in_order or twice > (0 if skips else allowed) or lost > (allowed if skips else 0):
            self.wrong.append(f"{where}: {sent}, told {told}")
        if unheard := [text for text in sent for question, answer in (ANSWERS.get(text.split()[0], ("", "")),) if question in texts and answer not in text]:
            self.wrong.append(f"{where}: an answer was lost: {unheard}")
        with open_store(folder / "bot.db", None) as store:
            data, state = store.data.load(Scope.USER, user.id), store.data.get_state(user.id, user.id)
            queued = store.outbox.counts()[OutboxState.QUEUED]
            if store.dead_letters.count() or store.questions.entries():
                self.wrong.append(f"{where}: {store.dead_letters.count()} dead letters, {len(store.questions.entries())} questions are left")
        if (data, state, queued) != ({"runs": 1, "at once": 1}, "told", 1):
            self.wrong.append(f"{where}: data {data}, state {state!r}, {queued} calls for later")
        if not is_over(str(folder / "bot.db")) or _rows(folder / "bot.db"):
            self.wrong.append(f"{where}: it is not over")


class Person:
    """Somebody who begins a conversation, and answers each question once.

    Args:
        user: who it is.
    """

    def __init__(self, user: User) -> None:
        self.user = user
        self.acted = threading.Event()
        user.send("go")
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        with contextlib.suppress(AssertionError, TimeoutError):  # the judge sees what is missing
            self.user.wait_for("name?", _LIFE_SECONDS)
            self.user.send("Ann")
            self.acted.set()
            while True:  # the buttons of one that came twice may wait no more
                self.user.press(self.user.wait_for(lambda message: message.text == "size?" and bool(message.buttons), _LIFE_SECONDS), "M")
                self.acted.set()


def _rows(path: Path) -> int:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM journal").fetchone()[0])


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder, server = stack.enter_context(tempfile.TemporaryDirectory()), stack.enter_context(BotApiServer(any_chat=True))
        proxy = stack.enter_context(FaultProxy(faults=_FAULTS, rate=0.1 if options.seconds else 0.0))
        campaign = Campaign(server, Path(folder), options, proxy.url if options.seconds else "direct")
        try:
            with contextlib.suppress(KeyboardInterrupt):  # it ends early, and says what there is
                if options.seconds:
                    campaign.run_at_random(options.way or WAYS, options.seconds)
                while not options.seconds:
                    for way in options.way or WAYS:
                        campaign.run(way)
                    if campaign.kills >= options.least or campaign.wrong:
                        break
        finally:
            campaign.close()
    for step, number in sorted(campaign.steps.items()):
        print(f"{number:5} kills before {step}")
    for line in campaign.wrong[:20]:
        print(line)
    print(f"{campaign.kills} kills in {time.monotonic() - began:.0f} s: {campaign.twice} messages twice, {campaign.lost} lost, {len(campaign.wrong)} wrong")
    if options.seconds:
        print(f"{campaign.conversations} conversations; faults {sum(proxy.struck.values())}")
    print("FAILED" if campaign.wrong else "ok")
    return 1 if campaign.wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_everywhere.py", description="Kills a bot at every step, and looks whether anything is twice or lost.")
    parser.add_argument("--way", action="append", choices=WAYS, help="how updates come; may be given more than once (default: all three)")
    parser.add_argument("--interrupted", choices=("again", "raise", "skip"), default="again", help="what follows for a call under way (default: again)")
    parser.add_argument("--replies", choices=("at once", "with the end"), default="at once", help="when replies go out (default: at once)")
    parser.add_argument("--asks", choices=("hold", "unwind"), default="hold", help="whether a handler is put aside at each question (default: hold)")
    parser.add_argument("--without", choices=("", *PARTS), default="", help="leave this out of the journal: the campaign must fail")
    parser.add_argument("--least", type=int, default=0, help="begin again until so many kills were made")
    parser.add_argument("--seconds", type=float, default=0.0, help="kill at random moments for so long, through a proxy with faults")
    parser.add_argument("--lives", type=int, default=12, help="how many lives an update gets to be handled in (default: 12)")
    parser.add_argument("--behind", default="", help='count steps from the first one of this name on, of its thread: "INSERT INTO outbox" (default: all steps)')
    parser.add_argument("--first", type=int, default=1, help="the first step that is killed at (default: 1)")
    parser.add_argument("--last", type=int, default=1_000_000, help="the last one (default: until a life comes through)")
    parser.add_argument("--stride", type=int, default=1, help="kill at every so many steps (default: 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
