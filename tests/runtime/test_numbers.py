"""Numbers that a runtime, an outbox, jobs and a served webhook are given, looked at where they are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncbot import Bot, ConfigError, Outbox, Runtime
from syncbot.storage import StoreOptions
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.transport import FakeTransport

NAN, ENDLESS = math.nan, math.inf


@pytest.fixture
def bot() -> Bot:
    """A bot without a network."""
    return Bot(TEST_TOKEN, transport=FakeTransport())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("workers", (0, -1, 2.5, True, "4", NAN, 10**6)),
        ("poll_wait", (0, 51, True, 1.5, NAN)),
        ("most_waiting", (0, -5, 1.5, NAN, ENDLESS, True)),
        ("handler_warn_after", (-1, NAN, ENDLESS, "60", True)),
        ("grace", (-0.1, NAN, ENDLESS, None, True)),
        ("ahead", (-1, 1.0, NAN, True, "3")),
    ],
)
def test_a_runtime_refuses_a_number_that_bounds_nothing(bot: Bot, name: str, values: tuple[Any, ...]) -> None:
    """Each option of a runtime that is a number has to be one, in its range; else a ConfigError names it and gives an example."""
    for value in values:
        with pytest.raises(ConfigError, match=f"^{name}: .*; for example {name}=[0-9]"):
            Runtime(bot, state=None, **{name: value})


@pytest.mark.parametrize("value", [NAN, "50", None, True])
def test_a_run_refuses_a_time_that_bounds_nothing(bot: Bot, value: Any) -> None:
    """It is a mistake of who calls it, and no error of a thread within."""
    with pytest.raises(ConfigError, match=r"^max_seconds: .*; for example max_seconds=50"):
        Runtime(bot, state=None).run_once(value)


def test_a_run_whose_time_is_over_before_it_begins_says_so(server: BotApiServer) -> None:
    """Who counts down the rest of a time of his own comes by zero."""
    with Bot(TEST_TOKEN, base_url=server.url) as bot:
        assert Runtime(bot, state=None).run_once(-0.5).error == "the time was up"


def test_a_runtime_takes_the_ends_of_each_range(bot: Bot) -> None:
    """The smallest and the largest right numbers are taken."""
    Runtime(bot, state=None, workers=1, poll_wait=1, most_waiting=1, handler_warn_after=0, grace=0, ahead=0)
    Runtime(bot, state=None, workers=1000, poll_wait=50, most_waiting=10**9, handler_warn_after=10**6, grace=10**6, ahead=None)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("busy_timeout", (-1, NAN, ENDLESS, "5", True)),
        ("window_ids", (0, -1, 1.5, NAN, True)),
        ("window_seconds", (0, -1, NAN, "60")),
        ("dead_limit", (-1, 0.5, NAN, True)),
        ("dead_seconds", (-1, NAN, None)),
        ("state_seconds", (0, -1.0, NAN, "30")),
        ("max_pages", (0, -1, 1.5, NAN, True)),
    ],
)
def test_a_store_refuses_a_number_that_bounds_nothing(name: str, values: tuple[Any, ...]) -> None:
    """Each number of `StoreOptions` has to be one, in its range; else a ConfigError names it and gives an example."""
    for value in values:
        with pytest.raises(ConfigError, match=f"^{name}: .*; for example {name}=[0-9]"):
            StoreOptions(**{name: value})


def test_a_store_takes_the_ends_of_each_range() -> None:
    """The smallest numbers are taken, and times without an end."""
    StoreOptions(busy_timeout=0, window_ids=1, window_seconds=ENDLESS, dead_limit=0, dead_seconds=0, state_seconds=ENDLESS, max_pages=None)


@pytest.mark.parametrize(("name", "values"), [("port", (-1, 65536, 80.5, True)), ("threads", (0, 1.5, NAN)), ("max_connections", (0, 101, NAN, True))])
def test_a_served_webhook_refuses_wrong_numbers(bot: Bot, tmp_path: Path, name: str, values: tuple[Any, ...]) -> None:
    """`run_webhook` refuses a wrong number before it does anything."""
    app = Runtime(bot, state=tmp_path / "bot.db")
    for value in values:
        with pytest.raises(ConfigError, match=f"^{name}: .*; for example {name}="):
            app.run_webhook("https://bot.example/hook", **{name: value})
    assert not app.health()["running"]


@pytest.mark.parametrize("options", [{"seconds": NAN}, {"seconds": -1}, {"seconds": "5"}, {"patience": NAN}, {"patience": -1}])
def test_a_flush_refuses_wrong_numbers(bot: Bot, tmp_path: Path, options: dict[str, Any]) -> None:
    """`Outbox.flush` refuses a time that bounds nothing."""
    with pytest.raises(ConfigError, match=f"^{next(iter(options))}: "):
        Outbox(tmp_path / "bot.db", bot).flush(**options)


@pytest.mark.parametrize("options", [{"ttl": NAN}, {"ttl": ENDLESS}, {"ttl": 0}, {"ttl": True}, {"not_before": NAN}, {"not_before": ENDLESS}])
def test_times_of_a_queued_call_are_numbers(bot: Bot, tmp_path: Path, options: dict[str, Any]) -> None:
    """A call whose time to live, or whose earliest time, is no time is refused before anything is written."""
    outbox = Outbox(tmp_path / "bot.db", bot)
    with pytest.raises(ValueError, match=f"^{next(iter(options))}: "):
        outbox.send_message(7, "hi", **options)
    assert outbox.entries() == []


@pytest.mark.parametrize("seconds", [0, -1, NAN, ENDLESS, True, "60"])
@pytest.mark.parametrize("method", [Runtime.every, Runtime.later])
def test_jobs_come_at_times(bot: Bot, method: Callable[..., object], seconds: Any) -> None:
    """A job's seconds are a number above 0 that ends."""
    with pytest.raises(ValueError, match=f"^{method.__name__}: .*app.{method.__name__}"):
        method(Runtime(bot, state=None), seconds)
