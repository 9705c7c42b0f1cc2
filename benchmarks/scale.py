"""A bot on a PostgreSQL: how many updates so many processes handle a second, and how soon a stored one is in its handler.

    python benchmarks/scale.py [--quick]

Everything on this machine: the database (durable: each group of commits waits for the disk), the processes, and what fills the inbox beforehand. The
figures are of one run, so ratios say more than numbers; the load of the machine is told with each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from kit import Row, Table  # noqa: E402  # its folder is the script's own
from scaling.real import Found, Load, run, servers, store_to_handler  # noqa: E402

COUNTS = (1, 2, 4, 8)


def scale(quick: bool = False) -> Table:
    """All of it."""
    share = 4 if quick else 1
    with servers(os.environ.get("PG_URL"), durable=True) as (api_url, postgres):

        def measured(load: Load) -> Found:
            return run(postgres.create_database(), api_url, load)

        rows = [
            *_rows("no-op, 10,000 chats", Load(updates=20_000 // share), COUNTS, measured),
            *_rows("no-op, 100 chats", Load(updates=20_000 // share, chats=100), (4,), measured),
            *_rows("no-op, 10,000 chats, a fifth of all in one", Load(updates=20_000 // share, hot=0.2), (4,), measured),
            *_slow_rows(share, measured),
        ]
        waits = store_to_handler(postgres.create_database(), api_url, 200 // share)
        rows.append(Row("stored to handled", {"median": f"{statistics.median(waits) * 1000:.1f} ms", "95 %": f"{_worst(waits) * 1000:.1f} ms"} | _load()))
    return Table("scale", "A bot on a PostgreSQL, in so many processes", "updates a second", rows)


def _rows(name: str, load: Load, counts: Sequence[int], measured: Callable[[Load], Found]) -> list[Row]:
    return [_row(f"{name}, {count} processes", measured(replace(load, processes=count))) for count in counts]


def _slow_rows(share: int, measured: Callable[[Load], Found]) -> list[Row]:
    """Handlers of 100 ms with 16 threads; so many updates that each run takes about eight seconds."""
    found = [measured(Load(processes=count, handler=0.1, updates=1280 * count // share, chats=10_000)) for count in COUNTS]
    rows = [_row(f"100 ms, 16 threads, {count} processes", one) for count, one in zip(COUNTS, found, strict=True)]
    return [replace(row, cells=dict(row.cells) | {"times one": f"{one.rate / found[0].rate:.1f}"}) for row, one in zip(rows, found, strict=True)]


def _row(name: str, found: Found) -> Row:
    cells = {"a second": f"{found.rate:,.0f}", "oldest waiting": f"{found.oldest:.1f} s", "processor an update": f"{found.processor * 1e6:.0f} µs"}
    return Row(name, cells | _load(), found.rate)


def _load() -> dict[str, Any]:
    return {"load": f"{os.getloadavg()[0]:.1f}"}


def _worst(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]


def main(argv: Sequence[str]) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the updates; the figures are rough")
    print(scale(parser.parse_args(argv).quick).text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
