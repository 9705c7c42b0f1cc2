"""A bot that a scheduled task starts now and then: it handles what has come meanwhile, and exits.

In a crontab: `*/5 * * * * python /home/me/scheduled.py`. Exit code 0: all done; 75: something is left for the next run; 1: a handler failed.
"""

import sys

import telegram

from syncbot import Bot, Context, Runtime

app = Runtime(Bot.from_env())


@app.message()
def receipt(update: telegram.Update, context: Context) -> None:
    """Acknowledge what was written."""
    context.reply("Noted; it will be looked at in the morning.")


if __name__ == "__main__":
    summary = app.run_once(max_seconds=240)
    print(summary)
    sys.exit(summary.exit_code)
