"""Links, tables and facts of the guides that can be read off the code."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kits.docs_kit import GUIDES, ROOT, anchors, without_code

from syncbot import Limits, RetryPolicy
from syncbot.cli.sending.queueing import DELIVER_SECONDS
from syncbot.client.api.table import method_names
from syncbot.runtime.handling.kinds import API_VERSION, KINDS
from syncbot.runtime.receiving.idle_limit import LONGEST_WAIT_SECONDS
from syncbot.testing import Fault
from syncbot.transport.ways import COOL_DOWN_SECONDS, LONGEST_COOL_DOWN_SECONDS, bypasses_proxy
from syncbot.types import DEFAULT_DEADLINE, Proxy


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_links_lead_somewhere(guide: Path) -> None:
    """Each link to a file of the repository leads to one that is there, and each anchor to a heading."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(guide.read_text(encoding="utf-8"))):
        if re.match(r"(https?|mailto):", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (guide.parent / path).resolve() if path else guide
        assert linked.exists(), f"{guide.name}: {target}"
        assert not anchor or anchor in anchors(linked), f"{guide.name}: {target}"


def test_every_guide_is_linked_from_the_readme() -> None:
    """No guide is an orphan: README.md links to each (scripts/generators/generate_docs.py adds those that nobody has placed)."""
    linked = set(re.findall(r"\]\(docs/([^)#\s]+\.md)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert linked == {path.name for path in ROOT.glob("docs/*.md")}


def test_the_tables_made_from_the_code_are_up_to_date() -> None:
    """Settings, options, exit codes and errors in the guides are those of the code; scripts/generators/generate_docs.py writes them."""
    ended = subprocess.run([sys.executable, ROOT / "scripts" / "generators" / "generate_docs.py", "--check"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs scripts/generators/generate_docs.py in this process; gives its exit code."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "generators"))
    import generate_docs

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["generate_docs.py", *arguments])
        return int(generate_docs.main())

    return run


def test_a_stale_table_is_noticed_and_written(generate: Callable[..., int], tmp_path: Path) -> None:
    """--check finds a table that differs and touches nothing; without it the table is written, and what is around it stays."""
    guide = tmp_path / "guide.md"
    guide.write_text("before\n<!-- begin exit codes -->\nold\n<!-- end exit codes -->\nafter\n")
    folder = ("--folder", str(tmp_path))
    assert generate(*folder, "--check") == 1
    assert "old" in guide.read_text()
    assert generate(*folder) == 0
    text = guide.read_text()
    assert text.startswith("before\n<!-- begin")
    assert text.endswith("<!-- end exit codes -->\nafter\n")
    assert "| 76 |" in text
    assert generate(*folder, "--check") == 0


def test_a_new_guide_is_added_to_the_readme(generate: Callable[..., int], tmp_path: Path) -> None:
    """A guide that README.md does not link to is added to its list, by its title; one that stands there already is not."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "old.md").write_text("# Old\n")
    (docs / "new.md").write_text("# A new one\n")
    readme = tmp_path / "README.md"
    readme.write_text("See [old](docs/old.md).\n<!-- begin further guides -->\n<!-- end further guides -->\n")
    folder = ("--folder", str(docs))
    assert generate(*folder, "--check") == 1
    assert generate(*folder) == 0
    assert "-->\nAnd: [A new one](docs/new.md)\n<!--" in readme.read_text()
    assert generate(*folder, "--check") == 0


def test_numbers_in_the_guides_are_those_of_the_code() -> None:
    """How many faults, methods and kinds of updates there are, and which Bot API this is, is told as it is."""
    text = "\n".join(guide.read_text(encoding="utf-8") for guide in GUIDES)
    assert {int(number) for number in re.findall(r"(\d+) (?:kinds of )?faults", text)} == {len(Fault.all())}
    assert {int(number) for number in re.findall(r"(\d+) methods", text)} == {len(method_names())}
    assert {int(number) for number in re.findall(r"(\d+) kinds of updates", text)} == {len(KINDS)}
    assert set(re.findall(r"speaks Bot API (\d+\.\d+)", text)) == {API_VERSION}


def _table(guide: str, head: str) -> list[list[str]]:
    """The rows of the table that begins with this head."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    rows = text[text.index(f"| {head} |") :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def test_the_schemes_of_the_proxy_guide_are_known() -> None:
    """Each scheme in the table can be written, with the default port that stands beside it, and no other is known."""
    rows = _table("proxies.md", "Scheme")
    for scheme, *_, port in rows:
        proxy = Proxy.parse("direct" if scheme == "direct" else f"{scheme}://host.example")
        assert proxy.scheme == scheme
        assert str(proxy.port or "") == port
    assert {row[0] for row in rows} == {"http", "https", "socks5h", "socks5", "socks4", "direct"}
    assert Proxy.parse("host.example:3128").scheme == "http"
    assert Proxy.parse("http://user:p%40ss@proxy.example:3128").password == "p@ss"


@pytest.mark.parametrize(
    ("entry", "reached", "not_reached"),
    [
        ("telegram.org", [("telegram.org", 443), ("api.telegram.org", 443)], [("nottelegram.org", 443)]),
        (".telegram.org", [("telegram.org", 443), ("api.telegram.org", 443)], []),
        ("10.0.0.0/8", [("10.1.2.3", 443)], [("11.1.2.3", 443), ("name.example", 443)]),
        ("localhost:8081", [("localhost", 8081)], [("localhost", 443)]),
        ("*", [("anything.example", 1)], []),
    ],
)
def test_no_proxy_means_what_the_guide_says(entry: str, reached: list[tuple[str, int]], not_reached: list[tuple[str, int]]) -> None:
    """Each entry in the table of NO_PROXY lets past the proxy what stands beside it."""
    assert entry in {row[0] for row in _table("proxies.md", "Entry of `NO_PROXY`")}
    assert all(bypasses_proxy(*target, entry) for target in reached)
    assert not any(bypasses_proxy(*target, entry) for target in not_reached)


def test_numbers_in_sentences_are_the_defaults() -> None:
    """Attempts, waits, rates and rests that the guides tell are those of the code."""
    retry, limits = RetryPolicy(), Limits()
    guides = {path.stem: " ".join(path.read_text(encoding="utf-8").split()) for path in GUIDES}
    assert (retry.attempts, retry.first_wait, retry.longest_wait) == (6, 0.5, 15.0)
    assert "Six attempts at most" in guides["delivery"]
    assert "up to 0.5 s, 1 s, 2 s, … 15 s" in guides["delivery"]
    rates = (
        f"{limits.per_second} messages a second over all chats, about one a second in one chat (three at once), {limits.per_group_minute} a minute in a group"
    )
    assert rates in guides["delivery"]
    assert (limits.chat_burst, limits.chat_interval) == (3, 1.0)
    assert f"rests for {COOL_DOWN_SECONDS:.0f} seconds, twice as long after each further failure, ten minutes at most" in guides["proxies"]
    assert LONGEST_COOL_DOWN_SECONDS == 600
    assert f"for up to {DELIVER_SECONDS:.0f} s" in guides["delivery"]
    assert f"for {DELIVER_SECONDS:.0f} seconds at most" in guides["cron"]
    assert f"`deadline` ({DEFAULT_DEADLINE:.0f} s)" in guides["delivery"]
    assert f"waits {LONGEST_WAIT_SECONDS} s, which is the longest that Telegram allows" in guides["openwrt"]
    assert f"makes {86_400 // LONGEST_WAIT_SECONDS} of them a day" in guides["openwrt"]
