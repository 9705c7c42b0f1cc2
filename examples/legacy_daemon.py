"""A daemon with signal handlers and a main loop of its own, and a bot in its threads: `start` touches neither signals nor the main thread.

Run it with `python examples/legacy_daemon.py`; SIGHUP makes it read its settings again, SIGTERM ends it.
"""

import queue
import signal

import telegram

from syncbot import Bot, Context, Runtime

work: "queue.SimpleQueue[str]" = queue.SimpleQueue()
app = Runtime(Bot.from_env())
greeting = {"text": "first settings"}


@app.command("work")
def order(update: telegram.Update, context: Context) -> None:
    """Hand a task to the daemon's main loop."""
    work.put(" ".join(context.args))
    context.reply(f"queued, under {greeting['text']}")


def on_hangup(number: int, frame: object) -> None:
    """The daemon's own handler: new settings."""
    greeting["text"] = "second settings"
    print("settings read again", flush=True)


def on_terminate(number: int, frame: object) -> None:
    """The daemon's own handler: the end."""
    work.put("")


def main() -> None:
    """The daemon: its main loop is the one it always had."""
    signal.signal(signal.SIGHUP, on_hangup)
    signal.signal(signal.SIGTERM, on_terminate)
    with app:  # start() here, stop() at the end
        print("running", flush=True)
        while task := work.get():
            print(f"done: {task}", flush=True)
    print("ended", flush=True)


if __name__ == "__main__":
    main()
