"""Conversations: which handlers are asked depends on where somebody stands."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telegram import Update

from syncbot.compat.ptb13.handlers.handler import Handler
from syncbot.compat.ptb13.handlers.queries import CallbackQueryHandler, ChosenInlineResultHandler, InlineQueryHandler
from syncbot.compat.ptb13.handlers.stop import DispatcherHandlerStop
from syncbot.compat.ptb13.promise import Promise

_log = logging.getLogger(__name__)
_FIXED = (
    "entry_points",
    "states",
    "fallbacks",
    "allow_reentry",
    "per_user",
    "per_chat",
    "per_message",
    "conversation_timeout",
    "name",
    "map_to_parent",
)

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _TimeoutOf:
    """What a conversation's timeout job is given."""

    conversation_key: Key
    update: Update
    dispatcher: Any
    callback_context: Any


class ConversationHandler(Handler):
    """Handles the updates of conversations: each state has its handlers, and what a handler returns is the next state.

    None leaves it where it is, END ends it. Where the handlers of its state do not want an update, the fallbacks are asked.

    Args:
        entry_points: handlers that begin a conversation.
        states: the handlers of each state. Those of TIMEOUT are called when its time is up, those of WAITING while one with `run_async` runs.
        fallbacks: handlers of what the state's own do not want.
        allow_reentry: whether the entry points begin it anew within a conversation.
        per_chat, per_user, per_message: what each of these has, has a conversation of its own.
        conversation_timeout: seconds after the last update, or a timedelta, when it ends by itself.
        name: the name that a persistence keeps it by.
        persistent: keep it there; the dispatcher needs a persistence.
        map_to_parent: as a handler of another conversation: which of its states ends this one, and is which state there.
        run_async: of all its handlers.

    Raises:
        ValueError: `persistent` without a name, or all of `per_…` are False.
    """

    END = -1
    TIMEOUT = -2
    WAITING = -3

    def __init__(
        self,
        entry_points: Sequence[Handler],
        states: Mapping[Any, Sequence[Handler]],
        fallbacks: Sequence[Handler],
        allow_reentry: bool = False,
        per_chat: bool = True,
        per_user: bool = True,
        per_message: bool = False,
        conversation_timeout: float | timedelta | None = None,
        name: str | None = None,
        persistent: bool = False,
        map_to_parent: Mapping[Any, Any] | None = None,
        run_async: bool = False,
    ) -> None:
        if persistent and not name:
            raise ValueError("a persistent conversation needs a name: ConversationHandler(…, name='order', persistent=True)")
        if not (per_user or per_chat or per_message):
            raise ValueError("per_user, per_chat and per_message are all False, so that nothing tells conversations apart")
        given = locals()
        vars(self).update({option: given[option] for option in _FIXED})
        self.run_async = run_async
        self.persistent = persistent
        self.timeout_jobs: dict[Key, Any] = {}
        self._persistence: Any = None
        self._conversations: dict[Key, Any] = {}
        self._lock = threading.RLock()
        self._warn()
        if run_async:
            for handler in self._handlers():
                handler.run_async = True

    def __setattr__(self, option: str, value: Any) -> None:
        """Set an attribute; a conversation that is under way is not given other rules."""
        if option in _FIXED:
            raise ValueError(f"{option} is given to ConversationHandler(…) and stays as it is")
        super().__setattr__(option, value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"ConversationHandler has no {name!r}", name=name, obj=self)

    def _handlers(self) -> Iterator[Handler]:
        yield from self.entry_points
        yield from self.fallbacks
        for handlers in self.states.values():
            yield from handlers

    def _nested(self) -> Iterator[ConversationHandler]:
        for handlers in self.states.values():
            yield from (handler for handler in handlers if isinstance(handler, ConversationHandler))

    def _warn(self) -> None:
        """Tell of what will hardly do what was meant."""
        handlers = list(self._handlers())
        buttons = [isinstance(handler, CallbackQueryHandler) for handler in handlers]
        said = []
        if self.per_message and not self.per_chat:
            said.append("per_message=True without per_chat=True: the ids of messages are unique within a chat alone")
        if self.per_message and not all(buttons):
            said.append("per_message=True: only a CallbackQueryHandler has a message to go by, and others are among the handlers")
        if not self.per_message and any(buttons):
            said.append("per_message=False: a CallbackQueryHandler does not tell messages apart")
        if self.per_chat and any(isinstance(handler, InlineQueryHandler | ChosenInlineResultHandler) for handler in handlers):
            said.append("per_chat=True: an InlineQueryHandler never fits, since an inline query has no chat")
        if self.conversation_timeout and any(isinstance(handler, ConversationHandler) for handler in handlers):
            said.append("conversation_timeout with a conversation within: the time of the outer one goes on while the inner one is under way")
        for words in said:
            warnings.warn(words, stacklevel=3)

    # ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def persistence(self) -> Any:
        """What keeps the conversations; a dispatcher sets it, for those within too."""
        return self._persistence

    @persistence.setter
    def persistence(self, persistence: Any) -> None:
        self._persistence = persistence
        for inner in self._nested():
            inner.persistence = persistence

    @property
    def conversations(self) -> dict[Key, Any]:
        """The state of each conversation that is under way."""
        return self._conversations

    @conversations.setter
    def conversations(self, conversations: dict[Key, Any]) -> None:
        self._conversations = conversations
        for inner in self._nested():
            if self._persistence and inner.name:
                inner.conversations = self._persistence.get_conversations(inner.name)

    def _key(self, update: Update) -> Key:
        """What an update's conversation is known by."""
        key: list[Any] = []
        if self.per_chat and update.effective_chat is not None:
            key.append(update.effective_chat.id)
        if self.per_user and update.effective_user is not None:
            key.append(update.effective_user.id)
        if self.per_message and (query := update.callback_query) is not None:
            key.append(query.inline_message_id or (query.message.message_id if query.message is not None else None))
        return tuple(key)

    def _update_state(self, new_state: Any, key: Key) -> None:
        with self._lock:
            if isinstance(new_state, Promise):
                self.conversations[key] = (self.conversations.get(key), new_state)
                return  # it is kept once it is known
            if new_state == self.END:
                kept: Any = None
                if self.conversations.pop(key, None) is None:
                    return
            elif new_state is None:
                return
            else:
                kept = new_state
                if new_state not in self.states:
                    warnings.warn(f"a handler returned the state {new_state!r}, which the conversation {self.name or ''} does not have", stacklevel=2)
            if kept is not None:
                self.conversations[key] = kept
            if self.persistent and self._persistence and self.name:
                self._persistence.update_conversation(self.name, key, kept)

    # ── an update ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _concerns(self, update: object) -> bool:
        if not isinstance(update, Update) or update.channel_post or update.edited_channel_post:
            return False
        query = update.callback_query
        if self.per_message and query is None:
            return False
        return not self.per_chat or (update.effective_chat is not None and (query is None or query.message is not None))

    def check_update(self, update: object) -> Any:
        """See `Handler`: the key of the conversation, the handler that wants the update, and what that found."""
        if not isinstance(update, Update) or not self._concerns(update):
            return None
        key = self._key(update)
        with self._lock:
            state = self.conversations.get(key)
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], Promise):
            if not state[1].done.is_set():
                return _first(key, self.states.get(self.WAITING, ()), update)
            state = self._settled(key, state[1])
        if state is None:
            return _first(key, self.entry_points, update)
        return (
            (_first(key, self.entry_points, update) if self.allow_reentry else None)
            or _first(key, self.states.get(state, ()), update)
            or _first(key, self.fallbacks, update)
        )

    def _settled(self, key: Key, promise: Promise) -> Any:
        """Go where a handler says that ran in a thread of its own, unless that was done already; returns the state."""
        with self._lock:
            state = self.conversations.get(key)
            if isinstance(state, tuple) and len(state) == 2 and state[1] is promise:
                self._update_state(self._outcome(*state), key)
            return self.conversations.get(key)

    def _outcome(self, before: Any, promise: Promise) -> Any:
        """The state that follows from a handler that ran in a thread of its own; where it failed, the one before."""
        try:
            state = promise.result(0)
        except Exception as error:
            _log.error("a handler of the conversation %s failed", self.name or "", exc_info=error)
            state = None
        state = before if state is None else state
        return self.END if state is None else state

    def handle_update(self, update: Any, dispatcher: Any, check_result: Any, context: Any = None) -> Any:
        """Call the handler that was found, and go where it says.

        Returns:
            The state of the conversation around this one, where this one has ended; else None.
        """
        key, handler, found = check_result
        with self._lock:
            if (job := self.timeout_jobs.pop(key, None)) is not None:
                job.schedule_removal()
        stops = False
        try:
            new_state = handler.handle_update(update, dispatcher, found, context)
        except DispatcherHandlerStop as stop:
            new_state, stops = stop.state, True
        given = _TimeoutOf(key, update, dispatcher, context)
        if not isinstance(new_state, Promise):
            self._begin_timeout(new_state, given)
        if isinstance(self.map_to_parent, Mapping) and _is_key(new_state, self.map_to_parent):
            self._update_state(self.END, key)
            if stops:
                raise DispatcherHandlerStop(self.map_to_parent[new_state])
            return self.map_to_parent[new_state]
        self._update_state(new_state, key)
        if isinstance(new_state, Promise):
            new_state.add_done_callback(lambda state: self._is_known(new_state, state, given))
        if stops:
            raise DispatcherHandlerStop
        return None

    # ── its time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_known(self, promise: Promise, new_state: Any, given: _TimeoutOf) -> None:
        """What follows a handler that ran in a thread of its own."""
        self._begin_timeout(new_state, given)
        self._settled(given.conversation_key, promise)

    def _begin_timeout(self, new_state: Any, given: _TimeoutOf) -> None:
        if not self.conversation_timeout or new_state == self.END:
            return
        if given.dispatcher.job_queue is None:
            _log.warning("conversation_timeout has no effect: the dispatcher has no job queue")
            return
        with self._lock:
            self.timeout_jobs[given.conversation_key] = given.dispatcher.job_queue.run_once(self._time_is_up, self.conversation_timeout, context=given)

    def _time_is_up(self, context: Any, job: Any = None) -> None:
        """What the timeout job does; an old callback gets the bot and the job."""
        job = job if job is not None else context.job
        given: _TimeoutOf = job.context
        with self._lock:
            if self.timeout_jobs.get(given.conversation_key) is not job:
                return  # an update came at the last moment
            del self.timeout_jobs[given.conversation_key]
        for handler in self.states.get(self.TIMEOUT, ()):
            found = handler.check_update(given.update)
            if _wants(found):
                try:
                    handler.handle_update(given.update, given.dispatcher, found, given.callback_context)
                except DispatcherHandlerStop:
                    _log.warning("DispatcherHandlerStop has no effect in a conversation's TIMEOUT")
        self._update_state(self.END, given.conversation_key)


def _wants(found: Any) -> bool:
    return found is not None and found is not False


def _first(key: Key, handlers: Sequence[Handler], update: Update) -> tuple[Key, Handler, Any] | None:
    """The first handler that wants the update, with what it found."""
    for handler in handlers:
        if _wants(found := handler.check_update(update)):
            return key, handler, found
    return None


def _is_key(state: Any, states: Mapping[Any, Any]) -> bool:
    try:
        return state in states
    except TypeError:  # it has no hash
        return False
