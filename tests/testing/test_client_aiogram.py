"""aiogram, as it is, drives the fake server: its own sessions, types, dispatcher, polling, and its webhook, which answers with a method in multipart."""

from __future__ import annotations

import asyncio
import datetime as dtm
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from kits.late_kit import load_late

from syncbot.testing import Answer, BotApiServer, Group, User

if TYPE_CHECKING:
    from aiogram import Bot, Dispatcher, F
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.enums import ContentType, ParseMode
    from aiogram.exceptions import TelegramBadRequest, TelegramConflictError, TelegramForbiddenError, TelegramMigrateToChat, TelegramRetryAfter
    from aiogram.filters import Command, CommandStart
    from aiogram.methods import (
        DeleteEphemeralMessage,
        EditEphemeralMessageCaption,
        EditEphemeralMessageMedia,
        EditEphemeralMessageReplyMarkup,
        EditEphemeralMessageText,
        SendDocument,
        SendMessage,
        SendMessageDraft,
        SendRichMessage,
        SendRichMessageDraft,
    )
    from aiogram.types import (
        BotCommand,
        BotCommandScopeChat,
        BufferedInputFile,
        CallbackQuery,
        ChatAdministratorRights,
        ChatPermissions,
        DisabledButton,
        EphemeralMessageParameters,
        ForceReply,
        InlineKeyboardButton,
        InlineKeyboardMarkup,
        InlineQueryResultArticle,
        InputMediaDocument,
        InputMediaPhoto,
        InputMediaVideo,
        InputPollOption,
        InputProfilePhotoStatic,
        InputRichBlockButtons,
        InputRichBlockParagraph,
        InputRichBlockPhoto,
        InputRichBlockThinking,
        InputRichMessage,
        InputSticker,
        InputTextMessageContent,
        KeyboardButton,
        LabeledPrice,
        LinkPreviewOptions,
        Message,
        ReactionTypeEmoji,
        ReplyKeyboardMarkup,
        ReplyKeyboardRemove,
        ReplyParameters,
        RichMessageButton,
        RichTextBold,
    )
    from aiogram.webhook.aiohttp_server import SimpleRequestHandler
    from aiohttp import web


@pytest.fixture(scope="module", autouse=True)
def _libraries(request: pytest.FixtureRequest) -> None:
    """aiogram takes seconds to load."""
    load_late(request.module)


@dataclass(frozen=True)
class Scene:
    """Who meets in a conversation."""

    server: BotApiServer
    bot: Bot
    user: User
    group: Group


Conversation = Callable[[Scene], Awaitable[None]]
CONVERSATIONS: list[Conversation] = []


def conversation(talk: Conversation) -> Conversation:
    CONVERSATIONS.append(talk)
    return talk


def new_bot(server: BotApiServer) -> Bot:
    return Bot(server.token, session=AiohttpSession(api=TelegramAPIServer.from_base(server.url)))


def upload(content: bytes, name: str = "file.bin") -> BufferedInputFile:
    return BufferedInputFile(content, name)


@pytest.fixture(scope="module")
def server() -> Iterator[BotApiServer]:
    with BotApiServer(slow_same_offset=False) as running:
        yield running


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
    message = await scene.bot.send_message(scene.user.id, "🙂 <b>bold</b> <i>it</i>", parse_mode=ParseMode.HTML)
    assert message.html_text == "🙂 <b>bold</b> <i>it</i>"
    scene.user.wait_for("🙂 bold it")


@conversation
async def long_texts(scene: Scene) -> None:
    """4096 emoji are a text, one more is none."""
    assert len((await scene.bot.send_message(scene.user.id, "🙂" * 4096)).text or "") == 4096
    with pytest.raises(TelegramBadRequest, match="message is too long"):
        await scene.bot.send_message(scene.user.id, "🙂" * 4097)


@conversation
async def a_reply_with_a_quote(scene: Scene) -> None:
    """The quote stands in the answer."""
    first = await scene.bot.send_message(scene.user.id, "one two")
    second = await scene.bot.send_message(scene.user.id, "x", reply_parameters=ReplyParameters(message_id=first.message_id, quote="two"))
    assert second.reply_to_message is not None
    assert second.quote is not None
    assert (second.quote.text, second.quote.position) == ("two", 4)


@conversation
async def a_link_preview(scene: Scene) -> None:
    """Options of the preview come back."""
    sent = await scene.bot.send_message(scene.user.id, "x", link_preview_options=LinkPreviewOptions(url="https://example.com/"))
    assert sent.link_preview_options is not None
    assert sent.link_preview_options.url == "https://example.com/"


@conversation
async def edits_and_deletes(scene: Scene) -> None:
    """A text is changed once and deleted once."""
    message = await scene.bot.send_message(scene.user.id, "old")
    edited = await message.edit_text("new")
    assert isinstance(edited, Message)
    assert edited.text == "new"
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await message.edit_text("new")
    assert await message.delete()
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await message.delete()


@conversation
async def forwards_and_copies(scene: Scene) -> None:
    """A forward tells its origin, a copy does not, and a protected message stays where it is."""
    message = await scene.bot.send_message(scene.user.id, "news")
    assert (await message.forward(scene.group.id)).forward_origin is not None
    assert (await message.copy_to(scene.group.id)).message_id
    secret = await scene.bot.send_message(scene.user.id, "secret", protect_content=True)
    with pytest.raises(TelegramBadRequest, match="the message can't be forwarded"):
        await secret.forward(scene.group.id)


@conversation
async def topics(scene: Scene) -> None:
    """An unknown thread of a private chat is refused."""
    topic = await scene.bot.create_forum_topic(scene.user.id, "t")
    sent = await scene.bot.send_message(scene.user.id, "x", message_thread_id=topic.message_thread_id)
    assert sent.message_thread_id == topic.message_thread_id
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await scene.bot.send_message(scene.user.id, "x", message_thread_id=999_999)


# ---------------------------------------------------------------------- media


@conversation
async def a_photo(scene: Scene) -> None:
    """A photo is sent and fetched."""
    message = await scene.bot.send_photo(scene.user.id, upload(b"photo", "p.jpg"), caption="c")
    assert message.photo is not None
    content = await scene.bot.download(message.photo[-1])
    assert content is not None
    assert content.read() == b"photo"


@conversation
async def a_document(scene: Scene) -> None:
    """A document has its name, a type by its name, and a thumbnail."""
    message = await scene.bot.send_document(scene.user.id, upload(b"content", "my report.pdf"), thumbnail=upload(b"thumb", "t.jpg"))
    assert message.document is not None
    assert (message.document.file_name, message.document.mime_type) == ("my report.pdf", "application/pdf")
    assert message.document.thumbnail is not None
    assert message.document.thumbnail.file_size == 5


@conversation
async def media_of_all_kinds(scene: Scene) -> None:
    """Each kind comes back as its own type."""
    chat, bot = scene.user.id, scene.bot
    assert (await bot.send_video(chat, upload(b"v"))).video is not None
    assert (await bot.send_audio(chat, upload(b"a"))).audio is not None
    assert (await bot.send_voice(chat, upload(b"v"))).voice is not None
    assert (await bot.send_animation(chat, upload(b"a"))).animation is not None
    assert (await bot.send_video_note(chat, upload(b"v"))).video_note is not None
    assert (await bot.send_sticker(chat, upload(b"s"))).sticker is not None


@conversation
async def a_live_photo(scene: Scene) -> None:
    """The still picture stands beside the moving one."""
    message = await scene.bot.send_live_photo(scene.user.id, upload(b"moving", "l.mp4"), upload(b"still", "p.jpg"))
    assert message.live_photo is not None
    assert message.live_photo.photo is not None
    assert message.live_photo.photo[-1].file_size == 5


@conversation
async def albums(scene: Scene) -> None:
    """Uploads and ids in one group; none are refused."""
    photo, video = InputMediaPhoto(media=upload(b"one", "1.jpg"), caption="1"), InputMediaVideo(media=upload(b"two", "2.mp4"))
    first, second = await scene.bot.send_media_group(scene.user.id, [photo, video])
    assert first.media_group_id == second.media_group_id
    with pytest.raises(TelegramBadRequest, match="there are no messages to send"):
        await scene.bot.send_media_group(scene.user.id, [])


@conversation
async def media_are_edited(scene: Scene) -> None:
    """A caption and a medium are changed."""
    message = await scene.bot.send_photo(scene.user.id, upload(b"photo", "p.jpg"))
    captioned = await message.edit_caption(caption="c")
    assert isinstance(captioned, Message)
    assert captioned.caption == "c"
    changed = await message.edit_media(InputMediaDocument(media=upload(b"d", "d.txt")))
    assert isinstance(changed, Message)
    assert changed.document is not None


@conversation
async def an_unknown_file(scene: Scene) -> None:
    """An id that nobody gave is refused."""
    with pytest.raises(TelegramBadRequest, match="invalid file_id"):
        await scene.bot.get_file("nothing")


@conversation
async def places(scene: Scene) -> None:
    """Locations, venues, contacts and dice come back."""
    chat, bot = scene.user.id, scene.bot
    live = await bot.send_location(chat, 1.0, 2.0, live_period=60)
    moved = await live.edit_live_location(latitude=3.0, longitude=4.0)
    assert isinstance(moved, Message)
    assert moved.location is not None
    assert moved.location.latitude == 3.0
    assert (await bot.send_venue(chat, 1.0, 2.0, "title", "address")).venue is not None
    assert (await bot.send_contact(chat, "+123456789", "Ann")).contact is not None
    assert (await bot.send_dice(chat)).dice is not None


@conversation
async def an_invoice(scene: Scene) -> None:
    """The price is the sum."""
    prices = [LabeledPrice(label="a", amount=100), LabeledPrice(label="b", amount=50)]
    invoice = (await scene.bot.send_invoice(scene.user.id, "t", "d", "payload", "XTR", prices)).invoice
    assert invoice is not None
    assert invoice.total_amount == 150


# ---------------------------------------------------------------------- polls and keyboards


@conversation
async def a_poll(scene: Scene) -> None:
    """Options are texts, or have markup; the poll is stopped once."""
    options: list[InputPollOption | str] = ["a", InputPollOption(text="<b>b</b>", text_parse_mode="HTML")]
    message = await scene.bot.send_poll(scene.user.id, "q?", options)
    assert message.poll is not None
    assert [option.text for option in message.poll.options] == ["a", "b"]
    assert (await scene.bot.stop_poll(scene.user.id, message.message_id)).is_closed
    with pytest.raises(TelegramBadRequest, match="already been closed"):
        await scene.bot.stop_poll(scene.user.id, message.message_id)


@conversation
async def a_quiz(scene: Scene) -> None:
    """A quiz tells why, knows its right answer, and closes at a date."""
    message = await scene.bot.send_poll(
        scene.user.id,
        "q?",
        ["a", "b"],
        type="quiz",
        correct_option_ids=[1],
        explanation="<b>why</b>",
        explanation_parse_mode="HTML",
        close_date=dtm.datetime.now() + dtm.timedelta(hours=1),
    )
    assert message.poll is not None
    assert (message.poll.explanation, message.poll.close_date is not None) == ("why", True)
    with pytest.raises(TelegramBadRequest, match="correct option"):
        await scene.bot.send_poll(scene.user.id, "q?", ["a", "b"], type="quiz")
    with pytest.raises(TelegramBadRequest, match="non-empty"):
        await scene.bot.send_poll(scene.user.id, "q?", ["a", " "])


@conversation
async def a_pressed_button(scene: Scene) -> None:
    """A press is an update, and its answer reaches the user."""
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="yes")]])
    await scene.bot.send_message(scene.user.id, "Sure?", reply_markup=keyboard)
    press = scene.user.press("Yes")
    (update,) = await scene.bot.get_updates()
    assert update.callback_query is not None
    await scene.bot.answer_callback_query(update.callback_query.id, "done")
    assert press.wait_answer()["text"] == "done"


@conversation
async def keyboards_of_other_kinds(scene: Scene) -> None:
    """They pass, and no message shows them."""
    keyboard = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="a"), KeyboardButton(text="b")]])
    for markup in (keyboard, ReplyKeyboardRemove(remove_keyboard=True), ForceReply(force_reply=True)):
        assert (await scene.bot.send_message(scene.user.id, "x", reply_markup=markup)).reply_markup is None


@conversation
async def a_chat_action(scene: Scene) -> None:
    """Known actions pass, others do not."""
    assert await scene.bot.send_chat_action(scene.user.id, "typing")
    with pytest.raises(TelegramBadRequest, match="wrong parameter action"):
        await scene.bot.send_chat_action(scene.user.id, "dancing")


# ---------------------------------------------------------------------- Bot API 10.2 and 10.3


@conversation
async def ephemeral_messages(scene: Scene) -> None:
    """aiogram's own classes send one, change it in each way and delete it; its message knows who it is for."""
    bot, chat, user = scene.bot, scene.group.id, scene.user
    scene.group.promote_bot(user)
    alone = EphemeralMessageParameters(receiver_user_id=user.id)
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="yes")]])
    sent = await bot(SendMessage(chat_id=chat, text="psst", ephemeral_message_parameters=alone))
    assert sent.receiver_user is not None
    assert (sent.message_id, sent.receiver_user.id, sent.ephemeral_message_id) == (0, user.id, 1)
    here: dict[str, Any] = {"chat_id": chat, "receiver_user_id": user.id, "ephemeral_message_id": 1}
    assert await bot(EditEphemeralMessageText(**here, text="<b>new</b>", parse_mode=ParseMode.HTML)) is True
    assert await bot(EditEphemeralMessageReplyMarkup(**here, reply_markup=keyboard)) is True
    assert scene.group.seen_by(user).last.text == "new"
    press = user.press("Yes", in_chat=scene.group)
    update = (await bot.get_updates())[-1]
    assert update.callback_query is not None
    assert isinstance(update.callback_query.message, Message)
    assert update.callback_query.message.ephemeral_message_id == 1
    answer = EphemeralMessageParameters(receiver_user_id=user.id, callback_query_id=press.id)
    photo = await bot.send_photo(chat, upload(b"photo", "p.jpg"), ephemeral_message_parameters=answer)
    there = here | {"ephemeral_message_id": photo.ephemeral_message_id}
    assert await bot(EditEphemeralMessageCaption(**there, caption="c")) is True
    assert await bot(EditEphemeralMessageMedia(**there, media=InputMediaDocument(media=upload(b"d", "d.txt")))) is True
    assert "document" in scene.group.seen_by(user).last.data
    assert await sent.delete_ephemeral() is True
    assert await bot(DeleteEphemeralMessage(**there)) is True
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await bot(DeleteEphemeralMessage(**there))


@conversation
async def an_ephemeral_command(scene: Scene) -> None:
    """aiogram's reply to a command that the bot alone sees is taken from a bot without rights; its answer is for all."""
    await scene.bot.set_my_commands([BotCommand(command="secret", description="Ask", is_ephemeral=True)])
    scene.group.send(scene.user, "/secret")
    message = (await scene.bot.get_updates())[-1].message
    assert message is not None
    assert (await message.reply("psst")).ephemeral_message_id is not None
    assert (await message.answer("all")).ephemeral_message_id is None
    assert [seen.text for seen in scene.group.messages] == ["all"]


@conversation
async def drafts(scene: Scene) -> None:
    """A draft with a button that stops it, as text and as blocks, and the update when it is pressed."""
    assert await scene.bot(SendMessageDraft(chat_id=scene.user.id, draft_id=5, text="so far", can_stop=True, keep_on_stop=True))
    scene.user.wait_for_draft("so far")
    rich = InputRichMessage(blocks=[InputRichBlockThinking(text="hm")])
    assert await scene.bot(SendRichMessageDraft(chat_id=scene.user.id, draft_id=5, rich_message=rich, can_stop=True))
    scene.user.stop_draft()
    stopped = (await scene.bot.get_updates())[-1].stopped_message_generation
    assert stopped is not None
    assert (stopped.draft_id, stopped.chat.id) == (5, scene.user.id)


@conversation
async def rich_messages(scene: Scene) -> None:
    """Blocks with media and buttons, a disabled one among them, come back as aiogram's own types."""
    photo = InputRichBlockPhoto(photo=InputMediaPhoto(media=upload(b"photo", "p.jpg")))
    buttons = InputRichBlockButtons(
        buttons=[RichMessageButton(text="Go", callback_data="go"), RichMessageButton(text="Off", disabled=DisabledButton())],
    )
    rich = InputRichMessage(blocks=[InputRichBlockParagraph(text=["a ", RichTextBold(text="b")]), photo, buttons])
    message = await scene.bot(SendRichMessage(chat_id=scene.user.id, rich_message=rich))
    assert message.rich_message is not None
    assert [type(block).__name__ for block in message.rich_message.blocks] == ["RichBlockParagraph", "RichBlockPhoto", "RichBlockButtons"]
    assert scene.user.last.text == "a b"
    scene.user.press("Go")
    with pytest.raises(LookupError, match="disabled"):
        scene.user.press("Off")


@conversation
async def subscriptions_and_communities(scene: Scene) -> None:
    """What changes there are updates of aiogram's own types."""
    scene.user.change_subscription("canceled", invoice_payload="gold")
    scene.group.add_to_community(scene.user, "The town")
    scene.group.join(scene.server.user(first_name="Bob"), from_community=True)
    scene.group.remove_from_community(scene.user)
    subscription, added, joined, removed = await scene.bot.get_updates()
    assert subscription.subscription is not None
    assert (subscription.subscription.state, subscription.subscription.invoice_payload) == ("canceled", "gold")
    messages = [update.message for update in (added, joined, removed)]
    assert [message.content_type for message in messages if message is not None] == [
        ContentType.COMMUNITY_CHAT_ADDED,
        ContentType.COMMUNITY_CHAT_JOINED,
        ContentType.COMMUNITY_CHAT_REMOVED,
    ]


# ---------------------------------------------------------------------- chats


@conversation
async def members(scene: Scene) -> None:
    """Members are counted, promoted, restricted and thrown out."""
    other = scene.server.user(first_name="Bob")
    scene.group.join(other)
    bot, chat = scene.bot, scene.group.id
    assert await bot.get_chat_member_count(chat) == 3
    await bot.promote_chat_member(chat, other.id, can_delete_messages=True)
    assert (await bot.get_chat_member(chat, other.id)).status == "administrator"
    await bot.restrict_chat_member(chat, other.id, ChatPermissions(can_send_messages=False))
    assert (await bot.get_chat_member(chat, other.id)).status == "restricted"
    await bot.ban_chat_member(chat, other.id, until_date=dtm.timedelta(days=1))
    assert scene.group.status_of(other) == "kicked"


@conversation
async def the_look_of_a_chat(scene: Scene) -> None:
    """Title, description and photo stand in getChat."""
    bot, chat = scene.bot, scene.group.id
    await bot.set_chat_title(chat, "New")
    await bot.set_chat_description(chat, "About")
    await bot.set_chat_photo(chat, upload(b"photo", "p.jpg"))
    full = await bot.get_chat(chat)
    assert (full.title, full.description, full.photo is not None) == ("New", "About", True)
    await bot.delete_chat_photo(chat)
    assert (await bot.get_chat(chat)).photo is None
    with pytest.raises(TelegramBadRequest, match="file must be non-empty"):
        await bot.set_chat_photo(chat, upload(b"", "p.jpg"))


@conversation
async def invitations(scene: Scene) -> None:
    """A link has its date, is changed and revoked; a request is let in."""
    bot, chat = scene.bot, scene.group.id
    date = dtm.datetime(2030, 1, 1, tzinfo=dtm.UTC)
    link = await bot.create_chat_invite_link(chat, expire_date=date, creates_join_request=True)
    assert link.expire_date == date
    edited = await bot.edit_chat_invite_link(chat, link.invite_link, expire_date=date + dtm.timedelta(days=1))
    assert edited.expire_date == date + dtm.timedelta(days=1)
    assert (await bot.revoke_chat_invite_link(chat, link.invite_link)).is_revoked
    other = scene.server.user(first_name="Bob")
    other.request_to_join(scene.group)
    assert await bot.approve_chat_join_request(chat, other.id)
    assert scene.group.status_of(other) == "member"


@conversation
async def pins_and_reactions(scene: Scene) -> None:
    """A message is pinned, and gets a reaction."""
    message = await scene.bot.send_message(scene.group.id, "pin me")
    await message.pin()
    pinned = (await scene.bot.get_chat(scene.group.id)).pinned_message
    assert isinstance(pinned, Message)
    assert pinned.text == "pin me"
    await message.react([ReactionTypeEmoji(emoji="👍")])
    assert scene.group.reaction_of_bot(message.message_id) == [{"type": "emoji", "emoji": "👍"}]


# ---------------------------------------------------------------------- the bot


@conversation
async def commands(scene: Scene) -> None:
    """Commands of a scope are kept apart."""
    scope = BotCommandScopeChat(chat_id=scene.user.id)
    await scene.bot.set_my_commands([BotCommand(command="help", description="Help me")], scope=scope)
    assert [command.command for command in await scene.bot.get_my_commands(scope=scope)] == ["help"]


@conversation
async def default_rights(scene: Scene) -> None:
    """Rights are kept, for channels and for groups."""
    names = [name for name, field in ChatAdministratorRights.model_fields.items() if field.is_required()]
    await scene.bot.set_my_default_administrator_rights(rights=ChatAdministratorRights(**dict.fromkeys(names, True)), for_channels=True)
    assert (await scene.bot.get_my_default_administrator_rights(for_channels=True)).can_delete_messages
    assert not (await scene.bot.get_my_default_administrator_rights()).can_delete_messages


@conversation
async def profile_photos(scene: Scene) -> None:
    """A new user has no photo; the bot has the one that it set."""
    assert (await scene.bot.get_user_profile_photos(scene.user.id)).total_count == 0
    await scene.bot.set_my_profile_photo(InputProfilePhotoStatic(photo=upload(b"photo", "p.jpg")))
    assert (await scene.bot.get_user_profile_photos(scene.bot.id)).total_count == 1
    await scene.bot.remove_my_profile_photo()


@conversation
async def sticker_sets(scene: Scene) -> None:
    """A set is made, filled and shown."""
    name = f"set_{scene.user.id}"

    def sticker(content: bytes, emoji: str) -> InputSticker:
        return InputSticker(sticker=upload(content, "s.webp"), format="static", emoji_list=[emoji])

    await scene.bot.create_new_sticker_set(scene.user.id, name, "Title", [sticker(b"one", "🙂")])
    await scene.bot.add_sticker_to_set(scene.user.id, name, sticker(b"two", "👍"))
    assert [one.emoji for one in (await scene.bot.get_sticker_set(name)).stickers] == ["🙂", "👍"]


@conversation
async def an_inline_query(scene: Scene) -> None:
    """Results reach whoever asked."""
    query = scene.user.inline_query("cats")
    (update,) = await scene.bot.get_updates()
    assert update.inline_query is not None
    article = InlineQueryResultArticle(id="1", title="Title", input_message_content=InputTextMessageContent(message_text="text"))
    await scene.bot.answer_inline_query(update.inline_query.id, [article])
    assert scene.server.answer_to(query)["results"][0]["title"] == "Title"


@conversation
async def a_webhook(scene: Scene) -> None:
    """A webhook is set, shown and deleted; polls are refused meanwhile."""
    await scene.bot.set_webhook("https://bot.example/hook", secret_token="secret")
    assert (await scene.bot.get_webhook_info()).url == "https://bot.example/hook"
    with pytest.raises(TelegramConflictError):
        await scene.bot.get_updates()
    await scene.bot.delete_webhook(drop_pending_updates=True)


@conversation
async def refusals(scene: Scene) -> None:
    """Each error of the server is the library's own of the right kind."""
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await scene.bot.send_message(7, "x")
    scene.user.block()
    with pytest.raises(TelegramForbiddenError, match="blocked by the user"):
        await scene.bot.send_message(scene.user.id, "x")
    old = scene.server.group("old", members=[scene.user], type="group")
    new = old.migrate()
    with pytest.raises(TelegramMigrateToChat) as migrated:
        await scene.bot.send_message(old.id, "x")
    assert migrated.value.migrate_to_chat_id == new.id
    scene.server.script("sendMessage", Answer.retry_after(7))
    with pytest.raises(TelegramRetryAfter) as flood:
        await scene.bot.send_message(scene.group.id, "x")
    assert flood.value.retry_after == 7


# ---------------------------------------------------------------------- a whole bot


def dispatcher() -> Dispatcher:
    """A bot that greets with a button, sends a file, and echoes."""
    found = Dispatcher()

    async def start(message: Message) -> SendMessage:
        return message.answer("Hello", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Go", callback_data="go")]]))

    async def file(message: Message) -> SendDocument:
        return message.answer_document(upload(b"content", "100 things.txt"), caption="a file")

    async def echo(message: Message) -> SendMessage:
        return message.answer(f"echo {message.text}")

    async def pressed(query: CallbackQuery) -> None:
        await query.answer("gone")

    found.message.register(start, CommandStart())
    found.message.register(file, Command("file"))
    found.message.register(echo, F.text)
    found.callback_query.register(pressed)
    return found


async def talk_with(user: User) -> None:
    """What a user says to that bot, and hears."""
    for text, answer in (("/start", "Hello"), ("/file", "a file"), ("hi", "echo hi")):
        user.send(text)
        heard = await asyncio.to_thread(user.wait_for, answer)
        if text == "/file":
            assert heard.data["document"]["file_name"] == "100 things.txt"
    press = user.press("Go")
    assert (await asyncio.to_thread(press.wait_answer))["text"] == "gone"


def test_a_polling_bot() -> None:
    """The dispatcher polls, answers, and confirms what it got."""

    async def main(server: BotApiServer, user: User) -> None:
        async with new_bot(server) as bot:
            found = dispatcher()
            polling = asyncio.create_task(found.start_polling(bot, handle_signals=False, close_bot_session=False, polling_timeout=5))
            await talk_with(user)
            await asyncio.to_thread(server.wait_confirmed)
            await found.stop_polling()
            await polling

    with BotApiServer(slow_same_offset=False) as server:
        asyncio.run(main(server, server.user(first_name="Ann")))
        assert server.problems == []


def test_a_bot_with_a_webhook() -> None:
    """aiogram answers updates with the method itself, in multipart and with files, and no call is made for it."""

    async def main(server: BotApiServer, user: User) -> None:
        async with new_bot(server) as bot:
            app = web.Application()
            SimpleRequestHandler(dispatcher(), bot, handle_in_background=False, secret_token="secret").register(app, "/hook")
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            await bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token="secret")
            sender = server.deliver_webhook()
            await talk_with(user)
            await asyncio.to_thread(sender.wait_delivered, 4)
            await runner.cleanup()

    with BotApiServer() as server:
        asyncio.run(main(server, server.user(first_name="Ann")))
        assert {request.method for request in server.requests} == {"setWebhook", "answerCallbackQuery"}
        assert server.count("sendMessage") == 2
        assert server.problems == []
