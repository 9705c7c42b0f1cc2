"""A conversation with a bot in the sandbox, shown on the terminal, and what came of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from syncbot.testing.people.people import User
from syncbot.testing.sandbox.sandbox import Sandbox
from syncbot.testing.server.server import BotApiServer

_SECONDS_FOR_AN_ANSWER = 30


def converse(sandbox: Sandbox, user: User, name: str, texts: Sequence[str], alive: Callable[[], bool] = lambda: True) -> int:
    """Let a user of this name say these things, one after the other, and print the conversation; returns how many were answered.

    It ends early when the bot is not `alive` any more.
    """
    answered = 0
    for text in texts:
        before = Counter(sandbox.proxy.struck)
        seen = len(user.messages)
        print(f"  {name:>5} │ {text}", flush=True)
        user.send(text)
        waited = 0
        while not (answers := _happens(sandbox.server, partial(_has_more, user, seen), 1.0)) and alive() and waited < _SECONDS_FOR_AN_ANSWER:
            waited += 1
        faults = Counter(sandbox.proxy.struck) - before
        survived = f"   ← {', '.join(sorted(name.replace('_', ' ') for name in faults.elements()))}" if faults else ""
        if answers:
            answered += 1
            print(f"    bot │ {user.messages[-1].text}{survived}", flush=True)
        else:
            print(f"    bot │ (no answer){survived}", flush=True)
        if not alive():
            break
    return answered


def report(sandbox: Sandbox, said: int, answered: int) -> bool:
    """Print what happened; True when everything was received and delivered and nothing is left open."""
    server, proxy = sandbox.server, sandbox.proxy
    delivered = len(server.sent)
    _happens(server, lambda: server.open_connections == 0, 2.0)
    left = server.open_connections + proxy.open_now
    faults = sum(proxy.struck.values())
    print(f"\n  {said - len(server.pending_updates)} of {said} updates received")
    print(
        f"  {delivered} messages delivered, {answered} of {said} answered, none twice"
        if delivered == said
        else f"  {delivered} messages delivered for {said} updates"
    )
    print(f"  {faults} faults survived on {proxy.opened} connections through the proxy (seed {proxy.seed})")
    print(f"  {left} sockets left open")
    return answered == said == delivered and left == 0 and not server.pending_updates


def _has_more(user: User, seen: int) -> bool:
    return len(user.messages) > seen


def _happens(server: BotApiServer, condition: Callable[[], bool], timeout: float) -> bool:
    try:
        server.wait_until(condition, timeout)
    except TimeoutError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a bot's script in the sandbox and talk to it; 0 only if everything was delivered."""
    command = [sys.executable, *(arguments if arguments is not None else sys.argv[1:])]
    if len(command) < 2 or not Path(command[1]).is_file():
        print("usage: python -m syncbot.testing.sandbox BOT.py", file=sys.stderr)
        return 2
    texts = ["/start", "Is anybody there?", "This proxy is terrible.", "ещё раз, 再来一次, 🚀", "And yet it moves."]
    with Sandbox() as sandbox:
        print(f"A stand-in for Telegram on {sandbox.server.url}; in front of it a proxy that breaks every fourth connection.\n", flush=True)
        name = "Ada"
        user = sandbox.server.user(id=42, first_name=name)
        try:
            with sandbox.running(command) as bot:
                answered = converse(sandbox, user, name, texts, lambda: bot.poll() is None)
                if bot.poll() is None:
                    # The next poll confirms the last update, and a fault can make it take some tries.
                    _happens(sandbox.server, lambda: not sandbox.server.pending_updates, _SECONDS_FOR_AN_ANSWER)
        except RuntimeError as error:
            print(f"\n  {error}", file=sys.stderr)
            return 1
        return 0 if report(sandbox, len(texts), answered) else 1
