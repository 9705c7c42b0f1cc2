"""`manage.py syncbot …`: the commands of syncbot on the bot's state in the site's database: outbox, dead-letters, jobs, monitor, check-state, …"""

import argparse
import os
import sys

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):  # type: ignore[misc]  # Django ships no types
    """Pass a command line on."""

    help = "Run a command of syncbot on the bot's state, for example: manage.py syncbot outbox list"

    def add_arguments(self, parser: CommandParser) -> None:
        """All of them are syncbot's."""
        parser.add_argument("arguments", nargs=argparse.REMAINDER)

    def handle(self, *args: object, arguments: list[str], **options: object) -> None:
        """Run it, and end with its exit code."""
        from syncbot.cli import run
        from tgbot.state import state

        if (place := state()) != "auto":
            os.environ["SYNCBOT_STATE"] = place  # of this process alone
        sys.exit(run(arguments))
