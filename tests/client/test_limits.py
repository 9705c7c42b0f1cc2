"""The rate limits: who waits how long, held against the fake server's own count of Telegram's limits."""

from __future__ import annotations

import contextlib
import importlib.util
import random
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest
from kits.call_kit import FakeStop, FakeTime

from syncbot.client.bot import Bot
from syncbot.client.limits import Limiter, Limits
from syncbot.client.retry import RetryPolicy
from syncbot.errors import NotSent
from syncbot.testing import TEST_TOKEN
from syncbot.testing.server.rate_limits import RateLimits, RateMeter
from syncbot.transport import FakeTransport

FAR = 1e9


class Bench:
    """A limiter with its clock, and two ways to wait: with time passing, or all in the same moment."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.clock = FakeTime()
        self.limiter = Limiter(limits or Limits(), self.clock)
        self.passing = FakeStop(self.clock)
        self.standing = FakeStop(self.clock, moves=False)

    def send(self, chat: object, method: str = "sendMessage", deadline: float = FAR) -> float:
        """Wait for a turn, time passing; returns the seconds that it took."""
        before = self.clock.now
        self.limiter.wait(method, chat, deadline=deadline, stop=self.passing)
        return self.clock.now - before

    def queue(self, chat: object, method: str = "sendMessage") -> float:
        """Ask for a turn while nobody's wait is over yet; returns the longest wait that it was given."""
        self.standing.waits.clear()
        self.limiter.wait(method, chat, deadline=FAR, stop=self.standing)
        return max(self.standing.waits, default=0.0)

    def told(self, chat: object, method: str = "sendMessage") -> float:
        """Ask for a turn and give up in its first wait; returns how long that would have been."""
        stop = FakeStop(self.clock, during=lambda seconds: stop.set())
        with contextlib.suppress(NotSent):
            self.limiter.wait(method, chat, deadline=FAR, stop=stop)
        return stop.waits[0] if stop.waits else 0.0


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- One chat.


def test_a_chat_gets_a_small_burst_and_then_one_message_a_second(bench: Bench) -> None:
    """Three at once, then at least a second each."""
    waits = [bench.send(42) for _ in range(8)]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert all(1.0 <= wait <= 1.1 for wait in waits[3:])


def test_a_rest_gives_the_burst_back(bench: Bench) -> None:
    """After some quiet seconds a chat may have its burst again, and no more than that."""
    for _ in range(5):
        bench.send(42)
    bench.clock.now += 60.0
    assert [bench.send(42) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bench.send(42) >= 1.0


def test_a_burst_to_one_chat_does_not_delay_another(bench: Bench) -> None:
    """With twenty messages of one chat in line, the next chat's message goes out at once."""
    waits = [bench.queue(42) for _ in range(20)]
    assert waits[-1] > 15.0
    assert bench.queue(43) == 0.0


def test_the_name_of_a_chat_counts_like_its_id(bench: Bench) -> None:
    """42 and "42" are one chat, and "@Name" and "@name" another."""
    for chat in (42, "42", 42):
        assert bench.queue(chat) == 0.0
    assert bench.queue("42") > 1.0
    for chat in ("@Channel", "@channel", "@CHANNEL"):
        assert bench.queue(chat) == 0.0
    assert bench.queue("@channel") > 1.0


def test_a_group_gets_twenty_messages_a_minute(bench: Bench) -> None:
    """The 21st within a minute waits until the first is a minute ago; a private chat does not."""
    times = []
    for _ in range(41):
        bench.send(-1001)
        times.append(bench.clock.now)
    assert times[19] - times[0] < 25.0
    assert times[20] - times[0] >= 60.0
    assert times[40] - times[20] >= 60.0
    private = Bench()
    assert sum(private.send(42) for _ in range(41)) < 45.0


# --- All chats.


def test_all_chats_together_get_thirty_messages_a_second(bench: Bench) -> None:
    """Thirty go at once, the next thirty a second later, and so on."""
    waits = [bench.queue(chat) for chat in range(1, 92)]
    assert waits[:30] == [0.0] * 30
    assert all(1.0 <= wait <= 1.1 for wait in waits[30:60])
    assert all(2.0 <= wait <= 2.2 for wait in waits[60:90])
    assert 3.0 <= waits[90] <= 3.3


@pytest.mark.parametrize("method", ["sendMessage", "sendPhoto", "sendMediaGroup", "copyMessage", "forwardMessage"])
def test_what_puts_a_message_into_a_chat_counts(method: str, bench: Bench) -> None:
    """Sending, copying and forwarding are limited."""
    assert [bench.queue(42, method) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bench.queue(42, method) > 1.0


@pytest.mark.parametrize("method", ["getMe", "editMessageText", "deleteMessage", "answerCallbackQuery", "sendChatAction", "getUpdates"])
def test_anything_else_passes_freely(method: str, bench: Bench) -> None:
    """What puts no message into a chat does not wait, however much of it there is."""
    assert [bench.queue(42, method) for _ in range(100)] == [0.0] * 100
    assert bench.queue(42) == 0.0, "and takes no turn away"


def test_a_message_without_a_chat_passes_freely(bench: Bench) -> None:
    """Where the chat is not known (an inline message) there is nothing to count."""
    assert [bench.queue(None) for _ in range(100)] == [0.0] * 100


def test_other_limits_are_kept_too() -> None:
    """A bot with other agreements, or a local server, sets its own numbers."""
    bench = Bench(Limits(per_second=2, chat_burst=1, chat_interval=5.0, per_group_minute=3))
    assert bench.send(1) == 0.0
    assert 5.0 <= bench.send(1) <= 5.5
    assert [bench.queue(chat) for chat in (2, 3)] == [0.0, pytest.approx(1.0, abs=0.2)]
    group = Bench(Limits(chat_burst=1, chat_interval=0.1, per_group_minute=3))
    assert sum(group.send(-1) for _ in range(4)) >= 60.0


@pytest.mark.parametrize("seed", range(5))
def test_the_server_never_sees_more_than_the_limits(seed: int) -> None:
    """600 messages to chats and groups at random moments: Telegram's own counting, by another implementation, objects to none."""
    choice = random.Random(seed)
    bench = Bench()
    meter = RateMeter(RateLimits(), keep=1000)
    chats = [*range(1, 20), *range(-5, 0)]
    for number in range(600):
        chat = choice.choice(chats)
        bench.send(chat)
        assert meter.message(chat, bench.clock.now) == 0, f"message {number} to {chat}"
        bench.clock.now += choice.choice([0.0, 0.0, 0.0, 0.01, 0.5])


def test_the_limits_are_used_to_the_full() -> None:
    """1,000 messages to 50 chats take no more than a tenth longer than 30 a second allow."""
    bench = Bench()
    for number in range(1000):
        bench.send(number % 50 + 1)
    assert bench.clock.now - 1000.0 <= (1000 / 30 - 1) * 1.1


# --- 429.


def test_a_429_pauses_its_chat_alone(bench: Bench) -> None:
    """The chat waits as told, with every method; another chat does not wait at all."""
    bench.limiter.pause("sendMessage", 42, 30.0)
    assert bench.told(43) == 0.0
    assert bench.told(42, "editMessageText") == pytest.approx(30.0)
    assert bench.send(42) == pytest.approx(30.0)
    assert bench.send(42) < 2.0


def test_a_second_chat_told_to_wait_pauses_all(bench: Bench) -> None:
    """Two chats told to wait at once mean that the bot as a whole is too fast; all sending pauses as long as the second was told."""
    bench.limiter.pause("sendMessage", 42, 30.0)
    bench.limiter.pause("sendMessage", 43, 10.0)
    assert bench.told(44) == pytest.approx(10.0)
    assert bench.told(44, "editMessageText") == 0.0


def test_two_429s_one_after_the_other_do_not_pause_all(bench: Bench) -> None:
    """Once the first chat's time is over, a second one's 429 concerns that chat alone."""
    bench.limiter.pause("sendMessage", 42, 5.0)
    bench.clock.now += 6.0
    bench.limiter.pause("sendMessage", 43, 5.0)
    assert bench.told(44) == 0.0


def test_a_429_to_the_same_chat_again_does_not_pause_all(bench: Bench) -> None:
    """However often one chat is told to wait; and the longest time told counts."""
    bench.limiter.pause("sendMessage", 42, 30.0)
    bench.limiter.pause("sendMessage", 42, 5.0)
    assert bench.told(44) == 0.0
    assert bench.told(42) == pytest.approx(30.0)


def test_a_429_to_a_method_without_a_chat_pauses_that_method(bench: Bench) -> None:
    """setWebhook too often: setWebhook waits, and nothing else."""
    bench.limiter.pause("setWebhook", None, 3.0)
    assert bench.told(None, "setWebhook") == pytest.approx(3.0)
    assert bench.told(None, "getMe") == 0.0
    assert bench.told(42) == 0.0


def test_a_429_reaches_those_who_wait_already(bench: Bench) -> None:
    """A message that stands in its chat's line when the 429 comes does not go out at its old turn."""
    for _ in range(3):
        bench.send(42)
    bench.passing.during = lambda seconds: bench.limiter.pause("sendMessage", 42, 30.0) if bench.clock.now < 1001.0 else None
    assert 29.9 <= bench.send(42) < 35.0


# --- Deadline and stop.


def test_a_turn_after_the_deadline_is_refused_at_once(bench: Bench) -> None:
    """NotSent, says why, without a wait, and not to be tried again within this call."""
    for _ in range(5):
        bench.send(42)
    with pytest.raises(NotSent) as caught:
        bench.send(42, deadline=bench.clock.now + 0.5)
    assert caught.value.stage == "limit"
    assert caught.value.method == "sendMessage"
    assert not caught.value.retryable
    assert "rate limits" in str(caught.value)


def test_a_refused_message_takes_no_turn_of_its_chat(bench: Bench) -> None:
    """Those behind it move up."""
    for _ in range(3):
        bench.send(42)
    for _ in range(10):
        with pytest.raises(NotSent):
            bench.send(42, deadline=bench.clock.now + 0.5)
    assert bench.send(42) < 1.1


def test_the_common_line_obeys_the_deadline_too(bench: Bench) -> None:
    """With 3 seconds of other chats' messages in line, a deadline of 2 s is not met."""
    for chat in range(1, 95):
        bench.queue(chat)
    with pytest.raises(NotSent) as caught:
        bench.send(1000, deadline=bench.clock.now + 2.0)
    assert caught.value.stage == "limit"


def test_a_stop_ends_the_wait(bench: Bench) -> None:
    """NotSent, and says that it was stopped."""
    for _ in range(3):
        bench.send(42)
    bench.passing.during = lambda seconds: bench.passing.set()
    before = bench.clock.now
    with pytest.raises(NotSent, match="stopped") as caught:
        bench.send(42)
    assert bench.clock.now == before
    assert not caught.value.retryable


def test_a_stop_does_not_keep_a_message_back_that_need_not_wait(bench: Bench) -> None:
    """A handler that is let finish sends its last words, as long as their turn is now."""
    bench.passing.set()
    assert bench.send(42) == 0.0


def test_a_real_wait_is_ended_by_a_real_stop() -> None:
    """Waiting is done on the event itself, so that a stop is felt at once."""
    limiter = Limiter(Limits(chat_burst=1, chat_interval=30.0))
    stop = threading.Event()
    limiter.wait("sendMessage", 42, deadline=FAR, stop=stop)
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    with pytest.raises(NotSent, match="stopped"):
        limiter.wait("sendMessage", 42, deadline=FAR, stop=stop)
    timer.join()


# --- For years.


def test_chats_that_are_quiet_are_forgotten(bench: Bench) -> None:
    """A bot that writes to ever new chats and groups does not grow."""

    def write(begin: int) -> int:
        for chat in range(begin, begin + 15_000):
            bench.send(chat if chat % 2 else -chat)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = write(1)
        assert write(20_000) - first < 1_000_000
    finally:
        tracemalloc.stop()


def test_threads_share_the_limits() -> None:
    """Turns are handed out one by one, whoever asks: 40 threads at the same moment get 30 turns now and 10 a second later."""
    bench = Bench()
    stops = [FakeStop(bench.clock, moves=False) for _ in range(40)]
    start = threading.Barrier(40)

    def ask(chat: int) -> None:
        start.wait(60)
        bench.limiter.wait("sendMessage", chat, deadline=FAR, stop=stops[chat])

    threads = [threading.Thread(target=ask, args=(chat,)) for chat in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(bool(stop.waits) for stop in stops) == [False] * 30 + [True] * 10


@pytest.mark.slow
def test_a_short_run_of_the_real_campaign(capsys: pytest.CaptureFixture[str]) -> None:
    """150 messages to 50 chats over real connections: the server sees no more than the limits, and it takes what they allow."""
    path = Path(__file__).parents[2] / "scripts" / "campaigns" / "campaign_limits.py"
    spec = importlib.util.spec_from_file_location("campaign_limits", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    for _ in range(4):  # what a busy machine holds up on its way arrives with what was sent after it
        code = module.main(["--messages", "150", "--chats", "50"])
        print(capsys.readouterr().out)
        if code == 0:
            break
    assert code == 0


def test_an_attempt_that_was_never_sent_keeps_its_turn() -> None:
    """Attempts that never left do not use a chat's turns up: with one turn an hour, the fourth attempt still delivers at once."""
    transport = FakeTransport(sendMessage=[NotSent("no way"), NotSent("no way"), NotSent("no way"), {"message_id": 1}])
    bot = Bot(TEST_TOKEN, transport=transport, limits=Limits(chat_burst=1, chat_interval=3600.0), retry=RetryPolicy(first_wait=0.001), deadline=30.0)
    assert bot.call("sendMessage", chat_id=1, text="hi") == {"message_id": 1}
    assert len(transport.calls) == 4


def test_an_ephemeral_message_counts_for_its_chat() -> None:
    """Whoever alone sees it, the group's turn is taken; changing it is free, as with any message."""
    alone = {"receiver_user_id": 7}
    with Bot(
        TEST_TOKEN, transport=FakeTransport(sendMessage={}, editEphemeralMessageText=True), limits=Limits(chat_burst=1, chat_interval=60.0), deadline=5.0
    ) as bot:
        bot.call("sendMessage", chat_id=-100, text="psst", ephemeral_message_parameters=alone)
        bot.call("editEphemeralMessageText", chat_id=-100, ephemeral_message_id=1, text="x", **alone)
        for user_id in (7, 8):
            with pytest.raises(NotSent, match="rate limits"):
                bot.call("sendMessage", chat_id=-100, text="psst", ephemeral_message_parameters={"receiver_user_id": user_id})
