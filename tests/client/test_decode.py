"""Decoding answers and updates."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
import telegram
from hypothesis import given, settings
from hypothesis import strategies as st

from syncbot.client.ptb.decode import DecodeError, decode, decode_update

USER = {"id": 7, "is_bot": False, "first_name": "Zoë", "username": "zoe"}
CHAT = {"id": 7, "type": "private", "first_name": "Zoë"}
POLL = {
    "id": "5", "question": "?", "options": [{"persistent_id": "1", "text": "a", "voter_count": 0}], "total_voter_count": 0, "is_closed": False,
    "is_anonymous": True, "type": "quiz", "allows_multiple_answers": False, "allows_revoting": False, "members_only": False, "correct_option_id": 0,
}  # fmt: skip
MESSAGE = {
    "message_id": 1, "date": 1_700_000_000, "chat": CHAT, "from": USER, "text": "/start 😀", "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
    "reply_markup": {"inline_keyboard": [[{"text": "b", "callback_data": "x"}]]},
}  # fmt: skip
UPDATES: list[dict[str, Any]] = [
    {"update_id": 1, "message": MESSAGE},
    {"update_id": 2, "edited_message": MESSAGE | {"edit_date": 1_700_000_001, "photo": [{"file_id": "F", "file_unique_id": "U", "width": 1, "height": 1}]}},
    {"update_id": 3, "callback_query": {"id": "1", "from": USER, "chat_instance": "c", "data": "d", "message": MESSAGE}},
    {"update_id": 4, "poll": POLL},
    {"update_id": 5, "message": MESSAGE | {"poll": POLL, "reply_to_message": MESSAGE, "voice": {"file_id": "F", "file_unique_id": "U", "duration": 3}}},
    {
        "update_id": 6,
        "my_chat_member": {
            "chat": CHAT,
            "from": USER,
            "date": 1_700_000_000,
            "old_chat_member": {"status": "member", "user": USER},
            "new_chat_member": {"status": "kicked", "user": USER, "until_date": 0},
        },
    },
    {
        "update_id": 7,
        "message_reaction": {"chat": CHAT, "message_id": 1, "user": USER, "date": 1, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]},
    },
]


def test_a_message_becomes_an_object() -> None:
    """A result of type Message is a telegram.Message whose fields are the JSON's."""
    message = decode(("Message",), MESSAGE)
    assert isinstance(message, telegram.Message)
    assert (message.text, message.from_user.username if message.from_user else "") == ("/start 😀", "zoe")


def test_arrays_become_tuples() -> None:
    """A list of results is a tuple of objects, as python-telegram-bot has it."""
    assert decode(("Array of MessageId",), [{"message_id": 1}, {"message_id": 2}]) == (telegram.MessageId(1), telegram.MessageId(2))
    assert decode(("Array of Update",), []) == ()


def test_an_update_is_telegrams_own() -> None:
    """What comes out is of telegram's classes themselves, before anybody has looked at it: nothing stands in for them."""
    update = decode_update(UPDATES[0])
    assert type(update) is telegram.Update
    assert type(update.message) is telegram.Message


@pytest.mark.parametrize(("kind", "value"), [("Boolean", True), ("Integer", 3), ("String", "x")])
def test_plain_results_stay(kind: str, value: Any) -> None:
    """Numbers, texts and truths are what they are."""
    assert decode((kind,), value) is value


def test_message_or_true() -> None:
    """An edit returns the message, or True for an inline one."""
    assert decode(("Message", "Boolean"), True) is True
    assert isinstance(decode(("Message", "Boolean"), MESSAGE), telegram.Message)


def test_a_type_that_telegram_lacks_stays_a_dict() -> None:
    """A result whose class python-telegram-bot lacks stays as it came, alone and in a list."""
    assert decode(("RichMessage",), {"blocks": []}) == {"blocks": []}
    assert decode(("Array of RichMessage",), [{"blocks": []}]) == ({"blocks": []},)


def test_the_right_subclass_is_chosen() -> None:
    """A ChatMember is of the class that its status says."""
    assert isinstance(decode(("ChatMember",), {"status": "left", "user": USER}), telegram.ChatMemberLeft)


def test_unknown_fields_survive() -> None:
    """Fields that python-telegram-bot does not know are in api_kwargs, at every depth, and the raw update is left as it was."""
    raw = {"update_id": 1, "smell": 1, "message": MESSAGE | {"taste": {"sweet": True}}}
    before = copy.deepcopy(raw)
    update = decode_update(raw)
    assert update.api_kwargs == {"smell": 1}
    assert update.message is not None
    assert update.message.api_kwargs == {"taste": {"sweet": True}}
    assert raw == before


def test_the_bot_is_attached() -> None:
    """The given bot is the one that the objects' shortcuts use."""

    class Bot:
        defaults = None

    bot = Bot()
    update = decode_update(UPDATES[2], bot)
    assert update.callback_query is not None
    attached: list[object] = [update.get_bot(), update.callback_query.get_bot(), update.callback_query.from_user.get_bot()]
    assert attached == [bot] * 3


def test_the_old_name_of_a_polls_answer_warns_of_nothing() -> None:
    """A poll with the old correct_option_id decodes without a warning, wherever it stands, and the new field wins where both came."""
    update = decode_update(UPDATES[4])
    assert update.message is not None
    assert update.message.poll is not None
    assert update.message.poll.correct_option_ids == (0,)
    assert decode(("Poll",), POLL | {"correct_option_ids": [1]}).correct_option_ids == (1,)
    assert decode(("Array of Poll",), [POLL])[0].correct_option_ids == (0,)
    assert "correct_option_id" in POLL


@pytest.mark.parametrize(
    ("returns", "value"),
    [
        (("Message",), None),
        (("Message",), []),
        (("Boolean",), 1),
        (("Integer",), True),
        (("Array of Update",), {}),
        (("Array of MessageId",), [None]),
        (("Message",), {}),
    ],
)
def test_what_does_not_fit_is_a_clear_error(returns: tuple[str, ...], value: Any) -> None:
    """A value of another type is a DecodeError that names the type and holds the raw value."""
    with pytest.raises(DecodeError, match=returns[0]) as caught:
        decode(returns, value)
    assert caught.value.raw == value


@pytest.mark.parametrize(
    "raw", [None, [], "x", {}, {"update_id": "1"}, {"update_id": True}, {"update_id": 1, "message": 5}, {"update_id": 1, "message": {"date": 10**30}}]
)
def test_what_is_no_update_is_a_clear_error(raw: Any) -> None:
    """Something that is not an update is a DecodeError that holds it."""
    with pytest.raises(DecodeError) as caught:
        decode_update(raw)
    assert caught.value.raw == raw


def test_endless_nesting_is_a_clear_error() -> None:
    """A message nested deeper than Python can follow is a DecodeError, not a RecursionError."""
    message: dict[str, Any] = dict(MESSAGE)
    for _ in range(3000):
        message = MESSAGE | {"reply_to_message": message}
    with pytest.raises(DecodeError, match="RecursionError"):
        decode_update({"update_id": 1, "message": message})


def test_the_error_is_short_and_alone() -> None:
    """The text of an error stays short whatever came, and drags no chain of foreign errors along."""
    with pytest.raises(DecodeError) as caught:
        decode(("Message",), {"x" * 100_000: 1, "message_id": 1})
    assert len(str(caught.value)) < 400
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


STRANGE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([10**40, -(10**400), float("nan"), float("inf"), 1e308, 2**63]), st.text(max_size=5),
    st.lists(st.one_of(st.none(), st.integers(), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)), max_size=3),
    st.dictionaries(st.sampled_from(["id", "type", "message_id", "date", "status", "x"]), st.one_of(st.integers(), st.text(max_size=3)), max_size=3),
)  # fmt: skip


@st.composite
def mutated_updates(draw: st.DrawFn) -> Any:
    """One of the updates with some parts missing, of another type, or out of all bounds."""
    update = copy.deepcopy(draw(st.sampled_from(UPDATES)))
    for _ in range(draw(st.integers(1, 4))):
        _mutate(draw, update)
    return update


def _mutate(draw: st.DrawFn, node: Any) -> None:
    """Walk down to some place and change it."""
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not places:
            return
        place = draw(st.sampled_from(places))
        below = node[place]
        if isinstance(below, dict | list) and draw(st.booleans()):
            node = below
            continue
        if draw(st.booleans()):
            node[place] = draw(STRANGE)
        else:
            del node[place]
        return


@settings(max_examples=300, deadline=None)
@given(mutated_updates())
def test_a_mutated_update_is_an_object_or_a_clear_error(raw: dict[str, Any]) -> None:
    """Whatever is wrong with an update, decoding gives an Update of the same id or a DecodeError with the raw update, and no warning."""
    told: Any = None
    try:
        seen: Any = decode_update(raw).update_id
    except DecodeError as error:
        seen, told = None, error.raw
    assert told is raw or seen == raw["update_id"]


def test_loads_telegram_only_when_it_is_needed() -> None:
    """Importing the decoder and decoding a plain result load no telegram; decoding an object does, and creates no event loop."""
    code = (
        "import sys; from syncbot.client.ptb.decode import decode; decode(('Boolean',), True); before = 'telegram' in sys.modules\n"
        "decode(('User',), {'id': 1, 'is_bot': True, 'first_name': 'x'}); print(before, 'telegram' in sys.modules, 'httpcore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False True False"
