"""Every message in the troubleshooting guide is one that the code holds."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from kits.docs_kit import ROOT

from syncbot import BadRequest, Bot
from syncbot.testing import TEST_TOKEN, BotApiServer

GUIDE = ROOT / "docs" / "troubleshooting.md"
MESSAGES = re.findall(r"^### `(.+)`$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
PRODUCED = {"Bad Request: message is too long"}
TELEGRAMS_PREFIXES = ("Bad Request: ", "Forbidden: ")  # the test server adds them as Telegram does


@cache
def _texts() -> tuple[str, ...]:
    """Every text in the code; what a placeholder puts in stands as a NUL."""
    found: list[str] = []
    for path in sorted((ROOT / "syncbot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%[.\d]*[sdrf]|\{\w+\}", "\0", node.value))
    return tuple(found)


def _is_in_the_code(message: str) -> bool:
    pattern = ".+?".join(re.escape(part) for part in message.split("…"))
    pattern = re.sub(r"^\.\+\?|\.\+\?$", ".", pattern)  # at an end one letter is as good as any number of them, and found much sooner
    return any(re.search(pattern, text, re.DOTALL) for text in _texts())


@pytest.mark.parametrize("message", [message for message in MESSAGES if message not in PRODUCED])
def test_the_message_stands_in_the_code(message: str) -> None:
    """The text of the heading is a text of the code, with … for what is filled in."""
    stages = re.fullmatch(r"(the name look-up|connecting|the proxy's part|the TLS handshake) (failed|took too long)", message)
    if stages:  # these two halves stand apart in the code
        assert _is_in_the_code(stages[1])
        assert _is_in_the_code(f" {stages[2]}")
    else:
        assert any(_is_in_the_code(text) for text in (message, *(message.removeprefix(prefix) for prefix in TELEGRAMS_PREFIXES)))


def test_what_the_code_puts_together_is_produced() -> None:
    """A message that stands nowhere as a whole comes when what it is about is done."""
    with BotApiServer(any_chat=True) as server, Bot(TEST_TOKEN, proxies="direct", base_url=server.url) as bot, pytest.raises(BadRequest) as caught:
        bot.call("sendMessage", chat_id=1, text="x" * 5000)
    assert {caught.value.description} == PRODUCED
    assert set(MESSAGES) > PRODUCED


def test_each_message_stands_once_and_has_words() -> None:
    """No message is listed twice, and each has an explanation below it."""
    assert len(MESSAGES) == len(set(MESSAGES)) > 40
    text = GUIDE.read_text(encoding="utf-8")
    for message in MESSAGES:
        following = text.partition(f"### `{message}`\n")[2].strip().splitlines()[0]
        assert not following.startswith("#"), message


def test_a_message_that_is_not_in_the_code_is_noticed() -> None:
    """The search does not find what is not there."""
    assert not _is_in_the_code("the frobnicator is out of … again")
