"""Runs a bot for some minutes in the worst of weathers, and looks whether it is as it was at the beginning.

    scripts/campaigns/soak 30

Meanwhile users write; two proxies in front of the bot break tunnels in every way, go down and come up; Telegram answers 409, 429, 5xx and HTML; the disk
is full for a while; and in the first third the process is killed now and then. Exits 0 when the bot is alive and well at the end, every update was
noted, none is among the dead letters, and after the warm-up no threads or descriptors were added and memory has grown by less than 2 MB.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaign_kit import BotDied, BotProcess, noted, wait_until

from syncbot.storage import open_store
from syncbot.testing import Answer, BotApiServer, Fault, FaultProxy

CHATS = 10
MESSAGES_A_SECOND = 10.0
_MOST_GROWTH_KB = 2 * 1024
_CALMS_WITHIN_SECONDS = 60.0
_SHOW_EVERY_SECONDS = 60.0
_OTHER_POLL = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass
class Weather:
    """All that goes wrong, one thing after the other, until it is to be calm.

    Args:
        server: Telegram.
        proxies: the ways to it.
        chance: draws.
    """

    server: BotApiServer
    proxies: Sequence[FaultProxy]
    chance: random.Random
    happened: Counter[str] = field(default_factory=Counter)
    calm: threading.Event = field(default_factory=threading.Event)

    def storm(self, bot: BotProcess, until: float) -> None:
        """Let things go wrong until `until` (`time.monotonic()`)."""
        faults = [fault for fault in Fault.all() if fault.name not in ("auth_required", "drip_response")]
        mishaps: list[Callable[[BotProcess], object]] = [self._one_proxy_down, self._all_proxies_down, self._answers, self._full_disk, self._restart]
        for proxy in self.proxies:
            proxy.set_random(faults, 0.1)
        while time.monotonic() < until:
            mishap = self.chance.choice(mishaps)
            self.happened[mishap.__name__.strip("_").replace("_", " ")] += 1
            mishap(bot)
            self.calm.wait(self.chance.uniform(0.2, 1.5))
        for proxy in self.proxies:
            proxy.set_random((), 0.0)
        self.server.clear_script()

    def _one_proxy_down(self, bot: BotProcess) -> None:
        with self.chance.choice(self.proxies).refuse_connections():
            self.calm.wait(self.chance.uniform(0.5, 2.0))

    def _all_proxies_down(self, bot: BotProcess) -> None:
        with ExitStack() as stack:
            for proxy in self.proxies:
                stack.enter_context(proxy.refuse_connections())
                proxy.cut_all(reset=self.chance.random() < 0.5)
            self.calm.wait(self.chance.uniform(0.5, 2.0))

    def _answers(self, bot: BotProcess) -> None:
        kinds = [Answer.error(409, _OTHER_POLL), Answer.retry_after(1), Answer.server_error(), Answer.gateway(), Answer.captive_portal(), Answer.broken_json()]
        answer = self.chance.choice(kinds)
        self.server.clear_script()  # what nobody asked for in time is over: else it would pile up, and in the end nothing else be answered
        self.server.script("getUpdates", answer, times=2)
        self.server.script("sendMessage", answer, times=1)
        self.server.queue.end_poll(_OTHER_POLL)

    def _full_disk(self, bot: BotProcess) -> None:
        bot.signal(signal.SIGUSR1)
        self.calm.wait(self.chance.uniform(0.5, 2.0))
        bot.signal(signal.SIGUSR2)

    def _restart(self, bot: BotProcess) -> None:
        self.server.drop_connections()


class Users:
    """People who write, all the time until the end, unless it is to be quiet."""

    def __init__(self, server: BotApiServer) -> None:
        self.sent = 0
        self._people = [server.user(id=100 + number) for number in range(CHATS)]
        self._quiet = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def rest(self) -> None:
        """Write no more until `go_on`."""
        self._quiet.set()

    def go_on(self) -> None:
        """Write again."""
        self._quiet.clear()

    def end(self) -> None:
        """Write no more at all."""
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._over.wait(1 / MESSAGES_A_SECOND):
            if not self._quiet.is_set():
                self._people[self.sent % CHATS].send(str(self.sent))
                self.sent += 1


class Soak:
    """One run.

    Args:
        server: Telegram.
        proxies: the ways to it.
        folder: where the bot keeps its state.
        seconds: how long.
        seed: of all that is random.
    """

    def __init__(self, server: BotApiServer, proxies: Sequence[FaultProxy], folder: Path, seconds: float, seed: int) -> None:
        self._server = server
        self._folder = folder
        self._seconds = seconds
        self._chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
        self._weather = Weather(server, proxies, self._chance)
        self._users = Users(server)
        self._ways = [proxy.url for proxy in proxies]
        self.kills = 0

    def run(self) -> bool:
        """Run; True when all is as it should be."""
        began = time.monotonic()
        self._be_killed(began + self._seconds / 3)
        with self._bot() as bot:
            _comes_up(bot)
            self._storm(bot, began + self._seconds / 3 + max(12.0, self._seconds / 6))  # until what comes for the first time has come
            before = self._calm(bot)
            self._users.go_on()
            while time.monotonic() < began + self._seconds:
                self._storm(bot, min(began + self._seconds, time.monotonic() + _SHOW_EVERY_SECONDS))
                print(f"{time.monotonic() - began:6.0f} s  {self._shown(bot.figures())}", flush=True)
            after = self._calm(bot, before)
            self._users.end()
            code = bot.stop()
        return self._judge(before, after, code)

    def _bot(self) -> BotProcess:
        return BotProcess(self._server, self._folder, proxies=self._ways, timeout=1.0, poll_wait=10, reply=True)

    def _be_killed(self, until: float) -> None:
        while time.monotonic() < until:
            with self._bot() as bot:
                if _comes_up(bot):
                    self._storm(bot, min(until, time.monotonic() + self._chance.uniform(2.0, 10.0)))
                bot.kill()
                self.kills += 1

    def _storm(self, bot: BotProcess, until: float) -> None:
        self._weather.storm(bot, until)

    def _calm(self, bot: BotProcess, before: dict[str, Any] | None = None) -> dict[str, Any]:
        """Wait until nothing is left to be done; returns what the process uses then, which is no more than before, or soon is."""
        self._users.rest()
        wait_until(lambda: not self._server.pending_updates and not _busy(bot.figures()["health"]), _CALMS_WITHIN_SECONDS)
        wait_until(lambda: False, 2.0)  # what ends by itself has ended
        if before is not None:
            wait_until(lambda: all(bot.figures()[name] <= before[name] for name in ("threads", "descriptors")), _CALMS_WITHIN_SECONDS / 3)
        figures = bot.figures()
        print(f"    calm  {self._shown(figures)}", flush=True)
        return figures

    def _shown(self, figures: dict[str, Any]) -> str:
        health = figures["health"]
        counts = ", ".join(f"{health.get(name, '?')} {name}" for name in ("handled", "failed", "failures", "conflicts", "queue"))
        return f"{figures['resident_kb']} KB, {figures['threads']} threads, {figures['descriptors']} descriptors; {self._users.sent} sent, {counts}"

    def _judge(self, before: dict[str, Any], after: dict[str, Any], code: int) -> bool:
        found = {text for texts in noted(self._folder / "notes.txt").values() for text in texts}
        lost = self._users.sent - len(found)
        again = sum(len(texts) for texts in noted(self._folder / "notes.txt").values()) - len(found)
        with open_store(self._folder / "bot.db", None) as store:
            dead, counts = store.dead_letters.entries(3), store.inbox.counts()
        grown = {name: after[name] - before[name] for name in ("resident_kb", "threads", "descriptors")}
        faults = sum((proxy.struck for proxy in self._weather.proxies), Counter[str]())
        print(f"{self._users.sent} updates: {lost} lost, {again} handled again at {self.kills} kills, {len(dead)} dead letters, {counts.waiting} left")
        print(f"faults {sum(faults.values())} of {len(faults)} kinds; {dict(self._weather.happened)}")
        print(f"after the warm-up: {grown['resident_kb']:+d} KB, {grown['threads']:+d} threads, {grown['descriptors']:+d} descriptors; exit code {code}")
        print(f"state file {os.path.getsize(self._folder / 'bot.db') // 1024} KB")
        for letter in dead:
            print(letter.reason, file=sys.stderr)
        lossless = not lost and not dead and not counts.waiting
        level = grown["resident_kb"] < _MOST_GROWTH_KB and grown["threads"] <= 0 and grown["descriptors"] <= 0
        return lossless and level and bool(after["health"]["ok"]) and code == 0


def _comes_up(bot: BotProcess) -> bool:
    return wait_until(lambda: bot.figures()["health"]["running"], 20.0)


def _busy(health: dict[str, Any]) -> bool:
    return not health["ok"] or bool(health["queue"] + health["in_flight"])


def main(argv: Sequence[str]) -> int:
    """Run the soak; returns the exit code."""
    parser = argparse.ArgumentParser(prog="soak", description="Runs a bot in the worst of weathers, and looks whether it is as it was at the beginning.")
    parser.add_argument("minutes", type=float, help="how long")
    parser.add_argument("--seed", type=int, help="of all that is random; default: a new one")
    options = parser.parse_args(argv)
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    print(f"{options.minutes:g} minutes, seed {seed}", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(BotApiServer(tls=True, any_chat=True, keep_requests=1000, keep_texts=False, conflict_delay=0.5))
        proxies = [stack.enter_context(FaultProxy(kind, seed=seed + number)) for number, kind in enumerate(("http", "socks5h"))]
        try:
            ok = Soak(server, proxies, folder, options.minutes * 60, seed).run()
        except BotDied as death:
            print(death)
            ok = False
        if not ok:
            print((folder / "log.txt").read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
