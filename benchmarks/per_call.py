"""What one call costs: a raw socket with TLS, what people use, and syncbot; without round-trip time, and with 50 ms of it.

    python benchmarks/per_call.py [--calls 300]

The server is `syncbot.testing`'s, in a process of its own; every way makes the same getMe over TLS. All trust the certificates that requests trusts by
default and the test server's own beside them, as somebody would who calls api.telegram.org.
"""

from __future__ import annotations

import argparse
import statistics

from kit import Table, clean_environment, measure, measure_in_a_row, server
from peers import AHEAD_NAME, ALL, opened
from throughput import relay

RTT_SECONDS = 0.05


def per_call(calls: int) -> Table:
    """Without any round-trip time."""
    with server() as api, opened(ALL, api) as ways:
        ahead = ways.pop(AHEAD_NAME)  # not in turn with the others: its connections would be opened during their calls, and at their cost
        found = measure(ways, calls, rare={"requests.post"}) | measure_in_a_row({AHEAD_NAME: ahead}, calls)
    floor, usual = statistics.median(found["raw socket + TLS"].wall), statistics.median(found["requests.post"].wall)
    rows = [figures.row(name, floor) for name, figures in found.items()]
    ours = found["syncbot"]
    cpu = statistics.median(ours.cpu) / statistics.median(found["raw socket + TLS"].cpu)
    note = (
        f"The ratio is to the raw socket. syncbot: {statistics.median(ours.wall) / usual:.2f} of requests.post, and {cpu:.2f} of the raw socket's CPU time. "
        "CPU is this process's, all its threads; the raw socket makes a full handshake each time, syncbot resumes."
    )
    return Table("per_call", f"One getMe over TLS on the same machine, medians of {calls} calls in turn", "milliseconds a call", rows, note)


def long_way(calls: int) -> Table:
    """With 50 ms for each round trip; calls follow each other, since that is when connections are opened ahead."""
    with server() as api, relay(api.url, RTT_SECONDS) as url, opened(ALL, api.at(url)) as ways:
        found = measure_in_a_row(ways, calls)
    base = statistics.median(found["pooled requests"].wall)
    note = "The ratio is to pooled requests. A new connection costs two round trips more than one that stands; so does the first call of every pool."
    rows = [figures.row(name, base) for name, figures in found.items()]
    return Table("long_way", f"The same with 50 ms of round-trip time, medians of {calls} calls in a row", "milliseconds a call", rows, note)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    number = parser.parse_args().calls
    clean_environment()
    print(per_call(number).text())
    print(long_way(max(15, number // 10)).text())
