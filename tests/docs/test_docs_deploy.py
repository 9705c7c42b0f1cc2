"""The systemd unit, the OpenWrt init script and the lines for cron, each run as the guides say."""

from __future__ import annotations

import configparser
import inspect
import os
import queue
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.background_kit import Background
from kits.docs_kit import ROOT, blocks

from syncbot.cli.console.exits import Exit
from syncbot.runtime.runtime import Runtime
from syncbot.testing import TEST_TOKEN, BotApiServer, FaultProxy

UNIT = ROOT / "deploy" / "syncbot.service"
INIT = ROOT / "deploy" / "openwrt" / "syncbot"
BOT = """
from syncbot import Bot, Runtime, filters

app = Runtime(Bot.from_env())


@app.message(filters.TEXT)
def echo(update, context):
    context.reply(update.message.text)
"""
SECONDS = 60.0


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """Telegram, as far as the bot can tell."""
    with BotApiServer(any_chat=True, slow_same_offset=False) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, server: BotApiServer) -> Path:
    """A home folder with the settings where they are found from anywhere, a bot in a folder of its own, and `syncbot` in a folder that is in no PATH."""
    settings = tmp_path / ".config" / "syncbot" / "env"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\nSYNCBOT_BASE_URL={server.url}\nSYNCBOT_CHAT=42\n")
    programs = tmp_path / "syncbot" / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "syncbot").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m syncbot.cli "$@"\n')
    (programs / "syncbot").chmod(0o755)
    (tmp_path / "mybot").mkdir()
    (tmp_path / "mybot" / "bot.py").write_text(BOT)
    return tmp_path


def _unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)  # a unit may name a setting several times
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep the case of names
    parser.read_string(UNIT.read_text())
    return parser


def _answers(server: BotApiServer) -> None:
    user = server.user(7, "Ann")
    user.send("Good morning")
    user.wait_for("Good morning", SECONDS)


# ── systemd ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_unit_has_the_sections_of_one() -> None:
    """The unit has systemd's three sections."""
    assert set(_unit()) == {"DEFAULT", "Unit", "Service", "Install"}


@pytest.mark.programs("systemd-analyze")
def test_the_unit_is_one_that_systemd_takes(home: Path) -> None:
    """systemd-analyze verify finds nothing to say about the unit, its paths being there."""
    unit = home / "mybot.service"
    (home / "mybot.env").touch()
    text = UNIT.read_text().replace("/opt/mybot/.venv", str(home / "syncbot" / ".venv")).replace("/opt/mybot", str(home / "mybot"))
    unit.write_text(text.replace("/etc/mybot.env", str(home / "mybot.env")))
    verify = ["systemd-analyze", "verify", "--man=no", str(unit)]
    ended = subprocess.run(verify, capture_output=True, text=True, env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
    assert [line for line in (ended.stdout + ended.stderr).splitlines() if "mybot" in line or str(home) in line] == []


def test_the_unit_leaves_little_exposed() -> None:
    """Each thing that a bot never needs is taken from it."""
    lines = UNIT.read_text().splitlines()
    for line in (
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources @keyring @memlock",
        "SystemCallErrorNumber=EPERM",
        "SystemCallArchitectures=native",
        "ProtectProc=invisible",
        "ProcSubset=pid",
        "LimitCORE=0",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "MemoryDenyWriteExecute=yes",
        "PrivateUsers=yes",
    ):
        assert lines.count(line) == 1, line


@pytest.mark.programs("systemd-analyze")
def test_systemd_finds_the_unit_little_exposed(tmp_path: Path) -> None:
    """systemd's own judgement of the unit stays below 1.6 of 10."""
    unit = tmp_path / "mybot.service"
    unit.write_text(UNIT.read_text())
    analyze = ["systemd-analyze", "security", "--offline=yes", "--threshold=16", "--no-pager", str(unit)]
    ended = subprocess.run(analyze, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-400:] + ended.stderr


@pytest.mark.programs("systemd-analyze")
def test_what_the_bot_asks_of_the_kernel_is_allowed() -> None:
    """Neither of the groups that the unit takes away from @system-service holds a call that Python's threads, files and sockets cannot do without."""
    allowed = _calls("@system-service")
    taken = set[str]().union(*(_calls(group) for group in ("@privileged", "@resources", "@keyring", "@memlock")))
    assert {*NEEDED.split()} <= allowed - taken


NEEDED = """
access arch_prctl bind brk chmod clone3 close connect epoll_create1 execve exit exit_group fchmod fcntl fdatasync flock fstat fsync ftruncate futex
getcwd getdents64 geteuid getpeername getpid getrandom getsockname getsockopt gettid ioctl lseek madvise mkdir mknodat mmap mprotect mremap munmap
newfstatat openat poll pread64 prlimit64 pwrite64 read readlink recvfrom rename rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sendto
set_robust_list set_tid_address setsockopt shutdown socket statx uname unlink write
"""
"""What a bot was seen to ask for (strace) from its start to its stop, with TLS, a SOCKS proxy, a state file, an update, an upload and a job."""


def _calls(group: str) -> set[str]:
    """The system calls of one of systemd's groups, and of those in it."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group], capture_output=True, text=True, check=True).stdout.split("\n")[1:]
    names = {line.strip() for line in listed if line.strip() and not line.strip().startswith("#")}
    return {name for name in names if name[0] != "@"}.union(*(_calls(name) for name in names if name[0] == "@"))


def test_each_line_that_the_guide_explains_stands_in_the_unit() -> None:
    """The table of systemd.md speaks of lines that are there."""
    lines = set(UNIT.read_text().splitlines())
    explained = re.findall(
        r"`(\w+=[^`]+)`", "\n".join(line.split("|")[1] for line in (ROOT / "docs/systemd.md").read_text().splitlines() if line.startswith("| `"))
    )
    assert len(explained) >= 7
    assert set(explained) <= lines


def test_the_unit_agrees_with_the_code() -> None:
    """No new start after exit codes that only somebody can mend; time to stop for the handlers' grace; a watchdog later than a slow handler."""
    service = _unit()["Service"]
    assert {int(code) for code in service["RestartPreventExitStatus"].split()} == {Exit.USAGE, Exit.REFUSED, Exit.CONFIG}
    defaults = _defaults()
    assert float(service["TimeoutStopSec"]) > 2 * defaults["grace"]
    assert float(service["WatchdogSec"]) >= defaults["handler_warn_after"]


def _defaults() -> dict[str, Any]:
    """The defaults of the runtime's options."""
    return {name: parameter.default for name, parameter in inspect.signature(Runtime).parameters.items()}


def test_the_service_tells_systemd_how_it_is(home: Path, server: BotApiServer) -> None:
    """What ExecStart runs, with what the unit gives it, says READY when it polls, WATCHDOG often enough, and STOPPING; then it ends with 0."""
    service = _unit()["Service"]
    assert service["Type"] == "notify"
    program, *arguments = service["ExecStart"].split()
    assert Path(program).name == "syncbot"
    address = home / "notify"
    heard: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        """Take each word at once, as systemd does: a socket that nobody reads is full with ten, and loses what follows."""
        while (said := manager.recv(4096).decode()) != "STOPPING=1":
            heard.put(said)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(SECONDS)
        listening = Background(listen)
        environment = {
            "PATH": "/usr/bin:/bin",
            "NOTIFY_SOCKET": str(address),
            "WATCHDOG_USEC": "300000",
            "TELEGRAM_BOT_TOKEN": TEST_TOKEN,
            "SYNCBOT_BASE_URL": server.url,
        }
        for assignment in service["Environment"].split():
            name, _, value = assignment.partition("=")
            environment[name] = value.replace("%S", str(home))
        process = subprocess.Popen(
            [str(home / "syncbot/.venv/bin/syncbot"), *arguments],
            cwd=home / "mybot",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert heard.get(timeout=SECONDS).startswith("READY=1\nSTATUS=polling")
            assert [heard.get(timeout=SECONDS) for _ in range(3)] == ["WATCHDOG=1"] * 3
            _answers(server)
        finally:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, out
        listening.result(SECONDS)
    assert (home / "mybot" / "bot.db").stat().st_mode & 0o777 == 0o600


# ── OpenWrt ──────────────────────────────────────────────────────────────────────────────────────────────────────────

PROCD = """
user_exists() { [ "$1" = "${2-$ACCOUNT}" ] && [ "$USERS" = here ]; }
group_exists() { user_exists "$1"; }
logger() { echo "log $*"; }
procd_open_instance() { echo "open $*"; }
procd_close_instance() { echo "close $*"; }
procd_set_param() { printf '%s' "$1"; shift; for word in "$@"; do printf '\\t%s' "$word"; done; echo; }
. "$1"
echo "USE_PROCD $USE_PROCD"
start_service
"""


def _started(users: str) -> subprocess.CompletedProcess[str]:
    """What the script does, with its user there ("here") or not."""
    return subprocess.run(["sh", "-eu", "-c", PROCD, "rc.common", str(INIT)], capture_output=True, text=True, env={**os.environ, "USERS": users})


def _instance() -> dict[str, list[str]]:
    """What the init script tells procd."""
    ended = _started("here")
    assert ended.returncode == 0, ended.stderr
    out = ended.stdout.splitlines()
    assert out[0] == "USE_PROCD 1"
    assert (out[1].split()[0], out[-1].split()[0]) == ("open", "close")
    return {line.split("\t")[0]: line.split("\t")[1:] for line in out[2:-1]}


def test_the_init_script_is_one_of_openwrts() -> None:
    """It begins as rc.common wants it, can be run, and the guide copies it from where it is."""
    assert INIT.read_text().startswith("#!/bin/sh /etc/rc.common\n")
    assert os.access(INIT, os.X_OK)
    assert re.search(r"^START=\d+$", INIT.read_text(), re.MULTILINE)


def test_the_bot_is_not_root_on_a_router() -> None:
    """procd gets a user and a group of the bot's own, no new privileges and no core files; where the user is not there, nothing is started, and it is said."""
    told = _instance()
    assert (told["user"], told["group"]) == (["mybot"], ["mybot"])
    assert told["no_new_privs"] == ["1"]
    assert told["limits"] == ["core=0 0"]
    assert "HOME=/opt/mybot/state" in told["env"]
    without = _started("away")
    assert without.returncode == 1
    assert not re.search("^(open|command)", without.stdout, re.MULTILINE)
    assert "there is no user or no group mybot" in without.stdout
    guide = (ROOT / "docs" / "openwrt.md").read_text()
    for line in ("user_add mybot ", "group_add mybot ", "chown mybot:mybot /etc/mybot.env /opt/mybot/state", "chmod 700 /opt/mybot/state"):
        assert f"\n{line}" in guide


def test_procd_starts_a_bot_that_answers(home: Path, server: BotApiServer) -> None:
    """The command and the environment that procd gets run the bot from any folder; a respawn has no limit; the time to stop is longer than the grace."""
    told = _instance()
    assert told["respawn"][2] == "0"
    assert float(told["term_timeout"][0]) > _defaults()["grace"]
    assert told["stderr"] == ["1"]
    program, *arguments = told["command"]
    assert Path(program).name == "syncbot"
    arguments = [str(home / ".config/syncbot/env") if argument == "/etc/mybot.env" else argument for argument in arguments]
    given = dict(assignment.split("=", 1) for assignment in told["env"])
    environment = {name: value.replace("/opt/mybot", str(home / "mybot")) for name, value in given.items()}
    process = subprocess.Popen(
        [str(home / "syncbot/.venv/bin/syncbot"), *arguments], cwd="/", env={"PATH": "/usr/bin:/bin", **environment}, stderr=subprocess.PIPE, text=True
    )
    try:
        _answers(server)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err


# ── cron ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _cron(home: Path, line: str, *, with_home: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a line as cron does: /bin/sh, the home folder, and next to no environment."""
    environment = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "me", "LANG": "C"} | ({"HOME": str(home)} if with_home else {})
    line = line.replace("/home/me/", f"{home}/")
    return subprocess.run(["/bin/sh", "-c", line], cwd=home, env=environment, capture_output=True, text=True, timeout=100)


def _crontab_lines() -> list[str]:
    text = (ROOT / "docs" / "cron.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```crontab\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]
    return [re.sub(r"^(\S+\s+){5}", "", line) for line in lines]


def _line_with(words: str) -> str:
    return next(line for line in _crontab_lines() if words in line)


def test_an_alert_is_sent_from_cron_in_any_locale(home: Path, server: BotApiServer) -> None:
    """A job that fails sends its alert with nothing of the shell's environment, silently; umlauts and emoji survive the locale C."""
    line = _line_with("backup.sh || ")
    assert (home / "backup.sh").write_text("#!/bin/sh\nexit 1\n")
    (home / "backup.sh").chmod(0o755)
    ended = _cron(home, line.replace("$(hostname)", "Zürich 🚀"))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert server.count_text("The backup of Zürich 🚀 failed.") == 1


def test_nothing_is_sent_when_the_job_went_well(home: Path, server: BotApiServer) -> None:
    """The same line with a job that ends with 0 sends nothing."""
    (home / "backup.sh").write_text("#!/bin/sh\nexit 0\n")
    (home / "backup.sh").chmod(0o755)
    assert _cron(home, _line_with("backup.sh || ")).returncode == 0
    assert server.count() == 0


def test_the_output_of_a_command_is_sent(home: Path, server: BotApiServer) -> None:
    """df -h | syncbot send --pre sends what df says."""
    assert _cron(home, _line_with("df -h")).returncode == 0
    assert "Filesystem" in server.sent[0].text


def test_what_is_queued_is_delivered_by_a_later_line(home: Path, server: BotApiServer) -> None:
    """With no way to Telegram send --queue ends with 0 and nothing sent; the line with outbox flush delivers it later, silently."""
    with FaultProxy() as proxy, proxy.refuse_connections():
        queued = _cron(home, f"SYNCBOT_PROXY={proxy.url} /home/me/syncbot/.venv/bin/syncbot send --queue --timeout 1 'The backup failed.'")
    assert queued.returncode == 0, queued.stderr
    assert server.count("sendMessage") == 0
    flushed = _cron(home, _line_with("outbox flush"))
    assert (flushed.returncode, flushed.stdout, flushed.stderr) == (0, "", "")
    assert server.count_text("The backup failed.") == 1


def test_a_whole_bot_runs_from_cron(home: Path, server: BotApiServer) -> None:
    """The line with poll --once handles what waits, confirms it, and ends in silence; a second run finds nothing."""
    user = server.user(7, "Ann")
    user.send("Good morning")
    line = _line_with("poll bot:app")
    ended = _cron(home, line)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert [message.text for message in user.messages] == ["Good morning"]
    assert server.pending_updates == []
    assert _cron(home, line).returncode == 0
    assert len(user.messages) == 1


def _guides_bot() -> str:
    return next(block.text for block in blocks("python") if block.guide.name == "cron.md")


def test_a_run_that_overlaps_ends_with_75(home: Path, server: BotApiServer) -> None:
    """While another process handles the bot's updates, the line from cron says so in one line and ends with 75."""
    running = subprocess.Popen(
        [home / "syncbot/.venv/bin/syncbot", "run", "bot:app"], cwd=home / "mybot", env={"HOME": str(home), "PATH": "/usr/bin:/bin"}, stderr=subprocess.DEVNULL
    )
    try:
        server.wait_polled(SECONDS)
        ended = _cron(home, _line_with("poll bot:app"))
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(SECONDS)
    assert ended.returncode == 75
    assert ended.stderr.startswith("syncbot: another process handles the updates of bot 123456789")


def test_the_monitor_alerts_from_cron_once(home: Path, server: BotApiServer) -> None:
    """The line with monitor --once --alert looks at the guide's own bot: nothing while it is well, and one message when it is not."""
    (home / "mybot" / "bot.py").write_text(_guides_bot())
    assert _cron(home, _line_with("poll bot:app")).returncode == 0
    line = _line_with("monitor --once")
    well = _cron(home, line)
    assert (well.returncode, well.stdout, well.stderr) == (0, "", "")
    assert server.count("sendMessage") == 0
    for _ in range(2):
        assert _cron(home, line.replace("--once", "--once --max-silence 0.001")).returncode == 1
    assert server.count("sendMessage") == 1
    assert server.sent[0].chat_id == 123456789


def test_the_home_folder_is_found_without_home(home: Path, server: BotApiServer, tmp_path: Path) -> None:
    """Where HOME is not set, the user database says where the settings are looked for: the error names that place."""
    ended = _cron(home, "cd / && /home/me/syncbot/.venv/bin/syncbot send --chat 42 Hello", with_home=False)
    assert ended.returncode == 78
    assert re.search(r"put it into /\.env or /\S+/\.config/syncbot/env", ended.stderr)
