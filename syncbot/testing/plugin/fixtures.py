"""The plugin as pytest loads it: fixtures, a mark, and what a failure shows. It loads nothing of the rest before a test asks for it."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from syncbot.testing.certs import TestCA
    from syncbot.testing.plugin.chat import Chat
    from syncbot.testing.plugin.stage import Stage
    from syncbot.testing.proxy.fault_proxy import FaultProxy
    from syncbot.testing.server.server import BotApiServer

_STAGE = pytest.StashKey["Stage"]()
_MARK = 'faults(*names, rate=0.25): the bot reaches Telegram through a proxy with these faults, "tls_drop" or "cut_request:after_bytes=10" say'


def pytest_configure(config: pytest.Config) -> None:
    """Tell the mark."""
    config.addinivalue_line("markers", _MARK)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with the mark gets the proxy, whether it names it or not."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("faults") and "bad_proxy" not in item.fixturenames:
            item.fixturenames.append("bad_proxy")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test fails whose bot has failed, even where nobody waited for an answer."""
    result = yield
    if (stage := item.stash.get(_STAGE, None)) is not None:
        stage.check()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows the conversation."""
    report = yield
    if (stage := item.stash.get(_STAGE, None)) is not None:
        if report.failed:
            report.sections.append(("conversation with the bot", stage.account()))
        if report.when == "teardown":
            del item.stash[_STAGE]  # a run of many tests would hold every server's world
    return report


# ── to be overridden ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def syncbot_token() -> str:
    """The token that the server knows: another bot for each test, so that no two of them meet."""
    return f"{10**9 + secrets.randbelow(10**9)}:TEST-{secrets.token_urlsafe(24)}"


@pytest.fixture
def syncbot_timeout() -> float:
    """Seconds that `chat` waits for the bot."""
    return 20.0


@pytest.fixture
def syncbot_tls(request: pytest.FixtureRequest) -> bool:
    """Whether the server speaks TLS, which needs the extra `testing`: where there is a bad proxy, since most faults are of that kind."""
    return "bad_proxy" in request.fixturenames


@pytest.fixture
def syncbot_seed(request: pytest.FixtureRequest) -> int:
    """The seed of the random faults: the same for a test each time."""
    return zlib.crc32(request.node.nodeid.encode())


@pytest.fixture
def syncbot_server() -> dict[str, Any]:
    """Further arguments of `BotApiServer`, such as `{"rate_limits": RateLimits()}`."""
    return {}


# ── to be used ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def syncbot_ca() -> Iterator[TestCA]:
    """The authority behind the server's certificate, made once for all tests."""
    from syncbot.testing.certs import TestCA

    with TestCA() as ca:
        yield ca


@pytest.fixture
def syncbot_stage(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    syncbot_token: str,
    syncbot_tls: bool,
    syncbot_seed: int,
    syncbot_timeout: float,
    syncbot_server: dict[str, Any],
) -> Iterator[Stage]:
    """The place where people meet the bot; it is in the environment, so that `Bot.from_env()` finds it and nothing else."""
    from syncbot.testing.plugin.stage import Stage, faults_of
    from syncbot.testing.sandbox.sandbox import Sandbox

    mark = request.node.get_closest_marker("faults")
    rate = (mark.kwargs.get("rate", 0.25) if mark else 0.25) if "bad_proxy" in request.fixturenames else 0.0
    faults = faults_of(mark.args) if mark else ()
    certified = {"ca": request.getfixturevalue("syncbot_ca")} if syncbot_tls else {}
    with Sandbox(rate, syncbot_seed, tls=syncbot_tls, token=syncbot_token, **certified, **syncbot_server) as sandbox:
        if faults:
            sandbox.proxy.set_random(faults, rate)
        stage = Stage(sandbox, syncbot_timeout, _as_trial)
        for name, value in stage.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("ALLOWED_TELEGRAM_USER_ID", raising=False)
        request.node.stash[_STAGE] = stage
        try:
            yield stage
        finally:
            stage.close()


@contextmanager
def _as_trial() -> Iterator[None]:
    """Within it the settings of the environment win over what stands in the code of a bot, its state file among it: nobody's real one is touched."""
    from syncbot.config.table import TRIAL

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TRIAL, "1")
        yield


@pytest.fixture
def telegram(syncbot_stage: Stage) -> BotApiServer:
    """Telegram as far as the bot can tell: a `BotApiServer`."""
    return syncbot_stage.sandbox.server


@pytest.fixture
def bad_proxy(syncbot_stage: Stage) -> FaultProxy:
    """The proxy between the bot and Telegram: a fault strikes a quarter of its connections, and never four in a row; `@pytest.mark.faults` says others."""
    return syncbot_stage.sandbox.proxy


@pytest.fixture
def new_chat(syncbot_stage: Stage) -> Callable[..., Chat]:
    """Makes people: `new_chat("Bob")` is another user in a private chat with the bot; arguments as those of `BotApiServer.user`."""
    return syncbot_stage.new_chat


@pytest.fixture
def chat(syncbot_stage: Stage) -> Chat:
    """A user, Ann, in a private chat with the bot."""
    return syncbot_stage.new_chat("Ann")


@pytest.fixture
def run_bot(syncbot_stage: Stage) -> Callable[..., Any]:
    """Runs a bot until the end of the test; see `Stage.run`."""
    return syncbot_stage.run


@pytest.fixture
def kill_after(syncbot_stage: Stage) -> Callable[[int], None]:
    """Kills the bot at one of its calls, as a power cut would, and starts it again; see `Stage.kill_after`."""
    return syncbot_stage.kill_after
