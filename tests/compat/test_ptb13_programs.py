"""Programs of the shapes that python-telegram-bot 13 had as examples: each holds its whole conversation, through a bad proxy, with nothing changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from kits.ptb13.conversations import CONVERSATIONS, calls
from kits.ptb13.programs import Starter, by_command, running
from kits.ptb13.reference import reference_python

from syncbot.storage import Scope, open_store
from syncbot.testing import BotApiServer, Fault, FaultProxy, TestCA

FAULTS = (Fault.refuse(), Fault.tls_drop(), Fault.drop_connect(), Fault.bad_gateway(), Fault.tls_garbage())
"""All of them before the call is sent, so that each may be made again: none is to fail."""


def hold(name: str, folder: Path, ca: TestCA, starter: Starter) -> None:
    """Run a program behind a bad proxy, hold its conversation, and stop it."""
    with BotApiServer(tls=True, ca=ca) as server, FaultProxy(faults=FAULTS, rate=0.2, seed=13, most_in_a_row=3) as proxy:
        proxy.script(Fault.NONE, Fault.tls_drop())  # one at least is broken, however short the conversation
        env = {"SYNCBOT_PROXY": proxy.url, "SYNCBOT_CA_FILE": server.ca_file, "SYNCBOT_STATE": str(folder / "state.db")}
        with running(name, server, starter, folder, env) as program:
            assert calls(server)
            ended = program.stop()
        assert ended == (0 if name != "rawapibot" else -15), program.output
        assert "Traceback" not in program.output or name == "errorhandlerbot", program.output
        assert server.problems == []
        assert proxy.struck, "no connection was broken"


@pytest.fixture(scope="module")
def held(request: pytest.FixtureRequest, ca: TestCA, starter: Starter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    """The conversations of all programs that are asked for, a few at once: each spends most of its time in the pauses of a bad line."""
    names = [item.callspec.params["name"] for item in request.session.items if item.name.startswith("test_a_program_of_13") and item.path == request.path]
    with ThreadPoolExecutor(6) as pool:
        yield {name: pool.submit(hold, name, tmp_path_factory.mktemp(name), ca, starter) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_program_of_13_holds_its_conversation_through_a_bad_proxy(name: str, held: dict[str, Future[None]]) -> None:
    """A fifth of its connections break before a call is sent, and nothing of it is lost or comes twice; at a signal it ends in peace."""
    held[name].result()


@pytest.mark.programs("python3.11")
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_program_sends_what_it_sends_with_13_15(name: str, tmp_path: Path) -> None:
    """The same calls with the same parameters, in the same order."""
    sent = []
    for command in ((sys.executable, "-m", "syncbot.compat.ptb13"), (reference_python(),)):
        folder = tmp_path / str(len(sent))
        folder.mkdir()
        with BotApiServer() as server:
            with running(name, server, by_command(*command), folder, {"SYNCBOT_STATE": str(folder / "state.db")}):
                pass
            sent.append(calls(server))
    assert sent[0] == sent[1]


@pytest.mark.programs("postgres")
def test_a_program_keeps_what_it_knows_in_a_database(postgres_url: str, tmp_path: Path) -> None:
    """Its persistence, told of no other place, is the bot's state: started anew it goes on in the middle of a question, as on a state file."""
    with BotApiServer() as server:
        command = by_command(sys.executable, "-m", "syncbot.compat.ptb13")
        with running("persistentconversationbot", server, command, tmp_path, {"SYNCBOT_STATE": postgres_url}):
            assert calls(server)
        assert server.problems == []
    with open_store(postgres_url, None) as store:
        assert [store.data.load(Scope.USER, owner)["age"] for owner in store.data.owners(Scope.USER)] == ["42"]
