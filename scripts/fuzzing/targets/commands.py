"""Command lines."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

from kits.storage_kit import bury

from fuzzing.confine import Confinement
from fuzzing.findings import TOKEN
from fuzzing.mutation import mutate_lines
from fuzzing.target import Target
from syncbot.cli import run
from syncbot.cli.console.exits import MEANINGS
from syncbot.cli.console.frame import COMMANDS, interrupt_quietly
from syncbot.storage import Incoming, JobEntry, OutboxCall, open_store
from syncbot.testing import BotApiServer

_INTERRUPT_SECONDS = 0.4
_WARM_SECONDS = 60.0
_DRIVES_TERMINALS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_MODULE = b"""
from syncbot import Bot, Runtime
bot = Bot.from_env()
app = Runtime(bot, state="run.db")
app.message()(lambda update, context: context.reply("hi"))
def make():
    return app
nothing = 5
"""


class CommandLines(Target):
    """Each line is an argument; what follows a line with nothing but "<" is standard input. A command that waits is interrupted.

    They run in a folder of their own, with a server on this machine, and may reach nothing else.
    """

    about = "command lines, in this process, at a server on this machine: an exit code, and one line of trouble"
    shape = staticmethod(mutate_lines)
    spare = 40  # the watchdog of a bot that a module made lives on for some seconds
    longest = 2000
    may_log_errors = ("syncbot.runtime.handling.dispatcher",)
    words: ClassVar = tuple(
        word.encode()
        for word in (
            *COMMANDS, "--json", "--debug", "--help", "--version", "--env-file", "env", "--timeout", "0.3", "1e9", "-1", "--chat", "1001", "@name",
            "--file", "note.txt", "--caption",
            "--format", "html", "markdown", "--pre", "--silent", "--reply-to", "5", "--thread", "--button", "A=https://x", "A=", "--as", "photo",
            "--queue", "--ttl", "--state", "bot.db",
            "broken.db", "--limit", "3", "list", "show", "retry", "drop", "flush", "--seconds", "1", "set", "delete", "info", "https://x/hook",
            "--secret", "bad secret", "--max-connections", "--once",
            "--alert", "--interval", "--max-lag", "--log-file", "bot.log", "--all", "--wait", "0", "--watch", "--record", "--no-pair", "--proxy",
            "bot:app", "bot:make", "bot:nothing", "none:app",
            "getMe", "sendMessage", "chat_id=1001", "text=hi", "text:=[1", "photo=@note.txt", "x", "", "--", "-", "<", "text", "\x1b[2J", "\u202e",
            "²", "a" * 5000,
        )
    )  # fmt: skip
    seeds: ClassVar = tuple(
        text.encode()
        for text in (
            "send\nhi\n--chat\n1001\n--button\nA=https://x", "send\n<\ntext from a pipe", "send\n--file\nnote.txt\n--caption\nc\n--format\nhtml",
            "send\nhi\n--queue\n--ttl\n60",
            "call\ngetMe\n--json", "call\nsendMessage\nchat_id=1001\ntext=hi", "download\nfileid\nout.bin", "run\nbot:app\n--log-file\nbot.log",
            "poll\nbot:make\n--once",
            f"init\n--no-pair\n--chat\n1001\n--new-token\n<\n{TOKEN}", "chat-id\n--all\n--json", "doctor\n--watch\n0\n--json",
            "monitor\n--once\n--state\nbot.db", "webhook\nset\nhttps://x/hook",
            "webhook\ninfo\n--json", "webhook\ndelete", "outbox\nlist\n--state\nbot.db", "outbox\nflush\n--state\nbot.db\n--seconds\n1",
            "dead-letters\nlist\n--state\nbot.db\n--json", "jobs\nlist\n--state\nbot.db", "jobs\npause\ntea\n--state\nbot.db",
            "jobs\nrun\ntea\nx\n--state\nbot.db",
            "dead-letters\nshow\n1\n--state\nbot.db", "dead-letters\nretry\n1\n--state\nbroken.db", "--version", "--help", "nothing",
            "--env-file\nenv\n--debug\ncall\ngetMe",
        )
    )  # fmt: skip

    def open(self) -> None:
        """A server, an environment, and a folder with something in it."""
        self.server = BotApiServer(TOKEN, slow_same_offset=False)
        self.server.start()
        self.server.user(1001, "Ann").send("hi")
        self.template, self.place = self.folder / "template", self.folder / "place"
        self.template.mkdir()
        (self.template / "note.txt").write_text("a note\n")
        (self.template / "bot.py").write_bytes(_MODULE)
        (self.template / "env").write_text("SYNCBOT_TIMEOUT=5\n")
        (self.template / "broken.db").write_bytes(b"SQLite format 3\0" + bytes(100))
        with open_store(self.template / "bot.db", int(TOKEN.partition(":")[0])) as store:
            store.inbox.store([Incoming(1, "7", b'{"update_id":1}'), Incoming(2, "8", b'{"update_id":2}')])
            store.inbox.recover()
            bury(store.inbox, store.inbox.claim()[0], "why \x1b[2J\u202e")
            store.outbox.put(OutboxCall("sendMessage", {"chat_id": 1001, "text": "queued"}))
            store.jobs.put(JobEntry("tea", "remind", {"daily": "09:00", "tz": None}, 2e9, 1001, data="tea"))
        self.confinement = Confinement(self.place)
        for name in [name for name in os.environ if name.upper().endswith("_PROXY") or name.startswith(("SYNCBOT_", "XDG_", "TELEGRAM_"))]:
            del os.environ[name]
        os.environ.update(TELEGRAM_BOT_TOKEN=TOKEN, SYNCBOT_BASE_URL=self.server.url, SYNCBOT_CHAT="1001", HOME=str(self.place), SYNCBOT_DEADLINE="2")
        self.environment = dict(os.environ)
        for argv in (["send", "hi"], ["run", "bot:nothing"], *([name, "--help"] for name in COMMANDS)):
            self._run(argv, b"", _WARM_SECONDS)  # an import that is interrupted begins anew the next time

    def close(self) -> None:
        """Stop the server."""
        os.chdir("/")
        self.server.close()

    def run(self, data: bytes) -> None:
        """One command line."""
        head, _, stdin = data.partition(b"\n<\n")
        argv = [os.fsdecode(word) for word in head.replace(b"\0", b"").split(b"\n")]
        if "run" in argv or "poll" in argv:  # which import what they are told to: only what is here
            argv = ["bot:" + word.partition(":")[2] if ":" in word else word for word in argv if word.isascii() or ":" in word]
        if {"try", "completion"} & set(argv):  # which start programs, a bot and a shell
            argv.append("--help")
        code, out, err = self._run(argv, stdin, _INTERRUPT_SECONDS)
        self.guard.outcomes[str(code)] += 1
        self.guard.heard(out)
        self.guard.heard(err)
        self.must(code in list(MEANINGS), f"the exit code is {code}")
        if mistake := re.search(r"a mistake in the program: (\w+): (.*)", err):
            self.must(False, f"{argv[0]} ends with {mistake[1]}: {mistake[2][:300]}")
        if "--debug" not in argv:
            self.must(not _DRIVES_TERMINALS.search(err), f"standard error holds {err[-300:]!r}")
        self.planted((code, out))

    def _run(self, argv: list[str], stdin: bytes, seconds: float) -> tuple[int, str, str]:
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.template, self.place)
        os.chdir(self.place)
        out, err = _text(b""), _text(b"")
        signal.signal(signal.SIGINT, signal.default_int_handler)  # libFuzzer has one of its own, and in the background there is none
        interrupt_quietly()
        timer = threading.Timer(seconds, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
        with _as_before(self.environment), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), self.confinement.here():
            sys.stdin = _text(stdin)
            timer.start()
            try:
                code = run(argv)
            except KeyboardInterrupt:  # between two steps of ours
                code = 130
            finally:
                timer.cancel()
                with contextlib.suppress(KeyboardInterrupt):
                    timer.join()
        return code, _written(out), _written(err)

    def plant(self, value: Any) -> bool:
        """A bug for one message that is told as JSON."""
        return bool(
            value[0] == 0
            and value[1].startswith("{")
            and '"message_id"' in value[1]
        )  # fmt: skip


def _text(data: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="backslashreplace", newline="")


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "replace")


@contextlib.contextmanager
def _as_before(environment: dict[str, str]) -> Iterator[None]:
    """Put back what a command changes for its process: the environment, logging, the path, the bot's module."""
    root, stdin, path = logging.getLogger(), sys.stdin, list(sys.path)
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for handler in [handler for handler in root.handlers if handler not in handlers]:
            root.removeHandler(handler)
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.stdin, sys.path[:] = stdin, path
        sys.modules.pop("bot", None)
        os.environ.clear()
        os.environ.update(environment)
