"""The programs of docs/from-async.md in a real site, with a real Celery worker; and what the page says of the usual ways."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kits import django_driver
from kits.docs_kit import ROOT, blocks

from syncbot.testing import TEST_TOKEN, BotApiServer

PROGRAMS = {block.text.partition("\n")[0].removeprefix("# "): block.text for block in blocks("python") if block.guide == ROOT / "docs" / "from-async.md"}
MODELS = "from django.db import models\n\nclass Customer(models.Model):\n    name = models.CharField(max_length=50)\n    chat = models.BigIntegerField()\n"
URLS = """
from django.contrib import admin
from django.urls import path
from shop.views import feedback

urlpatterns = [path("feedback", feedback), path("admin/", admin.site.urls)]
"""


def drive(folder: Path, api: BotApiServer, *arguments: str) -> Any:
    """Write the guide's programs into a folder, and drive them as one site there."""
    for name, text in {**PROGRAMS, "shop/models.py": MODELS, "site_urls.py": URLS}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for package in ("shop", "shop/management", "shop/management/commands"):
        (folder / package / "__init__.py").touch()
    environ = {
        "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
        "SYNCBOT_BASE_URL": api.url,
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": ":".join([str(folder), *filter(None, sys.path)]),
    }
    done = subprocess.run([sys.executable, django_driver.__file__, *arguments], env=environ, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of each of the programs, and what the users were told."""
    with BotApiServer(slow_same_offset=False) as api:
        ann, bob = api.user(1001, "Ann"), api.user(1002, "Bob")
        bob.block()
        found: dict[str, Any] = drive(tmp_path_factory.mktemp("site"), api)
        said = [message.text for message in api.sent if message.chat_id == ann.id]
        return {**found, "said": said, "connections": api.recorder.max_requests_per_connection}


def test_the_programs_are_all_of_the_guide() -> None:
    """Each begins with the name of its file, and each is tried below."""
    folder, *modules = "shop", "telegram.py", "views.py", "tasks.py", "management/commands/tell.py", "admin.py", "orders.py", "sure_orders.py", "handlers.py"
    assert list(PROGRAMS) == [f"{folder}/{module}" for module in modules]


def test_a_view_writes_to_a_chat(came: dict[str, Any]) -> None:
    """The page says thank you, and the chat has the feedback."""
    assert came["through_the_view"] == [200, "Thank you."]
    assert "Feedback: Good coats" in came["said"]


def test_a_celery_task_writes_to_a_chat(came: dict[str, Any]) -> None:
    """A worker makes the call, and its result is the id of the message."""
    assert came["through_celery"] > 0
    assert "The report is ready" in came["said"]


def test_a_management_command_writes_to_a_chat(came: dict[str, Any]) -> None:
    """It prints that it has sent."""
    assert came["through_the_command"] == "sent\n"
    assert "Good morning" in came["said"]


def test_an_action_of_the_admin_writes_to_the_chosen(came: dict[str, Any]) -> None:
    """Who has blocked the bot is named on the page, and the others are told."""
    assert came["through_the_admin"] == "1 told; cannot be reached: Bob"
    assert "Ann, your order is ready." in came["said"]


def test_only_what_is_committed_is_told(came: dict[str, Any]) -> None:
    """The order that was rolled back queues nothing; the other one is delivered."""
    assert came["through_the_outbox"] == [1, 0]
    assert "Thank you, Carl!" in came["said"]
    assert "Thank you, Dora!" not in came["said"]


@pytest.mark.programs("postgres")
def test_what_is_committed_is_told_for_certain(tmp_path: Path, postgres_url: str) -> None:
    """The call stands in the transaction of the order itself: rolled back with it, committed with it."""
    with BotApiServer(any_chat=True) as api:
        assert drive(tmp_path, api, postgres_url) == [1, 0]
        assert [message.text for message in api.sent] == ["Thank you, Carl!"]


def test_a_handler_reads_the_database(came: dict[str, Any]) -> None:
    """It answers with what stands there, and every call of the site had a connection of its own."""
    assert "Ann, Bob, Carl" in came["said"]
    assert came["connections"] == 1


TWO_LOOPS = """
import asyncio, sys, telegram
bot = telegram.Bot(sys.argv[1], base_url=sys.argv[2] + "/bot")
asyncio.run(bot.send_message(1, "first"))
asyncio.run(bot.send_message(1, "second"))
"""


def test_a_pool_does_not_live_from_one_asyncio_run_to_the_next() -> None:
    """What the page says of the usual way: the second `asyncio.run` with the same bot of python-telegram-bot finds a closed loop."""
    with BotApiServer(any_chat=True) as api:
        done = subprocess.run([sys.executable, "-c", TWO_LOOPS, api.token, api.url], capture_output=True, text=True, timeout=60)
        assert "Event loop is closed" in done.stderr
        assert done.returncode == 1
