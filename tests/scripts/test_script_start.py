"""From a checkout to a running bot: quickstart.py with its start script, configure_env.sh, and how the scripts get into the virtual environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kits.scripts_kit import BASE_PYTHON, ROOT, Checkout

from syncbot.config.envfile import read_env_file
from syncbot.testing import TEST_TOKEN, BotApiServer


def _env_file(checkout: Checkout, values: dict[str, str]) -> Path:
    path = checkout.folder / ".env"
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return path


def _answers(server: BotApiServer, process: subprocess.Popen[str]) -> str:
    """Talk to the bot that runs, then end it; returns what it wrote."""
    try:
        user = server.user(7)
        user.send("Is anybody there?")
        user.wait_for("Is anybody there?", 60)
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out


def test_without_a_token_quickstart_runs_the_bot_in_the_sandbox(checkout: Checkout) -> None:
    """Without a token quickstart shows a conversation through the faulty proxy, ends with 0 and says what comes next; no start script is written.

    Between the lines of the conversation stands nothing that needs no attention.
    """
    ended = checkout.run("quickstart.py")
    assert ended.returncode == 0, ended.stderr
    assert " INFO " not in ended.stderr
    assert "5 of 5 updates received" in ended.stdout
    assert "scripts/configure_env.sh" in ended.stdout
    assert f"{os.path.join('bin', 'syncbot')} try {os.path.join('examples', 'echo.py')}\n" in ended.stdout
    assert not (checkout.folder / "start.sh").exists()


@pytest.mark.slow
def test_trouble_is_seen_in_the_sandbox(checkout: Checkout) -> None:
    """Only what needs attention is logged between the lines of a conversation; all of it where SYNCBOT_LOG_LEVEL asks for it."""
    bot = (ROOT / "examples" / "echo.py").read_text()
    logs = 'logging.getLogger("mine").info("all is well")\n    logging.getLogger("mine").warning("trouble")\n    context.reply(f"Hello'
    (checkout.folder / "mine.py").write_text("import logging\n" + bot.replace('context.reply(f"Hello', logs))
    command = [sys.executable, "-m", "syncbot.testing.sandbox", "mine.py"]
    for level, all_is_well in (({}, 0), ({"SYNCBOT_LOG_LEVEL": "INFO"}, 1)):
        ended = subprocess.run(command, cwd=checkout.folder, env=checkout.environment | level, capture_output=True, text=True, timeout=110, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert (ended.stderr.count("all is well"), ended.stderr.count("trouble")) == (all_is_well, 1)


def test_with_a_token_quickstart_writes_a_start_script_and_runs_the_bot(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """With a token in .env quickstart writes start.sh, says so, and runs the real bot."""
    _env_file(checkout, settings)
    out = _answers(server, checkout.start("quickstart.py"))
    assert f"Written: {checkout.folder / 'start.sh'}" in out


def test_the_start_script_works_without_the_environment_it_was_made_in(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """What quickstart found in the environment is in start.sh, so that cron can run it from another folder without any; nobody else can read it."""
    assert checkout.run("quickstart.py", "--start-script", env=settings | {"SYNCBOT_LOG_LEVEL": "WARNING"}).returncode == 0
    script = checkout.folder / "start.sh"
    assert script.stat().st_mode & 0o777 == 0o700
    assert "from the environment: TELEGRAM_BOT_TOKEN, SYNCBOT_BASE_URL, SYNCBOT_LOG_LEVEL" in script.read_text()
    bare = {"HOME": checkout.environment["HOME"], "PATH": "/usr/bin:/bin"}
    with subprocess.Popen([script], cwd="/", env=bare, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _answers(server, process)


def test_the_start_script_runs_a_bot_of_ones_own(checkout: Checkout, settings: dict[str, str]) -> None:
    """start.sh takes another script and its arguments; the settings of the env file are read from the checkout."""
    _env_file(checkout, settings)
    assert checkout.run("quickstart.py", "--start-script").returncode == 0
    (checkout.folder / "mine.py").write_text("import sys\nfrom syncbot import Settings\nprint(Settings.load().base_url, sys.argv[1:])\n")
    ended = subprocess.run(
        [checkout.folder / "start.sh", "mine.py", "two words"], cwd="/", env=checkout.environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == f"{settings['SYNCBOT_BASE_URL']} ['two words']\n"


def test_a_start_script_needs_a_token(checkout: Checkout) -> None:
    """--start-script without a token ends with 78 and says what asks for one."""
    ended = checkout.run("quickstart.py", "--start-script")
    assert ended.returncode == 78
    assert "scripts/configure_env.sh" in ended.stderr


def test_the_scripts_go_on_in_the_virtual_environment(checkout: Checkout) -> None:
    """A script that is run by a Python without syncbot goes on in .venv, with the same arguments."""
    assert subprocess.run([BASE_PYTHON, "-c", "import syncbot"], capture_output=True, cwd="/").returncode != 0
    for script in ("monitor_bot.py", "setup_logging.py", "test_http_connectivity.py"):
        ended = checkout.run(script, "--help", python=BASE_PYTHON)
        assert (ended.returncode, ended.stderr) == (0, ""), script
        assert "--" in ended.stdout


def test_configure_env_writes_the_env_file_beside_the_readme(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """configure_env.sh takes the token from standard input, checks it, and writes .env of the checkout with mode 600, wherever it is called from."""
    base = {"SYNCBOT_BASE_URL": server.url}
    ended = checkout.run("configure_env.sh", "--no-pair", "--chat", "5", stdin=TEST_TOKEN + "\n", cwd=Path("/"), env=base)
    assert ended.returncode == 0, ended.stderr
    path = checkout.folder / ".env"
    assert read_env_file(path) == {"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_CHAT": "5"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert TEST_TOKEN not in ended.stdout + ended.stderr


def test_configure_env_keeps_what_stood_there(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """A second run changes what it was told and keeps every other line."""
    path = _env_file(checkout, {"SYNCBOT_BASE_URL": server.url, "SYNCBOT_TIMEOUT": "9"})
    assert checkout.run("configure_env.sh", "--no-pair", "--user", "5", stdin=TEST_TOKEN).returncode == 0
    found = read_env_file(path)
    assert (found["SYNCBOT_TIMEOUT"], found["ALLOWED_TELEGRAM_USER_ID"], found["TELEGRAM_BOT_TOKEN"]) == ("9", "5", TEST_TOKEN)


@pytest.mark.parametrize(("token", "code"), [("nonsense", 78), ("123456789:this-token-is-not-known-0123456789", 77)])
def test_configure_env_hands_on_the_exit_code_of_init(checkout: Checkout, server: BotApiServer, token: str, code: int) -> None:
    """A malformed token ends configure_env.sh with 78, one that Telegram does not know with 77; no env file is left, which would hide another."""
    ended = checkout.run("configure_env.sh", "--no-pair", stdin=token, env={"SYNCBOT_BASE_URL": server.url})
    assert ended.returncode == code
    assert not (checkout.folder / ".env").exists()
    assert token not in ended.stderr


def test_pytest_does_not_collect_the_test_scripts() -> None:
    """The scripts that are called test_… are no tests of pytest: its testpaths is tests/ alone."""
    import tomllib

    root = Path(__file__).resolve().parents[2]
    options = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert options["testpaths"] == ["tests"]


def test_what_lies_in_scripts_can_be_run() -> None:
    """Each file in scripts/ itself is a command; what commands share, campaigns and generators have folders of their own."""
    scripts = Path(__file__).resolve().parents[2] / "scripts"
    assert [path.name for path in scripts.iterdir() if path.is_file() and not os.access(path, os.X_OK)] == []
