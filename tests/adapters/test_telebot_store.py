"""What telebot remembers of conversations, in a state file: next steps and states, over a restart and over a death in the middle of an update."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import telebot
from telebot import types
from telebot.handler_backends import MemoryHandlerBackend

from syncbot import Bot, Context
from syncbot.adapters.telebot_store import ChatRows, DurableStates, DurableSteps
from syncbot.storage import Store, open_store
from syncbot.storage.promises.data import Scope
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport

BOT_ID = int(TEST_TOKEN.partition(":")[0])
CHAT = 7


def step(message: Any, *args: Any, **kwargs: Any) -> None:
    """A next step that a program could have."""


def other_step(message: Any) -> None:
    """Another one."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A state file."""
    with open_store(tmp_path / "bot.db", BOT_ID) as opened:
        yield opened


def steps_of(store: Store) -> DurableSteps:
    """The memory as a program that has just started has it."""
    return DurableSteps(ChatRows(store.data), {})


def handler(callback: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """A step as telebot registers it."""
    return {"callback": callback, "args": args, "kwargs": kwargs}


MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": CHAT, "type": "private"}, "text": "hi"}


def message() -> types.Message:
    """A message as telebot makes it of Telegram's JSON."""
    read: Any = types.Message.de_json
    made: types.Message = read(MESSAGE)
    return made


def test_a_step_outlives_the_process_with_its_arguments(store: Store) -> None:
    """Function, values and messages come back in another process's memory; taken once, they are gone."""
    steps_of(store).register_handler(CHAT, handler(step, "a", [1, {"b": None}], message(), flag=True))
    later = steps_of(store)
    found = later.get_handlers(CHAT)
    assert found is not None
    [one] = found
    assert (one["callback"], one["kwargs"]) == (step, {"flag": True})
    assert one["args"][:2] == ["a", [1, {"b": None}]]
    assert (type(one["args"][2]), one["args"][2].text) == (types.Message, "hi")
    assert later.get_handlers(CHAT) is None
    assert steps_of(store).get_handlers(CHAT) is None


def in_an_update(store: Store, work: Callable[[DurableSteps, DurableStates], None], *, dies: bool = False, fails: bool = False) -> None:
    """Handle an update of the chat, in a process of its own, so to say, which may die before its end is written; `work` may fail, by a ValueError."""
    rows = ChatRows(store.data)
    context = Context(Bot(TEST_TOKEN, transport=FakeTransport()), store.data, raw={"update_id": 1, "message": MESSAGE})
    with pytest.raises(ValueError, match="as asked") if fails else nullcontext() as failure, rows.update(context):
        work(DurableSteps(rows, {}), DurableStates(rows))
    if failure is not None:
        context.fail(failure.value)
    if not dies:
        store.data.apply(context.changes())


def test_an_update_whose_process_died_has_changed_nothing(store: Store) -> None:
    """What it took, registered, set and noted before its death is as it was, so that it takes the same way when it is handled again."""

    def begin(steps: DurableSteps, states: DurableStates) -> None:
        steps.register_handler(CHAT, handler(step))
        states.set_state(CHAT, 1, "asked")
        states.set_data(CHAT, 1, "names", ["Ann"])

    def go_on(steps: DurableSteps, states: DurableStates) -> None:
        assert [one["callback"] for one in steps.get_handlers(CHAT) or []] == [step]
        assert (states.get_state(CHAT, 1), states.get_data(CHAT, 1)) == ("asked", {"names": ["Ann"]})
        steps.register_handler(CHAT, handler(other_step))
        states.set_state(CHAT, 1, "answered")
        states.get_data(CHAT, 1)["names"].append("a change that is not saved")
        assert (states.get_state(CHAT, 1), states.get_data(CHAT, 1)) == ("answered", {"names": ["Ann"]})

    in_an_update(store, begin, dies=True)
    in_an_update(store, begin)
    in_an_update(store, go_on, dies=True)
    in_an_update(store, go_on)
    assert [one["callback"] for one in steps_of(store).get_handlers(CHAT) or []] == [other_step]
    assert DurableStates(ChatRows(store.data)).get_state(CHAT, 1) == "answered"


def fail(steps: DurableSteps, states: DurableStates) -> None:
    """A handler that takes its step, sets a state, and fails."""
    assert steps.get_handlers(CHAT)
    states.set_state(CHAT, 1, "asked")
    raise ValueError("as asked")


def test_a_handler_that_fails_leaves_what_it_has_done(store: Store) -> None:
    """As in telebot: its step is taken, its state is set."""
    steps_of(store).register_handler(CHAT, handler(step))
    in_an_update(store, fail, fails=True)
    assert steps_of(store).get_handlers(CHAT) is None
    assert DurableStates(ChatRows(store.data)).get_state(CHAT, 1) == "asked"


def test_a_handler_that_fails_and_is_put_back_has_changed_nothing(store: Store) -> None:
    """Its end is not written where a stop has cut it short: the update is handled again, and takes the same step."""
    steps_of(store).register_handler(CHAT, handler(step))
    in_an_update(store, fail, fails=True, dies=True)
    assert DurableStates(ChatRows(store.data)).get_state(CHAT, 1) is None
    assert steps_of(store).get_handlers(CHAT)


def test_what_an_update_does_in_other_chats_is_written_at_once(store: Store) -> None:
    """A step for somebody else's chat is there although the update has not ended."""
    in_an_update(store, lambda steps, states: steps.register_handler(CHAT + 1, handler(step)), dies=True)
    assert steps_of(store).get_handlers(CHAT + 1)


def test_what_no_file_can_hold_stays_in_memory_and_is_told_once(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """A lambda, and an argument that is no JSON: they work as in telebot, and the log says that a restart loses them."""
    steps = steps_of(store)
    steps.register_handler(CHAT, handler(lambda message: None))
    steps.register_handler(CHAT, handler(step, object()))
    steps.register_handler(CHAT, handler(step, {1: "a number as a key comes back as text"}))
    assert len([record for record in caplog.records if "lost at a restart" in record.message]) == 1
    assert steps_of(store).get_handlers(CHAT) is None
    assert len(steps.get_handlers(CHAT) or []) == 3
    assert steps.get_handlers(CHAT) is None


@pytest.mark.parametrize("name", [f"{__name__}:renamed", "os:system", "builtins:print", "no.such.module:step"])
def test_a_step_whose_function_is_gone_says_so(store: Store, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """The program has changed meanwhile, or what stands there is no function of Python's: the message goes unanswered, and the log names it."""
    steps_of(store).register_handler(CHAT, handler(step))
    row = store.data.load(Scope.CHAT, CHAT)["telebot.next_step"]
    row[0]["callback"] = name
    store.data.save(Scope.CHAT, CHAT, {"telebot.next_step": row})
    found = steps_of(store).get_handlers(CHAT)
    assert found is not None
    found[0]["callback"](message())
    assert f"{name} is not in the program any more" in caplog.text


def test_steps_are_cleared(store: Store) -> None:
    """`clear_step_handler` forgets those in the file and those in memory."""
    steps = steps_of(store)
    steps.register_handler(CHAT, handler(step))
    steps.register_handler(CHAT, handler(lambda message: None))
    steps.clear_handlers(CHAT)
    assert steps.get_handlers(CHAT) is None
    assert steps_of(store).get_handlers(CHAT) is None


def test_steps_of_before_are_taken_over(store: Store) -> None:
    """What a program registers before it polls stands in the file afterwards."""
    backend = MemoryHandlerBackend()  # type: ignore[no-untyped-call]  # telebot has no types here
    backend.register_handler(CHAT, handler(step))  # type: ignore[no-untyped-call]  # the same
    DurableSteps(ChatRows(store.data), backend.handlers)
    assert len(steps_of(store).get_handlers(CHAT) or []) == 1


@pytest.mark.parametrize("durable", [True, False])
def test_states_behave_as_telebots_own(store: Store, durable: bool) -> None:
    """The same calls of a bot's with our storage and with telebot's own have the same results."""
    storage: Any = DurableStates(ChatRows(store.data)) if durable else telebot.storage.StateMemoryStorage()
    bot: Any = telebot.TeleBot(TEST_TOKEN, threaded=False, state_storage=storage)
    assert bot.get_state(1, CHAT) is None
    assert bot.delete_state(1, CHAT) is not True
    with pytest.raises(RuntimeError):
        bot.add_data(1, CHAT, name="x")
    bot.set_state(1, telebot.handler_backends.State(), CHAT)
    bot.set_state(1, "asked", CHAT)
    assert bot.get_state(1, CHAT) == "asked"
    assert bot.get_state(2, CHAT) is None
    assert bot.get_state(1) is None
    bot.add_data(1, CHAT, name="Ann", age=3)
    with bot.retrieve_data(1, CHAT) as data:
        assert data == {"name": "Ann", "age": 3}
        data["age"] += 1
    bot.set_state(1, "done", CHAT)
    assert storage.get_data(CHAT, 1, bot_id=bot.bot_id) == {"name": "Ann", "age": 4}
    bot.reset_data(1, CHAT)
    assert storage.get_data(CHAT, 1, bot_id=bot.bot_id) == {}
    bot.delete_state(1, CHAT)
    assert bot.get_state(1, CHAT) is None


def test_states_outlive_the_process(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """State and data come back; data that no file can hold stays in memory, told once, and goes into the file when it can again."""
    states = DurableStates(ChatRows(store.data))
    states.set_state(CHAT, 1, "asked")
    states.set_data(CHAT, 1, "name", "Ann")
    assert DurableStates(ChatRows(store.data)).get_state(CHAT, 1) == "asked"
    assert DurableStates(ChatRows(store.data)).get_data(CHAT, 1) == {"name": "Ann"}
    states.set_data(CHAT, 1, "thing", object())
    states.set_data(CHAT, 1, "other", object())
    assert set(states.get_data(CHAT, 1)) == {"name", "thing", "other"}
    assert DurableStates(ChatRows(store.data)).get_state(CHAT, 1) is None
    assert len([record for record in caplog.records if "lost at a restart" in record.message]) == 1
    states.reset_data(CHAT, 1)
    assert DurableStates(ChatRows(store.data)).get_state(CHAT, 1) == "asked"
