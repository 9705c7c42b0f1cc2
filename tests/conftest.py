"""What the tests of all parts share."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from kits.postgres_kit import PostgresServer
from kits.programs_kit import pytest_addoption, pytest_configure  # noqa: F401 - pytest finds them here
from kits.surprises_kit import Surprises
from urllib3 import fields

from syncbot.config import SETTINGS
from syncbot.testing import BotApiServer, TestCA

# How long an example takes says how busy the machine is: speed is measured in benchmarks/, never asserted in a test.
# The examples are the same in each run: what a run says is about the change that was made.
hypothesis.settings.register_profile("syncbot", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("syncbot")

TAKES_LONG = (
    "system",
    "testing/page",
    "compat/test_ptb13_programs.py",
    "transport/test_faults.py",
    "transport/test_ahead.py",
    "storage/postgres",
    "cli/test_cli_learned.py",
    "storage/test_growth.py",
    "transport/test_ahead_auto.py",
    "storage/test_damage.py",
    "docs/test_docs_python.py",
    "benchmarks",
    "scripts",
    "typing",
    "compat",
    "transport/test_leaks.py",
    "client/test_hostile.py",
    "cli/test_cli_new.py",
    "cli/test_cli_run.py",
    "storage/test_kill.py",
    "testing/test_plugin.py",
    "transport/test_observers.py",
    "webhook/test_examples.py",
    "client/test_contract.py",
    "cli/test_cli_run_telebot.py",
    "runtime",
)
"""Files, and folders of files, that take ten seconds or more, with --all at least; the longest first."""


TOGETHER = ("tests/adapters/test_aiogram.py", "tests/client/test_peer.py", "tests/testing/test_client_aiogram.py")
"""Files that one of several processes runs: each of them needs aiogram, which takes four seconds to load."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: where several processes share the files, none of them is to have a long one left when the others have ended."""
    places = {path: _place(path) for path in {item.path for item in items}}
    items.sort(key=lambda item: places[item.path])


def _place(path: Path) -> int:
    tests = Path(__file__).parent
    return next((place for place, start in enumerate(TAKES_LONG) if path.is_relative_to(tests / start)), len(TAKES_LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Several processes share the files, as `--dist=loadfile` says, but for those that stay together."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return TOGETHER[0] if file in TOGETHER else file

    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nine thousand tests and what they import stay until the end: Python's collector need not look through them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test printed or logged may be no UTF-8, and a report that goes from one process to another has to be."""
    report = yield
    report.sections = [(title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections]
    return report


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever the shell that runs the tests has set, no test sees it, and the user's own state and configuration are left alone."""
    with pytest.MonkeyPatch.context() as patch:
        # For the pytest that tests start: without anyio (see pyproject.toml), and without hypothesis's plugin, which takes longer than all the rest.
        patch.setenv("PYTEST_ADDOPTS", "-p no:anyio -p no:hypothesispytest")
        for folder in ("state", "config", "cache"):
            patch.setenv(f"XDG_{folder.upper()}_HOME", str(tmp_path_factory.mktemp(folder)))
        for setting in SETTINGS:
            for name in setting.spellings:
                if name in os.environ:
                    patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _surprises(request: pytest.FixtureRequest) -> Iterator[None]:
    """What goes on after an error of its own hides it from the test: it fails, unless it is marked as one that expects it."""
    expected = [str(text) for mark in request.node.iter_markers("goes_on_after") for text in mark.args]
    with Surprises(expected) as surprises:
        yield
    assert not surprises.found, "\n".join(surprises.found)


@pytest.fixture(autouse=True)
def _file_names_in_quotes() -> Iterator[None]:
    """Each upload of pyTelegramBotAPI changes how urllib3 writes file names from then on, for all of the process: not for the tests that follow."""
    before = fields.format_multipart_header_param
    yield
    fields.format_multipart_header_param = before


@pytest.fixture(scope="session", autouse=True)
def _keyboard_interrupts() -> Iterator[None]:
    """Ctrl-C works in the programs that tests start, also where the tests run in the background, as nohup and `&` in a script have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def ca() -> Iterator[TestCA]:
    """A certificate authority; making keys costs time, so one serves all tests."""
    with TestCA() as ca:
        yield ca


@pytest.fixture
def api(ca: TestCA) -> Iterator[BotApiServer]:
    """A Bot API server over TLS that takes messages to any chat."""
    with BotApiServer(tls=True, ca=ca, any_chat=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for the tests of this process; its tests are marked with `programs("postgres")`."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a fresh database."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)
