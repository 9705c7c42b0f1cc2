"""Locks across a fork."""

from __future__ import annotations

import subprocess
import sys
import threading

from syncbot.process import ForkSafeLock
from syncbot.testing import BotApiServer

# Holds every lock of a bot, as its threads might at the moment of a fork, and has the child make a call.
_FORK = """
import gc, os, signal, sys
from contextlib import ExitStack
from syncbot.client.bot import Bot
from syncbot.process import ForkSafeLock

url, ca_file, token = sys.argv[1:]
bot = Bot(token, proxies=["direct", "http://127.0.0.1:9"], base_url=url, ca_file=ca_file, dns_cache=60.0)
bot.call("sendMessage", chat_id=42, text="parent")
with ExitStack() as held:
    locks = [one for one in gc.get_objects() if isinstance(one, ForkSafeLock)]
    for lock in locks:
        held.enter_context(lock.here)
    child = os.fork()
    if not child:
        signal.alarm(50)
        bot.call("sendMessage", chat_id=42, text="child")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
bot.call("sendMessage", chat_id=42, text="parent again")
print(len(locks), status)
"""


def test_no_lock_of_a_bot_is_held_in_a_forked_child(api: BotApiServer) -> None:
    """Whatever the parent's threads were doing at the moment of the fork, the child's call goes out; and so do the parent's, after it."""
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", _FORK, api.url, api.ca_file, api.token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    count, status = map(int, done.stdout.split())
    assert count == 8, "the limits, the ways, the look-up, TLS, what is learned of ways and of idle limits, calls in a row, and the count of bytes"
    assert status == 0
    assert [api.count_text(text) for text in ("parent", "child", "parent again")] == [1, 1, 1]


def test_it_is_one_lock_in_one_process() -> None:
    """Two threads get the same, so that one waits for the other."""
    lock = ForkSafeLock()
    found = []
    with lock.here as taken:
        thread = threading.Thread(target=lambda: found.extend([lock.here, lock.here.acquire(blocking=False)]))
        thread.start()
        thread.join()
    assert taken
    assert found == [lock.here, False]
