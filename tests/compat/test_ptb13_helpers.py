"""`telegram.utils.helpers` of python-telegram-bot 13, against what 13.15 itself gives."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kits.ptb13 import helper_table
from kits.ptb13.reference import ask_reference

from syncbot.compat.ptb13.utils import helpers

RECORDED = Path(__file__).with_name("ptb13_helpers.json")


def test_each_gives_what_13_15_gives() -> None:
    """The same results, and the same kinds of errors with the same words."""
    assert json.loads(json.dumps(helper_table.table(helpers))) == json.loads(RECORDED.read_text(encoding="utf-8"))


@pytest.mark.programs("python3.11")
def test_the_record_is_what_13_15_gives() -> None:
    """Asked again."""
    assert ask_reference("ptb13.helper_table") == json.loads(RECORDED.read_text(encoding="utf-8"))


def test_times() -> None:
    """Of any kind, to seconds since 1970 and back."""
    assert helpers.to_float_timestamp(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert helpers.to_timestamp(timedelta(seconds=1.9), 10.0) == 11
    assert helpers.to_timestamp(None) is None
    at_ten = datetime(2026, 1, 1, 10, tzinfo=UTC).timestamp()
    assert helpers.to_float_timestamp(time(9), at_ten) - at_ten == 23 * 3600
    assert helpers.to_float_timestamp(time(11), at_ten) - at_ten == 3600
    assert helpers.from_timestamp(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert helpers.from_timestamp(0, None) == datetime(1970, 1, 1)  # without a zone is what is asked for
    assert helpers.from_timestamp(None) is None
    with pytest.raises(ValueError, match="absolute"):
        helpers.to_float_timestamp(datetime(2026, 1, 1), 1.0)
    with pytest.raises(TypeError, match="Unable to convert"):
        helpers.to_float_timestamp("now")  # type: ignore[arg-type]  # that is the test


def test_what_a_message_is() -> None:
    """The first of the names that it has something of; an update's message counts; anything else is an error."""
    message: Any = SimpleNamespace(message_id=1, text=None, photo=[1], document=None)
    assert helpers.effective_message_type(message) == "photo"
    assert helpers.effective_message_type(SimpleNamespace(effective_message=message)) == "photo"
    assert helpers.effective_message_type(SimpleNamespace(effective_message=None)) is None
    with pytest.raises(TypeError, match="not Message or Update"):
        helpers.effective_message_type(3)


def test_small_things(tmp_path: Path) -> None:
    """The name of a signal; whether something is a file here."""
    file = tmp_path / "a"
    file.touch()
    assert helpers.get_signal_name(signal.SIGTERM) == "SIGTERM"
    assert [helpers.is_local_file(each) for each in (file, str(file), tmp_path, "x" * 5000, None)] == [True, True, False, False, False]
