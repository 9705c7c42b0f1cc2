"""What commands learn of a way, and keep for those that come after them."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncbot.testing import BotApiServer, FaultProxy

Command = Callable[..., Any]

RTT_SECONDS = 0.4
SHORTER_SECONDS = 0.2
"""For the doctor, who needs hundreds of round trips and is not measured; what it learns of the time that an opening takes still fits."""
CREDENTIALS = {"username": "ann", "password": "s3cret-word"}


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """A Bot API server over TLS."""
    with BotApiServer(tls=True, slow_same_offset=False) as running:
        running.user(1001, "Ann")
        yield running


@pytest.fixture(autouse=True)
def trust(server: BotApiServer, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands trust the server's authority."""
    monkeypatch.setenv("SYNCBOT_CA_FILE", server.ca_file)


def kept(environment: dict[str, str]) -> Path:
    return Path(environment["HOME"], ".cache", "syncbot", "ways.json")


@pytest.mark.slow
def test_what_the_doctor_learned_serves_a_cron_job(process: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """`syncbot send` through SOCKS5 with a password takes six round trips before `syncbot doctor` has looked at the way, and three after it; each command is
    a process of its own."""
    with FaultProxy("socks5h", **CREDENTIALS) as proxy, FaultProxy("relay", target=f"127.0.0.1:{proxy.port}", rtt=SHORTER_SECONDS) as far:
        monkeypatch.setenv("SYNCBOT_PROXY", f"socks5h://ann:s3cret-word@127.0.0.1:{far.port}")

        def seconds(early: str) -> float:
            began = time.monotonic()
            assert process("send", "Hello", SYNCBOT_EARLY=early).code == 0
            return time.monotonic() - began

        seconds("learn")
        assert proxy.came_early == 0
        assert process("doctor", "--watch", "0").code == 0
        before, opened = proxy.came_early, proxy.opened
        far.rtt = RTT_SECONDS
        seconds("learn")
        assert (proxy.came_early - before, proxy.opened - opened) == (1, 1)
        assert proxy.came_in_one == proxy.came_early
        assert any(2.5 < (seconds("never") - seconds("learn")) / RTT_SECONDS < 3.5 for _ in range(5)), "three round trips less"


@pytest.mark.parametrize("drops", [False, True])
def test_the_doctor_says_what_it_has_found(drops: bool, command: Command, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a step of its own, which fails neither way; what it keeps is for this user's eyes and holds no credentials."""
    with FaultProxy("http", **CREDENTIALS, drops_early=drops) as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        ended = command("doctor", "--json", "--watch", "0")
        assert ended.code == 0
        (step,) = [step for step in json.loads(ended.out)["steps"] if step["step"] == "early opening"]
        assert step["status"] == "ok"
        assert ("step by step: a first call takes 4 round trips" if drops else "takes 3 round trips instead of 4") in step["text"]
        assert proxy.came_early == (2 if drops else 3)
    file = kept(environment)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "s3cret" not in file.read_text()
    assert "ann" not in file.read_text()
    (facts,) = json.loads(file.read_text())["ways"].values()
    assert facts["recent"] == ("" if drops else "www")


def test_init_learns_it_too(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `syncbot init` the first command is opened early."""
    with FaultProxy() as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        assert command("init", "--no-pair").code == 0
        before = proxy.came_early
        assert before == 3
        assert command("send", "Hello").code == 0
        assert proxy.came_early == before + 1


def test_never_means_never(command: Command, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With SYNCBOT_EARLY=never neither the doctor nor a command tries it."""
    monkeypatch.setenv("SYNCBOT_EARLY", "never")
    with FaultProxy() as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        ended = command("doctor", "--json", "--watch", "0")
        assert "early opening" not in ended.out
        assert command("send", "Hello").code == 0
        assert proxy.came_early == 0


@pytest.mark.parametrize("there", ["no json", "[" * 100_000, '{"ways": 5, "servers": {"a": {"lean": "x"}}}', "pipe", "folder", "locked"])
def test_a_file_that_cannot_be_used_is_no_trouble(there: str, command: Command, environment: dict[str, str]) -> None:
    """Whatever lies in the file's place: the command does its work, and says nothing of it."""
    file = kept(environment)
    file.parent.mkdir(parents=True)
    if there == "pipe":
        os.mkfifo(file)
    elif there == "folder":
        file.mkdir()
    elif there == "locked":
        file.parent.rmdir()
        file.parent.write_text("not a folder")
    else:
        file.write_text(there)
    ended = command("send", "Hello")
    assert (ended.code, ended.err) == (0, "")


def test_commands_keep_what_others_have_learned(command: Command, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written holds the ways of earlier commands too."""
    with FaultProxy() as first, FaultProxy() as second:
        for proxy in (first, second):
            monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
            assert command("doctor", "--watch", "0").code == 0
        assert {name.partition(" ")[0] for name in json.loads(kept(environment).read_text())["ways"]} == {first.url, second.url}
