"""launch.sh: checks, then a bot that is started anew when it fails, with a log of limited size."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from pathlib import Path

from kits.scripts_kit import Checkout

from syncbot.testing import BotApiServer, Fault, FaultProxy

FAST = ("--first-wait", "0.01", "--longest-wait", "0.05")


def _bot(checkout: Checkout, code: str) -> None:
    (checkout.folder / "mine.py").write_text(code)


def _log(checkout: Checkout) -> str:
    return (checkout.folder / "bot.log").read_text()


def test_a_bot_that_fails_is_started_anew_until_it_ends_well(checkout: Checkout) -> None:
    """A bot that ends with 1 twice and then with 0 is run three times; what it wrote, and each new start, stands in the log."""
    _bot(
        checkout,
        "import pathlib, sys\np = pathlib.Path('runs')\nn = len(p.read_text()) if p.exists() else 0\n"
        "p.write_text('x' * (n + 1))\nprint('run', n)\nsys.exit(n < 2)\n",
    )
    ended = checkout.run("launch.sh", "--no-check", *FAST, "mine.py")
    assert ended.returncode == 0, ended.stderr
    log = _log(checkout)
    assert [line for line in log.splitlines() if line.startswith("run")] == ["run 0", "run 1", "run 2"]
    assert log.count("it is started anew in") == 2
    assert "launch.sh: the bot ended with exit code 0" in log


def test_what_only_somebody_can_mend_is_not_tried_again(checkout: Checkout) -> None:
    """A bot that ends with 78 is not started anew, and launch.sh ends with the same code; arguments reach the bot."""
    _bot(checkout, "import sys\nprint('arguments', sys.argv[1:])\nsys.exit(78)\n")
    ended = checkout.run("launch.sh", "--no-check", *FAST, "mine.py", "--a", "b c")
    assert ended.returncode == 78
    assert _log(checkout).count("arguments ['--a', 'b c']") == 1


def test_a_damaged_state_file_is_not_tried_again(checkout: Checkout, settings: dict[str, str]) -> None:
    """A script whose state file is damaged ends with 78 and the words of the error, as `syncbot run` does, and is not started anew."""
    (checkout.folder / "bot.db").write_bytes(b"this is no database" * 1000)
    _bot(checkout, "from syncbot import Bot, Runtime\nRuntime(Bot.from_env(), state='bot.db').run()\n")
    ended = checkout.run("launch.sh", "--no-check", *FAST, "mine.py", env=settings)
    assert ended.returncode == 78
    log = _log(checkout)
    assert "is damaged" in log
    assert "it is started anew" not in log


def test_a_bot_that_is_killed_is_started_anew(checkout: Checkout) -> None:
    """A bot that dies of SIGKILL counts as failed with 137 and is run again."""
    _bot(checkout, "import os, pathlib\np = pathlib.Path('died')\nif not p.exists():\n    p.touch()\n    os.kill(os.getpid(), 9)\n")
    assert checkout.run("launch.sh", "--no-check", *FAST, "mine.py").returncode == 0
    assert "exit code 137; it is started anew" in _log(checkout)


def test_the_log_has_a_limit(checkout: Checkout) -> None:
    """A log that is full becomes bot.log.1, no line is lost in between, and nobody else can read either."""
    _bot(checkout, "for n in range(3000):\n    print(f'line {n:05}')\n")
    assert checkout.run("launch.sh", "--no-check", "--log-max-kb", "20", "mine.py").returncode == 0
    old, new = (checkout.folder / "bot.log.1").read_text(), _log(checkout)
    assert [stat.S_IMODE((checkout.folder / name).stat().st_mode) for name in ("bot.log", "bot.log.1")] == [0o600, 0o600]
    assert len(old) <= 20_020
    numbers = [line for line in (old + new).splitlines() if line.startswith("line")]
    assert numbers == [f"line {n:05}" for n in range(3000 - len(numbers), 3000)]
    assert len(new) <= 20_020


def test_the_echo_bot_runs_after_the_check_and_stops_at_sigterm(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """Without arguments launch.sh checks the way, runs the echo bot, hands SIGTERM on to it, and ends with its 0."""
    process = checkout.start("launch.sh", env=settings)
    try:
        user = server.user(7)
        user.send("Hello")
        user.wait_for("Hello", 60)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "10 quick calls: 10/10" in err
    assert "the bot ended with exit code 0" in _log(checkout)


def test_ctrl_c_in_a_terminal_reaches_the_bot_once(checkout: Checkout) -> None:
    """SIGINT to the whole process group, as a terminal sends it, reaches the bot a single time: a second one would cut its handlers off."""
    _bot(
        checkout,
        "import pathlib, signal, threading\nseen = []\ndone = threading.Event()\n"
        "signal.signal(signal.SIGINT, lambda *_: (seen.append(1), threading.Timer(0.3, done.set).start()))\n"
        "pathlib.Path('ready').touch()\nprint('ready', flush=True)\ndone.wait(30)\nprint('signals', len(seen))\n",
    )
    command = [str(checkout.folder / "scripts" / "launch.sh"), "--no-check", "mine.py"]
    process = subprocess.Popen(command, cwd=checkout.folder, env=checkout.environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    with process:
        assert process.stderr is not None
        assert process.stderr.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 0
    assert "signals 1" in rest


def test_a_module_is_run_by_syncbot_run(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """MODULE:APP runs the app of a module."""
    _bot(
        checkout,
        "from syncbot import Bot, Runtime\napp = Runtime(Bot.from_env())\n@app.message()\ndef hello(update, context):\n    context.reply('from a module')\n",
    )
    process = checkout.start("launch.sh", "--no-check", "mine:app", env=settings)
    try:
        user = server.user(7)
        user.send("Hello")
        user.wait_for("from a module", 60)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_wrong_token_ends_it_before_the_bot_runs(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """A check that finds what only somebody can mend ends launch.sh with that code, and the bot is not started."""
    ended = checkout.run("launch.sh", env=settings | {"TELEGRAM_BOT_TOKEN": "123456789:this-token-is-not-known-0123456789"})
    assert ended.returncode == 77
    assert not (checkout.folder / "bot.log").exists()
    assert server.count("getUpdates") == 0


def test_a_bad_way_does_not_keep_the_bot_from_running(checkout: Checkout, server: BotApiServer, settings: dict[str, str]) -> None:
    """A way that fails during the check may work later: the bot is started all the same."""
    _bot(checkout, "print('the bot runs')\n")
    with FaultProxy(faults=[Fault.refuse()], rate=1.0, seed=1) as proxy:
        ended = checkout.run("launch.sh", "mine.py", env=settings | {"SYNCBOT_PROXY": proxy.url, "SYNCBOT_TIMEOUT": "2"})
    assert ended.returncode == 0
    assert "no good way to Telegram now" in ended.stderr
    assert "the bot runs" in _log(checkout)


def test_help_looks_at_nothing(checkout: Checkout) -> None:
    """--help of launch.sh has no settings to check."""
    ended = checkout.run("launch.sh", "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("usage: launch.sh")


def test_wrong_command_lines_are_refused(checkout: Checkout, tmp_path: Path) -> None:
    """A bot that is not there ends launch.sh with 2, a log that cannot be written with 73."""
    assert checkout.run("launch.sh", "--no-check", "nothing.py").returncode == 2
    ended = checkout.run("launch.sh", "--no-check", "--log", str(tmp_path / "no" / "bot.log"), "examples/echo.py")
    assert ended.returncode == 73
    assert "cannot be written: No such file or directory" in ended.stderr
