"""Gives updates to handlers."""

from __future__ import annotations

import functools
import logging
import queue
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar

from telegram import Update
from telegram.error import TelegramError

from syncbot.compat.ptb13.contexts.context_types import ContextTypes
from syncbot.compat.ptb13.defaults import DEFAULT_FALSE, DefaultValue
from syncbot.compat.ptb13.handlers.conversation import ConversationHandler
from syncbot.compat.ptb13.handlers.handler import Handler
from syncbot.compat.ptb13.handlers.stop import DispatcherHandlerStop
from syncbot.compat.ptb13.promise import Promise
from syncbot.compat.ptb13.running.pool import Pool
from syncbot.compat.ptb13.work import Work, owners_of, work_here
from syncbot.errors import Stopped
from syncbot.storage import Scope

DEFAULT_GROUP = 0
_log = logging.getLogger(__name__)


class Dispatcher:
    """Gives each update to the first handler of each group that wants it.

    Args:
        bot: the bot.
        update_queue: what `start` takes updates from; None where it is not called.
        workers: threads for handlers with `run_async`.
        exception_event: not used.
        job_queue: where `context.job_queue` leads.
        persistence: keeps data and conversations.
        use_context: False calls handlers as `callback(bot, update)`.
        context_types: which classes handlers meet.

    Raises:
        TypeError: `persistence` is none.
    """

    _instance: ClassVar[Callable[[], Dispatcher | None]] = lambda: None

    def __init__(
        self,
        bot: Any,
        update_queue: queue.Queue[object] | None,
        workers: int = 4,
        exception_event: threading.Event | None = None,
        job_queue: Any = None,
        persistence: Any = None,
        use_context: bool = True,
        context_types: ContextTypes | None = None,
    ) -> None:
        self.bot = bot
        self.update_queue = update_queue
        self.workers = workers
        self.job_queue = job_queue
        self.use_context = use_context
        self.context_types = context_types or ContextTypes()
        self.user_data: Any = defaultdict(self.context_types.user_data)
        self.chat_data: Any = defaultdict(self.context_types.chat_data)
        self.bot_data: Any = self.context_types.bot_data()
        self.handlers: dict[int, list[Handler]] = {}
        self.groups: list[int] = []
        self.error_handlers: dict[Callable[..., Any], bool | DefaultValue] = {}
        self.running = False
        self.persistence = persistence
        self._persisting = threading.Lock()
        self._registering = threading.Lock()
        self.in_hand: set[Work] = set()
        """What is worked on, or was put aside: what these have changed is kept with their own ends alone."""
        self._pool = Pool(workers, self._after)
        if persistence is not None:
            self._load(persistence)
        Dispatcher._instance = weakref.ref(self)

    def _load(self, persistence: Any) -> None:
        """Take over what the persistence has kept."""
        missing = [name for name in ("get_user_data", "update_user_data", "flush") if not hasattr(persistence, name)]
        if missing:
            raise TypeError(f"persistence= takes a telegram.ext.BasePersistence, not {persistence!r}")
        persistence.set_bot(self.bot)
        if persistence.store_user_data:
            self.user_data = persistence.get_user_data()
        if persistence.store_chat_data:
            self.chat_data = persistence.get_chat_data()
        if persistence.store_bot_data:
            self.bot_data = persistence.get_bot_data()
        if persistence.store_callback_data and (kept := persistence.get_callback_data()) is not None:
            self.bot.restore_callback_data(kept)

    @classmethod
    def get_instance(cls) -> Dispatcher:
        """The dispatcher that was made last.

        Raises:
            RuntimeError: there is none.
        """
        instance = cls._instance()
        if instance is None:
            raise RuntimeError("no Dispatcher has been made yet")
        return instance

    # ── what is registered ───────────────────────────────────────────────────────────────────────────────────────────

    def add_handler(self, handler: Handler, group: int = DEFAULT_GROUP) -> None:
        """Register a handler; of each group, in ascending order, the first that wants an update gets it.

        Raises:
            TypeError: it is no `Handler`, or the group no number.
            ValueError: it is a persistent conversation, and there is no persistence.
        """
        if not isinstance(handler, Handler):
            raise TypeError(f"add_handler() takes a telegram.ext.Handler, not {handler!r}")
        if not isinstance(group, int):
            raise TypeError(f"a group is a number, not {group!r}")
        if isinstance(handler, ConversationHandler) and handler.persistent and handler.name:
            if not self.persistence:
                raise ValueError(f"the conversation {handler.name} is to be persistent: give the Updater or Dispatcher a persistence")
            handler.persistence = self.persistence
            handler.conversations = self.persistence.get_conversations(handler.name)
        with self._registering:  # a new list each time: another thread may be going through the old one
            self.handlers[group] = [*self.handlers.get(group, ()), handler]
            self.groups = sorted(self.handlers)

    def remove_handler(self, handler: Handler, group: int = DEFAULT_GROUP) -> None:
        """Take a handler out of its group again."""
        with self._registering:
            left = list(self.handlers[group])
            if handler in left:
                left.remove(handler)
            self.handlers[group] = left
            if not left:
                del self.handlers[group]
            self.groups = sorted(self.handlers)

    def add_error_handler(self, callback: Callable[..., Any], run_async: bool | DefaultValue = DEFAULT_FALSE) -> None:
        """Have a function told of each error: `callback(update, context)`, with what was raised in `context.error`; `callback(bot, update, error)` with
        `use_context=False`."""
        if run_async is DEFAULT_FALSE and self.bot.defaults is not None:
            run_async = bool(self.bot.defaults.run_async)
        with self._registering:
            self.error_handlers = {**self.error_handlers, callback: self.error_handlers.get(callback, run_async)}

    def remove_error_handler(self, callback: Callable[..., Any]) -> None:
        """Have a function told no more."""
        with self._registering:
            self.error_handlers = {other: run_async for other, run_async in self.error_handlers.items() if other != callback}

    # ── an update ────────────────────────────────────────────────────────────────────────────────────────────────────

    def process_update(self, update: object) -> None:
        """Give an update to the handlers. What they raise goes to the error handlers, and without any, into the log."""
        if isinstance(update, TelegramError):
            self._tell(None, update)
            return
        try:
            self.handle(update)
        except Stopped:
            raise
        except Exception as error:
            _log.error("a handler failed, and there is no error handler", exc_info=error)

    def handle(self, update: object, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Give an update to the handlers; what they raise goes to the error handlers.

        Args:
            update: the update.
            is_stopping: whether what a handler raises may come from the end of it all, and is to be handed on.

        Raises:
            Exception: what a handler raised, where there is no error handler; the other groups had their turn.
        """
        context = None
        has_handled = False
        modes: list[bool] = []
        failure: Exception | None = None
        for group in self.groups:
            try:
                for handler in self.handlers.get(group, ()):
                    check = handler.check_update(update)
                    if check is None or check is False:
                        continue
                    if context is None and self.use_context:
                        context = self.context_types.context.from_update(update, self)
                        context.refresh_data()
                    has_handled = True
                    modes.append(handler.runs_async(self))
                    handler.handle_update(update, self, check, context)
                    break
            except DispatcherHandlerStop:
                break
            except Stopped:
                raise
            except Exception as error:
                if is_stopping():
                    raise
                if not self.error_handlers:
                    failure = failure or error
                elif self._tell(update, error):
                    break
        if has_handled and not all(modes):
            self.update_persistence(update)
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # its traceback holds this frame: a circle

    @contextmanager
    def working(self, work: Work, is_stopping: Callable[[], bool]) -> Iterator[None]:
        """Within the block an update is worked on; what ends it during a stop may put it aside."""
        self.in_hand.add(work)
        try:
            with work.here():
                yield
        except Exception as error:
            if not (isinstance(error, Stopped) or is_stopping()):
                self.in_hand.discard(work)
            raise
        self.in_hand.discard(work)

    def dispatch_error(self, update: object, error: BaseException, promise: Promise | None = None) -> None:
        """Tell the error handlers; without any, the log.

        Args:
            update: where it happened; None for a job.
            error: what was raised.
            promise: of the function that raised it, where it ran in a thread of its own.

        Raises:
            Exception: what an error handler raises itself.
        """
        if not self.error_handlers:
            _log.error("something failed, and there is no error handler", exc_info=error)
        given: dict[str, Any] = {} if promise is None else {"async_args": promise.args, "async_kwargs": promise.kwargs}
        for callback, run_async in self.error_handlers.items():
            values: tuple[Any, ...] = (self.bot, update, error)
            if self.use_context:
                values = (update, self.context_types.context.from_error(update, error, self, **given))
            if run_async:
                self.run_async(callback, *values, update=update)
            else:
                callback(*values)

    def _tell(self, update: object, error: BaseException, promise: Promise | None = None) -> bool:
        """Tell the error handlers; True where one of them wants no further group to get the update."""
        try:
            self.dispatch_error(update, error, promise)
        except DispatcherHandlerStop:
            return True
        except Stopped:
            raise
        except Exception as another:
            _log.error("an error handler failed itself", exc_info=another)
        return False

    # ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def run_async(self, func: Callable[..., Any], *args: Any, update: object = None, **kwargs: Any) -> Promise:
        """Call a function in a thread of its own; what it raises goes to the error handlers.

        Args:
            func: the function, and then what it is given.
            update: what it is about, for error handlers.
        """
        return self._run_async(func, *args, update=update, error_handling=True, **kwargs)

    def _run_async(self, func: Callable[..., Any], *args: Any, update: object = None, error_handling: bool = True, **kwargs: Any) -> Promise:
        promise = Promise(func, args, kwargs, update, error_handling)
        self._pool.put(promise)
        return promise

    def _after(self, promise: Promise) -> None:
        """What follows a function that ran in a thread of its own."""
        error = promise.exception
        if error is None or isinstance(error, Stopped):
            self.update_persistence(promise.update)
        elif isinstance(error, DispatcherHandlerStop):
            _log.warning("DispatcherHandlerStop has no effect with run_async: the other groups have been asked already")
        elif promise.error_handling:
            self._tell(promise.update, error, promise)

    def start(self, ready: threading.Event | None = None, turns: AbstractContextManager[Any] | None = None) -> None:
        """Handle what is put into `update_queue`, until `stop`: for programs that fill it by themselves.

        Args:
            ready: set when it has begun.
            turns: held while an update is handled.

        Raises:
            RuntimeError: it has no queue.
        """
        updates = self.update_queue
        if updates is None:
            raise RuntimeError("this Dispatcher has no queue: Dispatcher(bot, queue.Queue())")
        self.running = True
        if ready is not None:
            ready.set()
        while (update := updates.get()) is not _END:
            with turns or nullcontext():
                self.process_update(update)
        self.running = False

    def stop(self, grace: float | None = None) -> None:
        """End `start`, and the threads of `run_async` once they have done what they are at.

        Args:
            grace: seconds for these; None waits as long as it takes.
        """
        if self.running and self.update_queue is not None:
            self.update_queue.put(_END)
        self._pool.stop(grace)

    # ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────────

    def update_persistence(self, update: object = None) -> None:
        """Give the persistence what may have changed: the data of an update's user and chat, or without one everybody's but for those of updates in hand."""
        if self.persistence:
            with self._persisting:
                self._give(self.persistence, update)

    def _give(self, persistence: Any, update: object) -> None:
        is_update = isinstance(update, Update)
        own = work_here()  # what is done for it and names no update, such as a function of `@run_async`, is kept with its end
        in_hand = self.in_hand - {own}
        owners = owners_of(update)
        if not is_update:
            everybody = {*((Scope.CHAT, chat) for chat in list(self.chat_data)), *((Scope.USER, user) for user in list(self.user_data))}
            owners = frozenset(everybody.difference(*(work.owners for work in in_hand))) | (own.owners if own is not None else frozenset())
        if persistence.store_callback_data:
            self._kept(update, lambda: persistence.update_callback_data(self.bot.callback_data_cache.persistence_data))
        if persistence.store_bot_data and (is_update or own is not None or not in_hand):
            self._kept(update, lambda: persistence.update_bot_data(self.bot_data))
        for scope, owner in owners:
            if scope is Scope.CHAT and persistence.store_chat_data:
                self._kept(update, functools.partial(persistence.update_chat_data, owner, self.chat_data[owner]))
            if scope is Scope.USER and persistence.store_user_data:
                self._kept(update, functools.partial(persistence.update_user_data, owner, self.user_data[owner]))

    def _kept(self, update: object, keep: Callable[[], Any]) -> None:
        try:
            keep()
        except Exception as error:
            self._tell(update, error)


_END = object()
"""Ends `Dispatcher.start`, which waits for the next update."""


def run_async(function: Callable[..., Any]) -> Callable[..., Promise]:
    """Let a callback run in a thread of its own, the old way: `@run_async`. Errors go into the log alone."""

    @functools.wraps(function)
    def begun(*values: Any, **named: Any) -> Promise:
        return Dispatcher.get_instance()._run_async(function, *values, update=None, error_handling=False, **named)

    return begun
