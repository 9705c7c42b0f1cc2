"""aiogram 3 without a pool: its requests go out through syncbot's transport, each on a connection of its own.

```python
from aiogram import Bot
from syncbot.adapters.aiogram import OneShotSession

bot = Bot(token, session=OneShotSession(proxy="http://proxy.example:3128"))
```

Nothing else of the bot changes. What goes wrong comes out as aiogram's own errors:

| what happened | a call | a download |
|---|---|---|
| Telegram refuses | as from aiogram's own session: `TelegramBadRequest`, `TelegramRetryAfter`, … | `DownloadRefused`, an `aiohttp.ClientResponseError` |
| the time was up | `TelegramNetworkError`: "Request timeout error" | `DownloadTimedOut`, a `TimeoutError` and an `aiohttp.ClientError` |
| no answer for another reason | `TelegramNetworkError` | `DownloadFailed`, an `aiohttp.ClientError` |
| what came is not Telegram's | `ClientDecodeError` | |

The `__cause__` of the second and the third is syncbot's error, whose `phase` tells whether it was sent.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

import aiogram
import aiohttp
from aiogram.client.session.base import DEFAULT_TIMEOUT as CALL_SECONDS
from aiogram.client.session.base import BaseSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import GetFile, GetUpdates, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import BufferedInputFile, FSInputFile, InputFile
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from syncbot.adapters.bodies import multipart
from syncbot.adapters.call_threads import CALLS_AT_ONCE, CallThreads, CallUnderWay
from syncbot.adapters.carrier import Carrier, Proxies, delivery
from syncbot.adapters.http import form_body
from syncbot.client.envelope import find_envelope
from syncbot.client.retry import RetryPolicy
from syncbot.errors import NetworkError
from syncbot.redact import Redactor
from syncbot.regular import opener
from syncbot.secret import Secret
from syncbot.types import DEFAULT_MIN_RATE, DEFAULT_TIMEOUT, AheadMode, Body, Request, Response, Transport, hidden_ways

if TYPE_CHECKING:
    from aiogram.client.bot import Bot

_MEMORY_BYTES = 1 << 20
"""What of a download is in memory; more goes to a temporary file."""
_MOST_REDIRECTS = 5
_USER_AGENT = f"aiogram/{aiogram.__version__}"


class DownloadFailed(TelegramNetworkError, aiohttp.ClientConnectionError):
    """A download that brought no answer."""


class DownloadTimedOut(TelegramNetworkError, aiohttp.ServerTimeoutError):
    """A download whose time was up."""


class DownloadRefused(aiohttp.ClientResponseError):
    """A download that was answered with an error's status; its URL is shown without the token."""

    def __init__(self, url: str, status: int) -> None:
        shown, headers = URL(Redactor().text(url)), CIMultiDictProxy[str](CIMultiDict())
        super().__init__(aiohttp.RequestInfo(shown, "GET", headers, shown), (), status=status, message="the server refused the download")


# By (it is a download, its time was up): what `NetworkError` becomes, and the words before its own.
_ERRORS: Mapping[tuple[bool, bool], tuple[type[TelegramNetworkError], str]] = {
    (False, False): (TelegramNetworkError, ""),
    (False, True): (TelegramNetworkError, "Request timeout error: "),
    (True, False): (DownloadFailed, ""),
    (True, True): (DownloadTimedOut, "Request timeout error: "),
}


class OneShotSession(BaseSession):
    """An `aiogram.client.session.base.BaseSession` that has no pool: each call gets a new connection, a thread while it lasts, and a deadline.

    A call that was certainly never sent is tried again within its time; one that may have been carried out never is. A download is tried again in any
    case, and is whole before its first bytes are handed out.

    Args:
        proxy: the ways to Telegram in order of preference: a proxy URL, or several; none takes HTTPS_PROXY, ALL_PROXY and NO_PROXY from the environment.
        api, json_loads, json_dumps: as aiogram has them.
        timeout: seconds that a call may take in all, its attempts and waits included; a call's own `request_timeout` wins. Large files get more, by their size.
        attempt_timeout: seconds that one attempt may take; a poll's waiting comes on top.
        connect_timeout: seconds of these that the way to Telegram may take (look-up, proxy, TLS).
        ca_file: PEM file with the CA certificates to trust; None takes SYNCBOT_CA_FILE, REQUESTS_CA_BUNDLE or SSL_CERT_FILE, else certifi's.
        ipv4: connect by IPv4 only.
        dns_cache: seconds that a looked-up address is kept; 0 looks up each time.
        retry: how often a call is tried that was never sent; None tries once.
        ahead: what is opened ahead. "auto": while somebody talks a connection stands ready for the next call, and more under load; a number is as in
            `syncbot.Bot(ahead=…)`, and 0 opens none.
        calls_at_once: how many calls may be under way; further ones wait their turn within their time. Polls do not count.
        transport: what carries the requests instead of one made of these settings; it is left open at `close`.

    Raises:
        ConfigError: a proxy is malformed.
    """

    def __init__(
        self,
        proxy: Proxies = (),
        *,
        api: TelegramAPIServer = PRODUCTION,
        json_loads: Callable[..., Any] = json.loads,
        json_dumps: Callable[..., str] = json.dumps,
        timeout: float = CALL_SECONDS,
        attempt_timeout: float = DEFAULT_TIMEOUT,
        connect_timeout: float = 10.0,
        ca_file: str | Path | None = None,
        ipv4: bool = False,
        dns_cache: float = 0.0,
        retry: RetryPolicy | None = RetryPolicy(),  # noqa: B008  # a frozen value is safe as a default
        ahead: AheadMode = "auto",
        calls_at_once: int = CALLS_AT_ONCE,
        transport: Transport | None = None,
    ) -> None:
        ways = hidden_ways(proxy)
        del proxy
        super().__init__(api=api, json_loads=json_loads, json_dumps=json_dumps, timeout=timeout)
        self._carrier = Carrier(ways, ca_file=ca_file, ipv4=ipv4, dns_cache=dns_cache, retry=retry, ahead=ahead, transport=transport)
        self._calls = CallThreads(self._carrier, calls_at_once)
        self._attempt_timeout = attempt_timeout
        self._connect_timeout = connect_timeout

    async def close(self) -> None:
        """End the calls under way at once, and let go of everything; a later call begins anew, as with aiogram's own session."""
        await self._calls.close()

    async def make_request(self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None) -> TelegramType:
        """Make one call; aiogram's own classes do that.

        Raises:
            AiogramError: what went wrong, as in the table above.
            OSError, ValueError: a file cannot be read.
        """
        url = Secret(self.api.api_url(token=bot.token, method=method.__api_method__))
        self._carrier.guard_token(url)
        with ExitStack() as files:
            content_type, body = await self._form(bot, method, files)
            size = len(body) if isinstance(body, bytes) else body.size
            total = float(self.timeout if timeout is None else timeout) or CALL_SECONDS
            wait = min(float(method.timeout or 0), total) if isinstance(method, GetUpdates) else 0.0
            request = Request(
                url,
                method.__api_method__,
                headers={"User-Agent": _USER_AGENT, "Content-Type": content_type},
                body=body,
                timeout=min(self._attempt_timeout, (total - wait) or total),
                wait=wait,
            )
            response = await self._carry(request, time.monotonic() + total + size / DEFAULT_MIN_RATE, method)
        status, text = _refusal(response)
        return cast(TelegramType, self.check_response(bot=bot, method=method, status_code=status, content=text).result)

    async def stream_content(
        self, url: str, headers: dict[str, Any] | None = None, timeout: int = 30, chunk_size: int = 65536, raise_for_status: bool = True
    ) -> AsyncGenerator[bytes, None]:
        """Download something, and hand it out in pieces. It is received first, so that it comes whole or not at all; large things wait on the disk.

        Up to five redirects are followed, never from https to http, and with the given headers on the same server only.

        Args:
            timeout: seconds until which attempts begin; the bytes of a large file get more, by its size.

        Raises:
            DownloadRefused, DownloadTimedOut, DownloadFailed: as in the table above.
        """
        hidden, given = Secret(url), Secret(dict(headers or {}))
        del url, headers
        self._carrier.guard_token(hidden)
        ends_at = time.monotonic() + float(timeout or CALL_SECONDS)
        with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as file:
            for _ in range(_MOST_REDIRECTS + 1):
                request = Request(
                    hidden,
                    "download",
                    "GET",
                    headers={"User-Agent": _USER_AGENT} | given.reveal(),
                    timeout=min(self._attempt_timeout, float(timeout or CALL_SECONDS)),
                    sink=_Spool(file),
                )
                response = await self._carry(request, ends_at, GetFile(file_id="?"))
                target = _redirect(hidden, response)
                if not target:
                    break
                given = given if _server(target) == _server(hidden) else Secret({})
                hidden = target
            if raise_for_status and response.status >= 300:
                raise DownloadRefused(hidden.reveal(), response.status)
            if response.status >= 300:
                _Spool(file).restart(response.body)
            file.seek(0)
            while chunk := file.read(chunk_size):
                yield chunk

    async def _carry(self, request: Request, ends_at: float, method: TelegramMethod[Any]) -> Response:
        """Carry a request out in a thread, and give its failure the name that aiogram's users know."""
        is_download = request.sink is not None

        def work(call: CallUnderWay) -> Response:
            # How long a file or a batch of updates takes its size decides, which comes with the answer; the attempt stays bounded by that.
            until = None if is_download or request.is_poll else ends_at
            connect = min(self._connect_timeout, request.timeout)
            whole = replace(request, connect_timeout=connect, deadline=until, scope=call.scope, stop=call.stop)
            return self._carrier.carry(whole, ends_at=ends_at, stop=call.stop, repeatable=is_download)

        try:
            return await self._calls.in_turn(request.method, work, ends_at)
        except NetworkError as error:
            kind, words = _ERRORS[is_download, error.timed_out]
            raise kind(method=method, message=words + delivery(error)) from error

    async def _form(self, bot: Bot, method: TelegramMethod[Any], opened: ExitStack) -> tuple[str, bytes | Body]:
        """The parameters of a call as aiogram's own session writes them; files stream from where they are."""
        files: dict[str, InputFile] = {}
        prepared = {name: self.prepare_value(value, bot=bot, files=files) for name, value in method.model_dump(warnings=False).items()}
        fields = {name: value for name, value in prepared.items() if value}
        if not files:
            return form_body(fields)
        contents = [(key, (file.filename or key, await _content(file, bot, opened))) for key, file in files.items()]
        body = multipart(fields, contents)
        return body.content_type, body


class _Spool:
    """The sink of a download: what is no file, such as an error's page or a redirect, is left to be read as an ordinary answer."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Take the body of a download; an attempt begins from the start."""
        if status >= 300:
            return False
        self.restart()
        return True

    def restart(self, content: bytes = b"") -> None:
        """Hold this and nothing else."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(content)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._file.write(chunk)


async def _content(file: InputFile, bot: Bot, opened: ExitStack) -> bytes | IO[bytes]:
    """What a file holds; one that only aiogram's own reader can read is copied first, since its length has to be known."""
    if type(file).read is BufferedInputFile.read:
        return cast(BufferedInputFile, file).data
    if type(file).read is FSInputFile.read:
        return opened.enter_context(open(cast(FSInputFile, file).path, "rb", opener=opener))
    copy = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES))  # noqa: SIM115  # the stack closes it
    async for chunk in file.read(bot):
        copy.write(chunk)
    copy.seek(0)
    return cast(IO[bytes], copy)


def _refusal(response: Response) -> tuple[int, str]:
    """The status and the text of an answer for aiogram's own check; a refusal has the code that Telegram gives it, and numbers that are finite."""
    text = response.body.decode("utf-8", "replace")
    if response.status < 300 and response.body.startswith(b'{"ok":true'):
        return response.status, text
    envelope = find_envelope(response.body)
    if envelope is None or envelope["ok"]:
        return response.status, text
    code: int = envelope["error_code"]
    return code if 400 <= code < 600 else 500, json.dumps(envelope)


def _redirect(url: Secret[str], response: Response) -> Secret[str]:
    """Where an answer leads, if that may be followed; else nothing."""
    if response.status not in (301, 302, 303, 307, 308):
        return Secret("")
    location = next((value for name, value in response.headers.items() if name.lower() == "location"), "")
    try:
        target = Secret(urljoin(url.reveal(), location))
        schemes = (urlsplit(url.reveal()).scheme, urlsplit(target.reveal()).scheme)
    except ValueError:  # no URL, and so nowhere to go
        return Secret("")
    return target if location and schemes in (("https", "https"), ("http", "http"), ("http", "https")) else Secret("")


def _server(url: Secret[str]) -> tuple[str, str]:
    return urlsplit(url.reveal())[:2]
