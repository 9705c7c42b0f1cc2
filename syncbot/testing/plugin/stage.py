"""The place where a test's people meet its bot: the sandbox, who runs there, and what happened, for a failure to show."""

from __future__ import annotations

import inspect
import itertools
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, overload

from syncbot.client.bot import Bot
from syncbot.redact import Redactor
from syncbot.runtime.runtime import Runtime
from syncbot.testing.page.bot_process import BotProcess
from syncbot.testing.people.reading import SentMessage
from syncbot.testing.plugin.chat import Chat, told
from syncbot.testing.proxy.fault_kinds import Fault
from syncbot.testing.sandbox.sandbox import Sandbox
from syncbot.testing.server.answers import Answer
from syncbot.testing.server.records import RecordedRequest
from syncbot.types import JSON

_LINES_SHOWN = 40
_LONGEST_SHOWN = 300
_LOOK_SECONDS = 0.05
_HANDLER_FAILED = "%s failed"
"""What the dispatcher logs of a handler."""


def faults_of(given: Sequence[str | Fault]) -> tuple[Fault, ...]:
    """The faults that a mark names; raises ValueError where one has no such name."""
    return tuple(one if isinstance(one, Fault) else Fault.parse(one) for one in given)


class Stage:
    """Where a test takes place. Made by the fixture `syncbot_stage`; methods may be called from any thread.

    Args:
        sandbox: the server and its proxy, which run.
        timeout: seconds that people wait.
        making: within what it gives, a bot is made for the sandbox, whatever stands in its code.
    """

    def __init__(self, sandbox: Sandbox, timeout: float, making: Callable[[], AbstractContextManager[None]]) -> None:
        self.sandbox = sandbox
        self._timeout = timeout
        self._making = making
        self._world = sandbox.server.world
        self._began = time.monotonic()
        self._notes: list[tuple[int, float, str, str]] = []
        self._runtimes: list[Runtime[Any]] = []
        self._process: BotProcess | None = None
        self._kills: list[threading.Event] = []
        self._told = 0
        self._stack = ExitStack()
        self._failures = _Failures(self._wake)
        logging.getLogger("syncbot.runtime").addHandler(self._failures)

    def close(self) -> None:
        """End the bots; raises AssertionError where a handler has failed that nobody was told of, and what ended a runtime."""
        try:
            self._stack.close()
        finally:
            logging.getLogger("syncbot.runtime").removeHandler(self._failures)
        untold = self._failures.found[self._told :]
        assert not untold, untold[0]

    def environment(self) -> dict[str, str]:
        """What a bot is to have in its environment."""
        values = self.sandbox.environment()
        folder = os.path.dirname(values["SYNCBOT_STATE"])
        return {**values, "XDG_STATE_HOME": folder, "XDG_CACHE_HOME": folder}

    # ------------------------------------------------------------------ who is there

    def new_chat(self, first_name: str = "Bob", *, id: int | None = None, **fields: Any) -> Chat:
        """A user in a private chat with the bot; see `BotApiServer.user`."""
        user = self.sandbox.server.user(id, first_name, **fields)
        return Chat(self.sandbox.server.scene, self._world.chats[user.id], user.card, self)

    @overload
    def run(self, app: str | os.PathLike[str], *arguments: str) -> BotProcess: ...
    @overload
    def run(self, app: Runtime[Any] | Callable[..., Runtime[Any]], *, may_fail: bool = False) -> Runtime[Any]: ...
    def run(self, app: Any, *arguments: str, may_fail: bool = False) -> Any:
        """Run a bot until the end of the test.

        Args:
            app: the function that makes the runtime, given a bot of this test where it takes an argument; a runtime that is made of such a bot; or
                "bot:app", or a script: that runs as it is, in a process of its own. Whatever token, URL, proxy and state file stand in the code of the
                function or the program, it gets those of this test.
            arguments: of a script.
            may_fail: a handler that raises, with no error handler that takes it, does not fail the test.

        Returns:
            The runtime; of a process a `BotProcess` (`kill()`, `kills`, `lines` that it has printed).

        Raises:
            ValueError: the runtime's bot does not speak to this test's server.
        """
        if isinstance(app, (str, os.PathLike)):
            assert self._process is None, "one bot in a process of its own is enough for a test"
            self._process = BotProcess(self.sandbox, [os.fspath(app), *arguments], self._wake, lambda _attempt: None)
            self._stack.callback(self._process.close)
            self._process.start()
            return self._process
        runtime = app if isinstance(app, Runtime) else self._made(app)
        if runtime.bot.id != self.bot_id:
            raise ValueError(
                "run_bot: this runtime's bot is none of this test, it would speak to Telegram itself; make it in the test, with Bot.from_env() or the bot "
                'that run_bot(make_app) gives to make_app(bot), or run the program as it is: run_bot("bot:app")'
            )
        self._failures.tolerated = self._failures.tolerated or may_fail
        self._stack.callback(runtime.bot.close)
        runtime.start()
        self._stack.callback(runtime.join)
        self._stack.callback(runtime.stop)
        self._runtimes.append(runtime)
        return runtime

    def _made(self, make: Callable[..., Runtime[Any]]) -> Runtime[Any]:
        needed = [one for one in inspect.signature(make).parameters.values() if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
        with self._making():
            runtime = make(Bot.from_env("/dev/null")) if needed else make()
        if not isinstance(runtime, Runtime):
            raise TypeError(f"run_bot: {make!r} gave {runtime!r}, and not a Runtime")
        return runtime

    @property
    def bot_id(self) -> int:
        """The id of the bot that the server knows."""
        return int(self._world.bot["id"])

    def kill_after(self, calls: int) -> None:
        """Kill the bot when its call of this number from now on has arrived, before it is answered; it is started again at once.

        What only asks (getUpdates, getMe, …) does not count. The bot has to run in a process of its own, `run_bot("bot:app")`, and has to make so many
        calls: the test fails otherwise.
        """
        numbers, killed = itertools.count(1), threading.Event()
        self._kills.append(killed)

        def strike(request: RecordedRequest) -> bool:
            if not request.method.startswith("get") and next(numbers) == calls and self._process is not None and self._process.kill():
                killed.set()
                self.note("☠", f"killed at {request.method}")
            return False

        self.sandbox.server.script("*", Answer.ok(True), times=None, when=strike)

    # ------------------------------------------------------------------ what happens

    def note(self, who: str, what: str) -> None:
        """Somebody does something."""
        mark = self._world.sent[-1].number if self._world.sent else 0
        self._notes.append((mark, time.monotonic(), who, what))

    def wait(self, condition: Callable[[], bool], problem: Callable[[], str], timeout: float | None) -> None:
        """Wait until it is true; raises AssertionError with the problem where it does not get true, or the bot fails first."""
        __tracebackhide__ = True
        seconds = self._timeout if timeout is None else timeout
        held = False

        def over() -> bool:
            nonlocal held
            held = condition()
            return held or bool(self._trouble())

        with self._world.changed:
            self._world.changed.wait_for(over, seconds)
            if not held:
                self._told = len(self._failures.found)
                trouble = self._trouble()
                raise AssertionError(problem() + (f"\n{trouble}" if trouble else f" (waited {seconds:g} s)"))

    def wait_idle(self, timeout: float | None) -> None:
        """Wait until the bot has fetched what was said and, where it runs in this process, has handled it."""
        __tracebackhide__ = True
        queue = self.sandbox.server.queue
        self.wait(lambda: not queue.pending, lambda: "the bot did not fetch what was said", timeout)
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while any(health.get("queue") or health.get("in_flight") for health in map(Runtime.health, self._runtimes)):
            assert time.monotonic() < deadline, "the bot was still busy with what was said"
            with self._world.changed:
                self._world.changed.wait(_LOOK_SECONDS)

    def check(self) -> None:
        """Raise AssertionError where the bot has failed, or a kill that was wanted never came."""
        __tracebackhide__ = True
        self._told = len(self._failures.found)
        trouble = self._trouble()
        assert trouble in ("", _ended(0)), trouble
        assert all(killed.is_set() for killed in self._kills), (
            'kill_after: the bot was not killed; it has to run as run_bot("bot:app"), and to make so many calls'
        )

    def _trouble(self) -> str:
        if self._failures.found:
            return self._failures.found[0]
        process = self._process
        if process is not None and not process.is_running and process.exit_code not in (None, -signal.SIGKILL):
            return _ended(process.exit_code)
        return ""

    def _wake(self) -> None:
        with self._world.changed:
            self._world.changed.notify_all()

    # ------------------------------------------------------------------ what a failure shows

    def account(self) -> str:
        """The conversation, the calls, the faults and the bot's own output, without secrets."""
        server, proxy = self.sandbox.server, self.sandbox.proxy
        lines = [*self._conversation(), "", "calls of the bot:"]
        lines += [f"  {request.time - self._began:7.3f} s  {_call(request)}" for request in server.requests[-_LINES_SHOWN:] if request.method != "getUpdates"]
        lines += [
            "",
            f"faults: {dict(proxy.struck) or 'none'} on {proxy.opened} connections (seed {proxy.seed}); {len(server.pending_updates)} updates not fetched",
        ]
        lines += [f"problem: {problem}" for problem in server.problems[-5:]]
        if self._process is not None:
            code = self._process.exit_code
            lines += [f"{_ended(code) if code is not None else 'the bot runs in a process'}, was killed {self._process.kills} times, and printed:"]
            lines += [f"  {line}" for line in list(self._process.lines)[-_LINES_SHOWN:]]
        text = Redactor(server.token).text("\n".join(lines))
        return text.encode(errors="backslashreplace").decode()

    def _conversation(self) -> list[str]:
        with self._world.changed:
            events = [(event.number, 0.0, self._said_in(event.message), told(SentMessage(event.message, event.kind))) for event in self._world.sent]
            notes = [(mark + 0.5, at, who, what) for mark, at, who, what in self._notes]
        times = {at: f"{at - self._began:7.3f} s" for _, at, _, _ in notes}
        return [f"  {times.get(at, ''):9} {who:>8} │ {what}" for _, at, who, what in sorted([*events, *notes], key=lambda line: line[0])]

    def _said_in(self, message: JSON) -> str:
        people = [1 for chat in self._world.chats.values() if chat.type == "private"]
        chat = message["chat"]
        return "bot" if len(people) == 1 else f"bot→{chat.get('title') or chat.get('first_name', chat['id'])}"


class _Failures(logging.Handler):
    """Keeps the errors of handlers and of the runtime, with their tracebacks."""

    def __init__(self, on_failure: Callable[[], None]) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []
        self.tolerated = False
        self._on_failure = on_failure
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, if it has a traceback."""
        if record.exc_info and not (self.tolerated and record.msg == _HANDLER_FAILED):
            self.found.append(self.format(record))
            self._on_failure()


def _ended(code: int | None) -> str:
    return f"the bot's process ended with exit code {code}"


def _call(request: RecordedRequest) -> str:
    parameters = ", ".join(f"{name}={value!r}" for name, value in request.params.items())
    text = f"{request.method}({parameters})"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
