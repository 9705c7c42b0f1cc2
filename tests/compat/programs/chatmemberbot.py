"""Keeps track of where it is, and greets who comes."""

import os
from typing import Optional, Tuple

from telegram import Chat, ChatMember, ChatMemberUpdated, ParseMode, Update
from telegram.ext import CallbackContext, ChatMemberHandler, CommandHandler, Updater


def extract_status_change(chat_member_update: ChatMemberUpdated) -> Optional[Tuple[bool, bool]]:
    status_change = chat_member_update.difference().get("status")
    old_is_member, new_is_member = chat_member_update.difference().get("is_member", (None, None))
    if status_change is None:
        return None
    old_status, new_status = status_change
    inside = [ChatMember.MEMBER, ChatMember.CREATOR, ChatMember.ADMINISTRATOR]
    was_member = old_status in inside or (old_status == ChatMember.RESTRICTED and old_is_member is True)
    is_member = new_status in inside or (new_status == ChatMember.RESTRICTED and new_is_member is True)
    return was_member, is_member


def track_chats(update: Update, context: CallbackContext) -> None:
    result = extract_status_change(update.my_chat_member)
    if result is None:
        return
    was_member, is_member = result
    chat = update.effective_chat
    if chat.type == Chat.PRIVATE:
        return
    kind = "group_ids" if chat.type in [Chat.GROUP, Chat.SUPERGROUP] else "channel_ids"
    if not was_member and is_member:
        context.bot_data.setdefault(kind, set()).add(chat.id)
    elif was_member and not is_member:
        context.bot_data.setdefault(kind, set()).discard(chat.id)


def show_chats(update: Update, context: CallbackContext) -> None:
    group_ids = ", ".join(str(gid) for gid in context.bot_data.setdefault("group_ids", set()))
    update.effective_message.reply_text(f"The bot is a member of the groups with IDs [{group_ids}].")


def greet_chat_members(update: Update, context: CallbackContext) -> None:
    result = extract_status_change(update.chat_member)
    if result is None:
        return
    was_member, is_member = result
    cause_name = update.chat_member.from_user.mention_html()
    member_name = update.chat_member.new_chat_member.user.mention_html()
    if not was_member and is_member:
        update.effective_chat.send_message(f"{member_name} was added by {cause_name}. Welcome!", parse_mode=ParseMode.HTML)
    elif was_member and not is_member:
        update.effective_chat.send_message(f"{member_name} is no longer with us. Thanks a lot, {cause_name} ...", parse_mode=ParseMode.HTML)


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    dispatcher = updater.dispatcher
    dispatcher.add_handler(ChatMemberHandler(track_chats, ChatMemberHandler.MY_CHAT_MEMBER))
    dispatcher.add_handler(CommandHandler("show_chats", show_chats))
    dispatcher.add_handler(ChatMemberHandler(greet_chat_members, ChatMemberHandler.CHAT_MEMBER))
    updater.start_polling(allowed_updates=Update.ALL_TYPES)
    updater.idle()


if __name__ == "__main__":
    main()
