"""The locks of `syncbot.compat.ptb13`: what they guard is right although another thread's step begins in the middle of one."""

from __future__ import annotations

import threading
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from kits.interleave_kit import Steps, at_every_line

from syncbot.compat.ptb13.handlers.conversation import ConversationHandler
from syncbot.compat.ptb13.handlers.others import TypeHandler
from syncbot.compat.ptb13.promise import Promise
from syncbot.compat.ptb13.running.dispatcher import Dispatcher
from syncbot.compat.ptb13.running.pool import Pool
from syncbot.errors import Stopped


class States:
    """A persistence that keeps the states of conversations."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}

    def update_conversation(self, name: str, key: Any, state: Any) -> None:
        """Keep it, or forget it."""
        self.kept[key] = state
        if state is None:
            del self.kept[key]


class Data:
    """A persistence that notes what it is given, and whether two threads give at once."""

    store_user_data = store_chat_data = store_callback_data = False
    store_bot_data = True

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0

    def update_bot_data(self, data: Any) -> None:
        """Take it."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        threading.Event().wait(0.001)
        self.inside -= 1

    def set_bot(self, bot: Any) -> None:
        """As a persistence has it."""

    def get_bot_data(self) -> Any:
        """Nothing is kept."""
        return defaultdict(dict)

    get_user_data = update_user_data = flush = get_bot_data


def dispatcher(persistence: Any = None) -> Dispatcher:
    """One that asks nobody."""
    return Dispatcher(SimpleNamespace(defaults=None), None, persistence=persistence)


def test_what_follows_a_promise_is_called_once() -> None:
    """Whether it is kept before, after, or while somebody says what is to follow."""

    def make() -> Steps:
        called: list[int] = []
        promise = Promise(lambda: 7, (), {})

        def check() -> None:
            assert called == [7]

        return Steps(lambda: promise.add_done_callback(called.append), promise.run, check)

    assert at_every_line(make, "ptb13/promise.py") > 3


@pytest.mark.parametrize("second", ["put", "stop"])
def test_every_promise_that_is_put_is_kept(second: str) -> None:
    """Also where the threads begin with two at once, or end at that moment; a later one begins them anew."""

    def make() -> Steps:
        pool = Pool(2, lambda promise: None)
        promises = [Promise(lambda: None, (), {}) for _ in range(3)]

        def other() -> None:
            if second == "put":
                pool.put(promises[1])
            else:
                pool.stop(20)

        def check() -> None:
            pool.put(promises[2])
            pool.stop(20)
            wanted = promises if second == "put" else [promises[0], promises[2]]
            assert all(promise.done.wait(20) for promise in wanted)

        pools.append(pool)
        return Steps(lambda: pool.put(promises[0]), other, check)

    pools: list[Pool] = []
    assert at_every_line(make, "running/pool.py") > 3
    for pool in pools:
        pool.stop(20)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("syncbot-ptb13-async")] == []


def test_a_conversation_stands_where_its_persistence_has_it() -> None:
    """Whichever of two handlers comes last."""

    def make() -> Steps:
        states = States()
        conversation = ConversationHandler([], {1: []}, [], name="n", persistent=True)
        conversation.persistence = states
        conversation._update_state(1, (5,))

        def check() -> None:
            assert conversation.conversations == states.kept

        return Steps(lambda: conversation._update_state(1, (5,)), lambda: conversation._update_state(ConversationHandler.END, (5,)), check)

    assert at_every_line(make, "handlers/conversation.py") > 5


def test_handlers_that_are_added_at_once_are_all_there() -> None:
    """No list of handlers takes the place of another one; so with error handlers, and with what is taken out."""

    def make() -> Steps:
        one = dispatcher()
        handlers = [TypeHandler(int, print), TypeHandler(str, print), TypeHandler(float, print)]
        one.add_handler(handlers[2])

        def first() -> None:
            one.add_handler(handlers[0])
            one.remove_handler(handlers[2])
            one.add_error_handler(print)

        def second() -> None:
            one.add_handler(handlers[1], 7)
            one.add_handler(handlers[1])
            one.add_error_handler(repr)

        def check() -> None:
            assert {group: set(map(id, found)) for group, found in one.handlers.items()} == {0: {id(handlers[0]), id(handlers[1])}, 7: {id(handlers[1])}}
            assert one.groups == [0, 7]
            assert set(one.error_handlers) == {print, repr}

        return Steps(first, second, check)

    assert at_every_line(make, "running/dispatcher.py") > 5


def test_a_persistence_is_given_data_by_one_at_a_time() -> None:
    """Programs write theirs without a thought of threads."""

    def make() -> Steps:
        data = Data()
        one = dispatcher(data)

        def check() -> None:
            assert data.most == 1

        return Steps(one.update_persistence, one.update_persistence, check)

    assert at_every_line(make, "running/dispatcher.py") > 3


def test_a_thread_goes_on_after_an_error_handler_that_a_stop_cuts_short() -> None:
    """What the error handler's function was about counts as cut short too, so that its update is handled again."""
    failed, other = Promise(lambda: 1 / 0, (), {}), Promise(lambda: 7, (), {})

    def after(promise: Promise) -> None:
        if promise is failed:
            raise Stopped("the runtime is stopping")

    pool = Pool(1, after)
    pool.put(failed)
    pool.put(other)
    assert other.done.wait(20)
    assert isinstance(failed.exception, Stopped)
    pool.stop()
