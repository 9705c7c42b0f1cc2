"""Links, tables and facts of the guides that can be read off the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from docs_kit import GUIDES, ROOT, anchors, without_code

from syncbot.client.table import method_names
from syncbot.testing import Fault
from syncbot.transport.noproxy import bypasses_proxy
from syncbot.types import Proxy


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


def test_every_guide_is_linked_from_the_readme_or_a_guide() -> None:
    """No guide is an orphan."""
    linked = {
        (guide.parent / target.partition("#")[0]).resolve()
        for guide in GUIDES
        for target in re.findall(r"\]\(([^)\s]+\.md[^)\s]*)\)", guide.read_text(encoding="utf-8"))
    }
    readme = ROOT / "README.md"
    first = {(readme.parent / target).resolve() for target in re.findall(r"\]\((docs/[^)\s]+\.md)\)", readme.read_text(encoding="utf-8"))}
    own = {"getting-started", "cron", "systemd", "openwrt", "from-telebot", "from-python-telegram-bot", "proxies", "delivery", "configuration"}
    own |= {"exit-codes", "troubleshooting", "implementation", "testing-your-bot"}
    assert {ROOT / "docs" / f"{name}.md" for name in own} <= first
    assert set(ROOT.glob("docs/*.md")) <= linked | first


def test_the_tables_made_from_the_code_are_up_to_date() -> None:
    """Settings, options, exit codes and errors in the guides are those of the code; scripts/generate_docs.py writes them."""
    ended = subprocess.run([sys.executable, ROOT / "scripts" / "generate_docs.py", "--check"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_stale_table_is_noticed_and_written(tmp_path: Path) -> None:
    """--check finds a table that differs and touches nothing; without it the table is written, and what is around it stays."""
    guide = tmp_path / "guide.md"
    guide.write_text("before\n<!-- begin exit codes -->\nold\n<!-- end exit codes -->\nafter\n")
    command = [sys.executable, str(ROOT / "scripts" / "generate_docs.py"), "--folder", str(tmp_path)]
    assert subprocess.run([*command, "--check"], capture_output=True).returncode == 1
    assert "old" in guide.read_text()
    assert subprocess.run(command, capture_output=True).returncode == 0
    text = guide.read_text()
    assert text.startswith("before\n<!-- begin")
    assert text.endswith("<!-- end exit codes -->\nafter\n")
    assert "| 76 |" in text
    assert subprocess.run([*command, "--check"], capture_output=True).returncode == 0


def test_numbers_in_the_guides_are_those_of_the_code() -> None:
    """How many faults and methods there are is told as it is."""
    text = "\n".join(guide.read_text(encoding="utf-8") for guide in GUIDES)
    assert {int(number) for number in re.findall(r"(\d+) (?:kinds of )?faults", text)} == {len(Fault.all())}
    assert {int(number) for number in re.findall(r"(\d+) methods", text)} == {len(method_names())}


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
