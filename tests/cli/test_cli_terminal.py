"""What a command shows on a terminal: nothing in it that a user has written can drive the terminal, or turn the order of what stands there."""

from __future__ import annotations

import json
import logging
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.storage_kit import bury

from syncbot.cli.console.frame import COMMANDS
from syncbot.cli.console.output import one_line
from syncbot.logs import setup_logging
from syncbot.storage import Incoming, JobEntry, OutboxCall, OutboxState, open_store
from syncbot.terminal import harmless
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, User

Command = Callable[..., Any]
Started = Callable[..., Any]

BOT_ID = 123456789
BAD = "\x00\x07\x08\x0b\x1b\x7f\x85\x90\x9b\x9c\x9d\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
EVIL = f"Eve\x1b]0;owned\x07\x1b[2J\x9b31m\r{BAD}\x1b[8mEve"
GOOD = "Zoë \u202f👩\u200d👩\u200d👧 می\u200cخواهم 日本 \U0001f3f4\U000e0067\U000e007f"
OURS = re.compile(r"\x1b\[(?:0|2|31|32|33|1)m|\x1b\[\d+F|\x1b\[2K|\x1b\[0J|\r\x1b\[2K|\r\n")
"""Colours, the monitor's picture, the progress bar, and the terminal's own end of a line."""


TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Unicode's classes of what turns the order; the three marks are told by their names."""


def check(screen: str) -> None:
    """Nothing stands there that can drive a terminal, but for what the program itself draws; the user's text is there, made harmless."""
    rest = OURS.sub("", screen).replace("\t", "").replace("\n", "")
    wrong = [one for one in rest if unicodedata.category(one) in ("Cc", "Zl", "Zp") or unicodedata.bidirectional(one) in TURNS or one in "\u061c\u200e\u200f"]
    assert wrong == [], ascii(screen)
    assert "Eve" in screen


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """A bot with a hostile name, whose webhook failed with a hostile text."""
    with BotApiServer(slow_same_offset=False, bot={"first_name": EVIL}) as running:
        running.script(
            "getWebhookInfo",
            Answer.ok({"url": f"https://{EVIL}", "pending_update_count": 0, "last_error_message": EVIL, "allowed_updates": [EVIL]}),
            times=None,
        )
        running.script("getFile", Answer.error(400, f"Bad Request: {EVIL}"), times=None)
        running.script("sendMessage", Answer.error(400, f"Bad Request: {EVIL}"), times=None)
        yield running


@pytest.fixture
def user(server: BotApiServer) -> User:
    """Somebody with a hostile name, who has written a hostile text."""
    somebody = server.user(1001, EVIL, last_name=EVIL)
    somebody.send(EVIL)
    return somebody


@pytest.fixture(autouse=True)
def files(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, user: User) -> None:
    """A state file with a dead letter and a failed call, a log, a settings file and bots, each with a hostile text."""
    monkeypatch.setenv("SYNCBOT_STATE", str(Path("bot.db").absolute()))
    with open_store(Path("bot.db"), BOT_ID) as store:
        store.inbox.recover()
        store.inbox.store([Incoming(1, EVIL, json.dumps({"update_id": 1, "message": {"text": EVIL}}, ensure_ascii=False).encode("utf-8"))])
        [claimed] = store.inbox.claim()
        bury(store.inbox, claimed, f"Traceback (most recent call last):\n  {EVIL}\nValueError: {EVIL}")
        [number] = store.outbox.put(OutboxCall("sendMessage", {"chat_id": 1001, "text": EVIL}, key=EVIL))
        assert store.outbox.claim("one", lease=60.0)
        assert store.outbox.hold(number, "one", OutboxState.FAILED, EVIL)
        store.outbox.put(OutboxCall("sendMessage", {"chat_id": 1001, "text": EVIL}))
        store.jobs.put(JobEntry(f"{ARGUMENT}!", ARGUMENT, {"cron": EVIL, "tz": EVIL}, 0.0, data=EVIL))
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    Path("bot.log").write_text(f"{now} ERROR x: {EVIL}\nTraceback (most recent call last):\nValueError: {EVIL}\n", encoding="utf-8")
    Path("bot.env").write_text(f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\nSYNCBOT_CHAT='{EVIL.replace(chr(0), '')}'\n", encoding="utf-8")
    Path("failing.py").write_text(f"raise ValueError({EVIL!a})\n")
    Path("bot.py").write_text(
        "import logging\nfrom syncbot import Bot, Runtime\n"
        "app = Runtime(Bot.from_env())\n"
        "@app.message()\n"
        "def handle(update, context):\n"
        "    logging.getLogger('bot').warning('from %s', update.message.text)\n"
        "    app.stop(grace=0)\n"
        "    raise ValueError(update.message.text)\n"
    )


ARGUMENT = EVIL.replace("\0", "")
CASES = [
    ("check-state", ARGUMENT),
    ("dead-letters", "list"),
    ("dead-letters", "list", "--json"),
    ("dead-letters", "show", "1"),
    ("dead-letters", "show", "1", "--json"),
    ("dead-letters", "drop", ARGUMENT),
    ("jobs", "list"),
    ("jobs", "list", "--json"),
    ("jobs", "cancel", ARGUMENT),
    ("jobs", "run", ARGUMENT),
    ("outbox", "list"),
    ("outbox", "list", "--json"),
    ("outbox", "flush", "--json"),
    ("chat-id", "--all"),
    ("chat-id",),
    ("chat-id", "--json"),
    ("webhook", "info"),
    ("webhook", "info", "--json"),
    ("webhook", "set", f"https://bot.example/{ARGUMENT}"),
    ("call", "getMe"),
    ("call", "getUpdates"),
    ("call", "sendMessage", "chat_id=1", "text=x"),
    ("call", ARGUMENT),
    ("send", "x"),
    ("send", "--json", "x"),
    ("send", "--chat", ARGUMENT, "x"),
    ("send", "--file", ARGUMENT),
    ("send", "--env-file", "bot.env", "--chat", ARGUMENT, "x"),
    ("doctor", "--watch", "0"),
    ("doctor", "--watch", "0", "--json"),
    ("doctor", "--env-file", "bot.env"),
    ("monitor", "--once", "--alert", "1001", "--max-failures", "0", "--log-file", "bot.log"),
    ("monitor", "--once", "--state", ARGUMENT),
    ("download", ARGUMENT),
    ("init", "--no-pair"),
    ("init", "--env-file", ARGUMENT, "--no-pair"),
    ("poll", "bot:app", "--once", "--debug"),
    ("run", "bot:app"),
    ("run", "bot:app", "--log-json"),
    ("run", "failing:app"),
    ("run", "failing:app", "--debug"),
    ("run", ARGUMENT),
    ("run-telebot", ARGUMENT),
    ("run-ptb13", ARGUMENT),
    ("run-ptb13", "--check", ARGUMENT),
    ("state", "copy", ARGUMENT, "other.db"),
    ("try", ARGUMENT, "--terminal"),
    ("new", "service", ARGUMENT),
    ("new", ARGUMENT, "shop"),
    ("completion", ARGUMENT),
    (ARGUMENT,),
]


OFTEN = (ARGUMENT, "--json", "--debug", "--log-json", "bot.env", f"https://bot.example/{ARGUMENT}")
"""What is said in the same way by every command, and written by the same function: one command shows it, and with --all each of them."""
SHOWS = [
    ("outbox", "list", "--json"),
    ("dead-letters", "drop", ARGUMENT),
    ("run", ARGUMENT),
    ("send", "--env-file", "bot.env", "--chat", ARGUMENT, "x"),
    ("download", ARGUMENT),
    (ARGUMENT,),
]


def _in_its_stage(argv: tuple[str, ...]) -> Any:
    quick = argv in SHOWS or not set(OFTEN).intersection(argv)
    return pytest.param(argv, id=" ".join(argv).replace(ARGUMENT, "EVIL"), marks=[] if quick else pytest.mark.slow)


def test_each_command_is_tried() -> None:
    """A command that is new has to stand among the cases."""
    assert {case[0] for case in CASES if case[0] != ARGUMENT} == set(COMMANDS)


@pytest.mark.parametrize("argv", [_in_its_stage(argv) for argv in CASES])
def test_nothing_of_a_user_drives_the_terminal(terminal: Started, argv: tuple[str, ...]) -> None:
    """Names, texts, errors and arguments that hold each character that drives a terminal or turns the order are shown without one of them."""
    running = terminal(*argv)
    running.wait()
    check(running.screen)


def test_pairing_with_somebody_hostile(terminal: Started, user: User) -> None:
    """The name of whoever pairs is shown, and drives nothing."""
    running = terminal("init", "--pair")
    running.wait_for("press Start")
    code = re.search(r"send (\d{6}) to", running.screen)
    assert code is not None
    user.send(code[1])
    running.wait()
    check(running.screen)


def test_the_live_view_of_a_hostile_log(terminal: Started) -> None:
    """The picture that the monitor draws anew holds the last error's text, and of control sequences just its own."""
    view = terminal("monitor", "--log-file", "bot.log", "--interval", "0.1")
    view.wait_for("Ctrl-C ends the view", times=2)
    view.type("\x03")
    view.wait()
    check(view.screen.replace("^C", ""))


@pytest.mark.parametrize("argv", [case for case in CASES if "--json" in case and case[0] not in ("send", "monitor")] + [("call", "getMe")], ids=" ".join)
def test_json_means_what_it_meant(process: Command, argv: tuple[str, ...]) -> None:
    """In a pipe JSON is exact: read by a program it holds every character of the hostile text again, the escaped ones too."""
    ended = process(*argv)
    assert any(EVIL in text for text in _texts(json.loads(ended.out)))
    assert ended.out.count("\n") == 1


def _texts(value: Any) -> list[str]:
    """All texts in a JSON value, however deep."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else [str(value)]


def test_what_people_write_stays_as_it_is() -> None:
    """Accents, joined emoji, flags, Persian with its joiners, tabs and newlines are none of this."""
    assert harmless(GOOD) == GOOD
    assert harmless(f"{GOOD}\t\n") == f"{GOOD}\t\n"
    assert one_line(f" {GOOD}\n ") == " ".join(GOOD.split())


@pytest.mark.parametrize("as_json", [False, True])
def test_a_log_on_the_console(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """What a bot logs of a user's text drives no terminal either; as JSON it means what it meant."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        setup_logging("INFO", json=as_json)
        logging.getLogger("a.bot").info("from %s", EVIL)
        line = capsys.readouterr().err
    finally:
        for handler in [one for one in root.handlers if one not in before]:
            root.removeHandler(handler)
        root.setLevel(level)
    check(line)
    assert not as_json or json.loads(line)["message"] == f"from {EVIL}"
