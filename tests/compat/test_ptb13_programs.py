"""Programs of the shapes that python-telegram-bot 13 had as examples: each holds its whole conversation, through a bad proxy, with nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from kits.ptb13.conversations import CONVERSATIONS, calls
from kits.ptb13.programs import OURS, running
from kits.ptb13.reference import reference_python

from syncbot.testing import BotApiServer, Fault, FaultProxy, TestCA

FAULTS = (Fault.refuse(), Fault.tls_drop(), Fault.drop_connect(), Fault.cut_request(after_bytes=0))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_program_of_13_holds_its_conversation_through_a_bad_proxy(name: str, tmp_path: Path, ca: TestCA) -> None:
    """A fifth of its connections break before a call is sent, and nothing of it is lost or comes twice; at a signal it ends in peace."""
    with BotApiServer(tls=True, ca=ca) as server, FaultProxy(faults=FAULTS, rate=0.2, seed=13) as proxy:
        env = {"SYNCBOT_PROXY": proxy.url, "SYNCBOT_CA_FILE": server.ca_file, "SYNCBOT_STATE": str(tmp_path / "state.db")}
        with running(name, server, OURS, tmp_path, env) as program:
            texts = [str(params.get("text")) for method, params in calls(server) if method == "sendMessage"]
            assert len(texts) >= 1
            ended = program.stop()
        assert ended == (0 if name != "rawapibot" else -15), program.output
        assert "Traceback" not in program.output or name == "errorhandlerbot", program.output
        assert server.problems == []


@pytest.mark.programs("python3.11")
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_program_sends_what_it_sends_with_13_15(name: str, tmp_path: Path) -> None:
    """The same calls with the same parameters, in the same order."""
    sent = []
    for command in (OURS, (reference_python(),)):
        folder = tmp_path / str(len(sent))
        folder.mkdir()
        with BotApiServer() as server:
            with running(name, server, command, folder, {"SYNCBOT_STATE": str(folder / "state.db")}):
                pass
            sent.append(calls(server))
    assert sent[0] == sent[1]
