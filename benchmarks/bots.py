"""Whole bots that answer each message with its text, as programs: what each library's own guide would have somebody write."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from kit import Api

_SYNCBOT = """
from syncbot import Bot, Runtime
app = Runtime(Bot(token, base_url=url, proxies=proxy or "direct"), state={state}, types={types})
@app.message()
def answer(update, context):
    context.reply(update.message.text)
app.run()
"""
BOTS = {
    "syncbot": _SYNCBOT.format(state="folder + '/bot.db'", types=True),
    "syncbot, inbox in memory": _SYNCBOT.format(state="None", types=True),
    "syncbot, types=False": _SYNCBOT.format(state="folder + '/bot.db'", types=False),
    "syncbot, types=False, inbox in memory": _SYNCBOT.format(state="None", types=False),
    "pyTelegramBotAPI": """
import telebot
telebot.apihelper.API_URL = url + "/bot{0}/{1}"
telebot.apihelper.proxy = {"https": proxy} if proxy else None
bot = telebot.TeleBot(token)
@bot.message_handler(func=lambda message: True)
def answer(message):
    bot.send_message(message.chat.id, message.text)
bot.infinity_polling()
""",
    "python-telegram-bot": """
from telegram.ext import Application, MessageHandler, filters
async def answer(update, context):
    await update.message.reply_text(update.message.text)
builder = Application.builder().token(token).base_url(url + "/bot")
app = (builder.proxy(proxy).get_updates_proxy(proxy) if proxy else builder).build()
app.add_handler(MessageHandler(filters.ALL, answer))
app.run_polling()
""",
    "aiogram": """
import asyncio
import os
import ssl
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
dispatcher = Dispatcher()
@dispatcher.message()
async def answer(message):
    await message.answer(message.text)
async def main():
    session = AiohttpSession(proxy=proxy.replace("socks5h:", "socks5:") or None, api=TelegramAPIServer.from_base(url))
    session._connector_init["ssl"] = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
    await dispatcher.start_polling(Bot(token, session=session))
asyncio.run(main())
""",
}


@contextlib.contextmanager
def running_bot(name: str, api: Api, proxy: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of `BOTS` in a process of its own, with nothing of this user's; what it writes goes to `output.log` in its folder."""
    # Not part of any of these libraries, but of what makes the test server's certificates and draws the pictures: where they are installed,
    # python-telegram-bot would load the one, and pyTelegramBotAPI the other.
    head = "import sys; sys.modules['cryptography'] = sys.modules['PIL'] = None\n"
    head += f"url, token, proxy, folder = {api.url!r}, {api.token!r}, {proxy!r}, {str(folder)!r}\n"
    environment = os.environ | {"XDG_STATE_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    if api.ca_file:
        environment |= {"SSL_CERT_FILE": api.ca_file, "REQUESTS_CA_BUNDLE": api.ca_file}
    log = folder / "output.log"
    with log.open("wb") as output, subprocess.Popen([sys.executable, "-c", head + BOTS[name]], env=environment, stdout=output, stderr=output) as process:
        try:
            yield process
        except BaseException:
            sys.stderr.write(f"{name}: {log.read_text(errors='replace')[-2000:]}\n")
            raise
        finally:
            process.kill()
