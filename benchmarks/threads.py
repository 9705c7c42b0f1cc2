"""Calls a second from 1 to 128 threads (or as many tasks at once, where the library is asynchronous), and the sockets that are left.

python benchmarks/threads.py [--calls 400]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kit import Api, Row, Table, clean_environment, installed, server

COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
LEFT_SECONDS = 1.0


def run_syncbot(api: Api, threads: int, calls: int, ahead: int = 0) -> float:
    """One bot, used by all threads."""
    from syncbot import Bot

    with Bot(api.token, base_url=api.url, ca_file=api.ca_file, proxies="direct", limits=None, ahead=ahead) as bot, ThreadPoolExecutor(threads) as pool:
        return _seconds(pool, calls, lambda _: bot.call("getMe"))


def run_telebot(api: Api, threads: int, calls: int) -> float:
    """pyTelegramBotAPI: a session for each thread."""
    from telebot import TeleBot, apihelper

    apihelper.API_URL = f"{api.url}/bot{{0}}/{{1}}"  # type: ignore[assignment]  # telebot says that it is None
    bot = TeleBot(api.token, threaded=False)
    with ThreadPoolExecutor(threads) as pool:
        return _seconds(pool, calls, lambda _: bot.get_me())


def run_pooled(api: Api, threads: int, calls: int) -> float:
    """A `requests.Session` for each thread."""
    import requests

    local, url = threading.local(), f"{api.url}/bot{api.token}/getMe"

    def call(_: int) -> object:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        return local.session.post(url, timeout=30).json()

    with ThreadPoolExecutor(threads) as pool:
        return _seconds(pool, calls, call)


def run_ptb(api: Api, threads: int, calls: int) -> float:
    """python-telegram-bot: so many tasks at once, and a pool as large."""
    import asyncio

    import telegram
    from telegram.request import HTTPXRequest

    async def all_calls() -> float:
        request = HTTPXRequest(connection_pool_size=threads, pool_timeout=60, read_timeout=60, connect_timeout=60)
        return await _tasks_seconds(telegram.Bot(api.token, base_url=f"{api.url}/bot", request=request).get_me, threads, calls)

    return asyncio.run(all_calls())


def run_aiogram(api: Api, threads: int, calls: int) -> float:
    """aiogram: so many tasks at once, and a pool as large."""
    import asyncio
    import ssl

    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    async def all_calls() -> float:
        session = AiohttpSession(api=TelegramAPIServer.from_base(api.url), limit=threads, timeout=60)
        session._connector_init["ssl"] = ssl.create_default_context(cafile=api.ca_file)  # it has no option for it
        return await _tasks_seconds(Bot(api.token, session=session).get_me, threads, calls)

    return asyncio.run(all_calls())


RUN = {"syncbot": run_syncbot, "pooled requests": run_pooled, "pyTelegramBotAPI": run_telebot, "python-telegram-bot": run_ptb, "aiogram": run_aiogram}


async def _tasks_seconds(call: Callable[[], Awaitable[object]], tasks: int, calls: int) -> float:
    import asyncio

    left = iter(range(calls))

    async def task() -> None:
        for _ in left:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(task() for _ in range(tasks)))
    return time.perf_counter() - began


def _seconds(pool: ThreadPoolExecutor, calls: int, call: Any) -> float:
    list(pool.map(call, range(pool._max_workers)))  # the threads' own beginning is not counted
    began = time.perf_counter()
    list(pool.map(call, range(calls)))
    return time.perf_counter() - began


def threads(calls: int, counts: tuple[int, ...] = COUNTS) -> Table:
    """Each library with each number, in a process of its own."""
    rows, names = [], list(installed(RUN))
    with server() as api:
        trusted = os.environ | {"REQUESTS_CA_BUNDLE": api.ca_file, "SSL_CERT_FILE": api.ca_file}
        for count in counts:
            for name in names:
                command = [sys.executable, __file__, "--run", name, api.url, api.token, api.ca_file, str(count), str(max(calls, 4 * count))]
                done = subprocess.run(command, env=trusted, capture_output=True, text=True, timeout=300, check=True)
                facts = json.loads(done.stdout)
                cells = {"threads": str(count), "calls a second": f"{facts['rate']:.0f}", "sockets left": str(facts["left"])}
                rows.append(Row(name, cells, facts["rate"], x=count, line=name))
    note = f"Sockets left: the client's, {LEFT_SECONDS:.0f} s after the last call; a pool keeps some on purpose. Client and server share the machine's cores."
    return Table("threads", f"getMe over TLS from many threads at once, {calls} calls or more", "calls a second", rows, note)


def _run(name: str, url: str, token: str, ca_file: str, count: str, calls: str) -> None:
    def sockets() -> int:
        links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
        return sum(os.readlink(link).startswith("socket:") for link in links if os.path.lexists(link))

    seconds = RUN[name](Api(url, token, ca_file), int(count), int(calls))
    threading.Event().wait(LEFT_SECONDS)
    print(json.dumps({"rate": int(calls) / seconds, "left": sockets()}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        _run(*sys.argv[2:])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--calls", type=int, default=400)
        options = parser.parse_args()
        clean_environment()
        print(threads(options.calls).text())
