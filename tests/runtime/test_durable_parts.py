"""The pure parts of durable handlers: what a step is known by, where a run stands in its journal, what came of a step as text."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest

from syncbot import errors
from syncbot.client.recording import NoResult
from syncbot.errors import ApiError, BadRequest, ChatMigrated, DeliveryUncertain, NetworkError, NotSent, Phase, RetryAfter
from syncbot.runtime.durable.cursor import Cursor, Place
from syncbot.runtime.durable.divergence import Divergence, place_of
from syncbot.runtime.durable.results import SKIPPED, error_text, read_outcome, value_text
from syncbot.runtime.durable.step import is_step, only_asks, shown, target_of
from syncbot.storage import JournalStep
from syncbot.storage.codec import Unreadable


def journal(*whats: str) -> list[JournalStep]:
    """Steps, all to one chat, each with its place as its outcome."""
    return [JournalStep(number, what, "chat_id=7", value_text(number, "")) for number, what in enumerate(whats)]


# ── what a step is known by ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_known_by_whom_and_what_it_concerns() -> None:
    """Chats, users, messages and queries, in an order of their own, and none of its texts."""
    fields = {"text": "secret", "message_id": "3", "chat_id": "7", "parse_mode": "HTML", "from_chat_id": "@a"}
    assert target_of(fields) == "chat_id=7 from_chat_id=@a message_id=3"
    assert target_of({"callback_query_id": "q", "text": "no"}) == "callback_query_id=q"
    assert target_of({"inline_message_id": "i", "user_id": "1", "message_ids": "[1,2]"}) == "inline_message_id=i message_ids=[1,2] user_id=1"
    assert (shown("sendMessage", "chat_id=7"), shown("getMe", "")) == ("sendMessage (chat_id=7)", "getMe")


def test_files_and_polls_are_no_steps() -> None:
    """The path of a file holds for an hour, so that it is asked for anew; everything else stands in the journal."""
    assert [is_step(method) for method in ("getFile", "getUpdates", "getChat", "sendMessage", "aNewerOne")] == [False, False, True, True, True]
    assert [only_asks(what) for what in ("getChat", "sendMessage", "once")] == [True, False, False]


# ── where a run stands ───────────────────────────────────────────────────────────────────────────────────────────────


def take(cursor: Cursor, *whats: str) -> list[Place]:
    """The places of these steps."""
    return [cursor.take(what, "chat_id=7") for what in whats]


def test_what_fits_is_handed_out_and_the_rest_is_new() -> None:
    """A second run gets what the first one did, and goes on behind it."""
    steps = journal("sendMessage", "sendPhoto")
    cursor = Cursor(steps)
    assert take(cursor, "sendMessage", "sendPhoto", "sendMessage", "sendPhoto") == [Place(0, steps[0]), Place(1, steps[1]), Place(2), Place(3)]
    assert cursor.replayed == 2


def test_what_does_not_fit_ends_the_replay_there() -> None:
    """From a step that differs on everything is new, also what would fit again."""
    steps = journal("sendMessage", "sendPhoto", "sendMessage")
    cursor = Cursor(steps)
    assert take(cursor, "sendMessage", "sendVideo", "sendPhoto", "sendMessage") == [Place(0, steps[0]), Place(1, None, steps[1]), Place(2), Place(3)]
    assert cursor.left == []


def test_the_same_method_to_somebody_else_does_not_fit() -> None:
    """A message to another chat is another step."""
    steps = journal("sendMessage")
    assert Cursor(steps).take("sendMessage", "chat_id=8") == Place(0, None, steps[0])


def test_a_run_may_ask_for_more_or_less_than_the_one_before() -> None:
    """What only asks changes nothing: one that another run has kept the answer of is passed over, and one that it had kept is asked anew."""
    steps = journal("sendMessage", "getChat", "sendPhoto")
    assert take(Cursor(steps), "sendMessage", "sendPhoto", "sendVideo") == [Place(0, steps[0]), Place(2, steps[2]), Place(3)]
    cursor = Cursor(steps)
    assert take(cursor, "getMe", "sendMessage", "getMe", "getChat", "sendPhoto") == [Place(None), Place(0, steps[0]), Place(None), *take_all(steps[1:])]


def take_all(steps: list[JournalStep]) -> list[Place]:
    """Steps that are handed out as they are."""
    return [Place(step.number, step) for step in steps]


def test_a_question_at_the_end_of_the_journal_is_no_divergence() -> None:
    """Where only asking is left in the journal, a call that it does not have is new, and stands behind it."""
    assert take(Cursor(journal("getChat", "getMe")), "sendMessage") == [Place(2)]


def test_a_divergence_forgets_the_questions_before_it_too() -> None:
    """The number of the new step is that of the first one that was left, so that the old ones behind it can be cut off."""
    steps = journal("getChat", "sendPhoto")
    assert take(Cursor(steps), "sendMessage", "sendPhoto") == [Place(0, None, steps[1]), Place(1)]


def test_runs_of_any_script_replay_themselves() -> None:
    """Whatever a handler does, a run that does the same finds all of it, and one that stops in the middle leaves the rest."""
    chance = random.Random(7)
    for _ in range(300):
        whats = chance.choices(["sendMessage", "sendPhoto", "getChat", "once"], k=chance.randint(0, 8))
        steps = journal(*whats)
        done = chance.randint(0, len(steps))
        cursor = Cursor(steps[:done])
        places = take(cursor, *whats)
        assert [place.recorded for place in places] == [*steps[:done], *[None] * (len(steps) - done)]
        assert [place.number for place in places] == list(range(len(steps)))
        assert cursor.replayed == done


# ── what came of a step ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", [True, None, 0, 1.5, "é😀\ud800", [1, [2]], {"message_id": 1, "chat": {"id": -(2**62)}}])
def test_a_value_comes_back(value: Any) -> None:
    """Whatever Telegram answers with, half a surrogate pair too."""
    assert read_outcome(value_text(value, "it")) == value


ERRORS: list[NetworkError | ApiError] = [
    NotSent("no route", method="sendMessage", stage="connect", proxy="http://p:1", attempts=3, elapsed=2.5, failover=True),
    DeliveryUncertain("cut", method="sendMessage", stage="receive", timed_out=True),
    NetworkError("html", phase=Phase.ANSWERED, stage="body", retryable=False),
    ChatMigrated("upgraded", method="sendMessage", code=400, parameters={"migrate_to_chat_id": -100}),
    RetryAfter("slow", code=429, parameters={"retry_after": 7}),
    BadRequest("bad", method="x", code=400),
    ApiError("odd", code=418),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_with_its_class_and_its_fields(error: NetworkError | ApiError) -> None:
    """A handler that looks at one decides the same in each run."""
    again = read_outcome(error_text(error))
    assert type(again) is type(error)
    assert (str(again), vars(again), again.args) == (str(error), vars(error), error.args)


def test_every_error_of_a_call_can_be_kept() -> None:
    """None of the classes below NetworkError and ApiError was forgotten."""

    def below(kind: type[Any]) -> list[type[Any]]:
        return [kind, *(one for sub in kind.__subclasses__() for one in below(sub))]

    for kind in below(NetworkError) + below(ApiError):
        if kind.__module__ == errors.__name__:
            assert type(read_outcome(error_text(kind("x")))) is kind


def test_a_users_own_error_comes_back_as_the_nearest_of_ours() -> None:
    """A class that a custom transport has made is not there in another process."""

    class Odd(NotSent):
        pass

    assert type(read_outcome(error_text(Odd("x")))) is NotSent


@pytest.mark.parametrize(
    "text", ["", "[1", "7", "{}", '{"error":"Nope","words":"","facts":{}}', '{"error":"NotSent","words":"x","facts":{"phase":"?"}}',
             '{"error":"NotSent","words":"x","facts":{"phase":"not sent","odd":1}}', '{"error":"NotSent","words":7,"facts":{}}']
)  # fmt: skip
def test_what_nobody_wrote_is_unreadable(text: str) -> None:
    """A damaged text is told as that."""
    with pytest.raises(Unreadable):
        read_outcome(text)


def test_the_result_of_what_was_skipped_says_so() -> None:
    """Whoever looks into it is told why there is nothing."""
    skipped = read_outcome(SKIPPED, "sendMessage")
    assert isinstance(skipped, NoResult)
    with pytest.raises(AttributeError, match=r"sendMessage was under way when the process died.*so that there is no message_id"):
        _ = skipped.message_id
    with pytest.raises(LookupError, match="is no 'message_id'"):
        skipped["message_id"]
    assert "nobody knows" in repr(skipped)


# ── a divergence ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_divergence_says_all_that_is_known() -> None:
    """The update, the handler, the run, the step, both sides, what was replayed, what may appear twice, and where things belong."""
    again = tuple(f"sendMessage (chat_id={n})" for n in range(7))
    text = str(Divergence("update 17", "order (/srv/shop.py:12)", 2, 3, "sendPhoto (chat_id=7)", "sendMessage (chat_id=7)", 3, again))
    for part in ("update 17", "run 2 of order (/srv/shop.py:12)", "step 3 is sendPhoto (chat_id=7)", "the journal has sendMessage (chat_id=7)", "The 3 steps",
                 "sendMessage (chat_id=4) and 2 more", "context.now(), context.random or context.once()"):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(("number", "end"), [(5, "(chat_id=4). A"), (6, "(chat_id=4) and 1 more. A")])
def test_what_may_appear_twice_is_counted_from_the_sixth_on(number: int, end: str) -> None:
    """Five are named; only where there are more, it says how many."""
    again = tuple(f"sendMessage (chat_id={n})" for n in range(number))
    assert end in str(Divergence("update 17", "order (/srv/shop.py:12)", 2, 3, "sendPhoto (chat_id=7)", "sendMessage (chat_id=7)", 3, again))


class Called:
    """A handler that is an object."""

    def __call__(self, update: object, context: object) -> None: ...


def test_a_handler_is_found_in_its_file() -> None:
    """Functions, what wraps them, and objects that can be called, each with its line."""
    here = __file__
    line = take.__code__.co_firstlineno
    assert place_of(take) == place_of(functools.partial(take)) == f"take ({here}:{line})"
    assert place_of(Called()).startswith(f"Called ({here}:")
    assert place_of(None) == "an error handler, the middleware or a filter"
    assert place_of(len) == "len"
