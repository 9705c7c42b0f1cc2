#!/usr/bin/env python3
"""Tries a whole bot, end to end: it starts and polls, a message is sent, it answers (at the built-in server), and it stops.

At the real Telegram it polls for a few seconds. Whoever writes to the bot meanwhile is asked to write again; where updates are waiting already, it does
not start, so as to take nothing away from the bot that they are for.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

from quickstart import enter


def main() -> int:
    """Make the checks; see `helpers.trial.run`."""
    enter()
    # Only there once `enter` has returned.
    from helpers.trial import CheckFailed, Place, faults_survived, run

    from syncbot import Bot, Context, Runtime

    tries_seconds = 60.0
    running: list[tuple[Bot, Runtime]] = []

    def start(place: Place) -> str:
        bot = Bot.from_settings(place.settings)
        if place.sandbox is None and (waiting := bot.call("getWebhookInfo")["pending_update_count"]):
            raise CheckFailed(f"{waiting} updates wait for this bot, and the test would take them; let the bot itself handle them first")
        app = Runtime(bot, state=Path(folder) / "bot.db", poll_wait=1)  # short, since the first answer is waited for

        @app.message()
        def answer(_update: object, context: Context) -> None:
            context.reply("This is a test of the bot. Please write again in a minute.")

        app.start()
        running.append((bot, app))
        ends_at = time.monotonic() + tries_seconds
        while not app.health().get("last_poll"):
            if time.monotonic() > ends_at or app.join(0.05):
                raise CheckFailed(f"no poll was answered: {app.health().get('last_error') or 'the runtime ended'}")
        if app.health()["conflicts"]:
            raise CheckFailed(str(app.health()["last_error"]))
        return "it polls"

    def message_sent(place: Place) -> str:
        bot = needed()[0]
        message = bot.send_message(chat_id=place.chat, text="A test of the bot: it runs, and this is its message.")
        return f"message {message.message_id} in chat {message.chat.id}"

    def answered(place: Place) -> str:
        needed()
        if place.user is None:
            return "nobody writes to it here; that is tried at the built-in server (--stand-in)"
        place.user.send("Is anybody there?")
        return f"to a message it answers: {place.user.wait_for(lambda message: message.text.startswith('This is a test'), tries_seconds).text}"

    def stop(place: Place) -> str:
        bot, app = needed()
        began = time.monotonic()
        app.stop()
        bot.close()
        place.settle()
        if left := [thread.name for thread in threading.enumerate() if thread.name.startswith(("syncbot-worker", "syncbot-poller", "syncbot-supervisor"))]:
            raise CheckFailed(f"threads are left: {', '.join(left)}")
        return f"stopped in {time.monotonic() - began:.1f} s"

    def needed() -> tuple[Bot, Runtime]:
        if not running:
            raise CheckFailed("the bot did not start")
        return running[0]

    checks = [("start", start), ("message sent", message_sent), ("answer", answered), ("stop", stop), ("faults survived", faults_survived)]
    with tempfile.TemporaryDirectory(prefix="syncbot-test-") as folder:
        return run("A bot from start to stop", checks)


if __name__ == "__main__":
    sys.exit(main())
