"""A whole process that sends one message and ends, with each library.

    python benchmarks/cold.py [--runs 15]

cold_start.py is the stricter comparison of `syncbot send` with a script of requests; this one shows where the others are.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from cold_start import Run, run
from kit import Row, Table, clean_environment, installed, server

_HEAD = "import sys; sys.modules['cryptography'] = None\nurl, token, ca = sys.argv[1:]\n"
SCRIPTS = {
    "http.client": """
import http.client, json, ssl
from urllib.parse import urlsplit
place = urlsplit(url)
connection = http.client.HTTPSConnection(place.hostname, place.port, context=ssl.create_default_context(cafile=ca))
connection.request("POST", f"/bot{token}/sendMessage", json.dumps({"chat_id": 42, "text": "Hello"}), {"Content-Type": "application/json"})
assert json.loads(connection.getresponse().read())["ok"]
""",
    "requests": """
import requests
assert requests.post(f"{url}/bot{token}/sendMessage", json={"chat_id": 42, "text": "Hello"}, verify=ca).json()["ok"]
""",
    "syncbot: bot.call": """
from syncbot import Bot
with Bot(token, base_url=url, ca_file=ca, proxies="direct") as bot:
    bot.call("sendMessage", chat_id=42, text="Hello")
""",
    "syncbot: bot.send_message": """
from syncbot import Bot
with Bot(token, base_url=url, ca_file=ca, proxies="direct") as bot:
    bot.send_message(chat_id=42, text="Hello")
""",
    "pyTelegramBotAPI": """
import telebot
telebot.apihelper.API_URL = url + "/bot{0}/{1}"
telebot.TeleBot(token, threaded=False).send_message(42, "Hello")
""",
    "python-telegram-bot": """
import asyncio, telegram
async def main():
    async with telegram.Bot(token, base_url=url + "/bot") as bot:
        await bot.send_message(42, "Hello")
asyncio.run(main())
""",
    "aiogram": """
import asyncio, ssl
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
async def main():
    session = AiohttpSession(api=TelegramAPIServer.from_base(url))
    session._connector_init["ssl"] = ssl.create_default_context(cafile=ca)
    async with Bot(token, session=session) as bot:
        await bot.send_message(42, "Hello")
asyncio.run(main())
""",
}


def cold_start(runs: int) -> Table:
    """The table, made in a process of its own: the kernel counts a child's memory from its parent's on, and this one may have loaded much."""
    done = subprocess.run([sys.executable, __file__, "--json", "--runs", str(runs)], stdout=subprocess.PIPE, text=True, check=True)
    facts = json.loads(done.stdout)
    return Table(**(facts | {"rows": [Row(**row) for row in facts["rows"]]}))


def measured(runs: int) -> Table:
    """The medians of some processes of each, in turn, after one to warm up."""
    scripts = installed(SCRIPTS)
    found: dict[str, list[Run]] = {name: [] for name in [*scripts, "syncbot send"]}
    with server() as api, tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder, "REQUESTS_CA_BUNDLE": api.ca_file, "SSL_CERT_FILE": api.ca_file}
        environment |= {"PYTHONPYCACHEPREFIX": str(Path(folder) / "compiled")}
        own = {"TELEGRAM_BOT_TOKEN": api.token, "SYNCBOT_BASE_URL": api.url, "SYNCBOT_CHAT": "42"}
        commands = {name: [sys.executable, "-c", _HEAD + source, api.url, api.token, api.ca_file] for name, source in scripts.items()}
        commands["syncbot send"] = [sys.executable, "-c", "from syncbot.cli import main; main()", "send", "Hello"]
        for turn in range(-1, runs):
            for name, command in commands.items():
                one = run(command, environment | (own if name == "syncbot send" else {}))
                if turn >= 0:
                    found[name].append(one)
    base = statistics.median(one.seconds for one in found["requests"])
    rows = []
    for name, each in found.items():
        times = [one.seconds * 1000 for one in each]
        median, memory = statistics.median(times), statistics.median(one.memory_bytes for one in each) / 1e6
        rows.append(Row(name, {"ms": f"{median:.0f}", "MB": f"{memory:.0f}", "ratio": f"{median / 1000 / base:.2f}"}, median, (min(times), max(times))))
    note = "The ratio is to requests. python-telegram-bot is without the optional package cryptography, whose import it would pay for too."
    return Table("cold_start", f"A process that sends one message over TLS and ends, medians of {runs}", "milliseconds from start to exit", rows, note)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="for another program")
    options = parser.parse_args()
    clean_environment()
    table = measured(options.runs)
    print(json.dumps(asdict(table)) if options.json else table.text())
