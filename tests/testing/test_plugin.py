"""The pytest plugin, as a user's tests meet it: each runs pytest in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from kits.fork_kit import LOADED, Starter

BOT = """
from syncbot import Bot, Runtime

def make_app(bot):
    app = Runtime(bot)

    @app.command("start")
    def start(update, context):
        context.reply("Hello", reply_markup={"inline_keyboard": [[{"text": "More", "callback_data": "more"}]]})

    @app.callback_query("more")
    def more(update, context):
        context.answer("One moment")
        context.edit("There is no more.")

    @app.command("album")
    def album(update, context):
        media = [{"type": "photo", "media": context.bot.call("sendPhoto", chat_id=context.chat_id, photo=b"x")["photo"][0]["file_id"]}] * 3
        context.bot.call("sendMediaGroup", chat_id=context.chat_id, media=media)
        context.reply("An album")

    @app.command("break")
    def fail(update, context):
        raise LookupError("the cupboard is bare")

    @app.message()
    def echo(update, context):
        if update.message.text and update.message.text.startswith("say "):
            context.reply(update.message.text.removeprefix("say "))

    return app

if __name__ == "__main__":
    make_app(Bot("123456789:the-token-of-the-real-bot-which-is-secret")).run()
"""

CONVERSATIONS = """
import re
import pytest
from bot import make_app
from syncbot import Bot, Runtime

def test_buttons(run_bot, chat):
    run_bot(make_app)
    chat.send("/start")
    chat.expect("Hello", buttons=["More"], edited=False)
    assert chat.press("More").wait_answer()["text"] == "One moment"
    chat.expect(re.compile("no more"), edited=True)
    assert [message.text for message in chat.history] == ["/start", "There is no more."]

def test_an_album(run_bot, chat):
    run_bot(make_app)
    chat.send("/album")
    assert len(chat.album(3)) == 3
    chat.expect("An album")

def test_silence(run_bot, chat):
    run_bot(make_app)
    chat.send_album(b"1", b"2", caption="Mine")
    chat.expect_nothing()
    chat.send("say something")
    with pytest.raises(AssertionError, match="it said 'something'"):
        chat.expect_nothing()

def test_two_people(run_bot, chat, new_chat, telegram):
    bob = new_chat("Bob")
    run_bot(make_app)
    for person in (chat, bob):
        person.send(f"say {person.id}")
    for person in (bob, chat):
        person.expect(str(person.id))
    assert telegram.count("sendMessage") == 2

def test_what_stands_in_the_code_counts_for_nothing(run_bot, chat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    def make():
        app = Runtime(Bot("123456789:the-token-of-the-real-bot-which-is-secret"), state="real.db")
        app.message()(lambda update, context: context.reply("yes"))
        return app
    run_bot(make)
    chat.send("Hi")
    chat.expect("yes")
    assert not list(tmp_path.iterdir())

@pytest.mark.faults("tls_drop", "refuse", rate=1.0)
def test_a_bad_proxy(run_bot, chat, bad_proxy):
    run_bot(make_app)
    chat.send("say through")
    chat.expect("through", timeout=60)
    assert bad_proxy.struck["tls_drop"] + bad_proxy.struck["refuse"] > 0

def test_a_handler_that_may_fail(run_bot, chat):
    run_bot(make_app, may_fail=True)
    chat.send("/break")
    chat.expect_nothing()
"""

Run = Callable[..., str]
_OTHERS = "-p no:anyio -p no:hypothesispytest"
"""Plugins that are none of ours, and take longer to load than all the rest."""


@pytest.fixture(scope="module")
def starter() -> Iterator[Starter]:
    """What starts pytest: it has loaded it, and what the plugin needs when it is asked for something."""
    starter = Starter(*LOADED, "pytest", "syncbot.client.ptb.shortcuts", "syncbot.testing.page.bot_process", "syncbot.testing.sandbox.sandbox")
    yield starter
    starter.close()


@pytest.fixture
def run(tmp_path: Path, starter: Starter) -> Run:
    """Runs tests in a folder that has a bot; gives what pytest printed."""
    (tmp_path / "bot.py").write_text(BOT, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\npythonpath = .\naddopts = --strict-markers -p no:cacheprovider {_OTHERS}\nfilterwarnings = error\n", encoding="utf-8"
    )

    def run(source: str, *options: str, conftest: str = "") -> str:
        (tmp_path / "test_bot.py").write_text(source, encoding="utf-8")
        (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
        bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        _, out, err = starter.outcome("pytest:console_main", ["pytest", "-q", *options], cwd=tmp_path, env=bare, timeout=200)
        return (out + err).decode()

    return run


@pytest.mark.parametrize("options", [("-p", "no:xdist"), pytest.param(("-n", "2"), marks=pytest.mark.slow)], ids=["alone", "xdist"])
def test_conversations(run: Run, options: tuple[str, ...]) -> None:
    """People write, press, expect, look at albums and the history; one after the other, and in several processes at once."""
    out = run(CONVERSATIONS, *options)
    assert "7 passed" in out, out


def test_a_failure_shows_the_conversation(run: Run) -> None:
    """What came instead, who said what, the calls, the faults and the seed, and no token."""
    out = run(
        """
from bot import make_app

def test_wrong(run_bot, chat, telegram):
    run_bot(make_app)
    chat.send("/start")
    telegram.wait_for("Hello")
    chat.expect("Helo")

def test_wrong_button(run_bot, chat, telegram):
    run_bot(make_app)
    chat.send("/start")
    telegram.wait_for("Hello")
    chat.press("Less")
""",
        conftest="import pytest\n@pytest.fixture\ndef syncbot_timeout():\n    return 0.5\n",
    )
    assert "2 failed" in out, out
    assert "no message has an inline button 'Less'; there are ['More']; a button of a reply keyboard says its text: chat.send(…)" in out
    assert "AssertionError: the bot did not say 'Helo'; it said 'Hello' [More] (waited 0.5 s)" in out
    assert "Ann │ '/start'" in out
    assert "bot │ 'Hello' [More]" in out
    assert "sendMessage(chat_id=" in out
    assert "faults: none" in out
    assert ":TEST-" not in out


def test_a_handler_that_raises_fails_its_test_at_once(run: Run) -> None:
    """Whoever waits for an answer is told with the traceback, without waiting in vain; and so is a test that does not wait."""
    out = run(
        """
import threading
import pytest
from bot import make_app
from syncbot import Runtime

def test_waits(run_bot, chat):
    run_bot(make_app)
    chat.send("/break")
    chat.expect("Fine", timeout=100)

def test_does_not_wait(run_bot, chat):
    run_bot(make_app)
    chat.send("/break")
    chat.expect_nothing()

@pytest.fixture
def at_the_end(run_bot):
    event = threading.Event()
    yield event
    event.set()

def test_fails_after_its_end(run_bot, chat, at_the_end):
    def make(bot):
        app = Runtime(bot)

        @app.message()
        def late(update, context):
            context.reply("Wait")
            at_the_end.wait()
            raise LookupError("too late")

        return app

    run_bot(make)
    chat.send("Hello")
    chat.expect("Wait")
"""
    )
    assert "2 failed, 1 passed, 1 error" in out, out
    assert out.count("LookupError: the cupboard is bare") >= 2
    assert "LookupError: too late" in out
    assert "waited 100 s" not in out


def test_a_program_as_it_is_is_killed_and_goes_on(run: Run) -> None:
    """A script with another token in its code is talked to, is killed at its second message, makes that call again, and answers what is said after it."""
    out = run(
        """
def test_killed(run_bot, chat, kill_after, telegram):
    bot = run_bot("bot.py")
    kill_after(2)
    chat.send("say one")
    chat.expect("one")
    assert bot.kills == 0
    chat.send("say two")
    chat.expect("two")
    chat.send("say three")
    chat.expect("three")
    assert bot.kills == 1
    assert [request.params["text"] for request in telegram.requests_for("sendMessage")].count("two") == 2

def test_never_killed(run_bot, chat, kill_after):
    run_bot("bot.py")
    kill_after(5)
    chat.send("say one")
    chat.expect("one")

def test_ended(run_bot, chat):
    run_bot("nothing.py")
    chat.expect("Hello", timeout=100)
"""
    )
    assert "1 passed" in out, out
    assert "2 failed" in out, out
    assert "kill_after: the bot was not killed" in out
    assert "the bot's process ended with exit code" in out
    assert "waited 100 s" not in out


def test_what_is_wrong_is_told(run: Run) -> None:
    """A bot that would speak to Telegram itself is not run, and a fault that there is not is an error."""
    out = run(
        """
import pytest
from syncbot import Bot, Runtime

def test_real(run_bot):
    run_bot(Runtime(Bot("123456789:the-token-of-the-real-bot-which-is-secret"), state=None))

@pytest.mark.faults("tls_dorp")
def test_fault():
    pass
"""
    )
    assert "1 failed" in out, out
    assert "1 error" in out, out
    assert "would speak to Telegram itself" in out
    assert "no fault is called 'tls_dorp'; there are none, refuse" in out


def test_the_server_is_configured_by_a_fixture(run: Run) -> None:
    """`syncbot_server` overridden: the server's own options hold."""
    out = run(
        """
import pytest

@pytest.fixture
def syncbot_server():
    return {"bot": {"username": "my_bot"}}

def test_name(telegram):
    assert telegram.bot["username"] == "my_bot"
"""
    )
    assert "1 passed" in out, out


def test_it_does_nothing_until_asked() -> None:
    """pytest finds it by its entry point; to load it brings nothing of the package but names, and no library but pytest."""
    [plugin] = [one for one in entry_points(group="pytest11") if one.name == "syncbot"]
    code = f"import pytest, sys\nbefore = set(sys.modules)\nimport {plugin.value}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert plugin.value in loaded
    assert {name for name in loaded if name.startswith("syncbot.")} <= {"syncbot.errors", "syncbot.testing", "syncbot.testing.plugin", plugin.value}
    assert not {name.partition(".")[0] for name in loaded} & {"requests", "urllib3", "telegram", "sqlite3", "ssl", "trustme"}
