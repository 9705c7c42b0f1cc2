"""README's comparison: every figure in it is the one that stands in docs/benchmarks.md."""

from __future__ import annotations

import re

import pytest
from kits.docs_kit import ROOT

PEERS = ("python-telegram-bot", "pyTelegramBotAPI", "aiogram")
OURS = ("syncbot",)
NOT_MEASURED = "–"

Cell = tuple[str, str, str]
"""A place in the page, and a line and a column of its table."""


def _across(place: str, column: str, ours: tuple[str, ...] = OURS, line: str = "{}", peers: tuple[str, ...] = PEERS) -> list[list[Cell]]:
    """The cells of one of README's lines where the page has a line for each library."""
    return [[(place, line.format(name), column) for name in names] for names in (*((peer,) for peer in peers), ours)]


def _down(place: str, line: str) -> list[list[Cell]]:
    """The same where the page has a column for each library."""
    return [[(place, line, name)] for name in (*PEERS, *OURS)]


def _bots(case: str) -> list[list[Cell]]:
    """The same for whole bots."""
    ours = (*OURS, "syncbot, types=False")
    return _across("throughput", "updates a second", ours, line=f"{case}: {{}}", peers=("python-telegram-bot", "telebot", "aiogram"))


def _concurrent(case: str) -> list[list[Cell]]:
    ptb, *others = _bots(case)
    return [[*ptb, ("throughput", f"{case}: python-telegram-bot, 8 at once", "updates a second")], *others]


def _quiet(way: str) -> list[list[Cell]]:
    """The same for a first message after some quiet."""
    return _across("round_trips", "after 10 s of quiet", line=f"{way}: {{}}")


def _talk(way: str) -> list[list[Cell]]:
    """The same for a bot in conversation."""
    return _across("conversation", "every 12 s", line=f"{way}: {{}}")


SHELL = ("syncbot send", "syncbot: bot.send_message")
FIGURES = {
    "of 200 messages, TLS handshakes cut: failed": _down("faults", "tls_drop"),
    "the proxy's answer dripped: failed or hung": _down("faults", "drip_connect"),
    "cut before the answer: failed": _down("faults", "cut_before_answer"),
    "first message after 10 s of quiet: round trips": _quiet("direct"),
    "the same through squid": _quiet("CONNECT, squid"),
    "the same through SOCKS5 with a password": _quiet("SOCKS5 with a password, v2ray"),
    "a bot's answer, a message every 12 s: round trips": _talk("direct"),
    "the same through SOCKS5 with a password, its bot": _talk("SOCKS5 with a password, v2ray"),
    "an idle bot: MB a day": _across("quiet_bot", "MB a day"),
    "CPU of a call: ms": _across("per_call", "CPU ms"),
    "calls a second from 8 threads": _across("threads", "calls a second", line="{}, 8"),
    "start, send one message, end: ms": _across("cold_start", "ms", SHELL),
    "its memory: MB": _across("cold_start", "MB", SHELL),
    "idle bot that polls: MB": _across("idle_memory", "MB", ("syncbot, inbox in a file",)),
    "updates a second, nothing sent": _bots("nothing sent"),
    "the same, the text of each read": _bots("text read, nothing sent"),
    "updates a second, one reply each": _bots("one reply"),
    "the same, 20 ms to Telegram": _concurrent("one reply, 20 ms of round-trip time"),
}
"""README's lines with figures: where those of each of its columns come from."""


def _rows(text: str) -> list[list[str]]:
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if not re.fullmatch(r"[\s:|-]+", "".join(line))]


def _page() -> dict[Cell, str]:
    """Every cell of docs/benchmarks.md; where a table has a column of threads, their number belongs to the line's name."""
    cells: dict[Cell, str] = {}
    text = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    for place, inner in re.findall(r"^<!-- (\w+) -->\n(.*?)^<!-- /\1 -->$", text, re.MULTILINE | re.DOTALL):
        head, *rows = _rows(inner)
        for row in rows:
            name = f"{row[0]}, {row[1]}" if head[1] == "threads" else row[0]
            cells |= {(place, name, column): cell for column, cell in zip(head, row, strict=True)}
    return cells


def _comparison() -> dict[str, list[str]]:
    """README's table: its lines by name."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Against the others\n")[2].partition("\n## ")[0]
    return {name: cells for name, *cells in _rows(section)[1:]}


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", text)


@pytest.mark.parametrize("line", FIGURES)
def test_a_line_has_the_figures_of_the_page(line: str) -> None:
    """Each library's cell has exactly the figures that the benchmarks' page has for it, and a dash where the page has none."""
    page = _page()
    wrong = []
    for shown, sources in zip(_comparison()[line], FIGURES[line], strict=True):
        expected = [page[source] for source in sources if page.get(source, "-") != "-"]
        if _numbers(shown) != _numbers(" ".join(expected)) or (not expected and shown != NOT_MEASURED):
            wrong.append(f"README says {shown!r} where docs/benchmarks.md has {expected or 'nothing'}: {sources}")
    assert not wrong, "\n".join(wrong)


def test_no_other_line_has_a_figure() -> None:
    """A line of the comparison that does not come from the benchmarks has no figure in it."""
    others = {name: cells for name, cells in _comparison().items() if name not in FIGURES}
    assert len(others) >= 4
    assert not _numbers(" ".join(cell for cells in others.values() for cell in cells))
