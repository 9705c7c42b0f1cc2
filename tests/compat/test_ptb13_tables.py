"""Handlers, conversations, dispatchers and the calls of python-telegram-bot 13, with what 13.15 itself did beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kits.ptb13.programs import Starter
from kits.ptb13.reference import ask_reference

TABLES = {"handler_table": "ptb13_handlers.json", "conversation_table": "ptb13_conversations.json", "call_table": "ptb13_calls.json"}
"""The modules that are run, and what 13.15 printed; `python -m ptb13.handler_table` under it, with tests/kits in PYTHONPATH, writes it anew."""


def recorded(table: str) -> Any:
    """What 13.15 does."""
    return json.loads(Path(__file__).with_name(TABLES[table]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("table", TABLES)
def test_ours_do_what_those_of_13_15_do(starter: Starter, table: str) -> None:
    """Each handler gets the same updates and its function the same values, each conversation goes the same way, each call sends the same."""
    theirs, ours = recorded(table), starter.ask(f"ptb13.{table}")
    assert ours.keys() == theirs.keys()
    assert {name: found for name, found in ours.items() if found != theirs[name]} == {}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.programs("python3.11")
def test_the_records_are_what_13_15_does(table: str) -> None:
    """Asked again."""
    assert ask_reference(f"ptb13.{table}") == recorded(table)


def test_the_record_tells_handlers_apart() -> None:
    """Each handler is called with something, but the one that is not to be; and none with everything."""
    table = recorded("handler_table")
    assert len(table) == 78
    assert {name for name, found in table.items() if not found} == {"button, other class, context", "button, other class, old"}
    assert max(map(len, table.values())) < 35
