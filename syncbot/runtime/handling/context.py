"""What a handler gets beside its update: ways to answer it, and what is remembered of its user, its chat and the bot."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from syncbot.runtime.durable.asking import Answers, Asking
from syncbot.runtime.durable.run import DurableRun, unrecorded
from syncbot.runtime.durable.step import ANSWERED
from syncbot.runtime.handling.replies import Replies
from syncbot.runtime.handling.stored_dict import StoredDict, StoredDicts, plain, to_json
from syncbot.runtime.handling.update_facts import KIND_BY_NAME, ReplyTarget, album_of, command_of, job_target, kind_of, target_of
from syncbot.runtime.job import Job
from syncbot.storage.albums import parts_of
from syncbot.storage.promises.data import Changes, DataConflict, Scope, StateChange
from syncbot.storage.promises.questions import QuestionAnswer

if TYPE_CHECKING:
    import telegram

    from syncbot.client.bot import Bot
    from syncbot.runtime.handling.replies import QueuedReplies
    from syncbot.storage.promises.parts import Data


T = TypeVar("T")


class Context(Asking, Replies):
    """What a handler gets beside its update; one for each update, for one thread.

    Args:
        bot: the bot.
        data: where the dicts and the state are loaded from.
        raw: the update as JSON; None in jobs.
        answers: where the handler may wait for one; None where nobody can wait.
        job: the job that runs; None for an update.
        bot_username: tells the bot's user name, or None where it is not known.
        run: what the handler's steps are written with; None where nothing is.
        told: the keys of which it has been told already that changes of theirs were overwritten.
        album_kinds: the kinds of updates of which albums are collected.
    """

    def __init__(
        self,
        bot: Bot,
        data: Data,
        *,
        raw: Mapping[str, Any] | None = None,
        answers: Answers | None = None,
        job: Job | None = None,
        bot_username: Callable[[], str | None] = lambda: None,
        run: DurableRun | None = None,
        told: set[tuple[Scope, str]] | None = None,
        album_kinds: frozenset[str] = frozenset(),
    ) -> None:
        self.bot = self._bot = bot
        self._parts = [] if raw is None else parts_of(raw)
        self.raw = None if raw is None else self._parts[0]
        """The update as JSON, as Telegram sent it."""
        self.job = job
        """The job that runs: its name, with what it was given; None for an update."""
        self.run = run or unrecorded()
        """The run of the handler: what stands in the journal, and is not done again. For syncbot's own parts."""
        self.args: list[str] = []
        """The words behind the command."""
        self.match: re.Match[str] | None = None
        """What the pattern of the handler, or `filters.regex`, found."""
        self.error: BaseException | None = None
        """In error handlers: what was raised."""
        self._album_kinds = album_kinds
        self._target: ReplyTarget | None = None if job is None else job_target(job.chat_id, job.user_id)
        self._data = data
        self._answers = answers
        self._bot_username = bot_username
        self._decode = bot.typed_update
        self._update: telegram.Update | None = None
        self._dicts = StoredDicts(data, self.run, set() if told is None else told)
        self._answered: tuple[QuestionAnswer, ...] = ()
        self._state: list[Any] = []  # empty until it is looked at or set
        self._state_before = ""  # its JSON as it was loaded; "" once it is set here, so that it is written whatever it was

    @property
    def target(self) -> ReplyTarget:
        """What an answer to the update has to name; read from it when somebody asks."""
        if self._target is None:
            self._target = target_of(self.raw)
        return self._target

    # ── the update ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def kind(self) -> str | None:
        """The kind of the update: "message", "callback_query", …"""
        return kind_of(self.raw)

    @property
    def chat_id(self) -> int | None:
        """The id of the chat that it happened in."""
        return self.target.chat_id

    @property
    def user_id(self) -> int | None:
        """The id of the user who caused it."""
        return self.target.user_id

    @property
    def update(self) -> telegram.Update:
        """The update.

        Raises:
            RuntimeError: there is none, as in jobs.
            DecodeError: it cannot be decoded; `raw` holds it.
        """
        if self.raw is None:
            raise RuntimeError("there is no update here")
        if self._update is None:
            self._update = self._decode(self.raw)
        return self._update

    @property
    def update_or_raw(self) -> Any:
        """What error handlers get: the update, its JSON where it could not be decoded, None where there is none."""
        return self.raw if self._update is None else self._update

    @property
    def message(self) -> telegram.Message:
        """The message that the update brings, or the one under the pressed button.

        Raises:
            RuntimeError: there is none, or the one under the button is too old to be shown to bots.
        """
        update = self.update
        known = KIND_BY_NAME.get(self.kind or "")
        found: Any = getattr(update, known.name) if known is not None and known.type == "Message" else None
        if update.callback_query is not None:
            found = update.callback_query.message
        if found is None:
            raise RuntimeError(f"there is no message in an update of the kind {self.kind}")
        if not found.is_accessible:
            raise RuntimeError("the message under the button is not accessible any more")
        message: telegram.Message = found
        return message

    @property
    def is_album(self) -> bool:
        """Whether the update is an album, which `@app.album()` handles."""
        return len(self._parts) > 1 or bool(self._album_kinds and self._parts and album_of(self._parts[0], self._album_kinds))

    @property
    def album(self) -> list[telegram.Message]:
        """All messages of an album, in their order; empty for what is none."""
        if not self.is_album:
            return []
        updates = [self.update, *(self._decode(part) for part in self._parts[1:])]
        messages: list[telegram.Message] = [getattr(update, self.kind or "") for update in updates]
        return sorted(messages, key=lambda message: message.message_id)

    def alone(self) -> list[Context]:
        """The contexts of an album's messages, each handled by itself, and all with the data of this one."""
        parts = []
        for raw in self._parts:
            part = copy(self)
            part._parts, part._album_kinds, part.raw, part._update, part._target = [raw], frozenset(), raw, None, None
            parts.append(part)
        return parts

    def take_over(self, other: Context) -> None:
        """Go on with the conversation where another context of the same update has left it."""
        self._state, self._state_before = other._state, other._state_before
        self._choices = other._choices  # so that no button of one message's question answers another one's

    @property
    def types(self) -> bool:
        """Whether the update and what calls return are python-telegram-bot's objects; else they are `syncbot.plain` ones."""
        return self._bot.types

    @property
    def bot_username(self) -> str | None:
        """The bot's own user name, without "@"; None where it is not known."""
        return self._bot_username()

    # ── what is the same in each run ─────────────────────────────────────────────────────────────────────────────────

    def once(self, name: str, function: Callable[[], T]) -> T:
        """Do something outside of Telegram once: when the handler runs again after the death of the process, it gets the result of then.

        ```python
        order = context.once("order", lambda: shop.order(item))
        ```

        Args:
            name: what it is known by in another run.
            function: what is done; it makes no calls to Telegram. Should the process die within it, it is done again; what it raises is not kept.

        Returns:
            Its result, as JSON gives it back.

        Raises:
            TypeError, ValueError: `function` is none, or its result no JSON value; the text names it.
            RuntimeError: it is called within another `once`.
        """
        result: T = self.run.once(name, function)
        return result

    def now(self) -> datetime:
        """The time, in UTC: in each run of the handler that of the first one. What a handler decides by it, it decides the same again."""
        return self.run.now()

    @property
    def random(self) -> Random:
        """Chance: a `random.Random` that gives the same numbers in each run of the handler, and others for each update."""
        return self.run.random

    # ── what is remembered ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def user_data(self) -> StoredDict:
        """What is remembered of the user: JSON values by name. What a handler changes in it is written when the handler returns.

        Raises:
            RuntimeError: the update has no user.
        """
        return self._load(Scope.USER, self.user_id)

    @property
    def chat_data(self) -> StoredDict:
        """The same of the chat.

        Raises:
            RuntimeError: the update has no chat.
        """
        return self._load(Scope.CHAT, self.chat_id)

    @property
    def bot_data(self) -> StoredDict:
        """The same of the bot, for all handlers, which run in parallel: `context.bot_data.change(key, function)` loses no change of theirs.

        Of plain assignments to one key a conflict is noticed: a handler that has made no call yet runs again, and else the later one wins, with a warning.
        """
        return self._load(Scope.BOT, 0)

    def _load(self, scope: Scope, owner: int | None) -> StoredDict:
        self.run.check()
        if owner is None:
            raise RuntimeError(f"there is no context.{scope}_data here: {'the update' if self.kind else 'a context without an update'} has no {scope}")
        return self._dicts.of(scope, owner)

    @property
    def state(self) -> Any:
        """Where the conversation with this user in this chat stands: any JSON value; None where there is none, and to end it."""
        if not self._state:
            where = self._conversation()
            self._state = [None if where is None else self._data.get_state(*where)]
            self._state_before = to_json(self._state[0], "context.state")
        return self._state[0]

    @state.setter
    def state(self, value: Any) -> None:
        if self._conversation() is None:
            raise RuntimeError("there is no conversation here: context.state belongs to a user in a chat, and one of them is missing")
        self.run.check()
        kept = plain(value, "context.state")
        self._state = [kept]
        self._state_before = ""

    def _conversation(self) -> tuple[int, int] | None:
        chat_id, user_id = self.target.chat_id, self.target.user_id
        return None if chat_id is None or user_id is None else (chat_id, user_id)

    def changes(self) -> Changes:
        """What has been changed, to be written when the handling is over.

        Raises:
            TypeError, ValueError: a value cannot be stored; the text names its key.
        """
        return Changes((*self._dicts.changes(), *self.run.kept), self._state_changes(), self._after_conflicts, self._answered, tuple(self.run.queued))

    def _after_conflicts(self, conflicts: tuple[DataConflict, ...], last: bool) -> Changes | None:
        return self.changes() if self._dicts.settle(conflicts, last) else None

    def _state_changes(self) -> tuple[StateChange, ...]:
        if not self._state:
            return ()
        where = self._conversation()
        if where is None or to_json(self._state[0], "context.state") == self._state_before:
            return ()
        return (StateChange(*where, self._state[0]),)

    def fail(self, error: BaseException) -> None:
        """Become the context of the error handlers: what has been changed is forgotten, and nothing is waited for any more."""
        self.error = error
        self._dicts.forget()
        self._state = []
        self.run.drop_queued()
        self._answers = None

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def offer(self) -> bool:
        """Let the update answer a question that is open; what it answers is among the `changes`."""
        if self._answers is None or not self._answers.is_awaited or self.raw is None:  # asked first: most updates are never asked for their target
            return False
        chat_id, user_id = self.target.chat_id, self.target.user_id
        if chat_id is None or user_id is None:
            return False
        if self.run.began_with not in ("", ANSWERED) and command_of(self.raw) is None:
            return False  # a handler has it, which was put aside: it is no answer to what somebody else asks meanwhile
        answered = self._answers.offer(chat_id, user_id, self.raw, lambda: self.update)
        self._answered = tuple(answered or ())
        return answered is not None

    def _resumed(self) -> None:
        self._dicts.refresh()
        if not self._state_changes():
            self._state = []


if TYPE_CHECKING:

    class QueuedContext(QueuedReplies, Context):  # type: ignore[misc]  # its calls return something else, which is what it is for
        """A `Context` as a type checker sees it in a handler with `replies="with the end"`: what `reply` and the like return is a `Queued`."""

else:
    QueuedContext = Context
