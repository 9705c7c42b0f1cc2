"""Handlers that wait for answers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from syncbot.errors import AskTimeout, Stopped
from syncbot.runtime.work.questions import MAX_WAITING, Questions

CHAT, USER = 1, 2


def test_an_answer_reaches_the_one_who_waits() -> None:
    """An offered update is what the waiting handler gets."""
    turns = Questions()
    with turns.waiter(CHAT, USER) as waiter, ThreadPoolExecutor() as pool:
        found = pool.submit(waiter.wait, 10.0)
        assert turns.offer(CHAT, USER, {"update_id": 5})
        assert found.result() == {"update_id": 5}


@pytest.mark.parametrize(("chat", "user"), [(9, USER), (CHAT, 9)])
def test_another_users_message_is_no_answer(chat: int, user: int) -> None:
    """Only the same user in the same chat answers."""
    turns = Questions()
    with turns.waiter(CHAT, USER):
        assert not turns.offer(chat, user, {})


def test_the_newest_question_is_answered_first() -> None:
    """Of two questions to one user the later one gets the first answer."""
    turns = Questions()
    with turns.waiter(CHAT, USER) as first, turns.waiter(CHAT, USER) as second:
        assert turns.offer(CHAT, USER, {"n": 1})
        assert turns.offer(CHAT, USER, {"n": 2})
        assert not turns.offer(CHAT, USER, {"n": 3})
        assert second.wait(0) == {"n": 1}
        assert first.wait(0) == {"n": 2}


def test_after_its_time_a_question_swallows_nothing() -> None:
    """A message that comes after the time is over, while the handler still waits for its turn, is an ordinary one."""
    turns = Questions()
    with turns.waiter(CHAT, USER) as waiter:
        with pytest.raises(AskTimeout):
            waiter.wait(0.0)
        assert not turns.offer(CHAT, USER, {})


def test_nobody_waits_after_the_block() -> None:
    """After the end of the block nothing is left."""
    turns = Questions()
    with turns.waiter(CHAT, USER):
        pass
    assert not turns.offer(CHAT, USER, {})


def test_a_stop_ends_every_waiting() -> None:
    """Whoever waits, or begins to, gets Stopped; an answer that had come counts; one that comes now has to stay in the inbox."""
    turns = Questions()
    with turns.waiter(CHAT, USER) as answered, turns.waiter(CHAT, 7) as open_, ThreadPoolExecutor() as pool:
        turns.offer(CHAT, USER, {"n": 1})
        waiting = pool.submit(open_.wait, 60.0)
        turns.stop()
        with pytest.raises(Stopped):
            waiting.result(10.0)
        assert answered.wait(0) == {"n": 1}
        with pytest.raises(Stopped):
            turns.offer(CHAT, 7, {})
    with turns.waiter(CHAT, USER) as late, pytest.raises(Stopped):
        late.wait(60.0)


def test_too_many_questions_are_refused() -> None:
    """Each question holds a thread, so there is a bound; one that ends makes room."""
    turns = Questions()
    blocks = [turns.waiter(CHAT, n) for n in range(MAX_WAITING)]
    for block in blocks:
        block.__enter__()
    with pytest.raises(RuntimeError, match=str(MAX_WAITING)), turns.waiter(CHAT, USER):
        pass
    blocks[0].__exit__(None, None, None)
    with turns.waiter(CHAT, USER):
        assert turns.offer(CHAT, USER, {})
    for block in blocks[1:]:
        block.__exit__(None, None, None)


def test_an_answer_is_taken_once() -> None:
    """Of a thousand offers from eight threads, exactly one is taken by the one who waits."""
    turns, taken, lock = Questions(), [], threading.Lock()

    def offer(n: int) -> None:
        if turns.offer(CHAT, USER, {"n": n}):
            with lock:
                taken.append(n)

    with turns.waiter(CHAT, USER) as waiter, ThreadPoolExecutor(8) as pool:
        list(pool.map(offer, range(1000)))
        assert [waiter.wait(0)["n"]] == taken
