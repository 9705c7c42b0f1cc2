"""The ways to make one call that are compared: each gives a function that makes one call, and ends what it holds."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Literal
from urllib.parse import urlsplit

from kit import Api, Way, installed

AHEAD = 4
"""Connections that stand ready for "syncbot, opened ahead"."""
_POLLS = 6
"""Three that go well make an early opening the habit of a way."""
AHEAD_NAME = "syncbot, opened ahead"


@contextlib.contextmanager
def raw(api: Api, proxy: str = "") -> Iterator[Way]:
    """The floor: a new socket, TLS with a shared context, one request, one answer."""
    host, port, context = _place(api)
    body = json.dumps(api.parameters or {}).encode()
    head = f"POST /bot{api.token}/{api.method} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def call() -> object:
        with socket.create_connection((host, port)) as plain, context.wrap_socket(plain, server_hostname=host) as sock:
            sock.sendall(request)
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    yield call


@contextlib.contextmanager
def plain_http_client(api: Api, proxy: str = "") -> Iterator[Way]:
    """http.client, a new connection, a shared context."""
    host, port, context = _place(api)

    def call() -> object:
        connection = http.client.HTTPSConnection(host, port, context=context, timeout=10)
        try:
            headers = {"Connection": "close", "Content-Type": "application/json"}
            connection.request("POST", f"/bot{api.token}/{api.method}", json.dumps(api.parameters or {}), headers)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    yield call


@contextlib.contextmanager
def naive(api: Api, proxy: str = "") -> Iterator[Way]:
    """`requests.post`, as people write it."""
    import requests

    proxies = {"https": proxy} if proxy else None
    yield lambda: requests.post(api.method_url, json=api.parameters, verify=api.ca_file, timeout=10, proxies=proxies).json()


@contextlib.contextmanager
def pooled(api: Api, proxy: str = "") -> Iterator[Way]:
    """One `requests.Session` for all calls."""
    import requests

    with requests.Session() as session:
        session.verify = api.ca_file
        session.proxies = {"https": proxy} if proxy else {}
        yield lambda: session.post(api.method_url, json=api.parameters, timeout=10).json()


@contextlib.contextmanager
def telebot(api: Api, proxy: str = "") -> Iterator[Way]:
    """pyTelegramBotAPI, which keeps a session for each thread."""
    import requests
    from telebot import TeleBot, apihelper

    bot = TeleBot(api.token, threaded=False)
    with requests.Session() as session:
        session.verify = api.ca_file  # there is no other place where it can be told whom to trust
        apihelper.session = session  # type: ignore[assignment]  # telebot says that it is None
        apihelper._get_req_session(reset=True)  # type: ignore[no-untyped-call]  # this thread may have another one by now

        def call() -> object:
            # Its settings are the module's, and several ways may be open at once. The session holds a connection for each proxy.
            apihelper.API_URL = f"{api.url}/bot{{0}}/{{1}}"  # type: ignore[assignment]
            apihelper.proxy = {"https": proxy} if proxy else None  # type: ignore[assignment]
            return bot.send_message(**api.parameters) if api.parameters else bot.get_me()

        yield call


@contextlib.contextmanager
def ptb(api: Api, proxy: str = "") -> Iterator[Way]:
    """python-telegram-bot with its pool, on an event loop that is kept."""
    import telegram
    from telegram.request import HTTPXRequest

    request = HTTPXRequest(proxy=proxy or None, httpx_kwargs={"verify": ssl.create_default_context(cafile=api.ca_file)})
    with asyncio.Runner() as runner:
        bot = telegram.Bot(api.token, base_url=f"{api.url}/bot", request=request)
        yield lambda: runner.run(bot.send_message(**api.parameters) if api.parameters else bot.get_me())
        runner.run(request.shutdown())


@contextlib.contextmanager
def aiogram(api: Api, proxy: str = "") -> Iterator[Way]:
    """aiogram with its pool, on an event loop that is kept."""
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    proxy = proxy.replace("socks5h:", "socks5:")  # it does not know the first name, and leaves names to the proxy anyway
    session = AiohttpSession(proxy=proxy or None, api=TelegramAPIServer.from_base(api.url), timeout=10)
    session._connector_init["ssl"] = ssl.create_default_context(cafile=api.ca_file)  # it has no option for it
    with asyncio.Runner() as runner:
        bot = Bot(api.token, session=session)
        yield lambda: runner.run(bot.send_message(**api.parameters) if api.parameters else bot.get_me())
        runner.run(session.close())


@contextlib.contextmanager
def syncbot(api: Api, proxy: str = "", ahead: int | Literal["auto"] = 0) -> Iterator[Way]:
    """This library: a new connection for each call."""
    from syncbot import Bot

    with Bot(api.token, base_url=api.url, ca_file=api.ca_file, proxies=proxy or "direct", limits=None, ahead=ahead) as bot:
        yield lambda: bot.call(api.method, **(api.parameters or {}))


@contextlib.contextmanager
def syncbot_learned(api: Api, proxy: str = "") -> Iterator[Way]:
    """This library, a new connection for each call, after polls that have shown whether the proxy takes an early opening."""
    from syncbot import Bot

    with Bot(api.token, base_url=api.url, ca_file=api.ca_file, proxies=proxy or "direct", limits=None) as bot:
        bot.get_me()
        for _ in range(_POLLS):
            bot.get_updates(timeout=1)  # one that may wait, so that something may be tried on it
        yield lambda: bot.call(api.method, **(api.parameters or {}))


def syncbot_ahead(api: Api, proxy: str = "") -> AbstractContextManager[Way]:
    """This library with connections opened ahead."""
    return syncbot(api, proxy, ahead=AHEAD)


def syncbot_auto(api: Api, proxy: str = "") -> AbstractContextManager[Way]:
    """This library with a connection that stands ready while there is something to do, as a runtime has it."""
    return syncbot(api, proxy, ahead="auto")


def _place(api: Api) -> tuple[str, int, ssl.SSLContext]:
    place = urlsplit(api.url)
    return place.hostname or "", place.port or 443, ssl.create_default_context(cafile=api.ca_file)


NEW_CONNECTION = {"raw socket + TLS": raw, "http.client": plain_http_client, "requests.post": naive, "syncbot": syncbot, AHEAD_NAME: syncbot_ahead}
POOLED = {"pooled requests": pooled, "pyTelegramBotAPI": telebot, "python-telegram-bot": ptb, "aiogram": aiogram}
ALL: Mapping[str, Callable[..., AbstractContextManager[Any]]] = NEW_CONNECTION | POOLED


@contextlib.contextmanager
def opened(names: Mapping[str, Callable[..., AbstractContextManager[Way]]], api: Api, proxy: str = "") -> Iterator[dict[str, Way]]:
    """All of these at once; a peer that is not installed is left out, with a word about it."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(make(api, proxy)) for name, make in installed(names, proxy).items()}
