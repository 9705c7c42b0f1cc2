"""Numbers, lists and names that a program gives: wrong ones are refused where they are given, before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncbot.client.bot import Bot
from syncbot.client.limits import Limits
from syncbot.client.retry import RetryPolicy
from syncbot.errors import ConfigError, NotSent
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport
from syncbot.types import Proxy

ME = {"id": 123456789, "is_bot": True, "first_name": "B"}


@pytest.mark.parametrize("value", [0, -1, math.nan, None, "20", True, timedelta(seconds=20), 10**400, 1e-9])
@pytest.mark.parametrize("name", ["timeout", "deadline"])
def test_seconds_that_bound_nothing_are_a_wrong_setting(name: str, value: Any) -> None:
    """A bot is not made with a time that is never over, that is over at once, or that is no number; the error names it and shows a right one."""
    with pytest.raises(ConfigError, match=rf"^{name}: .+; for example {name}="):
        Bot(TEST_TOKEN, transport=FakeTransport(), **{name: value})


@pytest.mark.parametrize(
    "options",
    [{"timeout": math.inf}, {"timeout": 1e300}, {"dns_cache": -1}, {"dns_cache": math.nan}, {"ahead": -1}, {"ahead": 1.5}, {"ahead": None}],
    ids=str,
)
def test_other_numbers_out_of_their_range_are_a_wrong_setting(options: dict[str, Any]) -> None:
    """So is an endless attempt, which the system's waits do not take, and half a connection."""
    with pytest.raises(ConfigError, match=next(iter(options))):
        Bot(TEST_TOKEN, transport=FakeTransport(), **options)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Limits(per_second=0),
        lambda: Limits(per_second=-1),
        lambda: Limits(per_second=1.5),  # type: ignore[arg-type]  # what no checker has looked at
        lambda: Limits(chat_burst=1.5),  # type: ignore[arg-type]  # the same
        lambda: Limits(per_group_minute=1.5),  # type: ignore[arg-type]  # the same
        lambda: Limits(chat_burst=0),
        lambda: Limits(chat_interval=-0.1),
        lambda: Limits(chat_interval=math.nan),
        lambda: Limits(per_group_minute=0),
        lambda: RetryPolicy(attempts=0),
        lambda: RetryPolicy(attempts=math.inf),  # type: ignore[arg-type]  # the same
        lambda: RetryPolicy(first_wait=-1),
        lambda: RetryPolicy(first_wait=math.nan),
        lambda: RetryPolicy(longest_wait=1e300),
    ],
)
def test_limits_and_policies_that_cannot_be_kept_are_a_wrong_setting(make: Callable[[], object]) -> None:
    """They are refused when they are made, not in the midst of a call."""
    with pytest.raises(ConfigError, match=r"for example \w+="):
        make()


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": -1.0}, {"timeout": math.nan}, {"timeout": math.inf}, {"deadline": math.nan}], ids=str)
def test_seconds_of_one_call_that_bound_nothing_are_a_value_error(options: dict[str, Any]) -> None:
    """The call ends with a ValueError that names the option, and nothing is sent; so does a download."""
    transport = FakeTransport(getMe=ME, getFile={"file_id": "F"})
    bot = Bot(TEST_TOKEN, transport=transport)
    for call in (lambda: bot.call("getMe", **options), lambda: bot.get_me(**options), lambda: bot.download_bytes("F", **options)):
        with pytest.raises(ValueError, match=next(iter(options))):
            call()
    assert transport.calls == []


@pytest.mark.parametrize("value", ["5", True, timedelta(seconds=5)])
def test_seconds_of_one_call_are_numbers(value: Any) -> None:
    """Anything else is a TypeError that names the option, and nothing is sent."""
    transport = FakeTransport(getMe=ME)
    for name in ("timeout", "deadline"):
        with pytest.raises(TypeError, match=name):
            Bot(TEST_TOKEN, transport=transport).call("getMe", **{name: value})
    assert transport.calls == []


@pytest.mark.parametrize("left", [0, 0.0, -5, -math.inf])
def test_a_deadline_that_is_over_sends_nothing(left: float) -> None:
    """Who counts down his own time comes by zero: the call was not sent, and says that the deadline was over, whatever the limits would say."""
    transport = FakeTransport(sendMessage={"message_id": 1})
    with pytest.raises(NotSent, match="the deadline was over") as caught:
        Bot(TEST_TOKEN, transport=transport).call("sendMessage", chat_id=1, text="x", deadline=left)
    assert caught.value.attempts == 1
    assert transport.calls == []


def test_an_endless_deadline_is_allowed() -> None:
    """The attempts end a call then."""
    assert Bot(TEST_TOKEN, transport=FakeTransport(getMe=ME), deadline=math.inf).call("getMe", deadline=math.inf) == ME


@pytest.mark.parametrize("proxies", [{"https": "http://user:hidden@p:1"}, None, [None], b"http://user:hidden@p:1", [b"http://user:hidden@p:1"], 5, [5]])
def test_what_is_no_list_of_proxies_is_a_wrong_setting(proxies: Any) -> None:
    """A dict as requests has it, or the value of a variable that is not set, is not taken for something else; no credentials are shown."""
    with pytest.raises(ConfigError, match=r"proxies: .* for example proxies=\[") as caught:
        Bot(TEST_TOKEN, proxies=proxies)
    assert "hidden" not in str(caught.value)


def test_one_proxy_may_stand_for_a_list() -> None:
    """As a URL or as a value, alone, in a list or in any other collection."""
    one = Proxy.parse("http://p:1")
    for proxies in ("http://p:1", one, [one], ("http://p:1",), iter([one])):
        Bot(TEST_TOKEN, proxies=proxies).close()  # type: ignore[arg-type]  # an iterator is more than is promised


@pytest.mark.parametrize("value", [None, 5, b"123456789:TEST"])
def test_a_token_or_url_that_is_no_text_is_a_wrong_setting(value: Any) -> None:
    """What os.environ.get says of a name that is not set, above all."""
    with pytest.raises(ConfigError, match="TELEGRAM_BOT_TOKEN"):
        Bot(value)
    with pytest.raises(ConfigError, match="SYNCBOT_BASE_URL"):
        Bot(TEST_TOKEN, base_url=value)


def test_a_ca_file_that_cannot_be_used_is_found_at_once(tmp_path: Path) -> None:
    """When the bot is made, not at its first call."""
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (tmp_path / "missing.pem", tmp_path, str(empty)):
        with pytest.raises(ConfigError, match="SYNCBOT_CA_FILE"):
            Bot(TEST_TOKEN, proxies=["direct"], ca_file=path)


@pytest.mark.parametrize("method", ["", "get me", "../getMe", "getMe?x=1", "getMe#", "getMe\r\nX: y", "getMé", "1", "x" * 101, "getMe/"])
def test_what_is_no_name_of_a_method_is_refused(method: str) -> None:
    """It would become a part of the URL; nothing is sent, and one that is merely unknown goes out."""
    transport = FakeTransport(getMeNew=1)
    bot = Bot(TEST_TOKEN, transport=transport)
    with pytest.raises(ValueError, match="is no name of a method"):
        bot.call(method, check=False)
    assert bot.call("getMeNew") == 1
    assert len(transport.calls) == 1
