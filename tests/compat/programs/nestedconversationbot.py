"""A conversation within a conversation within a conversation, by buttons."""

import os
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import CallbackContext, CallbackQueryHandler, CommandHandler, ConversationHandler, Filters, MessageHandler, Updater

SELECTING_ACTION, ADDING_MEMBER, ADDING_SELF, DESCRIBING_SELF = map(chr, range(4))
SELECTING_LEVEL, SELECTING_GENDER = map(chr, range(4, 6))
SELECTING_FEATURE, TYPING = map(chr, range(6, 8))
STOPPING, SHOWING = map(chr, range(8, 10))
END = ConversationHandler.END
PARENTS, CHILDREN, SELF, GENDER, MALE, FEMALE, AGE, NAME, START_OVER, FEATURES, CURRENT_FEATURE, CURRENT_LEVEL = map(chr, range(10, 22))


def _name_switcher(level: str) -> tuple:
    return ("Father", "Mother") if level == PARENTS else ("Brother", "Sister")


def start(update: Update, context: CallbackContext) -> str:
    text = "You may choose to add a family member, yourself, show the gathered data, or end the conversation. To abort, simply type /stop."
    buttons = [
        [
            InlineKeyboardButton(text="Add family member", callback_data=str(ADDING_MEMBER)),
            InlineKeyboardButton(text="Add yourself", callback_data=str(ADDING_SELF)),
        ],
        [InlineKeyboardButton(text="Show data", callback_data=str(SHOWING)), InlineKeyboardButton(text="Done", callback_data=str(END))],
    ]
    keyboard = InlineKeyboardMarkup(buttons)
    if context.user_data.get(START_OVER):
        update.callback_query.answer()
        update.callback_query.edit_message_text(text=text, reply_markup=keyboard)
    else:
        update.message.reply_text("Hi, I'm Family Bot and I'm here to help you gather information about your family.")
        update.message.reply_text(text=text, reply_markup=keyboard)
    context.user_data[START_OVER] = False
    return SELECTING_ACTION


def adding_self(update: Update, context: CallbackContext) -> str:
    context.user_data[CURRENT_LEVEL] = SELF
    keyboard = InlineKeyboardMarkup.from_button(InlineKeyboardButton(text="Add info", callback_data=str(MALE)))
    update.callback_query.answer()
    update.callback_query.edit_message_text(text="Okay, please tell me about yourself.", reply_markup=keyboard)
    return DESCRIBING_SELF


def show_data(update: Update, context: CallbackContext) -> str:
    def prettyprint(user_data: dict, level: str) -> str:
        people = user_data.get(level)
        if not people:
            return "\nNo information yet."
        text = ""
        if level == SELF:
            for person in user_data[level]:
                text += f"\nName: {person.get(NAME, '-')}, Age: {person.get(AGE, '-')}"
        else:
            male, female = _name_switcher(level)
            for person in user_data[level]:
                gender = female if person[GENDER] == FEMALE else male
                text += f"\n{gender}: Name: {person.get(NAME, '-')}, Age: {person.get(AGE, '-')}"
        return text

    user_data = context.user_data
    text = f"Yourself:{prettyprint(user_data, SELF)}\n\nParents:{prettyprint(user_data, PARENTS)}\n\nChildren:{prettyprint(user_data, CHILDREN)}"
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton(text="Back", callback_data=str(END))]])
    update.callback_query.answer()
    update.callback_query.edit_message_text(text=text, reply_markup=keyboard)
    user_data[START_OVER] = True
    return SHOWING


def stop(update: Update, context: CallbackContext) -> int:
    update.message.reply_text("Okay, bye.")
    return END


def end(update: Update, context: CallbackContext) -> int:
    update.callback_query.answer()
    update.callback_query.edit_message_text(text="See you around!")
    return END


def select_level(update: Update, context: CallbackContext) -> str:
    buttons = [
        [InlineKeyboardButton(text="Add parent", callback_data=str(PARENTS)), InlineKeyboardButton(text="Add child", callback_data=str(CHILDREN))],
        [InlineKeyboardButton(text="Show data", callback_data=str(SHOWING)), InlineKeyboardButton(text="Back", callback_data=str(END))],
    ]
    update.callback_query.answer()
    update.callback_query.edit_message_text(text="You may add a parent or a child.", reply_markup=InlineKeyboardMarkup(buttons))
    return SELECTING_LEVEL


def select_gender(update: Update, context: CallbackContext) -> str:
    level = update.callback_query.data
    context.user_data[CURRENT_LEVEL] = level
    male, female = _name_switcher(level)
    buttons = [
        [InlineKeyboardButton(text=f"Add {male}", callback_data=str(MALE)), InlineKeyboardButton(text=f"Add {female}", callback_data=str(FEMALE))],
        [InlineKeyboardButton(text="Show data", callback_data=str(SHOWING)), InlineKeyboardButton(text="Back", callback_data=str(END))],
    ]
    update.callback_query.answer()
    update.callback_query.edit_message_text(text="Please choose, whom to add.", reply_markup=InlineKeyboardMarkup(buttons))
    return SELECTING_GENDER


def end_second_level(update: Update, context: CallbackContext) -> int:
    context.user_data[START_OVER] = True
    start(update, context)
    return END


def select_feature(update: Update, context: CallbackContext) -> str:
    buttons = [
        [
            InlineKeyboardButton(text="Name", callback_data=str(NAME)),
            InlineKeyboardButton(text="Age", callback_data=str(AGE)),
            InlineKeyboardButton(text="Done", callback_data=str(END)),
        ]
    ]
    keyboard = InlineKeyboardMarkup(buttons)
    if not context.user_data.get(START_OVER):
        context.user_data[FEATURES] = {GENDER: update.callback_query.data}
        update.callback_query.answer()
        update.callback_query.edit_message_text(text="Please select a feature to update.", reply_markup=keyboard)
    else:
        update.message.reply_text(text="Got it! Please select a feature to update.", reply_markup=keyboard)
    context.user_data[START_OVER] = False
    return SELECTING_FEATURE


def ask_for_input(update: Update, context: CallbackContext) -> str:
    context.user_data[CURRENT_FEATURE] = update.callback_query.data
    update.callback_query.answer()
    update.callback_query.edit_message_text(text="Okay, tell me.")
    return TYPING


def save_input(update: Update, context: CallbackContext) -> str:
    user_data = context.user_data
    user_data[FEATURES][user_data[CURRENT_FEATURE]] = update.message.text
    user_data[START_OVER] = True
    return select_feature(update, context)


def end_describing(update: Update, context: CallbackContext) -> int:
    user_data = context.user_data
    level = user_data[CURRENT_LEVEL]
    if not user_data.get(level):
        user_data[level] = []
    user_data[level].append(user_data[FEATURES])
    if level == SELF:
        user_data[START_OVER] = True
        start(update, context)
    else:
        select_level(update, context)
    return END


def stop_nested(update: Update, context: CallbackContext) -> str:
    update.message.reply_text("Okay, bye.")
    return STOPPING


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    description_conv = ConversationHandler(
        entry_points=[CallbackQueryHandler(select_feature, pattern="^" + str(MALE) + "$|^" + str(FEMALE) + "$")],
        states={
            SELECTING_FEATURE: [CallbackQueryHandler(ask_for_input, pattern="^(?!" + str(END) + ").*$")],
            TYPING: [MessageHandler(Filters.text & ~Filters.command, save_input)],
        },
        fallbacks=[CallbackQueryHandler(end_describing, pattern="^" + str(END) + "$"), CommandHandler("stop", stop_nested)],
        map_to_parent={END: SELECTING_LEVEL, STOPPING: STOPPING},
    )
    add_member_conv = ConversationHandler(
        entry_points=[CallbackQueryHandler(select_level, pattern="^" + str(ADDING_MEMBER) + "$")],
        states={
            SELECTING_LEVEL: [CallbackQueryHandler(select_gender, pattern=f"^{PARENTS}$|^{CHILDREN}$")],
            SELECTING_GENDER: [description_conv],
        },
        fallbacks=[
            CallbackQueryHandler(show_data, pattern="^" + str(SHOWING) + "$"),
            CallbackQueryHandler(end_second_level, pattern="^" + str(END) + "$"),
            CommandHandler("stop", stop_nested),
        ],
        map_to_parent={SHOWING: SHOWING, STOPPING: END, END: SELECTING_ACTION},
    )
    selection_handlers: Any = [
        add_member_conv,
        CallbackQueryHandler(show_data, pattern="^" + str(SHOWING) + "$"),
        CallbackQueryHandler(adding_self, pattern="^" + str(ADDING_SELF) + "$"),
        CallbackQueryHandler(end, pattern="^" + str(END) + "$"),
    ]
    conv_handler = ConversationHandler(
        entry_points=[CommandHandler("start", start)],
        states={
            SHOWING: [CallbackQueryHandler(start, pattern="^" + str(END) + "$")],
            SELECTING_ACTION: selection_handlers,
            SELECTING_LEVEL: selection_handlers,
            DESCRIBING_SELF: [description_conv],
            STOPPING: [CommandHandler("start", start)],
        },
        fallbacks=[CommandHandler("stop", stop)],
    )
    updater.dispatcher.add_handler(conv_handler)
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
