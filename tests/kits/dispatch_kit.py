"""Updates of every kind as Telegram sends them, and a bot to hand them to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from syncbot.client.bot import Bot
from syncbot.errors import AskTimeout
from syncbot.runtime.durable.results import error_text, value_text
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.dispatcher import Dispatcher
from syncbot.runtime.handling.router import Router
from syncbot.runtime.handling.update_facts import is_answer
from syncbot.runtime.job import job_body
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.storage import OutboxCall, Question, QuestionAnswer, open_store
from syncbot.storage.promises.data import Changes
from syncbot.storage.promises.jobs import JobEntry
from syncbot.transport import FakeTransport
from syncbot.transport.fake import FakeCall

TOKEN = "123456789:" + "Aa-_1" * 7
ANNA = {"id": 7, "is_bot": False, "first_name": "Anna", "username": "anna", "language_code": "pt-BR"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Anna"}
GROUP = {"id": -100, "type": "group", "title": "Friends"}
FORUM = {"id": -200, "type": "supergroup", "title": "Forum", "username": "TheForum", "is_forum": True}
CHANNEL = {"id": -300, "type": "channel", "title": "News"}

JSON = dict[str, Any]


def message(text: str | None = "hi", **fields: Any) -> JSON:
    """A message of Anna's in her private chat; the fields win (`from_user` is `from`), None leaves one out. A slash at the start is marked as a command."""
    if "from_user" in fields:
        fields["from"] = fields.pop("from_user")
    made: JSON = {"message_id": 11, "date": 1_700_000_000, "chat": PRIVATE, "from": ANNA, "text": text}
    if text and text.startswith("/"):
        made["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    return {name: value for name, value in (made | fields).items() if value is not None}


def update(payload: JSON | None = None, kind: str = "message", **fields: Any) -> JSON:
    """An update: a message with these fields, or anything else."""
    return {"update_id": 1, kind: message(**fields) if payload is None else payload}


BOT = {"id": 123456789, "is_bot": True, "first_name": "Bot"}
ALONE: JSON = message("/secret", message_id=0, ephemeral_message_id=5, receiver_user=BOT, chat=GROUP)
"""A message of Anna's that the bot alone sees."""
ALONE_OF_BOT: JSON = message("psst", message_id=0, ephemeral_message_id=6, receiver_user=ANNA, from_user=BOT, chat=GROUP)
"""A message of the bot's that Anna alone sees."""

SENT = message("sent", message_id=99, from_user=BOT)
"""What Telegram answers to sendMessage."""

_MEMBER = {"user": ANNA, "status": "member"}
_MEMBERSHIP = {"chat": GROUP, "from": ANNA, "date": 1, "old_chat_member": _MEMBER, "new_chat_member": _MEMBER}
_BOOST = {"boost_id": "b", "add_date": 1, "expiration_date": 2, "source": {"source": "premium", "user": ANNA}}
_ADDRESS = {"country_code": "DE", "state": "", "city": "B", "street_line1": "s", "street_line2": "", "post_code": "1"}
_POLL: JSON = {
    "id": "p",
    "question": "?",
    "options": [],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": True,
    "members_only": False,
}

SAMPLES: Mapping[str, JSON] = {
    "message": message(),
    "edited_message": message(edit_date=2),
    "channel_post": message(chat=CHANNEL, sender_chat=CHANNEL, from_user=None),
    "edited_channel_post": message(chat=CHANNEL, sender_chat=CHANNEL, edit_date=2, from_user=None),
    "business_connection": {"id": "bc", "user": ANNA, "user_chat_id": 7, "date": 1, "is_enabled": True},
    "business_message": message(business_connection_id="bc"),
    "edited_business_message": message(business_connection_id="bc", edit_date=2),
    "deleted_business_messages": {"business_connection_id": "bc", "chat": PRIVATE, "message_ids": [1]},
    "guest_message": message(chat=GROUP, guest_query_id="gq"),
    "message_reaction": {"chat": GROUP, "message_id": 5, "user": ANNA, "date": 1, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]},
    "message_reaction_count": {"chat": GROUP, "message_id": 5, "date": 1, "reactions": []},
    "inline_query": {"id": "iq", "from": ANNA, "query": "cats 12", "offset": ""},
    "chosen_inline_result": {"result_id": "r1", "from": ANNA, "query": "cats", "inline_message_id": "im"},
    "callback_query": {"id": "cq", "from": ANNA, "chat_instance": "ci", "data": "buy:12", "message": message(message_id=21, chat=GROUP)},
    "shipping_query": {"id": "sq", "from": ANNA, "invoice_payload": "order-1", "shipping_address": _ADDRESS},
    "pre_checkout_query": {"id": "pq", "from": ANNA, "currency": "EUR", "total_amount": 1, "invoice_payload": "order-1"},
    "purchased_paid_media": {"from": ANNA, "paid_media_payload": "media-1"},
    "poll": _POLL,
    "poll_answer": {"poll_id": "p", "user": ANNA, "option_ids": [0], "option_persistent_ids": ["a"]},
    "my_chat_member": _MEMBERSHIP,
    "chat_member": _MEMBERSHIP,
    "chat_join_request": {"chat": GROUP, "from": ANNA, "user_chat_id": 70, "date": 1, "query_id": "jq"},
    "chat_boost": {"chat": CHANNEL, "boost": _BOOST},
    "removed_chat_boost": {"chat": CHANNEL, "boost_id": "b", "remove_date": 1, "source": {"source": "premium", "user": ANNA}},
    "managed_bot": {"user": ANNA, "bot": {"id": 8, "is_bot": True, "first_name": "Other"}},
    "subscription": {"user": ANNA, "invoice_payload": "order-1", "state": "canceled"},
    "stopped_message_generation": {"chat": PRIVATE, "message_thread_id": 44, "draft_id": 3},
}
"""One update of every kind, without its id."""


class Turn:
    """A turn whose answers are scripted.

    Args:
        answers: what `ask` returns, one after the other; none is left: nobody answers.
        waiting: the chats and users that a question waits for.
    """

    def __init__(self, *answers: JSON, waiting: tuple[tuple[int, int], ...] = ()) -> None:
        self.asked: list[tuple[int, int, float]] = []
        self.offered: list[JSON] = []
        self.before_answer: Callable[[], object] = lambda: None
        self._answers = list(answers)
        self._waiting = waiting

    @property
    def is_awaited(self) -> bool:
        return True

    def wait(self, question: Question, calls: Sequence[OutboxCall], *, is_recorded: bool) -> str:
        """Answer from the script."""
        assert question.chat is not None
        assert question.user is not None
        self.asked.append((question.chat, question.user, round((question.until or 0.0) - question.asked, 3)))
        self.before_answer()
        return value_text(self._answers.pop(0), "the answer") if self._answers else error_text(AskTimeout("nobody answered"))

    def aside(self) -> AbstractContextManager[None]:
        """Nobody goes on meanwhile."""
        return nullcontext()

    def offer(self, chat: int, user: int, raw: Mapping[str, Any], typed: Callable[[], Any]) -> Sequence[QuestionAnswer] | None:
        """Take what is waited for."""
        if (chat, user) not in self._waiting or not is_answer(raw):
            return None
        self.offered.append(dict(raw))
        return ()


class Rig:
    """A bot without a network, with a store in memory."""

    def __init__(self, **options: Any) -> None:
        self.transport = FakeTransport(sendMessage=SENT)
        self.bot = Bot(TOKEN, transport=self.transport, limits=None)
        self.store = open_store(None, self.bot.id)
        self.app = Router()
        self.options: JSON = {"bot_username": lambda: "TheBot"} | options

    @property
    def dispatcher(self) -> Dispatcher:
        """What hands updates to the handlers."""
        return Dispatcher(self.app.routes, self.bot, self.store.data, **self.options)

    def handle(self, raw: JSON, turn: Turn | None = None) -> Changes:
        """Handle an update and write what it changed."""
        changes = self.dispatcher.handle(raw, turn)
        self.store.data.apply(changes)
        return changes

    def send(self, text: str | None = "hi", **fields: Any) -> Changes:
        """Handle a message of Anna's."""
        return self.handle(update(text=text, **fields))

    def run_job(self, function: Callable[[Context], object], **facts: Any) -> Changes:
        """Run a function as the job "daily", as it stands in the inbox."""
        functions = JobFunctions()
        functions.job("daily")(function)
        entry = JobEntry("daily", "daily", {"at": 0.0}, 1_800_000_000.0, **facts)
        return Dispatcher(self.app.routes, self.bot, self.store.data, jobs=functions).handle(json.loads(job_body(entry, repeats=False)), Turn())

    @property
    def calls(self) -> list[FakeCall]:
        """What the bot has sent."""
        return self.transport.calls

    def close(self) -> None:
        """Close the store."""
        self.store.close()
