"""Updates into a running runtime."""

from __future__ import annotations

import itertools
import json
import math
import threading
from typing import Any, ClassVar

from fuzzing.findings import TOKEN
from fuzzing.mutation import mutate_json
from fuzzing.target import Target
from fuzzing.targets.envelope import UPDATES, WORDS
from syncbot import Bot, Runtime, filters
from syncbot.errors import NotSent, Unauthorized
from syncbot.runtime.receiving.backlog import MemoryBacklog
from syncbot.runtime.receiving.idle_limit import IdleLimit
from syncbot.runtime.receiving.poller import Poller
from syncbot.storage import open_store
from syncbot.types import Request, Response

_WAIT_SECONDS = 40.0
_LONGEST_PAUSE_SECONDS = 3600.0
_OK = b'{"ok":true,"result":true}'
_NOTHING = object()


class Updates(Target):
    """An answer to getUpdates, twice: to a poller alone, whose pause has to be a sensible one, and to a runtime that polls and handles.

    What the first would pause for is not given to the second: it would wait.
    """

    about = "answers to getUpdates: a poller's pauses, and running runtimes with handlers, with types and without"
    shape = staticmethod(mutate_json)
    words = WORDS
    longest = 16_384
    spare = 3
    may_log_errors = ("syncbot.runtime.handling.dispatcher",)
    seeds: ClassVar = (
        *(f'{{"ok":true,"result":[{update}]}}'.encode() for update in UPDATES),
        f'{{"ok":true,"result":[{",".join(UPDATES)}]}}'.encode(),
        b'{"ok":true,"result":[]}',
        b'{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":5}}',
        b'{"ok":false,"error_code":409,"description":"Conflict: can\'t use getUpdates method while webhook is active"}',
        b'{"ok":false,"error_code":409,"description":"Conflict: terminated by other getUpdates request"}',
        b'{"ok":false,"error_code":502,"description":"Bad Gateway"}',
        b"<html>",
    )

    def open(self) -> None:
        """A poller's bot, and two runtimes with handlers: one with python-telegram-bot's types, one with plain updates."""
        self.answer = b""
        self.alone = Bot(TOKEN, transport=self, retry=None, limits=None)
        self.ids = itertools.count(1000)
        self.runs = [(telegram := _Telegram(), _start(telegram, types=types)) for types in (True, False)]

    def close(self) -> None:
        """Stop them."""
        for _, app in self.runs:
            app.stop(grace=1.0)

    def send(self, request: Request) -> Response:
        """Part of `syncbot.types.Transport`, for the poller alone."""
        return Response(200, {"Content-Type": "application/json"}, self.answer)

    def abort(self, scope: str) -> int:
        """Part of `syncbot.types.Transport`."""
        return 0

    def run(self, data: bytes) -> None:
        """One answer."""
        self.answer = data
        pause_seconds = self.attempt(self._poll_alone, Unauthorized)
        if pause_seconds is None or pause_seconds > 0:
            return
        result = json.loads(data).get("result", _NOTHING)
        self.must(result is not _NOTHING, "an answer that is an error is followed by no pause")
        updates = [update | {"update_id": next(self.ids)} for update in result if _has_id(update)] if isinstance(result, list) else []
        if not updates:
            return
        self.guard.outcomes["updates"] += len(updates)
        for telegram, app in self.runs:
            self.must(telegram.give(updates), f"the runtime does not ask for more: {app.health()}")
            health = app.health()
            self.must(health["ok"], f"health is bad: {health}")
        self.planted(updates)

    def _poll_alone(self) -> float:
        stop = threading.Event()
        with open_store(None, self.alone.id) as store:
            poller = Poller(self.alone.fetch_updates, store.inbox, stop, MemoryBacklog(stop), idle=IdleLimit())
            pause_seconds = poller.step()
        if not math.isfinite(pause_seconds) or not 0 <= pause_seconds <= _LONGEST_PAUSE_SECONDS:
            raise ArithmeticError(f"the poller pauses for {pause_seconds} s")
        expected_in = poller.facts.expected_since
        if not math.isfinite(expected_in):
            raise ArithmeticError(f"an answer is expected at {expected_in}")
        return pause_seconds

    def plant(self, value: Any) -> bool:
        """A bug for a message of nobody, without a date, in a chat without a title."""
        message = value[0].get("message") if isinstance(value, list) else None
        return bool(
            isinstance(message, dict)
            and "from" not in message
            and "date" not in message
            and "title" not in (message.get("chat") or {})
        )  # fmt: skip


def _has_id(update: object) -> bool:
    return isinstance(update, dict) and type(update.get("update_id")) is int and 0 <= update["update_id"] < 2**62


def _start(telegram: _Telegram, *, types: bool) -> Any:
    """A runtime whose handlers look at much of what an update holds."""
    bot = Bot(TOKEN if types else "2" + TOKEN, transport=telegram, retry=None, limits=None)
    app: Any = Runtime(bot, state=None, workers=2, allowed_updates=[]) if types else Runtime(bot, types=False, state=None, workers=2, allowed_updates=[])

    @app.use
    def look(update: Any, context: Any, handle: Any) -> None:
        if context.user_data is not None:
            context.user_data["last"] = update.update_id
        handle()

    @app.command("start")
    def start(update: Any, context: Any) -> None:
        context.reply("hi")
        context.state = {"step": 1}

    @app.message(filters.TEXT & ~filters.COMMAND)
    def text(update: Any, context: Any) -> None:
        context.reply(update.message.text[:100] + str(update.effective_user))

    @app.callback_query()
    def pressed(update: Any, context: Any) -> None:
        update.callback_query.answer()

    @app.on("any")
    def other(update: Any, context: Any) -> None:
        str(update)

    app.start()
    return app


class _Telegram:
    """The transport of a bot whose polls get what is given, one batch each."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._batch: bytes | None = None
        self._polls = 0
        self._over = False

    def give(self, updates: list[Any]) -> bool:
        """Hand a batch out; True when the poll that confirms it has come, which is when its handlers have ended."""
        with self._changed:
            polls = self._polls + 2 if self._polls == 0 else self._polls + 1
            self._batch = json.dumps({"ok": True, "result": updates}).encode()
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._polls >= polls and self._batch is None, _WAIT_SECONDS)

    def send(self, request: Request) -> Response:
        """Part of `syncbot.types.Transport`."""
        if request.method != "getUpdates":
            return Response(200, {"Content-Type": "application/json"}, _OK)
        with self._changed:
            self._polls += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._batch is not None or self._over, 3600.0)
            if self._over or (request.stop is not None and request.stop.is_set()):
                raise NotSent("aborted", stage="receive")
            batch, self._batch = self._batch, None
        assert batch is not None
        return Response(200, {"Content-Type": "application/json"}, batch)

    def abort(self, scope: str) -> int:
        """Part of `syncbot.types.Transport`."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        return 1

    def close(self) -> None:
        """Part of `syncbot.types.Transport`."""
