"""Telegram's envelope, and the objects in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from fuzzing.findings import TOKEN
from fuzzing.mutation import mutate_json
from fuzzing.target import Target
from syncbot import Bot
from syncbot.client.plain_bot import PlainBot
from syncbot.client.ptb.decode import DecodeError
from syncbot.errors import ApiError, ChatMigrated, NetworkError, RetryAfter
from syncbot.types import Request, Response

PERSON = '{"id":7,"is_bot":false,"first_name":"Anna","username":"anna"}'
GROUP = '{"id":-100,"type":"supergroup","title":"Friends"}'
MESSAGE = f'{{"message_id":5,"date":1700000000,"chat":{GROUP},"from":{PERSON},"text":"/start hi","entities":[{{"type":"bot_command","offset":0,"length":6}}]}}'
UPDATES = (
    f'{{"update_id":1,"message":{MESSAGE}}}',
    f'{{"update_id":2,"message":{MESSAGE[:-1]},"reply_to_message":{MESSAGE},"photo":[{{"file_id":"a","file_unique_id":"b","width":1,"height":2}}]}}}}',
    f'{{"update_id":3,"callback_query":{{"id":"1","from":{PERSON},"chat_instance":"1","data":"x","message":{MESSAGE}}}}}',
    f'{{"update_id":4,"inline_query":{{"id":"1","from":{PERSON},"query":"cats","offset":""}}}}',
    f'{{"update_id":5,"poll_answer":{{"poll_id":"1","user":{PERSON},"option_ids":[0],"option_persistent_ids":["0"]}}}}',
    f'{{"update_id":6,"chat_member":{{"chat":{GROUP},"from":{PERSON},"date":1,"old_chat_member":{{"user":{PERSON},"status":"left"}},'
    f'"new_chat_member":{{"user":{PERSON},"status":"member"}}}}}}',
    f'{{"update_id":7,"brand_new_kind":{{"chat":{GROUP},"from":{PERSON},"value":1.5}}}}',
    '{"update_id":8,"poll":{"id":"1","question":"q","options":[{"text":"a","voter_count":0}],"total_voter_count":0,"is_closed":false,'
    '"is_anonymous":true,"type":"quiz","allows_multiple_answers":false,"correct_option_id":0}}',
)
"""Updates of several kinds, as JSON."""
WORDS = tuple(
    word.encode()
    for word in (
        *("ok", "result", "error_code", "description", "parameters", "retry_after"),
        *("migrate_to_chat_id", "update_id", "message", "edited_message", "text", "date"),
        *("chat", "from", "entities", "photo", "reply_to_message", "sender_chat"),
        *("callback_query", "via_bot", "caption", "document", "dice", "successful_payment"),
        *("private", "channel", "type", "429", "400", "401", "409", "500", "5000000000000", "1e999"),
        *("-1", "9" * 401, '"5"', "true", "null", "[]", "{}", PERSON, GROUP, MESSAGE),
    )
)  # fmt: skip
"""What makes a difference in an envelope or an update."""


def look_at(call: Callable[..., Any], *arguments: Any) -> Any:
    """Make a call; of an error that says more than its text, look at that too."""
    try:
        return call(*arguments)
    except RetryAfter as error:
        if not math.isfinite(error.retry_after) or error.retry_after < 0:
            raise ArithmeticError(f"retry_after is {error.retry_after}") from None
        raise
    except ChatMigrated as error:
        int(error.new_chat_id)
        raise


class Envelopes(Target):
    """A call whose answer is the input, decoded to python-telegram-bot's objects."""

    about = "JSON envelopes: results and errors, decoded to python-telegram-bot's objects and to plain ones"
    shape = staticmethod(mutate_json)
    words = WORDS
    longest = 16_384
    calls: ClassVar[dict[str, Callable[[Bot], Any]]] = {
        "updates": lambda bot: bot.get_updates(),
        "message": lambda bot: bot.send_message(chat_id=1, text="hi"),
        "edited": lambda bot: bot.edit_message_text(chat_id=1, message_id=2, text="hi"),
        "me": lambda bot: bot.get_me(),
        "chat": lambda bot: bot.get_chat(chat_id=1),
        "member": lambda bot: bot.get_chat_member(chat_id=1, user_id=2),
        "file": lambda bot: bot.get_file(file_id="x"),
        "download": lambda bot: bot.download_bytes("x"),
        "webhook": lambda bot: bot.get_webhook_info(),
        "plain": lambda bot: bot.call("newMethod"),
    }
    seeds: ClassVar = (
        f'updates\n{{"ok":true,"result":[{",".join(UPDATES)}]}}'.encode(),
        f'message\n{{"ok":true,"result":{MESSAGE}}}'.encode(),
        b'edited\n{"ok":true,"result":true}',
        f'me\n{{"ok":true,"result":{PERSON}}}'.encode(),
        b'chat\n{"ok":true,"result":{"id":-100,"type":"supergroup","title":"F","accent_color_id":1,"max_reaction_count":9,"permissions":{"can_send_messages":true}}}',
        f'member\n{{"ok":true,"result":{{"user":{PERSON},"status":"restricted","until_date":0}}}}'.encode(),
        b'file\n{"ok":true,"result":{"file_id":"x","file_unique_id":"y","file_size":4,"file_path":"photos/a.jpg"}}',
        b'download\n{"ok":true,"result":{"file_id":"x","file_unique_id":"y","file_size":4,"file_path":"/etc/hostname"}}',
        b'webhook\n{"ok":true,"result":{"url":"https://x/","has_custom_certificate":false,"pending_update_count":0,"last_error_date":1}}',
        b'me\n{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3","parameters":{"retry_after":3}}',
        b'message\n{"ok":false,"error_code":400,"description":"upgraded","parameters":{"migrate_to_chat_id":-1001}}',
        b'me\n{"ok":false,"error_code":404,"description":"/bot' + TOKEN.encode() + b'/getMe was not found"}',
        b"plain\n<html>a gateway</html>",
    )

    def open(self) -> None:
        """Bots whose transport answers with the input: with python-telegram-bot's objects, and with plain ones."""
        self.answer = b""
        self.bots = (Bot(TOKEN, transport=self, retry=None, limits=None), PlainBot(TOKEN, transport=self, retry=None, limits=None))

    def send(self, request: Request) -> Response:
        """Part of `syncbot.types.Transport`."""
        return Response(200, {"Content-Type": "application/json"}, self.answer)

    def abort(self, scope: str) -> int:
        """Part of `syncbot.types.Transport`."""
        return 0

    def run(self, data: bytes) -> None:
        """The first line names the call, the rest is its answer."""
        name, _, self.answer = data.partition(b"\n")
        call = self.calls.get(name.decode("ascii", "replace"), self.calls["plain"])
        for bot in self.bots:
            self.attempt(lambda bot=bot: look_at(call, bot), NetworkError, ApiError, DecodeError, ValueError)  # a path of the server's own disk

    def plant(self, value: Any) -> bool:
        """A bug for a message without entities, of nobody, in a chat without a title."""
        return bool(
            getattr(value, "chat", None) is not None
            and not value.entities
            and value.from_user is None
            and value.chat.title is None
        )  # fmt: skip
