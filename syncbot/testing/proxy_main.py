"""Runs a `FaultProxy` from the shell: `python -m syncbot.testing.proxy_main --fault tls_drop --rate 0.05`.

Prints one line of JSON with the URL and the seed, and a second one with the counters at the end, which comes with SIGTERM, SIGINT or the end of
standard input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TextIO

from syncbot.testing.proxy.fault_kinds import Fault
from syncbot.testing.proxy.fault_proxy import FaultProxy
from syncbot.testing.shell import obey, say, signals


def run(argv: Sequence[str], *, stdin: int, stdout: TextIO) -> int:
    """Run until a signal, or the end of what the descriptor `stdin` brings; returns the exit code. Belongs in the main thread."""
    options = _parser().parse_args(argv)
    proxy = FaultProxy(
        options.kind,
        username=options.username,
        password=options.password,
        faults=options.fault if options.fault else Fault.all() if options.all_faults else (),
        rate=options.rate,
        seed=options.seed,
        rtt=options.rtt,
        rate_limit_bytes=options.rate_limit_bytes,
        idle_cut_after_seconds=options.idle_cut,
        idle_dead_after_seconds=options.idle_dead,
        drops_early=options.drops_early,
        resolve=dict(options.resolve),
        port=options.port,
    )
    proxy.script(*options.script)
    with signals() as bell, proxy:  # before the first line, so that whoever has read it can end us
        say(stdout, {"url": proxy.url, "port": proxy.port, "seed": proxy.seed})
        obey(bell, None if options.ignore_stdin else stdin)
        summary = proxy.summary()
    say(stdout, summary)
    return 0


def _mapping(text: str) -> tuple[str, str]:
    name, equals, address = text.partition("=")
    if not (name and equals and address):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=ADDRESS, such as api.telegram.org=127.0.0.1:8443")
    return name, address


def _fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m syncbot.testing.proxy_main", description="A proxy on 127.0.0.1 that does harm on purpose.")
    parser.add_argument("--kind", default="http", choices=["http", "socks4", "socks4a", "socks5", "socks5h"], help="the scheme of the printed URL")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on (default: a free one)")
    parser.add_argument("--username", default="", help="what clients must bring")
    parser.add_argument("--password", default="", help="what clients must bring")
    parser.add_argument("--fault", type=_fault, action="append", help="a fault to draw from, NAME or NAME:argument=value,…; may be repeated")
    parser.add_argument("--all-faults", action="store_true", help="draw from all faults")
    parser.add_argument("--script", type=_fault, action="append", default=[], help="the fault of the next tunnel; may be repeated")
    parser.add_argument("--rate", type=float, default=0.05, help="the share of the tunnels that a drawn fault is meant for (default: 0.05)")
    parser.add_argument("--seed", type=int, help="makes the drawn faults repeatable")
    parser.add_argument("--rtt", type=float, default=0.0, help="seconds of round-trip time to add")
    parser.add_argument("--rate-limit-bytes", type=float, default=0.0, help="bytes a second in each direction of each tunnel")
    parser.add_argument("--idle-cut", type=float, default=0.0, metavar="SECONDS", help="cut tunnels without a byte for so long")
    parser.add_argument("--idle-dead", type=float, default=0.0, metavar="SECONDS", help="let tunnels without a byte for so long go dead")
    parser.add_argument("--drops-early", action="store_true", help="drop what a client writes before it is answered, as privoxy and microsocks do")
    parser.add_argument("--resolve", type=_mapping, action="append", default=[], metavar="NAME=ADDRESS", help="where a name is; only addresses of this machine")
    parser.add_argument("--ignore-stdin", action="store_true", help="end with a signal only")
    return parser


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], stdin=0, stdout=sys.stdout))
