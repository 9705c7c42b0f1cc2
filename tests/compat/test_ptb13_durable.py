"""What a program of python-telegram-bot 13 does with an update, and what becomes of that when its process dies: all of it, or nothing."""

from __future__ import annotations

import signal

import pytest
from kits.ptb13.running import Run, left
from kits.timing_kit import becomes

from syncbot.testing import Answer, BotApiServer

BEGUN = {
    "run_async=True": "updater.dispatcher.add_handler(CommandHandler('slow', slow, run_async=True))",
    "the bot's defaults": "updater.dispatcher.add_handler(CommandHandler('slow', slow))",
    "the decorator": """
        from telegram.ext.dispatcher import run_async
        updater.dispatcher.add_handler(CommandHandler('slow', run_async(slow)))
        """,
    "the dispatcher": """
        updater.dispatcher.add_handler(CommandHandler('slow', lambda update, context: context.dispatcher.run_async(slow, update, context) and None))
        """,
    "one within another": """
        inner = lambda update, context: context.dispatcher.run_async(slow, update, context) and None
        updater.dispatcher.add_handler(CommandHandler('slow', inner, run_async=True))
        """,
}


@pytest.mark.parametrize("form", BEGUN)
def test_a_function_in_a_thread_of_its_own_is_not_lost(server: BotApiServer, run: Run, form: str) -> None:
    """Its update counts as handled when it has ended: killed within it, the next start calls it again; the chat has gone on, and that is not done again."""
    body = """
        def slow(update, context):
            if os.path.exists("begun"):
                update.message.reply_text("done")
                return
            open("begun", "w").close()
            update.message.reply_text("begun")
            nobody.wait(60)

        defaults = Defaults(run_async=True) if "FORM" == "the bot's defaults" else None
        updater = Updater(TOKEN, base_url=BASE, defaults=defaults)
        updater.dispatcher.add_handler(CommandHandler("quick", lambda update, context: update.message.reply_text("quick"), run_async=False))
        """.replace("FORM", form)
    body += BEGUN[form]
    first = run(body, SYNCBOT_STATE="state.db")
    ann = server.user()
    ann.send("/slow")
    ann.wait_for("begun")
    ann.send("/quick")
    ann.wait_for("quick")
    assert becomes(lambda: first.left() == 1), "the quick one has not ended"
    first.process.kill()
    first.process.wait()
    second = run(body, SYNCBOT_STATE="state.db")
    ann.wait_for("done")
    assert second.stop() == 0, second.output
    assert [sent.text for sent in server.sent] == ["begun", "quick", "done"]
    assert second.left() == 0


@pytest.mark.parametrize("data", ["bot_data", "user_data"])
def test_what_another_updates_function_has_noted_is_kept_with_the_first_end(server: BotApiServer, run: Run, data: str) -> None:
    """A function in a thread of its own ends while a handler has changed what both share, and notes it; that handler ends, and what it changed is there.
    What the function's own update had changed before is not: it is handled again."""
    body = """
        noted, goes_on = threading.Event(), threading.Event()

        class Noting(PicklePersistence):
            def update_bot_data(self, data):
                super().update_bot_data(data)
                noted.set() if "DATA" == "bot_data" and "b" in data else None

            def update_user_data(self, user_id, data):
                super().update_user_data(user_id, data)
                noted.set() if "b" in data else None

        def slow(update, context):
            if os.path.exists("begun"):
                return
            open("begun", "w").close()
            context.DATA["a"] = 1
            context.dispatcher.run_async(goes_on.wait, 20, update=update)
            context.dispatcher.run_async(nobody.wait, 60, update=update)
            update.message.reply_text("begun")

        def quick(update, context):
            context.DATA["b"] = 1
            goes_on.set()
            update.message.reply_text(f"noted: {noted.wait(20)}")

        updater = Updater(TOKEN, base_url=BASE, persistence=Noting("bot.pickle"))
        updater.dispatcher.add_handler(CommandHandler("slow", slow))
        updater.dispatcher.add_handler(CommandHandler("quick", quick))
        updater.dispatcher.add_handler(CommandHandler("show", lambda update, context: update.message.reply_text(str(sorted(context.DATA)))))
        """.replace("DATA", data)
    first = run(body, SYNCBOT_STATE="state.db")
    ann = server.user()
    ann.send("/slow")
    ann.wait_for("begun")
    ann.send("/quick")
    ann.wait_for("noted: True")
    assert becomes(lambda: first.left() == 1), "the quick one has not ended"
    first.process.kill()
    first.process.wait()
    second = run(body, SYNCBOT_STATE="state.db")
    ann.send("/show")
    ann.wait_for("['b']")
    assert second.stop() == 0, second.output


@pytest.mark.programs("postgres")
def test_with_the_state_in_a_database_it_is_the_same(server: BotApiServer, run: Run, postgres_url: str) -> None:
    """The chat goes on beside a function in a thread of its own, whose end is the end of its update; what was changed is there at the next start."""
    body = """
        go = threading.Event()

        def slow(update, context):
            update.message.reply_text("begun")
            go.wait(20)
            context.user_data["times"] = context.user_data.get("times", 0) + 1
            update.message.reply_text(f"times: {context.user_data['times']}")

        def quick(update, context):
            update.message.reply_text("quick")
            go.set()

        updater = Updater(TOKEN, base_url=BASE, persistence=PicklePersistence("bot.pickle"))
        updater.dispatcher.add_handler(CommandHandler("slow", slow, run_async=True))
        updater.dispatcher.add_handler(CommandHandler("quick", quick))
        """
    ann = server.user()
    for times in (1, 2):
        program = run(body, SYNCBOT_STATE=postgres_url)
        ann.send("/slow")
        ann.wait_for("begun")
        ann.send("/quick")
        ann.wait_for("quick")
        ann.wait_for(f"times: {times}")
        assert becomes(lambda: left(postgres_url) == 0)
        assert program.stop() == 0, program.output


def test_what_a_stop_cuts_short_in_a_thread_of_its_own_runs_again(server: BotApiServer, run: Run) -> None:
    """A second signal leaves it no time; the next start calls it again, and what it had changed by then is forgotten with it."""
    body = """
        def slow(update, context):
            context.user_data["times"] = context.user_data.get("times", 0) + 1
            is_first = not os.path.exists("begun")
            open("begun", "w").close()
            update.message.reply_text("begun")
            if is_first:
                nobody.wait(60)
            update.message.reply_text(f"times: {context.user_data['times']}")

        updater = Updater(TOKEN, base_url=BASE, persistence=PicklePersistence("bot.pickle"))
        updater.dispatcher.add_handler(CommandHandler("slow", slow, run_async=RUN))
        """
    for number, run_async in enumerate(("True", "False")):
        text = body.replace("RUN", run_async).replace('"begun", "w"', f'"begun{number}", "w"').replace('exists("begun")', f'exists("begun{number}")')
        state = f"state{number}.db"
        first = run(text, SYNCBOT_STATE=state)
        ann = server.user()
        ann.send("/slow")
        ann.wait_for("begun")
        first.stop_at_once()
        second = run(text, SYNCBOT_STATE=state)
        ann.wait_for("times: 1")
        assert second.stop() == 0, second.output


CONVERSATION = """
        NAME = 1

        def start(update, context):
            context.user_data["starts"] = context.user_data.get("starts", 0) + 1
            context.bot_data["starts"] = context.bot_data.get("starts", 0) + 1
            update.message.reply_text("What is your name?")
            return NAME

        def named(update, context):
            update.message.reply_text(f"{update.message.text} {context.user_data['starts']} {context.bot_data['starts']}")
            return ConversationHandler.END

        def after(update, context):
            if not os.path.exists("killed"):
                open("killed", "w").close()
                os.kill(os.getpid(), 9)

        updater = Updater(TOKEN, base_url=BASE, persistence=PicklePersistence("bot.pickle"))
        talk = ConversationHandler(
            [CommandHandler("start", start, run_async=RUN)], {NAME: [MessageHandler(Filters.text, named)]}, [], name="talk", persistent=True
        )
        updater.dispatcher.add_handler(talk)
        """


def test_a_conversation_goes_on_with_the_update_or_not_at_all(server: BotApiServer, run: Run) -> None:
    """Killed behind the handler that has moved it, the next start handles the update again, from where everything stood before it: nothing counts twice."""
    body = CONVERSATION.replace("RUN", "False") + "updater.dispatcher.add_handler(MessageHandler(Filters.text, after), group=1)\n"
    first = run(body, SYNCBOT_STATE="state.db")
    ann = server.user()
    ann.send("/start")
    assert first.process.wait(30) == -signal.SIGKILL
    second = run(body, SYNCBOT_STATE="state.db")
    assert becomes(lambda: second.left() == 0)
    ann.send("Ann")
    ann.wait_for("Ann 1 1")
    assert second.stop() == 0, second.output
    assert [sent.text for sent in server.sent] == ["What is your name?", "Ann 1 1"]


def test_where_a_handler_in_a_thread_of_its_own_leads_is_kept_with_its_end(server: BotApiServer, run: Run) -> None:
    """A conversation whose state such a handler has given is there after a kill, though nobody has asked for that state."""
    body = CONVERSATION.replace("RUN", "True")
    first = run(body, SYNCBOT_STATE="state.db")
    ann = server.user()
    ann.send("/start")
    ann.wait_for("What is your name?")
    assert becomes(lambda: first.left() == 0)
    first.process.kill()
    first.process.wait()
    second = run(body, SYNCBOT_STATE="state.db")
    ann.send("Ann")
    ann.wait_for("Ann 1 1")
    assert second.stop() == 0, second.output


def test_a_button_knows_what_it_holds_after_a_kill(server: BotApiServer, run: Run) -> None:
    """The keyboard was sent, and its handler did not come to its end: run again it does not send it anew, and what was sent is not left without its objects."""
    body = """
        def start(update, context):
            update.message.reply_text("Choose:", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("one", callback_data=["1", 1])]]))
            if not os.path.exists("killed"):
                open("killed", "w").close()
                os.kill(os.getpid(), 9)

        def pressed(update, context):
            update.callback_query.answer()
            update.effective_message.reply_text(f"chosen: {update.callback_query.data}")

        from telegram import InlineKeyboardButton, InlineKeyboardMarkup
        kept = PicklePersistence("bot.pickle", store_callback_data=True)
        updater = Updater(TOKEN, base_url=BASE, persistence=kept, arbitrary_callback_data=True)
        updater.dispatcher.add_handler(CommandHandler("start", start))
        updater.dispatcher.add_handler(CallbackQueryHandler(pressed))
        """
    first = run(body, SYNCBOT_STATE="state.db")
    ann = server.user()
    ann.send("/start")
    assert first.process.wait(30) == -signal.SIGKILL
    second = run(body, SYNCBOT_STATE="state.db")
    assert becomes(lambda: second.left() == 0)
    ann.press("one").wait_answer()
    ann.wait_for("chosen: ['1', 1]")
    assert second.stop() == 0, second.output
    assert [sent.text for sent in server.sent] == ["Choose:", "chosen: ['1', 1]"]


@pytest.mark.parametrize("form", ["the decorator", "the dispatcher"])
def test_what_a_function_changes_that_names_no_update_is_kept_with_its_end(server: BotApiServer, run: Run, form: str) -> None:
    """Begun by the decorator or by `dispatcher.run_async`, it is told no update; what it changes of its user and the bot is there after a kill all the same."""
    body = """
        go = threading.Event()

        def slow(update, context):
            go.wait(20)
            context.user_data["times"] = context.user_data.get("times", 0) + 1
            context.bot_data["times"] = context.bot_data.get("times", 0) + 1
            update.message.reply_text(f"times: {context.user_data['times']} {context.bot_data['times']}")

        updater = Updater(TOKEN, base_url=BASE, persistence=PicklePersistence("bot.pickle"))
        updater.dispatcher.add_handler(CommandHandler("go", lambda update, context: go.set()))
        """
    body += BEGUN[form]
    ann, bob = server.user(), server.user()
    for times in (1, 2):
        program = run(body, SYNCBOT_STATE="state.db")
        ann.send("/slow")
        bob.send("/go")
        ann.wait_for(f"times: {times} {times}")
        assert becomes(lambda program=program: program.left() == 0)
        program.process.kill()
        program.process.wait()


def test_what_a_stop_cuts_short_with_an_error_is_not_kept(server: BotApiServer, run: Run) -> None:
    """A handler may tell of a stop by an error of its own; its update is handled again, and what it had changed by then is forgotten."""
    body = """
        def slow(update, context):
            context.user_data["times"] = context.user_data.get("times", 0) + 1
            update.message.reply_text("begun")
            if not os.path.exists("begun"):
                open("begun", "w").close()
                for thread in threading.enumerate():
                    if thread.name == "syncbot-poller":
                        thread.join(20)  # it ends when a stop begins
                raise ValueError("the file did not come") from NotSent("it was cut short")
            update.message.reply_text(f"times: {context.user_data['times']}")

        from syncbot import NotSent
        updater = Updater(TOKEN, base_url=BASE, persistence=PicklePersistence("bot.pickle"))
        updater.dispatcher.add_handler(CommandHandler("slow", slow))
        """
    first = run(body, SYNCBOT_STATE="state.db")
    ann = server.user()
    ann.send("/slow")
    ann.wait_for("begun")
    assert first.stop() == 0, first.output
    second = run(body, SYNCBOT_STATE="state.db")
    ann.wait_for("times: 1")
    assert second.stop() == 0, second.output


def test_jobs_do_not_keep_what_a_handler_has_half_done(server: BotApiServer, run: Run) -> None:
    """A job's end keeps everybody's data, but for those of whom an update is being handled."""
    body = """
        def slow(update, context):
            context.chat_data["times"] = context.chat_data.get("times", 0) + 1
            if not os.path.exists("begun"):
                open("begun", "w").close()
                context.job_queue.run_once(lambda context: context.bot.send_message(5, "job"), 0)
                nobody.wait(60)
            update.message.reply_text(f"times: {context.chat_data['times']}")

        updater = Updater(TOKEN, base_url=BASE, persistence=PicklePersistence("bot.pickle"))
        updater.dispatcher.add_handler(CommandHandler("slow", slow))
        """
    first = run(body, SYNCBOT_STATE="state.db")
    ann = server.user()
    ann.send("/slow")
    server.wait_for("job")
    first.stop_at_once()
    second = run(body, SYNCBOT_STATE="state.db")
    ann.wait_for("times: 1")
    assert second.stop() == 0, second.output


def test_error_handlers_are_told_of_polls_that_fail(server: BotApiServer, run: Run) -> None:
    """As in 13: without an update, with telegram's own error; a flood limit, which passes by itself, is not told."""
    program = run(
        """
        updater = Updater(TOKEN, base_url=BASE)
        updater.dispatcher.add_error_handler(lambda update, context: print(update, repr(context.error), flush=True))
        """
    )
    server.script("getUpdates", Answer.retry_after(1), times=1)
    server.script("getUpdates", Answer.error(502, "Bad Gateway"), times=1)
    server.user().send("x")
    assert becomes(lambda: "Bad Gateway" in program.output), program.output
    assert program.stop() == 0
    assert "None NetworkError('Bad Gateway" in program.output
    assert "Too Many" not in program.output
