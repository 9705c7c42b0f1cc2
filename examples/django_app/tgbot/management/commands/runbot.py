"""`manage.py runbot`: the bot as a process of its own, which polls until SIGINT or SIGTERM."""

from django.core.management.base import BaseCommand


class Command(BaseCommand):  # type: ignore[misc]  # Django ships no types
    """Poll for the bot, with all of Django at hand for the handlers."""

    help = "Run the Telegram bot; a second one stands by and takes over."

    def handle(self, *args: object, **options: object) -> None:
        """Run until a signal comes."""
        from tgbot.bot import runtime

        self.stdout.write("the bot runs")
        runtime().run()
        self.stdout.write("the bot has ended")
