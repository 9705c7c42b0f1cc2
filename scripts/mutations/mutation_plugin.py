"""A plugin for pytest that writes down which test runs which line; `mutate.py` loads it. The context is the test's id, with which it can be run again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from coverage import Coverage

_file = os.path.join(os.environ["MUTATION_MAP"], os.environ.get("PYTEST_XDIST_WORKER", "main"))
_coverage = Coverage(data_file=_file, source=["syncbot"], concurrency="thread", config_file=False)
_coverage.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Everything from here to the end of the test, in whatever thread, is the test's."""
    _coverage.switch_context(item.nodeid)
    yield
    _coverage.switch_context("")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish() -> Iterator[None]:
    """Keep what was seen."""
    yield
    _coverage.stop()
    _coverage.save()
