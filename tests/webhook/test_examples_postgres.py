"""The examples whose state is in PostgreSQL: a Django site whose transactions queue messages, and tasks of Celery's that answer by the outbox."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kits.ports_kit import free_port
from kits.postgres_kit import PostgresServer
from kits.webhook_kit import ROOT, Answer, Start, eventually, post, wait_for_port

from syncbot.testing import BotApiServer

pytestmark = pytest.mark.programs("postgres")

EXAMPLES = ROOT / "examples"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the Django site."""
    return Path(shutil.copytree(EXAMPLES / "django_app", tmp_path / "site", ignore=shutil.ignore_patterns("__pycache__")))


def order(port: int, fields: str) -> Answer:
    """Post a form."""
    return post(port, fields.encode(), path="/order", secret=None, content_type="application/x-www-form-urlencoded")


def test_a_view_sends_if_and_only_if_it_commits(
    start: Start, server: BotApiServer, site: Path, postgres: PostgresServer, postgres_url: str, environment: dict[str, str]
) -> None:
    """The bot's state is in the site's own database: an order that comes about is told, one that does not is not; `manage.py syncbot` looks into it."""
    extra = {"SITE_DATABASE": postgres_url, "TELEGRAM_BOT": "command"}

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(site / "manage.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment | extra, check=False)

    assert manage("migrate").returncode == 0
    program = start(sys.executable, str(site / "manage.py"), "runbot", **extra)
    eventually(lambda: "the bot runs" in program.output)
    port = free_port()
    start(sys.executable, str(site / "manage.py"), "runserver", "--noreload", str(port), **extra)
    wait_for_port(port)
    user = server.user()
    user.start()
    user.wait_for("Hello from Django!", timeout=40)
    assert order(port, f"item=coffee&chat={user.id}&card=refused").status == 402
    assert order(port, f"item=tea&chat={user.id}").status == 200
    assert "is in: tea" in user.wait_for(lambda message: "is in" in message.text, timeout=40).text
    assert postgres.run("SELECT item FROM tgbot_order", postgres_url) == [("tea",)]
    assert not any("coffee" in message.text for message in user.messages)
    listed = manage("syncbot", "outbox", "list", "--json")
    assert (listed.returncode, listed.stdout.strip()) == (0, "[]"), listed.stderr
    looked = manage("syncbot", "monitor", "--once")
    assert "s3cret" not in looked.stdout + looked.stderr + program.output
    assert manage("syncbot", "outbox", "lst").returncode == 2
    assert program.end() == 0, program.output


def test_a_task_answers_through_the_outbox(start: Start, server: BotApiServer, tmp_path: Path, postgres_url: str) -> None:
    """The handler hands the text over, a worker of Celery's counts its words, and the bot delivers what that queues."""
    shutil.copy(EXAMPLES / "celery_app.py", tmp_path)
    (tmp_path / "letters").mkdir()
    (tmp_path / "celery_settings.py").write_text(
        'broker_url = "filesystem://"\n'
        'broker_transport_options = {"data_folder_in": "letters", "data_folder_out": "letters", "control_folder": "control", "polling_interval": 0.05}\n'
        "worker_hijack_root_logger = False\n"
    )
    extra = {"SYNCBOT_STATE": postgres_url, "CELERY_CONFIG_MODULE": "celery_settings", "C_FORCE_ROOT": "1"}
    worker = start(sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--pool", "solo", "--without-mingle", "--without-gossip", **extra)
    program = start(sys.executable, "celery_app.py", **extra)
    user = server.user()
    user.send("one two three four")
    user.wait_for("I am at it.", timeout=40)
    user.wait_for(lambda message: message.text.startswith("4 words"), timeout=40)
    assert program.end() == 0, program.output
    assert "s3cret" not in program.output + worker.output
