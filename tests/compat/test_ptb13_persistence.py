"""Persistence of python-telegram-bot 13: subclasses, JSON in and out, and the state file in place of pickles."""

from __future__ import annotations

import collections
import decimal
import enum
import logging
import pickle
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import telegram
from kits.interleave_kit import Steps, at_every_line
from kits.ptb13.pickled import USERS
from kits.ptb13.reference import ask_reference

from syncbot.compat.ptb13.persistence import BasePersistence, DictPersistence, PicklePersistence
from syncbot.compat.ptb13.persistence.codec import Codec, NotStorable
from syncbot.storage import Data, Scope, open_store


class FakeBot:
    """What is known as a bot."""

    def get_updates(self) -> None:
        """As a bot has."""

    def send_message(self) -> None:
        """As a bot has."""


class Colour(enum.Enum):
    """An enum of a program's."""

    RED = 1


@dataclass(frozen=True)
class Basket:
    """A dataclass of a program's."""

    items: list[str]
    at: datetime | None = None
    colour: Colour = Colour.RED
    notes: list[str] = field(default_factory=list)


Point = collections.namedtuple("Point", "x y")  # as programs of then have them


class Plain:
    """Any other class."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]  # it can be changed


class Dropping(PicklePersistence):
    """Reads pickles, and keeps what only a pickle can."""

    reads_pickles = True
    keeps_pickled = True


@pytest.fixture
def bot() -> FakeBot:
    """A bot."""
    return FakeBot()


@pytest.fixture
def data() -> Iterator[Data]:
    """A place to keep things in."""
    with open_store(None, 1) as store:
        yield store.data


VALUES = [
    *[None, True, 5, -0.5, "text", "", [1, [2]], {"a": {"b": None}}, {}, {1: "a", (2, 3): "b"}, (1, (2,)), {1, 2}, frozenset({"x"}), deque([1])],
    *[float("inf"), b"\x00\xff", decimal.Decimal("1.10"), uuid.UUID(int=5), date(2026, 1, 2), time(9, 30), timedelta(days=1, microseconds=5)],
    *[datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2), OrderedDict([("b", 1), ("a", 2)]), {"ptb13": "x"}, Colour.RED],
    *[Basket(["tea"], datetime(2026, 1, 2, tzinfo=UTC)), {"basket": [Basket([])]}, telegram.User(5, "Ann", False)],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_programs_keep_comes_back(value: Any) -> None:
    """Of the same type, and equal; by way of JSON, in a store."""
    codec = Codec()
    with open_store(None, 1) as store:
        store.data.save(Scope.BOT, 0, {"kept": codec.encode(value)})
        found = codec.decode(store.data.load(Scope.BOT, 0)["kept"])
    assert type(found) is type(value)
    assert found == value


def test_a_defaultdict_keeps_its_default() -> None:
    """Where that is one of Python's own types; with another it could only be pickled."""
    codec = Codec()
    found = codec.decode(codec.encode(defaultdict(list, {"a": [1]})))
    assert found["new"] == []
    assert found["a"] == [1]
    with pytest.raises(NotStorable, match="defaultdict"):
        codec.encode(defaultdict(lambda: 5))


def test_json_is_kept_as_it_is() -> None:
    """So that a handler of syncbot's own reads it too."""
    value = {"a": [1, "b", None, {"c": 0.5}]}
    assert Codec().encode(value) == value


def test_anything_else_is_a_pickle_when_asked_for() -> None:
    """Neither written nor read otherwise, and the error names the type."""
    for value in (Plain(1), Point(1, 2), [Plain(1)]):
        with pytest.raises(NotStorable, match=r"\.P"):
            Codec().encode(value)
        encoded = Codec(pickled=True).encode(value)
        assert Codec(pickled=True).decode(encoded) == value
        with pytest.raises(NotStorable, match="a pickle"):
            Codec().decode(encoded)


def test_a_bot_is_the_bot_that_reads(bot: FakeBot) -> None:
    """It is never written."""
    assert Codec().encode({"bot": bot}) == {"bot": {"ptb13": "bot"}}
    assert Codec(bot).decode({"ptb13": "bot"}) is bot


def test_a_file_has_nothing_imported() -> None:
    """A class is found among what the program has imported, or the value is not read."""
    for name in ("no.such.module:Thing", "antigravity:Thing", "os:system", "subprocess:Popen", f"{__name__}:Plain", f"{__name__}:nothing.there"):
        with pytest.raises(NotStorable):
            Codec().decode({"ptb13": "dataclass", "class": name, "fields": {}})
    for wrong in ({"ptb13": "moon"}, {"ptb13": "date"}, {"ptb13": "date", "text": "x"}, {"ptb13": "decimal", "text": "x"}, {"ptb13": "dict"}):
        with pytest.raises((ValueError, NotStorable)):
            Codec().decode(wrong)


def test_a_dataclass_that_has_grown_gets_its_defaults() -> None:
    """And one without a field that was there is read without it."""
    encoded = Codec().encode(Basket(["tea"]))
    del encoded["fields"]["notes"], encoded["fields"]["at"]
    encoded["fields"]["gone"] = 1
    assert Codec().decode(encoded) == Basket(["tea"])


class Own(BasePersistence[Any, Any, Any]):
    """What a program subclasses; it keeps what it is given, to be looked at."""

    def __init__(self) -> None:
        super().__init__(store_chat_data=False)
        self.kept: dict[str, Any] = {"user": {5: {"bot": self.REPLACED_BOT, "deep": [(Plain(self.REPLACED_BOT),)]}}}

    def get_user_data(self) -> Any:
        return defaultdict(dict, self.kept["user"])

    def get_chat_data(self) -> Any:
        return defaultdict(dict)

    def get_bot_data(self) -> Any:
        return {}

    def get_conversations(self, name: str) -> dict[tuple[Any, ...], Any]:
        return {}

    def update_conversation(self, name: str, key: tuple[Any, ...], new_state: Any) -> None:
        self.kept[name] = (key, new_state)

    def update_user_data(self, user_id: int, data: Any) -> None:
        self.kept[str(user_id)] = data

    def update_chat_data(self, chat_id: int, data: Any) -> None:
        raise AssertionError

    def update_bot_data(self, data: Any) -> None:
        self.kept["bot"] = data


def test_a_subclass_never_gets_a_bot(bot: FakeBot) -> None:
    """What it is given has a text where the bot was, however deep; what it gives has the bot there again; nothing of the program's own is changed."""
    own = Own()
    own.set_bot(bot)
    found = own.get_user_data()
    assert found[5]["bot"] is bot
    assert found[5]["deep"][0][0].value is bot
    assert found[6] == {}
    round_about: dict[str, Any] = {"bots": {"x": (bot,)}, "object": Plain(bot), "set": {1}}
    round_about["self"] = round_about
    own.update_user_data(5, round_about)
    kept = own.kept["5"]
    assert kept["bots"] == {"x": (own.REPLACED_BOT,)}
    assert kept["object"].value == own.REPLACED_BOT
    assert kept["self"] is kept
    assert round_about["object"].value is bot
    assert (own.store_user_data, own.store_chat_data, own.store_bot_data, own.store_callback_data) == (True, False, True, False)
    with pytest.raises(NotImplementedError):
        own.get_callback_data()


def test_what_cannot_be_copied_is_kept_as_it_is() -> None:
    """And a warning names it."""

    class Stubborn:
        """Cannot be copied."""

        def __copy__(self) -> None:
            raise TypeError("no")

    one = Stubborn()
    with pytest.warns(RuntimeWarning, match="Stubborn cannot be looked through"):
        assert BasePersistence.replace_bot([one])[0] is one


def test_dicts_go_in_and_out_as_json(bot: FakeBot) -> None:
    """What the attributes give, another one is made of."""
    first = DictPersistence(store_callback_data=True)
    first.set_bot(bot)
    assert (first.get_user_data(), first.get_chat_data(), first.get_bot_data(), first.get_callback_data(), first.get_conversations("a")) == (
        {},
        {},
        {},
        None,
        {},
    )
    first.update_user_data(5, {"a": 1, 7: "seven"})
    first.update_chat_data(-6, {"b": [2]})
    first.update_bot_data({"c": 3})
    first.update_callback_data(([("k", 1.5, {"b": "held"})], {"q": "k"}))
    first.update_conversation("main", (5, 6), "asked")
    names = ("user_data_json", "chat_data_json", "bot_data_json", "conversations_json", "callback_data_json")
    again = DictPersistence(**{name: getattr(first, name) for name in names})
    assert again.get_user_data() == {5: {"a": 1, 7: "seven"}}
    assert again.get_user_data()[99] == {}
    assert again.get_chat_data() == {-6: {"b": [2]}}
    assert again.get_bot_data() == {"c": 3}
    assert again.get_conversations("main") == {(5, 6): "asked"}
    assert again.get_callback_data() == ([("k", 1.5, {"b": "held"})], {"q": "k"})
    assert again.conversations == {"main": {(5, 6): "asked"}}


@pytest.mark.parametrize(
    "given",
    [
        *({name: "no"} for name in ("user_data_json", "chat_data_json", "bot_data_json", "conversations_json", "callback_data_json")),
        *({"callback_data_json": text} for text in ("[[]]", "[[[1, 2]], {}]", '[[["k", 1.0, 5]], {}]', "[[], []]", "{}")),
        *({name: "[1]"} for name in ("user_data_json", "bot_data_json")),
    ],
    ids=str,
)
def test_what_is_no_json_is_refused(given: dict[str, Any]) -> None:
    """With a TypeError, as it was."""
    with pytest.raises(TypeError):
        DictPersistence(**given)


def filled(persistence: PicklePersistence) -> None:
    """Something of each kind."""
    persistence.update_user_data(5, {"choice": "age", 7: (1, 2), "basket": Basket(["tea"])})
    persistence.update_chat_data(-6, {"at": datetime(2026, 1, 2, tzinfo=UTC)})
    persistence.update_bot_data({"seen": {5}})
    persistence.update_conversation("main", (5, -6), 3)
    persistence.update_conversation("main", (8, -6), "done")
    persistence.update_callback_data(([("k", 1.5, {"b": Basket([])})], {"q": "k"}))


def check_filled(persistence: PicklePersistence) -> None:
    """All of it is there."""
    assert persistence.get_user_data() == {5: {"choice": "age", 7: (1, 2), "basket": Basket(["tea"])}}
    assert persistence.get_chat_data() == {-6: {"at": datetime(2026, 1, 2, tzinfo=UTC)}}
    assert persistence.get_bot_data() == {"seen": {5}}
    assert persistence.get_conversations("main") == {(5, -6): 3, (8, -6): "done"}
    assert persistence.get_callback_data() == ([("k", 1.5, {"b": Basket([])})], {"q": "k"})


def test_everything_is_kept_in_the_state_file(data: Data, bot: FakeBot) -> None:
    """And found again by the next process; each key is one of syncbot's own `context.user_data` too."""
    filled(started(PicklePersistence("unused"), data, bot))
    check_filled(started(PicklePersistence("unused"), data, bot))
    assert data.load(Scope.USER, 5)["choice"] == "age"


def started(persistence: PicklePersistence, data: Data, bot: Any) -> PicklePersistence:
    """One that was told where to keep things, and has read what is there, as a dispatcher has it do."""
    persistence.use(data)
    persistence.set_bot(bot)
    persistence.get_user_data(), persistence.get_chat_data(), persistence.get_bot_data()
    return persistence


def test_what_is_gone_is_gone(data: Data, bot: FakeBot) -> None:
    """A key that was taken out, a conversation that has ended; what is of another kind stays."""
    first = started(PicklePersistence("unused"), data, bot)
    filled(first)
    first.update_user_data(5, {"choice": None})
    first.update_bot_data({})
    first.update_conversation("main", (5, -6), None)
    first.update_conversation("main", (9, 9), None)
    again = started(PicklePersistence("unused"), data, bot)
    assert again.get_user_data() == {5: {"choice": None}}
    assert again.get_bot_data() == {}
    assert again.get_conversations("main") == {(8, -6): "done"}
    assert again.get_callback_data() is not None
    assert again.get_conversations("ma") == {}


def test_only_what_has_changed_is_written(bot: FakeBot) -> None:
    """One key of many; nothing where nothing has."""
    with open_store(None, 1) as store:
        written: list[Any] = []
        counted = SimpleNamespace(load=store.data.load, owners=store.data.owners, save=lambda *values: (written.append(values[2:]), store.data.save(*values)))
        one = started(PicklePersistence("unused"), counted, bot)  # type: ignore[arg-type]  # it has what is used
        one.update_user_data(5, {"a": 1, "b": [1]})
        one.update_user_data(5, {"a": 1, "b": [1]})
        one.update_user_data(5, {"a": 1, "b": [1, 2]})
        assert written == [({"a": 1, "b": [1]}, []), ({"b": [1, 2]}, [])]


def test_on_flush_is_written_at_the_end(data: Data, bot: FakeBot) -> None:
    """And not before."""
    first = started(PicklePersistence("unused", on_flush=True), data, bot)
    filled(first)
    assert data.load(Scope.USER, 5) == {}
    first.flush()
    check_filled(started(PicklePersistence("unused"), data, bot))


def test_other_classes_of_data(data: Data, bot: FakeBot) -> None:
    """Those of `ContextTypes`: a dataclass is kept as a whole."""
    types = SimpleNamespace(user_data=lambda: Basket([]), chat_data=dict, bot_data=dict)
    started(PicklePersistence("unused", context_types=types), data, bot).update_user_data(5, Basket(["tea"]))
    found = started(PicklePersistence("unused", context_types=types), data, bot).get_user_data()
    assert (found[5], found[6]) == (Basket(["tea"]), Basket([]))


def test_what_cannot_be_kept_is_told_once(data: Data, bot: FakeBot, caplog: pytest.LogCaptureFixture) -> None:
    """The rest is kept, and the program goes on with what it has in memory; with pickles all of it is."""
    one = started(PicklePersistence("unused"), data, bot)
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            one.update_user_data(5, {"plain": Plain(number), "n": number})
    assert caplog.text.count("user_data['plain'] holds") == 1
    assert "--pickled" in caplog.text
    assert data.load(Scope.USER, 5) == {"n": 2}
    two = started(Dropping("unused"), data, bot)
    two.update_user_data(5, {"plain": Plain(1)})
    assert started(Dropping("unused"), data, bot).get_user_data()[5] == {"plain": Plain(1)}
    with pytest.raises(NotStorable, match=r"user_data of 5 holds a pickle.*--pickled"):
        started(PicklePersistence("unused"), data, bot)


def written_by_13(folder: Path, single: bool) -> str:
    """Files as 13.15 writes them."""
    held: dict[str, Any] = {
        "user_data": defaultdict(dict, {5: {"choice": "age", 7: (1, 2), "basket": Basket(["tea"])}}),
        "chat_data": defaultdict(dict, {-6: {"at": datetime(2026, 1, 2, tzinfo=UTC)}}),
        "bot_data": {"seen": {5}},
        "conversations": {"main": {(5, -6): 3, (8, -6): "done"}},
        "callback_data": ([("k", 1.5, {"b": Basket([])})], {"q": "k"}),
    }
    name = folder / "bot.pickle"
    if single:
        name.write_bytes(pickle.dumps(held))
    else:
        for part, value in held.items():
            Path(f"{name}_{part}").write_bytes(pickle.dumps(value))
    return str(name)


@pytest.mark.parametrize("single", [True, False])
def test_the_pickle_of_before_is_read_once_when_asked_for(tmp_path: Path, data: Data, bot: FakeBot, single: bool) -> None:
    """From then on the state file counts, whatever becomes of the pickle, which is left as it was."""
    name = written_by_13(tmp_path, single)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    first = started(Dropping(name, single_file=single), data, bot)
    check_filled(first)
    first.update_bot_data({"new": 1})
    assert started(Dropping(name, single_file=single), data, bot).get_bot_data() == {"new": 1}
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.programs("python3.11")
@pytest.mark.parametrize("single", [True, False])
def test_a_file_that_13_15_has_written_is_read(tmp_path: Path, data: Data, bot: FakeBot, single: bool) -> None:
    """With all that it holds."""
    ask_reference("ptb13.pickled", str(tmp_path))
    found = started(Dropping(str(tmp_path / ("one" if single else "five")), single_file=single), data, bot)
    assert found.get_user_data() == USERS
    assert found.get_chat_data() == {-6: {"b": [2]}}
    assert found.get_bot_data() == {"seen": {5}, "bot": bot}
    assert found.get_conversations("main") == {(5, -6): 3}
    assert found.get_callback_data() == ([("k", 1.5, {"b": [1]})], {"q": "k"})


class Evil:
    """Does something when it is read."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("was-run"),))


def test_a_pickle_is_not_read_unless_asked_for(
    tmp_path: Path, data: Data, bot: FakeBot, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could run anything. The log says that it is there, and what to do."""
    monkeypatch.chdir(tmp_path)
    Path("bot.pickle").write_bytes(pickle.dumps({"user_data": Evil()}))
    with caplog.at_level(logging.WARNING):
        one = started(PicklePersistence("bot.pickle"), data, bot)
    assert not Path("was-run").exists()
    assert "--read-pickles" in caplog.text
    assert one.get_user_data() == {}


def test_a_file_that_is_no_pickle_is_named(tmp_path: Path, data: Data, bot: FakeBot) -> None:
    """And nothing is taken over."""
    (tmp_path / "bot.pickle").write_text("hello")
    with pytest.raises(TypeError, match=r"bot\.pickle cannot be read"):
        started(Dropping(str(tmp_path / "bot.pickle")), data, bot)
    assert data.owners(Scope.BOT) == []


def test_a_state_is_kept_whatever_else_is_kept_meanwhile(bot: FakeBot) -> None:
    """Conversations say theirs from any thread, and the bot's data stand in the same rows."""

    def make() -> Steps:
        store = open_store(None, 1)
        one = started(PicklePersistence("unused"), store.data, bot)

        def check() -> None:
            assert one.get_conversations("main") == {(5, 6): 1}
            assert one.get_bot_data() == {"a": 1}
            store.close()

        return Steps(lambda: one.update_bot_data({"a": 1}), lambda: one.update_conversation("main", (5, 6), 1), check)

    assert at_every_line(make, "persistence/picklepersistence.py") > 5


def test_it_finds_the_bots_state_file_by_itself(tmp_path: Path) -> None:
    """The one that the runtime has, or the one that its Updater was told of; flushed, it is closed, and opened again when needed."""
    bot = SimpleNamespace(id=1, syncbot=SimpleNamespace(id=1, settings=SimpleNamespace(state=tmp_path / "own.db")))
    first = PicklePersistence("unused")
    first.set_bot(bot)
    filled(first)
    first.flush()
    first.update_bot_data({"seen": {5}, "late": 1})
    first.flush()
    other = PicklePersistence("unused")
    other.state = str(tmp_path / "own.db")
    other.set_bot(bot)
    assert other.get_bot_data() == {"seen": {5}, "late": 1}
    other.flush()
