"""A bot in threads beside a running asyncio loop: each side calls the other, and neither blocks it.

A handler runs a coroutine with `run_coroutine_threadsafe` and waits for its result; the loop sends by way of `asyncio.to_thread`.
Run it with `python examples/asyncio_beside.py`.
"""

import asyncio
import signal

import telegram

from syncbot import Bot, Context, Runtime

bot = Bot.from_env()
app = Runtime(bot)
loop = asyncio.new_event_loop()


async def ask_service(question: str) -> str:
    """What the asyncio side can do: it stands for a database or another service."""
    await asyncio.sleep(0)
    return question.upper()


@app.command("later")
def later(update: telegram.Update, context: Context) -> None:
    """Have the loop write to this chat; the handler does not wait for it."""
    if context.chat_id is not None:
        asyncio.run_coroutine_threadsafe(write_from_loop(context.chat_id), loop)


@app.message()
def answer(update: telegram.Update, context: Context) -> None:
    """Ask the asyncio side, and answer with what it says."""
    if update.message and update.message.text:
        context.reply(asyncio.run_coroutine_threadsafe(ask_service(update.message.text), loop).result(timeout=10))


async def write_from_loop(chat_id: int) -> None:
    """The way from the loop to Telegram: a thread makes the blocking call."""
    await asyncio.to_thread(bot.send_message, chat_id=chat_id, text="from the loop")


async def main() -> None:
    """The asyncio program: it runs the bot beside its own tasks until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    app.start()
    await ended.wait()
    await asyncio.to_thread(app.stop)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
