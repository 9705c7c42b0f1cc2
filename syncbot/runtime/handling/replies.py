"""The methods of the Bot API as a handler wants them: what the update says is filled in. The stub beside this file shows them all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from syncbot.client.api.bot_methods import LateMethod, by_name
from syncbot.runtime.handling.reply_table import ANSWERS, FOR_EPHEMERAL, SHORTCUTS, Shortcut
from syncbot.runtime.handling.update_facts import ReplyTarget, field_of

if TYPE_CHECKING:
    from syncbot.client.bot import Bot


class Replies:
    """What a handler does with its update; a subclass says what the update says."""

    bot: Bot
    _bot: Bot  # the same, but plain also while `bot` is awaitable
    _sent: Mapping[str, int] = MappingProxyType({})  # what names the message that was sent last

    @property
    @abstractmethod
    def target(self) -> ReplyTarget:
        """What an answer to the update has to name."""

    def ask(
        self,
        text: str,
        *values: Any,
        timeout: float = 300.0,
        filters: Any = None,
        check: Callable[[Any], str | None] | None = None,
        **given: Any,
    ) -> Any:
        """Send a question and wait for a message of the same user in the same chat that answers it.

        The chat's turn and the worker are free meanwhile; commands, and what the filter does not want, go to the other handlers. The question stays open when
        the process dies or stops, and may be answered in another one.

        Args:
            text, values, given: what is sent, as for `reply`.
            timeout: seconds to wait for each answer, not for the call; `math.inf` for as long as it takes.
            filters: which messages are answers, such as `filters.PHOTO`; None for any that is no command.
            check: called with the message; a text that it returns is sent, and the next answer is waited for; None takes the message.

        Returns:
            The message.

        Raises:
            AskTimeout: nobody answered in time.
            Cancelled: the user wrote /cancel.
            TypeError: the filter is, or holds, a function: use `check`; or the time is no number. Nothing was sent.
            ValueError: the time is below 0, or no number of seconds. Nothing was sent.
            RuntimeError: nothing can be waited for here (a job, an error handler), or the update has no user in a chat; nothing was sent.
        """
        wants = self._check_ask("ask", timeout, filters)
        getattr(self, "reply")(text, *values, **given)  # noqa: B009  # made from the table, where type checkers see it in the stub alone
        while True:
            message = self._wait_for_message(wants, timeout)
            again = check(message) if check is not None else None
            if not again:
                return message
            if not isinstance(again, str):
                raise TypeError(f"check= returned {again!r}; it returns a text to ask again with, or None for an answer that fits")
            getattr(self, "reply")(again)  # noqa: B009  # as above

    def answer(self, *values: Any, **given: Any) -> Any:
        """Answer a query: a pressed button, an inline query, a shipping or pre-checkout query, a guest message, a request to join.

        Raises:
            RuntimeError: the update is none of these.
        """
        shortcut = ANSWERS.get(self.target.kind)
        if shortcut is None or self.target.query_id is None:
            instead = "context.approve() or context.decline()" if self.target.kind == "chat_join_request" else "context.reply()"
            raise RuntimeError(f"context.answer() answers queries, and there is none in {_shown(self.target)}; use {instead}")
        return getattr(self._bot, shortcut.spec.python_name)(**_filled(self, shortcut, values, given))

    def delete(self, **given: Any) -> Any:
        """Delete the update's message, or the one under the pressed button; that of a business account in its own way."""
        target = self.target
        if target.ephemeral_message_id is not None:
            return self._bot.delete_ephemeral_message(**_filled(self, FOR_EPHEMERAL["delete"], (), given))
        if target.business_connection_id is None or target.message_id is None:
            return self._bot.delete_message(**_filled(self, SHORTCUTS["delete"], (), given))
        return self._bot.delete_business_messages(target.business_connection_id, [target.message_id], **given)

    @abstractmethod
    def _check_ask(self, what: str, timeout: float, filters: Any = None) -> dict[str, Any]:
        """Refuse what cannot be waited for, before the question is sent; what an answer has to be, as the store keeps it."""

    @abstractmethod
    def _wait_for_message(self, wants: Mapping[str, Any], timeout: float) -> Any:
        """The next message of the user in the chat that is wanted."""


def _build(shortcut: Shortcut) -> Callable[..., Any]:
    def method(self: Replies, /, *values: Any, **given: Any) -> Any:
        used = FOR_EPHEMERAL.get(shortcut.name, shortcut) if shortcut.edits and _edits_ephemeral(self) else shortcut
        result = getattr(self._bot, used.spec.python_name)(**_filled(self, used, values, given))
        if shortcut.defaults:
            _remember(self, result)
        return result

    method.__name__ = shortcut.name
    method.__qualname__ = f"Replies.{shortcut.name}"
    method.__doc__ = f"{shortcut.summary}\n\nCalls {shortcut.method} with {', '.join(shortcut.fixed)} taken from the update."
    return method


def _filled(self: Replies, shortcut: Shortcut, values: tuple[Any, ...], given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the call: what was given, and what the update says."""
    # The method's own order, without what is filled in.
    order = [name for name in tuple(shortcut.spec.parameters)[: shortcut.spec.positional] if name not in shortcut.fixed]
    given = by_name(f"context.{shortcut.name}()", order, values, given)
    if refused := [name for name in given if name in shortcut.fixed]:
        raise TypeError(f"context.{shortcut.name}() takes {refused[0]} from the update; for another one use context.bot.{shortcut.spec.python_name}()")
    quote = given.pop("quote", False) if shortcut.quotable else False
    parameters = shortcut.spec.parameters
    filled = {name: getattr(self.target, field) for name, field in shortcut.fixed.items() if name in parameters}
    filled |= {name: getattr(self.target, field) for name, field in shortcut.defaults.items() if name in parameters and name not in given}
    if shortcut.edits:
        filled |= _edited(self)
    _check_filled(self.target, shortcut, filled)
    if "ephemeral_message_parameters" in parameters:
        filled |= _for_the_same_eyes(self.target, given)
    if quote and "reply_parameters" not in filled:
        filled |= _quote(self.target, given)
    return filled | given


def _check_filled(target: ReplyTarget, shortcut: Shortcut, filled: dict[str, Any]) -> None:
    """Refuse a call that the update says too little for."""
    missing = [name for name in shortcut.fixed if name in filled and filled[name] is None and shortcut.spec.parameters[name].required]
    if "inline_message_id" in shortcut.fixed and filled.get("message_id") is None and filled.get("inline_message_id") is None:
        missing = missing or ["message_id"]
    if missing:
        advice = "; a guest message is answered with context.answer()" if target.kind == "guest_message" else ""
        raise RuntimeError(f"context.{shortcut.name}() needs a {missing[0]}, and there is none in {_shown(target)}{advice}")


def _edited(self: Replies) -> Mapping[str, int]:
    """Which message an edit is about, where it is not the update's own: users' messages cannot be edited, so it is the last one sent from here."""
    return self._sent if self.target.kind != "callback_query" and self.target.inline_message_id is None else {}


def _edits_ephemeral(self: Replies) -> bool:
    """Whether an edit is about a message that one user alone sees."""
    edited = _edited(self)
    return "ephemeral_message_id" in edited if edited else self.target.ephemeral_message_id is not None


def _for_the_same_eyes(target: ReplyTarget, given: dict[str, Any]) -> dict[str, Any]:
    """A reply to a message that one user alone sees is for that user alone, unless the caller says who is to see it.

    A bot that is no administrator may send such a message only in answer to one, or to a press of a button.
    """
    if target.ephemeral_message_id is None or "ephemeral_message_parameters" in given:
        return {}
    if target.kind == "callback_query":
        return {"ephemeral_message_parameters": {"receiver_user_id": target.user_id, "callback_query_id": target.query_id}}
    for_user = {"ephemeral_message_parameters": {"receiver_user_id": target.user_id}}
    if given.get("reply_parameters") is not None or given.get("reply_to_message_id") is not None:
        return for_user
    given.pop("allow_sending_without_reply", None)  # which Telegram takes as False here
    return for_user | {"reply_parameters": {"ephemeral_message_id": target.ephemeral_message_id}}


def _quote(target: ReplyTarget, given: dict[str, Any]) -> dict[str, Any]:
    """Make the message a reply to the update's; one that was deleted meanwhile is no reason to send nothing."""
    if both := [name for name in ("reply_parameters", "reply_to_message_id") if given.get(name) is not None]:
        raise TypeError(f"give either quote or {both[0]}, not both")
    if target.message_id is None:
        raise RuntimeError(f"there is no message to quote in {_shown(target)}")
    anyway = given.pop("allow_sending_without_reply", None)
    return {"reply_parameters": {"message_id": target.message_id, "allow_sending_without_reply": True if anyway is None else anyway}}


def _remember(self: Replies, result: Any) -> None:
    """Keep which message was sent last, for `edit`."""
    first = result[0] if isinstance(result, tuple | list) and result else result
    chat, message_id = getattr(first, "chat", None), getattr(first, "message_id", None)
    if chat is None or message_id is None:
        return
    if (ephemeral_id := field_of(first, "ephemeral_message_id")) is None:
        self._sent = {"chat_id": chat.id, "message_id": message_id}
    elif (receiver := field_of(first, "receiver_user")) is not None:
        self._sent = {"chat_id": chat.id, "receiver_user_id": receiver.id, "ephemeral_message_id": ephemeral_id}


def _shown(target: ReplyTarget) -> str:
    return f"an update of the kind {target.kind}" if target.kind else "a context without an update"


for _shortcut in SHORTCUTS.values():
    if _shortcut.name not in vars(Replies):
        setattr(Replies, _shortcut.name, LateMethod(Replies, _build, _shortcut))
