"""aiogram over `OneShotSession`: its own polling through faults, its own errors, files both ways, cancelling, closing, nothing left."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kits.adapters_kit import all_texts, check_silent, nothing_left
from kits.late_kit import load_late
from kits.timing_kit import soon, tried

from syncbot.errors import DeliveryUncertain, NetworkError, NotSent, Phase
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy, TestCA
from syncbot.transport import FakeTransport

if TYPE_CHECKING:
    import aiogram
    import aiohttp
    from aiogram import Bot, Dispatcher, exceptions
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.methods import GetMe, SendMessage, TelegramMethod
    from aiogram.types import BufferedInputFile, FSInputFile, InputFile, InputMediaPhoto, Message, URLInputFile

    from syncbot.adapters.aiogram import DownloadFailed, DownloadRefused, DownloadTimedOut, OneShotSession


@pytest.fixture(scope="module", autouse=True)
def _libraries(request: pytest.FixtureRequest) -> None:
    """aiogram takes seconds to load."""
    load_late(request.module)


CALLS = 200
LENGTHS = [pytest.param(CALLS, 0.05, marks=pytest.mark.slow), (CALLS // 5, 0.25)]
"""How many messages are answered, and what share of the TLS handshakes is cut meanwhile."""


def one_shot(api: BotApiServer, **options: Any) -> OneShotSession:
    """A session that talks to the test server, and trusts it."""
    return OneShotSession(api=TelegramAPIServer.from_base(api.url), ca_file=api.ca_file if api.tls else None, **options)


@asynccontextmanager
async def bot_of(api: BotApiServer, **options: Any) -> AsyncIterator[Bot]:
    """A bot that is closed at the end."""
    bot = Bot(api.token, session=one_shot(api, **options))
    async with bot.context():
        yield bot


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Let the loop run until something holds."""
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, "it did not come about in time"
        await asyncio.sleep(0.01)


async def poll_until(bot: Bot, number: int) -> None:
    """Let an ordinary dispatcher answer what users write, until it knows of so many answers that they have arrived."""
    dispatcher, answered = Dispatcher(), list[Message]()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        answered.append(await message.answer(f"echo {message.text}"))

    polling = asyncio.ensure_future(dispatcher.start_polling(bot, polling_timeout=2, handle_signals=False))
    await until(lambda: len(answered) >= number)
    await dispatcher.stop_polling()
    await polling


def feed(api: BotApiServer, calls: int = CALLS) -> None:
    """So many messages of 20 users."""
    users = [api.user() for _ in range(20)]
    for number in range(calls):
        users[number % len(users)].send(f"message {number}")


@pytest.mark.parametrize(("calls", "rate"), LENGTHS)
def test_a_polling_bot_answers_all_through_a_proxy_that_cuts_handshakes(ca: TestCA, caplog: pytest.LogCaptureFixture, calls: int, rate: float) -> None:
    """Polling and sending through a proxy that cuts some of the TLS handshakes: every message is answered, once each, and nothing is left open."""
    with (
        BotApiServer(tls=True, ca=ca, slow_same_offset=False) as api,
        FaultProxy(faults=[Fault.tls_drop()], rate=rate, seed=3) as proxy,
        nothing_left(),
    ):
        feed(api, calls)
        asyncio.run(poll_until(Bot(api.token, session=one_shot(api, proxy=proxy.url)), calls))
        assert proxy.struck["tls_drop"] >= 5
        assert sorted(message.text for message in api.sent) == sorted(f"echo message {number}" for number in range(calls))
        assert api.recorder.max_requests_per_connection == 1
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def failing(work: Callable[[Bot], Awaitable[Any]], api: BotApiServer, **options: Any) -> tuple[Exception, float]:
    """The error of a call, and the seconds it took."""

    async def main() -> tuple[Exception, float]:
        async with bot_of(api, **options) as bot:
            started = time.monotonic()
            with pytest.raises((exceptions.AiogramError, aiohttp.ClientError)) as failure:
                await work(bot)
            return failure.value, time.monotonic() - started

    return asyncio.run(main())


def own_file(name: str) -> InputFile:
    """A file that only its own reader can read."""

    class OwnFile(InputFile):
        async def read(self, bot: Bot) -> AsyncGenerator[bytes, None]:
            """Hand out a few pieces."""
            for _ in range(3):
                yield b"piece" * 1000

    return OwnFile(name)


def test_files_are_uploaded_and_downloaded(api: BotApiServer, tmp_path: Path) -> None:
    """Each kind of aiogram's files arrives whole under its name; a download gives the bytes back, into memory and into a file."""
    content = bytes(range(256)) * 8192
    path = tmp_path / "päper 50%20off.pdf"
    path.write_bytes(content)

    async def main() -> None:
        async with bot_of(api) as bot:
            await bot.send_document(1, BufferedInputFile(content, "bytes.bin"), caption="ünïcode & more")
            await bot.send_document(1, FSInputFile(path))
            await bot.send_document(1, own_file("own.bin"))
            sent = await bot.send_document(1, FSInputFile(path, "again.pdf"))
            assert sent.document is not None
            memory = await bot.download(sent.document)
            assert isinstance(memory, io.BytesIO)
            assert memory.getvalue() == content
            await bot.download(sent.document, tmp_path / "back.pdf")
            file = await bot.get_file(sent.document.file_id)
            assert file.file_path
            await bot.send_document(1, URLInputFile(bot.session.api.file_url(bot.token, file.file_path), filename="url.bin"))

    with nothing_left():
        asyncio.run(main())
    uploads = [request.files[0] for request in api.requests_for("sendDocument")]
    assert [file.name for file in uploads] == ["bytes.bin", "päper 50%20off.pdf", "own.bin", "again.pdf", "url.bin"]
    whole, own = (hashlib.sha256(data).hexdigest() for data in (content, b"piece" * 3000))
    assert [file.sha256 for file in uploads] == [whole, whole, own, whole, whole]
    assert api.requests_for("sendDocument")[0].params["caption"] == "ünïcode & more"
    assert (tmp_path / "back.pdf").read_bytes() == content


def test_media_groups_and_markup_arrive(api: BotApiServer) -> None:
    """Several files in one call, and what aiogram writes as JSON: entities, keyboards, its defaults."""
    button = aiogram.types.InlineKeyboardButton(text="Yes & no", callback_data="1")

    async def main() -> list[Message]:
        async with bot_of(api) as bot:
            markup = aiogram.types.InlineKeyboardMarkup(inline_keyboard=[[button]])
            await bot.send_message(1, "<b>hi</b>", parse_mode="HTML", reply_markup=markup)
            return await bot.send_media_group(1, [InputMediaPhoto(media=BufferedInputFile(data, "p.jpg"), caption=str(data)) for data in (b"1", b"2")])

    assert [message.caption for message in asyncio.run(main())] == ["b'1'", "b'2'"]
    (request,) = api.requests_for("sendMediaGroup")
    assert [file.sha256 for file in request.files] == [hashlib.sha256(data).hexdigest() for data in (b"1", b"2")]
    assert "Yes & no" in str(api.requests_for("sendMessage")[0].params["reply_markup"])


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(api: BotApiServer, tmp_path: Path) -> None:
    """As with aiogram's own session, it is an error of the system."""

    async def main() -> None:
        async with bot_of(api) as bot:
            with pytest.raises(FileNotFoundError):
                await bot.send_document(1, FSInputFile(tmp_path / "none"))

    asyncio.run(main())
    assert api.requests == []


ANSWERS = {
    "retry": (Answer.retry_after(7), "TelegramRetryAfter", "Flood control exceeded"),
    "migrated": (Answer.migrated(-100123), "TelegramMigrateToChat", "-100123"),
    "forbidden": (Answer.error(403, "Forbidden: bot was blocked by the user"), "TelegramForbiddenError", "blocked"),
    "bad": (Answer.error(400, "Bad Request: chat not found"), "TelegramBadRequest", "chat not found"),
    "conflict": (Answer.error(409, "Conflict: terminated by other getUpdates request"), "TelegramConflictError", "other getUpdates"),
    "token": (Answer.error(401, "Unauthorized"), "TelegramUnauthorizedError", "Unauthorized"),
    "missing": (Answer.error(404, "Not Found"), "TelegramNotFound", "Not Found"),
    "large": (Answer.error(413, "Request Entity Too Large"), "TelegramEntityTooLarge", "Too Large"),
    "server": (Answer.error(500, "Internal Server Error"), "TelegramServerError", "Internal"),
    "restart": (Answer.error(500, "restart"), "RestartingTelegram", "restart"),
    "gateway": (Answer.gateway(502), "ClientDecodeError", "decode"),
    "other JSON": (Answer.raw(b'{"a": 1}', status=200), "ClientDecodeError", "deserialize"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_telegrams_refusals_are_aiograms_own_errors(api: BotApiServer, name: str) -> None:
    """What Telegram answers comes out as with aiogram's own session, and the call is made once."""
    answer, kind_name, words = ANSWERS[name]
    kind = getattr(exceptions, kind_name)
    found: list[BaseException] = []
    for is_own in (True, False):
        api.script("sendMessage", answer)
        found.append(asyncio.run(_refused(api, is_own, kind)))
    own, ours = found
    assert type(ours) is type(own) is kind
    assert words in str(ours)
    assert str(ours) == str(own)
    assert len(api.requests_for("sendMessage")) == 2


async def _refused(api: BotApiServer, is_own: bool, kind: type[BaseException]) -> BaseException:
    session = AiohttpSession(api=TelegramAPIServer.from_base(api.url)) if is_own else one_shot(api)
    if isinstance(session, AiohttpSession):
        session._connector_init["ssl"] = False  # it has no setting for a certificate of one's own
    async with Bot(api.token, session=session).context() as bot:
        with pytest.raises(kind) as failure:
            await bot.send_message(1, "hi")
        return failure.value


HOSTILE = [
    *(b'{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":%b}}' % asked for asked in (b"5" * 13, b"1e999", b"9" * 401, b"-1", b'"x"')),
    *(b"[]", b"null", b"7", b"\xff", b"[" * 100_000, b"9" * 5000, b'{"ok":false,"parameters":[1],"error_code":1,"description":"x"}'),
]


def test_a_hostile_answer_is_an_error_of_aiogram(api: BotApiServer) -> None:
    """Whatever comes, aiogram's users know the error, and a wait is an hour at most."""
    for status in (200, 429):
        api.script("sendChatAction", *(Answer.raw(body, status=status) for body in HOSTILE))

    async def main() -> list[exceptions.AiogramError]:
        found = []
        async with bot_of(api) as bot:
            for _ in range(2 * len(HOSTILE)):
                with pytest.raises(exceptions.AiogramError) as failure:
                    await bot.send_chat_action(1, "typing")
                found.append(failure.value)
        return found

    waits = [error.retry_after for error in asyncio.run(main()) if isinstance(error, exceptions.TelegramRetryAfter)]
    assert waits
    assert all(0 < wait <= timedelta(hours=1).total_seconds() for wait in waits)


def test_what_may_have_been_sent_is_not_sent_again(api: BotApiServer) -> None:
    """An answer that is lost is a TelegramNetworkError at once, whose cause tells that it may have been carried out; the server saw it once."""
    with FaultProxy(faults=[Fault.cut_before_answer()], rate=1.0, seed=1) as proxy:
        error, _ = failing(lambda bot: bot.send_message(1, "hi"), api, proxy=proxy.url)
    assert type(error) is exceptions.TelegramNetworkError
    assert isinstance(error.__cause__, NetworkError)
    assert error.__cause__.phase is Phase.MAYBE_SENT
    assert "may have been carried out" in str(error)
    assert len(api.requests_for("sendMessage")) == 1


def test_when_no_attempt_gets_through_the_time_is_up_in_time(api: BotApiServer) -> None:
    """With every handshake stalled, `timeout` is what the call lasts; so it is with a call's own `request_timeout`, which wins."""

    def attempt(whole: float) -> None:
        with FaultProxy(faults=[Fault.tls_stall()], rate=1.0, seed=1) as proxy:
            one, took = failing(lambda bot: bot.send_message(1, "hi"), api, proxy=proxy.url, timeout=whole, connect_timeout=0.3)
            other, took_too = failing(lambda bot: bot.send_message(1, "hi", request_timeout=1), api, proxy=proxy.url, timeout=60.0)
        for error in (one, other):
            assert type(error) is exceptions.TelegramNetworkError
            assert isinstance(error.__cause__, NotSent)
            assert "Request timeout error" in str(error)
            assert "never sent" in str(error)
        assert took < whole + 1.0
        assert took_too < 2.0

    tried(attempt, (1.0, 1.0, 1.0, 5.0, 5.0))


def test_timeouts_become_bounds() -> None:
    """What the session, the call and the poll say of time is what the transport is told."""
    sent = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}
    transport = FakeTransport(sendMessage=sent, sendDocument=sent, getUpdates=[[]])
    session = OneShotSession(timeout=30, attempt_timeout=9, connect_timeout=2, transport=transport)

    async def main() -> None:
        bot = Bot(TEST_TOKEN, session=session)
        await bot.send_message(1, "hi")
        await bot.send_message(1, "hi", request_timeout=5)
        await bot.send_document(1, BufferedInputFile(b"x" * 32_768, "x"))
        await bot.get_updates(timeout=10, request_timeout=int(session.timeout + 10))

    began = time.monotonic()
    asyncio.run(main())
    ended = time.monotonic()
    bounds = [(made.method, made.connect_timeout, made.timeout, made.wait) for made in transport.requests]
    assert bounds == [("sendMessage", 2, 9, 0), ("sendMessage", 2, 5, 0), ("sendDocument", 2, 9, 0), ("getUpdates", 2, 9, 10)]
    deadlines = [made.deadline for made in transport.requests]
    for deadline, seconds in zip(deadlines[:3], (30, 5, 32), strict=True):
        assert deadline is not None
        assert began + seconds <= deadline <= ended + seconds + 0.1
    assert deadlines[3] is None


def test_cancelling_ends_the_call_at_once(api: BotApiServer) -> None:
    """A cancelled poll and a cancelled send are gone from the server within moments, with their threads."""
    api.script("sendMessage", Answer(silent=True), times=None)

    async def main() -> float:
        before = api.recorder.by_method["sendMessage"]
        async with bot_of(api) as bot:
            tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(bot.get_updates(timeout=50)), asyncio.ensure_future(bot.send_message(1, "hi"))]
            await until(lambda: api.is_polled and api.recorder.by_method["sendMessage"] == before + 1)
            started = time.monotonic()
            for task in tasks:
                task.cancel()
            assert all(isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True))
            await until(lambda: api.recorder.open_connections == 0)
            return time.monotonic() - started

    with nothing_left():
        assert soon(1.5, lambda: asyncio.run(main()))


def test_close_ends_the_calls_at_once_and_a_later_call_begins_anew(api: BotApiServer) -> None:
    """The one under way ends as TelegramNetworkError, the one behind it is never sent, and afterwards the bot sends as before, as with aiogram's own."""
    api.script("sendMessage", Answer(silent=True))

    async def main() -> None:
        async with bot_of(api, calls_at_once=1) as bot:
            first, second = (asyncio.ensure_future(bot.send_message(1, text)) for text in ("first", "second"))
            await until(lambda: api.recorder.by_method["sendMessage"] == 1)
            started = time.monotonic()
            await bot.session.close()
            with pytest.raises(exceptions.TelegramNetworkError, match="aborted"):
                await first
            with pytest.raises(exceptions.TelegramNetworkError, match="shut down before its turn"):
                await second
            assert time.monotonic() - started < 15.0, "the answer would have had twenty seconds"
            await bot.send_message(1, "again")

    with nothing_left():
        asyncio.run(main())
    assert [message.text for message in api.sent] == ["again"]


def test_middlewares_of_the_session_run(api: BotApiServer) -> None:
    """What is registered with `session.middleware` sees each call before it goes out."""
    seen: list[str] = []

    async def main() -> None:
        async with bot_of(api) as bot:

            @bot.session.middleware
            async def note(make_request: Callable[..., Awaitable[Any]], bot: Bot, method: TelegramMethod[Any]) -> Any:
                seen.append(method.__api_method__)
                return await make_request(bot, method)

            await bot(GetMe())
            await bot(SendMessage(chat_id=1, text="hi"))

    asyncio.run(main())
    assert seen == ["getMe", "sendMessage"]


def test_a_download_is_tried_again_and_comes_whole(api: BotApiServer) -> None:
    """Cut in the middle it begins anew, and what is handed out is the file once."""
    content = bytes(range(256)) * 4096

    async def main() -> bytes:
        async with bot_of(api) as plain:
            sent = await plain.send_document(1, BufferedInputFile(content, "x"))
            assert sent.document is not None
            file = await plain.get_file(sent.document.file_id)
        proxy.script(Fault.cut_response(after_bytes=200_000))
        async with bot_of(api, proxy=proxy.url, ahead=0) as bot:
            url = bot.session.api.file_url(bot.token, file.file_path or "")
            return b"".join([chunk async for chunk in bot.session.stream_content(url, chunk_size=1000)])

    with FaultProxy() as proxy, nothing_left():
        assert asyncio.run(main()) == content
        assert proxy.opened == 2


def test_downloads_that_fail_have_errors_of_aiohttp_as_well(api: BotApiServer, caplog: pytest.LogCaptureFixture) -> None:
    """No such file, silence, and a cut answer: what surrounds `bot.download` catches them as before, and none shows the token."""
    caplog.set_level(logging.DEBUG)

    def get(bot: Bot) -> Awaitable[Any]:
        return bot.download_file("documents/none.bin", timeout=1)

    refused, _ = failing(get, api)
    assert isinstance(refused, DownloadRefused)
    assert isinstance(refused, aiohttp.ClientResponseError)
    assert (refused.status, refused.request_info.url.path.endswith("documents/none.bin")) == (404, True)
    with FaultProxy(faults=[Fault.never_answer()], rate=1.0, seed=1) as proxy:
        silent, _ = failing(get, api, proxy=proxy.url)
    assert isinstance(silent, DownloadTimedOut)
    assert isinstance(silent, asyncio.TimeoutError)
    with FaultProxy(faults=[Fault.auth_required()], rate=1.0, seed=1) as proxy:
        failed, _ = failing(get, api, proxy=proxy.url)
    assert isinstance(failed, DownloadFailed)
    assert isinstance(failed, aiohttp.ClientError)
    for error in (refused, silent, failed):
        check_silent(TEST_TOKEN, error, caplog)


def test_a_list_of_proxies_is_gone_through(api: BotApiServer) -> None:
    """The second proxy serves while the first one is down."""

    async def main() -> None:
        async with bot_of(api, proxy=[dead.url, proxy.url], ahead=0) as bot:
            await bot.send_message(1, "hi")

    with FaultProxy() as proxy, FaultProxy(faults=[Fault.refuse()], rate=1.0, seed=1) as dead:
        asyncio.run(main())
        assert proxy.established == 1
    assert len(api.sent) == 1


def test_the_token_is_in_no_error_and_no_log(api: BotApiServer, caplog: pytest.LogCaptureFixture) -> None:
    """Refused, cut, timed out, garbage: neither error nor log at any level holds the token, although it is in every URL."""
    caplog.set_level(logging.DEBUG)
    errors: list[BaseException] = []

    async def main() -> None:
        async with bot_of(api, proxy=proxy.url, retry=None, ahead=0, attempt_timeout=1.0) as bot:
            for fault in (Fault.tls_drop(), Fault.cut_before_answer(), Fault.never_answer(), Fault.bad_gateway(), Fault.auth_required()):
                proxy.script(fault)
                with pytest.raises(exceptions.TelegramNetworkError) as failure:
                    await bot.send_message(1, "hi")
                errors.append(failure.value)
            api.script("sendMessage", Answer.gateway(502), Answer(200, {}, b"no json"))
            for _ in range(2):
                with pytest.raises(exceptions.ClientDecodeError) as decoding:
                    await bot.send_message(1, "hi")
                errors.append(decoding.value)

    with FaultProxy() as proxy:
        asyncio.run(main())
    assert len(errors) == 7
    for error in errors:
        check_silent(TEST_TOKEN, error, caplog)
    assert "sendMessage" in all_texts(errors[1])


def test_the_transports_own_errors_are_the_cause() -> None:
    """Whichever they are, they keep their class there."""

    async def main(cause: NetworkError) -> BaseException | None:
        bot = Bot(TEST_TOKEN, session=OneShotSession(transport=FakeTransport(sendMessage=cause), retry=None))
        with pytest.raises(exceptions.TelegramNetworkError) as failure:
            await bot.send_message(1, "hi")
        return failure.value.__cause__

    for cause in (NotSent("connecting took too long"), DeliveryUncertain("the answer was cut short")):
        assert asyncio.run(main(cause)) is cause


def test_one_session_serves_one_loop_after_the_other(api: BotApiServer) -> None:
    """`asyncio.run` several times with the same session, with more calls than places each time."""
    bot = Bot(api.token, session=one_shot(api, calls_at_once=2))

    async def main() -> None:
        async with bot.context():
            await asyncio.gather(*(bot.send_message(1, f"{number}") for number in range(6)))

    with nothing_left():
        asyncio.run(main())
        asyncio.run(main())
    assert len(api.sent) == 12


def test_a_redirect_is_followed_and_takes_no_headers_to_another_server() -> None:
    """What lies behind a redirect is handed out; the given headers stay with the server that they were meant for."""
    seen: list[dict[str, str]] = []

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            target = {"/same": "/end", "/other": f"http://localhost:{self.server.server_address[1]}/end", "/round": "/round"}.get(self.path)
            self.send_response(302 if target else 200)
            self.send_header("Location", target or "")
            self.send_header("Content-Length", "0" if target else "3")
            self.end_headers()
            self.wfile.write(b"" if target else b"end")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    async def get(session: OneShotSession, path: str) -> bytes:
        url = f"http://127.0.0.1:{server.server_address[1]}{path}"
        return b"".join([chunk async for chunk in session.stream_content(url, {"Authorization": "secret"})])

    async def main() -> None:
        session = OneShotSession("direct")
        assert await get(session, "/same") == b"end"
        assert await get(session, "/other") == b"end"
        with pytest.raises(DownloadRefused):
            await get(session, "/round")
        await session.close()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        asyncio.run(main())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert ["authorization" in headers for headers in seen[:4]] == [True, True, True, False]
    assert len(seen) == 10
