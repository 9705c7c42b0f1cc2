"""python-telegram-bot over `OneShotRequest`: its own `Application` through faults, its own errors, cancelling, closing, nothing left."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import ssl
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import telegram
from kits.adapters_kit import all_texts, check_silent, nothing_left
from kits.timing_kit import soon, tried
from telegram import error as telegram_error
from telegram.ext import Application, ApplicationBuilder, CallbackContext, MessageHandler, filters
from telegram.request import BaseRequest, HTTPXRequest

from syncbot.adapters.ptb import OneShotRequest
from syncbot.errors import DeliveryUncertain, NetworkError, NotSent, Phase
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy, TestCA
from syncbot.transport import FakeTransport

CALLS = 200
LENGTHS = [pytest.param(CALLS, 0.05, marks=pytest.mark.slow), (CALLS // 5, 0.25)]
"""How many messages are answered, and what share of the TLS handshakes is cut meanwhile."""


def application(api: BotApiServer, request: BaseRequest, polling: BaseRequest) -> Application[Any, Any, Any, Any, Any, Any]:
    """An ordinary asyncio bot that talks to the test server."""
    builder = ApplicationBuilder().token(api.token).base_url(f"{api.url}/bot").base_file_url(f"{api.url}/file/bot")
    return builder.request(request).get_updates_request(polling).concurrent_updates(True).build()


def one_shot(api: BotApiServer, **options: Any) -> OneShotRequest:
    """The request object, trusting the test server."""
    return OneShotRequest(ca_file=api.ca_file if api.tls else None, **options)


@asynccontextmanager
async def bot_of(api: BotApiServer, request: BaseRequest | None = None) -> AsyncIterator[telegram.Bot]:
    """A bare bot without a look at getMe."""
    request, polling = request or one_shot(api), one_shot(api)
    try:
        yield telegram.Bot(api.token, f"{api.url}/bot", f"{api.url}/file/bot", request=request, get_updates_request=polling)
    finally:
        await request.shutdown()
        await polling.shutdown()


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Let the loop run until something holds."""
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, "it did not come about in time"
        await asyncio.sleep(0.01)


class Echo:
    """An application's handler and error handler, with what came of it."""

    def __init__(self, api: BotApiServer, app: Application[Any, Any, Any, Any, Any, Any]) -> None:
        self.api = api
        self.errors: list[BaseException] = []
        self.poll_errors: list[telegram_error.TelegramError] = []
        app.add_handler(MessageHandler(filters.TEXT, self.answer))
        app.add_error_handler(self.failed)

    async def answer(self, update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
        """Answer a message."""
        assert isinstance(update, telegram.Update)
        assert update.message is not None
        await update.message.reply_text(f"echo {update.message.text}")

    async def failed(self, update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
        """Keep an error."""
        assert context.error is not None
        self.errors.append(context.error)

    @property
    def answered(self) -> int:
        """How many answers the server has carried out."""
        return self.api.recorder.by_method["sendMessage"]


@asynccontextmanager
async def running(api: BotApiServer, app: Application[Any, Any, Any, Any, Any, Any], echo: Echo, calls: int = CALLS) -> AsyncIterator[None]:
    """The application polls, and 20 users have sent it so many messages."""
    users = [api.user() for _ in range(20)]
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=2, error_callback=echo.poll_errors.append)
        for number in range(calls):
            users[number % len(users)].send(f"message {number}")
        try:
            yield
        finally:
            await app.updater.stop()
            await app.stop()


@pytest.mark.parametrize(("calls", "rate"), LENGTHS)
def test_an_application_answers_all_through_a_proxy_that_cuts_handshakes(ca: TestCA, calls: int, rate: float) -> None:
    """Polling and sending through a proxy that cuts some of the TLS handshakes: every message is answered, once each, and nothing is left open."""

    async def main() -> None:
        app = application(api, one_shot(api, proxy=proxy.url), one_shot(api, proxy=proxy.url))
        echo = Echo(api, app)
        async with running(api, app, echo, calls):
            await until(lambda: echo.answered >= calls)
        assert echo.errors == echo.poll_errors == []

    with (
        BotApiServer(tls=True, ca=ca, slow_same_offset=False) as api,
        FaultProxy(faults=[Fault.tls_drop()], rate=rate, seed=3) as proxy,
        nothing_left(),
    ):
        asyncio.run(main())
        assert proxy.struck["tls_drop"] >= 5
        assert sorted(message.text for message in api.sent) == sorted(f"echo message {number}" for number in range(calls))
        assert api.recorder.max_requests_per_connection == 1


class Pooled(HTTPXRequest):
    """python-telegram-bot's own request object, keeping the errors of its calls. The header stands for a proxy that hangs up after each answer."""

    def __init__(self, api: BotApiServer, size: int, proxy: FaultProxy) -> None:
        context = ssl.create_default_context(cafile=api.ca_file)
        super().__init__(size, proxy=proxy.url, httpx_kwargs={"verify": context, "headers": {"Connection": "close"}})
        self.errors: list[str] = []

    async def do_request(self, *values: Any, **given: Any) -> tuple[int, bytes]:
        """Make the call, and keep its error."""
        try:
            return await super().do_request(*values, **given)
        except telegram_error.TelegramError as error:
            self.errors.append(str(error))
            raise


def test_the_same_application_without_it_stops_sending(ca: TestCA) -> None:
    """Cut handshakes use up a pool of four, and it stays so when the proxy is well again."""

    async def main() -> None:
        app = application(api, Pooled(api, 4, proxy), one_shot(api))
        echo = Echo(api, app)
        async with running(api, app, echo):
            refused = 0
            while refused < 3:  # in a row: what is slow for a moment is not used up
                try:
                    await app.bot.send_message(api.user().id, "and this?")
                    refused = 0
                except telegram_error.TelegramError as error:
                    refused = refused + 1 if "Pool timeout" in str(error) else 0
            proxy.set_random([], 0.0)
            for _ in range(2):
                with pytest.raises(telegram_error.TimedOut, match="Pool timeout"):
                    await app.bot.send_message(api.user().id, "still there?")
            assert echo.answered < CALLS

    with BotApiServer(tls=True, ca=ca, slow_same_offset=False) as api, FaultProxy(faults=[Fault.tls_drop()], rate=0.2, seed=3) as proxy:
        asyncio.run(main())


def test_the_same_application_without_it_stops_polling(ca: TestCA) -> None:
    """A single cut handshake uses up the pool of one that polls: no update ever comes again."""

    async def main() -> None:
        polling = Pooled(api, 1, proxy)
        app = application(api, one_shot(api), polling)
        echo = Echo(api, app)
        async with running(api, app, echo):
            await until(lambda: len(polling.errors) >= 3)
        assert ["Pool timeout" in error for error in polling.errors[:3]] == [False, True, True]

    with BotApiServer(tls=True, ca=ca, slow_same_offset=False) as api, FaultProxy() as proxy:
        proxy.script(Fault.tls_drop())
        asyncio.run(main())
        assert proxy.opened == 1
        assert api.recorder.by_method["getUpdates"] == 0


def test_httpcore_is_never_imported() -> None:
    """A whole application runs without httpcore; httpx is imported by python-telegram-bot itself and not used."""
    program = """
        import asyncio, sys
        from syncbot.testing import BotApiServer
        from syncbot.adapters.ptb import OneShotRequest
        from telegram.ext import ApplicationBuilder, MessageHandler, filters

        async def echo(update, context):
            await update.message.reply_text("hi")
            done.set()

        async def main():
            app = ApplicationBuilder().token(api.token).base_url(api.url + "/bot").request(OneShotRequest()).get_updates_request(OneShotRequest()).build()
            app.add_handler(MessageHandler(filters.ALL, echo))
            async with app:
                await app.start()
                await app.updater.start_polling()
                user.send("hello")
                await asyncio.wait_for(done.wait(), 50)
                await app.updater.stop()
                await app.stop()

        with BotApiServer(slow_same_offset=False) as api:
            user, done = api.user(), asyncio.Event()
            asyncio.run(main())
        print(sorted({"httpx", "httpcore"} & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['httpx']", done.stderr


class Watched(io.BytesIO):
    """A file that notes how much of it is asked for at a time."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and take a note."""
        chunk = super().read(size)
        self.largest = max(self.largest, len(chunk))
        return chunk


def test_files_are_uploaded_in_pieces_and_downloaded(api: BotApiServer, tmp_path: Path) -> None:
    """Bytes, paths and open files arrive whole under their names, an open one read in pieces; a download gives the bytes back."""
    content = bytes(range(256)) * 4096
    path = tmp_path / "päper 50%20off.pdf"
    path.write_bytes(content)
    watched = Watched(content)

    async def main() -> None:
        async with bot_of(api) as bot:
            await bot.send_document(1, content, filename="bytes.bin", caption="ünïcode & more")
            await bot.send_document(1, path)
            sent = await bot.send_document(1, telegram.InputFile(watched, filename="open.bin", read_file_handle=False))
            assert sent.document is not None
            file = await sent.document.get_file()
            assert bytes(await file.download_as_bytearray()) == content

    asyncio.run(main())
    uploads = api.requests_for("sendDocument")
    assert [request.file("document").name for request in uploads] == ["bytes.bin", "päper 50%20off.pdf", "open.bin"]
    assert {request.file("document").sha256 for request in uploads} == {hashlib.sha256(content).hexdigest()}
    assert uploads[0].params["caption"] == "ünïcode & more"
    assert watched.largest <= 65_536


def test_media_groups_arrive(api: BotApiServer) -> None:
    """Several files in one call, each with its own caption."""

    async def main() -> tuple[telegram.Message, ...]:
        async with bot_of(api) as bot:
            return await bot.send_media_group(1, [telegram.InputMediaPhoto(b"one", caption="1"), telegram.InputMediaPhoto(b"two", caption="2")])

    messages = asyncio.run(main())
    assert [message.caption for message in messages] == ["1", "2"]
    (request,) = api.requests_for("sendMediaGroup")
    assert [file.sha256 for file in request.files] == [hashlib.sha256(content).hexdigest() for content in (b"one", b"two")]


def test_a_file_that_cannot_be_read_is_an_error_of_its_own(api: BotApiServer) -> None:
    """What is wrong with a file is told in words, and nothing is sent."""
    closed = io.BytesIO(b"x")
    closed.close()

    async def main() -> None:
        async with bot_of(api) as bot:
            with pytest.raises(telegram_error.TelegramError, match="a file cannot be sent"):
                await bot.send_document(1, telegram.InputFile(closed, filename="x", read_file_handle=False))

    asyncio.run(main())
    assert api.requests == []


ANSWERS = {
    "retry": (Answer.retry_after(7), telegram_error.RetryAfter, "Flood control exceeded"),
    "migrated": (Answer.migrated(-100123), telegram_error.ChatMigrated, "-100123"),
    "forbidden": (Answer.error(403, "Forbidden: bot was blocked by the user"), telegram_error.Forbidden, "blocked"),
    "bad": (Answer.error(400, "Bad Request: chat not found"), telegram_error.BadRequest, "Chat not found"),
    "conflict": (Answer.error(409, "Conflict: terminated by other getUpdates request"), telegram_error.Conflict, "other getUpdates"),
    "token": (Answer.error(401, "Unauthorized"), telegram_error.InvalidToken, "Unauthorized"),
    "server": (Answer.server_error(), telegram_error.NetworkError, "restart"),
    "gateway": (Answer.gateway(502), telegram_error.NetworkError, "Bad Gateway"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_telegrams_refusals_are_the_librarys_own_errors(api: BotApiServer, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Telegram answers comes out as with `HTTPXRequest`, and the call is made once."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # without it RetryAfter warns of python-telegram-bot's future
    answer, kind, words = ANSWERS[name]
    api.script("sendMessage", answer)

    async def main() -> BaseException:
        async with bot_of(api) as bot:
            with pytest.raises(kind) as failure:
                await bot.send_message(1, "hi")
            return failure.value

    error = asyncio.run(main())
    assert type(error) is kind
    assert words in str(error)
    assert len(api.requests_for("sendMessage")) == 1


HOSTILE = [
    *(b'{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":%b}}' % asked for asked in (b"5" * 13, b"1e999", b"9" * 401, b"-1", b'"x"')),
    *(b"[]", b"null", b"7", b"\xff", b"[" * 100_000, b"9" * 5000, b'{"ok":false,"parameters":[1],"error_code":1,"description":"x"}'),
]


@pytest.mark.parametrize("status", [200, 429])
def test_a_hostile_answer_is_an_error_of_the_library(api: BotApiServer, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes, python-telegram-bot's own loops know the error, and a wait is an hour at most."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    api.script("sendChatAction", *(Answer.raw(body, status=status) for body in HOSTILE))

    async def main() -> list[BaseException]:
        found: list[BaseException] = []
        async with bot_of(api) as bot:
            for _ in HOSTILE:
                try:
                    await bot.send_chat_action(1, "typing")
                except telegram_error.TelegramError as error:
                    found.append(error)
        return found

    errors = asyncio.run(main())
    waits = [error.retry_after for error in errors if isinstance(error, telegram_error.RetryAfter)]
    assert all(isinstance(wait, timedelta) and wait <= timedelta(hours=1) for wait in waits)
    assert len(errors) == len(HOSTILE)
    assert waits


def failing(work: Callable[[telegram.Bot], Awaitable[Any]], api: BotApiServer, **options: Any) -> tuple[telegram_error.NetworkError, NetworkError, float]:
    """The error of a call, syncbot's error behind it, and the seconds it took."""

    async def main() -> tuple[telegram_error.NetworkError, float]:
        async with bot_of(api, one_shot(api, **options)) as bot:
            started = time.monotonic()
            with pytest.raises(telegram_error.NetworkError) as failure:
                await work(bot)
            return failure.value, time.monotonic() - started

    error, seconds = asyncio.run(main())
    assert isinstance(error.__cause__, NetworkError)
    return error, error.__cause__, seconds


def test_what_may_have_been_sent_is_not_sent_again(api: BotApiServer) -> None:
    """An answer that is lost is a NetworkError at once, whose cause tells that it may have been carried out; the server saw it once."""
    with FaultProxy(faults=[Fault.cut_before_answer()], rate=1.0, seed=1) as proxy:
        error, cause, _ = failing(lambda bot: bot.send_message(1, "hi"), api, proxy=proxy.url)
    assert type(error) is telegram_error.NetworkError
    assert cause.phase is Phase.MAYBE_SENT
    assert "may have been carried out" in str(error)
    assert len(api.requests_for("sendMessage")) == 1


def test_a_stalled_handshake_is_given_up_and_tried_again_within_the_time(api: BotApiServer) -> None:
    """`connect_timeout` ends an attempt that does not get through, and the next one succeeds."""

    async def main() -> None:
        async with bot_of(api, one_shot(api, proxy=proxy.url, connect_timeout=1.0, ahead=0)) as bot:
            await bot.send_message(1, "hi")

    with FaultProxy() as proxy:
        proxy.script(Fault.tls_stall(), Fault.tls_drop())
        started = time.monotonic()
        asyncio.run(main())
    assert time.monotonic() - started > 1.0
    assert proxy.struck == {"tls_stall": 1, "tls_drop": 1}


def test_when_no_attempt_gets_through_the_time_is_up_in_time(api: BotApiServer) -> None:
    """With every handshake stalled, the four timeouts together are what the call lasts; it is a TimedOut that says "never sent"."""

    def attempt(whole: float) -> None:
        with FaultProxy(faults=[Fault.tls_stall()], rate=1.0, seed=1) as proxy:
            times = {"connect_timeout": 0.3 * whole, "write_timeout": 0.2 * whole, "read_timeout": 0.3 * whole, "pool_timeout": 0.2 * whole}
            error, cause, seconds = failing(lambda bot: bot.send_message(1, "hi"), api, proxy=proxy.url, **times)
        assert type(error) is telegram_error.TimedOut
        assert isinstance(cause, NotSent)
        assert "never sent" in str(error)
        assert seconds < whole + 1.0

    tried(attempt, (1.0, 1.0, 1.0, 5.0, 5.0))


def test_an_answer_that_does_not_come_is_timed_out(api: BotApiServer) -> None:
    """Silence ends with write and read timeout; the call's own read timeout wins over that of the object."""
    api.script("sendMessage", Answer(silent=True), times=None)
    error, cause, seconds = failing(lambda bot: bot.send_message(1, "hi", read_timeout=0.4), api, connect_timeout=1.0, write_timeout=0.1, read_timeout=30.0)
    assert type(error) is telegram_error.TimedOut
    assert cause.phase is Phase.MAYBE_SENT
    assert 0.3 < seconds < 20.0


def test_timeouts_become_bounds() -> None:
    """What the object and the call say of time is what the transport is told; None becomes a wide bound, files have their own write timeout."""
    sent = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}
    transport = FakeTransport(sendMessage=sent, sendDocument=sent, getUpdates=[[]])
    request = OneShotRequest(read_timeout=3, write_timeout=2, connect_timeout=1, pool_timeout=4, media_write_timeout=9, transport=transport)

    async def main() -> None:
        bot = telegram.Bot(TEST_TOKEN, request=request, get_updates_request=request)
        await bot.send_message(1, "hi")
        await bot.send_message(1, "hi", read_timeout=None, connect_timeout=0.5)
        await bot.send_document(1, b"x" * 16_384)
        await bot.get_updates(timeout=10)

    began = time.monotonic()
    asyncio.run(main())
    ended = time.monotonic()
    assert request.read_timeout == 3
    bounds = [(made.method, made.connect_timeout, made.timeout) for made in transport.requests]
    assert bounds == [("sendMessage", 1.0, 6.0), ("sendMessage", 0.5, 62.5), ("sendDocument", 1.0, 13.0), ("getUpdates", 1.0, 16.0)]
    deadlines = [made.deadline for made in transport.requests]
    assert deadlines[0] is not None
    assert began + 9.9 < deadlines[0] <= ended + 10.0
    assert deadlines[2] is not None
    assert began + 16.0 < deadlines[2] <= ended + 18.1  # and the time for the bytes of the file
    assert deadlines[3] is None


def test_cancelling_ends_the_call_at_once(api: BotApiServer) -> None:
    """A cancelled poll and a cancelled send are gone from the server within moments, with their threads."""
    api.script("sendMessage", Answer(silent=True), times=None)

    async def main() -> float:
        before = api.recorder.by_method["sendMessage"]
        async with bot_of(api) as bot:
            tasks = [asyncio.ensure_future(bot.get_updates(timeout=50)), asyncio.ensure_future(bot.send_message(1, "hi"))]
            await until(lambda: api.is_polled and api.recorder.by_method["sendMessage"] == before + 1)
            started = time.monotonic()
            for task in tasks:
                task.cancel()
            assert all(isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True))
            await until(lambda: api.recorder.open_connections == 0)
            return time.monotonic() - started

    with nothing_left():
        assert soon(1.5, lambda: asyncio.run(main()))


def test_a_cancelled_call_that_waits_for_its_next_attempt_never_makes_it(api: BotApiServer) -> None:
    """Between two attempts a cancel ends the wait, and nothing is sent afterwards."""

    async def main() -> None:
        async with bot_of(api, one_shot(api, proxy=proxy.url)) as bot:
            task = asyncio.ensure_future(bot.send_message(1, "hi"))
            await until(lambda: proxy.struck["tls_drop"] >= 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            proxy.set_random([], 0.0)

    with FaultProxy(faults=[Fault.tls_drop()], rate=1.0, seed=1) as proxy, nothing_left():
        asyncio.run(main())
    assert api.requests == []


def test_shutdown_ends_the_calls_at_once_and_initialize_begins_anew(api: BotApiServer) -> None:
    """Calls under way end as NetworkError, later ones are refused, and after `initialize` everything works again."""
    api.script("sendMessage", Answer(silent=True))

    async def main() -> None:
        request = one_shot(api, read_timeout=30.0)
        async with bot_of(api, request) as bot:
            task = asyncio.ensure_future(bot.send_message(1, "hi"))
            await until(lambda: api.recorder.by_method["sendMessage"] == 1)
            started = time.monotonic()
            await request.shutdown()
            with pytest.raises(telegram_error.NetworkError, match="aborted"):
                await task
            assert time.monotonic() - started < 15.0, "the answer would have had thirty seconds"
            with pytest.raises(telegram_error.NetworkError, match="shut down"):
                await bot.send_message(1, "hi")
            await request.initialize()
            await bot.send_message(1, "again")

    with nothing_left():
        asyncio.run(main())


def test_what_waits_for_its_turn_at_a_shutdown_is_never_sent(api: BotApiServer) -> None:
    """The shutdown ends the call that has the only place; the one behind it does not take that place."""
    api.script("sendMessage", Answer(silent=True))

    async def main() -> None:
        request = one_shot(api, read_timeout=30.0, calls_at_once=1)
        async with bot_of(api, request) as bot:
            first, second = (asyncio.ensure_future(bot.send_message(1, text)) for text in ("first", "second"))
            await until(lambda: api.recorder.by_method["sendMessage"] == 1)
            await request.shutdown()
            with pytest.raises(telegram_error.NetworkError, match="aborted"):
                await first
            with pytest.raises(telegram_error.NetworkError, match="shut down"):
                await second

    with nothing_left():
        asyncio.run(main())
    assert api.count("sendMessage") == 1


def test_sends_take_nothing_from_a_poll_and_wait_their_turn(api: BotApiServer) -> None:
    """With the only place taken, a poll gets through at once; a second send waits, and says that it was never sent when its time is up."""
    api.script("sendMessage", Answer(silent=True), times=None)
    user = api.user()

    async def main() -> None:
        request = one_shot(api, calls_at_once=1, read_timeout=30.0)
        async with bot_of(api, request):
            bot = telegram.Bot(api.token, f"{api.url}/bot", request=request, get_updates_request=request)
            first = asyncio.ensure_future(bot.send_message(1, "hi"))
            await until(lambda: api.recorder.by_method["sendMessage"] == 1)
            user.send("hello")
            assert len(await bot.get_updates()) == 1
            with pytest.raises(telegram_error.TimedOut, match="never sent"):
                await bot.send_message(1, "me too", read_timeout=0.1, write_timeout=0.1, connect_timeout=0.1, pool_timeout=0.1)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            api.clear_script("sendMessage")
            await bot.send_message(1, "free again")

    asyncio.run(main())
    assert api.count_text("me too") == 0


def test_calls_that_are_cancelled_in_the_queue_give_their_turn_back(api: BotApiServer) -> None:
    """Fifty calls for two places, every other one cancelled at some moment: the rest are sent, and nothing waits for ever."""

    async def main() -> None:
        async with bot_of(api, one_shot(api, calls_at_once=2)) as bot:
            tasks = [asyncio.ensure_future(bot.send_message(1, f"call {number}")) for number in range(50)]
            for number, task in enumerate(tasks):
                if number % 2:
                    await asyncio.sleep(0)
                    task.cancel()
            ends = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 60.0)
            assert all(isinstance(end, telegram.Message) for end in ends[::2])
            await bot.send_message(1, "after all")

    with nothing_left():
        asyncio.run(main())
    assert api.count_text("after all") == 1


def test_one_request_object_serves_one_loop_after_the_other(api: BotApiServer) -> None:
    """`asyncio.run` several times with the same object, with more calls than places each time."""
    request = one_shot(api, calls_at_once=2)

    async def main() -> None:
        await request.initialize()
        bot = telegram.Bot(api.token, f"{api.url}/bot", request=request, get_updates_request=request)
        await asyncio.gather(*(bot.send_message(1, f"{number}") for number in range(6)))
        await request.shutdown()

    with nothing_left():
        asyncio.run(main())
        asyncio.run(main())
    assert len(api.sent) == 12


def test_a_list_of_proxies_is_gone_through(api: BotApiServer) -> None:
    """The second proxy serves while the first one is down."""

    async def main() -> None:
        async with bot_of(api, one_shot(api, proxy=[dead.url, proxy.url], ahead=0)) as bot:
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
        async with bot_of(api, one_shot(api, proxy=proxy.url, retry=None, ahead=0, connect_timeout=1.0, read_timeout=0.3, write_timeout=0.1)) as bot:
            for fault in (Fault.tls_drop(), Fault.cut_before_answer(), Fault.never_answer(), Fault.bad_gateway(), Fault.auth_required()):
                proxy.script(fault)
                with pytest.raises(telegram_error.TelegramError) as failure:
                    await bot.send_message(1, "hi")
                errors.append(failure.value)
            api.script("sendMessage", Answer.gateway(502), Answer(200, {}, b"no json"))
            for _ in range(2):
                with pytest.raises(telegram_error.TelegramError) as failure:
                    await bot.send_message(1, "hi")
                errors.append(failure.value)

    with FaultProxy() as proxy:
        asyncio.run(main())
    assert len(errors) == 7
    for error in errors:
        check_silent(TEST_TOKEN, error, caplog)
    assert "sendMessage" in all_texts(errors[1])


def test_a_maybe_sent_error_is_no_not_sent() -> None:
    """The transport's own errors keep their class as the cause, whichever they are."""

    async def main(cause: NetworkError) -> BaseException | None:
        request = OneShotRequest(transport=FakeTransport(sendMessage=cause), retry=None)
        with pytest.raises(telegram_error.NetworkError) as failure:
            await telegram.Bot(TEST_TOKEN, request=request, get_updates_request=request).send_message(1, "hi")
        return failure.value.__cause__

    for cause in (NotSent("connecting took too long"), DeliveryUncertain("the answer was cut short")):
        assert asyncio.run(main(cause)) is cause
