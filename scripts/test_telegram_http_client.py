#!/usr/bin/env python3
"""Tries the client: who the bot is, a message sent, ten quick calls, and no socket left open."""

from __future__ import annotations

import sys

from quickstart import enter


def main() -> int:
    """Make the checks; see `helpers.trial.run`."""
    enter()
    # Only there once `enter` has returned.
    from helpers.trial import CheckFailed, Place, faults_survived, open_sockets, quick_calls, run

    from syncbot import Bot

    def bot_info(place: Place) -> str:
        with Bot.from_settings(place.settings) as bot:
            me = bot.get_me()
        return f"@{me.username}, id {me.id}"

    def message_sent(place: Place) -> str:
        text = "A test of the Telegram client of syncbot: this message arrived."
        with Bot.from_settings(place.settings) as bot:
            message = bot.send_message(chat_id=place.chat, text=text)
        if place.user is not None and [sent.text for sent in place.user.messages] != [text]:
            raise CheckFailed(f"the user has {[sent.text for sent in place.user.messages]}")
        return f"message {message.message_id} in chat {message.chat.id}, once"

    def calls(place: Place) -> str:
        with Bot.from_settings(place.settings) as bot:
            return quick_calls(lambda: bot.call("getMe"))

    def no_leak(place: Place) -> str:
        place.settle()
        before = open_sockets()
        with Bot.from_settings(place.settings) as bot:
            for _ in range(5):
                bot.call("getMe")
        place.settle()
        if (left := open_sockets() - before) > 0:
            raise CheckFailed(f"{left} sockets are left open after 5 calls")
        return "0 sockets left open after 5 calls"

    checks = [("bot info", bot_info), ("message sent", message_sent), ("quick calls", calls), ("no leak", no_leak), ("faults survived", faults_survived)]
    return run("Telegram client", checks)


if __name__ == "__main__":
    sys.exit(main())
