"""Conversations that are led by one process after the other."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from kits.runtime_kit import PROGRAM, SECONDS, Process, becomes, program_arguments, starter

from syncbot.storage import open_store
from syncbot.testing import BotApiServer

APP = """
app = Runtime(bot, state=STATE, workers=2, types=False)
@app.command('go')
def go(update, context):
    greeting = context.once('greeting', lambda: f'Hello from {os.getpid()}')
    answers = [context.ask(f'{number}?').text for number in range(int(context.args[0]))]
    context.reply('+'.join([*answers, greeting]))
"""


@pytest.mark.slow
def test_twenty_processes_in_the_middle(server: BotApiServer, tmp_path: Path) -> None:
    """Each of twenty answers is brought to another process, every second one after a kill -9: each question is asked once, and no answer is lost."""
    state, user = tmp_path / "bot.db", server.user(id=42)
    begins, said = 0, "/go 20"
    for number in range(20):
        user.send(said)
        with Process(f"{PROGRAM}{APP}app.run()\n", *program_arguments(server, state)) as process:
            begins = begins or process.process.pid
            user.wait_for(f"{number}?", timeout=SECONDS)
            assert becomes(lambda number=number: _questions(state) == [2 * number + 2])  # type: ignore[misc]  # mypy knows no defaults of lambdas
            process.signal(signal.SIGKILL if number % 2 else signal.SIGTERM)
            assert process.end()[0] == (-signal.SIGKILL if number % 2 else 0)
        said = str(number)
    user.send(said)
    with Process(f"{PROGRAM}{APP}app.run()\n", *program_arguments(server, state)):
        user.wait_for(_the_end(20, begins), timeout=SECONDS)
        assert becomes(lambda: _questions(state) == [])
    assert [message.text for message in user.messages] == [*(f"{number}?" for number in range(20)), _the_end(20, begins)]


def test_a_process_of_syncbot_poll_for_each_answer(server: BotApiServer, tmp_path: Path) -> None:
    """`syncbot poll --once` alone leads the same conversation: each process takes one answer, asks the next question and ends."""
    state, user = tmp_path / "bot.db", server.user(id=42)
    source = PROGRAM.replace("sys.argv[1:4]", repr(tuple(program_arguments(server, state))))
    (tmp_path / "crontab_bot.py").write_text(source + APP, encoding="utf-8")
    said = "/go 3"
    for number in range(3):
        user.send(said)
        assert _poll(tmp_path) == (0, "")
        assert (user.messages[-1].text, _questions(state)) == (f"{number}?", [2 * number + 2])
        said = str(number)
    assert _poll(tmp_path) == (0, "")  # nothing has come
    user.send(said)
    assert _poll(tmp_path) == (0, "")
    texts = [message.text or "" for message in user.messages]
    assert texts == [*(f"{number}?" for number in range(3)), _the_end(3, int(texts[-1].rpartition(" ")[2]))]
    assert _questions(state) == []


def _the_end(answers: int, begins: int) -> str:
    """What the bot says in the end, with the process that has begun the conversation."""
    return "+".join([*map(str, range(answers)), f"Hello from {begins}"])


def _questions(state: Path) -> list[int]:
    """The steps of the questions that are open."""
    with open_store(state, None) as store:
        return [question.step for question in store.questions.entries()]


def _poll(folder: Path) -> tuple[int, str]:
    """Run a process from cron; its exit code, and what it has said."""
    code, output, errors = starter().outcome("syncbot.cli:main", ["-c", "poll", "crontab_bot:app", "--once"], cwd=folder, timeout=SECONDS)
    return code, (output + errors).decode()
