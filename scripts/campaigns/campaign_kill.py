"""Kills a bot again and again at random moments, behind a faulty proxy, and looks whether anything was lost.

    python scripts/campaigns/campaign_kill.py --rounds 50 --updates 2000

Exits 0 when every update was handled at least once, none went to the dead letters, no kill made more handled twice than were in flight, the order was
kept in every chat, and no reply is there twice but for those that the bot has told of as under way at a kill; and when an update whose handler always
kills the process was the only dead letter of a second run.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from campaign_kit import BotDied, BotProcess, noted, out_of_order, wait_until

from syncbot.storage import open_store
from syncbot.testing import BotApiServer, Fault, FaultProxy

CHATS = 20
WORKERS = 4
_ENDS_WITHIN_SECONDS = 120.0


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as name, BotApiServer(tls=True, any_chat=True) as server:
        (Path(name) / "a").mkdir()
        (Path(name) / "b").mkdir()
        faults = [fault for fault in Fault.all() if fault.name not in ("drip_response", "auth_required")]
        with FaultProxy(faults=faults, rate=0.1, seed=seed) as proxy:
            ok = _kill_at_random(server, proxy, Path(name) / "a", options.rounds, options.updates, random.Random(seed))  # noqa: S311  # repeatable, not secret
        ok &= _always_deadly(server, Path(name) / "b")
    print("ok" if ok else "FAILED")
    return 0 if ok else 1


def _kill_at_random(server: BotApiServer, proxy: FaultProxy, folder: Path, rounds: int, updates: int, chance: random.Random) -> bool:
    sender = threading.Thread(target=_send, args=(server, updates, rounds * 0.9))
    began = time.monotonic()
    sender.start()
    bot = BotProcess(server, folder, proxies=[proxy.url], timeout=1.0, work=0.005, workers=WORKERS, reply=True)
    for number in range(rounds):
        with bot:
            if number % 2:  # the other moments come early in a life; three such in a row would make an update pass for a deadly one
                before = _lines(bot.notes)
                wait_until(partial(_gets_on, server, bot, before + 2), _ENDS_WITHIN_SECONDS)
            wait_until(lambda: False, chance.uniform(0.3, 1.5))
        bot = BotProcess(server, folder, proxies=[proxy.url], timeout=1.0, work=0.005, workers=WORKERS, reply=True)
    with bot:
        sender.join()
        wait_until(lambda: not _work_left(server, bot), _ENDS_WITHIN_SECONDS)
        code = bot.stop()
    found = noted(bot.notes)
    different = sum(len(set(texts)) for texts in found.values())
    twice = sum(len(texts) for texts in found.values()) - different
    disordered = [chat for chat, texts in found.items() if out_of_order(texts)]
    with open_store(bot.state, None) as store:
        dead, left = store.dead_letters.count(), store.inbox.counts()
    told = bot.log.read_text(encoding="utf-8").count("was under way when the process died")
    replies = Counter((chat, message.text) for chat in found for message in server.user(id=chat).messages)
    replied_twice = sum(replies.values()) - len(replies)
    print(
        f"{rounds} kills, {updates} updates in {time.monotonic() - began:.0f} s: {different} handled, {updates - different} lost, {twice} handled again, "
        f"{len(replies)} answered, {replied_twice} of them twice, {told} told as under way, "
        f"{dead} dead letters, {len(disordered)} chats out of order, {left.waiting + left.running} left, faults {sum(proxy.struck.values())}, exit code {code}"
    )
    if replied_twice > told:
        return False
    return different == updates and twice <= rounds * WORKERS and not dead and not disordered and not left.waiting + left.running and code == 0


def _always_deadly(server: BotApiServer, folder: Path) -> bool:
    """An update that always kills the process is found out among others."""
    texts = ["1", "2", "die", "3", "4"]
    for number, text in enumerate(texts):
        server.user(id=7 if text == "die" else 8 + number % 2).send(text)
    server.user(id=7).send("5")
    deaths = 0
    while deaths < 10:
        with BotProcess(server, folder, work=0.01) as bot:
            if _survives(server, bot):
                bot.stop()
                break
        deaths += 1
    found = noted(folder / "notes.txt")
    handled = sorted({text for texts in found.values() for text in texts})
    with open_store(folder / "bot.db", None) as store:
        dead = [letter.body.decode().partition('"text":"')[2].partition('"')[0] for letter in store.dead_letters.entries()]
    print(f"a deadly update: dead letters {dead} after {deaths} deaths, handled {handled}")
    return dead == ["die"] and handled == ["1", "2", "3", "4", "5"] and deaths <= 4


def _survives(server: BotApiServer, bot: BotProcess) -> bool:
    """Whether it comes to the end of its work."""
    wait_until(lambda: bot.process.poll() is not None or not _work_left(server, bot), _ENDS_WITHIN_SECONDS)
    return bot.process.poll() is None


def _gets_on(server: BotApiServer, bot: BotProcess, lines: int) -> bool:
    """Whether one more handler has come to its end: what was begun first has, when a second one notes something."""
    return _lines(bot.notes) >= lines or not _work_left(server, bot)


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def _work_left(server: BotApiServer, bot: BotProcess) -> bool:
    if server.pending_updates or not bot.state.exists():
        return True
    try:
        health = bot.figures()["health"]
    except BotDied:
        return True
    return not health["running"] or bool(health["queue"] + health["in_flight"])


def _send(server: BotApiServer, updates: int, seconds: float) -> None:
    """So many updates of all chats, spread over a time."""
    users, pause = [server.user(id=100 + n) for n in range(CHATS)], threading.Event()
    for number in range(updates):
        users[number % CHATS].send(str(number))
        pause.wait(seconds / updates)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_kill.py", description="Kills a bot at random moments and looks whether anything was lost.")
    parser.add_argument("--rounds", type=int, default=50, help="how many kills (default: 50)")
    parser.add_argument("--updates", type=int, default=2000, help="how many updates (default: 2000)")
    parser.add_argument("--seed", type=int, help="of all that is random; default: a new one")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
