"""Real proxies of this machine, each started on a free loopback port for one test module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from kits.proxies_kit import CannotRun, running

RealProxy = Callable[[str], str]
"""Gives the URL of a running proxy by its kind; see `proxies_kit.KINDS`."""


@pytest.fixture(scope="module")
def real_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """`real_proxy(kind)` gives the URL of a running proxy; one of each kind at most is started, and ended with the module."""
    urls: dict[str, str] = {}
    with ExitStack() as stack:

        def start(kind: str) -> str:
            if kind not in urls:
                try:
                    urls[kind] = stack.enter_context(running(kind, tmp_path_factory.mktemp(kind)))
                except CannotRun as problem:  # a clear failure, never a skip
                    pytest.fail(str(problem))
            return urls[kind]

        yield start
