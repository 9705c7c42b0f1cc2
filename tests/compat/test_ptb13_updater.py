"""`Updater` of python-telegram-bot 13 on syncbot's runtime: programs started as their users start them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kits.ports_kit import free_port
from kits.ptb13.running import HEAD, TAIL, Run

from syncbot.testing import Answer, BotApiServer, FaultProxy

ECHO = """
def echo(update, context):
    update.message.reply_text(update.message.text)

updater = Updater(TOKEN, base_url=BASE)
updater.dispatcher.add_handler(MessageHandler(Filters.text & ~Filters.command, echo))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_runs_unchanged_until_a_signal(server: BotApiServer, run: Run, number: int) -> None:
    """It echoes, and its end at a signal is one in peace: idle() returns, and nothing keeps the process."""
    program = run(
        ECHO,
        sys.executable,
        "-m",
        "syncbot.compat.ptb13",
        tail=TAIL + 'print("today\'s:", [name for name in sys.modules if name.startswith("telegram.ext._")], flush=True)',
    )
    ann = server.user()
    ann.send("Hello")
    ann.wait_for("Hello")
    assert program.stop(number) == 0, program.output
    assert program.output == "today's: []\n"
    server.wait_closed()


def test_one_line_installs_it_for_services(server: BotApiServer, run: Run) -> None:
    """`import syncbot.compat.ptb13.install` before the others, and the program is started by Python itself."""
    program = run(ECHO, sys.executable, head="import syncbot.compat.ptb13.install\n" + HEAD)
    ann = server.user()
    ann.send("Hello")
    ann.wait_for("Hello")
    assert program.stop() == 0


def test_the_line_that_comes_too_late_is_refused(run: Run) -> None:
    """Where today's telegram.ext has been imported already, half of a program would meet the one, half the other."""
    program = run("", sys.executable, head="import telegram.ext\nimport syncbot.compat.ptb13.install\n", tail="", polls=False)
    assert program.process.wait(30) == 1
    assert "import syncbot.compat.ptb13.install first" in program.output


def test_the_command_runs_a_program_with_its_arguments(server: BotApiServer, run: Run) -> None:
    """`syncbot run-ptb13`: the file's folder is where its own modules are found, and sys.argv is its own."""
    program = run(
        """
        import helper
        print(sys.argv, __name__, flush=True)
        updater = Updater(TOKEN, base_url=BASE)
        """,
        *(sys.executable, "-c", "import pathlib, sys; pathlib.Path('helper.py').write_text('x = 1'); from syncbot.cli import main; main()", "run-ptb13"),
    )
    assert program.stop() == 0
    assert program.output == "['bot.py'] __main__\n"


def test_without_idle_the_process_goes_on(server: BotApiServer, run: Run) -> None:
    """As the threads of 13 did, those of here hold the process; stop() ends it, also from a handler's thread."""
    program = run(
        """
        updater = Updater(TOKEN, base_url=BASE)

        def stop(update, context):
            update.message.reply_text("bye")
            threading.Thread(target=updater.stop).start()

        updater.dispatcher.add_handler(CommandHandler("stop", stop))
        updater.start_polling()
        """,
        tail="",
    )
    server.user().send("/stop")
    server.wait_for("bye")
    assert program.process.wait(30) == 0


def test_the_first_handler_may_stop_it(server: BotApiServer, run: Run) -> None:
    """Also where it runs before start_polling() has returned."""
    program = run(
        """
        asked, over = threading.Event(), threading.Event()

        def stop(update, context):
            def ask():
                asked.set()
                updater.stop()
                over.set()
            threading.Thread(target=ask).start()

        def slowly(frame, event, value):
            if frame.f_code.co_name != "_start" or not frame.f_code.co_filename.endswith("updater.py"):
                return None
            if not asked.is_set() and "syncbot-supervisor" in {thread.name for thread in threading.enumerate()}:
                asked.wait(20)
                over.wait(0.3)  # of a stop that waits for nobody
            return slowly

        updater = Updater(TOKEN, base_url=BASE)
        updater.dispatcher.add_handler(CommandHandler("stop", stop))
        sys.settrace(slowly)
        """,
        polls=False,
    )
    server.user().send("/stop")
    assert program.process.wait(30) == 0, program.output


def test_it_can_be_started_again(server: BotApiServer, run: Run) -> None:
    """start_polling() says None where it runs already; after a stop it runs again, with the same handlers."""
    program = run(
        ECHO
        + """
first = updater.start_polling()
print(updater.start_polling(), first is updater.update_queue, updater.running, flush=True)
updater.stop()
print(updater.running, flush=True)
"""
    )
    ann = server.user()
    ann.send("Hello")
    ann.wait_for("Hello")
    assert program.stop() == 0
    assert program.output == "None True True\nFalse\n"


def test_a_function_with_run_async_holds_up_nobody(server: BotApiServer, run: Run) -> None:
    """Not even its own chat: a later command can end it; its errors are told, and at the stop it has its time."""
    program = run(
        """
        go = threading.Event()

        def slow(update, context):
            update.message.reply_text("begun")
            go.wait(20)
            update.message.reply_text("ended")
            raise ValueError("as asked")

        def cancel(update, context):
            update.message.reply_text("cancelled")
            go.set()  # last: the other thread says "ended" at once

        def failed(update, context):
            update.message.reply_text(f"told of {context.error!r}")

        updater = Updater(TOKEN, base_url=BASE)
        updater.dispatcher.add_handler(CommandHandler("slow", slow, run_async=True))
        updater.dispatcher.add_handler(CommandHandler("cancel", cancel))
        updater.dispatcher.add_error_handler(failed)
        """
    )
    ann = server.user()
    ann.send("/slow")
    ann.wait_for("begun")
    ann.send("/cancel")
    ann.wait_for("cancelled")
    ann.wait_for("ended")
    ann.wait_for(re.compile("told of ValueError"))
    assert program.stop() == 0


def test_handlers_meet_each_other_only_where_the_program_says_so(server: BotApiServer, run: Run) -> None:
    """As in 13 one runs at a time; with `handlers_at_once` those of several chats do."""
    body = """
        both = threading.Barrier(2)

        def handle(update, context):
            try:
                both.wait({seconds})
            except threading.BrokenBarrierError:
                both.reset()
                update.message.reply_text("alone")
            else:
                update.message.reply_text("together")

        updater = Updater(TOKEN, base_url=BASE, {option})
        updater.dispatcher.add_handler(MessageHandler(Filters.text, handle))
        """
    for option, seconds, text in (("", 0.2, "alone"), ("handlers_at_once=2", 20, "together")):
        program = run(body.format(option=option, seconds=seconds))
        people = [server.user(), server.user()]
        for one in people:
            one.send("x")
        for one in people:
            one.wait_for(text)
        assert program.stop() == 0


def test_what_is_put_into_the_queue_is_handled(server: BotApiServer, run: Run) -> None:
    """Texts and objects of the program's own, by the handlers for these."""
    program = run(
        """
        updater = Updater(TOKEN, base_url=BASE)
        updater.dispatcher.add_handler(StringCommandHandler("tell", lambda text, context: context.bot.send_message(int(context.args[0]), "told")))
        updater.dispatcher.add_handler(CommandHandler("queue", lambda update, context: context.update_queue.put(f"/tell {update.message.chat_id}")))
        """
    )
    ann = server.user()
    ann.send("/queue")
    ann.wait_for("told")
    assert program.stop() == 0


def test_old_callbacks(server: BotApiServer, run: Run) -> None:
    """`use_context=False` calls callback(bot, update) with what the handler says, and error handlers with the error."""
    program = run(
        """
        def add(bot, update, args, user_data, chat_data):
            user_data.setdefault("words", []).extend(args)
            chat_data["n"] = chat_data.get("n", 0) + 1
            bot.sendMessage(update.message.chat_id, f"{user_data['words']} {chat_data['n']}")
            if args == ["fail"]:
                raise ValueError("as asked")

        updater = Updater(TOKEN, base_url=BASE, use_context=False)
        updater.dispatcher.add_handler(CommandHandler("add", add, pass_args=True, pass_user_data=True, pass_chat_data=True))
        updater.dispatcher.add_error_handler(lambda bot, update, error: bot.send_message(update.message.chat_id, text=repr(error)))
        """
    )
    ann = server.user()
    ann.send("/add a b")
    ann.wait_for("['a', 'b'] 1")
    ann.send("/add fail")
    ann.wait_for("['a', 'b', 'fail'] 2")
    ann.wait_for("ValueError('as asked')")
    assert program.stop() == 0


def test_with_a_state_file_nothing_is_lost_by_a_kill(server: BotApiServer, run: Run, tmp_path: Path) -> None:
    """What a handler was at runs again at the next start, and what it has sent already is not sent twice."""
    body = """
        def handle(update, context):
            update.message.reply_text("one")
            if not os.path.exists("killed"):
                open("killed", "w").close()
                os.kill(os.getpid(), 9)
            update.message.reply_text("two")

        updater = Updater(TOKEN, base_url=BASE)
        updater.dispatcher.add_handler(MessageHandler(Filters.text, handle))
        """
    state = str(tmp_path / "state.db")
    first = run(body, SYNCBOT_STATE=state)
    ann = server.user()
    ann.send("Hello")
    assert first.process.wait(30) == -signal.SIGKILL
    second = run(body, SYNCBOT_STATE=state)
    ann.wait_for("two")
    assert [sent.text for sent in server.sent] == ["one", "two"]
    assert second.stop() == 0


def test_what_fails_without_an_error_handler_goes_to_the_dead_letters(server: BotApiServer, run: Run, tmp_path: Path) -> None:
    """The log has the traceback, the other groups their turn, and the update can be handled again."""
    program = run(
        """
        import logging
        logging.basicConfig()

        def fail(update, context):
            raise ValueError("as asked")

        updater = Updater(TOKEN, base_url=BASE, state="state.db")
        updater.dispatcher.add_handler(MessageHandler(Filters.text, fail))
        updater.dispatcher.add_handler(MessageHandler(Filters.text, lambda update, context: update.message.reply_text("group 1")), group=1)
        """
    )
    server.user().send("Hello")
    server.wait_for("group 1")
    assert program.stop() == 0
    assert "ValueError: as asked" in program.output
    listed = subprocess.run(
        [sys.executable, "-m", "syncbot.cli", "dead-letters", "list", "--state", str(tmp_path / "state.db")], capture_output=True, text=True
    )
    assert "Hello" in listed.stdout or "ValueError" in listed.stdout, listed


def test_a_token_that_telegram_does_not_know_ends_it(server: BotApiServer, run: Run) -> None:
    """idle() raises what 13 called it, and the process ends with a failure."""
    server.script("*", Answer.error(401, "Unauthorized"), times=None)
    program = run(ECHO, polls=False)
    assert program.process.wait(30) == 1
    assert "Unauthorized" in program.output.splitlines()[-1]


def test_a_proxy_of_request_kwargs_is_used(server: BotApiServer, run: Run) -> None:
    """With the name and the password that stand beside it; they are in no log."""
    with FaultProxy(username="ann", password="se/cret") as proxy:
        address = proxy.url.rpartition("@")[2]
        program = run(
            ECHO.replace("base_url=BASE", f"base_url=BASE, request_kwargs={{'proxy_url': 'http://{address}', 'read_timeout': 9, 'urllib3_proxy_kwargs': "
                         "{'username': 'ann', 'password': 'se/cret'}}")
        )  # fmt: skip
        ann = server.user()
        ann.send("Hello")
        ann.wait_for("Hello")
        assert program.stop() == 0
        assert proxy.established > 1
    assert program.output == ""


def test_a_webhook(server: BotApiServer, run: Run, tmp_path: Path) -> None:
    """start_webhook() sets it, with the certificate that Telegram is to know, and takes what comes; it stores each update before it says so."""
    port = free_port()
    (tmp_path / "cert.pem").write_text("a certificate")
    server.deliver_webhook(first_delay=0.1)
    program = run(
        ECHO
        + f"""
updater.start_webhook(port={port}, url_path=TOKEN, webhook_url="http://127.0.0.1:{port}/" + TOKEN, cert="cert.pem")
updater.idle()
""",
        tail="",
        polls=False,
        SYNCBOT_STATE=str(tmp_path / "state.db"),
    )
    ann = server.user()
    server.wait_count("setWebhook", 1)
    assert [(file.name, file.size) for request in server.requests for file in request.files] == [("cert.pem", 13)]
    ann.send("Hello")
    ann.wait_for("Hello")
    assert program.stop() == 0, program.output


def test_signals_reach_the_program_too(server: BotApiServer, run: Run) -> None:
    """user_sig_handler is called with the signal and the frame."""
    program = run("updater = Updater(TOKEN, base_url=BASE, user_sig_handler=lambda number, frame: print('signal', number, flush=True))")
    assert program.stop() == 0
    assert program.output == f"signal {int(signal.SIGTERM)}\n"


def test_at_a_stop_functions_have_their_time(server: BotApiServer, run: Run) -> None:
    """Those in threads of their own, jobs and handlers: what they send then arrives."""
    program = run(
        """
        def slow(say):
            say("begun")
            nobody.wait(1.0)
            say("ended")

        def handle(update, context):
            context.job_queue.run_once(lambda context: slow(lambda text: context.bot.send_message(5, f"job {text}")), 0)
            slow(update.message.reply_text)

        updater = Updater(TOKEN, base_url=BASE)
        beside = lambda update, context: slow(lambda text: context.bot.send_message(6, f"async {text}"))
        updater.dispatcher.add_handler(MessageHandler(Filters.text, beside, run_async=True))
        updater.dispatcher.add_handler(MessageHandler(Filters.text, handle), group=1)
        """
    )
    server.user().send("x")
    server.wait_until(lambda: {"begun", "async begun", "job begun"} <= {sent.text for sent in server.sent}, 20.0, "they have not begun")
    assert program.stop() == 0
    assert {"ended", "async ended", "job ended"} <= {sent.text for sent in server.sent}, program.output
    assert program.output == ""


def test_it_is_idle_once_it_catches_signals(run: Run) -> None:
    """Who waits for `is_idle` may send a signal: it ends the program in peace."""
    program = run(
        """
        import signal

        class Slow(tuple):
            def __iter__(self):
                nobody.wait(0.5)
                return super().__iter__()

        def end():
            while not updater.is_idle:
                nobody.wait(0.01)
            os.kill(os.getpid(), signal.SIGTERM)

        updater = Updater(TOKEN, base_url=BASE)
        updater.start_polling()
        threading.Thread(target=end, daemon=True).start()
        updater.idle(Slow((signal.SIGTERM,)))
        print(updater.is_idle, flush=True)
        """,
        tail="",
        polls=False,
    )
    assert program.process.wait(30) == 0, program.output
    assert program.output == "False\n"


def test_jobs_alone(server: BotApiServer, run: Run) -> None:
    """A program may start its job queue and nothing else; idle() waits for a signal then."""
    program = run(
        """
        updater = Updater(TOKEN, base_url=BASE)
        updater.job_queue.run_once(lambda context: context.bot.send_message(5, "from a job"), 0)
        updater.job_queue.start()
        updater.idle()
        print("over", flush=True)
        """,
        tail="",
        polls=False,
    )
    server.wait_for("from a job")
    assert program.stop() == 0
    assert program.output == "over\n"


def test_a_handler_may_stop_it(server: BotApiServer, run: Run) -> None:
    """stop() from a handler, a job or the queue returns before the end, and does not wait for itself."""
    for ways in ("updater.stop()", "context.job_queue.run_once(lambda context: updater.stop(), 0)"):
        program = run(
            f"""
            updater = Updater(TOKEN, base_url=BASE)
            updater.dispatcher.add_handler(CommandHandler("stop", lambda update, context: {ways}))
            """
        )
        server.user().send("/stop")
        assert program.process.wait(30) == 0


def test_dispatchers_of_ones_own(server: BotApiServer, run: Run) -> None:
    """`Updater(dispatcher=…)`, and one without an Updater that is given updates by a web framework."""
    program = run(
        """
        from telegram import Bot
        bot = Bot(TOKEN, BASE)
        dispatcher = Dispatcher(bot, None, workers=0)
        dispatcher.add_handler(MessageHandler(Filters.text, lambda update, context: update.message.reply_text("seen")))
        raw = {"update_id": 1, "message": {"message_id": 1, "date": 0, "chat": {"id": 7, "type": "private"}, "text": "x"}}
        dispatcher.process_update(Update.de_json(raw, bot))
        updater = Updater(dispatcher=dispatcher)
        """
    )
    server.wait_for("seen")
    server.user().send("y")
    server.wait_count("sendMessage", 2)
    assert program.stop() == 0


def test_a_bot_of_ones_own_whose_calls_wait_their_turn(server: BotApiServer, run: Run) -> None:
    """A subclass of telegram.bot.Bot with `queuedmessage`: the shortcuts of its messages go through it, and return its promises."""
    program = run(
        """
        import telegram.bot
        from telegram.ext import messagequeue as mq
        from telegram.utils.request import Request

        class QueueBot(telegram.bot.Bot):
            def __init__(self, *args, is_queued_def=True, mqueue=None, **kwargs):
                super().__init__(*args, **kwargs)
                self._is_messages_queued_default = is_queued_def
                self._msg_queue = mqueue or mq.MessageQueue()

            @mq.queuedmessage
            def send_message(self, *args, **kwargs):
                return super().send_message(*args, **kwargs)

        def handle(update, context):
            promise = update.message.reply_text("first", timeout=20)
            context.bot.send_message(update.message.chat_id, f"{type(promise).__name__} {promise.result().text}", isgroup=False)

        bot = QueueBot(TOKEN, BASE, request=Request(con_pool_size=8), mqueue=mq.MessageQueue(all_burst_limit=3, all_time_limit_ms=3000))
        updater = Updater(bot=bot)
        updater.dispatcher.add_handler(MessageHandler(Filters.text, handle))
        """,
        tail=TAIL + "bot._msg_queue.stop()",
    )
    ann = server.user()
    ann.send("x")
    ann.wait_for("first")
    ann.wait_for("Promise first")
    assert program.stop() == 0, program.output


@pytest.mark.parametrize("kept", [True, False])
def test_a_stop_within_a_handler_is_no_error(server: BotApiServer, run: Run, tmp_path: Path, kept: bool) -> None:
    """A call that waits for its turn then is not told to the error handlers: the update goes on at the next start. With a state file each message
    comes once; without one it comes again from Telegram, and its handler begins anew."""
    body = """
        def handle(update, context):
            for number in range(4):
                update.message.reply_text(str(number))

        def failed(update, context):
            print("told of", repr(context.error), flush=True)

        updater = Updater(TOKEN, base_url=BASE)
        updater.dispatcher.add_handler(MessageHandler(Filters.text, handle))
        updater.dispatcher.add_error_handler(failed)
        """
    environment = {"SYNCBOT_STATE": str(tmp_path / "state.db")} if kept else {}
    server.script("sendMessage", Answer.normal(), Answer.normal(), Answer.retry_after(40))
    first = run(body, **environment)
    ann = server.user()
    ann.send("x")
    server.wait_count("sendMessage", 3)
    assert first.stop() == 0
    second = run(body, **environment)
    ann.wait_for("3")
    assert second.stop() == 0
    assert [sent.text for sent in server.sent] == list("0123" if kept else "010123"), second.output
    assert second.output == ""
