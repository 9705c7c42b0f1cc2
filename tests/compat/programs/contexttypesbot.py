"""A context and data of its own classes."""

import os
from collections import defaultdict
from typing import DefaultDict, Optional, Set

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, ParseMode, Update
from telegram.ext import CallbackContext, CallbackQueryHandler, CommandHandler, ContextTypes, Dispatcher, TypeHandler, Updater


class ChatData:
    def __init__(self) -> None:
        self.clicks_per_message: DefaultDict[int, int] = defaultdict(int)


class CustomContext(CallbackContext[dict, ChatData, dict]):
    def __init__(self, dispatcher: Dispatcher):
        super().__init__(dispatcher=dispatcher)
        self._message_id: Optional[int] = None

    @property
    def bot_user_ids(self) -> Set[int]:
        return self.bot_data.setdefault("user_ids", set())

    @property
    def message_clicks(self) -> Optional[int]:
        if self._message_id:
            return self.chat_data.clicks_per_message[self._message_id]
        return None

    @message_clicks.setter
    def message_clicks(self, value: int) -> None:
        if not self._message_id:
            raise RuntimeError("There is no message associated with this context object.")
        self.chat_data.clicks_per_message[self._message_id] = value

    @classmethod
    def from_update(cls, update: object, dispatcher: "Dispatcher") -> "CustomContext":
        context = super().from_update(update, dispatcher)
        if context.chat_data and isinstance(update, Update) and update.effective_message:
            context._message_id = update.effective_message.message_id
        return context


def start(update: Update, context: CustomContext) -> None:
    update.message.reply_html(
        "This button was clicked <i>0</i> times.",
        reply_markup=InlineKeyboardMarkup.from_button(InlineKeyboardButton(text="Click me!", callback_data="button")),
    )


def count_click(update: Update, context: CustomContext) -> None:
    context.message_clicks += 1
    update.callback_query.answer()
    update.effective_message.edit_text(
        f"This button was clicked <i>{context.message_clicks}</i> times.",
        reply_markup=InlineKeyboardMarkup.from_button(InlineKeyboardButton(text="Click me!", callback_data="button")),
        parse_mode=ParseMode.HTML,
    )


def print_users(update: Update, context: CustomContext) -> None:
    update.message.reply_text("The following user IDs have used this bot: " + ", ".join(map(str, context.bot_user_ids)))


def track_users(update: Update, context: CustomContext) -> None:
    if update.effective_user:
        context.bot_user_ids.add(update.effective_user.id)


def main() -> None:
    context_types = ContextTypes(context=CustomContext, chat_data=ChatData)
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"], context_types=context_types)
    dispatcher = updater.dispatcher
    dispatcher.add_handler(TypeHandler(Update, track_users), group=-1)
    dispatcher.add_handler(CommandHandler("start", start))
    dispatcher.add_handler(CallbackQueryHandler(count_click))
    dispatcher.add_handler(CommandHandler("print_users", print_users))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
