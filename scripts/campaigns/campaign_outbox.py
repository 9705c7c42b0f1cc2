"""Kills those who deliver an outbox, at random moments, and holds what a server got against what the queue says.

    python scripts/campaigns/campaign_outbox.py --rounds 30 --messages 500

Two processes deliver one queue through a proxy that breaks tunnels; one of them is killed with SIGKILL again and again, and another takes its
place. A round is good when every message was delivered once, or is listed as uncertain; when no more are uncertain than were on their way at the
kills (at most `--senders` at each) and those whose request or answer the proxy cut; and when each chat has got its messages in order.
"""

from __future__ import annotations

import argparse
import logging
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from syncbot.client.bot import Bot
from syncbot.runtime.outbox.deliverer import Deliverer
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.runtime.outbox.outbox import Outbox
from syncbot.storage import OutboxState, Store, open_store
from syncbot.storage.promises.outbox import LEASE_RAN_OUT
from syncbot.testing import TEST_TOKEN, BotApiServer, Fault, FaultProxy, TestCA

_BOT_ID = int(TEST_TOKEN.partition(":")[0])
_CHATS = 12
_BEFORE = (Fault.tls_drop(), Fault.tls_chunks(), Fault.drop_connect(), Fault.bad_gateway(), Fault.refuse())
_WITHIN = (Fault.cut_request(), Fault.cut_before_answer())
_FEW, _MANY = 2, 60
"""Between so many deliveries somebody is killed."""
_ROUND_SECONDS = 300.0


@dataclass
class Round:
    """What one round has shown.

    Args:
        seed: makes its kills and faults come again, as far as chance allows.
        kills: how many deliverers were killed.
        delivered: messages that the server has.
        uncertain: messages that the queue lists as uncertain.
        by_kill: those of them that a killed deliverer had.
        uncertain_delivered: those of them that the server has all the same.
        cut: requests or answers that the proxy cut.
        seconds: how long it took.
        problems: what was wrong.
    """

    seed: int
    kills: int = 0
    delivered: int = 0
    uncertain: int = 0
    by_kill: int = 0
    uncertain_delivered: int = 0
    cut: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        facts = (
            f"seed {self.seed}: {self.kills} kills, {self.delivered} delivered, {self.uncertain} uncertain "
            f"({self.by_kill} by a kill, the proxy cut {self.cut}; {self.uncertain_delivered} of them had arrived), {self.seconds:.1f} s"
        )
        return "; ".join([facts, *self.problems])


def run_round(ca: TestCA, folder: Path, *, messages: int, kills: int, senders: int, rate: float, seed: int) -> Round:
    """Queue, deliver with kills, and look at what came of it.

    Args:
        ca: the authority of the server's certificate.
        folder: an empty one.
        messages: how many are queued.
        kills: how many times somebody is killed.
        senders: calls that one deliverer has under way at most.
        rate: the share of the tunnels that the proxy breaks.
        seed: of the dice.
    """
    result = Round(seed)
    dice = random.Random(seed)  # noqa: S311 - dice, not a secret
    began = time.monotonic()
    state = folder / "bot.db"
    with ExitStack() as stack:
        server = stack.enter_context(BotApiServer(tls=True, ca=ca, any_chat=True))
        proxy = stack.enter_context(FaultProxy(faults=_BEFORE + _WITHIN, rate=rate, seed=seed))
        _queue(state, messages)
        store = stack.enter_context(open_store(state, _BOT_ID))
        arguments = [str(state), server.url, server.ca_file, proxy.url, str(senders)]
        ended = _deliver_with_kills(arguments, server, store, kills, dice, result)
        if not ended:
            result.problems.append("the time was up")
        _judge(server, store, messages, senders, result)
        result.cut = sum(proxy.struck[fault.name] for fault in _WITHIN)
        if result.uncertain - result.by_kill > result.cut:
            result.problems.append(f"{result.uncertain - result.by_kill} uncertain without a kill, and the proxy cut only {result.cut}")
    result.seconds = time.monotonic() - began
    return result


def _queue(state: Path, messages: int) -> None:
    with Bot(TEST_TOKEN, proxies=["direct"]) as bot, Outbox(state, bot) as outbox:
        for number in range(messages):
            outbox.send_message(number % _CHATS + 1, f"message {number}")


def _deliver_with_kills(arguments: Sequence[str], server: BotApiServer, store: Store, kills: int, dice: random.Random, result: Round) -> bool:
    """Two deliverers until nothing is queued; False when that took too long."""
    ends_at = time.monotonic() + _ROUND_SECONDS
    running = [_start(arguments), _start(arguments)]
    try:
        while store.outbox.outlook().next_time is not None and time.monotonic() < ends_at:
            if result.kills < kills:
                _wait_for_more(server, store, dice.randrange(_FEW, _MANY))
                threading.Event().wait(dice.random() * 0.01)  # somewhere within a call
                victim = running.pop(dice.randrange(len(running)))
                result.kills += victim.poll() is None
                _kill(victim)
            else:
                threading.Event().wait(0.05)
            running = [each for each in running if each.poll() is None]
            while len(running) < 2 and store.outbox.outlook().next_time is not None:
                running.append(_start(arguments))
        return store.outbox.outlook().next_time is None
    finally:
        for each in running:
            _kill(each)


def _wait_for_more(server: BotApiServer, store: Store, number: int) -> None:
    """Until the server has got so many more messages, or nothing is left to come."""
    goal = server.count("sendMessage") + number
    while server.count("sendMessage") < goal and store.outbox.outlook().next_time is not None:
        threading.Event().wait(0.002)


def _start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, "--deliver", *arguments])


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _judge(server: BotApiServer, store: Store, messages: int, senders: int, result: Round) -> None:
    items = store.outbox.entries(limit=10 * messages)
    uncertain = {str(item.call.params["text"]): item for item in items if item.state is OutboxState.UNCERTAIN}
    if strays := [item for item in items if item.state is not OutboxState.UNCERTAIN]:
        result.problems.append(f"{len(strays)} neither delivered nor uncertain, the first {strays[0].state}: {strays[0].reason}")
    counts = {f"message {number}": server.count_text(f"message {number}") for number in range(messages)}
    result.delivered = sum(count > 0 for count in counts.values())
    result.uncertain = len(uncertain)
    result.uncertain_delivered = sum(counts[text] > 0 for text in uncertain)
    if twice := [text for text, count in counts.items() if count > 1]:
        result.problems.append(f"delivered twice: {twice}")
    if lost := [text for text, count in counts.items() if not count and text not in uncertain]:
        result.problems.append(f"lost: {lost}")
    by_owner = Counter(item.owner for item in uncertain.values() if item.reason == LEASE_RAN_OUT)
    result.by_kill = by_owner.total()
    if len(by_owner) > result.kills or any(count > senders for count in by_owner.values()):
        result.problems.append(f"more uncertain than were on their way at {result.kills} kills: {dict(by_owner)}")
    for chat in range(1, _CHATS + 1):
        numbers = [int(message.text.split()[1]) for message in server.sent if message.chat_id == chat and message.text]
        if numbers != sorted(numbers):
            result.problems.append(f"out of order in chat {chat}: {numbers}")


def deliver(arguments: Sequence[str]) -> int:
    """Deliver until nothing is queued: what is killed."""
    state, url, ca_file, proxy, senders = arguments
    logging.disable()
    with Bot(TEST_TOKEN, base_url=url, ca_file=ca_file, proxies=[proxy], limits=None, timeout=15.0) as bot, open_store(state, _BOT_ID) as store:
        deliverer = Deliverer(store.outbox, bot, QueueFolder.beside(state), senders=int(senders))
        try:
            deliverer.work_off(_ROUND_SECONDS)
        finally:
            deliverer.join(10.0)
    return 0


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    if argv[:1] == ["--deliver"]:
        return deliver(argv[1:])
    options = _parser().parse_args(argv)
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    results: list[Round] = []
    with TestCA() as ca:
        for number in range(options.rounds):
            with tempfile.TemporaryDirectory(prefix="syncbot-campaign-") as folder:
                results.append(
                    run_round(ca, Path(folder), messages=options.messages, kills=options.kills, senders=options.senders, rate=options.rate, seed=first + number)
                )
            print(f"round {number + 1}: {results[-1]}", flush=True)
    bad = [result for result in results if result.problems]
    totals = {name: sum(getattr(result, name) for result in results) for name in ("kills", "delivered", "uncertain", "by_kill", "uncertain_delivered", "cut")}
    print(f"{len(results)} rounds of {options.messages} messages, {totals}; {'ok' if not bad else f'FAILED in {len(bad)}'}")
    return 1 if bad else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign_outbox.py", description="Kills those who deliver an outbox, and looks at what came of it.")
    parser.add_argument("--rounds", type=int, default=30, help="how many rounds (default: 30)")
    parser.add_argument("--messages", type=int, default=500, help="messages a round (default: 500)")
    parser.add_argument("--kills", type=int, default=12, help="kills a round at most (default: 12)")
    parser.add_argument("--senders", type=int, default=4, help="calls that a deliverer has under way at most (default: 4)")
    parser.add_argument("--rate", type=float, default=0.05, help="share of the tunnels that the proxy breaks (default: 0.05)")
    parser.add_argument("--seed", type=int, help="of the first round; the next ones count up")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
