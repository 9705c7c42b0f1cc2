"""Bots as people write them, for trials; each test writes the one it needs into a folder of its own."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syncbot.testing.page.web import PageServer

HEAD = """
import telegram
from syncbot import Bot, Context, Runtime, filters

REAL_STATE = {state!r}
app = Runtime(Bot("123456789:the-real-token-that-stands-in-the-code", base_url="https://127.0.0.1:9"), state=REAL_STATE)
"""

SHOP = """
def keyboard():
    return telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton(one, callback_data=one) for one in ("Tea", "Coffee")]])

@app.command("start")
def start(update, context):
    context.reply("What may <b>it</b> be?", parse_mode="HTML", reply_markup=keyboard())

@app.callback_query("Tea|Coffee")
def order(update, context):
    context.answer("Good choice")
    context.reply(f"One {update.callback_query.data}, with pleasure")

@app.command("keys")
def keys(update, context):
    context.reply("Choose", reply_markup=telegram.ReplyKeyboardMarkup([["Yes", "No"]]))

@app.command("poll")
def poll(update, context):
    context.bot.send_poll(chat_id=update.effective_chat.id, question="Sugar?", options=["Please", "Never"])

@app.command("file")
def file(update, context):
    context.bot.send_document(chat_id=update.effective_chat.id, document=b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", filename="x.svg")

@app.message(filters.PHOTO | filters.DOCUMENT)
def seen(update, context):
    context.reply("A file, thank you")

@app.edited_message()
def changed(update, context):
    context.reply(f"Now it is {update.edited_message.text}")

@app.message(filters.TEXT & ~filters.COMMAND)
def echo(update, context):
    context.reply("You said: " + update.message.text)
"""

CLOCK = """
import time

@app.message(filters.TEXT)
def now(update, context):
    context.reply(f"It is {time.time_ns()} now")
"""

RUN = """
if __name__ == "__main__":
    app.run()
"""


def script(body: str, state: str) -> str:
    """The text of a script that runs this bot; a token, a base URL and a state file stand in it."""
    return HEAD.format(state=state) + body + RUN


def write_bot(folder: Path, body: str, name: str = "bot.py") -> str:
    """Write such a script into a folder; returns its path. Its real state would be `real.db` beside it."""
    path = folder / name
    path.write_text(script(body, str(folder / "real.db")), encoding="utf-8")
    return str(path)


class Visitor:
    """A browser as far as a server sees one: a host, headers, a cookie."""

    def __init__(self, page: PageServer) -> None:
        self.address = urlsplit(page.url)
        self.cookie = ""

    @property
    def host(self) -> str:
        """The exact host of the page."""
        return self.address.netloc

    def ask(self, path: str = "", *, verb: str = "GET", body: bytes | None = None, whole_path: bool = False, **headers: str) -> tuple[int, bytes]:
        """The status and the body of an answer; a header whose value is empty is left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port or 0, timeout=20)
        given = {"Host": self.host, "Cookie": self.cookie, **({"Origin": f"http://{self.host}"} if verb == "POST" else {})}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        try:
            connection.request(verb, path if whole_path else self.address.path + path, body, {name: value for name, value in given.items() if value})
            answer = connection.getresponse()
            if cookie := answer.headers.get("Set-Cookie"):
                self.cookie = cookie.partition(";")[0]
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, path: str, value: Any, **headers: str) -> tuple[int, bytes]:
        """The same with JSON."""
        return self.ask(path, verb="POST", body=json.dumps(value).encode(), **headers)
