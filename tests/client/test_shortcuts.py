"""python-telegram-bot's own methods on objects that come from syncbot: every one of them, synchronous, and nothing else touched."""

from __future__ import annotations

import asyncio
import copy
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import telegram
from telegram._utils.defaultvalue import DEFAULT_NONE
from telegram.ext import Application, ApplicationBuilder, ContextTypes, MessageHandler, filters
from telegram.request import HTTPXRequest

from syncbot.client.api.table import MethodSpec, check_parameters, find_method, method_names
from syncbot.client.bot import Bot
from syncbot.client.ptb.decode import decode
from syncbot.client.ptb.shortcuts import AttachedBot, install
from syncbot.errors import BadRequest
from syncbot.runtime.handling.context import Context
from syncbot.runtime.runtime import Runtime
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer
from syncbot.transport import FakeTransport

USER: dict[str, Any] = {"id": 42, "is_bot": False, "first_name": "Ann", "username": "ann"}
CHAT: dict[str, Any] = {"id": -100500, "type": "supergroup", "title": "Group"}
PHOTO: dict[str, Any] = {"file_id": "photo-id", "file_unique_id": "photo-unique", "width": 1, "height": 1}
MESSAGE: dict[str, Any] = {"message_id": 7, "date": 1_700_000_000, "chat": CHAT, "from": USER, "text": "hi"}
MESSAGE_WITH_ALL = {**MESSAGE, "guest_query_id": "guest", "business_connection_id": "connection", "is_topic_message": True, "message_thread_id": 5}

RESULTS: dict[str, Any] = {
    "Message": MESSAGE,
    "MessageId": {"message_id": 8},
    "Boolean": True,
    "Integer": 3,
    "String": "a text",
    "File": {"file_id": "file-id", "file_unique_id": "unique", "file_path": "documents/file_1.bin"},
    "UserProfilePhotos": {"total_count": 1, "photos": [[PHOTO]]},
    "UserProfileAudios": {"total_count": 0, "audios": []},
    "ChatMember": {"status": "member", "user": USER},
    "ChatInviteLink": {"invite_link": "https://t.me/+a", "creator": USER, "creates_join_request": False, "is_primary": False, "is_revoked": False},
    "ForumTopic": {"message_thread_id": 5, "name": "Topic", "icon_color": 1},
    "MenuButton": {"type": "commands"},
    "UserChatBoosts": {"boosts": []},
    "OwnedGifts": {"total_count": 0, "gifts": []},
    "Story": {"chat": CHAT, "id": 3},
    "BotAccessSettings": {"is_access_restricted": False},
    "Poll": {
        "id": "1",
        "question": "?",
        "options": [],
        "total_voter_count": 0,
        "is_closed": True,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": False,
        "members_only": False,
    },
    "SentGuestMessage": {"inline_message_id": "inline"},
    "GameHighScore": {"position": 1, "user": USER, "score": 5},
    "User": {"id": 123456789, "is_bot": True, "first_name": "Bot", "username": "test_bot"},
}

SUBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "Message": ("Message", MESSAGE_WITH_ALL),
    "User": ("User", USER),
    "_ChatBase": ("Chat", CHAT),
    "_BaseMedium": ("PhotoSize", PHOTO),
    "CallbackQuery": ("CallbackQuery", {"id": "1", "from": USER, "chat_instance": "1", "message": MESSAGE_WITH_ALL, "data": "x"}),
    "InlineQuery": ("InlineQuery", {"id": "1", "from": USER, "query": "x", "offset": ""}),
    "ShippingQuery": ("ShippingQuery", {"id": "1", "from": USER, "invoice_payload": "x", "shipping_address": {}}),
    "PreCheckoutQuery": ("PreCheckoutQuery", {"id": "1", "from": USER, "currency": "XTR", "total_amount": 1, "invoice_payload": "x"}),
    "ChatJoinRequest": ("ChatJoinRequest", {"chat": CHAT, "from": USER, "user_chat_id": 42, "date": 1_700_000_000}),
    "ChatPhoto": ("ChatPhoto", {"small_file_id": "a", "small_file_unique_id": "b", "big_file_id": "c", "big_file_unique_id": "d"}),
    "PassportFile": ("PassportFile", {"file_id": "a", "file_unique_id": "b", "file_size": 1, "file_date": 1_700_000_000}),
    "Story": ("Story", {"chat": CHAT, "id": 3}),
}
ADDRESS = {"country_code": "FI", "state": "", "city": "a", "street_line1": "b", "street_line2": "", "post_code": "1"}
SUBJECTS["ShippingQuery"][1]["shipping_address"] = ADDRESS

VALUES: dict[str, Any] = {
    "message_id": 7,
    "message_ids": [7, 8],
    "text": "hi",
    "draft_id": 1,
    "photo": b"photo",
    "live_photo": b"live",
    "media": telegram.InputMediaPhoto(b"photo"),
    "audio": b"audio",
    "document": b"document",
    "video": b"video",
    "video_note": b"note",
    "voice": b"voice",
    "animation": b"animation",
    "sticker": "sticker-id",
    "action": "typing",
    "game_short_name": "game",
    "title": "a title",
    "description": "a description",
    "payload": "a payload",
    "currency": "XTR",
    "prices": [telegram.LabeledPrice("a", 1)],
    "question": "Well?",
    "options": ["yes", telegram.InputPollOption("no")],
    "gift_id": "gift",
    "month_count": 3,
    "star_count": 1000,
    "from_chat_id": 1,
    "chat_id": 42,
    "telegram_payment_charge_id": "charge",
    "business_connection_id": "connection",
    "from_story_id": 1,
    "active_period": 86400,
    "is_access_restricted": True,
    "limit": 5,
    "user_id": 42,
    "sender_chat_id": -5,
    "permissions": telegram.ChatPermissions.all_permissions(),
    "custom_title": "boss",
    "checklist": telegram.InputChecklist("list", [telegram.InputChecklistTask(1, "do")]),
    "invite_link": "https://t.me/+a",
    "subscription_period": 2592000,
    "subscription_price": 1,
    "name": "topic",
    "message_thread_id": 5,
    "owned_gift_id": "gift",
    "score": 5,
    "result": telegram.InlineQueryResultArticle("1", "a", telegram.InputTextMessageContent("b")),
    "results": [telegram.InlineQueryResultArticle("1", "a", telegram.InputTextMessageContent("b"))],
    "ok": True,
}
"""A value for each parameter that a shortcut cannot do without."""
ALBUM = {"media": [telegram.InputMediaPhoto(b"one"), telegram.InputMediaPhoto(b"two")]}
PAID = {"media": [telegram.InputPaidMediaPhoto(b"one")]}
PLACE = {"latitude": 1.5, "longitude": 2.5}
PERSON = {"phone_number": "+1", "first_name": "Ann"}
MORE: dict[str, dict[str, Any]] = {
    "send_media_group": ALBUM,
    "reply_media_group": ALBUM,
    "send_paid_media": PAID,
    "reply_paid_media": PAID,
    "send_location": PLACE,
    "reply_location": PLACE,
    "edit_live_location": PLACE,
    "edit_message_live_location": PLACE,
    "send_venue": {**PLACE, "title": "a", "address": "b"},
    "reply_venue": {**PLACE, "title": "a", "address": "b"},
    "send_contact": PERSON,
    "reply_contact": PERSON,
}
"""What some of them need besides, though their signatures let it be left out."""


def public_coroutines() -> Iterator[tuple[type, str]]:
    """Every public coroutine method of every class of telegram that is no bot, wrapped or not."""
    for module in pkgutil.walk_packages(telegram.__path__, "telegram."):
        if not module.name.startswith(("telegram.ext", "telegram.__main__")):
            importlib.import_module(module.name)
    waiting, seen = [telegram.TelegramObject], set()
    while waiting:
        kind = waiting.pop()
        if kind in seen or issubclass(kind, telegram.Bot):
            continue
        seen.add(kind)
        waiting += kind.__subclasses__()
        for name, function in vars(kind).items():
            if not name.startswith("_") and inspect.isfunction(function) and inspect.iscoroutinefunction(inspect.unwrap(function)):
                yield kind, name


METHODS = sorted(public_coroutines(), key=lambda method: (method[0].__name__, method[1]))
CALLS = [method for method in METHODS if method[0] is not telegram.File]


def result_of(spec: MethodSpec) -> Any:
    """What the server says to a method here."""
    kind = spec.returns[0]
    one = RESULTS.get(kind.removeprefix("Array of "), {})
    return [one] if kind.startswith("Array of ") else one


@pytest.fixture(scope="module")
def server() -> Iterator[BotApiServer]:
    """A server that answers every method with a result of its type."""
    with BotApiServer() as server:
        for name in method_names():
            spec = find_method(name)
            assert spec is not None
            server.script(name, Answer.ok(result_of(spec)), times=None)
        yield server


@pytest.fixture(scope="module")
def bot(server: BotApiServer) -> Iterator[Bot]:
    """A bot of that server, without rate limits: it is called hundreds of times."""
    with Bot(TEST_TOKEN, base_url=server.url, limits=None) as bot:
        yield bot


def subject(bot: Bot, kind: str) -> Any:
    """An object of telegram's, as a bot hands it out."""
    name, raw = SUBJECTS[kind]
    return decode([name], raw, bot._attached())


def values_for(method: Callable[..., Any]) -> dict[str, Any]:
    """Arguments for a shortcut: what it needs, and nothing else."""
    needed = [p.name for p in inspect.signature(method).parameters.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return {name: VALUES[name] for name in needed} | MORE.get(method.__name__, {})


def test_there_are_as_many_as_expected() -> None:
    """The walk finds the methods: fewer would mean that it looks in the wrong place."""
    assert len(METHODS) >= 224
    assert {kind.__name__ for kind, _ in METHODS} == {*SUBJECTS, "File"}


@pytest.mark.parametrize(("kind", "name"), CALLS, ids=[f"{kind.__name__}.{name}" for kind, name in CALLS])
def test_every_shortcut_runs_synchronously(kind: type, name: str, bot: Bot, server: BotApiServer) -> None:
    """It sends one request with right parameters before it returns, and returns what Telegram answered, decoded and bound to the bot."""
    before = server.count()
    shortcut = getattr(subject(bot, kind.__name__), name)
    found = shortcut(**values_for(shortcut))
    assert not inspect.isawaitable(found)
    assert server.count() == before + 1
    request = server.requests[-1]
    spec = find_method(request.method)
    assert spec is not None
    check_parameters(spec, {*request.params, *(file.field for file in request.files if file.field in spec.parameters)})
    assert not [value for value in request.params.values() if "DefaultValue" in str(value)]
    assert found == decode(spec.returns, result_of(spec))
    if isinstance(found, telegram.TelegramObject):
        assert found.get_bot() is bot._attached()


@pytest.mark.parametrize(("kind", "name"), CALLS, ids=[f"{kind.__name__}.{name}" for kind, name in CALLS])
def test_every_shortcut_takes_telegrams_timeouts_and_api_kwargs(kind: type, name: str) -> None:
    """The four timeouts become one, api_kwargs go out as parameters, and DEFAULT_NONE counts as not given."""
    results = {method: [result_of(spec)] for method in method_names() if (spec := find_method(method)) is not None}
    transport = FakeTransport(**results)
    bot = Bot("123456:a-token-of-the-right-shape-1234567", transport=transport, limits=None)
    shortcut = getattr(subject(bot, kind.__name__), name)
    parameters = inspect.signature(shortcut).parameters
    default = {key: DEFAULT_NONE for key, p in parameters.items() if p.default is DEFAULT_NONE and not key.endswith("timeout")}
    shortcut(**values_for(shortcut), **default, read_timeout=3, write_timeout=DEFAULT_NONE, connect_timeout=1.5, pool_timeout=9, api_kwargs={"newer": "thing"})
    assert transport.requests[-1].timeout == 4.5
    assert transport.calls[-1].parameters["newer"] == "thing"


def test_a_connect_timeout_alone_changes_nothing() -> None:
    """Telegram's timeouts that bound only a part of an attempt leave the bot's own in force."""
    transport = FakeTransport(sendMessage=MESSAGE)
    bot = Bot("123456:a-token-of-the-right-shape-1234567", transport=transport, timeout=7)
    subject(bot, "Message").reply_text("hi", connect_timeout=1, pool_timeout=1)
    subject(bot, "Message").reply_text("hi", read_timeout=None)
    assert [request.timeout for request in transport.requests] == [7, 7]


def test_refusals_reach_the_caller() -> None:
    """An error of the call is raised by the shortcut, and the next shortcut works."""
    transport = FakeTransport(sendMessage=[BadRequest("Bad Request: chat not found", code=400), MESSAGE])
    message = subject(Bot("123456:a-token-of-the-right-shape-1234567", transport=transport), "Message")
    with pytest.raises(BadRequest):
        message.reply_text("hi")
    with pytest.raises(ValueError, match="mutually exclusive"):
        message.reply_text("hi", reply_to_message_id=1, reply_parameters=telegram.ReplyParameters(1))
    assert message.reply_text("hi").message_id == 7


def test_a_reply_quotes_where_telegram_does_it() -> None:
    """In a group a reply quotes, as python-telegram-bot's does, and in a private chat it does not."""
    transport = FakeTransport(sendMessage=MESSAGE)
    bot = Bot("123456:a-token-of-the-right-shape-1234567", transport=transport)
    decode(["Message"], MESSAGE, bot._attached()).reply_html("<b>hi</b>")
    private = decode(["Message"], {**MESSAGE, "chat": {"id": 42, "type": "private", "first_name": "Ann"}}, bot._attached())
    private.reply_text("hi")
    assert transport.parameters("sendMessage") == [
        {"chat_id": -100500, "text": "<b>hi</b>", "parse_mode": "HTML", "reply_parameters": {"message_id": 7}},
        {"chat_id": 42, "text": "hi"},
    ]


def test_shortcuts_inside_of_a_call() -> None:
    """A progress function that runs while a shortcut sends may use shortcuts itself."""
    seen = []

    def progress_of_a_transport(call: Any) -> Any:
        if call.parameters["text"] == "outer":
            seen.append(message.reply_text("inner").message_id)
        return MESSAGE

    transport = FakeTransport(sendMessage=progress_of_a_transport)
    message = subject(Bot("123456:a-token-of-the-right-shape-1234567", transport=transport), "Message")
    assert message.reply_text("outer").message_id == 7
    assert seen == [7]
    assert [call["text"] for call in transport.parameters("sendMessage")] == ["outer", "inner"]


def test_threads_do_not_disturb_each_other(bot: Bot, server: BotApiServer) -> None:
    """Shortcuts of one object, nested ones among them, run in many threads at once."""
    query, before = subject(bot, "CallbackQuery"), server.count("editMessageText")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: query.edit_message_text(f"{n}"), range(200)))
    assert all(isinstance(message, telegram.Message) for message in found)
    assert server.count("editMessageText") == before + 200


def test_get_bot_makes_plain_calls(bot: Bot, server: BotApiServer) -> None:
    """Outside of a shortcut, what an object is bound to works as the bot itself; its own name is asked for once."""
    attached = subject(bot, "Message").get_bot()
    assert isinstance(attached, AttachedBot)
    assert attached.send_message(42, "hi", parse_mode=DEFAULT_NONE).message_id == 7
    assert attached.sendMessage(chat_id=42, text="hi", read_timeout=5).message_id == 7
    before = server.count("getMe")
    assert (attached.username, attached.first_name, attached.name, attached.link) == ("test_bot", "Bot", "@test_bot", "https://t.me/test_bot")
    assert attached.bot.id == attached.id == bot.id
    assert server.count("getMe") == before + 1
    assert (attached.defaults, attached.private_key, attached.local_mode) == (None, None, False)
    for missing in ("no_such_thing", "_private", "token", "base_url"):
        assert not hasattr(attached, missing)
    assert TEST_TOKEN not in repr(attached) + repr(vars(attached))
    assert filters.Mention("@test_bot").check_update(telegram.Update(1, message=subject(bot, "Message"))) is False


def test_objects_are_copied_and_pickled(bot: Bot) -> None:
    """A copy is bound to the same bot, and a pickle to none, as python-telegram-bot has it."""
    message = subject(bot, "Message")
    assert copy.deepcopy(message).get_bot() is bot._attached()
    restored = pickle.loads(pickle.dumps(message))
    assert restored == message
    with pytest.raises(RuntimeError, match="no bot"):
        restored.get_bot()


def test_objects_without_our_bot_stay_coroutines(bot: Bot) -> None:
    """What is bound to another bot, or to none, gives coroutines as before; wrapping twice changes nothing."""
    assert bot._attached() is not None
    wrapped = telegram.Message.reply_text
    install.__wrapped__()  # as a second thread may at the same moment
    assert telegram.Message.reply_text is wrapped
    unbound = telegram.Message.de_json(MESSAGE, None)
    coroutine: Any = unbound.reply_text("hi")
    assert inspect.iscoroutine(coroutine)
    with pytest.raises(RuntimeError, match="no bot"):
        coroutine.send(None)
    bound = telegram.Message.de_json(MESSAGE, telegram.Bot(TEST_TOKEN))
    other: Any = bound.reply_text("hi")
    assert inspect.iscoroutine(other)
    other.close()
    assert inspect.signature(wrapped) == inspect.signature(inspect.unwrap(wrapped))
    assert wrapped.__doc__ == inspect.unwrap(wrapped).__doc__


def test_a_coroutine_that_waits_for_something_else_is_refused(bot: Bot) -> None:
    """Only what awaits the bot can run without an event loop; anything else is a RuntimeError rather than a wait for ever."""

    class Pause:
        def __await__(self) -> Generator[None, None, None]:
            yield

    async def foreign() -> None:
        await Pause()

    attached = bot._attached()
    with pytest.raises(RuntimeError, match="asyncio"):
        attached.run(foreign())
    assert subject(bot, "Message").reply_text("hi").message_id == 7


def test_files_of_telegram_are_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`File.download_…` go the way of `bot.download`, also where a file of the same path lies in the current folder."""
    content = bytes(range(256)) * 500
    with BotApiServer() as server, Bot(TEST_TOKEN, base_url=server.url) as bot:
        ann = server.user(first_name="Ann")
        ann.send_document(content, name="report.bin")
        [update] = bot.get_updates()
        assert update.message is not None
        assert update.message.document is not None
        file: Any = update.message.document.get_file()
        monkeypatch.chdir(tmp_path)
        trap = tmp_path / file.file_path
        trap.parent.mkdir(parents=True)
        trap.write_bytes(b"old")
        assert file.download_to_drive(tmp_path / "copy.bin", read_timeout=5).read_bytes() == content
        found = file.download_to_drive()
        assert found == Path(Path(file.file_path).name)
        assert (tmp_path / found).read_bytes() == content
        assert file.download_as_bytearray(bytearray(b"x")) == b"x" + content
        with (tmp_path / "out.bin").open("wb") as out:
            file.download_to_memory(out, connect_timeout=1, read_timeout=DEFAULT_NONE)
        assert (tmp_path / "out.bin").read_bytes() == content
        with pytest.raises(TypeError, match="takes no timout"):
            file.download_to_drive(timout=5)
        assert trap.read_bytes() == b"old"


def test_files_of_a_local_server(tmp_path: Path) -> None:
    """With a local server a download without a path names the server's own file, as python-telegram-bot's does, and copies it with one."""
    with BotApiServer(local=True) as server, Bot(TEST_TOKEN, base_url=server.url, local=True) as bot:
        file: Any = bot.get_file(server.add_file(b"content", name="a.bin"))
        assert file.download_to_drive() == Path(file.file_path)
        assert file.download_to_drive(tmp_path / "b.bin").read_bytes() == b"content"
        assert bot._attached().local_mode is True


def test_encrypted_files_of_a_passport_are_decrypted_by_telegram() -> None:
    """A file with credentials goes to telegram's own decryption, with its content and never from a file of this machine."""
    transport = FakeTransport(download=b"ciphertext")
    bot = Bot("123456:a-token-of-the-right-shape-1234567", transport=transport)
    file = decode(["File"], {"file_id": "a", "file_unique_id": "b", "file_path": "tests/a b.py"}, bot._attached())

    class Credentials:
        secret = hash = "YQ=="

    file.set_credentials(Credentials())
    # Without the package cryptography telegram says what is missing; with it, that this is no ciphertext.
    with pytest.raises((RuntimeError, ValueError, telegram.error.TelegramError)):
        file.download_as_bytearray()
    assert [request.url.rpartition("/file/")[2].partition("/")[2] for request in transport.requests] == ["tests/a%20b.py"]


CHECK_ALONE = """
import inspect, sys
from syncbot.client.bot import Bot
from syncbot.testing import TEST_TOKEN, BotApiServer

with BotApiServer() as server, Bot(TEST_TOKEN, base_url=server.url, shortcuts={shortcuts}) as bot:
    assert "telegram" not in sys.modules
    server.user(id=5).send("hi")
    assert bot.call("getMe")["id"] == bot.id
    assert "telegram" not in sys.modules and "asyncio" not in sys.modules
    [update] = bot.get_updates()
    import asyncio, telegram
    asyncio.new_event_loop = asyncio.get_event_loop = None  # nothing may ask for one
    assert inspect.iscoroutinefunction(telegram.Message.reply_text) is not {shortcuts}
    if {shortcuts}:
        assert update.message.reply_text("hello").text == "hello"
        assert update.message.chat.send_photo(b"photo").photo
    else:
        try:
            update.message.get_bot()
        except RuntimeError:
            pass
        else:
            raise AssertionError("a bot is attached")
    assert "httpcore" not in sys.modules
"""


@pytest.mark.parametrize("shortcuts", [True, False])
def test_in_a_process_of_its_own(shortcuts: bool) -> None:
    """With shortcuts neither httpcore nor an event loop comes into being; with shortcuts=False telegram's classes stay as they are."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", CHECK_ALONE.format(shortcuts=shortcuts)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class AsyncApplication:
    """A bot of python-telegram-bot that answers in a thread with an event loop of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="asyncio-application")

    def __enter__(self) -> AsyncApplication:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(60)
        assert self._failure is None

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as failure:
            self._failure = failure
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        requests = [HTTPXRequest(httpx_kwargs={"trust_env": False}, connect_timeout=30, read_timeout=30, write_timeout=30, pool_timeout=30) for _ in range(2)]
        builder = ApplicationBuilder().token(TEST_TOKEN).base_url(f"{self._url}/bot").request(requests[0]).get_updates_request(requests[1])
        application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
        application.add_handler(MessageHandler(filters.ALL, self._answer))
        async with application:
            assert application.updater is not None
            await application.updater.start_polling(timeout=1)
            await application.start()
            self._ready.set()
            await self._over.wait()
            await application.updater.stop()
            await application.stop()

    async def _answer(self, update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        coroutine = update.message.reply_text(f"asyncio: {update.message.text}")
        assert inspect.iscoroutine(coroutine)
        sent = await coroutine
        await sent.edit_text(f"{sent.text}!")
        await context.bot.send_chat_action(update.message.chat_id, "typing")


def test_an_asyncio_application_beside_a_syncbot_runtime(tmp_path: Path) -> None:
    """Both answer at the same time in one process, each in its own way, with the same classes."""
    with (
        BotApiServer(slow_same_offset=False) as ours,
        BotApiServer(slow_same_offset=False) as theirs,
        Bot(TEST_TOKEN, base_url=ours.url, limits=None) as bot,
        AsyncApplication(theirs.url),
    ):
        app = Runtime(bot, state=tmp_path / "bot.db")

        @app.message()
        def answer(update: telegram.Update, context: Context) -> None:
            assert update.message is not None
            sent: Any = update.message.reply_text(f"sync: {update.message.text}")
            sent.edit_text(f"{sent.text}!")

        app.start()
        try:
            ann, bob = ours.user(first_name="Ann"), theirs.user(first_name="Bob")
            for n in range(20):
                ann.send(f"{n}")
                bob.send(f"{n}")
            for n in range(20):
                ann.wait_for(f"sync: {n}!")
                bob.wait_for(f"asyncio: {n}!")
        finally:
            app.stop()
