"""telebot's own polling on syncbot's runtime: `bot.infinity_polling()` of an unchanged program gets our poller, the durable inbox and the order in each chat.

```python
from syncbot.adapters.telebot import install
from syncbot.adapters.telebot_polling import install_polling

installed = install()
install_polling(installed)
```

`syncbot run-telebot bot.py` does both without a line. What a handler does stays telebot's: its filters, states, middlewares and exception handler.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from telebot import TeleBot, apihelper, types
from telebot.handler_backends import FileHandlerBackend, MemoryHandlerBackend
from telebot.storage import StateMemoryStorage

from syncbot.adapters.telebot import Installed
from syncbot.adapters.telebot_store import ChatRows, DurableStates, DurableSteps
from syncbot.client.bot import Bot
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.state_file import AUTO, state_path
from syncbot.secret import Secret
from syncbot.storage import Store, StoreOptions, open_store
from syncbot.storage.address import DatabaseUrl
from syncbot.types import DEFAULT_BASE_URL

_LONGEST_WAIT_SECONDS = 50
_FEWEST_WORKERS = 4
_STOP_AGAIN_SECONDS = 0.1
_NO_CHANGES = ("opened", "closed_no_write")
"""Events of a watched folder after which it is as it was."""


def install_polling(installed: Installed, *, state: str | os.PathLike[str] | DatabaseUrl = AUTO) -> InstalledPolling:
    """Let `polling` and `infinity_polling` of every `TeleBot` of this process run on a `syncbot.Runtime`, from the next one that begins.

    Updates are confirmed to Telegram once they stand in the state file, those of one chat are handled one after the other, and what was unfinished when the
    process died is handled again. A next step, and a state with its data, are kept there too where the bot has telebot's own memory for them, also where
    it has a webhook instead of polling. An exception that no exception handler of the bot's takes does not end the polling: its update goes to the dead
    letters.

    Args:
        installed: what `install` has returned; polls go the same way.
        state: the state file, or the URL of its database; AUTO takes SYNCBOT_STATE, else the usual place for each bot.

    Returns:
        What undoes it: `uninstall()`, or the end of a `with` block.
    """
    return InstalledPolling(installed, state)


class InstalledPolling:
    """What `install_polling` has put into telebot, as long as it stands there."""

    def __init__(self, installed: Installed, state: str | os.PathLike[str] | DatabaseUrl) -> None:
        self._installed = installed
        self._state = state
        self._signals = _handlers()
        self._running: dict[TeleBot, Runtime[Any]] = {}
        self._opened: dict[TeleBot, Store] = {}
        self._lock = threading.Lock()
        hooks: Any = TeleBot
        self._before = {name: getattr(hooks, name) for name in ("polling", "infinity_polling", "stop_polling", "process_new_updates")}
        for name in ("polling", "infinity_polling"):
            setattr(TeleBot, name, _method(self._before[name], self._poll))
        for name, work in {"stop_polling": self._stop, "process_new_updates": self._process}.items():
            setattr(TeleBot, name, _method(self._before[name], work))

    def uninstall(self) -> None:
        """Give telebot its own polling back; what polls goes on until it is stopped."""
        for name, function in self._before.items():
            setattr(TeleBot, name, function)
        for bot in list(self._opened):
            self._forget(bot)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.uninstall()

    def _poll(self, bot: TeleBot, given: dict[str, Any]) -> None:
        """What stands for `polling`: returns when the bot is stopped."""
        read_update: Any = types.Update.de_json
        self._forget(bot)
        app = self._runtime(bot, given)
        assert app.state is not None
        changed, over = threading.Event(), threading.Event()
        if given.get("restart_on_change"):
            _watch(bot, given.get("path_to_watch"), app, changed, over)
        with open_store(app.state, app.bot.id, options=StoreOptions(check=False)) as store:
            rows = ChatRows(store.data)
            self._remember(bot, rows)

            @app.use
            def handle(update: Any, context: Any, next: Callable[[], None]) -> None:
                with rows.update(context):
                    bot.process_new_updates([read_update(context.raw)])

            try:
                self._run(bot, app)
            finally:
                over.set()
        if changed.is_set():
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # the command that this process was started with

    def _runtime(self, bot: TeleBot, given: dict[str, Any]) -> Runtime[Any]:
        """What polls, as the program has asked for it."""
        facts: Any = bot
        wait = int(given.get("long_polling_timeout") or 20)
        allowed = given.get("allowed_updates")
        return Runtime(
            self._ours(bot),
            types=False,
            state=self._state,
            workers=max(_FEWEST_WORKERS, facts.worker_pool.num_threads) if bot.threaded else 1,
            allowed_updates=() if allowed is None else tuple(allowed),
            poll_wait=min(max(wait, 1), _LONGEST_WAIT_SECONDS),
            drop_pending_updates=bool(given.get("skip_pending") or bot.skip_pending),
            durable=False,
        )

    def _ours(self, bot: TeleBot) -> Bot:
        base_url = str(apihelper.API_URL).partition("/bot{0}")[0] if apihelper.API_URL else DEFAULT_BASE_URL
        return Bot(Secret(bot.token), base_url=base_url, transport=self._installed.transport_for(base_url))

    def _process(self, bot: TeleBot, given: dict[str, Any]) -> None:
        """What stands for `process_new_updates`, which a program calls that has a webhook: its memories are durable too."""
        with self._lock:
            if bot not in self._running and bot not in self._opened:
                ours = self._ours(bot)
                self._opened[bot] = open_store(state_path(ours, self._state), ours.id, options=StoreOptions(check=False))
                self._remember(bot, ChatRows(self._opened[bot].data))
        self._before["process_new_updates"](bot, given["updates"])

    def _forget(self, bot: TeleBot) -> None:
        with self._lock:
            if (store := self._opened.pop(bot, None)) is not None:
                store.close()

    @staticmethod
    def _remember(bot: TeleBot, rows: ChatRows) -> None:
        """Put the durable memories where telebot's own stand; those that are others' stay."""
        steps: Any = bot.next_step_backend
        if type(steps) in (MemoryHandlerBackend, FileHandlerBackend, DurableSteps):
            bot.next_step_backend = DurableSteps(rows, getattr(steps, "handlers", {}))
        if type(bot.current_states) in (StateMemoryStorage, DurableStates):
            bot.current_states = DurableStates(rows)

    def _run(self, bot: TeleBot, app: Runtime[Any]) -> None:
        threaded, bot.threaded = bot.threaded, False  # handlers run where the update is, so that it ends when they have
        self._running[bot] = app
        try:
            if self._has_own_signals():
                with app:
                    app.join()
            else:
                app.run()
        finally:
            self._running.pop(bot, None)
            bot.threaded = threaded

    def _has_own_signals(self) -> bool:
        """Whether the program has put handlers of its own in the place of the usual ones: then they are what ends it."""
        return threading.current_thread() is threading.main_thread() and _handlers() != self._signals

    def _stop(self, bot: TeleBot, _given: dict[str, Any]) -> None:
        self._before["stop_polling"](bot)
        if (app := self._running.get(bot)) is not None:
            app.stop()


def _watch(bot: TeleBot, path: str | None, app: Runtime[Any], changed: threading.Event, over: threading.Event) -> None:
    """Let telebot watch a folder, and end the polling where something changes there; files with the name of the state file in theirs, which the bot writes all
    the time, do not count. `over` is set when the polling has ended."""
    detect: Any = bot
    state = app.state.name if isinstance(app.state, Path) else ""
    try:
        from telebot.ext import reloader
    except ImportError:
        detect._setup_change_detector(path)  # which says what is to be installed
        return
    own: Any = reloader

    class Handler(own.EventHandler):  # type: ignore[misc]  # telebot has no types here
        def on_any_event(self, event: Any) -> None:
            # A folder changes with the state file too; what else changes in it has an event of its own.
            is_change = not event.is_directory and event.event_type not in _NO_CHANGES
            if is_change and not (state and state in os.path.basename(os.fsdecode(event.src_path))):
                changed.set()
                while not over.is_set():  # what is only about to begin is not stopped yet
                    app.stop()
                    over.wait(_STOP_AGAIN_SECONDS)

    own.EventHandler = Handler
    detect._setup_change_detector(path)


def _method(own: Callable[..., None], work: Callable[[TeleBot, dict[str, Any]], None]) -> Callable[..., None]:
    """A method with the parameters of telebot's own."""
    signature = inspect.signature(own)

    def method(self: TeleBot, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs).arguments
        work(self, {**bound, **bound.pop("kwargs", {})})

    return method


def _handlers() -> tuple[Any, Any]:
    return signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
