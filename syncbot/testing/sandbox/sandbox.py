"""The place itself: a server, a proxy with faults in front of it, and a bot's script as a process that lives there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from syncbot.testing.proxy.fault_kinds import Fault
from syncbot.testing.proxy.fault_proxy import FaultProxy
from syncbot.testing.server.server import TEST_TOKEN, BotApiServer

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

_SECONDS_TO_END = 15.0


class Sandbox:
    """A server, a proxy with faults in front of it, and the settings of a bot that lives there. A context manager.

    Args:
        rate: the part of the tunnels that a fault strikes.
        seed: of the random faults; None draws one.
        tls: False for a plain server with a relay in front of it: for bots of other libraries, which take its address for the server's.
        token: the one that the server knows.
        server: further arguments of `BotApiServer`.
    """

    def __init__(self, rate: float = 0.25, seed: int | None = None, *, tls: bool = True, token: str = TEST_TOKEN, **server: Any) -> None:
        self.server = BotApiServer(token, tls=tls, **server)
        self._rate, self._seed = rate, random.randrange(2**32) if seed is None else seed
        self.proxy = self._proxy()
        self._stack = ExitStack()
        self._state_folder = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.server)
            if not self.server.tls:
                self.proxy = self._proxy(kind="relay", target=f"127.0.0.1:{self.server.port}")
            stack.enter_context(self.proxy)
            self._state_folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="syncbot-sandbox-"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stack.close()

    def _proxy(self, **way: Any) -> FaultProxy:
        # A call has six attempts: with three of them struck at most, each is answered in the end.
        return FaultProxy(faults=FAULTS, rate=self._rate, seed=self._seed, most_in_a_row=3, **way)

    @property
    def url(self) -> str:
        """The base URL for a bot in this sandbox."""
        return self.server.url if self.server.tls else self.proxy.url_for("http")

    def environment(self) -> dict[str, str]:
        """The settings of a bot in this sandbox, as environment variables."""
        return {
            "TELEGRAM_BOT_TOKEN": self.server.token,
            "SYNCBOT_BASE_URL": self.url,
            "SYNCBOT_CA_FILE": self.server.ca_file if self.server.tls else "",
            "SYNCBOT_PROXY": self.proxy.url if self.server.tls else "direct",
            "SYNCBOT_STATE": os.path.join(self._state_folder, "bot.db"),
            "SYNCBOT_TIMEOUT": "3",
        }

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """Start a bot's script in this sandbox; it is the caller's to end it. `options` are those of `subprocess.Popen`."""
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy") and name != "ALLOWED_TELEGRAM_USER_ID"}
        quiet = {"SYNCBOT_LOG_LEVEL": "WARNING"}  # between the lines of a conversation only trouble is of interest; who wants more has set it
        values = {**quiet, **inherited, **self.environment(), **(environment or {})}
        return subprocess.Popen(command, env=values, **options)  # noqa: S603  # the caller's own command

    @contextmanager
    def running(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Run a bot's script in this sandbox as a process of its own, and ask it to stop at the end of the block.

        Raises:
            RuntimeError: it did not end well when it was asked to.
        """
        process = self.start(command, environment)
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
