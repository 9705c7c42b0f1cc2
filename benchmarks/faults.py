"""What each fault of a proxy does to each library: calls that fail, arrive twice or hang, and sockets that are left.

    python benchmarks/faults.py [--calls 200]

Eight threads (or tasks) send messages through `syncbot.testing.FaultProxy`, which breaks about 5 % of the tunnels in one way; the
way ends each connection after its answer, as the proxies do that this library is for, so that a pool has to open new ones too. Every library has a
timeout of one second for each of its waits, and no code of ours that tries again; syncbot tries again by itself what certainly was not sent.
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
from pathlib import Path
from typing import Any

from kit import Api, Row, Table, clean_environment

from syncbot.testing import Answer, BotApiServer, Fault, FaultProxy, TestCA

THREADS = 8
RATE = 0.05
SEED = 5
TIMEOUT_SECONDS = 1
HUNG_SECONDS = 6.0
LEFT_SECONDS = 1.0
QUICK = ("tls_drop", "cut_before_answer", "drip_connect", "reset_after_response")

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


USE: dict[str, Callable[[Api, str], Any]] = {
    "syncbot": use_syncbot,
    "syncbot, opened ahead": use_syncbot_ahead,
    "requests.post": use_naive,
    "pooled requests": use_pooled,
    "pyTelegramBotAPI": use_telebot,
    "python-telegram-bot": use_ptb,
}


def _run(name: str, url: str, token: str, ca_file: str, proxy: str, calls: str) -> None:
    """In a process of its own: make the calls, and tell what became of them. Calls that hang are left behind with the process."""
    api = Api(url, token, ca_file, "sendMessage")
    done: dict[int, bool] = {}
    with USE[name](api, proxy) as send:

        def one(number: int) -> None:
            try:
                send(f"m{number}")
                done[number] = True
            except Exception:
                done[number] = False

        pool = ThreadPoolExecutor(THREADS)
        futures = [pool.submit(one, number) for number in range(int(calls))]
        patience, seen = time.monotonic() + HUNG_SECONDS, 0
        while len(done) < len(futures) and time.monotonic() < patience:  # as long as calls end, there is hope for the others
            threading.Event().wait(0.05)
            if len(done) > seen:
                patience, seen = time.monotonic() + HUNG_SECONDS, len(done)
        threading.Event().wait(LEFT_SECONDS)
        failed = sum(not fine for fine in done.values())
        print(json.dumps({"failed": failed, "hung": len(futures) - len(done), "dead": dead_sockets()}), flush=True)
        os._exit(0)


def dead_sockets() -> int:
    """Sockets of this process whose peer has gone, and which it still holds (CLOSE_WAIT)."""
    own = {os.readlink(link) for link in (f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd")) if os.path.lexists(link)}
    lines = [line.split() for line in Path("/proc/self/net/tcp").read_text(encoding="utf-8").splitlines()[1:]]
    return sum(fields[3] == "08" and f"socket:[{fields[9]}]" in own for fields in lines)


def one_case(name: str, fault: Fault, calls: int, server: BotApiServer, ca_file: str) -> dict[str, int]:
    """One library against one fault."""
    server.recorder.texts.clear()
    with FaultProxy(faults=[fault], rate=RATE, seed=SEED) as proxy:
        command = [sys.executable, __file__, "--run", name, server.url, server.token, ca_file, proxy.url, str(calls)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        struck = proxy.struck[fault.name]
    if not done.stdout:
        raise RuntimeError(f"{name} has failed: {done.stderr[-2000:]}")
    twice = sum(count > 1 for count in server.texts.values())
    facts: dict[str, int] = json.loads(done.stdout)
    return facts | {"twice": twice, "struck": struck}


def faults(calls: int, names: tuple[str, ...] | None = None) -> Table:
    """Every library against every fault, one row for each pair."""
    chosen = [fault for fault in Fault.all() if fault.name in (names or [each.name for each in Fault.all() if not each.name.startswith("idle")])]
    rows = []
    with TestCA() as ca, BotApiServer(tls=True, ca=ca, any_chat=True, keep_requests=100) as server:
        ok = Answer.ok({"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private", "first_name": "A"}, "text": "m"})
        server.script("sendMessage", replace(ok, headers={**ok.headers, "Connection": "close"}).once_done(), times=None)
        for fault in chosen:
            if fault.name == "drip_connect":
                fault = Fault.drip_connect(filler_bytes=2000)  # takes minutes, each byte well within everybody's timeout
            found = {name: one_case(name, fault, calls, server, ca.ca_file) for name in USE}
            grid = {name: float(facts["failed"] + facts["hung"]) for name, facts in found.items()}
            rows.append(Row(fault.name, {name: in_words(facts) for name, facts in found.items()}, grid=grid))
    note = (
        f"A cell tells what went wrong of {calls} messages: failed (the caller got an error), hung (not ended six seconds after the last one that did), "
        "twice (arrived more than once), sockets (still held one second later, though the peer has gone)."
    )
    return Table("faults", f"{calls} messages, 8 threads, a proxy that breaks about 5 % of the connections and keeps none alive", "failed or hung", rows, note)


def in_words(facts: Mapping[str, int]) -> str:
    """What went wrong, in a cell."""
    told = [f"{facts['failed']}"] if facts["failed"] or not facts["hung"] else []
    told += [f"{facts[key]} {word}" for key, word in (("hung", "hung"), ("twice", "twice"), ("dead", "sockets")) if facts[key]]
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
