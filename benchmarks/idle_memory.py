"""The memory of a bot that polls and has answered one message.

python benchmarks/idle_memory.py [--runs 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from kit import Row, Table, clean_environment, installed

from syncbot.testing import BotApiServer

_SYNCBOT = """
from syncbot import Bot, Runtime
app = Runtime(Bot(token, base_url=url), state={state}, types={types})
@app.message()
def answer(update, context):
    context.reply("hi")
app.run()
"""
BOTS = {
    "syncbot, inbox in a file": _SYNCBOT.format(state="folder + '/bot.db'", types=True),
    "syncbot, inbox in memory": _SYNCBOT.format(state="None", types=True),
    "syncbot, types=False": _SYNCBOT.format(state="folder + '/bot.db'", types=False),
    "pyTelegramBotAPI": """
import telebot
telebot.apihelper.API_URL = url + "/bot{0}/{1}"
bot = telebot.TeleBot(token)
@bot.message_handler(func=lambda message: True)
def answer(message):
    bot.send_message(message.chat.id, "hi")
bot.infinity_polling()
""",
    "python-telegram-bot": """
from telegram.ext import Application, MessageHandler, filters
async def answer(update, context):
    await update.message.reply_text("hi")
app = Application.builder().token(token).base_url(url + "/bot").build()
app.add_handler(MessageHandler(filters.ALL, answer))
app.run_polling()
""",
    "aiogram": """
import asyncio
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
dispatcher = Dispatcher()
@dispatcher.message()
async def answer(message):
    await message.answer("hi")
bot = Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
asyncio.run(dispatcher.start_polling(bot))
""",
}


def resident_mb(process: int) -> float:
    """Megabytes that a process holds in memory."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines())
    return int(status["VmRSS"].split()[0]) / 1000


def one(source: str) -> float:
    """Run a bot until it has answered and polls again."""
    with BotApiServer(any_chat=True) as server, tempfile.TemporaryDirectory() as folder:
        user = server.user(id=42)
        # Not part of any of these libraries, but of what makes the test server's certificates: python-telegram-bot would load it where it is installed.
        head = "import sys; sys.modules['cryptography'] = None\n"
        head += f"url, token, folder = {server.url!r}, {server.token!r}, {folder!r}\n"
        environment = os.environ | {"XDG_STATE_HOME": folder}
        with subprocess.Popen([sys.executable, "-c", head + source], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                server.wait_polled(60.0)
                user.send("hello")
                user.wait_for("hi", timeout=30.0)
                server.wait_confirmed(timeout=30.0)
                server.wait_polled(30.0)
                return resident_mb(process.pid)
            finally:
                process.kill()


def idle_memory(runs: int) -> Table:
    """The medians of some runs."""
    found = {name: [one(source) for _ in range(runs)] for name, source in installed(BOTS).items()}
    base = statistics.median(found["syncbot, inbox in a file"])
    rows = []
    for name, each in found.items():
        median = statistics.median(each)
        rows.append(Row(name, {"MB": f"{median:.1f}", "ratio": f"{median / base:.2f}"}, median, (min(each), max(each))))
    return Table("idle_memory", f"Memory of a bot that polls and has answered one message, medians of {runs} runs", "megabytes", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    number = parser.parse_args().runs
    clean_environment()
    print(idle_memory(number).text())
