"""The table of delivery.md, row by row, at a server and through a proxy that fail as the row says; and the error tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from kits.docs_kit import ROOT

from syncbot import Bot, Limits, Phase, RetryPolicy, SyncBotError, errors
from syncbot.cli.console.exits import exit_for
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy

TEXT = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT[TEXT.index("| What happened |") :].partition("\n\n")[0].splitlines()[2:]]


@dataclass
class Rig:
    """A server, a proxy, and a bot that goes through it."""

    server: BotApiServer
    proxy: FaultProxy
    bot: Bot

    def faults(self, *faults: Fault) -> None:
        """What the next connections meet; a good one follows."""
        self.proxy.script(*faults)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Everything works until it is told to fail."""
    with BotApiServer(any_chat=True) as server, FaultProxy("socks5") as proxy:
        policy = RetryPolicy(attempts=3, first_wait=0.01)
        with Bot(
            TEST_TOKEN, proxies=proxy.url, base_url=server.url, timeout=20, deadline=40, retry=policy, limits=Limits(chat_burst=2, chat_interval=60)
        ) as bot:
            yield Rig(server, proxy, bot)


def _send(rig: Rig) -> object:
    return rig.bot.call("sendMessage", chat_id=1, text="x")


def _get_me(rig: Rig) -> object:
    return rig.bot.call("getMe")


def _rate_limit(rig: Rig) -> object:
    _send(rig)
    _send(rig)
    return rig.bot.call("sendMessage", chat_id=1, text="x", deadline=0.2)


def _answers(rig: Rig, *answers: Answer, times: int | None = None) -> None:
    for method in ("sendMessage", "getMe"):
        rig.server.script(method, *answers, times=times)


PREPARE: dict[str, tuple[Callable[[Rig], object], Callable[[Rig], object], int]] = {
    # What happened: how to make it happen for good, the call, and how many requests the server then gets (with three attempts at most).
    "Telegram carried it out and said so": (lambda rig: None, _send, 1),
    "no way to Telegram: look-up, TCP, proxy, TLS": (lambda rig: rig.proxy.set_random([Fault.bad_gateway()], 1.0), _send, 0),
    "the proxy wants other credentials": (lambda rig: rig.proxy.set_random([Fault.auth_required()], 1.0), _send, 0),
    "its turn within the rate limits comes after the deadline": (lambda rig: None, _rate_limit, 2),
    "the request left, no whole answer came; `sendMessage`": (lambda rig: _answers(rig, Answer.normal().cut()), _send, 1),
    "no whole answer came; `getMe` and whatever else may be done twice": (lambda rig: _answers(rig, Answer.normal().cut()), _get_me, 3),
    "something else answered: a gateway's HTML, a captive portal; `sendMessage`": (lambda rig: _answers(rig, Answer.gateway()), _send, 1),
    "429": (lambda rig: _answers(rig, Answer.error(429, "Too Many Requests: retry after 60", retry_after=60)), _send, 1),
    "500 and above, in Telegram's own envelope; `sendMessage`": (lambda rig: _answers(rig, Answer.error(500, "Internal Server Error: restart")), _send, 1),
    "the same; `getMe` and whatever else may be done twice": (lambda rig: _answers(rig, Answer.error(500, "Internal Server Error: restart")), _get_me, 3),
}
CODES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict"}


def _row(what: str) -> list[str]:
    return next(row for row in ROWS if row[0] == what)


def test_every_row_is_tried() -> None:
    """No row of the table is left out here, and none is made up."""
    assert {row[0] for row in ROWS} == {*PREPARE, "400, 401, 403, 404, 409"}


@pytest.mark.parametrize("what", PREPARE)
def test_the_row_is_true(what: str, rig: Rig) -> None:
    """What a call ends with, its exit code, and how often the server was asked, are those of the row."""
    prepare, call, requests = PREPARE[what]
    _, gives, _, code = _row(what)
    prepare(rig)
    ended = 0
    if gives == "the result":
        call(rig)
    else:
        with pytest.raises(SyncBotError) as caught:
            call(rig)
        assert type(caught.value).__name__ == re.findall(r"`(\w+)`", gives)[0]
        ended = int(exit_for(caught.value))
    assert ended == int(code)
    assert rig.server.count() == requests


@pytest.mark.parametrize("code", CODES)
def test_what_telegram_refuses_is_told_by_its_code(code: int, rig: Rig) -> None:
    """Each code of the last row gives its error, once, with exit code 77."""
    row = _row("400, 401, 403, 404, 409")
    assert CODES[code] in re.findall(r"`(\w+)`", row[1])
    _answers(rig, Answer.error(code, "words"))
    with pytest.raises(SyncBotError) as caught:
        _send(rig)
    assert type(caught.value).__name__ == CODES[code]
    assert int(exit_for(caught.value)) == int(row[3])
    assert rig.server.count() == 1


def test_what_is_repeated_by_itself_succeeds_the_second_time(rig: Rig) -> None:
    """Rows that say "yes": a way that fails once, a 429 whose wait fits, and a lost answer of getMe, end well."""
    rig.faults(Fault.bad_gateway())
    _send(rig)
    _answers(rig, Answer.error(429, "Too Many Requests: retry after 1", retry_after=1), times=1)
    rig.bot.call("sendMessage", chat_id=2, text="x")
    rig.server.clear_script()
    _answers(rig, Answer.normal().cut(), times=1)
    _get_me(rig)
    assert rig.server.count("getMe") == 2
    assert rig.server.count_text("x") == 2


def test_an_edit_whose_answer_was_lost_counts_as_done(rig: Rig) -> None:
    """When a repeated edit is answered "not modified", the first attempt did it."""
    message = rig.bot.call("sendMessage", chat_id=1, text="old")
    rig.server.script("editMessageText", Answer.normal().cut())
    assert rig.bot.call("editMessageText", chat_id=1, message_id=message["message_id"], text="new")
    assert rig.server.count("editMessageText") == 2


def test_the_stages_that_the_drawing_names_are_those_of_the_errors() -> None:
    """Each stage and phase in the drawing of implementation.md is one that NetworkError knows."""
    drawing = (ROOT / "docs" / "implementation.md").read_text(encoding="utf-8")
    stages = re.findall(r"^ │  │  (resolve|connect|proxy|tls|send|receive|body) ", drawing, re.MULTILINE)
    assert stages == ["resolve", "connect", "proxy", "tls", "send", "receive", "body"]
    assert all(f'"{stage}"' in str(errors.NetworkError.__doc__) for stage in stages)
    assert all(str(phase) in drawing for phase in Phase)
