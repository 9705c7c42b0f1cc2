"""Drives the programs of docs/from-async.md within a Django site of their own; run as a program in its folder, says what came of each in JSON."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "only-for-this-test",
    "ALLOWED_HOSTS": ["testserver"],
    "ROOT_URLCONF": "site_urls",
    "USE_TZ": True,
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.db"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "INSTALLED_APPS": [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")] + ["shop"],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
}


def through_the_view() -> list[Any]:
    """The status and the text of the page."""
    from django.test import Client

    answer = Client().post("/feedback", {"text": "Good coats"})
    return [answer.status_code, answer.content.decode()]


def through_celery() -> int:
    """The id of the message, brought back by a real worker."""
    from celery import Celery
    from celery.contrib.testing.worker import start_worker

    app = Celery("site", broker="memory://", backend="cache+memory://", set_as_current=True)
    app.conf.worker_hijack_root_logger = False
    app.conf.broker_transport_options = {"polling_interval": 0.05}
    from shop import tasks

    with start_worker(app, pool="solo", perform_ping_check=False):
        number: int = tasks.notify.delay(1001, "The report is ready").get(timeout=60)
    return number


def through_the_command() -> str:
    """What the command prints."""
    from django.core.management import call_command

    out = io.StringIO()
    call_command("tell", "1001", "Good morning", stdout=out)
    return out.getvalue()


def through_the_admin() -> str:
    """What the page of the admin says behind the action."""
    from django.contrib.auth.models import User
    from django.test import Client
    from shop.models import Customer

    root = User.objects.create_superuser("root")
    people = [Customer.objects.create(name=name, chat=chat) for name, chat in (("Ann", 1001), ("Bob", 1002))]
    client = Client()
    client.force_login(root)
    answer = client.post("/admin/shop/customer/", {"action": "say_ready", "_selected_action": [customer.pk for customer in people], "index": "0"}, follow=True)
    return "".join(str(message) for message in answer.context["messages"])


def through_the_outbox() -> list[int]:
    """How many calls are queued: after an order, and after one that was rolled back."""
    from django.db import transaction
    from shop.orders import place_order
    from shop.telegram import bot

    from syncbot import Outbox

    place_order("Carl", 1001)
    try:
        with transaction.atomic():
            place_order("Dora", 1001)
            raise LookupError
    except LookupError:
        pass
    outbox = Outbox("bot.db", bot())
    queued = len(outbox.entries())
    outbox.flush()
    return [queued, len(outbox.entries())]


def through_a_handler() -> None:
    """The handler answers an update."""
    from shop.handlers import router
    from shop.telegram import bot

    from syncbot import Runtime

    app = Runtime(bot(), state="handlers.db")
    app.include(router)
    text = "/orders"
    message = {"message_id": 5, "date": 1, "chat": {"id": 1001, "type": "private"}, "from": {"id": 1001, "is_bot": False, "first_name": "Ann"}, "text": text}
    app.handle({"update_id": 1, "message": message | {"entities": [{"type": "bot_command", "offset": 0, "length": len(text)}]}})


def through_the_transaction() -> list[int]:
    """How many calls are queued: after an order, and after one that was rolled back."""
    from django.db import transaction
    from shop.sure_orders import place_order
    from shop.telegram import bot

    from syncbot import Outbox

    outbox = Outbox(settings.BOT_STATE, bot())
    outbox.counts()  # makes the tables
    place_order("Carl", 1001)
    try:
        with transaction.atomic():
            place_order("Dora", 1001)
            raise LookupError
    except LookupError:
        pass
    queued = len(outbox.entries())
    outbox.flush()
    return [queued, len(outbox.entries())]


def on_postgres(url: str) -> dict[str, Any]:
    """The settings with the site and the bot's state in one database."""
    parts = urlsplit(url)
    database = {"NAME": parts.path[1:], "USER": parts.username, "PASSWORD": parts.password, "HOST": parts.hostname, "PORT": parts.port}
    return {"BOT_STATE": url, "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", **database}}}


def main(postgres: str = "") -> None:
    """Set the site up, and try one thing after the other."""
    settings.configure(**SETTINGS | (on_postgres(postgres) if postgres else {}))
    django.setup()
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    setup_test_environment()  # pages show what they were made of
    call_command("migrate", run_syncdb=True, verbosity=0)
    if postgres:
        print(json.dumps(through_the_transaction()), flush=True)
        return
    steps = (through_the_view, through_celery, through_the_command, through_the_admin, through_the_outbox, through_a_handler)
    print(json.dumps({step.__name__: step() for step in steps}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "")
    main(*sys.argv[1:])
