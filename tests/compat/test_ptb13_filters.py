"""`Filters` of python-telegram-bot 13: each of them against each kind of message, with what 13.15 itself said beside it; and filters of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kits.interleave_kit import Steps, at_every_line
from kits.ptb13.programs import Starter
from kits.ptb13.reference import ask_reference

from syncbot.compat.ptb13.filters import BaseFilter, Filters, MessageFilter, UpdateFilter

RECORDED = Path(__file__).with_name("ptb13_filters.json")
"""What 13.15 says; `test_the_record_is_what_13_15_says` compares, and tells how to write it anew."""


def comparable(table: dict[str, Any]) -> dict[str, Any]:
    """Names of sets come in any order."""
    return {text: {**entry, "name": "".join(sorted(entry["name"]))} for text, entry in table.items()}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """The record."""
    found: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def test_each_filter_says_what_13_15_says(starter: Starter, recorded: dict[str, Any]) -> None:
    """The same messages for each filter, with the same matches, and the same name to be shown by."""
    ours, theirs = comparable(starter.ask("ptb13.filter_table")), comparable(recorded)
    assert ours.keys() == theirs.keys()
    assert {text: said for text, said in ours.items() if said != theirs[text]} == {}


@pytest.mark.programs("python3.11")
def test_the_record_is_what_13_15_says(recorded: dict[str, Any]) -> None:
    """Asked again; where it says something else: `python -m ptb13.filter_table` under it, with tests/kits in PYTHONPATH, writes the record."""
    assert comparable(ask_reference("ptb13.filter_table")) == comparable(recorded)


def test_the_record_tells_filters_apart(recorded: dict[str, Any]) -> None:
    """Nearly every filter finds something, and none finds everything but those that are to."""
    silent = [text for text, entry in recorded.items() if not entry["yes"]]
    assert len(recorded) > 150
    assert silent == ["Filters.user()", "Filters.dice.football(4)", 'Filters.document.file_extension("pdf", case_sensitive=True)']


class Long(MessageFilter):
    """A filter as programs write them: no `__init__` of the base is called."""

    name = "Long"

    def __init__(self, least: int) -> None:
        self.least = least

    def filter(self, message: Any) -> bool:
        return len(message.text) >= self.least


class Given(UpdateFilter):
    """A data filter of an update."""

    data_filter = True

    def filter(self, update: Any) -> dict[str, list[Any]]:
        return {"given": [update.update_id]} if update.update_id else {}


def update(text: str = "Hello", number: int = 7) -> Any:
    """An update, as far as filters look at it."""
    message = SimpleNamespace(text=text, entities=[], reply_to_message=None, photo=())
    return SimpleNamespace(update_id=number, effective_message=message, message=message)


def test_filters_of_ones_own() -> None:
    """They are called with an update, joined with others, and shown by their name, or else their class's."""
    assert Long(5)(update()) is True
    assert (Long(9) | Filters.text)(update()) is True
    assert (Filters.text & ~Long(5))(update()) is False
    assert (Filters.text ^ Long(9))(update()) is True
    assert repr(Filters.text & ~(Long(5) | Given())) == "<Filters.text and <inverted <Long or Given>>>"
    assert repr(Long(1) ^ Given()) == "<Long xor Given>"


def test_data_of_filters_are_joined() -> None:
    """Lists of the same name are put together; those that an `or` does not need are not asked for."""
    assert (Given() & Given())(update()) == {"given": [7, 7]}
    assert (Filters.regex("H") & Given())(update())["given"] == [7]
    assert (Given() | Given())(update()) == {"given": [7]}
    assert (Given() & Filters.text)(update()) == {"given": [7]}
    assert (Given() & Filters.text)(update(number=0)) is False
    assert (~Given())(update()) is False


def test_joining_changes_no_filters_data() -> None:
    """A filter that gives the same dict each time is not given a longer one by each update."""

    class Same(Given):
        """Gives the same dict each time."""

        kept: dict[str, list[Any]] = {"given": [1]}  # noqa: RUF012  # that it is shared is the test

        def filter(self, update: Any) -> dict[str, list[Any]]:
            return self.kept

    joined = Same() & Given()
    assert [joined(update()), joined(update())] == [{"given": [1, 7]}] * 2


def test_the_second_filter_is_asked_only_where_it_matters() -> None:
    """As with Python's `and` and `or`."""

    class Never(MessageFilter):
        """Must not be asked."""

        def filter(self, message: Any) -> bool:
            raise AssertionError

    assert (Filters.photo & Never())(update()) is False
    assert (Filters.text | Never())(update()) is True


def test_names_of_joined_filters_follow_from_theirs() -> None:
    """They cannot be set; those of single filters can."""
    single = Long(5)
    single.name = "quite long"
    assert repr(single) == "quite long"
    for joined in (single & Filters.text, ~single, single ^ Filters.text, Filters.user(1)):
        with pytest.raises(RuntimeError, match="Cannot set name"):
            joined.name = "x"


def test_a_filter_has_to_say_what_it_filters() -> None:
    """The base classes are no filters."""
    for kind in (BaseFilter, MessageFilter, UpdateFilter):
        with pytest.raises(TypeError, match="abstract"):
            kind()


@pytest.mark.parametrize(
    ("name", "ids"), [("user", "user_ids"), ("via_bot", "bot_ids"), ("chat", "chat_ids"), ("sender_chat", "chat_ids"), ("forwarded_from", "chat_ids")]
)
def test_people_come_and_go_while_the_bot_runs(name: str, ids: str) -> None:
    """Ids and usernames are added, taken away and set; what is read is a copy."""
    kind: Any = getattr(Filters, name)
    word = ids.removesuffix("s")
    chosen = kind(1)
    getattr(chosen, f"add_{ids}")([2, 3])
    getattr(chosen, f"remove_{ids}")(1)
    assert getattr(chosen, ids) == frozenset({2, 3})
    setattr(chosen, ids, 9)
    assert getattr(chosen, ids) == {9}
    with pytest.raises(RuntimeError, match=f"Can't set username in conjunction with \\(already set\\) {word}s"):
        chosen.add_usernames("ann")
    with pytest.raises(RuntimeError, match="in conjunction"):
        kind(1, "ann")
    named = kind(username=["@ann", "bob"])
    named.add_usernames("@cat")
    named.remove_usernames(["bob"])
    assert named.usernames == {"ann", "cat"}
    with pytest.raises(RuntimeError, match=f"Can't set {word} in conjunction"):
        getattr(named, f"add_{ids}")(5)
    named.usernames = "dora"
    assert repr(named) == f"Filters.{name}(dora)"


def test_people_that_come_at_once_are_all_there() -> None:
    """Two threads add and take away, and none undoes what the other does."""

    def make() -> Steps:
        chosen = Filters.user([1, 2])
        return Steps(lambda: chosen.add_user_ids(3), lambda: chosen.remove_user_ids(1), lambda: check(chosen))

    def check(chosen: Any) -> None:
        assert chosen.user_ids == {2, 3}

    assert at_every_line(make, "filters/people.py") > 2


def test_the_old_filters_of_chat_types_warn() -> None:
    """`Filters.private` and `Filters.group` still work, and name what took their place."""
    there = SimpleNamespace(effective_message=SimpleNamespace(chat=SimpleNamespace(type="supergroup")))
    with pytest.warns(match="Filters.chat_type.groups instead"):
        assert Filters.group(there) is True
    with pytest.warns(match="Filters.chat_type.private instead"):
        assert Filters.private(there) is False


def test_a_message_that_telegram_shows_no_more_has_nothing() -> None:
    """What stands under an old button has a chat and an id, and no filter of fields fails at it."""
    there = SimpleNamespace(effective_message=SimpleNamespace(chat=SimpleNamespace(type="private"), message_id=1, date=0))
    for chosen in (Filters.text, Filters.command, Filters.regex("a"), Filters.user(1), Filters.language("en"), Filters.document.pdf, Filters.forwarded_from(1)):
        assert not chosen(there)
