"""Dozens of calls, or hundreds, on 8 threads through a proxy with each of its faults: what fails, what is delivered, what stays open, what is told."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import quote

import pytest
from kits.transport_kit import TOLERANCE_SECONDS, LogTexts, becomes, everything_about, open_descriptors

from syncbot.client.bot import Bot
from syncbot.client.retry import RetryPolicy
from syncbot.errors import DeliveryUncertain, NetworkError, Phase, SyncBotError
from syncbot.testing import Answer, BotApiServer, Fault, FaultProxy, TestCA
from syncbot.types import AheadMode, Early

SEED = 7
MOST_ROUNDS = 8
THREADS = 8
LEAST_STRIKES = 4
TIMEOUT_SECONDS = 10.0
SHORT_TIMEOUT_SECONDS = 4.0
SLOW = ("tls_stall", "never_answer", "drip_connect", "drip_response", "half_close", "idle_dead")
"""Faults that end with the attempt's time: where they strike it is short."""
DEADLINE_SECONDS = 40.0
USERNAME = "proxy-user"
PASSWORD = "pa:ss@wörd/with%everything"

# A connection is idle only while its answer is awaited: the server then takes this long, and the fault is made to strike sooner.
SLOW_ANSWER_SECONDS = 0.12
# What strikes behind an answer does so when the server hangs up, and not because nothing has come from a busy machine for a while.
AFTER_SECONDS = {"idle_cut": 0.07, "idle_dead": 0.07, "close_after_response": 20.0, "reset_after_response": 20.0}
FAULTS = [replace(fault, after_seconds=AFTER_SECONDS.get(fault.name, fault.after_seconds)) for fault in Fault.all()]


class Ended(NamedTuple):
    """How one call ended."""

    text: str
    error: SyncBotError | None
    seconds: float


@dataclass
class Campaign:
    """Calls from eight threads, half of them getMe and half sendMessage with a text of its own."""

    bot: Bot
    name: str
    ended: list[Ended] = field(default_factory=list)

    def run(self, calls: int) -> None:
        begin = len(self.ended)
        with ThreadPoolExecutor(THREADS) as pool:
            self.ended += pool.map(self._call, range(begin, begin + calls))

    def _call(self, number: int) -> Ended:
        text = "" if number % 2 else f"{self.name} {number}"
        started = time.monotonic()
        error: SyncBotError | None = None
        try:
            if text:
                self.bot.call("sendMessage", chat_id=42, text=text)
            else:
                self.bot.call("getMe")
        except SyncBotError as problem:
            error = problem
        return Ended(text, error, time.monotonic() - started)

    @property
    def sends(self) -> list[Ended]:
        return [end for end in self.ended if end.text]

    @property
    def errors(self) -> list[SyncBotError]:
        return [end.error for end in self.ended if end.error is not None]


@pytest.fixture(scope="module")
def server(ca: TestCA) -> Iterator[BotApiServer]:
    with BotApiServer(tls=True, ca=ca, any_chat=True) as server:
        yield server


def secrets_of(server: BotApiServer) -> list[str]:
    """The secrets in every form in which one could slip out."""
    half = server.token.partition(":")[2]
    pair = f"{USERNAME}:{PASSWORD}".encode()
    return [half, PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), repr(PASSWORD)[1:-1], base64.b64encode(pair).decode(), str(PASSWORD.encode())[2:-1]]


def assert_no_secret(secrets: list[str], text: str, where: str) -> None:
    for secret in secrets:
        position = text.find(secret)
        assert position < 0, f"a secret in {where}: …{text[max(0, position - 200) : position]}<here>"


@pytest.mark.parametrize(
    ("fault", "kind", "ahead", "early", "calls", "rate"),
    [
        pytest.param(fault, *way, calls, rate, id="-".join(map(str, (fault.name, *way, calls))), marks=[] if calls < 100 else pytest.mark.slow)
        for number, fault in enumerate(FAULTS)  # few calls on one of the first two ways, one after the other, and many on each
        for place, way in enumerate([("http", "auto", "always"), ("socks5h", 0, "learn"), ("http", 0, "learn"), ("socks5h", 0, "always")])
        for calls, rate in [(40, 0.125), (100, 0.05)][place != number % 2 :]
    ],
)
def test_each_fault_harms_only_the_calls_that_it_strikes(
    fault: Fault, kind: str, ahead: AheadMode, early: Early, calls: int, rate: float, server: BotApiServer, all_logs: LogTexts
) -> None:
    """Nothing fails after a fault, nothing is sent twice, nothing stays open, nothing takes longer than told, and no secret is told; the same where
    connections are opened ahead, of which none is left after the close, and where they are opened in one flight."""
    server.clear_script()
    if fault.name.startswith("idle"):
        server.script("*", Answer.normal().after(SLOW_ANSWER_SECONDS), times=None)
    with FaultProxy(username=USERNAME, password=PASSWORD, seed=SEED) as proxy:
        bot = Bot(
            server.token,
            proxies=[proxy.url_for(kind)],
            base_url=server.url,
            ca_file=server.ca_file,
            timeout=SHORT_TIMEOUT_SECONDS if fault.name in SLOW else TIMEOUT_SECONDS,
            deadline=DEADLINE_SECONDS,
            limits=None,
            retry=RetryPolicy(first_wait=0.05),
            ahead=ahead,
            early=early,
        )
        bot.call("getMe")
        bot.close()
        server.wait_closed()
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        descriptors = open_descriptors()
        proxy.set_random([fault], rate)
        campaign = Campaign(bot, f"{fault.name} {kind} {ahead} {early} {calls}")
        for _ in range(MOST_ROUNDS):
            campaign.run(calls)
            if proxy.struck[fault.name] >= LEAST_STRIKES and (fault.phase is not Phase.MAYBE_SENT or any(end.error for end in campaign.sends)):
                break
        if ahead:
            bot.close()
        server.wait_closed()
        assert proxy.wait_for(lambda: proxy.open_now == 0)
        assert becomes(lambda: open_descriptors() <= descriptors)
        bot.close()
        struck = proxy.struck[fault.name]

    print(
        f"{fault.name} {kind} {ahead}: seed {SEED}, {len(campaign.ended)} calls, struck {struck}, failed {Counter(type(e).__name__ for e in campaign.errors)}"
    )
    assert struck >= LEAST_STRIKES
    assert [end.error for end in campaign.ended if end.error and not end.text] == [], "getMe always succeeds in the end"
    _check_deliveries(campaign, server, fault, struck)
    assert max(end.seconds for end in campaign.ended) <= DEADLINE_SECONDS + TOLERANCE_SECONDS
    secrets = secrets_of(server)
    for error in campaign.errors:
        assert_no_secret(secrets, everything_about(error), f"the {type(error).__name__}")
    assert all_logs.records, "something is logged at DEBUG, so that this looks at more than nothing"
    assert_no_secret(secrets, all_logs.text, "the log")


def _check_deliveries(campaign: Campaign, server: BotApiServer, fault: Fault, struck: int) -> None:
    """Held against what the server took."""
    taken = {end.text: server.count_text(end.text) for end in campaign.sends}
    uncertain = [end for end in campaign.sends if end.error is not None]
    assert all(isinstance(end.error, DeliveryUncertain) for end in uncertain)
    assert max(taken.values()) == 1, "no message twice"
    assert all(taken[end.text] == 1 for end in campaign.sends if end.error is None), "what was reported as delivered was"
    if fault.phase is Phase.MAYBE_SENT:
        assert 0 < len(uncertain) <= struck
    else:
        assert uncertain == []


@pytest.mark.parametrize("kind", ["http", "socks5h"])
def test_no_fault_outlives_the_deadline(kind: str, server: BotApiServer, all_logs: LogTexts) -> None:
    """With every tunnel broken a call ends, at its deadline at the latest, with an error that has its facts and no secret."""
    server.clear_script()

    def call(fault: Fault) -> tuple[Fault, float, SyncBotError | None]:
        with (
            FaultProxy(username=USERNAME, password=PASSWORD, faults=[fault], rate=1.0, seed=SEED) as proxy,
            Bot(
                server.token, proxies=[proxy.url_for(kind)], base_url=server.url, ca_file=server.ca_file, timeout=0.6, deadline=1.5, retry=RetryPolicy(50, 0.05)
            ) as bot,
        ):
            started = time.monotonic()
            try:
                bot.call("getMe")
            except SyncBotError as error:
                return fault, time.monotonic() - started, error
            return fault, time.monotonic() - started, None

    faults = [fault for fault in Fault.all() if not fault.name.startswith("idle") and fault.phase is not Phase.ANSWERED]
    with ThreadPoolExecutor(len(faults)) as pool:
        results = list(pool.map(call, faults))
    for fault, first_seconds, first_error in results:
        tries = [(first_seconds, first_error)]
        while tries[-1][0] > 1.5 + TOLERANCE_SECONDS and len(tries) < 4:  # a busy machine holds up one or the other, but hardly each
            tries.append(call(fault)[1:])
        seconds, error = tries[-1]
        assert isinstance(error, NetworkError), fault
        assert seconds <= 1.5 + TOLERANCE_SECONDS, fault
        assert error.method == "getMe"
        assert error.attempts >= 1
        assert error.elapsed == pytest.approx(seconds, abs=0.4)
        assert error.proxy.startswith(f"{kind}://127.0.0.1:")
        assert_no_secret(secrets_of(server), everything_about(error), fault.name)
    assert_no_secret(secrets_of(server), all_logs.text, "the log")
