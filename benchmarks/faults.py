"""What each fault of a proxy does to each library: calls that fail, arrive twice or hang, and sockets that are left.

    python benchmarks/faults.py [--calls 200]

Eight threads (or tasks) send messages through `syncbot.testing.FaultProxy`, which breaks about 5 % of the tunnels in one way; the
way ends each connection after its answer, as the proxies do that this library is for, so that a pool has to open new ones too. Every library has a
timeout of one second for each of its waits, and no code of ours that tries again; syncbot tries again by itself what certainly was not sent.

The faults of idle connections are another matter: there one thread sends a few messages with pauses between them, the server keeps connections alive,
and every connection that nothing moves on for a while is cut, reset, or goes dead without a word before the next message. All libraries do so side by
side, each with a server and a proxy of its own: nearly all of the time they wait.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kit import Api, Row, Table, clean_environment, installed, missing

from syncbot.testing import Answer, BotApiServer, Fault, FaultProxy, TestCA

THREADS = 8
RATE = 0.05
SEED = 5
TIMEOUT_SECONDS = 1
HUNG_SECONDS = 6.0
LEFT_SECONDS = 1.0
IDLE_SECONDS = 2.5
"""The idle limit of the way. Those of real ones are longer, but so is what they break: nothing that `ahead=3` opens stands for as long as this."""
PAUSE_SECONDS = 3.0
IDLE_CALLS = 12
IDLE = {
    "idle_cut": Fault.idle_cut(after_seconds=IDLE_SECONDS),
    "idle_reset": Fault.idle_cut(after_seconds=IDLE_SECONDS, reset=True),
    "idle_dead": Fault.idle_dead(after_seconds=IDLE_SECONDS),
}
QUICK = ("tls_drop", "cut_before_answer", "drip_connect", "reset_after_response", "idle_dead")
QUICK_IDLE_CALLS = 4

Send = Callable[[str], object]


@contextmanager
def use_syncbot(api: Api, proxy: str, ahead: int = 0) -> Iterator[Send]:
    from syncbot import Bot

    with Bot(api.token, base_url=api.url, ca_file=api.ca_file, proxies=proxy, limits=None, timeout=TIMEOUT_SECONDS, deadline=5.0, ahead=ahead) as bot:
        yield lambda text: bot.call("sendMessage", chat_id=42, text=text)


@contextmanager
def use_syncbot_ahead(api: Api, proxy: str) -> Iterator[Send]:
    with use_syncbot(api, proxy, ahead=3) as send:
        yield send


@contextmanager
def use_naive(api: Api, proxy: str) -> Iterator[Send]:
    import requests

    def send(text: str) -> None:
        answer = requests.post(api.method_url, json={"chat_id": 42, "text": text}, verify=api.ca_file, timeout=TIMEOUT_SECONDS, proxies={"https": proxy})
        assert answer.json()["ok"]

    yield send


@contextmanager
def use_pooled(api: Api, proxy: str) -> Iterator[Send]:
    import requests

    session = requests.Session()
    session.verify, session.proxies = api.ca_file, {"https": proxy}

    def send(text: str) -> None:
        assert session.post(api.method_url, json={"chat_id": 42, "text": text}, timeout=TIMEOUT_SECONDS).json()["ok"]

    yield send


@contextmanager
def use_telebot(api: Api, proxy: str) -> Iterator[Send]:
    from telebot import TeleBot, apihelper

    os.environ["REQUESTS_CA_BUNDLE"] = api.ca_file
    apihelper.API_URL, apihelper.proxy = f"{api.url}/bot{{0}}/{{1}}", {"https": proxy}  # type: ignore[assignment]  # telebot says that they are None
    apihelper.CONNECT_TIMEOUT = apihelper.READ_TIMEOUT = TIMEOUT_SECONDS
    bot = TeleBot(api.token, threaded=False)
    yield lambda text: bot.send_message(42, text, timeout=TIMEOUT_SECONDS)


@contextmanager
def use_ptb(api: Api, proxy: str) -> Iterator[Send]:
    import asyncio
    import ssl

    import telegram
    from telegram.request import HTTPXRequest

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    context = ssl.create_default_context(cafile=api.ca_file)
    times: dict[str, Any] = dict.fromkeys(("read_timeout", "write_timeout", "connect_timeout", "pool_timeout"), TIMEOUT_SECONDS)
    request = HTTPXRequest(connection_pool_size=THREADS, proxy=proxy, httpx_kwargs={"verify": context}, **times)
    bot = telegram.Bot(api.token, base_url=f"{api.url}/bot", request=request)
    yield lambda text: asyncio.run_coroutine_threadsafe(bot.send_message(42, text), loop).result()


@contextmanager
def use_aiogram(api: Api, proxy: str) -> Iterator[Send]:
    import asyncio
    import ssl

    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    session = AiohttpSession(proxy=proxy, api=TelegramAPIServer.from_base(api.url), timeout=TIMEOUT_SECONDS)
    session._connector_init["ssl"] = ssl.create_default_context(cafile=api.ca_file)  # it has no option for it
    bot = Bot(api.token, session=session)
    yield lambda text: asyncio.run_coroutine_threadsafe(bot.send_message(42, text), loop).result()


USE: dict[str, Callable[[Api, str], Any]] = {
    "syncbot": use_syncbot,
    "syncbot, opened ahead": use_syncbot_ahead,
    "requests.post": use_naive,
    "pooled requests": use_pooled,
    "pyTelegramBotAPI": use_telebot,
    "python-telegram-bot": use_ptb,
    "aiogram": use_aiogram,
}


def _run(name: str, url: str, token: str, ca_file: str, proxy: str, calls: str, pause: str) -> None:
    """In a process of its own: make the calls, and tell what became of them. Calls that hang are left behind with the process."""
    api = Api(url, token, ca_file, "sendMessage")
    done: dict[int, bool] = {}
    between = float(pause)
    with USE[name](api, proxy) as send:

        def one(number: int) -> None:
            try:
                if number and between:
                    threading.Event().wait(between)
                send(f"m{number}")
                done[number] = True
            except Exception:
                done[number] = False

        pool = ThreadPoolExecutor(1 if between else THREADS)
        futures = [pool.submit(one, number) for number in range(int(calls))]
        patience, seen = time.monotonic() + between + HUNG_SECONDS, 0
        while len(done) < len(futures) and time.monotonic() < patience:  # as long as calls end, there is hope for the others
            threading.Event().wait(0.05)
            if len(done) > seen:
                patience, seen = time.monotonic() + between + HUNG_SECONDS, len(done)
        threading.Event().wait(LEFT_SECONDS + (IDLE_SECONDS if between else 0.0))
        failed = sum(not fine for fine in done.values())
        print(json.dumps({"failed": failed, "hung": len(futures) - len(done), "dead": dead_sockets(idle=between > 0)}), flush=True)
        os._exit(0)


def dead_sockets(*, idle: bool) -> int:
    """Sockets of this process whose peer has gone, and which it still holds: in CLOSE_WAIT; where all that is idle is dead, those ESTABLISHED too."""
    states = ("08", "01") if idle else ("08",)
    own = {os.readlink(link) for link in (f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd")) if os.path.lexists(link)}
    lines = [line.split() for line in Path("/proc/self/net/tcp").read_text(encoding="utf-8").splitlines()[1:]]
    return sum(fields[3] in states and f"socket:[{fields[9]}]" in own for fields in lines)


def one_case(name: str, fault: Fault, calls: int, ca: TestCA) -> dict[str, int]:
    """One library against one fault; against one of idle connections, which strikes all of them, with pauses between the calls."""
    idle = fault in IDLE.values()
    with (
        BotApiServer(tls=True, ca=ca, any_chat=True, keep_requests=100) as server,
        FaultProxy(faults=[fault], rate=1.0 if idle else RATE, seed=SEED) as proxy,
    ):
        if not idle:
            ok = Answer.ok({"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private", "first_name": "A"}, "text": "m"})
            server.script("sendMessage", replace(ok, headers={**ok.headers, "Connection": "close"}).once_done(), times=None)
        pause = PAUSE_SECONDS if idle else 0.0
        command = [sys.executable, __file__, "--run", name, server.url, server.token, ca.ca_file, proxy.url, str(calls), str(pause)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if not done.stdout:
        raise RuntimeError(f"{name} has failed: {done.stderr[-2000:]}")
    twice = sum(count > 1 for count in server.texts.values())
    facts: dict[str, int] = json.loads(done.stdout)
    return facts | {"twice": twice}


def all_faults() -> dict[str, Fault]:
    """Every fault by its name in the table."""
    usual = {fault.name: fault for fault in Fault.all() if fault.name not in ("idle_cut", "idle_dead")}
    minutes = Fault.drip_connect(filler_bytes=2000)  # so long it takes, each byte well within everybody's timeout
    return usual | {"drip_connect": minutes} | IDLE


def faults(calls: int, names: tuple[str, ...] | None = None, idle_calls: int = IDLE_CALLS) -> Table:
    """Every library against every fault, one row for each fault."""
    chosen = {name: fault for name, fault in all_faults().items() if names is None or name in names}
    proxy_of_any_kind = "http://"
    use = installed(USE, proxy_of_any_kind)
    rows = []
    with TestCA() as ca:
        for shown, fault in chosen.items():
            number, at_once = (idle_calls, len(use)) if shown in IDLE else (calls, 1)
            with ThreadPoolExecutor(at_once) as pool:
                found = dict(zip(use, pool.map(partial(one_case, fault=fault, calls=number, ca=ca), use), strict=True))
            cells = {name: in_words(found[name]) if name in found else "-" for name in USE}
            grid = {name: 100 * (facts["failed"] + facts["hung"]) / number for name, facts in found.items()}
            rows.append(Row(f"{shown}, of {number}" if shown in IDLE else shown, cells, grid=grid))
    note = (
        f"A cell tells what went wrong of {calls} messages: failed (the caller got an error), hung (not ended six seconds after the last one that did), "
        "twice (arrived more than once), sockets (still held one second after the peer has gone). In the lines that begin with `idle` a single thread "
        f"sends {idle_calls} messages with {PAUSE_SECONDS} s between them, and the way ends every connection that is idle for {IDLE_SECONDS} s."
    )
    for name in [name for name in USE if name not in use]:
        note += f" {name} is not measured: there is no module {missing(name, proxy_of_any_kind)}."
    title = f"{calls} messages, 8 threads, a proxy that breaks about 5 % of the connections and keeps none alive"
    return Table("faults", title, "% failed or hung", rows, note)


def in_words(facts: Mapping[str, int]) -> str:
    """What went wrong, in a cell."""
    told = [f"{facts['failed']}"] if facts["failed"] or not facts["hung"] else []
    sockets = "socket" if facts["dead"] == 1 else "sockets"
    told += [f"{facts[key]} {word}" for key, word in (("hung", "hung"), ("twice", "twice"), ("dead", sockets)) if facts[key]]
    return ", ".join(told)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        _run(*sys.argv[2:])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--calls", type=int, default=200)
        options = parser.parse_args()
        clean_environment()
        print(faults(options.calls).text())
