"""Every handler of python-telegram-bot 13 against every kind of update: what its function is given. Runs under both; needs the standard library alone."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from typing import Any

from telegram import Bot, Update, User
from telegram.ext import (
    CallbackQueryHandler,
    ChatJoinRequestHandler,
    ChatMemberHandler,
    ChosenInlineResultHandler,
    CommandHandler,
    Dispatcher,
    Filters,
    InlineQueryHandler,
    MessageHandler,
    PollAnswerHandler,
    PollHandler,
    PreCheckoutQueryHandler,
    PrefixHandler,
    RegexHandler,
    ShippingQueryHandler,
    StringCommandHandler,
    StringRegexHandler,
    TypeHandler,
)

NOW = 1_700_000_000
ANN = {"id": 11, "is_bot": False, "first_name": "Ann", "username": "ann"}
PRIVATE = {"id": 11, "type": "private", "first_name": "Ann"}
CHANNEL = {"id": -1002, "type": "channel", "title": "Channel"}
ME = {"id": 123, "is_bot": True, "first_name": "Bot", "username": "OurBot"}
PLACE = {"country_code": "AT", "state": "", "city": "Wien", "street_line1": "1", "street_line2": "", "post_code": "1010"}


def command(text: str, **fields: Any) -> dict[str, Any]:
    """A message that begins with a command."""
    return said(text, entities=[{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}], **fields)


def said(text: str, chat: Any = PRIVATE, **fields: Any) -> dict[str, Any]:
    """A message."""
    return {"message_id": 1, "date": NOW, "chat": chat, "from": ANN, "text": text, **fields}


def pressed(**fields: Any) -> dict[str, Any]:
    """A pressed button."""
    return {"callback_query": {"id": "1", "from": ANN, "chat_instance": "1", "message": {**said("Buttons"), "from": ME}, **fields}}


def member(status: str) -> dict[str, Any]:
    """Somebody's membership."""
    return {"user": ANN, "status": status, **({"until_date": 0} if status == "kicked" else {})}


CHANGED = {"chat": CHANNEL, "from": ANN, "date": NOW, "old_chat_member": member("left"), "new_chat_member": member("member")}
POLL = {
    "id": "1",
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
UPDATES: dict[str, Any] = {
    "text": {"message": said("Hello 7 worlds")},
    "no entities": {"message": said("/start")},
    "command": {"message": command("/start")},
    "command with words": {"message": command("/START a  b")},
    "command to us": {"message": command("/start@ourbot x")},
    "command to others": {"message": command("/start@otherbot x")},
    "other command": {"message": command("/help")},
    "command later": {"message": said("do /start", entities=[{"type": "bot_command", "offset": 3, "length": 6}])},
    "command in a caption": {"message": {**said(""), "caption": "/start", "photo": [], "text": None}},
    "edited command": {"edited_message": {**command("/start x"), "edit_date": NOW}},
    "command in a channel": {"channel_post": command("/start x", chat=CHANNEL)},
    "edited text": {"edited_message": {**said("Hello 7"), "edit_date": NOW}},
    "post": {"channel_post": said("Hello 7", chat=CHANNEL)},
    "edited post": {"edited_channel_post": {**said("Hello 7", chat=CHANNEL), "edit_date": NOW}},
    "prefix": {"message": said("!Test a b")},
    "other prefix": {"message": said("#help")},
    "prefix in between": {"message": said("a !test")},
    "prefix in a channel": {"channel_post": said("!test a", chat=CHANNEL)},
    "button": {**pressed(data="buy 7")},
    "other button": {**pressed(data="sell")},
    "game button": {**pressed(game_short_name="chess")},
    "inline query": {"inline_query": {"id": "1", "from": ANN, "query": "buy 7", "offset": "", "chat_type": "private"}},
    "empty inline query": {"inline_query": {"id": "1", "from": ANN, "query": "", "offset": "", "chat_type": "channel"}},
    "chosen": {"chosen_inline_result": {"result_id": "buy 7", "from": ANN, "query": "b"}},
    "poll": {"poll": POLL},
    "vote": {"poll_answer": {"poll_id": "1", "user": ANN, "option_ids": [0], "option_persistent_ids": ["0"]}},
    "shipping": {"shipping_query": {"id": "1", "from": ANN, "invoice_payload": "p", "shipping_address": PLACE}},
    "checkout": {"pre_checkout_query": {"id": "1", "from": ANN, "currency": "EUR", "total_amount": 1, "invoice_payload": "p"}},
    "my membership": {"my_chat_member": CHANGED},
    "membership": {"chat_member": CHANGED},
    "wants to join": {"chat_join_request": {"chat": CHANNEL, "from": ANN, "date": NOW, "user_chat_id": 11}},
    "string command": "/start a  b",
    "other string command": "/startx a",
    "string": "buy 7",
    "number": 7,
    "truth": True,
}


class Number(int):
    """What a strict TypeHandler for int leaves alone."""


UPDATES_MADE = {"subclass": Number(3)}
OLD = {"pass_update_queue": True, "pass_job_queue": True}
DATA = {"pass_user_data": True, "pass_chat_data": True}
GROUPS = {"pass_groups": True, "pass_groupdict": True}
PATTERN = r"(?P<what>\w+) (?P<number>\d+)"

Make = Callable[[Callable[..., Any], dict[str, Any]], Any]
HANDLERS: dict[str, tuple[Make, dict[str, Any]]] = {
    "command": (lambda f, o: CommandHandler("Start", f, **o), {**OLD, **DATA, "pass_args": True}),
    "commands": (lambda f, o: CommandHandler(["start", "help"], f, **o), {}),
    "command, filtered": (lambda f, o: CommandHandler("start", f, Filters.regex("(x)"), **o), {}),
    "command, not edited": (lambda f, o: CommandHandler("start", f, allow_edited=False, **o), {}),
    "command, no edits by filter": (lambda f, o: CommandHandler("start", f, ~Filters.update.edited_message, **o), {}),
    "prefix": (lambda f, o: PrefixHandler("!", "test", f, **o), {**OLD, **DATA, "pass_args": True}),
    "prefixes": (lambda f, o: PrefixHandler(["!", "#"], ["TEST", "help"], f, **o), {}),
    "message": (lambda f, o: MessageHandler(None, f, **o), {**OLD, **DATA}),
    "message, filtered": (lambda f, o: MessageHandler(Filters.text & ~Filters.command, f, **o), {}),
    "message, pattern": (lambda f, o: MessageHandler(Filters.regex(PATTERN), f, **o), {}),
    "message, no posts": (lambda f, o: MessageHandler(Filters.text, f, channel_post_updates=False, **o), {}),
    "message, no edits": (lambda f, o: MessageHandler(Filters.text, f, edited_updates=False, **o), {}),
    "message, nothing but edits": (lambda f, o: MessageHandler(Filters.text, f, message_updates=False, channel_post_updates=False, **o), {}),
    "regex": (lambda f, o: RegexHandler(PATTERN, f, **o), {**OLD, **DATA, **GROUPS}),
    "regex, edits": (lambda f, o: RegexHandler(re.compile("7"), f, edited_updates=True, channel_post_updates=True, **o), {}),
    "button": (lambda f, o: CallbackQueryHandler(f, **o), {**OLD, **DATA}),
    "button, pattern": (lambda f, o: CallbackQueryHandler(f, pattern=PATTERN, **o), GROUPS),
    "button, compiled": (lambda f, o: CallbackQueryHandler(f, pattern=re.compile("buy"), **o), {}),
    "button, class": (lambda f, o: CallbackQueryHandler(f, pattern=str, **o), {}),
    "button, other class": (lambda f, o: CallbackQueryHandler(f, pattern=int, **o), {}),
    "button, function": (lambda f, o: CallbackQueryHandler(f, pattern=lambda data: data == "sell", **o), {}),
    "inline": (lambda f, o: InlineQueryHandler(f, **o), {**OLD, **DATA}),
    "inline, pattern": (lambda f, o: InlineQueryHandler(f, pattern=PATTERN, **o), GROUPS),
    "inline, chats": (lambda f, o: InlineQueryHandler(f, chat_types=["channel"], **o), {}),
    "chosen": (lambda f, o: ChosenInlineResultHandler(f, **o), {**OLD, **DATA}),
    "chosen, pattern": (lambda f, o: ChosenInlineResultHandler(f, pattern="buy", **o), {}),
    "poll": (lambda f, o: PollHandler(f, **o), {**OLD, **DATA}),
    "vote": (lambda f, o: PollAnswerHandler(f, **o), {**OLD, **DATA}),
    "shipping": (lambda f, o: ShippingQueryHandler(f, **o), {**OLD, **DATA}),
    "checkout": (lambda f, o: PreCheckoutQueryHandler(f, **o), {**OLD, **DATA}),
    "my membership": (lambda f, o: ChatMemberHandler(f, **o), {**OLD, **DATA}),
    "membership": (lambda f, o: ChatMemberHandler(f, ChatMemberHandler.CHAT_MEMBER, **o), {}),
    "any membership": (lambda f, o: ChatMemberHandler(f, ChatMemberHandler.ANY_CHAT_MEMBER, **o), {}),
    "join": (lambda f, o: ChatJoinRequestHandler(f, **o), {**OLD, **DATA}),
    "string command": (lambda f, o: StringCommandHandler("start", f, **o), {**OLD, "pass_args": True}),
    "string": (lambda f, o: StringRegexHandler(PATTERN, f, **o), {**OLD, **GROUPS}),
    "type": (lambda f, o: TypeHandler(int, f, **o), OLD),
    "type, strict": (lambda f, o: TypeHandler(int, f, True, **o), {}),
    "type, updates": (lambda f, o: TypeHandler(Update, f, **o), {}),
}


def shown(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, re.Match):
        return [value.group(), value.groups(), value.groupdict()]
    if isinstance(value, list | tuple):
        return [shown(one) for one in value]
    return value if isinstance(value, str | int | dict | None) else type(value).__name__


def make_bot() -> Any:
    """A bot that knows itself, and asks nobody."""
    bot: Any = Bot("123:" + "a" * 35)
    me = User(**ME)
    bot._bot = me
    if not hasattr(type(bot), "_bot") and "syncbot" in vars(bot):
        vars(bot)["bot"] = me
    return bot


def updates(bot: Any) -> dict[str, Any]:
    """The updates as objects."""
    made = {name: Update.de_json({"update_id": 7, **raw}, bot) if isinstance(raw, dict) else raw for name, raw in UPDATES.items()}
    return {**made, **UPDATES_MADE}


def given(bot: Any, make: Make, options: dict[str, Any], update: Any, use_context: bool) -> Any:
    """What the function of a handler is given with an update; None where it is not called."""
    called: list[Any] = []

    def with_context(seen: Any, context: Any) -> None:
        data = [context.user_data is not None, context.chat_data is not None, context.bot_data]
        called.append([seen is update, shown(context.args), shown(context.matches), shown(context.match), data, context.error, context.job])

    def old(its_bot: Any, seen: Any, **named: Any) -> None:
        called.append([its_bot is bot, seen is update, {name: shown(value) for name, value in sorted(named.items())}])

    dispatcher = Dispatcher(bot, None, workers=0, use_context=use_context)
    dispatcher.add_handler(make(with_context if use_context else old, {} if use_context else options))
    dispatcher.process_update(update)
    return called or None


def main() -> None:
    """Print what each handler is given with each update."""
    warnings.simplefilter("ignore")
    bot = make_bot()
    table: dict[str, Any] = {}
    for name, (make, options) in HANDLERS.items():
        for use_context in (True, False):
            found = {what: got for what, update in updates(bot).items() if (got := given(bot, make, options, update, use_context)) is not None}
            table[f"{name}, {'context' if use_context else 'old'}"] = found
    print(json.dumps(table, sort_keys=True))


if __name__ == "__main__":
    main()
