"""Beeps after a while."""

import os

from telegram import Update
from telegram.ext import CallbackContext, CommandHandler, Updater


def start(update: Update, context: CallbackContext) -> None:
    update.message.reply_text("Hi! Use /set <seconds> to set a timer")


def alarm(context: CallbackContext) -> None:
    job = context.job
    context.bot.send_message(job.context, text="Beep!")


def remove_job_if_exists(name: str, context: CallbackContext) -> bool:
    current_jobs = context.job_queue.get_jobs_by_name(name)
    if not current_jobs:
        return False
    for job in current_jobs:
        job.schedule_removal()
    return True


def set_timer(update: Update, context: CallbackContext) -> None:
    chat_id = update.message.chat_id
    try:
        due = float(context.args[0])
        if due < 0:
            update.message.reply_text("Sorry, we can not go back to future!")
            return
        job_removed = remove_job_if_exists(str(chat_id), context)
        context.job_queue.run_once(alarm, due, context=chat_id, name=str(chat_id))
        text = "Timer successfully set!"
        if job_removed:
            text += " Old one was removed."
        update.message.reply_text(text)
    except (IndexError, ValueError):
        update.message.reply_text("Usage: /set <seconds>")


def unset(update: Update, context: CallbackContext) -> None:
    job_removed = remove_job_if_exists(str(update.message.chat_id), context)
    update.message.reply_text("Timer successfully cancelled!" if job_removed else "You have no active timer.")


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    dispatcher = updater.dispatcher
    dispatcher.add_handler(CommandHandler("start", start))
    dispatcher.add_handler(CommandHandler("help", start))
    dispatcher.add_handler(CommandHandler("set", set_timer))
    dispatcher.add_handler(CommandHandler("unset", unset))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
