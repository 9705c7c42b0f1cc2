"""`syncbot webhook`: set, shown and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, User
from syncbot.webhook.edge import derived_secret

Command = Callable[..., Any]


def test_set_uses_the_secret_that_the_runtime_expects(command: Command, server: BotApiServer) -> None:
    """Without --secret the derived one is set, the same that Runtime.wsgi takes; nothing of it is printed."""
    ended = command("webhook", "set", "https://bot.example/hook", "--allowed", "message", "--allowed", "poll", "--max-connections", "5")
    assert (ended.code, ended.out) == (0, "")
    assert server.engine.webhook.url == "https://bot.example/hook"
    assert server.engine.webhook.secret == derived_secret(TEST_TOKEN)
    [request] = server.requests_for("setWebhook")
    assert (request.params["allowed_updates"], request.params["max_connections"]) == (["message", "poll"], 5)
    assert server.engine.webhook.secret not in ended.err


def test_set_takes_a_secret_and_a_certificate(command: Command, server: BotApiServer, tmp_path: Path) -> None:
    """A chosen secret and a self-signed certificate reach Telegram."""
    (tmp_path / "c.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    assert command("webhook", "set", "https://bot.example/", "--secret", "my-own_1", "--certificate", str(tmp_path / "c.pem")).code == 0
    assert (server.engine.webhook.secret, server.engine.webhook.has_certificate) == ("my-own_1", True)


def test_wrong_options_are_said_before_anything_is_asked(command: Command, server: BotApiServer) -> None:
    """A malformed secret and a missing certificate are mistakes on the command line."""
    assert command("webhook", "set", "https://bot.example/", "--secret", "a b").code == 2
    assert command("webhook", "set", "https://bot.example/", "--certificate", "nowhere.pem").code == 2
    assert command("webhook", "set").code == 2
    assert server.count() == 0


def test_a_kind_that_looks_misspelt_is_told_and_set(command: Command, server: BotApiServer) -> None:
    """Of a misspelt one no update would come; but one that is newer than syncbot may look like it, and Telegram passes over what it does not know."""
    ended = command("webhook", "set", "https://bot.example/", "--allowed", "deleted_messages", "--allowed", "poll")
    assert (ended.code, "did you mean 'edited_message'?" in ended.err, "'poll'" in ended.err) == (0, True, False)
    assert server.requests_for("setWebhook")[0].params["allowed_updates"] == ["deleted_messages", "poll"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://bot.example/hook", "https:// alone"),
        ("bot.example/hook", "no URL"),
        ("https:///hook", "no URL"),
        ("https://bot.example:99999/", "no URL"),
        ("https://bot.example:8080/hook", "ports 443, 80, 88 and 8443 alone, not to 8080"),
    ],
)
def test_a_url_that_telegram_never_takes(command: Command, server: BotApiServer, monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    """For Telegram's own server http and wrong ports are refused before anything is asked; a local server takes them."""
    assert command("webhook", "set", url).code in (0, 77)
    assert server.count("setWebhook") == 1
    monkeypatch.delenv("SYNCBOT_BASE_URL")
    ended = command("webhook", "set", url)
    assert ended.code == 2
    assert words in ended.err


def test_info_shows_what_telegram_knows(command: Command, server: BotApiServer) -> None:
    """Without a webhook it says that the bot may poll; with one, its URL and the rest; --json is Telegram's own answer."""
    assert "may poll" in command("webhook", "info").out
    command("webhook", "set", "https://bot.example/hook")
    ended = command("webhook", "info")
    assert "url: https://bot.example/hook\n" in ended.out
    assert "pending_update_count: 0" in ended.out
    assert json.loads(command("webhook", "info", "--json").out)["url"] == "https://bot.example/hook"


def test_delete_leaves_what_waits(command: Command, server: BotApiServer, user: User) -> None:
    """The webhook is gone and the updates still wait, unless --drop-pending is given."""
    command("webhook", "set", "https://bot.example/hook")
    user.send("hello")
    assert command("webhook", "delete").code == 0
    assert not server.engine.webhook.url
    assert [update["message"]["text"] for update in server.pending_updates if "message" in update] == ["hello"]
    assert command("webhook", "delete", "--drop-pending").code == 0
    assert server.pending_updates == []


def test_a_refusal_is_told_in_telegrams_words(command: Command, server: BotApiServer) -> None:
    """A URL that Telegram does not take ends with its words and the code of a refusal."""
    from syncbot.testing import Answer

    server.script("setWebhook", Answer.error(400, "Bad Request: bad webhook: HTTPS url must be provided for webhook"))
    ended = command("webhook", "set", "http://bot.example/hook")
    assert ended.code == 77
    assert "HTTPS url must be provided" in ended.err


def test_info_with_a_time_that_is_none(command: Command, server: BotApiServer) -> None:
    """Whatever stands there is shown, and the rest too."""
    server.script("getWebhookInfo", Answer.ok({"url": "https://bot.example/hook", "last_error_date": 2**62, "pending_update_count": 3}))
    ended = command("webhook", "info")
    assert (ended.code, ended.err) == (0, "")
    assert "last_error_date: (4.61169e+18, which is no time)\npending_update_count: 3" in ended.out


def test_info_of_no_server_of_telegram(command: Command, server: BotApiServer) -> None:
    """What answers with another form than Telegram's is told as that."""
    server.script("getWebhookInfo", Answer.ok(["none"]))
    ended = command("webhook", "info")
    assert (ended.code, ended.out) == (75, "")
    assert "what answers getWebhookInfo is no Bot API server" in ended.err
