"""`async def` handlers that were written for python-telegram-bot, run without an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Generator
from typing import Any

import pytest
from kits.dispatch_kit import TOKEN, Rig, message, update

from syncbot.client.bot import Bot
from syncbot.runtime.handling.dispatcher import HandlerFailed
from syncbot.testing import BotApiServer


async def replies(update: Any, context: Any) -> None:
    """As in python-telegram-bot's first example."""
    await update.message.reply_text("hello")


class Replies:
    """The same as an object."""

    async def __call__(self, update: Any, context: Any) -> None:
        """Reply."""
        await replies(update, context)

    async def method(self, update: Any, context: Any) -> None:
        """Reply."""
        await replies(update, context)


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain wrapper that hands the coroutine on, as many bots have one."""

    @functools.wraps(function)
    def wrapper(update: Any, context: Any) -> Any:
        return function(update, context)

    return wrapper


def sent(rig: Rig) -> list[Any]:
    """The texts that were sent."""
    return [call.parameters.get("text") for call in rig.transport.calls if call.method == "sendMessage"]


@pytest.mark.parametrize("function", [replies, Replies(), Replies().method, functools.partial(replies), decorated(replies)])
@pytest.mark.parametrize("register", [lambda app: app.message(), lambda app: app.on("message")])
def test_a_handler_that_awaits_a_shortcut_has_sent_when_it_returns(rig: Rig, function: Any, register: Any) -> None:
    """Functions, methods, objects, partial functions and decorated ones run to their end."""
    register(rig.app)(function)
    rig.send()
    assert sent(rig) == ["hello"]


def test_the_bot_of_the_context_is_awaitable_there_and_plain_elsewhere(rig: Rig) -> None:
    """`await context.bot.send_message` in an `async def` handler, `context.bot.send_message` in a plain one, for one and the same update."""
    results: list[Any] = []

    @rig.app.message()
    async def first(update: Any, context: Any) -> None:
        results.append(await context.bot.send_message(chat_id=update.effective_chat.id, text="awaited"))
        results.append(await context.bot.send_message(update.effective_chat.id, "by position"))

    @rig.app.message(group=1)
    def second(update: Any, context: Any) -> None:
        results.append(context.bot.send_message(chat_id=7, text="plain"))
        results.append(update.message.reply_text("plain shortcut"))

    rig.send()
    assert [result.message_id for result in results] == [99] * 4
    assert sent(rig) == ["awaited", "by position", "plain", "plain shortcut"]


def test_what_is_syncbots_own_stays_plain(rig: Rig) -> None:
    """`context.reply` sends at once in an `async def` handler too, and `context.user_data` is kept."""

    @rig.app.message()
    async def handle(update: Any, context: Any) -> None:
        context.user_data["seen"] = context.reply("at once").message_id
        await update.message.reply_text("awaited")

    rig.send()
    rig.app.message(group=1)(lambda update, context: context.reply(str(context.user_data["seen"])))
    rig.send()
    assert sent(rig) == ["at once", "awaited", "at once", "awaited", "99"]


def test_coroutines_of_the_handlers_own_may_be_awaited(rig: Rig) -> None:
    """Helpers, async generators and context managers, and locks that nobody holds, need no event loop."""

    @contextlib.asynccontextmanager
    async def framed(update: Any) -> Any:
        await update.message.reply_text("begin")
        yield
        await update.message.reply_text("end")

    async def numbers() -> Any:
        for number in range(2):
            yield number

    @rig.app.message()
    async def handle(update: Any, context: Any) -> None:
        async with framed(update):
            async for number in numbers():
                await update.message.reply_text(str(number))

    rig.send()
    assert sent(rig) == ["begin", "0", "1", "end"]


def test_error_handlers_and_jobs_may_be_async_too(rig: Rig) -> None:
    """An `async def` error handler gets the error; what an `async def` handler raises is its failure as any other's."""

    @rig.app.message()
    async def handle(update: Any, context: Any) -> None:
        raise ValueError("broken")

    @rig.app.error
    async def on_error(update: Any, context: Any) -> None:
        await context.bot.send_message(chat_id=1, text=f"{context.error} in {update.update_id}")

    async def job(context: Any) -> None:
        await context.bot.send_message(chat_id=1, text="from a job")

    with pytest.raises(HandlerFailed, match="broken"):
        rig.send()
    rig.run_job(job)
    assert sent(rig) == ["broken in 1", "from a job"]


class Suspends:
    """Something that is not done yet when it is awaited."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def sleeps() -> None:
    """What asyncio refuses without an event loop."""
    await asyncio.sleep(1)


async def suspends() -> None:
    """What would wait for ever without one."""
    await Suspends()


@pytest.mark.parametrize("wait", [sleeps, suspends])
def test_a_handler_that_awaits_anything_else_is_told_so_by_its_name(rig: Rig, wait: Any) -> None:
    """The error names the handler and says what to do; the `finally` of the handler has run, and the next handler is none the wiser."""
    closed: list[bool] = []

    @rig.app.message()
    async def waits_for_the_weather(update: Any, context: Any) -> None:
        try:
            await update.message.reply_text("before")
            await wait()
        finally:
            closed.append(True)

    with pytest.raises(HandlerFailed, match=r"waits_for_the_weather awaits something other than Telegram.*write it as def"):
        rig.send()
    assert closed == [True]
    assert sent(rig) == ["before"]
    rig.app.on("edited_message")(lambda update, context: context.bot.send_message(chat_id=1, text="plain again"))
    rig.handle(update(message(edit_date=2), "edited_message"))
    assert sent(rig) == ["before", "plain again"]


def test_another_runtime_error_stays_what_it_is(rig: Rig) -> None:
    """Only what speaks of an event loop is explained anew."""

    @rig.app.message()
    async def handle(update: Any, context: Any) -> None:
        raise RuntimeError("the printer is on fire")

    with pytest.raises(HandlerFailed, match="RuntimeError: the printer is on fire") as failure:
        rig.send()
    assert "awaits something" not in failure.value.reason


def test_a_forgotten_await_is_warned_of_as_everywhere(rig: Rig) -> None:
    """A shortcut that is not awaited sends nothing, and Python says so."""

    @rig.app.message()
    async def handle(update: Any, context: Any) -> None:
        update.message.reply_text("forgotten")

    with pytest.warns(RuntimeWarning, match="never awaited"):
        rig.send()
    assert sent(rig) == []


def test_a_bot_without_shortcuts_says_what_is_missing(rig: Rig) -> None:
    """`Bot(shortcuts=False)` leaves telegram's classes alone; an `async def` handler cannot work then, and is told why, without a warning."""
    rig.bot.shortcuts = False
    rig.app.message()(replies)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(HandlerFailed, match="replies needs python-telegram-bot's methods: leave out shortcuts=False"):
            rig.send()


def test_files_are_downloaded_in_async_handlers(tmp_path: Any) -> None:
    """`await context.bot.get_file` and the three ways to download give the file's bytes."""
    content = bytes(range(256)) * 300
    got: list[Any] = []
    with BotApiServer(token=TOKEN) as server, Bot(TOKEN, base_url=server.url) as bot:
        rig = Rig()
        rig.bot = bot
        file_id = server.add_file(content)

        @rig.app.message()
        async def handle(update: Any, context: Any) -> None:
            file = await context.bot.get_file(file_id)
            got.append(bytes(await file.download_as_bytearray()))
            path = await file.download_to_drive(tmp_path / "file")
            got.append(path.read_bytes())
            with open(tmp_path / "other", "w+b") as out:
                await file.download_to_memory(out)
                got.append(out.seek(0) or out.read())

        rig.send()
        rig.close()
    assert got == [content] * 3


def test_no_event_loop_is_made() -> None:
    """A runtime's `async def` handler runs in a process in which nobody can make an event loop."""
    program = """
        import asyncio
        from kits.dispatch_kit import Rig

        def nobody(*_):
            raise SystemExit("an event loop was asked for")

        rig = Rig()
        asyncio.new_event_loop = asyncio.get_event_loop = asyncio.run = nobody

        @rig.app.message()
        async def handle(update, context):
            await update.message.reply_text("hello")
            await context.bot.send_message(chat_id=1, text="hello")

        rig.send()
        print(len([call for call in rig.transport.calls if call.method == "sendMessage"]))
        rig.close()
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)], capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}, timeout=60
    )
    assert done.stdout.strip() == "2", done.stderr
