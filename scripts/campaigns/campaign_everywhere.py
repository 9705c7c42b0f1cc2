"""Kills a bot at every step that touches its state file or a socket, one after the other, and looks whether anything is there twice, or lost.

    python scripts/campaigns/campaign_everywhere.py --way polling --way webhook --way run_once

A life is killed before step 1, the next one before step 2, and so on until one comes through; after each kill another life goes on with the same state
file. A handler makes five calls, and changes data and a state. Exits 0 when each of the five messages was there once, in order, but for the one under
way at the kill, which is as `--interrupted` says and was told; when data and state are those of one run; and when nothing is left of the journal.

`--without intent`, `result` or `end` leaves that part of the journal out: then the campaign must fail.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from syncbot.storage import Scope, open_store
from syncbot.testing import BotApiServer

WAYS = ("polling", "webhook", "run_once")
TEXTS = ["1", "2", "3", "4", "5"]
UNDER_WAY = "was under way when the process died"
_LIFE_SECONDS = 60.0


class Campaign:
    """Kills at each step.

    Args:
        server: whose bot it is.
        folder: where the state files are.
        options: of the command line.
    """

    def __init__(self, server: BotApiServer, folder: Path, options: argparse.Namespace) -> None:
        self.steps: Counter[str] = Counter()
        self.kills = 0
        self.twice = 0
        self.lost = 0
        self.wrong: list[str] = []
        self._server = server
        self._folder = folder
        self._options = options
        self._number = 0
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
        while self._one(way, die_at) and die_at < self._options.last:
            die_at += self._options.stride

    def _one(self, way: str, die_at: int) -> bool:
        """One update that is handled over a kill; False when it came through without one."""
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        user = self._server.user(id=1000 + self._number)
        update = _update(self._number, user.id)
        if way != "webhook":
            user.send("go")
        life = {
            "way": way, "state": str(folder / "bot.db"), "steps": str(folder / "steps"), "log": str(folder / "log"), "update": update,
            "interrupted": self._options.interrupted, "without": self._options.without,
        }  # fmt: skip
        was_killed = bool(self._live(life | {"die_at": die_at})["killed"])
        died_before = (folder / "steps").read_text().splitlines()[-1:] if was_killed else []
        self.steps.update(died_before)
        self.kills += was_killed
        if was_killed:
            code = self._live(life | {"die_at": 0})["code"]
            if code:
                self.wrong.append(f"{way}, step {die_at}: the next life has ended with {code}")
        self._judge(f"{way}, killed before step {die_at} ({''.join(died_before)})", folder, user)
        return was_killed

    def _live(self, life: dict[str, Any]) -> dict[str, Any]:
        assert self._bots.stdin is not None
        assert self._bots.stdout is not None
        self._bots.stdin.write(json.dumps(life) + "\n")
        self._bots.stdin.flush()
        answer: dict[str, Any] = json.loads(self._bots.stdout.readline())
        return answer

    def _judge(self, where: str, folder: Path, user: Any) -> None:
        texts = [message.text for message in user.messages]
        told = (folder / "log").read_text().count(UNDER_WAY)
        different = list(dict.fromkeys(texts))
        twice, lost = len(texts) - len(different), len(TEXTS) - len(different)
        self.twice += twice
        self.lost += lost
        in_order = different == [text for text in TEXTS if text in different] and sorted(texts) == texts
        allowed = told if told <= 1 else 0
        if not in_order or twice > (allowed if self._options.interrupted == "again" else 0) or lost > (allowed if self._options.interrupted == "skip" else 0):
            self.wrong.append(f"{where}: {texts}, told {told}")
        with open_store(folder / "bot.db", None) as store:
            counts, data, state = store.inbox.counts(), store.data.load(Scope.USER, user.id), store.data.get_state(user.id, user.id)
            if counts.waiting + counts.running or store.dead_letters.count():
                self.wrong.append(f"{where}: {counts} are left, {store.dead_letters.count()} dead letters")
        if (data, state) != ({"runs": 1}, "told"):
            self.wrong.append(f"{where}: data {data}, state {state!r}")
        if left := _rows(folder / "bot.db"):
            self.wrong.append(f"{where}: {left} steps are left in the journal")


def _rows(path: Path) -> int:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM journal").fetchone()[0])


def _update(number: int, user: int) -> dict[str, Any]:
    person = {"id": user, "is_bot": False, "first_name": "Ann"}
    chat = {"id": user, "type": "private", "first_name": "Ann"}
    return {"update_id": number, "message": {"message_id": 1, "date": 1_700_000_000, "chat": chat, "from": person, "text": "go"}}


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, BotApiServer(any_chat=True) as server:
        campaign = Campaign(server, Path(name), options)
        try:
            for way in options.way or WAYS:
                campaign.run(way)
        finally:
            campaign.close()
    for step, number in sorted(campaign.steps.items()):
        print(f"{number:5} kills before {step}")
    for line in campaign.wrong[:20]:
        print(line)
    print(f"{campaign.kills} kills in {time.monotonic() - began:.0f} s: {campaign.twice} messages twice, {campaign.lost} lost, {len(campaign.wrong)} wrong")
    print("FAILED" if campaign.wrong else "ok")
    return 1 if campaign.wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_everywhere.py", description="Kills a bot at every step, and looks whether anything is twice or lost.")
    parser.add_argument("--way", action="append", choices=WAYS, help="how updates come; may be given more than once (default: all three)")
    parser.add_argument("--interrupted", choices=("again", "skip"), default="again", help="what follows for a call under way (default: again)")
    parser.add_argument("--without", choices=("", "intent", "result", "end"), default="", help="leave this out of the journal: the campaign must fail")
    parser.add_argument("--first", type=int, default=1, help="the first step that is killed at (default: 1)")
    parser.add_argument("--last", type=int, default=1_000_000, help="the last one (default: until a life comes through)")
    parser.add_argument("--stride", type=int, default=1, help="kill at every so many steps (default: 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
