"""`syncbot run-telebot`: programs that were written for pyTelegramBotAPI, as they are, through restarts, kills and conflicts."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kits.adapters_kit import becomes
from kits.fork_kit import LOADED, Forked, Starter
from kits.ports_kit import free_port

from syncbot import Bot
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy, TestCA, User

Start = Callable[..., Forked]

BOT = f"""
import os, signal, sys
import telebot
from telebot import custom_filters
from telebot.handler_backends import State, StatesGroup

bot = telebot.TeleBot("{TEST_TOKEN}")


class Order(StatesGroup):
    size = State()


@bot.message_handler(commands=["start"])
def start(message):
    bot.register_next_step_handler(bot.reply_to(message, "Your name?"), name, "Hello")


def name(message, greeting):
    if message.text == "die" and not os.path.exists("died"):
        open("died", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    bot.send_message(message.chat.id, f"{{greeting}}, {{message.text}}!")


@bot.message_handler(commands=["order"])
def order(message):
    bot.set_state(message.from_user.id, Order.size, message.chat.id)
    bot.add_data(message.from_user.id, message.chat.id, item="coat")
    bot.send_message(message.chat.id, "Which size?")


@bot.message_handler(state=Order.size)
def size(message):
    with bot.retrieve_data(message.from_user.id, message.chat.id) as data:
        bot.send_message(message.chat.id, f"A {{data['item']}} in {{message.text}}")
    bot.delete_state(message.from_user.id, message.chat.id)


@bot.message_handler(commands=["fail"])
def fail(message):
    raise ValueError("as asked")


@bot.message_handler(commands=["stop"])
def stop(message):
    bot.stop_polling()


@bot.message_handler(func=lambda message: True)
def echo(message):
    bot.send_message(message.chat.id, f"{{' '.join(sys.argv[1:])}} {{message.text}}".strip())


bot.add_custom_filter(custom_filters.StateFilter(bot))

if __name__ == "__main__":
    bot.infinity_polling(skip_pending=False)
    print("the end")
"""


@pytest.fixture(autouse=True)
def program(environment: dict[str, str]) -> None:
    """A bot in the working folder."""
    Path("bot.py").write_text(BOT)


@pytest.fixture(scope="module")
def starter() -> Iterator[Starter]:
    """What starts the command: it has loaded telebot, too."""
    starter = Starter(*LOADED, "syncbot.cli.programs.run_telebot", "syncbot.adapters.telebot_polling", "telebot.custom_filters")
    yield starter
    starter.close()


@pytest.fixture
def start(environment: dict[str, str], starter: Starter) -> Iterator[Start]:
    """Starts the command, which goes on running."""
    started: list[Forked] = []

    def begin(*argv: str, **more: str) -> Forked:
        command = ["-c", "run-telebot", "--state", "bot.db", *(argv or ("bot.py",))]
        started.append(starter.start("syncbot.cli:main", command, env={**os.environ, **more}))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: Forked, by: signal.Signals = signal.SIGTERM) -> str:
    """End it, and return its log."""
    process.send_signal(by)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "the end\n"), err
    return err


def test_a_program_runs_unchanged_until_a_signal(start: Start, server: BotApiServer, user: User) -> None:
    """It answers, has its own arguments, goes on after its code where `infinity_polling` returns, and what it handled is confirmed."""
    process = start("bot.py", "--loud", "you said")
    user.send("hello")
    user.wait_for("--loud you said hello", timeout=40.0)
    server.wait_confirmed(timeout=30.0)
    assert "Traceback" not in ended(process)
    assert server.recorder.max_requests_per_connection == 1


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_next_steps_and_states_outlive_the_process(start: Start, server: BotApiServer, user: User, by: signal.Signals) -> None:
    """Both conversations go on in the next process, with their arguments and data, whether the first one was ended or killed."""
    other = server.user(1002, "Bob")
    first = start()
    user.send("/start")
    other.send("/order")
    user.wait_for("Your name?", timeout=40.0)
    other.wait_for("Which size?", timeout=40.0)
    server.wait_confirmed(timeout=30.0)
    first.send_signal(by)
    first.communicate(timeout=60)
    second = start()
    user.send("Ann")
    other.send("M")
    user.wait_for("Hello, Ann!", timeout=40.0)
    other.wait_for("A coat in M", timeout=40.0)
    user.send("and now")
    user.wait_for("and now", timeout=40.0)
    ended(second)


def test_an_update_whose_step_died_is_handled_by_its_step_again(start: Start, server: BotApiServer, user: User) -> None:
    """Killed in the middle of the step, confirmed already: the next start takes the same step with the same message."""
    first = start()
    user.send("/start")
    user.wait_for("Your name?", timeout=40.0)
    user.send("die")
    first.communicate(timeout=60)
    second = start()
    user.wait_for("Hello, die!", timeout=60.0)
    ended(second)


def test_an_update_whose_handler_died_finds_the_state_as_it_was(start: Start, server: BotApiServer, user: User) -> None:
    """Killed when it had left the state already: the next start handles the message in that state again, with its data."""
    kill = """    if not os.path.exists("died"):
        open("died", "w").close()
        bot.delete_state(message.from_user.id, message.chat.id)
        os.kill(os.getpid(), signal.SIGKILL)
"""
    Path("bot.py").write_text(BOT.replace("def size(message):\n", f"def size(message):\n{kill}"))
    first = start()
    user.send("/order")
    user.wait_for("Which size?", timeout=40.0)
    user.send("M")
    first.communicate(timeout=60)
    second = start()
    user.wait_for("A coat in M", timeout=60.0)
    user.send("and now")
    user.wait_for("and now", timeout=60.0)
    ended(second)


WATCHDOG = {
    "psutil.py": "",
    "watchdog/events.py": "class FileSystemEvent:\n    pass\n\n\nclass FileSystemEventHandler:\n    pass\n",
    "watchdog/observers.py": """
import os, threading
from watchdog.events import FileSystemEvent

class Observer:
    def schedule(self, handler, path, recursive):
        self.handler = handler

    def start(self):
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        before = os.stat("bot.py").st_mtime_ns
        self.say("modified", "./bot.db-wal")
        self.say("attrib", "./.bot.db-news")
        self.say("modified", ".", is_directory=True)
        self.say("opened", "./bot.py")
        while os.stat("bot.py").st_mtime_ns == before:
            threading.Event().wait(0.05)
        self.say("modified", "./bot.py")

    def say(self, kind, path, is_directory=False):
        event = FileSystemEvent()
        event.event_type, event.src_path, event.is_directory = kind, path, is_directory
        self.handler.on_any_event(event)
""",
}
"""In the place of the libraries that telebot wants for this, with as much of them as it asks for."""


def test_a_program_that_restarts_on_change_is_started_as_it_was(start: Start, server: BotApiServer, user: User) -> None:
    """Its new text runs with the same command, and so goes on with the conversation; what syncbot itself writes and what is only read restart nothing."""
    for name, text in WATCHDOG.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    program = BOT.replace("skip_pending=False", "skip_pending=False, restart_on_change=True")
    program = program.replace('if __name__ == "__main__":', 'if __name__ == "__main__":\n    open("starts", "a").write("1")')
    Path("bot.py").write_text(program)
    process = start()
    user.send("/start")
    user.wait_for("Your name?", timeout=40.0)
    server.wait_confirmed(timeout=30.0)
    assert Path("starts").read_text() == "1"
    Path("new.py").write_text(program.replace("{greeting}", "{greeting} again"))
    Path("new.py").replace("bot.py")
    assert becomes(lambda: Path("starts").read_text() == "11", 40.0)
    user.send("Ann")
    user.wait_for("Hello again, Ann!", timeout=60.0)
    ended(process)


def test_a_change_before_the_first_poll_restarts_too(start: Start, server: BotApiServer, user: User) -> None:
    """It is told of while the program only begins to poll: that ends all the same, and the program is started again."""
    early = """
    def start(self):
        if open("starts").read() == "1":
            told = threading.Thread(target=self.say, args=("modified", "./bot.py"), daemon=True)
            told.start()
            told.join(0.5)  # it goes on until the polling has ended
"""
    observers = WATCHDOG["watchdog/observers.py"]
    own = observers[observers.index("    def start") : observers.index("    def watch")]
    for name, text in WATCHDOG.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text.replace(own, f"{early}\n"))
    program = BOT.replace("skip_pending=False", "skip_pending=False, restart_on_change=True")
    Path("bot.py").write_text(program.replace('if __name__ == "__main__":', 'if __name__ == "__main__":\n    open("starts", "a").write("1")'))
    process = start()
    assert becomes(lambda: Path("starts").exists() and Path("starts").read_text() == "11", 40.0)
    user.send("/start")
    user.wait_for("Your name?", timeout=60.0)
    ended(process)


WEBHOOK = """
import flask

app = flask.Flask(__name__)


@app.post("/hook")
def hook():
    bot.process_new_updates([telebot.types.Update.de_json(flask.request.get_data().decode())])
    return ""


app.run(port=int(sys.argv[1]))
"""


def test_a_program_with_a_webhook_has_durable_memories_too(start: Start, server: BotApiServer, user: User) -> None:
    """A program of Flask's that hands its updates to telebot: killed between question and answer, it goes on with the name and with the size."""
    Path("bot.py").write_text(BOT[: BOT.index("if __name__")].replace(f'"{TEST_TOKEN}"', f'"{TEST_TOKEN}", threaded=False') + WEBHOOK)
    other = server.user(1002, "Bob")
    port = free_port()
    with Bot(TEST_TOKEN, base_url=server.url) as bot:
        bot.call("setWebhook", url=f"http://127.0.0.1:{port}/hook")
    first = start("bot.py", str(port))
    user.send("/start")
    other.send("/order")
    server.deliver_webhook(first_delay=0.2, max_delay=0.5)
    user.wait_for("Your name?", timeout=40.0)
    other.wait_for("Which size?", timeout=40.0)
    server.wait_confirmed(timeout=30.0)
    first.kill()
    first.communicate(timeout=60)
    start("bot.py", str(port))
    user.send("Ann")
    other.send("M")
    user.wait_for("Hello, Ann!", timeout=60.0)
    other.wait_for("A coat in M", timeout=60.0)


def test_a_handler_that_fails_ends_nothing(start: Start, server: BotApiServer, user: User) -> None:
    """The log tells of it, its update lies among the dead letters, and the next message is answered."""
    process = start()
    user.send("/fail")
    user.send("still there?")
    user.wait_for("still there?", timeout=40.0)
    assert "ValueError: as asked" in ended(process)


def test_a_second_poller_is_told_of_with_words(start: Start, server: BotApiServer, user: User) -> None:
    """A 409 is no exception and no loop at full speed: the log says what is likely, and the bot goes on when it is over."""
    server.script("getUpdates", Answer.error(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"))
    process = start()
    user.send("hello")
    user.wait_for("hello", timeout=60.0)
    assert "another getUpdates of this bot is running (409)" in ended(process)


def test_stop_polling_in_a_handler_ends_the_program(start: Start, server: BotApiServer, user: User) -> None:
    """`infinity_polling` returns at once, and what comes behind it runs."""
    process = start()
    user.send("/stop")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "the end\n"), err


def test_through_a_proxy_that_cuts_handshakes(start: Start, ca: TestCA) -> None:
    """A tenth of the TLS handshakes is cut, those of polls among them: each of 30 messages is answered once, in order."""
    with BotApiServer(tls=True, ca=ca, slow_same_offset=False) as api, FaultProxy(faults=[Fault.tls_drop()], rate=0.1, seed=5) as proxy:
        user = api.user()
        process = start(SYNCBOT_PROXY=proxy.url, SYNCBOT_BASE_URL=api.url, SYNCBOT_CA_FILE=api.ca_file)
        for number in range(30):
            user.send(f"message {number}")
        user.wait_for("message 29", timeout=60.0)
        assert [message.text for message in api.sent] == [f"message {number}" for number in range(30)]
        assert proxy.struck["tls_drop"] >= 1
        ended(process)


def test_a_programs_own_signal_handler_is_what_ends_it(start: Start, server: BotApiServer, user: User) -> None:
    """One that was set before the polling keeps its place."""
    own = 'import signal\nsignal.signal(signal.SIGTERM, lambda *_: (print("own", flush=True), bot.stop_polling()))\n'
    Path("bot.py").write_text(BOT.replace("if __name__", own + "if __name__"))
    process = start()
    user.send("hello")
    user.wait_for("hello", timeout=40.0)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "own\nthe end\n"), err


@pytest.mark.parametrize(("argv", "words"), [(("none.py",), "there is no program none.py"), (("--state",), "requires an argument")])
def test_a_wrong_command_line(start: Start, argv: tuple[str, ...], words: str) -> None:
    """It says what is wrong, and ends with 2."""
    process = start(*argv)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert words in err


def test_a_program_that_raises_shows_where(start: Start) -> None:
    """Its traceback is what Python's own would be for the one who wrote it."""
    Path("bot.py").write_text("import telebot\n\ndef work():\n    raise LookupError('nothing there')\n\nwork()\n")
    process = start()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "LookupError: nothing there" in err
    assert 'bot.py", line 4, in work' in err


def test_an_asynchronous_bot_is_told_that_nothing_is_done_for_it(start: Start) -> None:
    """It runs as it would by itself, and somebody thinks it does better."""
    Path("bot.py").write_text("from telebot.async_telebot import AsyncTeleBot\n")
    process = start()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (
        0,
        "syncbot: bot.py names async_telebot: this is for TeleBot, and AsyncTeleBot keeps telebot's own connections and its own polling\n",
    )


def test_a_bot_that_polls_in_a_thread_goes_on_after_the_programs_last_line(start: Start, server: BotApiServer, user: User) -> None:
    """As under Python itself: the process lives until the thread ends, by `stop_polling` here."""
    in_thread = "    import threading\n    threading.Thread(target=bot.infinity_polling).start()\n"
    Path("bot.py").write_text(BOT[: BOT.index("    bot.infinity_polling")] + in_thread)
    process = start()
    user.send("hello")
    user.wait_for("hello", timeout=40.0)
    user.send("/start")
    user.wait_for("Your name?", timeout=40.0)
    user.send("Ann")
    user.wait_for("Hello, Ann!", timeout=40.0)
    user.send("/stop")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
