"""The replayer: what it says of handlers that may be run again, and of those that may not."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from kits.dispatch_kit import SENT, TOKEN, update

from syncbot import AskTimeout, Bot, Cancelled, Context, Router, filters
from syncbot.testing import Replayed, replay
from syncbot.transport import FakeTransport, OneShotTransport


def make_bot() -> Bot:
    """A bot without a network."""
    return Bot(TOKEN, transport=FakeTransport(sendMessage=SENT, sendPhoto=SENT, getChatMemberCount=5), limits=None)


def replayed(handler: Any, bot: Bot | None = None, **options: Any) -> Replayed:
    """What the replayer finds of a handler."""
    router: Router[Any] = Router()
    router.message(**options)(handler)
    return replay(router, update(text="go"), bot or make_bot())


def test_a_handler_that_does_the_same_each_time_comes_to_the_same() -> None:
    """Calls, side effects, time, chance and data, however often it is put aside; what it came to is told."""
    done: list[int] = []

    def handler(update: Any, context: Context) -> None:
        context.reply(f"{context.now():%Y}")
        context.user_data["chance"] = context.random.random() < 2
        if context.once("order", lambda: done.append(1) or len(done)):
            context.bot.send_photo(7, "p")

    found = replayed(handler)
    assert [call.method for call in found.calls] == ["sendMessage", "sendPhoto"]
    assert (found.steps, found.failed, found.changes.data[0].changed) == (5, "", {"chance": True})


def test_a_handler_that_raises_comes_to_the_same_failure() -> None:
    """Its error handlers are part of the run."""
    router: Router[Any] = Router()

    @router.message()
    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        raise ValueError("x")

    router.error(lambda update, context: context.reply("sorry"))
    found = replay(router, update(text="go"), make_bot())
    assert ([call.parameters["text"] for call in found.calls], found.failed) == (["one", "sorry"], "ValueError: x")


def test_a_handler_that_goes_another_way_is_told_where() -> None:
    """What depends on something that changes is a divergence, with all that it says."""
    turn = itertools.count()

    def handler(update: Any, context: Context) -> None:
        if next(turn) % 2:
            context.bot.send_photo(7, "p")
        context.reply("one")
        context.reply("two")

    with pytest.raises(AssertionError, match=r"(?s)put aside before step \d, it went another way: .*handler \(.*test_replay.py:\d+\)"):
        replayed(handler)


def test_a_side_effect_outside_of_once_makes_a_difference() -> None:
    """Data of its own that is not the same in each run is told with both sides."""

    def handler(update: Any, context: Context) -> None:
        context.user_data["at"] = time.perf_counter_ns()
        context.reply("one")

    with pytest.raises(AssertionError, match="it came to other changes"):
        replayed(handler)


def test_a_handler_without_a_journal_makes_its_calls_again() -> None:
    """durable=False is told by what is there twice."""

    def handler(update: Any, context: Context) -> None:
        context.reply("one")
        context.reply("two")

    with pytest.raises(AssertionError, match="put aside before step 1 and run again, it came to other calls"):
        replayed(handler, durable=False)


def test_a_bot_with_a_network_is_refused() -> None:
    """Nothing goes out by mistake."""
    with Bot(TOKEN, transport=OneShotTransport()) as bot, pytest.raises(TypeError, match="FakeTransport"):
        replayed(lambda update, context: None, bot)


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────

FROM_ANNA = {"message": {"message_id": 5, "date": 0, "chat": {"id": 7, "type": "private"}, "from": {"id": 7, "is_bot": False, "first_name": "Anna"}}}


def conversation(update: Any, context: Context) -> None:
    """A handler that asks for everything."""
    name = context.ask("Name?").text
    size = context.choose("Size?", {"small": "S", "large": "L"})
    place = context.ask("Where?", filters=filters.LOCATION, check=lambda message: None if message.location.latitude > 0 else "In the north, please").location
    context.sleep(3600)
    try:
        context.ask("More?")
    except AskTimeout:
        context.user_data["order"] = [name, size, place.latitude]
    context.reply("Thanks")


def asked(handler: Any, *answers: Any, **options: Any) -> Replayed:
    """What the replayer finds of a handler that asks."""
    bot = Bot(TOKEN, transport=FakeTransport(sendMessage=SENT, answerCallbackQuery=True, editMessageReplyMarkup=True), limits=None)
    router: Router[Any] = Router()
    router.message(**options)(handler)
    raw = {"update_id": 1, "message": FROM_ANNA["message"] | {"text": "go"}}
    return replay(router, raw, bot, answers=answers)


def test_questions_are_answered_as_it_is_told() -> None:
    """Texts, a button's label, a message's fields, an answer that does not pass the check, and a time-out; put aside at each of them."""
    found = asked(conversation, "Ann", "large", {"location": {"latitude": -1, "longitude": 2}}, {"location": {"latitude": 3, "longitude": 2}}, AskTimeout())
    assert found.changes.data[0].changed == {"order": ["Ann", "L", 3]}
    texts = [call.parameters.get("text") for call in found.calls if call.method == "sendMessage"]
    assert texts == ["Name?", "Size?", "Where?", "In the north, please", "More?", "Thanks"]


def test_a_handler_that_is_cancelled_has_not_failed() -> None:
    """`Cancelled` comes from the question; what was changed before is forgotten, as in a runtime."""

    def handler(update: Any, context: Context) -> None:
        context.user_data["a"] = 1
        context.ask("Name?")

    found = asked(handler, Cancelled())
    assert (found.failed, found.changes.data) == ("", ())


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["Ann"], "once more than there are answers"),
        (["Ann", "huge"], "has no button 'huge'"),
        (["Ann", "large", "at home"], "'at home' is no answer that context.ask waits for"),
        ([{"text": "/start", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}], "is no answer that context.ask waits for"),
    ],
)
def test_answers_that_are_missing_or_do_not_fit_are_told(answers: list[Any], words: str) -> None:
    """The test of a bot's author fails with what is the matter, whatever the handler catches."""
    with pytest.raises(AssertionError, match=words):
        asked(conversation, *answers)


def test_answers_that_nobody_asks_for_are_told() -> None:
    """A question that has gone from the handler does not go unnoticed."""
    with pytest.raises(AssertionError, match=r"nobody has asked for these answers: \['Ann'\]"):
        asked(lambda update, context: context.reply("x"), "Ann")


def test_a_handler_that_leaves_something_behind_at_a_question_is_told() -> None:
    """What stands around a question is entered again: a side effect outside of `once` makes a difference."""
    times = itertools.count()

    def handler(update: Any, context: Context) -> None:
        context.user_data["times"] = next(times)
        context.ask("Name?")

    with pytest.raises(AssertionError, match="it came to other changes"):
        asked(handler, "Ann")
