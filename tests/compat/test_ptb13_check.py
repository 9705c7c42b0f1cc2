"""`syncbot run-ptb13 --check`: what of a program cannot be carried over, by file and line, and nothing of it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from kits.ptb13.conversations import CONVERSATIONS
from kits.ptb13.programs import FOLDER, Starter

HEAD = "raise SystemExit('it must not run')\n"

# Each line that is to be found has what is said of it behind "# ->"; a note begins with "note:".
PROGRAMS = {
    "fine": """
        import os, json, logging, asyncio
        import requests
        """,
    "imports": """
        from telegram import Update, ParseMode, Bogus  # -> telegram has no Bogus
        from telegram.ext import Updater, Filters, Nothing  # -> telegram.ext has no Nothing
        from telegram.ext import ApplicationBuilder  # -> of python-telegram-bot 20 and later
        from telegram.ext.filters import MessageFilter
        from telegram.utils.helpers import mention_html
        from telegram.ext.utils.webhookhandler import WebhookServer  # -> there is no telegram.ext.utils.webhookhandler
        import telegram.vendor.ptb_urllib3  # -> there is no telegram.vendor
        import no_such_module_at_all  # -> no_such_module_at_all is not there in this Python
        from no_such_package.inner import x  # -> no_such_package is not there
        import apscheduler.triggers.cron  # -> note: jobs are not APScheduler's
        try:
            import no_such_speedup
        except ImportError:
            no_such_speedup = None
        """,
    "attributes": """
        from telegram import Update
        def start(update, context):
            update.message.text = "may be set"
            print(update.message.forward_from, update.message.forward_date, update.message.document.thumb)
            context.bot.sendFoo(1)  # -> Bot has no sendFoo
            context.bot.send_message(1, "x", timeout=3)
            context.bot.sendMessage(1, "x", nonsense=1)  # -> nobody takes nonsense
            context.bot.get_chat_members_count(1)
            context.bot.kickChatMember(1, 2)
            print(context.bot.username, context.bot.first_name, context.bot.token)
            context.bot.request.post("x")  # -> Request has no post
            context.job_queue.scheduler.add_job(print)  # -> JobQueue has no scheduler
            context.job_queue.run_once(start, 1, context=3, nonsense=4)  # -> nonsense
            context.job.schedule_removal()
            context.job.interval_seconds  # -> Job has no interval_seconds
        """,
    "calls": """
        import telegram
        from telegram import InlineQueryResultArticle, InputTextMessageContent, ReplyKeyboardMarkup, ChatPermissions, InlineKeyboardButton
        from telegram.ext import CommandHandler, ConversationHandler, PicklePersistence, Updater
        InlineQueryResultArticle("1", "t", InputTextMessageContent("x", disable_web_page_preview=True), thumb_url="x", hide_url=True)
        ReplyKeyboardMarkup([["a"]], True, True)
        ChatPermissions(can_send_media_messages=True)
        InlineKeyboardButton("a", None, "data")
        ChatPermissions(can_fly=True)  # -> nobody takes can_fly
        telegram.InlineKeyboardButton("a", colour="red")  # -> unexpected keyword argument 'colour'
        updater = Updater("1:x", use_context=True, nonsense=1)  # -> unexpected keyword argument 'nonsense'
        Updater("1:x", request_kwargs={"urllib3_proxy_kwargs": {"username": "a", "cert_reqs": "x"}})  # -> note: urllib3_proxy_kwargs: cert_reqs
        CommandHandler("start", print, pass_args=True)
        CommandHandler()  # -> missing
        ConversationHandler(**{})
        PicklePersistence("bot.pickle")  # -> note: PicklePersistence keeps everything in the bot's state file
        updater.httpd  # -> Updater has no httpd
        updater.start_webhook(listen="0.0.0.0", cert="cert.pem", key="key.pem")  # -> it speaks no TLS here
        updater.start_webhook(cert="cert.pem", key=None)
        """,
    "other_names": """
        import telegram as t
        import telegram.ext as tg
        from telegram import Update, Message
        from telegram.ext import *
        from telegram.ext.filters import Filters as F

        up = Updater("1:x")
        d = up.dispatcher
        jobs = d.job_queue

        class Bot2:
            def __init__(self):
                self.up = tg.Updater("1:x", nonsense=1)  # -> unexpected keyword argument 'nonsense'
                self.up.dispatcher.bot.sendFoo(1)  # -> Bot has no sendFoo

        def start(u, c):
            u.message.reply_text("x", quote=True)
            u.message.answer("x")  # -> Message has no answer
            query = u.callback_query
            query.message.forward_from
            query.reply("x")  # -> CallbackQuery has no reply
            c.bot.sendFoo(1)  # -> Bot has no sendFoo
            c.nothing  # -> CallbackContext has no nothing
            u.effective_user.mention_html()
            u.effective_user.language  # -> User has no language

        def tick(ctx):
            ctx.job.context
            ctx.job.nothing  # -> Job has no nothing

        def typed(a: t.Message, b: int, job_queue: list):
            a.nothing  # -> Message has no nothing
            b.nothing
            job_queue.append(1)

        d.add_handler(CommandHandler("start", start))
        d.add_handler(tg.MessageHandler(F.text & ~F.nothing, start))  # -> F has no nothing
        d.add_handler(MessageHandler(Filters.document.pdf | Filters.status_update.nothing, start))  # -> has no nothing
        jobs.run_once(tick, 1)
        jobs.run_twice(tick, 1)  # -> JobQueue has no run_twice
        up.httpd  # -> Updater has no httpd
        t.ParseMode.HTML, t.ParseMode.MARKUP  # -> t.ParseMode has no MARKUP
        t.ChatAction.TYPING
        t.Nothing(1)  # -> t has no Nothing
        tg.utils.promise, t.utils.helpers
        Message.ATTACHMENT_TYPES

        def other(message):
            message = u.message
            message.nothing
            message = open("x")
            message.readlines()
        """,
    "own": """
        from telegram.ext import CallbackContext, Job
        class Context(CallbackContext):
            def forward_signature_of(self): ...
        class Message:
            contains_masks = None
        context = Context(None)
        context.job_queue.extra = 1
        context.job_queue.extra
        bot = object()
        """,
    "with_modules": """
        import helper
        from folder import inner
        from folder.deep import thing
        """,
}
MODULES = {
    "helper.py": "import syncbot\nfrom telegram.ext import Nowhere\n",
    "folder/__init__.py": "from . import inner\n",
    "folder/inner.py": "from .deep import thing\nfrom .. import nothing\n",
    "folder/deep.py": "import telegram\n\nprint 'old'\n",
}


@pytest.fixture(scope="module")
def found(starter: Starter, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What is found in each of the programs."""
    folder = tmp_path_factory.mktemp("programs")
    for name, text in {**{f"{name}.py": HEAD + dedent(text) for name, text in PROGRAMS.items()}, **MODULES}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    names = [*(str(folder / f"{name}.py") for name in PROGRAMS), *(str(FOLDER / f"{name}.py") for name in CONVERSATIONS)]
    return {Path(path).stem: each for path, each in starter.ask("ptb13.checked", *names).items()}


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "with_modules"])
def test_each_line_that_is_to_be_found_is(found: dict[str, list[Any]], name: str) -> None:
    """With its words, and no other line."""
    wanted = {}
    for number, line in enumerate((HEAD + dedent(PROGRAMS[name])).splitlines(), 1):
        if "# -> " in line:
            wanted[number] = line.partition("# -> ")[2]
    said = {line: f"{'note: ' if is_note else ''}{text}" for _, line, text, is_note in found[name]}
    assert said.keys() == wanted.keys(), said
    assert [text for number, text in wanted.items() if text.removeprefix("note: ") not in said[number]] == []
    assert [number for number, text in wanted.items() if text.startswith("note: ") != said[number].startswith("note: ")] == []


def test_a_programs_own_modules_are_looked_at(found: dict[str, list[Any]]) -> None:
    """Those beside it and below, each once; one that this Python cannot read is told."""
    assert [(file, line) for file, line, _, _ in found["with_modules"]] == [("deep.py", 3), ("helper.py", 2)]
    assert "cannot read it" in found["with_modules"][0][2]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_programs_that_run_are_found_fault_with_in_nothing(found: dict[str, list[Any]], name: str) -> None:
    """But for the one that calls a method which is none, on purpose."""
    problems = [text for _, _, text, is_note in found[name] if not is_note]
    assert problems == (["context.bot.wrong_method_name: Bot has no wrong_method_name here"] if name == "errorhandlerbot" else [])


def test_the_command_says_it_by_file_and_line(tmp_path: Path) -> None:
    """And ends with 1 where something will not work; a note alone is none."""
    program = tmp_path / "bot.py"
    for text, wanted, code in (
        ("from telegram.ext import Nothing\n", f"{program}:1: telegram.ext has no Nothing here\n", 1),
        ("import telegram.ext\ntelegram.ext.PicklePersistence('x')\n", f"{program}:2: note: PicklePersistence", 0),
    ):
        program.write_text(text)
        ran = subprocess.run([sys.executable, "-m", "syncbot.cli", "run-ptb13", "--check", str(program)], capture_output=True, text=True, timeout=60)
        assert ran.stdout.startswith(wanted), ran.stderr
        assert ran.returncode == code
