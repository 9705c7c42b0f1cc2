"""Polls: what a bot asks for, what stands in the chat, and their end."""

from __future__ import annotations

import time
from typing import Any

from syncbot.testing.api.content import ApiCall, formatted
from syncbot.testing.api.media import given, location, media_content, venue
from syncbot.testing.world.problems import bad_request
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON

_LONGEST_PERIOD = 2_628_000  # seconds


def poll_of(call: ApiCall) -> JSON:
    """The Poll that sendPoll asks for."""
    question = _text(call.params, "question", 300)
    if not question:
        raise bad_request("poll question must be non-empty")
    poll: JSON = {
        "id": str(5_000_000_000_000_000_000 + call.world.number()),
        **question,
        "options": _options(call),
        "total_voter_count": 0,
        "is_closed": bool(call.get("is_closed", False)),
        "is_anonymous": bool(call.get("is_anonymous", True)),
        "type": call.get("type", "regular"),
        "allows_multiple_answers": bool(call.get("allows_multiple_answers", False)),
        "allows_revoting": bool(call.get("allows_revoting", True)),
        "members_only": bool(call.get("members_only", False)),
        **_text(call.params, "description", 1024),
        **given(call.params, "country_codes"),
        **_end(call),
    }
    if poll["type"] == "quiz":
        poll.update({"correct_option_ids": _right_ones(call, len(poll["options"])), **_text(call.params, "explanation", 200)})
    for name in ("media", "explanation_media"):
        if call.get(name):
            poll[name] = _medium(call, call.get(name))
    return poll


def _text(params: JSON, name: str, limit: int) -> JSON:
    """A text with its entities, both under their names; nothing where it is empty."""
    text, entities = formatted(params.get(name), params.get(f"{name}_parse_mode"), params.get(f"{name}_entities"), limit=limit, name=f"poll {name}")
    return {name: text, **({f"{name}_entities": entities} if entities else {})} if text else {}


def _options(call: ApiCall) -> list[JSON]:
    asked = call.get("options", [])
    if not isinstance(asked, list) or not 1 <= len(asked) <= 12:
        raise bad_request("poll must have at least 1 option and at most 12")
    return [_option(call, number, item if isinstance(item, dict) else {"text": item}) for number, item in enumerate(asked)]


def _option(call: ApiCall, number: int, item: JSON) -> JSON:
    text = _text(item, "text", 100)
    if not text:
        raise bad_request("poll options must be non-empty")
    medium = {"media": _medium(call, item["media"])} if item.get("media") else {}
    return {"persistent_id": str(number), **text, **medium, "voter_count": 0}


def _medium(call: ApiCall, item: Any) -> JSON:
    """A Bot API PollMedia."""
    if not isinstance(item, dict):
        raise bad_request("can't parse InputPollMedia JSON object")
    match item.get("type"):
        case "location":
            return {"location": location(item)}
        case "venue":
            return {"venue": venue(item)}
        case "link":
            return {"link": given(item, "url")}
        case kind:
            return media_content(call, str(kind), item.get("media"), item)


def _right_ones(call: ApiCall, count: int) -> list[int]:
    right = call.get("correct_option_ids")
    if not isinstance(right, list) or not right or not all(isinstance(n, int) and 0 <= n < count for n in right):
        raise bad_request("wrong correct option ID specified")
    return list(right)


def _end(call: ApiCall) -> JSON:
    """When it closes: a period and a date always stand together."""
    now = int(time.time())
    period = call.integer("open_period") or (call.integer("close_date") and call.integer("close_date") - now)
    if not period:
        return {}
    period = min(max(period, 1), _LONGEST_PERIOD)
    return {"open_period": period, "close_date": now + period}


def close_poll(call: ApiCall, chat: ChatState, message_id: int) -> None:
    """The time of a poll is up: it is closed, and the bot is told, unless it was closed or deleted before."""
    with call.world.changed:
        message = chat.messages.get(message_id)
        if message is None or message["poll"]["is_closed"]:
            return
        poll = {**message["poll"], "is_closed": True}
        chat.messages[message_id] = {**message, "poll": poll}
        call.push("poll", poll)
        call.world.changed.notify_all()
