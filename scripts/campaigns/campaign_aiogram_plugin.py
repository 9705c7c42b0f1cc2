"""What campaign_aiogram.py gives to pytest: `OneShotSession` stands where aiogram's tests look for a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import aiogram.client.bot
import aiogram.client.session.aiohttp
import aiogram.client.session.base
import pytest

from syncbot.adapters.aiogram import OneShotSession
from syncbot.secret import Secret
from syncbot.transport import OneShotTransport
from syncbot.types import Request, Response

NOT_OURS = {
    "test_create_session": "there is no aiohttp.ClientSession to be made",
    "test_create_proxy_session": "proxies are ways of syncbot's, and need no aiohttp-socks",
    "test_create_proxy_session_proxy_url": "proxies are ways of syncbot's, and need no aiohttp-socks",
    "test_create_proxy_session_chained_proxies": "a list of proxies is gone through in order of preference, not one behind the other",
    "test_reset_connector": "there is no connector, and the ways of a session do not change",
    "test_close_session": "there is no aiohttp.ClientSession to be closed",
    "test_build_form_data_with_data_only": "no aiohttp.FormData is made: the body is written by syncbot",
    "test_build_form_data_with_files": "no aiohttp.FormData is made: the body is written by syncbot",
    "test_make_request_network_error": "it puts the error into aiohttp.ClientSession, which is not asked",
    "TestBot::test_close": "it calls create_session",
    "TestAiohttpSession::test_context_manager": "it waits for create_session; the one of TestBaseSession runs",
}
"""The tests that are about the inside of aiohttp, by the end of their names, and why they say nothing here."""


class _Rerouted(OneShotTransport):
    """A transport whose requests all go to the server of the test, as those of aiohttp do there."""

    port = 0

    def send(self, request: Request) -> Response:
        if self.port:
            parts = urlsplit(request.url)
            request = replace(request, url=Secret(parts._replace(scheme="http", netloc=f"127.0.0.1:{self.port}").geturl()))
        return super().send(request)


class _Session(OneShotSession):
    """`AiohttpSession()` of a test."""

    def __init__(self, **options: Any) -> None:
        super().__init__(transport=_Rerouted(), **options)


aiogram.client.session.aiohttp.AiohttpSession = aiogram.client.bot.AiohttpSession = _Session
aiogram.client.session.base.BaseSession = _Session  # what the tests derive from


@pytest.fixture(autouse=True)
def _rerouted(request: pytest.FixtureRequest) -> Iterator[None]:
    """The server of the test, if it has one, is Telegram."""
    if "aresponses" in request.fixturenames:
        _Rerouted.port = request.getfixturevalue("aresponses").port
    yield
    _Rerouted.port = 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about aiohttp."""
    found = {name: [item for item in items if f"::{item.nodeid}".partition("[")[0].endswith(f"::{name}")] for name in NOT_OURS}
    assert all(found.values()), f"aiogram has these tests no more: {[name for name, those in found.items() if not those]}"
    out = list(chain.from_iterable(found.values()))
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out."""
    terminalreporter.section("not about this session")
    for name, words in NOT_OURS.items():
        terminalreporter.line(f"{name}: {words}")
