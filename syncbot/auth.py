"""Checks of what a browser brings: that the data of a Mini App, or of the login widget, was signed by Telegram for this bot, and lately.

Sources: https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app and
https://core.telegram.org/widgets/login#checking-authorization
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from syncbot.secret import Secret

_DAY_SECONDS = 86_400.0
_SKEW_SECONDS = 300.0
_LONGEST = 65_536
_MOST_FIELDS = 100


class NotAuthentic(ValueError):
    """The data was not signed by Telegram for this bot, is too old, or is none at all; the text says which, and repeats nothing of it."""


@dataclass(frozen=True)
class WebAppData:
    """What Telegram says to a Mini App, once it is known to come from Telegram.

    Args:
        user_id: the id of the user; None where the app was opened without one.
        user: the user as JSON, with `id`, `first_name`, …; empty where there is none.
        auth_date: when it was signed, in seconds since 1970.
        query_id: answers go to it with answerWebAppQuery; "" where there is none.
        start_param: what the link to the app carried; "" where it carried nothing.
        fields: all fields as text.
    """

    user_id: int | None
    user: Mapping[str, Any]
    auth_date: int
    query_id: str = ""
    start_param: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


def validate_web_app_data(
    init_data: str, token: str | Secret[str], *, max_age: float | None = _DAY_SECONDS, now: Callable[[], float] = time.time
) -> WebAppData:
    """Check `Telegram.WebApp.initData`, as a Mini App sends it to its server.

    Args:
        init_data: the text, unchanged.
        token: the bot's token.
        max_age: seconds since it was signed from which on it is refused; None takes any age.
        now: gives the time in seconds since 1970.

    Raises:
        NotAuthentic: it must not be trusted.
    """
    token = Secret(token)
    fields = _read(init_data)
    _check_hash(fields, Secret(hmac.new(b"WebAppData", token.reveal().encode(), hashlib.sha256).digest()))
    auth_date = _check_date(fields, max_age, now())
    user = _user(fields.get("user", "{}"))
    user_id = user.get("id")
    return WebAppData(user_id if type(user_id) is int else None, user, auth_date, fields.get("query_id", ""), fields.get("start_param", ""), fields)


def validate_login(
    fields: Mapping[str, object], token: str | Secret[str], *, max_age: float | None = _DAY_SECONDS, now: Callable[[], float] = time.time
) -> int:
    """Check what the login widget hands over, by redirect or to a function of the page.

    Args:
        fields: all fields: `id`, `first_name`, …, `auth_date` and `hash`; values as text, or as numbers where they came as JSON. Others than
            those of Telegram make it invalid.
        token: the bot's token.
        max_age: seconds since it was signed from which on it is refused; None takes any age.
        now: gives the time in seconds since 1970.

    Returns:
        The id of the user.

    Raises:
        NotAuthentic: it must not be trusted.
    """
    token = Secret(token)
    if len(fields) > _MOST_FIELDS or not all(isinstance(value, str) or type(value) is int for value in fields.values()):
        raise NotAuthentic("these are not the fields of the login widget")
    texts = {name: str(value) for name, value in fields.items()}
    _check_hash(texts, Secret(hashlib.sha256(token.reveal().encode()).digest()))
    _check_date(texts, max_age, now())
    user_id = _number(texts.get("id", ""))
    if user_id is None:
        raise NotAuthentic("there is no id of a user")
    return user_id


def _read(init_data: str) -> dict[str, str]:
    if len(init_data) > _LONGEST:
        raise NotAuthentic("the data is too long")
    try:
        pairs = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise NotAuthentic("the data is not what a Mini App gets from Telegram") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotAuthentic("a field stands in the data twice")
    return fields


def _check_hash(fields: Mapping[str, str], secret: Secret[bytes]) -> None:
    # A line feed within a field would let fields be joined to others, or taken apart, under the same signature.
    if any("\n" in name or "\n" in value for name, value in fields.items()):
        raise NotAuthentic("the data has a line feed in a field")
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()) if name != "hash")
    expected = Secret(hmac.new(secret.reveal(), lines.encode("utf-8", "replace"), hashlib.sha256).hexdigest())
    # In bytes: text with other characters than ASCII cannot be compared in constant time.
    if not hmac.compare_digest(expected.reveal().encode(), fields.get("hash", "").encode("utf-8", "replace")):
        raise NotAuthentic("the data was not signed by Telegram for this bot")


def _check_date(fields: Mapping[str, str], max_age: float | None, now: float) -> int:
    auth_date = _number(fields.get("auth_date", ""))
    if auth_date is None:
        raise NotAuthentic("the data does not say when it was signed")
    if max_age is not None and now - auth_date > max_age:
        raise NotAuthentic("the data is too old")
    if max_age is not None and auth_date - now > _SKEW_SECONDS:
        raise NotAuthentic("the data was signed in the future: the clock of this machine is wrong")
    return auth_date


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _user(text: str) -> dict[str, Any]:
    try:
        user = json.loads(text)
    except (ValueError, RecursionError):
        user = None
    if not isinstance(user, dict):
        raise NotAuthentic("the user in the data is not an object")
    return user
