"""A place to try a bot in: the built-in server behind the built-in proxy with faults, and a user who talks to the bot.

`python -m syncbot.testing.sandbox examples/echo.py` runs a bot's own script, as it is, against it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from syncbot.testing.faults import Fault
from syncbot.testing.people import User
from syncbot.testing.proxy import FaultProxy
from syncbot.testing.server import TEST_TOKEN, BotApiServer

FAULTS: tuple[Fault, ...] = (
    Fault.refuse(),
    Fault.bad_gateway(),
    Fault.drop_connect(),
    Fault.tls_drop(),
    Fault.tls_stall(),
    Fault.tls_garbage(),
    Fault.tls_chunks(),
    Fault.close_after_response(),
)
"""What a bad proxy does between a bot and Telegram, as far as nothing is lost by it for certain."""

_SECONDS_FOR_AN_ANSWER = 30
_SECONDS_TO_END = 15.0


class Sandbox:
    """A server, a proxy with faults in front of it, and the settings of a bot that lives there. A context manager.

    Args:
        rate: the part of the tunnels that a fault strikes.
        seed: of the random faults; None draws one.
    """

    def __init__(self, rate: float = 0.25, seed: int | None = None) -> None:
        self.server = BotApiServer(tls=True)
        # A call has six attempts: with three of them struck at most, each is answered in the end.
        self.proxy = FaultProxy(faults=FAULTS, rate=rate, seed=random.randrange(2**32) if seed is None else seed, most_in_a_row=3)
        self._stack = ExitStack()
        self._state_folder = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.server)
            stack.enter_context(self.proxy)
            self._state_folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="syncbot-sandbox-"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stack.close()

    def environment(self) -> dict[str, str]:
        """The settings of a bot in this sandbox, as environment variables."""
        return {
            "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
            "SYNCBOT_BASE_URL": self.server.url,
            "SYNCBOT_CA_FILE": self.server.ca_file,
            "SYNCBOT_PROXY": self.proxy.url,
            "SYNCBOT_STATE": os.path.join(self._state_folder, "bot.db"),
            "SYNCBOT_TIMEOUT": "3",
        }

    @contextmanager
    def running(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Run a bot's script in this sandbox as a process of its own, and ask it to stop at the end of the block.

        Raises:
            RuntimeError: it did not end well when it was asked to.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy") and name != "ALLOWED_TELEGRAM_USER_ID"}
        quiet = {"SYNCBOT_LOG_LEVEL": "WARNING"}  # between the lines of a conversation only trouble is of interest; who wants more has set it
        values = {**quiet, **inherited, **self.environment(), **(environment or {})}
        process = subprocess.Popen(command, env=values)  # noqa: S603  # the caller's own command
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            code = process.wait(_SECONDS_TO_END)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if code != 0:
            raise RuntimeError(f"the bot ended with exit code {code}")


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


if __name__ == "__main__":
    sys.exit(main())
