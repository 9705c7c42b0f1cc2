"""python-telegram-bot, as it is, drives the fake server: each conversation ends as with Telegram, and its parser finds nothing that it does not know."""

from __future__ import annotations

import asyncio
import datetime as dtm
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, RetryAfter
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from syncbot.testing import Answer, BotApiServer, Group, User


@dataclass(frozen=True)
class Scene:
    """Who meets in a conversation."""

    server: BotApiServer
    bot: telegram.Bot
    user: User
    group: Group


Conversation = Callable[[Scene], Awaitable[None]]
CONVERSATIONS: list[Conversation] = []


def conversation(talk: Conversation) -> Conversation:
    CONVERSATIONS.append(talk)
    return talk


def new_bot(server: BotApiServer, token: str = "") -> telegram.Bot:
    return telegram.Bot(token or server.token, base_url=f"{server.url}/bot", base_file_url=f"{server.url}/file/bot")


@pytest.fixture(scope="module")
def server() -> Iterator[BotApiServer]:
    with BotApiServer(slow_same_offset=False) as running:
        yield running


@pytest.fixture(autouse=True)
def _periods_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library warns of its older way of telling them."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.mark.parametrize("talk", CONVERSATIONS, ids=lambda talk: talk.__name__)
def test_conversation(server: BotApiServer, talk: Conversation) -> None:
    """The library gets what it expects, and sends nothing that the server does not know."""

    async def main() -> None:
        async with new_bot(server) as bot:
            user = server.user(first_name="Ann")
            await talk(Scene(server, bot, user, server.group("The group", members=[user])))

    before = len(server.problems)
    server.queue.drop()
    asyncio.run(main())
    assert server.problems[before:] == []


# ---------------------------------------------------------------------- texts


@conversation
async def get_me(scene: Scene) -> None:
    """The bot knows itself."""
    assert (await scene.bot.get_me()).username == "test_bot"


@conversation
async def a_text(scene: Scene) -> None:
    """A text with markup arrives, with entities in UTF-16."""
    message = await scene.bot.send_message(scene.user.id, "🙂 *bold* _it_", ParseMode.MARKDOWN_V2)
    assert message.parse_entities() == {message.entities[0]: "bold", message.entities[1]: "it"}
    scene.user.wait_for("🙂 bold it")


@conversation
async def long_texts(scene: Scene) -> None:
    """4096 emoji are a text, one more is none."""
    assert len((await scene.bot.send_message(scene.user.id, "🙂" * 4096)).text or "") == 4096
    with pytest.raises(BadRequest, match="is too long"):
        await scene.bot.send_message(scene.user.id, "🙂" * 4097)


@conversation
async def a_reply_with_a_quote(scene: Scene) -> None:
    """A reply tells what it replies to and what it quotes."""
    first = await scene.bot.send_message(scene.user.id, "one two three")
    second = await scene.bot.send_message(scene.user.id, "x", reply_parameters=ReplyParameters(first.message_id, quote="two"))
    assert second.reply_to_message is not None
    assert second.reply_to_message.message_id == first.message_id
    assert second.quote is not None
    assert (second.quote.text, second.quote.position) == ("two", 4)


@conversation
async def a_link_preview(scene: Scene) -> None:
    """Options of the preview come back."""
    sent = await scene.bot.send_message(scene.user.id, "x", link_preview_options=telegram.LinkPreviewOptions(url="https://example.com/"))
    assert sent.link_preview_options is not None
    assert sent.link_preview_options.url == "https://example.com/"


@conversation
async def edits(scene: Scene) -> None:
    """A text is changed once, and not to what it is."""
    message = await scene.bot.send_message(scene.user.id, "old")
    edited = await message.edit_text("new")
    assert isinstance(edited, telegram.Message)
    assert (edited.text, edited.edit_date is not None) == ("new", True)
    with pytest.raises(BadRequest, match="not modified"):
        await message.edit_text("new")


@conversation
async def deletes(scene: Scene) -> None:
    """A message is deleted once, several at a time too."""
    message = await scene.bot.send_message(scene.user.id, "x")
    assert await message.delete()
    with pytest.raises(BadRequest, match="to delete not found"):
        await message.delete()
    more = [(await scene.bot.send_message(scene.user.id, str(n))).message_id for n in range(3)]
    assert await scene.bot.delete_messages(scene.user.id, more)
    assert scene.user.messages == []


@conversation
async def forwards_and_copies(scene: Scene) -> None:
    """A forward tells where it is from, a copy does not."""
    message = await scene.bot.send_message(scene.user.id, "news")
    forwarded = await message.forward(scene.group.id)
    assert isinstance(forwarded.forward_origin, telegram.MessageOriginUser)
    assert (await message.copy(scene.group.id)).message_id > forwarded.message_id
    assert len(await scene.bot.copy_messages(scene.group.id, scene.user.id, [message.message_id])) == 1


@conversation
async def protected_content(scene: Scene) -> None:
    """A protected message goes nowhere else."""
    message = await scene.bot.send_message(scene.user.id, "secret", protect_content=True)
    assert message.has_protected_content
    with pytest.raises(BadRequest, match="can't be forwarded"):
        await message.forward(scene.group.id)


@conversation
async def topics(scene: Scene) -> None:
    """A topic of a private chat is known, another one is not."""
    topic = await scene.bot.create_forum_topic(scene.user.id, "topic")
    sent = await scene.bot.send_message(scene.user.id, "x", message_thread_id=topic.message_thread_id)
    assert sent.message_thread_id == topic.message_thread_id
    with pytest.raises(BadRequest, match="thread not found"):
        await scene.bot.send_message(scene.user.id, "x", message_thread_id=999_999)


# ---------------------------------------------------------------------- media


@conversation
async def a_photo(scene: Scene) -> None:
    """A photo is sent, described and fetched."""
    message = await scene.bot.send_photo(scene.user.id, b"photo", caption="<b>c</b>", parse_mode=ParseMode.HTML, has_spoiler=True)
    assert (message.caption, message.has_media_spoiler) == ("c", True)
    file = await message.photo[-1].get_file()
    assert bytes(await file.download_as_bytearray()) == b"photo"


@conversation
async def a_document(scene: Scene) -> None:
    """A document has its name, a type by its name, and a thumbnail."""
    message = await scene.bot.send_document(scene.user.id, b"content", filename="the report.pdf", thumbnail=b"thumb")
    assert message.document is not None
    assert (message.document.file_name, message.document.mime_type) == ("the report.pdf", "application/pdf")
    assert message.document.thumbnail is not None
    assert message.document.thumbnail.file_size == 5


@conversation
async def media_of_all_kinds(scene: Scene) -> None:
    """Each kind comes back as its own type."""
    chat, bot = scene.user.id, scene.bot
    assert (await bot.send_video(chat, b"v", duration=5, thumbnail=b"t")).video is not None
    assert (await bot.send_audio(chat, b"a", performer="p", title="t")).audio is not None
    assert (await bot.send_voice(chat, b"v")).voice is not None
    assert (await bot.send_animation(chat, b"a")).animation is not None
    assert (await bot.send_video_note(chat, b"v", length=240)).video_note is not None
    assert (await bot.send_sticker(chat, b"s")).sticker is not None


@conversation
async def albums(scene: Scene) -> None:
    """One to ten items."""
    media = [telegram.InputMediaPhoto(b"one", caption="1"), telegram.InputMediaVideo(b"two", thumbnail=b"t")]
    first, second = await scene.bot.send_media_group(scene.user.id, media)
    assert first.media_group_id == second.media_group_id
    assert second.video is not None
    assert second.video.thumbnail is not None
    assert len(await scene.bot.send_media_group(scene.user.id, media[:1])) == 1
    with pytest.raises(BadRequest, match="oo many messages"):
        await scene.bot.send_media_group(scene.user.id, media * 6)


@conversation
async def media_are_edited(scene: Scene) -> None:
    """A caption and a medium are changed."""
    message = await scene.bot.send_photo(scene.user.id, b"photo")
    captioned = await message.edit_caption("c")
    assert isinstance(captioned, telegram.Message)
    assert captioned.caption == "c"
    changed = await message.edit_media(telegram.InputMediaDocument(b"document", filename="d.txt"))
    assert isinstance(changed, telegram.Message)
    assert changed.document is not None


@conversation
async def an_unknown_file(scene: Scene) -> None:
    """An id that nobody gave is refused."""
    with pytest.raises(BadRequest, match="nvalid file_id"):
        await scene.bot.get_file("nothing")


@conversation
async def places(scene: Scene) -> None:
    """A location lives and stops, a venue has a name, a contact a number, a dice a value."""
    chat, bot = scene.user.id, scene.bot
    live = await bot.send_location(chat, 1.0, 2.0, live_period=60)
    moved = await live.edit_live_location(3.0, 4.0)
    assert isinstance(moved, telegram.Message)
    assert moved.location is not None
    assert moved.location.latitude == 3.0
    await live.stop_live_location()
    venue = (await bot.send_venue(chat, 1.0, 2.0, "title", "address")).venue
    assert venue is not None
    assert venue.title == "title"
    assert (await bot.send_contact(chat, "+123456789", "Ann")).contact is not None
    assert (await bot.send_dice(chat)).dice is not None


@conversation
async def an_invoice(scene: Scene) -> None:
    """The price is the sum."""
    prices = [telegram.LabeledPrice("a", 100), telegram.LabeledPrice("b", 50)]
    invoice = (await scene.bot.send_invoice(scene.user.id, "t", "d", "payload", "XTR", prices)).invoice
    assert invoice is not None
    assert invoice.total_amount == 150


# ---------------------------------------------------------------------- polls


@conversation
async def a_poll(scene: Scene) -> None:
    """Options are texts or have markup; the poll is stopped once."""
    rich = telegram.InputPollOption("*b*", text_parse_mode=ParseMode.MARKDOWN_V2)
    message = await scene.bot.send_poll(scene.user.id, "q?", ["a", rich])
    assert message.poll is not None
    assert [option.text for option in message.poll.options] == ["a", "b"]
    assert (await message.stop_poll()).is_closed
    with pytest.raises(BadRequest, match="already been closed"):
        await message.stop_poll()


@conversation
async def a_quiz(scene: Scene) -> None:
    """A quiz has a right answer and an explanation with markup, and is refused without."""
    quiz = {"explanation": "<b>why</b>", "explanation_parse_mode": ParseMode.HTML, "type": telegram.Poll.QUIZ}
    message = await scene.bot.send_poll(scene.user.id, "q?", ["a", "b"], correct_option_ids=[1], **quiz)  # type: ignore[arg-type]  # several types in one dict
    assert message.poll is not None
    assert (message.poll.explanation, message.poll.explanation_entities[0].type) == ("why", "bold")
    with pytest.raises(BadRequest, match="option"):
        await scene.bot.send_poll(scene.user.id, "q?", ["a", "b"], type=telegram.Poll.QUIZ)
    with pytest.raises(BadRequest, match="non-empty"):
        await scene.bot.send_poll(scene.user.id, "q?", ["a", " "])


@conversation
async def a_poll_ends_by_itself(scene: Scene) -> None:
    """The bot is told when the time of a poll is up."""
    message = await scene.bot.send_poll(scene.user.id, "q?", ["a", "b"], open_period=1)
    (update,) = await scene.bot.get_updates(timeout=20)
    assert update.poll is not None
    assert message.poll is not None
    assert (update.poll.id, update.poll.is_closed) == (message.poll.id, True)


# ---------------------------------------------------------------------- keyboards


@conversation
async def a_pressed_button(scene: Scene) -> None:
    """A press is an update, its answer reaches the user, and the keyboard is taken away."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes"), InlineKeyboardButton("Site", url="https://example.com")]])
    await scene.bot.send_message(scene.user.id, "Sure?", reply_markup=keyboard)
    press = scene.user.press("Yes")
    (update,) = await scene.bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "yes"
    await update.callback_query.answer("done", show_alert=True)
    assert press.wait_answer()["text"] == "done"
    await update.callback_query.edit_message_reply_markup(None)
    assert scene.user.last.buttons == []


@conversation
async def keyboards_of_other_kinds(scene: Scene) -> None:
    """They pass, and no message shows them; one that is no array does not."""
    for markup in (telegram.ReplyKeyboardMarkup([["a", "b"]]), telegram.ReplyKeyboardRemove(), telegram.ForceReply()):
        assert (await scene.bot.send_message(scene.user.id, "x", reply_markup=markup)).reply_markup is None
    with pytest.raises(BadRequest, match="an array of arrays"):
        await scene.bot.send_message(scene.user.id, "x", api_kwargs={"reply_markup": {"keyboard": {}}})


@conversation
async def a_chat_action(scene: Scene) -> None:
    """Known actions pass, others do not."""
    assert await scene.bot.send_chat_action(scene.user.id, "typing")
    with pytest.raises(BadRequest, match="rong parameter action"):
        await scene.bot.send_chat_action(scene.user.id, "dancing")


# ---------------------------------------------------------------------- chats


@conversation
async def members(scene: Scene) -> None:
    """Members are counted, promoted, restricted and thrown out."""
    other = scene.server.user(first_name="Bob")
    scene.group.join(other)
    bot, chat = scene.bot, scene.group.id
    assert await bot.get_chat_member_count(chat) == 3
    assert isinstance(await bot.get_chat_member(chat, scene.user.id), telegram.ChatMemberOwner)
    await bot.promote_chat_member(chat, other.id, can_delete_messages=True)
    assert len(await bot.get_chat_administrators(chat)) == 2
    await bot.restrict_chat_member(chat, other.id, telegram.ChatPermissions(can_send_messages=False))
    assert isinstance(await bot.get_chat_member(chat, other.id), telegram.ChatMemberRestricted)
    await bot.ban_chat_member(chat, other.id, until_date=dtm.datetime.now(dtm.UTC) + dtm.timedelta(days=1))
    assert scene.group.status_of(other) == "kicked"
    await bot.unban_chat_member(chat, other.id)
    assert scene.group.status_of(other) == "left"


@conversation
async def the_look_of_a_chat(scene: Scene) -> None:
    """Title, description and photo stand in getChat."""
    bot, chat = scene.bot, scene.group.id
    await bot.set_chat_title(chat, "New")
    await bot.set_chat_description(chat, "About")
    await bot.set_chat_photo(chat, b"photo")
    full = await bot.get_chat(chat)
    assert (full.title, full.description) == ("New", "About")
    assert full.photo is not None
    assert (await full.photo.get_big_file()).file_size == 5
    await bot.delete_chat_photo(chat)
    assert (await bot.get_chat(chat)).photo is None


@conversation
async def permissions(scene: Scene) -> None:
    """Permissions of a group are kept."""
    await scene.bot.set_chat_permissions(scene.group.id, telegram.ChatPermissions(can_send_messages=True))
    kept = (await scene.bot.get_chat(scene.group.id)).permissions
    assert kept is not None
    assert (kept.can_send_messages, kept.can_send_polls) == (True, False)


@conversation
async def invitations(scene: Scene) -> None:
    """A link has its date, is changed and revoked; a request is let in."""
    bot, chat = scene.bot, scene.group.id
    date = dtm.datetime(2030, 1, 1, tzinfo=dtm.UTC)
    link = await bot.create_chat_invite_link(chat, expire_date=date, name="n", creates_join_request=True)
    assert link.expire_date == date
    edited = await bot.edit_chat_invite_link(chat, link, expire_date=date + dtm.timedelta(days=1))
    assert edited.expire_date == date + dtm.timedelta(days=1)
    assert (await bot.revoke_chat_invite_link(chat, link)).is_revoked
    other = scene.server.user(first_name="Bob")
    other.request_to_join(scene.group)
    (update,) = await bot.get_updates()
    assert update.chat_join_request is not None
    assert await update.chat_join_request.approve()
    assert scene.group.status_of(other) == "member"


@conversation
async def pins_and_reactions(scene: Scene) -> None:
    """A message is pinned and let go, and gets a reaction."""
    message = await scene.bot.send_message(scene.group.id, "pin me")
    await message.pin()
    pinned = (await scene.bot.get_chat(scene.group.id)).pinned_message
    assert pinned is not None
    assert pinned.text == "pin me"
    await message.unpin()
    await message.set_reaction("👍")
    assert scene.group.reaction_of_bot(message.message_id) == [{"type": "emoji", "emoji": "👍"}]


# ---------------------------------------------------------------------- the bot


@conversation
async def commands(scene: Scene) -> None:
    """Commands of a scope are kept apart."""
    scope = telegram.BotCommandScopeChat(scene.user.id)
    await scene.bot.set_my_commands([("help", "Help me")], scope=scope)
    assert await scene.bot.get_my_commands(scope=scope) == (telegram.BotCommand("help", "Help me"),)
    await scene.bot.delete_my_commands(scope=scope)
    assert await scene.bot.get_my_commands(scope=scope) == ()


@conversation
async def what_the_bot_says_about_itself(scene: Scene) -> None:
    """Name, descriptions, menu button and rights are kept."""
    bot = scene.bot
    await bot.set_my_description("long")
    assert (await bot.get_my_description()).description == "long"
    await bot.set_my_short_description("short")
    assert (await bot.get_my_short_description()).short_description == "short"
    await bot.set_chat_menu_button(scene.user.id, telegram.MenuButtonDefault())
    assert isinstance(await bot.get_chat_menu_button(scene.user.id), telegram.MenuButtonDefault)
    rights = telegram.ChatAdministratorRights.all_rights()
    await bot.set_my_default_administrator_rights(rights, for_channels=True)
    assert (await bot.get_my_default_administrator_rights(for_channels=True)).can_delete_messages
    assert not (await bot.get_my_default_administrator_rights()).can_delete_messages


@conversation
async def profile_photos(scene: Scene) -> None:
    """A new user has no photo; the bot has the one that it set."""
    photos = await scene.bot.get_user_profile_photos(scene.user.id)
    assert photos is not None
    assert photos.total_count == 0
    await scene.bot.set_my_profile_photo(telegram.InputProfilePhotoStatic(b"photo"))
    own = await scene.bot.get_user_profile_photos(scene.bot.id)
    assert own is not None
    assert own.total_count == 1
    await scene.bot.remove_my_profile_photo()


@conversation
async def sticker_sets(scene: Scene) -> None:
    """A set is made, filled and shown."""
    name = f"set_{scene.user.id}"
    stickers = [telegram.InputSticker(b"one", ["🙂"], "static")]
    await scene.bot.create_new_sticker_set(scene.user.id, name, "Title", stickers)
    await scene.bot.add_sticker_to_set(scene.user.id, name, telegram.InputSticker(b"two", ["👍"], "static"))
    found = await scene.bot.get_sticker_set(name)
    assert [sticker.emoji for sticker in found.stickers] == ["🙂", "👍"]
    await scene.bot.delete_sticker_from_set(found.stickers[0])
    assert len((await scene.bot.get_sticker_set(name)).stickers) == 1
    with pytest.raises(BadRequest, match="tickerset_invalid"):
        await scene.bot.get_sticker_set("nothing")


@conversation
async def an_inline_query(scene: Scene) -> None:
    """Results reach whoever asked."""
    query = scene.user.inline_query("cats")
    (update,) = await scene.bot.get_updates()
    assert update.inline_query is not None
    result = telegram.InlineQueryResultArticle("1", "Title", telegram.InputTextMessageContent("text"))
    await update.inline_query.answer([result], cache_time=5)
    assert scene.server.answer_to(query)["results"][0]["title"] == "Title"


# ---------------------------------------------------------------------- updates


@conversation
async def updates_are_confirmed(scene: Scene) -> None:
    """What is confirmed does not come again."""
    for n in range(3):
        scene.user.send(f"/start {n}")
    updates = await scene.bot.get_updates()
    assert [update.message.text for update in updates if update.message] == ["/start 0", "/start 1", "/start 2"]
    assert await scene.bot.get_updates(updates[-1].update_id + 1) == ()


@conversation
async def media_from_users(scene: Scene) -> None:
    """What users send is fetched."""
    scene.user.send_document(b"content", name="d.txt")
    scene.user.send_photo(b"photo")
    document, photo = await scene.bot.get_updates()
    assert document.message is not None
    assert document.message.document is not None
    assert bytes(await (await document.message.document.get_file()).download_as_bytearray()) == b"content"
    assert photo.message is not None
    assert photo.message.photo


@conversation
async def a_webhook(scene: Scene) -> None:
    """A webhook is set, shown and deleted; polls are refused meanwhile."""
    await scene.bot.set_webhook("https://bot.example/hook", secret_token="secret", allowed_updates=["message"])
    info = await scene.bot.get_webhook_info()
    assert (info.url, info.allowed_updates) == ("https://bot.example/hook", ("message",))
    with pytest.raises(Conflict):
        await scene.bot.get_updates()
    await scene.bot.delete_webhook(drop_pending_updates=True)
    scene.server.queue.allow(())
    assert (await scene.bot.get_webhook_info()).url == ""


# ---------------------------------------------------------------------- refusals


@conversation
async def refusals(scene: Scene) -> None:
    """Each error of the server is the library's own of the right kind."""
    with pytest.raises(BadRequest, match="hat not found"):
        await scene.bot.send_message(7, "x")
    scene.user.block()
    with pytest.raises(Forbidden, match="blocked by the user"):
        await scene.bot.send_message(scene.user.id, "x")
    old = scene.server.group("old", members=[scene.user], type="group")
    new = old.migrate()
    with pytest.raises(ChatMigrated) as caught:
        await scene.bot.send_message(old.id, "x")
    assert caught.value.new_chat_id == new.id
    scene.server.script("sendMessage", Answer.retry_after(7))
    with pytest.raises(RetryAfter, match="0:00:07"):
        await scene.bot.send_message(scene.group.id, "x")


@conversation
async def a_wrong_token(scene: Scene) -> None:
    """It opens nothing."""
    with pytest.raises(InvalidToken):
        async with new_bot(scene.server, "1:wrong"):
            pass


# ---------------------------------------------------------------------- a whole application


def test_an_application_polls_and_answers() -> None:
    """An Application with handlers echoes, answers a command and a pressed button, and leaves nothing waiting."""

    async def start(update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_text("Hello", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("Go", callback_data="go")]]))

    async def echo(update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_text(f"echo {update.message.text}")

    async def pressed(update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.callback_query is not None
        await update.callback_query.answer("gone")

    async def main(server: BotApiServer, user: User) -> None:
        app = Application.builder().token(server.token).base_url(f"{server.url}/bot").base_file_url(f"{server.url}/file/bot").build()
        app.add_handlers([CommandHandler("start", start), CallbackQueryHandler(pressed), MessageHandler(filters.TEXT, echo)])
        async with app:
            assert app.updater is not None
            await app.updater.start_polling(poll_interval=0.0, timeout=20)
            await app.start()
            for text, answer in (("/start", "Hello"), ("hi", "echo hi")):
                user.send(text)
                await asyncio.to_thread(user.wait_for, answer)
            press = user.press("Go")
            assert (await asyncio.to_thread(press.wait_answer))["text"] == "gone"
            await asyncio.to_thread(server.wait_confirmed)
            await app.updater.stop()
            await app.stop()

    with BotApiServer(slow_same_offset=False) as server:
        asyncio.run(main(server, server.user(first_name="Ann")))
        assert server.problems == []
