"""Messages that one member of a group alone sees: whom the bot may send one, and when.

An administrator may at any time. Any other bot has to answer a press or a message of the member's within 15 seconds, and says which.
"""

from __future__ import annotations

import time

from syncbot.testing.api.content import ApiCall, whole
from syncbot.testing.world.problems import OLD_QUERY, bad_request
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON

ANSWER_SECONDS = 15.0


def receiver_of(call: ApiCall, chat: ChatState, content: JSON) -> int | None:
    """The member who alone is to see the message; None for one that everybody sees.

    Raises:
        ApiProblem: Telegram would not send this message to this member now.
    """
    asked = call.get("ephemeral_message_parameters")
    if not isinstance(asked, dict):
        return None
    user_id = whole(asked, "receiver_user_id")
    if chat.type not in ("group", "supergroup"):
        raise bad_request("ephemeral messages can be sent only to groups and supergroups")
    if call.world.users.get(user_id, call.world.bot)["is_bot"] or chat.members.get(user_id, "left") in ("left", "kicked"):
        raise bad_request("user not found")
    if content.get("location", {}).get("live_period"):
        raise bad_request("live locations can't be sent as ephemeral messages")
    answers = [_answers_press(call, chat, user_id, asked), _answers_message(call, chat, user_id)]
    if not any(answers) and chat.members.get(call.world.bot["id"]) != "administrator":
        raise bad_request("not enough rights to send ephemeral messages to the chat")
    return user_id


def _answers_press(call: ApiCall, chat: ChatState, user_id: int, asked: JSON) -> bool:
    """Whether it answers a press of the member's; where it is to stand in place of the message under the button, that one is not shown any more."""
    if not asked.get("callback_query_id"):
        return False
    state = call.world.callbacks.get(str(asked["callback_query_id"]))
    message = state.query["message"] if state is not None else {}
    is_right = state is not None and state.query["from"]["id"] == user_id and message["chat"]["id"] == chat.id
    if state is None or not is_right or time.time() - state.pressed > ANSWER_SECONDS:
        raise bad_request(OLD_QUERY)
    if asked.get("replace_callback_query_message") is True:
        if message.get("ephemeral_message_id"):
            raise bad_request("ephemeral messages can't be replaced")
        chat.seen_alone(user_id).more.setdefault("replaced", set()).add(message["message_id"])
    return True


def _answers_message(call: ApiCall, chat: ChatState, user_id: int) -> bool:
    """Whether it answers an ephemeral message of the member's."""
    reply = call.get("reply_parameters")
    if not isinstance(reply, dict) or not reply.get("ephemeral_message_id"):
        return False
    message = chat.seen_alone(user_id).messages.get(whole(reply, "ephemeral_message_id"))
    if message is None or message["from"]["id"] != user_id or time.time() - message["date"] > ANSWER_SECONDS + 1:  # dates are whole seconds
        raise bad_request("message to be replied not found")
    return True
