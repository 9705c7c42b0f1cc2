"""The way to Telegram: name look-up, the proxy, its tunnel, TLS and the certificate. Each step that fails ends the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from syncbot.cli.console.exits import exit_for
from syncbot.cli.doctor.probe import OpenedConnection, Probe
from syncbot.cli.doctor.result import Result, Status
from syncbot.errors import NotSent, ProxyAuthRequired
from syncbot.transport.dialing.dialer import Target
from syncbot.transport.dialing.resolver import is_numeric
from syncbot.transport.secure.tls import EXPIRED, NOT_YET_VALID
from syncbot.types import DIRECT, Proxy

_HANDSHAKES = 3
_SHORT_DAYS = 14.0
_COMMAND = "syncbot init"
"""It tries the ways again, and asks for another one."""


def examine(probe: Probe, way: Proxy) -> Iterator[Result]:
    """The steps of one way, up to the first that fails."""
    for step in (_look_up, _reach, _open):
        for result in step(probe, way):
            yield replace(result, way=str(way))
            if result.failed:
                return


def _look_up(probe: Probe, way: Proxy) -> Iterator[Result]:
    """The names that are looked up on this machine: the proxy's, or Telegram's, or both."""
    names = [(probe.target.host, probe.target.port)] if way.is_direct else [(way.host, way.port)]
    if way.scheme in ("socks4", "socks5"):
        names.append((probe.target.host, probe.target.port))
    for host, port in names:
        if is_numeric(host):
            yield Result("name look-up", Status.SKIPPED, f"{host} is an address")
            continue
        began = time.monotonic()
        try:
            found = probe.resolver.look_up(host, port)
        except OSError as problem:
            seconds = time.monotonic() - began
            failure = NotSent(f"the name {host} cannot be looked up ({problem.strerror or problem})", stage="resolve")
            yield Result("name look-up", Status.FAILED, str(failure), seconds, _name_advice(probe, way, host), _COMMAND, exit=exit_for(failure))
            return
        addresses = ", ".join(dict.fromkeys(str(address[0]) for _, address in found))
        yield Result("name look-up", Status.OK, f"{host} is {addresses}", time.monotonic() - began)


def _name_advice(probe: Probe, way: Proxy, host: str) -> str:
    if not way.is_direct and host == way.host:
        return "is the proxy's name spelled right, and does this machine have a name server?"
    if way.scheme in ("socks4", "socks5"):
        remote = replace(way, scheme="socks5h")
        works = probe.open(probe.target, remote).failure is None
        return f"let the proxy look names up: write socks5h instead of {way.scheme}" + (" (tried: that works)" if works else "")
    return "does this machine have a name server, and is it online? A proxy (socks5h:// or http://) can look the name up for it"


def _reach(probe: Probe, way: Proxy) -> Iterator[Result]:
    end = probe.target if way.is_direct else Target(way.host, way.port, tls=False)
    opened = probe.open(replace(end, tls=False), DIRECT)
    step = "connection" if way.is_direct else "proxy reachable"
    seconds = opened.total_seconds
    if opened.failure is None:
        yield Result(step, Status.OK, f"{end} answers", seconds)
        return
    what = "Telegram" if way.is_direct else "the proxy"
    advice = (
        "is this machine online, and does a firewall let it out? Where Telegram is blocked a proxy is needed: SYNCBOT_PROXY"
        if way.is_direct
        else "is the proxy running, and are its host and port right?"
    )
    yield Result(step, Status.FAILED, f"{what} cannot be reached at {end}: {opened.failure}", seconds, advice, _COMMAND, exit=exit_for(opened.failure))


def _open(probe: Probe, way: Proxy) -> Iterator[Result]:
    """The tunnel and TLS, as stages of one connection."""
    if not probe.target.tls:
        if way.is_socks:
            yield _tunnel(probe, way, probe.open(probe.target, way))
        yield Result("TLS", Status.SKIPPED, f"{probe.settings.base_url} is plain HTTP")
        return
    opened = probe.open(probe.target, way)
    if not way.is_direct:
        yield _tunnel(probe, way, opened)
    if opened.failure is None:
        yield _certificate(opened)
    elif opened.failure.stage == "tls":
        yield _handshake_failed(probe, way, opened)
    elif way.is_direct:  # it went away since the step before
        yield Result("TLS", Status.FAILED, str(opened.failure), opened.total_seconds, "try again", _COMMAND, exit=exit_for(opened.failure))


def _tunnel(probe: Probe, way: Proxy, opened: OpenedConnection) -> Result:
    step = f"proxy answers {'SOCKS' if way.is_socks else 'CONNECT'}"
    failure = opened.failure
    if failure is None or failure.stage == "tls":
        return Result(step, Status.OK, f"it opens a tunnel to {probe.target}", opened.seconds.get("proxy", 0.0))
    if isinstance(failure, ProxyAuthRequired):
        advice = f"write the right user and password into its URL: {way.scheme}://user:password@{way.host}:{way.port}"
    elif way.is_socks:
        advice = f"is it a SOCKS proxy of this kind, and may it connect to {probe.target}? Where it looks names up itself, socks5h is the scheme"
    else:
        advice = f"is it an HTTP proxy, and does it allow CONNECT to port {probe.target.port}?"
    return Result(step, Status.FAILED, str(failure), opened.total_seconds, advice, _COMMAND, exit=exit_for(failure))


def _certificate(opened: OpenedConnection) -> Result:
    facts = opened.certificate or {}
    begins, ends = (datetime.strptime(facts[name], "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC) for name in ("notBefore", "notAfter"))
    left_days = (ends - datetime.now(UTC)).total_seconds() / 86_400
    text = f"{opened.protocol}, certificate of {_organisation(facts)} valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
    status, advice = Status.OK, ""
    if left_days < _SHORT_DAYS:
        status, advice = Status.NOTE, f"the certificate ends in {left_days:.0f} days; whoever runs the server has to renew it"
    return Result("TLS", status, text, opened.seconds.get("tls", 0.0), advice)


def _organisation(facts: dict[str, Any]) -> str:
    names = {name: value for part in facts.get("issuer", ()) for name, value in part}
    return str(names.get("organizationName") or names.get("commonName") or "an unnamed authority")


def _handshake_failed(probe: Probe, way: Proxy, opened: OpenedConnection) -> Result:
    failure = opened.failure
    assert failure is not None
    words = str(failure)
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    seconds = opened.seconds.get("tls", 0.0)
    if failure.verify_code == NOT_YET_VALID:
        text, advice = (
            f"the server's certificate is not yet valid, seen from this machine's clock ({now})",
            "set the clock: it is probably behind (ntpd, timedatectl)",
        )
    elif failure.verify_code == EXPIRED:
        text = f"the server's certificate has expired, seen from this machine's clock ({now})"
        advice = "is this machine's clock right? If it is, whoever runs the server has to renew the certificate"
    elif failure.verify_code:
        text = words
        advice = "is something between this machine and Telegram opening the connection? Its authority belongs into SYNCBOT_CA_FILE, if you trust it"
    else:
        good = sum(probe.open(probe.target, way).failure is None for _ in range(_HANDSHAKES - 1))
        often = "every time" if not good else f"in {_HANDSHAKES - good} of {_HANDSHAKES} tries"
        culprit = "something on the way" if way.is_direct else "the proxy, or something behind it,"
        text = f"the TLS handshake fails {often}: {culprit} lets the connection through and then cuts TLS ({words})"
        advice = (
            "take another way: a proxy (SYNCBOT_PROXY)"
            if way.is_direct
            else "take another proxy, or none (SYNCBOT_PROXY); retries help only where it is seldom"
        )
    return Result("TLS", Status.FAILED, text, seconds, advice, _COMMAND, exit=exit_for(failure))


def clock_skew(headers: dict[str, str], began: float, ended: float) -> float | None:
    """Seconds by which this machine's clock is ahead of the server's, by the Date header of an answer; None where there is none.

    Args:
        headers: of the answer, names in lower case.
        began: `time.time()` before the request.
        ended: the same, after the answer.
    """
    try:
        there = parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None
    # The header has whole seconds, and was written at some moment in between.
    if began - 1.0 <= there <= ended:
        return 0.0
    return began - 1.0 - there if there < began else ended - there
