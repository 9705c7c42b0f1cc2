"""One message through the proxies that people run: squid, tinyproxy, privoxy and microsocks, which have to be installed.

python benchmarks/real_proxies.py [--calls 200]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from kit import Figures, Row, Table, Way, clean_environment, measure, missing, percentile, server
from kits.proxies_kit import running
from peers import aiogram, naive, opened, pooled, ptb, syncbot, telebot

KINDS = ("direct", "tinyproxy", "squid", "privoxy", "microsocks")
WAYS = {
    "syncbot": syncbot,
    "requests.post": naive,
    "pooled requests": pooled,
    "pyTelegramBotAPI": telebot,
    "python-telegram-bot": ptb,
    "aiogram": aiogram,
}
COLUMNS = ("ms", "of direct", "p99", "p99 / median")


def real_proxies(calls: int) -> Table:
    """Each way through each proxy; the ratio is to the same way without a proxy."""
    lacking: dict[str, str] = {}
    with ExitStack() as stack:
        api = stack.enter_context(server()).sending()
        ways: dict[str, Way] = {}
        for kind in KINDS:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            proxy = stack.enter_context(running(kind, folder)) if kind != "direct" else ""
            ways |= {f"{name}, {kind}": way for name, way in stack.enter_context(opened(WAYS, api, proxy)).items()}
            lacking |= {f"{name}, {kind}": module for name in WAYS if (module := missing(name, proxy))}
        figures = measure(ways, calls, rare=[name for name in ways if name.startswith("requests.post")])
    rows = [_row(f"{name}, {kind}", f"{name}, direct", figures) for name in WAYS for kind in KINDS]
    note = "p99 / median tells how steady a way is. Where it takes 40 ms and more, header and body left in two pieces, and the second waited for the "
    note += "acknowledgement of the first."
    for module in dict.fromkeys(lacking.values()):
        note += f" Not measured, since there is no module {module}: {'; '.join(name for name, lacks in lacking.items() if lacks == module)}."
    return Table("real_proxies", f"One message over TLS through real proxies, medians of {calls} calls", "milliseconds a call", rows, note)


def _row(name: str, direct: str, figures: Mapping[str, Figures]) -> Row:
    """One way through one proxy, or dashes where it could not be measured."""
    if name not in figures:
        return Row(name, dict.fromkeys(COLUMNS, "-"))
    wall = figures[name].wall
    median, p99 = statistics.median(wall), percentile(wall, 0.99)
    told = (f"{median:.2f}", f"{median / statistics.median(figures[direct].wall):.2f}", f"{p99:.2f}", f"{p99 / median:.1f}")
    return Row(name, dict(zip(COLUMNS, told, strict=True)), median, (percentile(wall, 0.1), percentile(wall, 0.9)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    clean = parser.parse_args()
    clean_environment()
    print(real_proxies(clean.calls).text())
