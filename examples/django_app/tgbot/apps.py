"""Starts the bot with the site, once, and only in processes that serve the site."""

import os
import sys

from django.apps import AppConfig
from django.conf import settings


class BotConfig(AppConfig):  # type: ignore[misc]  # Django ships no types
    """The bot as a part of the site."""

    name = "tgbot"

    def ready(self) -> None:
        """Called in every process that sets Django up: servers, management commands, and both processes of the autoreloader."""
        if settings.TELEGRAM_BOT == "web" and serves_the_site():
            from tgbot.bot import runtime

            runtime().start()  # it stands by where another process polls; its end is registered with atexit


def serves_the_site() -> bool:
    """Whether this process serves pages: a WSGI server's, or the inner one of `runserver` (the outer one only watches the files)."""
    if os.path.basename(sys.argv[0]) != "manage.py":
        return True
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    return command == "runserver" and ("--noreload" in sys.argv or os.environ.get("RUN_MAIN") == "true")
