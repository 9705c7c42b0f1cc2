"""A polling bot in a program under gevent's monkey patches: its threads become greenlets, beside those of the program.

The patches have to come before anything else is imported. Run it with `python examples/gevent_bot.py`.
"""

from gevent import monkey

monkey.patch_all()

import gevent  # noqa: E402  # after the patches
import telegram  # noqa: E402

from syncbot import Bot, Context, Runtime  # noqa: E402

app = Runtime(Bot.from_env())
ticks = 0


@app.message()
def echo(update: telegram.Update, context: Context) -> None:
    """Say back what was said, and how often the program's own greenlet has run."""
    if update.message:
        context.reply(f"{update.message.text} ({ticks} ticks)")


def tick() -> None:
    """The program's own work."""
    global ticks
    while True:
        ticks += 1
        gevent.sleep(0.01)


if __name__ == "__main__":
    worker = gevent.spawn(tick)
    app.run()
    worker.kill()
