"""The three test scripts: at a server that stands for Telegram, and at the built-in one with faults."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from kits.scripts_kit import Checkout

from syncbot.config.envfile import read_env_file
from syncbot.testing import Answer, BotApiServer

CHECKS = {
    "test_http_connectivity.py": ["GET", "POST with JSON", "quick calls", "no leak", "faults survived"],
    "test_telegram_http_client.py": ["bot info", "message sent", "quick calls", "no leak", "faults survived"],
    "test_telegram_bot.py": ["start", "message sent", "answer", "stop", "faults survived"],
}


def _lines(output: str) -> list[tuple[str, str]]:
    """Mark and name of each check."""
    return re.findall(r"^(ok|FAILED) +\d+ ms  ([^:]+):", output, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("script", CHECKS)
def test_without_a_token_each_script_survives_the_faults_of_the_built_in_proxy(checkout: Checkout, script: str) -> None:
    """Without a token every check passes at the built-in server, a line each, though the proxy has broken connections."""
    ended = checkout.run(script)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert _lines(ended.stdout) == [("ok", name) for name in CHECKS[script]]
    assert "the built-in server, through a proxy with faults" in ended.stdout
    assert int(re.findall(r"(\d+) faults of", ended.stdout)[0]) >= 3


@pytest.mark.parametrize("script", CHECKS)
def test_with_a_token_each_script_runs_at_the_server_of_the_settings(checkout: Checkout, server: BotApiServer, settings: dict[str, str], script: str) -> None:
    """With a token the checks run at the server that the settings name, and write to the chat that they name."""
    user = server.user(77)
    ended = checkout.run(script, env=settings | {"SYNCBOT_CHAT": "77"})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert _lines(ended.stdout) == [("ok", name) for name in CHECKS[script]]
    assert server.url in ended.stdout
    assert len(user.messages) == (0 if script == "test_http_connectivity.py" else 1)
    assert server.count("getMe") + server.count("getUpdates") > 0


@pytest.mark.parametrize("script", CHECKS)
def test_a_failing_check_is_told_in_its_line_and_in_the_exit_code(checkout: Checkout, server: BotApiServer, settings: dict[str, str], script: str) -> None:
    """When the server refuses everything each script ends with 1, its lines say FAILED, and nothing shows the token or a traceback."""
    server.script("*", Answer.error(401, "Unauthorized"), times=None)
    ended = checkout.run(script, env=settings | {"SYNCBOT_CHAT": "77"})
    assert ended.returncode == 1
    assert ("FAILED", CHECKS[script][0]) in _lines(ended.stdout)
    assert "Unauthorized" in ended.stdout
    assert settings["TELEGRAM_BOT_TOKEN"] not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(("token", "outcome"), [("good", "true"), ("wrong", "false")])
def test_record_writes_the_two_lines_and_keeps_the_rest(checkout: Checkout, server: BotApiServer, settings: dict[str, str], token: str, outcome: str) -> None:
    """--record writes whether the test passed, and when, to the env file, whose other lines stay as they were."""
    if token == "wrong":
        server.script("*", Answer.error(401, "Unauthorized"), times=None)
    server.user(77)
    env = checkout.folder / ".env"
    env.write_text("# mine\nSYNCBOT_CHAT=77\n" + "".join(f"{name}={value}\n" for name, value in settings.items()))
    ended = checkout.run("test_telegram_http_client.py", "--record")
    assert ended.returncode == (0 if outcome == "true" else 1)
    found = read_env_file(env)
    assert found["TELEGRAM_HTTP_CLIENT_TEST_PASSED"] == outcome
    assert datetime.now(UTC) - datetime.fromisoformat(found["TELEGRAM_HTTP_CLIENT_TEST_DATE"]) < timedelta(minutes=5)
    assert env.read_text().startswith("# mine\nSYNCBOT_CHAT=77\n")
    assert env.stat().st_mode & 0o777 == 0o600


def test_without_a_chat_the_message_is_a_check_that_fails(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """Where no chat is set the message cannot be sent: that check fails, says what to do, and the others are made all the same."""
    ended = checkout.run("test_telegram_http_client.py", env=settings)
    assert ended.returncode == 1
    assert ("FAILED", "message sent") in _lines(ended.stdout)
    assert _lines(ended.stdout).count(("ok", "quick calls")) == 1
    assert "SYNCBOT_CHAT" in ended.stdout


def test_the_bot_test_takes_no_updates_that_wait_for_the_real_bot(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """Where updates wait already, test_telegram_bot.py does not start, and they still wait afterwards."""
    server.user(77).send("for the real bot")
    ended = checkout.run("test_telegram_bot.py", env=settings | {"SYNCBOT_CHAT": "77"})
    assert ended.returncode == 1
    assert "1 updates wait for this bot" in ended.stdout
    assert len(server.pending_updates) == 1


def test_a_wrong_setting_is_one_line(checkout: Checkout) -> None:
    """A setting that is wrong ends a test script with 78 and one line."""
    ended = checkout.run("test_http_connectivity.py", env={"SYNCBOT_TIMEOUT": "soon"})
    assert (ended.returncode, ended.stdout) == (78, "")
    assert ended.stderr.startswith("test_http_connectivity.py: SYNCBOT_TIMEOUT in the environment: 'soon' is not")
    assert ended.stderr.count("\n") == 1
