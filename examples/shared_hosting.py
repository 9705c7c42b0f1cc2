#!/usr/bin/env python3
"""A bot where nothing may keep running between two requests: each update is handled within the request that brings it, without threads.

As a CGI script it is a program that the web server starts for each request; under mod_wsgi or Passenger the server takes `application`.
Set the webhook once, from anywhere: `syncbot webhook set https://example.com/cgi-bin/shared_hosting.py`.
"""

from wsgiref.handlers import CGIHandler

import telegram

from syncbot import Bot, Context, Runtime

app = Runtime(Bot.from_env())
application = app.wsgi(None, inline=True)


@app.message()
def count(update: telegram.Update, context: Context) -> None:
    """Count the messages of each chat: what is remembered lies in the state file."""
    context.chat_data["n"] = context.chat_data.get("n", 0) + 1
    context.reply(f"That was message {context.chat_data['n']}.")


if __name__ == "__main__":
    CGIHandler().run(application)
