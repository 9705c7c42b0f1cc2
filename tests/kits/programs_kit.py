"""Tests that need real programs or take long: they run with `--all`, where a missing program is a failure; else the last line says what was not run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

from kits.proxies_kit import CannotRun, program, programs


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--all`."""
    parser.addoption("--all", action="store_true", dest="run_all", help="Run the tests that need real programs or take long, too.")


def pytest_configure(config: pytest.Config) -> None:
    """The marks, and what follows from them."""
    config.addinivalue_line("markers", "programs(name, ...): the real programs that the test needs; it runs with --all")
    config.addinivalue_line("markers", "slow: the test takes long; it runs with --all")
    config.pluginmanager.register(_SecondStage(config), "syncbot-second-stage")


def real_proxies(kinds: Iterable[str]) -> list[Any]:
    """For `parametrize`: kinds of real proxies, with the programs that they need."""
    return [pytest.param(kind, marks=pytest.mark.programs(*programs(kind))) for kind in kinds]


def needed(item: pytest.Item) -> list[str]:
    """The programs that a test needs."""
    return sorted({str(name) for mark in item.iter_markers("programs") for name in mark.args})


class _SecondStage:
    """Leaves out what runs with --all alone, and tells so at the end; of several processes the one that runs no tests tells it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._programs: list[str] = []
        self._left_out: dict[str, int] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._config.getoption("run_all"):
            return
        real = [item for item in items if needed(item)]
        slow = [item for item in items if item.get_closest_marker("slow") and not needed(item)]
        self._config.hook.pytest_deselected(items=real + slow)
        items[:] = [item for item in items if not needed(item) and not item.get_closest_marker("slow")]
        self._programs = sorted({name for item in real for name in needed(item)})
        self._left_out = {"take long": len(slow), "need real programs": len(real)}

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
            self._config.workeroutput["left_out"] = (self._programs, self._left_out)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A process of pytest-xdist has ended; each of them has collected the same tests."""
        self._programs, self._left_out = getattr(node, "workeroutput", {}).get("left_out", (self._programs, self._left_out))

    def pytest_unconfigure(self) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if any(self._left_out.values()) and reporter is not None and not hasattr(self._config, "workerinput"):
            reasons = " or ".join(f"{reason} ({number})" for reason, number in self._left_out.items() if number)
            named = f": {', '.join(self._programs)}" if self._programs else ""
            reporter.write_line(f"NOT RUN: {sum(self._left_out.values())} tests that {reasons}{named}; with --all they are run")
