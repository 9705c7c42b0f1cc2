"""`syncbot download`: to a name, a folder, standard output; and what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncbot.testing import BotApiServer

Command = Callable[..., Any]

CONTENT = bytes(range(256)) * 4000


def test_to_a_name(command: Command, server: BotApiServer) -> None:
    """The file stands under the name that was given, which is printed, and no part of it is left beside it."""
    file_id = server.add_file(CONTENT, name="report.pdf")
    ended = command("download", file_id, "mine.pdf")
    assert (ended.code, ended.out, ended.err) == (0, "mine.pdf\n", "")
    assert Path("mine.pdf").read_bytes() == CONTENT
    assert sorted(path.name for path in Path().iterdir()) == ["mine.pdf"]


def test_to_this_folder(command: Command, server: BotApiServer) -> None:
    """Without a path the file goes into the working folder, and its name is printed."""
    ended = command("download", server.add_file(CONTENT, name="report.pdf"))
    assert ended.code == 0
    assert Path(ended.out.strip()).read_bytes() == CONTENT


def test_to_standard_output(environment: dict[str, str], server: BotApiServer) -> None:
    """With "-" the bytes of the file, and nothing else, go to standard output."""
    file_id = server.add_file(CONTENT)
    program = [sys.executable, "-c", "from syncbot.cli import main; main()", "download", file_id, "-"]
    ended = subprocess.run(program, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, CONTENT, b"")


def test_reader_that_leaves_early(environment: dict[str, str], server: BotApiServer) -> None:
    """A reader that takes the first bytes and goes ends the download without a traceback."""
    file_id = server.add_file(CONTENT * 4)
    script = f'"{sys.executable}" -c "from syncbot.cli import main; main()" download {file_id} - | head -c 10'
    ended = subprocess.run(["/bin/sh", "-c", script], capture_output=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == (CONTENT[:10], b"")


def test_json(command: Command, server: BotApiServer) -> None:
    """--json tells name and size."""
    ended = command("download", server.add_file(CONTENT), "a.bin", "--json")
    assert json.loads(ended.out) == {"path": "a.bin", "size": len(CONTENT)}


def test_unknown_file(command: Command) -> None:
    """A file id that Telegram does not know is a refusal."""
    ended = command("download", "nonsense", "a.bin")
    assert (ended.code, ended.out) == (77, "")
    assert not Path("a.bin").exists()


def test_folder_that_is_missing(command: Command, server: BotApiServer) -> None:
    """A place that cannot be written is a wrong command line, in one line."""
    ended = command("download", server.add_file(CONTENT), "no/such/place.bin")
    assert ended.code == 2
    assert "no/such" in ended.err
    assert ended.err.count("\n") == 1


def test_full_disk(environment: dict[str, str], server: BotApiServer) -> None:
    """A disk without room is no mistake of the command line: the same command may be given again later, as the exit code says."""
    program = [sys.executable, "-c", "from syncbot.cli import main; main()", "download", server.add_file(CONTENT), "-"]
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.count(b"\n")) == (75, 1)
    assert b"No space left on device" in ended.stderr


def test_terminal_is_spared(terminal: Callable[..., Any], server: BotApiServer) -> None:
    """Bytes are not written to a terminal; into a file a bar shows how far it is."""
    file_id = server.add_file(CONTENT * 4)
    running = terminal("download", file_id, "-")
    assert running.wait() == 2
    assert "would upset the terminal" in running.screen
    running = terminal("download", file_id, "a.bin")
    assert running.wait() == 0
    assert "100% of 4.1 MB" in running.screen
    assert "a.bin" in running.screen


def test_from_a_local_server(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """With SYNCBOT_LOCAL the file is copied from the disk of a local Bot API server; without it the setting is named."""
    with BotApiServer(local=True) as local:
        monkeypatch.setenv("SYNCBOT_BASE_URL", local.url)
        file_id = local.add_file(CONTENT, name="report.pdf")
        ended = command("download", file_id, "mine.pdf")
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert "SYNCBOT_LOCAL=1" in ended.err
        monkeypatch.setenv("SYNCBOT_LOCAL", "1")
        ended = command("download", file_id, "mine.pdf")
    assert (ended.code, ended.out, ended.err) == (0, "mine.pdf\n", "")
    assert Path("mine.pdf").read_bytes() == CONTENT


def test_to_a_device(command: Command, server: BotApiServer) -> None:
    """A path that is no file is a mistake on the command line, not in the program."""
    ended = command("download", server.add_file(CONTENT), "/dev/null")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "/dev/null" in ended.err
