"""`manage.py runbot`: the bot as a process of its own, which polls until SIGINT or SIGTERM."""

from django.core.management.base import BaseCommand

from {{package}}.bot import runtime


class Command(BaseCommand):
    """Poll for the bot, with all of Django at hand for the handlers."""

    help = "Run the Telegram bot; a second one stands by and takes over."

    def handle(self, *args: object, **options: object) -> None:
        """Run until a signal comes."""
        runtime().run()
