"""A runtime and forks: a pre-forking server starts it in its children, or forks while it runs."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from kits.runtime_kit import PROGRAM, SECONDS, Process, program_arguments

from syncbot.storage import open_store
from syncbot.testing import BotApiServer

BOT = (
    PROGRAM
    + """
app = Runtime(bot, state=STATE, standby=len(sys.argv) > 4)
@app.message()
def handler(update, context):
    context.reply(f"{os.getpid()} {update.message.text}")
"""
)


def test_a_child_of_a_running_runtime_has_none(server: BotApiServer, tmp_path: Path) -> None:
    """The parent's start is not the child's: it does not run there, its stop and its end touch nothing, and the parent goes on."""
    source = (
        BOT
        + """
app.start()
app.bot.call("getMe")
child = os.fork()
if not child:
    say("child", app.health()["running"])
    try:
        app.start()
    except Exception as error:
        say(type(error).__name__)
    app.stop()
    app.join()
    app.bot.call("getMe")
    say("child calls")
    import gc
    gc.collect()
    sys.exit(0)  # the orderly end, with all exit handlers
say("child ended with", os.waitpid(child, 0)[1])
sys.stdin.readline()
app.stop()
say("stopped")
"""
    )
    user = server.user(id=42)
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        assert [process.line() for _ in range(4)] == ["child False", "AlreadyRunning", "child calls", "child ended with 0"]
        user.send("hi")
        user.wait_for(f"{process.process.pid} hi", timeout=SECONDS)
        process.say("stop")
        assert process.end()[:2] == (0, "stopped\n")


def test_children_start_their_own_after_a_fork(server: BotApiServer, tmp_path: Path) -> None:
    """Three pre-forked children start the inherited runtime with standby: one polls, and when it is killed another takes over."""
    source = (
        BOT
        + """
bot.call("getMe")  # the parent used the bot before
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        app.start()
        os.write(1, b"child\\n")  # at once: three of them write at the same time
        app.join()
        os._exit(0)
    children.append(child)
while (line := sys.stdin.readline().strip()) != "end":
    os.kill(int(line), 9)
    os.waitpid(int(line), 0)
    children.remove(int(line))
    say("ended")
for child in children:
    os.kill(child, 9)
    os.waitpid(child, 0)
"""
    )
    user = server.user(id=42)
    with Process(source, *program_arguments(server, tmp_path / "bot.db"), "standby") as process:
        assert [process.line() for _ in range(3)] == ["child"] * 3
        seen = set()
        for n in range(3):
            user.send(f"question {n}")
            # Not counted: one that is killed between its reply and the end of its handler leaves the question to the next, who answers it again.
            pid = user.wait_for(re.compile(f" question {n}$"), timeout=SECONDS).text.split()[0]
            seen.add(pid)
            process.say(pid)
            assert process.line() == "ended"  # else it might answer the next question too
        assert len(seen) == 3
        process.say("end")
        process.process.wait(SECONDS)


def test_a_child_starts_its_own_after_the_parent_has_stopped(server: BotApiServer, tmp_path: Path) -> None:
    """Stopped in the parent, started in the child: the state goes on, and the parent's threads are not missed."""
    source = (
        BOT
        + """
app.start()
sys.stdin.readline()
app.stop()
child = os.fork()
if not child:
    app.start()
    sys.stdin.readline()
    app.stop()
    sys.exit(0)
say(child)
say(os.waitpid(child, 0)[1])
"""
    )
    user = server.user(id=42)
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        user.send("one")
        user.wait_for(f"{process.process.pid} one", timeout=SECONDS)
        process.say("fork")
        child = process.line()
        user.send("two")
        user.wait_for(f"{child} two", timeout=SECONDS)
        process.say("end")
        assert process.end()[:2] == (0, "0\n")
    with open_store(tmp_path / "bot.db", None) as store:
        assert store.inbox.counts().running == 0


@pytest.mark.parametrize("messages", [8, pytest.param(20, marks=pytest.mark.slow)])
def test_forks_under_traffic_harm_nothing(server: BotApiServer, tmp_path: Path, messages: int) -> None:
    """Handlers that start programs (a fork each) at all times: every message is answered once, in order."""
    source = (
        PROGRAM
        + """
import subprocess
app = Runtime(bot, state=STATE, types=False)
@app.message()
def handler(update, context):
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    context.chat_data["last"] = update.message.text
    context.reply(update.message.text)
app.run()
"""
    )
    users = [server.user(id=n) for n in range(1, 6)]
    with Process(source, *program_arguments(server, tmp_path / "bot.db")) as process:
        for n in range(messages):
            for user in users:
                user.send(str(n))
        for user in users:
            user.wait_for(str(messages - 1), timeout=60)
            assert [message.text for message in user.messages] == [str(n) for n in range(messages)]
        process.signal(signal.SIGTERM)
        code, _, errors = process.end()
    assert code == 0, errors
