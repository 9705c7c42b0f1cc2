"""What throughput.py measures, as a table."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import throughput
from kit import Row, Table


def bot_throughput(updates: int, rounds: int) -> Table:
    """Updates a second of a whole bot; see throughput.py."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case in throughput.CASES:
            found = throughput.rounds(case, updates, rounds, Path(folder))
            base = statistics.median(found["syncbot"])
            for peer, each in found.items():
                median = statistics.median(each)
                cells = {"updates a second": f"{median:.0f}", "of syncbot": f"{median / base:.2f}", "from … to": f"{min(each):.0f} … {max(each):.0f}"}
                rows.append(Row(f"{case.name}: {peer}", cells, median, (min(each), max(each)), panel=case.name))
    note = "syncbot keeps its inbox in a file that survives a power cut; the others keep none. Each reply of syncbot's opens a connection. "
    note += "In the second case the handler reads the text of each message, and so meets all decoding that was put off until then."
    return Table("throughput", f"A bot with {updates} waiting updates, medians of {rounds} rounds", "updates a second", rows, note)
