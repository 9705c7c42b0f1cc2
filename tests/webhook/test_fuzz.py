"""A slice of the fuzzer: whatever is posted is answered with 200, 400 or 413, and what was taken comes to an end."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from kits.webhook_kit import ROOT


@pytest.fixture
def fuzzer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """scripts/fuzz_webhook.py as a module; its handlers fail on purpose, which is not to be printed a hundred times."""
    spec = importlib.util.spec_from_file_location("fuzz_webhook", ROOT / "scripts" / "fuzz_webhook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fuzz_webhook", module)  # dataclasses look their module up
    monkeypatch.syspath_prepend(str(ROOT))
    spec.loader.exec_module(module)
    logger = logging.getLogger("syncbot.runtime.handling.dispatcher")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield module
    logger.setLevel(level)


def test_a_thousand_bodies(fuzzer: ModuleType) -> None:
    """A thousand bodies from nearly right to wholly wrong: no other status, no traceback, no update that is taken and lost."""
    outcome = fuzzer.fuzz(1000, seed=7)
    assert outcome.problems == []
    assert set(outcome.statuses) == {200, 400, 413}
    assert outcome.statuses[200] > 200
    assert outcome.handled > 100
