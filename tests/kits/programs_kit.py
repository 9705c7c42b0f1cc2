"""Tests that need real programs: they run with `--all`, where a missing program is a failure; else the last line of the output says what was not run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from kits.proxies_kit import CannotRun, program, programs


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--all`."""
    parser.addoption("--all", action="store_true", dest="with_programs", help="Run the tests that need real programs, too.")


def pytest_configure(config: pytest.Config) -> None:
    """The mark, and what follows from it."""
    config.addinivalue_line("markers", "programs(name, ...): the real programs that the test needs; it runs with --all")
    config.pluginmanager.register(_Programs(config), "syncbot-programs")


def real_proxies(kinds: Iterable[str]) -> list[Any]:
    """For `parametrize`: kinds of real proxies, with the programs that they need."""
    return [pytest.param(kind, marks=pytest.mark.programs(*programs(kind))) for kind in kinds]


def needed(item: pytest.Item) -> list[str]:
    """The programs that a test needs."""
    return sorted({str(name) for mark in item.iter_markers("programs") for name in mark.args})


class _Programs:
    """Leaves the tests that need programs out, and tells so at the end; of several processes the one that runs no tests tells it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._left_out: Counter[str] = Counter()
        self._tests = 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._config.getoption("with_programs"):
            return
        left_out = [item for item in items if needed(item)]
        items[:] = [item for item in items if not needed(item)]
        self._config.hook.pytest_deselected(items=left_out)
        self._tests = len(left_out)
        self._left_out = Counter(name for item in left_out for name in needed(item))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        for name in needed(item):
            if name == "postgres" and os.environ.get("PG_URL"):
                continue  # a server that somebody else has started
            try:
                program(name)
            except CannotRun as problem:  # a clear failure, never a skip
                pytest.fail(str(problem))

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["left_out"] = (self._tests, dict(self._left_out))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A process of pytest-xdist has ended; each of them has collected the same tests."""
        self._tests, self._left_out = getattr(node, "workeroutput", {}).get("left_out", (self._tests, self._left_out))

    def pytest_unconfigure(self) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if self._tests and reporter is not None and not hasattr(self._config, "workerinput"):
            names = ", ".join(sorted(self._left_out))
            reporter.write_line(f"NOT RUN: {self._tests} tests that need real programs ({names}); with --all they are run")
