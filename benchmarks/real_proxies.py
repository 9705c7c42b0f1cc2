"""One message through the proxies that people run: squid, tinyproxy, privoxy and microsocks, which have to be installed.

python benchmarks/real_proxies.py [--calls 200]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests/system"))

from kit import Row, Table, Way, clean_environment, measure, percentile, server
from peers import naive, opened, pooled, ptb, syncbot
from proxies_kit import running

KINDS = ("direct", "tinyproxy", "squid", "privoxy", "microsocks")
WAYS = {"syncbot": syncbot, "requests.post": naive, "pooled requests": pooled, "python-telegram-bot": ptb}


def real_proxies(calls: int) -> Table:
    """Each way through each proxy; the ratio is to the same way without a proxy."""
    with ExitStack() as stack:
        api = stack.enter_context(server()).sending()
        ways: dict[str, Way] = {}
        for kind in KINDS:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            proxy = stack.enter_context(running(kind, folder)) if kind != "direct" else ""
            ways |= {f"{name}, {kind}": way for name, way in stack.enter_context(opened(WAYS, api, proxy)).items()}
        figures = measure(ways, calls, rare=[name for name in ways if name.startswith("requests.post")])
    rows = []
    for name in WAYS:
        direct = statistics.median(figures[f"{name}, direct"].wall)
        for kind in KINDS:
            wall = figures[f"{name}, {kind}"].wall
            median = statistics.median(wall)
            cells = {"ms": f"{median:.2f}", "of direct": f"{median / direct:.2f}", "p99": f"{percentile(wall, 0.99):.2f}"}
            cells["p99 / median"] = f"{percentile(wall, 0.99) / median:.1f}"
            rows.append(Row(f"{name}, {kind}", cells, median, (percentile(wall, 0.1), percentile(wall, 0.9))))
    note = "Where it takes 40 ms and more, header and body left in two pieces, and the second waited for the acknowledgement of the first."
    return Table("real_proxies", f"One message over TLS through real proxies, medians of {calls} calls", "milliseconds a call", rows, note)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    clean = parser.parse_args()
    clean_environment()
    print(real_proxies(clean.calls).text())
