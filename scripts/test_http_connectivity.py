#!/usr/bin/env python3
"""Tries plain HTTP calls through the bot's way to Telegram: GET, POST with JSON, ten quick calls, and no socket left open."""

from __future__ import annotations

import sys
from typing import Any

from quickstart import enter


def main() -> int:
    """Make the checks; see `helpers.trial.run`."""
    enter()
    # Only there once `enter` has returned.
    from helpers.trial import CheckFailed, Place, faults_survived, open_sockets, quick_calls, run

    import syncbot
    from syncbot.transport import OneShotTransport
    from syncbot.types import Transport

    def transport(place: Place) -> OneShotTransport:
        settings = place.settings
        return OneShotTransport(settings.proxies, no_proxy=settings.no_proxy, ca_file=settings.ca_file, ipv4=settings.ipv4, dns_cache=settings.dns_cache)

    def ask(place: Place, verb: str, method: str, line: Transport, **more: Any) -> Any:
        url = f"{place.settings.base_url}/bot{place.settings.token}/{method}"
        answer = syncbot.request(verb, url, timeout=place.settings.timeout, deadline=place.settings.deadline, transport=line, **more)
        envelope = answer.json()
        if not envelope.get("ok"):
            raise CheckFailed(f"HTTP {answer.status_code}: {envelope.get('description')}")
        return envelope["result"]

    def once(place: Place, verb: str, method: str, **more: Any) -> Any:
        line = transport(place)
        try:
            return ask(place, verb, method, line, **more)
        finally:
            line.close()

    def get(place: Place) -> str:
        return f"getMe answers for @{once(place, 'GET', 'getMe').get('username')}"

    def post_json(place: Place) -> str:
        # A scope that Telegram could not read would be refused: the answer shows that the JSON arrived.
        commands = once(place, "POST", "getMyCommands", json={"scope": {"type": "default"}})
        return f"getMyCommands answers with {len(commands)} commands"

    def calls(place: Place) -> str:
        line = transport(place)
        try:
            return quick_calls(lambda: ask(place, "GET", "getMe", line))
        finally:
            line.close()

    def no_leak(place: Place) -> str:
        place.settle()
        before = open_sockets()
        for _ in range(5):
            once(place, "GET", "getMe")
        place.settle()
        if (left := open_sockets() - before) > 0:
            raise CheckFailed(f"{left} sockets are left open after 5 calls")
        return "0 sockets left open after 5 calls"

    checks = [("GET", get), ("POST with JSON", post_json), ("quick calls", calls), ("no leak", no_leak), ("faults survived", faults_survived)]
    return run("HTTP connectivity", checks)


if __name__ == "__main__":
    sys.exit(main())
