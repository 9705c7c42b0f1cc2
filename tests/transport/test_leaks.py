"""Thousands of calls: all succeed, and nothing grows, stays open, or is used twice."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kits.transport_kit import becomes, open_descriptors

from syncbot.client.bot import Bot
from syncbot.testing import BotApiServer

CALLS = 3_000
WARM_UP_CALLS = 1_000
MOST_KB_PER_CALL = 0.05
MOST_BLOCKS_PER_CALL = 0.05
"""A leak of one object in a call would be 1; what is left is the interpreter's own."""

# Runs in a process of its own, so that the numbers are those of the client alone. A sample is the least that the process needs: all garbage
# collected, free heap given back. The slope is a linear fit, which one late allocation of the interpreter does not move much.
_CLIENT = """
import ctypes, gc, json, sys
from array import array
from syncbot.client.bot import Bot

url, ca_file, token, calls, warm_up = sys.argv[1:]
bot = Bot(token, proxies=["direct"], base_url=url, ca_file=ca_file, limits=None, retry=None, deadline=30.0)
libc = ctypes.CDLL(None)
page_kb = 4

def resident_kb():
    gc.collect()
    libc.malloc_trim(0)
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * page_kb

def slope(samples):
    count = len(samples)
    mean_x, mean_y = (sum(axis) / count for axis in zip(*samples))
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / sum((x - mean_x) ** 2 for x, y in samples)

succeeded = 0
samples = array("q")  # which takes no objects that would count
for number in range(int(calls)):
    method, given = ("getMe", {}) if number % 2 else ("sendMessage", {"chat_id": 42, "text": "hi"})
    if bot.call(method, **given):
        succeeded += 1
    if number >= int(warm_up) and number % 50 == 0:
        samples.extend((number, resident_kb(), sys.getallocatedblocks()))
bot.close()
resident, blocks = list(zip(samples[::3], samples[1::3])), list(zip(samples[::3], samples[2::3]))
print(json.dumps({"succeeded": succeeded, "resident": slope(resident), "blocks": slope(blocks), "first_kb": resident[0][1], "last_kb": resident[-1][1]}))
"""


@contextmanager
def server_in_another_process() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A Bot API server over TLS that does not share our memory and processor time; with it what it said at its start."""
    command = [sys.executable, "-m", "syncbot.testing.serve", "--tls", "--any-chat", "--keep", "100", "--no-texts"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


def statistics(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the server has counted."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("stats\n")
    process.stdin.flush()
    facts: dict[str, Any] = json.loads(process.stdout.readline())
    return facts


def test_ten_quick_calls_in_a_row(api: BotApiServer) -> None:
    """10 of 10."""
    with Bot(api.token, proxies=["direct"], base_url=api.url, ca_file=api.ca_file) as bot:
        assert [bot.call("getMe")["username"] for _ in range(10)] == ["test_bot"] * 10
    api.wait_closed()
    assert (api.connections_total, api.max_requests_per_connection) == (10, 1)


def test_bots_that_are_made_used_and_forgotten_leave_nothing(api: BotApiServer) -> None:
    """A bot that nobody has any more ends its thread, also where nobody has closed it: a program may make one for each message."""
    descriptors = open_descriptors()
    for _ in range(50):
        Bot(api.token, proxies=["direct"], base_url=api.url, ca_file=api.ca_file, timeout=1000.0, ahead=1).get_me()
    gc.collect()
    assert becomes(lambda: not [thread.name for thread in threading.enumerate() if thread.name.startswith("syncbot-watchdog")])
    api.wait_closed()
    assert becomes(lambda: open_descriptors() <= descriptors)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_thousands_of_calls_leave_nothing_behind() -> None:
    """3,000 of 3,000; memory does not grow over the last 2,000; one request a connection, and none of them open."""
    with server_in_another_process() as (process, facts):
        command = [sys.executable, "-c", _CLIENT, facts["url"], facts["ca_file"], facts["token"], str(CALLS), str(WARM_UP_CALLS)]
        client = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        server = statistics(process)
        assert becomes(lambda: statistics(process)["open_connections"] == 0)
    print(
        f"{client['succeeded']} of {CALLS} calls; memory {client['first_kb']} → {client['last_kb']} KB, slope {client['resident']:+.4f} KB a call "
        f"({client['blocks']:+.4f} blocks of memory); {server['seconds']:.0f} s"
    )
    assert client["succeeded"] == CALLS
    assert client["resident"] < MOST_KB_PER_CALL
    assert client["blocks"] < MOST_BLOCKS_PER_CALL
    assert server["requests"] == server["connections_total"] == CALLS
    assert server["max_requests_per_connection"] == 1
    assert server["statuses"] == {"200": CALLS}
