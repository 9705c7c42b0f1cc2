"""Polls and quizzes, and what becomes of them."""

import os

from telegram import KeyboardButton, KeyboardButtonPollType, ParseMode, Poll, ReplyKeyboardMarkup, ReplyKeyboardRemove, Update
from telegram.ext import CallbackContext, CommandHandler, Filters, MessageHandler, PollAnswerHandler, PollHandler, Updater


def start(update: Update, context: CallbackContext) -> None:
    update.message.reply_text("Please select /poll to get a Poll, /quiz to get a Quiz or /preview to generate a preview for your poll")


def poll(update: Update, context: CallbackContext) -> None:
    questions = ["Good", "Really good", "Fantastic", "Great"]
    message = context.bot.send_poll(update.effective_chat.id, "How are you?", questions, is_anonymous=False, allows_multiple_answers=True)
    payload = {message.poll.id: {"questions": questions, "message_id": message.message_id, "chat_id": update.effective_chat.id, "answers": 0}}
    context.bot_data.update(payload)


def receive_poll_answer(update: Update, context: CallbackContext) -> None:
    answer = update.poll_answer
    try:
        questions = context.bot_data[answer.poll_id]["questions"]
    except KeyError:
        return
    answer_string = " and ".join(questions[number] for number in answer.option_ids)
    context.bot.send_message(
        context.bot_data[answer.poll_id]["chat_id"],
        f"{update.effective_user.mention_html()} feels {answer_string}!",
        parse_mode=ParseMode.HTML,
    )
    context.bot_data[answer.poll_id]["answers"] += 1
    if context.bot_data[answer.poll_id]["answers"] == 1:
        context.bot.stop_poll(context.bot_data[answer.poll_id]["chat_id"], context.bot_data[answer.poll_id]["message_id"])


def quiz(update: Update, context: CallbackContext) -> None:
    questions = ["1", "2", "4", "20"]
    message = update.effective_message.reply_poll("How many eggs do you need for a cake?", questions, type=Poll.QUIZ, correct_option_id=2)
    context.bot_data.update({message.poll.id: {"chat_id": update.effective_chat.id, "message_id": message.message_id}})


def receive_quiz_answer(update: Update, context: CallbackContext) -> None:
    if update.poll.is_closed or update.poll.type != Poll.QUIZ:
        return
    if update.poll.total_voter_count == 1:
        try:
            quiz_data = context.bot_data[update.poll.id]
        except KeyError:
            return
        context.bot.stop_poll(quiz_data["chat_id"], quiz_data["message_id"])
        context.bot.send_message(quiz_data["chat_id"], "The quiz is over.")


def preview(update: Update, context: CallbackContext) -> None:
    button = [[KeyboardButton("Press me!", request_poll=KeyboardButtonPollType())]]
    update.effective_message.reply_text("Press the button", reply_markup=ReplyKeyboardMarkup(button, one_time_keyboard=True))


def receive_poll(update: Update, context: CallbackContext) -> None:
    actual_poll = update.effective_message.poll
    update.effective_message.reply_poll(
        question=actual_poll.question, options=[o.text for o in actual_poll.options], is_closed=True, reply_markup=ReplyKeyboardRemove()
    )


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    dispatcher = updater.dispatcher
    dispatcher.add_handler(CommandHandler("start", start))
    dispatcher.add_handler(CommandHandler("poll", poll))
    dispatcher.add_handler(PollAnswerHandler(receive_poll_answer))
    dispatcher.add_handler(CommandHandler("quiz", quiz))
    dispatcher.add_handler(PollHandler(receive_quiz_answer))
    dispatcher.add_handler(CommandHandler("preview", preview))
    dispatcher.add_handler(MessageHandler(Filters.poll, receive_poll))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
