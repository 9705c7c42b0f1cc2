"""What a handler waits for: answers, pressed buttons, time."""

from __future__ import annotations

import contextlib
import math
import re
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from syncbot.bounds import check_seconds
from syncbot.errors import ApiError, NetworkError
from syncbot.runtime.durable.run import DurableRun
from syncbot.storage.promises.outbox import OutboxCall
from syncbot.storage.promises.questions import Question, QuestionAnswer

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

_V = TypeVar("_V")

PRESSED = "ask:"
"""How the data of the buttons of `choose` begin; then the row of what is handled follows, which question of it this is, and which button."""
_BUTTON = re.compile(rf"{PRESSED}(\d{{1,18}}):\d+:\d+", re.ASCII)


class Answers(Protocol):
    """Where a handler waits without holding up anybody, and where updates go that may be an answer."""

    def wait(self, question: Question, calls: Sequence[OutboxCall], *, is_recorded: bool) -> str:
        """Open a question, and wait until it is over; returns what came of it, as the journal keeps it.

        Args:
            question: it.
            calls: what goes into the outbox with it.
            is_recorded: it stands in the journal, so that the handler may be put aside.

        Raises:
            Stopped: the handler is to be put aside.
            RuntimeError: it cannot be.
        """
        ...

    def aside(self) -> contextlib.AbstractContextManager[None]:
        """Within the block the handler waits for work of its own elsewhere: where that can be, the chat's turn and the worker are free."""
        ...

    def filter_text(self, wanted: Any) -> str:
        """A filter as the store keeps it; see `syncbot.runtime.work.filter_text`."""
        ...

    @property
    def is_awaited(self) -> bool:
        """Whether any question is open, so that this may answer it."""
        ...

    def offer(self, chat: int, user: int, raw: Mapping[str, Any], typed: Callable[[], Any]) -> Sequence[QuestionAnswer] | None:
        """Let the update answer a question; what is to be written with its end, or None where it answers nothing."""
        ...


class Asking:
    """The part of a `Context` that waits."""

    bot: Bot
    run: DurableRun
    _answers: Answers | None = None
    _decode: Callable[[Any], Any]
    _choices = 0

    @overload
    def choose(self, text: str, options: Sequence[str], *values: Any, columns: int = 1, timeout: float = 300.0, **given: Any) -> str: ...
    @overload
    def choose(self, text: str, options: Mapping[str, _V], *values: Any, columns: int = 1, timeout: float = 300.0, **given: Any) -> _V: ...
    def choose(self, text: str, options: Any, *values: Any, columns: int = 1, timeout: float = 300.0, **given: Any) -> Any:
        """Send a question with a button for each option, and wait for the same user to press one. The keyboard is taken away afterwards.

        ```python
        size = context.choose("Size?", ["S", "M", "L"], columns=3)
        days = context.choose("For how long?", {"A day": 1, "A week": 7})
        ```

        Args:
            text, values, given: what is sent, as for `reply`; the keyboard is made here.
            options: the labels, or the value for each label.
            columns: how many buttons stand beside each other.
            timeout: as for `ask`.

        Returns:
            The label, or its value.

        Raises:
            ValueError: there are no options.
            AskTimeout, Cancelled, TypeError, RuntimeError: as for `ask`.
        """
        self._check_ask("choose", timeout)
        labels = list(options)
        if not labels or not all(isinstance(label, str) for label in labels):
            raise ValueError("context.choose() needs labels for its buttons: a list of texts, or a dict of values by text")
        from syncbot.keyboards import grid, inline  # deferred: most handlers ask for a text, or for nothing

        prefix = f"{PRESSED}{self.run.row}:{self._choices}:"  # by which the handler knows it again in another run
        self._choices += 1
        keyboard = inline(grid([(label, f"{prefix}{place}") for place, label in enumerate(labels)], columns))
        sent = getattr(self, "reply")(text, *values, reply_markup=keyboard, **given)  # noqa: B009  # made from the table, as in `ask`
        outcome = self._wait("choose", {"press": [prefix, len(labels)]}, timeout)
        if isinstance(outcome, Exception):
            chat = getattr(sent, "chat", None)  # of one that went out by the outbox, who has sent it says which message it is
            message_id = getattr(outcome, "message_id", None) if chat is None else sent.message_id
            self._take_keyboard_away(self.target.chat_id if chat is None else chat.id, message_id)
            raise outcome
        pressed = self._decode(outcome).callback_query
        with contextlib.suppress(ApiError, NetworkError):  # too late for an answer: the button waits no more
            self.bot.answer_callback_query(pressed.id)
        self._take_keyboard_away(getattr(getattr(pressed.message, "chat", None), "id", None), getattr(pressed.message, "message_id", None))
        label = labels[int(pressed.data.removeprefix(prefix))]
        return options[label] if isinstance(options, Mapping) else label

    def sleep(self, seconds: float) -> None:
        """Wait, in all as long as this from the first run's waiting on: also when the process dies or stops meanwhile.

        The chat's turn and the worker are free meanwhile.

        Raises:
            RuntimeError: nothing can be waited for here.
            TypeError, ValueError: these are no seconds.
        """
        self._need_answers("sleep")
        check_seconds("seconds", seconds, least=0.0)
        self._wait("sleep", {}, seconds)

    def aside(self) -> contextlib.AbstractContextManager[None]:
        """Within the block the chat's next updates and another worker go on, where there is a state file; for syncbot's own parts."""
        return contextlib.nullcontext() if self._answers is None else self._answers.aside()

    def _check_ask(self, what: str, timeout: float, filters: Any = None) -> dict[str, Any]:
        answers = self._need_answers(what)
        check_seconds("timeout", timeout, least=0.0)
        if self.target.chat_id is None or self.target.user_id is None:
            where = "not in jobs without one: put the job with chat_id=" if self.target.kind == "" else "this update lacks one of them"
            raise RuntimeError(f"context.{what}() waits for a user in a chat, and {where}")
        return {} if filters is None else {"message": answers.filter_text(filters)}

    def _need_answers(self, what: str) -> Answers:
        if self._answers is None:
            raise RuntimeError(f"context.{what}() works in the handlers of a runtime with a state file only, not in error handlers; use context.state")
        return self._answers

    def _wait_for_message(self, wants: Mapping[str, Any], timeout: float) -> Any:
        outcome = self._wait("ask", wants, timeout)
        if isinstance(outcome, Exception):
            raise outcome
        update = self._decode(outcome)
        return update.message or update.business_message

    def _wait(self, what: str, wants: Mapping[str, Any], timeout: float) -> Any:
        answers, run, target = self._answers, self.run, self.target
        assert answers is not None
        now = time.time()
        until = None if timeout == math.inf else now + timeout
        chat, user = (None, None) if what == "sleep" else (target.chat_id, target.user_id)

        def wait(step: int | None) -> str:
            calls, run.queued = run.queued, []
            return answers.wait(Question(run.row, step or 0, what, chat, user, wants, now, until), calls, is_recorded=step is not None)

        outcome = run.awaited(what, wait)
        self._resumed()
        return outcome

    @property
    @abstractmethod
    def target(self) -> Any:
        """What an answer to the update has to name."""

    @abstractmethod
    def _resumed(self) -> None:
        """The waiting is over: other handlers of this user may have run meanwhile."""

    def _take_keyboard_away(self, chat_id: int | None, message_id: int | None) -> None:
        if chat_id is not None and message_id is not None:
            with contextlib.suppress(ApiError, NetworkError), self.run.at_once():  # the user may have deleted it
                self.bot.edit_message_reply_markup(chat_id=chat_id, message_id=message_id)


@contextlib.contextmanager
def delivering(bot: Bot, lives: Callable[[Any], bool], result: Any) -> Iterator[None]:
    """Within the block it is written down that a call of the outbox was carried out. Before that the message of a question is known, since whoever dies in
    between leaves a call that is made again, or looked at; behind it the keyboard is taken away of a question that came when that was over.

    Args:
        bot: whose question it is.
        lives: told the result; whether the question is open, and True of what is none.
        result: what the call came to, as JSON.
    """
    is_alive = lives(result)
    yield
    if not is_alive:
        with contextlib.suppress(ApiError, NetworkError):  # the user may have deleted it
            bot.edit_message_reply_markup(chat_id=result["chat"]["id"], message_id=result["message_id"])


def question_of(result: Any) -> tuple[int, str] | None:
    """The row and the first button's data of a message that is a question of `choose`; None of anything else, a bot's own buttons among it."""
    try:
        data = str(result["reply_markup"]["inline_keyboard"][0][0]["callback_data"])
    except (TypeError, LookupError):
        return None
    found = _BUTTON.fullmatch(data)
    return (int(found[1]), data) if found is not None and "message_id" in result else None
