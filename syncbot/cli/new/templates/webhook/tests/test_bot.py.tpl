"""What the bot says; no test needs a token or a network. The fixtures come with syncbot."""

import socket
import urllib.error
import urllib.request

import pytest

from bot import make_app


@pytest.fixture
def port():
    """A free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_conversation(run_bot, chat):
    run_bot(make_app)
    chat.send("/start")
    chat.expect("Hello! I count what you write.")
    chat.send("one")
    chat.expect("That was message 1.")


def test_what_telegram_posts_is_answered(run_bot, chat, telegram, port):
    telegram.deliver_webhook()
    run_bot("bot.py", f"http://127.0.0.1:{port}/hook", str(port))
    for number in range(1, 4):
        chat.send("something")
        chat.expect(f"That was message {number}.")


def test_a_stranger_is_refused(run_bot, chat, telegram, port):
    telegram.deliver_webhook()
    run_bot("bot.py", f"http://127.0.0.1:{port}/hook", str(port))
    chat.send("/start")
    chat.expect("Hello! I count what you write.")
    request = urllib.request.Request(f"http://127.0.0.1:{port}/hook", b"{}", {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)
