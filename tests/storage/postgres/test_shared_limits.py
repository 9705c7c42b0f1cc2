"""The limits that several machines keep together: what goes without asking, what is asked for, and the pauses that Telegram wants."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

import pytest
from kits.postgres_kit import PostgresServer
from kits.storage_kit import BOT
from kits.timing_kit import soon, tried

from syncbot.client.limits import Limiter, Limits
from syncbot.errors import NotSent
from syncbot.storage import Store, open_store
from syncbot.storage.postgres.sending.turns import PgTurns
from syncbot.storage.promises.turns import TurnLimits

pytestmark = pytest.mark.programs("postgres")

NEVER = threading.Event()


@contextmanager
def machines(url: str, number: int, limits: Limits = Limits(), *, members: bool = True) -> Iterator[list[tuple[Limiter, Store]]]:  # noqa: B008 - it is frozen
    """So many machines, each with a limiter that shares, and a store of its own."""
    stores = [open_store(url, BOT) for _ in range(number)]
    limiters = [Limiter(limits) for _ in stores]
    try:
        for limiter, store in zip(limiters, stores, strict=True):
            if members:
                store.inbox.recover()
            limiter.share(store.shared_turns)
        yield list(zip(limiters, stores, strict=True))
    finally:
        for limiter, store in zip(limiters, stores, strict=True):
            limiter.share(None)
            store.close()


def take(limiter: Limiter, chat: int | str, seconds: float = 20.0, method: str = "sendMessage") -> float:
    """Wait for a turn; returns how many seconds that took."""
    began = time.monotonic()
    limiter.wait(method, chat, deadline=began + seconds, stop=NEVER)
    return time.monotonic() - began


def eventually(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    assert any(condition() or pause.wait(0.02) for _ in range(1000))


def test_a_chat_gets_one_a_second_from_all_machines_together(postgres_url: str) -> None:
    """Three at once from the one that answers there; the others, which send elsewhere, know of it a second later, and wait for their turn."""
    with machines(postgres_url, 3, Limits(chat_interval=600.0)) as all_of_them:
        for number, (limiter, _) in enumerate(all_of_them):
            take(limiter, 100 + number)
        assert sum(take(all_of_them[0][0], 7) for _ in range(3)) < 2.0
        for limiter, _ in all_of_them:
            eventually(lambda limiter=limiter: not limiter._is_far("7"))  # type: ignore[misc]  # of this round
            with pytest.raises(NotSent):
                take(limiter, 7, seconds=0.5)


def test_all_machines_together_stay_below_the_limit_over_all_chats(postgres_url: str) -> None:
    """Four machines that send to many chats as fast as they may: never more than 20 within any second."""
    with machines(postgres_url, 4, Limits(per_second=20)) as all_of_them:
        limiters = [limiter for limiter, _ in all_of_them]
        for limiter in limiters:
            take(limiter, 99)
        # Each knows of the others by now.
        eventually(lambda: all(limiter._shared.own_per_second == 2 for limiter in limiters))  # type: ignore[union-attr]  # they share
        chats = itertools.count(1000)

        def attempt(seconds: float) -> None:
            sent = sent_within(seconds, limiters, chats)
            most = max(sum(at <= other < at + 1.0 for other in sent) for at in sent)
            assert most <= 21, most  # a thread that is held up when it has its turn notes it late, and so beside those that follow
            assert len(sent) >= 45

        tried(attempt, (4.0,) * 4)


def sent_within(seconds: float, limiters: Sequence[Limiter], chats: Iterator[int]) -> list[float]:
    """When eight threads had their turns, each at a new chat, as fast as they may."""
    sent: list[float] = []
    guard, ends_at = threading.Lock(), time.monotonic() + seconds

    def send(limiter: Limiter) -> None:
        while time.monotonic() < ends_at:
            take(limiter, next(chats))
            with guard:
                sent.append(time.monotonic())

    threads = [threading.Thread(target=send, args=(limiter,)) for limiter in [*limiters, *limiters]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(sent)


def test_a_pause_counts_for_all(postgres_url: str) -> None:
    """A 429 that one machine was given keeps the others from the chat; a second one for another chat, from all chats."""
    with machines(postgres_url, 2) as [(one, _), (other, _)]:
        take(one, 99)
        take(other, 98)
        one.pause("sendMessage", 7, 30.0)
        eventually(lambda: other.seconds_to_turn("sendMessage", 7) > 20)
        assert other.seconds_to_turn("sendMessage", 8) == 0.0
        with pytest.raises(NotSent):
            take(other, 7, seconds=1.0)
        other.pause("sendMessage", 8, 30.0)
        eventually(lambda: one.seconds_to_turn("sendMessage", 9) > 20)
        with pytest.raises(NotSent):
            take(one, 9, seconds=1.0)


def test_a_database_whose_clock_was_set_back_holds_up_no_message(postgres: PostgresServer, postgres_url: str) -> None:
    """Neither does a server that has taken over and whose clock is behind: what was noted by the other clock is forgotten, at the next start too."""

    def to_come() -> list[str]:
        return [
            chat
            for (chat,) in postgres.run("SELECT chat FROM syncbot.turn WHERE greatest(full_at, paused_until) > extract(epoch FROM now()) + 60", postgres_url)
        ]

    with open_store(postgres_url, BOT) as store:
        passed = [0.0]
        turns = PgTurns(store._database, TurnLimits(30, 3, 1.0, 20, 1.0, 60.0), lambda: True, passing=lambda: passed[0])  # type: ignore[attr-defined]  # of a PgStore
        turns.pause("7", 3000.0)
        turns._look()
        assert to_come() == ["7"]
        passed[0] = 600.0  # in which the database's clock has gone on by none
        turns._look()
        assert to_come() == []
        postgres.run("UPDATE syncbot.turn SET full_at = full_at + 86400", postgres_url)
        turns.note("8")
        turns.pause("9", 3000.0)
        turns._look()
        postgres.run("UPDATE syncbot.turn SET full_at = full_at + 86400 WHERE chat = '8'", postgres_url)
        PgTurns(store._database, TurnLimits(30, 3, 1.0, 20, 1.0, 60.0), lambda: True)._look()  # type: ignore[attr-defined]  # the next process
        assert to_come() == ["9"]


def test_a_chat_with_a_name_without_end(postgres_url: str) -> None:
    """What a user has written may be where a handler sends: the limits stay shared, although no index takes such a name."""
    long = "@" + "".join(Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=9000))
    with machines(postgres_url, 2) as [(one, _), (other, _)]:
        take(one, long)
        one.pause("sendMessage", long, 30.0)
        eventually(lambda: other.seconds_to_turn("sendMessage", long) > 20)


def test_a_group_gets_twenty_a_minute_from_all_machines_together(postgres_url: str) -> None:
    """The 21st of a minute is refused where there is no time for it, whichever machine sends it."""
    with machines(postgres_url, 2, Limits(chat_interval=0.0)) as all_of_them:
        for number in range(20):
            limiter = all_of_them[number % 2][0]
            take(limiter, -5)
            eventually(lambda limiter=limiter: not limiter._shared._notes and not limiter._shared._writing)  # type: ignore[misc]  # of this round
        for limiter, _ in all_of_them:
            with pytest.raises(NotSent):
                take(limiter, -5, seconds=2.0)


def test_far_from_the_limits_no_call_waits_for_the_database(postgres_url: str) -> None:
    """While the table is locked by somebody, messages to other chats go at once; the next to the same chat waits."""
    with machines(postgres_url, 1) as [(limiter, _)], open_store(postgres_url, BOT) as other:
        eventually(lambda: limiter._shared is not None and limiter._shared.own_per_second == 15)
        with other._database.transaction() as db:  # type: ignore[attr-defined]  # to hold the table
            db.execute("LOCK TABLE syncbot.turn IN ACCESS EXCLUSIVE MODE")
            chats = itertools.count(1)
            assert soon(0.5, lambda: max(take(limiter, next(chats)) for _ in range(10)))


def test_without_the_database_each_machine_keeps_the_limits_for_itself(postgres_url: str) -> None:
    """What cannot be asked is not waited for without an end."""
    with machines(postgres_url, 1, Limits(chat_interval=600.0), members=False) as [(limiter, store)]:
        store.close()
        began = time.monotonic()
        for _ in range(3):
            take(limiter, 7)
        assert time.monotonic() - began < 20.0
        with pytest.raises(NotSent):
            take(limiter, 7)
