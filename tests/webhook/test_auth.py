"""What a Mini App and the login widget bring: only what Telegram signed for this bot, lately, is believed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest

from syncbot.auth import NotAuthentic, WebAppData, validate_login, validate_web_app_data

TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
NOW = 1_700_000_000


def signed(fields: dict[str, str], token: str = TOKEN) -> str:
    """The initData of these fields, put together step by step as the documentation says."""
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    text = "\n".join(sorted(f"{name}={value}" for name, value in fields.items()))
    return urlencode({**fields, "hash": hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()})


def login(fields: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    """The same for the login widget."""
    text = "\n".join(sorted(f"{name}={value}" for name, value in fields.items()))
    return {**fields, "hash": hmac.new(hashlib.sha256(token.encode()).digest(), text.encode(), hashlib.sha256).hexdigest()}


FIELDS = {
    "query_id": "AAH",
    "user": '{"id":42,"first_name":"J\\u00f6hn & Co = ü","language_code":"de"}',
    "auth_date": str(NOW - 60),
    "start_param": "a_b-c",
    "signature": "third-party",
}
PERSON = {"id": "42", "first_name": "Jöhn", "username": "john", "auth_date": str(NOW - 60)}


def check(init_data: str, **options: float | None) -> WebAppData:
    """Validate with the clock of these tests."""
    return validate_web_app_data(init_data, TOKEN, now=lambda: NOW, **options)


def test_data_that_telegram_signed_is_read() -> None:
    """The user, the query and the link's parameter come out of what was signed; the signature for third parties is a field like others."""
    data = check(signed(FIELDS))
    assert (data.user_id, data.user["first_name"], data.query_id, data.start_param) == (42, "Jöhn & Co = ü", "AAH", "a_b-c")
    assert data.auth_date == NOW - 60


def test_known_values() -> None:
    """Data and hashes that other implementations publish in their tests are found right."""
    init = "auth_date=1650385342&user=%7B%22id%22%3A42%2C%22first_name%22%3A%22Test%22%7D&query_id=test"
    init += "&hash=46d2ea5e32911ec8d30999b56247654460c0d20949b6277af519e76271182803"
    assert validate_web_app_data(init, "42:TEST", max_age=None).user_id == 42
    widget = {
        "id": "42",
        "first_name": "John",
        "last_name": "Smith",
        "username": "username",
        "photo_url": "https://t.me/i/userpic/320/picname.jpg",
        "auth_date": "1565810688",
        "hash": "c303db2b5a06fe41d23a9b14f7c545cfc11dcc7473c07c9c5034ae60062461ce",
    }
    assert validate_login(widget, TOKEN, max_age=None) == 42


def test_every_changed_byte_is_found() -> None:
    """Whatever byte of the data is changed, it is refused."""
    whole = signed(FIELDS)
    for place in range(len(whole)):
        changed = whole[:place] + ("x" if whole[place] != "x" else "y") + whole[place + 1 :]
        with pytest.raises(NotAuthentic):
            check(changed)


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda fields: signed(fields, "654321:another-bot-of-somebody-else-here00"), "not signed"),
        (lambda fields: urlencode(fields), "not signed"),
        (lambda fields: urlencode({**fields, "hash": ""}), "not signed"),
        (lambda fields: urlencode({**fields, "hash": "é" * 64}), "not signed"),
        (lambda fields: signed(fields) + "&user=%7B%22id%22%3A1%7D", "twice"),
        (lambda fields: signed(fields) + "&more=1", "not signed"),
        (lambda fields: signed({**fields, "auth_date": str(NOW - 86_401)}), "too old"),
        (lambda fields: signed({**fields, "auth_date": str(NOW + 3600)}), "clock"),
        (lambda fields: signed({name: value for name, value in fields.items() if name != "auth_date"}), "when"),
        (lambda fields: signed({**fields, "auth_date": "1e9"}), "when"),
        (lambda fields: signed({**fields, "auth_date": "9" * 5000}), "when"),
        (lambda fields: signed({**fields, "user": "[]"}), "not an object"),
        (lambda fields: signed({**fields, "user": "{"}), "not an object"),
        (lambda fields: signed({**fields, "user": "[" * 100_000}), "too long"),
        (lambda fields: signed({**fields, "query_id": "a\nstart_param=b"}), "line feed"),
        (lambda fields: "", "not "),
        (lambda fields: "hash", "not what"),
        (lambda fields: "user=%ff&hash=1", "not what"),
        (lambda fields: "&".join(f"a{n}=1" for n in range(200)), "not what"),
        (lambda fields: "x" * 100_000, "too long"),
    ],
)
def test_what_must_not_be_trusted_is_refused(tamper: Callable[[dict[str, str]], str], words: str) -> None:
    """Another bot's, unsigned, changed, old, ambiguous and malformed data is refused, with a word on why and nothing of the data."""
    with pytest.raises(NotAuthentic, match=words):
        check(tamper(dict(FIELDS)))


def test_age_is_the_callers_choice() -> None:
    """max_age tightens or lifts the bound."""
    old = signed({**FIELDS, "auth_date": "1"})
    assert check(old, max_age=None).auth_date == 1
    with pytest.raises(NotAuthentic, match="too old"):
        check(signed(FIELDS), max_age=59)
    assert check(signed(FIELDS), max_age=60).user_id == 42


def test_data_without_a_user() -> None:
    """A Mini App that was opened without a user has no user_id."""
    data = check(signed({"auth_date": str(NOW), "query_id": "q"}))
    assert (data.user_id, data.user) == (None, {})


def test_login_widget() -> None:
    """The widget's fields, as text or with numbers, give the id of the user; changed, unsigned, old or foreign ones are refused."""
    good = login(PERSON)
    assert validate_login(good, TOKEN, now=lambda: NOW) == 42
    numbers = {**good, "id": 42, "auth_date": NOW - 60}
    assert validate_login(numbers, TOKEN, now=lambda: NOW) == 42
    bad: list[dict[str, object]] = [
        {**good, "id": "43"},
        {**good, "id": True},
        {**good, "extra": "1"},
        {**good, "first_name": None},
        {name: value for name, value in good.items() if name != "hash"},
        {},
        dict(login(PERSON, "1:x")),
        dict(login({**PERSON, "auth_date": str(NOW - 90_000)})),
        dict(login({"auth_date": str(NOW)})),
        dict(login({**PERSON, "id": "4" * 50})),
    ]
    for fields in bad:
        with pytest.raises(NotAuthentic):
            validate_login(fields, TOKEN, now=lambda: NOW)


def test_data_of_the_widget_is_no_data_of_a_mini_app() -> None:
    """The two use different keys: what was signed for one is not taken for the other."""
    with pytest.raises(NotAuthentic):
        check("&".join(f"{name}={quote(value)}" for name, value in login(PERSON).items()))


def test_nothing_secret_is_shown() -> None:
    """Neither the token nor the fields stand in errors and reprs."""
    with pytest.raises(NotAuthentic) as refused:
        check(signed(FIELDS, "1:x"))
    assert TOKEN not in str(refused.value)
    assert "AAH" not in repr(check(signed(FIELDS))).replace("query_id='AAH'", "")
