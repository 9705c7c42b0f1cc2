"""The examples of embedding: each is started as its users would start it, and driven through a Bot API server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kits.ports_kit import free_port
from kits.timing_kit import soon
from kits.webhook_kit import ROOT, Answer, Program, Start, body_of, eventually, get, post, wait_for_port

from syncbot import Bot
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.webhook.edge import derived_secret

EXAMPLES = ROOT / "examples"
SECRET = derived_secret(TEST_TOKEN)
HOOK = "/telegram/hook"


def set_webhook(bot: Bot, server: BotApiServer, port: int) -> None:
    """Do what `syncbot webhook set` does, and begin to deliver."""
    bot.call("setWebhook", url=f"http://127.0.0.1:{port}{HOOK}", secret_token=SECRET)
    server.deliver_webhook(first_delay=0.2)


def check_ended(program: Program, number: int = signal.SIGTERM) -> None:
    """It ends when it is asked to, with 0, and wrote no traceback."""
    assert program.end(number) == 0, program.output
    assert "Traceback" not in program.output


def check_refusals(port: int) -> None:
    """What does not come from Telegram is refused."""
    assert post(port, body_of(1), path=HOOK, secret="wrong").status == 403
    assert post(port, body_of(1), path=HOOK, secret=None).status == 403
    assert get(port, HOOK).status == 405
    assert post(port, b"[", path=HOOK, secret=SECRET).status == 400
    assert post(port, body_of(1), path=HOOK, secret=SECRET, content_type="text/plain").status == 415


# ── Flask ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reloader", [False, True])
def test_flask(start: Start, bot: Bot, server: BotApiServer, tmp_path: Path, reloader: bool) -> None:
    """The blueprint takes what Telegram posts and the bot answers, with Flask's reloader too; the count is kept from message to message."""
    shutil.copy(EXAMPLES / "flask_app.py", tmp_path)
    port = free_port()
    start(sys.executable, "-m", "flask", "--app", "flask_app.py", *(["--debug"] if reloader else []), "run", "--port", str(port))
    wait_for_port(port)
    set_webhook(bot, server, port)
    user = server.user()
    user.start()
    user.wait_for("Hello from Flask!", timeout=40)
    for number in (1, 2):
        user.send("hi")
        user.wait_for(f"That was message {number}.")
    eventually(lambda: json.loads(get(port, "/telegram/health").text)["handled"] == 3)
    check_refusals(port)


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_flask_under_gunicorn(start: Start, bot: Bot, server: BotApiServer, workers: int) -> None:
    """The same application in several worker processes: each takes updates, and one answers them in order."""
    port = free_port()
    program = start(sys.executable, "-m", "gunicorn", "--chdir", str(EXAMPLES), "-w", str(workers), "-b", f"127.0.0.1:{port}", "flask_app:create_app()")
    wait_for_port(port)
    set_webhook(bot, server, port)
    people = [server.user() for _ in range(4)]
    for _ in range(3):
        for user in people:
            user.send("hi")
    for user in people:
        for number in range(1, 4):
            user.wait_for(f"That was message {number}.", timeout=40)
    check_ended(program)


# ── Django ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the Django site, whose files a test may touch."""
    return Path(shutil.copytree(EXAMPLES / "django_app", tmp_path / "site", ignore=shutil.ignore_patterns("__pycache__")))


def manage(site: Path, *arguments: str) -> tuple[str, ...]:
    """A command line of Django's."""
    return (sys.executable, str(site / "manage.py"), *arguments)


def test_django_view(start: Start, bot: Bot, server: BotApiServer, site: Path) -> None:
    """The view takes what Telegram posts, and the bot answers."""
    port = free_port()
    start(*manage(site, "runserver", "--noreload", str(port)))
    wait_for_port(port)
    set_webhook(bot, server, port)
    user = server.user()
    user.start()
    user.wait_for("Hello from Django!", timeout=40)
    check_refusals(port)
    eventually(lambda: json.loads(get(port, "/telegram/health").text)["handled"] == 1)


def test_django_command(start: Start, server: BotApiServer, site: Path) -> None:
    """`manage.py runbot` polls until SIGTERM; a second one stands by and takes over."""
    first = start(*manage(site, "runbot"))
    user = server.user()
    user.send("one")
    assert user.wait_for(lambda message: message.text.endswith(": one"), timeout=40).text == f"{first.process.pid}: one"
    second = start(*manage(site, "runbot"))
    eventually(lambda: "the bot runs" in second.output)
    check_ended(first)
    user.send("two")
    assert user.wait_for(lambda message: message.text.endswith(": two"), timeout=40).text == f"{second.process.pid}: two"
    assert "the bot has ended" in first.output
    check_ended(second, signal.SIGINT)


def test_django_site_that_polls(start: Start, server: BotApiServer, site: Path) -> None:
    """`AppConfig.ready` starts the bot once: not in the reloader's outer process, not for other commands, and anew after a reload."""
    check = subprocess.run(manage(site, "check"), capture_output=True, text=True, timeout=60, env={"TELEGRAM_BOT": "web", "PATH": ""})
    assert check.returncode == 0, check.stderr  # without a token: the bot is not even made
    port = free_port()
    program = start(*manage(site, "runserver", str(port)), TELEGRAM_BOT="web", DJANGO_DEBUG="1")
    wait_for_port(port)
    user = server.user()
    user.send("one")
    before = int(user.wait_for(lambda message: message.text.endswith(": one"), timeout=40).text.split(":")[0])
    assert before != program.process.pid

    def reloads() -> bool:
        (site / "tgbot" / "views.py").touch()  # again and again: a change before Django's first look at the file is no change to it
        return "reloading" in program.output

    eventually(reloads, what="the reload")
    user.send("two")
    after = int(user.wait_for(lambda message: message.text.endswith(": two"), timeout=40).text.split(":")[0])
    assert after not in (before, program.process.pid)
    assert "Traceback" not in program.output
    assert server.count_status(409) <= 1, "none, unless a busy server has not seen the old poll go"


# ── gunicorn ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def hear_from(port: int, workers: int) -> dict[int, bool]:
    """Which processes there are, and whether their bot runs. Each is held up once it has answered, or it might be the one that answers again and again."""
    health: dict[int, bool] = {}
    try:
        while len(health) < workers:
            facts = json.loads(get(port, "/").text)
            health[facts["process"]] = facts["running"]
            os.kill(facts["process"], signal.SIGSTOP)
    finally:
        for process in health:
            os.kill(process, signal.SIGCONT)
    return health


@pytest.mark.slow
def test_gunicorn_workers_poll_one_at_a_time(start: Start, server: BotApiServer) -> None:
    """Of four workers exactly one polls; when it is killed another answers within five seconds, and an orderly end leaves nothing behind."""
    port = free_port()
    arguments = ("--chdir", str(EXAMPLES), "-c", str(EXAMPLES / "gunicorn_conf.py"), "-b", f"127.0.0.1:{port}", "gunicorn_app:application")
    program = start(sys.executable, "-m", "gunicorn", *arguments)
    wait_for_port(port)
    health = eventually(lambda: found if any((found := hear_from(port, 4)).values()) else {}, what="one that polls")
    assert sorted(health.values()) == [False, False, False, True]
    user = server.user()
    user.send("one")
    holder = int(user.wait_for(lambda message: message.text.endswith(": one"), timeout=40).text.split(":")[0])
    assert health[holder] is True

    def kill_the_holder() -> float:
        nonlocal holder
        killed = holder
        os.kill(killed, signal.SIGKILL)
        began = time.monotonic()
        user.send("next")
        holder = int(user.wait_for(lambda message: message.text.endswith(": next"), timeout=40).text.split(":")[0])
        assert holder != killed
        return time.monotonic() - began

    assert soon(5.0, kill_the_holder)
    check_ended(program)


# ── one program with something else in it ────────────────────────────────────────────────────────────────────────────


def test_gevent(start: Start, server: BotApiServer) -> None:
    """Under gevent's monkey patches the bot answers while the program's greenlet runs on, and SIGTERM ends it."""
    program = start(sys.executable, str(EXAMPLES / "gevent_bot.py"))
    user = server.user()

    def ticks() -> int:
        user.send("how many?")
        return int(user.wait_for(lambda message: message.text.startswith("how many? ("), timeout=40).text.split()[2].strip("("))

    first = ticks()
    eventually(lambda: ticks() > first > 0, what="a tick between two answers")
    check_ended(program)


def test_legacy_daemon(start: Start, server: BotApiServer) -> None:
    """The daemon's own signal handlers stay in force, its main loop gets work from handlers, and its end is the bot's end."""
    program = start(sys.executable, str(EXAMPLES / "legacy_daemon.py"))
    user = server.user()
    user.send("/work press olives", entities=[{"type": "bot_command", "offset": 0, "length": 5}])
    user.wait_for("queued, under first settings", timeout=40)
    eventually(lambda: "done: press olives" in program.output)
    program.send(signal.SIGHUP)
    eventually(lambda: "settings read again" in program.output)
    user.send("/work rest", entities=[{"type": "bot_command", "offset": 0, "length": 5}])
    user.wait_for("queued, under second settings")
    check_ended(program)
    assert program.output.splitlines()[-1] == "ended"


def test_beside_asyncio(start: Start, server: BotApiServer) -> None:
    """Handlers get answers from the loop and the loop writes through the bot, neither blocking the other."""
    program = start(sys.executable, str(EXAMPLES / "asyncio_beside.py"))
    user = server.user()
    user.send("hello loop")
    user.wait_for("HELLO LOOP", timeout=40)
    user.send("/later", entities=[{"type": "bot_command", "offset": 0, "length": 6}])
    user.wait_for("from the loop")
    check_ended(program)


# ── nothing that keeps running ───────────────────────────────────────────────────────────────────────────────────────


def cgi(body: bytes, environment: dict[str, str], **variables: str) -> Answer:
    """Run the script as a web server runs CGI programs (RFC 3875)."""
    given = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/cgi-bin/shared_hosting.py",
        "PATH_INFO": "",
        "SERVER_NAME": "example.com",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": SECRET,
        **variables,
    }
    ended = subprocess.run([sys.executable, str(EXAMPLES / "shared_hosting.py")], input=body, capture_output=True, env={**environment, **given}, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")
    head, _, text = ended.stdout.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), text.decode())


def test_shared_hosting(server: BotApiServer, environment: dict[str, str]) -> None:
    """Each request is a process of its own that handles its update and ends; what is remembered lasts, and a repeated update is not handled again."""
    user = server.user(7)
    for number in (1, 2):
        assert cgi(body_of(number), environment).status == 200
        user.wait_for(f"That was message {number}.")
    assert cgi(body_of(2), environment).status == 200
    assert cgi(body_of(3), environment, HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN="x").status == 403
    assert cgi(b"[", environment).status == 400
    assert len(user.messages) == 2


def test_scheduled(server: BotApiServer, environment: dict[str, str]) -> None:
    """A scheduled run handles what has come meanwhile, says so, and exits with 0."""
    user = server.user()
    user.send("please look")
    ended = subprocess.run([sys.executable, str(EXAMPLES / "scheduled.py")], capture_output=True, text=True, env=environment, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "handled 1" in ended.stdout
    user.wait_for(lambda message: message.text.startswith("Noted"))
    assert server.pending_updates == []
