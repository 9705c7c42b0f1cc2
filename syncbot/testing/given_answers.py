"""Answers that are given beforehand to a handler that is tried without a runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn, TypeAlias

from syncbot.client.bot import Bot
from syncbot.errors import AskTimeout, Cancelled, Stopped
from syncbot.runtime.durable.results import error_text, value_text
from syncbot.runtime.handling.update_facts import kind_of
from syncbot.runtime.work.filter_text import filter_text
from syncbot.runtime.work.open_question import OpenQuestion
from syncbot.storage import Journal, JournalKey, JournalStep, OutboxCall
from syncbot.storage.promises.questions import Question, QuestionAnswer
from syncbot.transport.fake import FakeCall

GivenAnswer: TypeAlias = str | Mapping[str, Any] | AskTimeout | Cancelled
"""What answers a question: a message's text, or the label of the pressed button; a message's fields, as `{"photo": […]}`; or what the question ends with."""


class GivenAnswers:
    """`syncbot.runtime.durable.asking.Answers` where each question is answered at once. Time that a handler sleeps is over at once.

    Args:
        given: the answers, in order.
        update: whose chat and user they come from.
        bot: makes objects of them.
        calls: what was sent, where the buttons are found.
    """

    is_awaited = False

    def __init__(self, given: Sequence[GivenAnswer], update: Mapping[str, Any], bot: Bot, calls: Sequence[FakeCall]) -> None:
        self.trouble = ""
        """Why a question could not be answered."""
        self.journal: Journal | None = None
        """Where the next answers are written."""
        self.key = JournalKey(0)
        """Whose steps they are."""
        self._left = list(given)
        self._update = update
        self._bot = bot
        self._calls = calls

    @property
    def left(self) -> Sequence[GivenAnswer]:
        """What nobody has asked for."""
        return self._left

    def wait(self, question: Question, calls: Sequence[OutboxCall], *, is_recorded: bool) -> str:
        """The next answer.

        Raises:
            Stopped: there is none, or it does not fit.
        """
        outcome = value_text(None, "a sleep") if question.what == "sleep" else self._outcome(question)
        if is_recorded and self.journal is not None:
            self.journal.write(self.key, JournalStep(question.step, question.what, "", outcome))
        return outcome

    def aside(self) -> AbstractContextManager[None]:
        """Nobody is to go on meanwhile."""
        return nullcontext()

    def filter_text(self, wanted: Any) -> str:
        """A filter as the store keeps it."""
        return filter_text(wanted)

    def offer(self, chat: int, user: int, raw: Mapping[str, Any], typed: Callable[[], Any]) -> Sequence[QuestionAnswer] | None:
        """The update answers nothing."""
        return None

    def _outcome(self, question: Question) -> str:
        if not self._left:
            self._refuse(f"the handler asks (context.{question.what}) once more than there are answers: replay(…, answers=[…])")
        given = self._left.pop(0)
        if isinstance(given, AskTimeout | Cancelled):
            return error_text(given)
        raw = self._pressed(question, given) if question.what == "choose" else self._message(given)
        if not OpenQuestion(question).fits(raw, lambda: self._bot.typed_update(raw)):
            self._refuse(f"{given!r} is no answer that context.{question.what} waits for")
        return value_text(raw, "the answer")

    def _message(self, given: str | Mapping[str, Any]) -> dict[str, Any]:
        fields = {"text": given} if isinstance(given, str) else dict(given)
        return {"update_id": 1_000_000_000, "message": {"message_id": 1_000_000_000, "date": 0, **self._where(), **fields}}

    def _pressed(self, question: Question, label: object) -> dict[str, Any]:
        prefix, _ = question.wants["press"]
        buttons = (button for call in reversed(self._calls) for row in _keyboard(call) for button in row if button.get("text") == label)
        data = next((data for button in buttons if (data := str(button.get("callback_data"))).startswith(prefix)), None)
        if data is None:
            self._refuse(f"context.choose has no button {label!r}")
        where = self._where()
        message = {"message_id": 1_000_000_000, "date": 0, "chat": where["chat"]}
        query = {"id": "1", "from": where["from"], "chat_instance": "1", "message": message, "data": data}
        return {"update_id": 1_000_000_000, "callback_query": query}

    def _where(self) -> dict[str, Any]:
        """The chat and the user of the update."""
        body = self._update[kind_of(self._update) or ""]
        return {"chat": body.get("chat") or body["message"]["chat"], "from": body["from"]}

    def _refuse(self, why: str) -> NoReturn:
        self.trouble = why
        raise Stopped(why)


def _keyboard(call: FakeCall) -> Sequence[Sequence[Mapping[str, Any]]]:
    """The inline keyboard that was sent with a call."""
    markup = call.parameters.get("reply_markup") or {}
    rows: Sequence[Sequence[Mapping[str, Any]]] = (json.loads(markup) if isinstance(markup, str) else markup).get("inline_keyboard", ())
    return rows
