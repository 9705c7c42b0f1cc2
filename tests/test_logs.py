"""Logs: secrets are taken out of every record, and the set-up writes what it should where it should."""

from __future__ import annotations

import ast
import base64
import io
import json
import logging
import os
import re
import resource
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from kits.timing_kit import soon

from syncbot.errors import ConfigError
from syncbot.logs import HIDDEN, RedactingFilter, Redactor, get_logger, guard, setup_logging
from syncbot.types import Proxy

KEY = "AAHfiqksKZ8WmR2zSjiQ7_v4TMAKdiHm9T0"
TOKEN = f"123456789:{KEY}"
SHORT = "42:test-server-token-x1"  # too short for the general shape, so that only guard() makes it known
PASSWORD = "pä's\"w\\ord/%1"
PROXY = Proxy("http", "proxy.example", 3128, "somebody", PASSWORD)
CARRIERS = [
    "syncbot",
    "syncbot.some.module",
    "requests",
    "socks",
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "telegram",
    "telegram.Bot",
    "telegram.request.BaseRequest",
    "telegram.request.HTTPXRequest",
    "telegram.ext.Application",
    "telegram.ext.ExtBot",
    "telegram.ext.Updater",
    "TeleBot",
]


class Collector(logging.Handler):
    """Keeps the records as a handler of the application gets them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def everything(self) -> str:
        """All that the records hold, formatted and raw."""
        lines = [self.format(record) for record in self.records]
        for record in self.records:
            lines.append(repr(vars(record)))
            if record.exc_info and record.exc_info[1]:
                lines.append(whole_chain(record.exc_info[1]))
        return "\n".join(lines)


def whole_chain(error: BaseException | None) -> str:
    """The tracebacks of an exception, of all that it came from, and of the members of groups."""
    parts: list[str] = []
    while error is not None:
        parts += traceback.format_exception(error, chain=False)
        parts += map(whole_chain, error.exceptions if isinstance(error, BaseExceptionGroup) else ())
        error = error.__cause__ or error.__context__
    return "".join(parts)


@pytest.fixture
def records() -> Iterator[Collector]:
    """What reaches a handler at the root, everything at DEBUG."""
    collector, root = Collector(), logging.getLogger()
    level = root.level
    root.addHandler(collector)
    root.setLevel(logging.DEBUG)
    yield collector
    root.removeHandler(collector)
    root.setLevel(level)


@pytest.fixture
def clean_root() -> Iterator[logging.Logger]:
    """The root logger, left without the handlers that a test has set up."""
    root = logging.getLogger()
    level, before = root.level, list(root.handlers)
    yield root
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        try:
            handler.close()
        except OSError:
            assert "/dev/full" in str(handler)
    root.setLevel(level)


# --- Redactor.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"token {TOKEN}.", f"token 123456789:{HIDDEN}."),
        (f"https://api.telegram.org/bot{TOKEN}/sendMessage", f"https://api.telegram.org/bot123456789:{HIDDEN}/sendMessage"),
        (f"/file/bot{TOKEN}/photos/1.jpg", f"/file/bot123456789:{HIDDEN}/photos/1.jpg"),
        ("http://127.0.0.1:8081/bot7:short/getMe", f"http://127.0.0.1:8081/bot7:{HIDDEN}/getMe"),
        (f"/bot{quote(TOKEN, safe='')}/getMe", f"/bot123456789%3A{HIDDEN}/getMe"),
        (f"/bot{quote(quote(TOKEN, safe=''), safe='')}/getMe", f"/bot123456789%253A{HIDDEN}/getMe"),
        ("\\/bot7\\u003ashort\\/getMe", f"\\/bot7\\u003a{HIDDEN}\\/getMe"),
        (f"123456789&#58;{KEY}&lt;", f"123456789&#58;{HIDDEN}&lt;"),
        (f"123456789&amp;colon;{KEY}", f"123456789&amp;colon;{HIDDEN}"),
        (f"123456789\\x3a{KEY} 123456789\\\\u003A{KEY}", f"123456789\\x3a{HIDDEN} 123456789\\\\u003A{HIDDEN}"),
        (quote("http://me:pw@host/", safe=""), f"http%3A%2F%2Fme%3A{HIDDEN}%40host%2F"),
        (f"{TOKEN},{TOKEN}", f"123456789:{HIDDEN},123456789:{HIDDEN}"),
        ("socks5h://me:pw@host:1080 failed", f"socks5h://me:{HIDDEN}@host:1080 failed"),
        ("http://me:p@ss:w@host", f"http://me:{HIDDEN}@host"),
        ("{'Proxy-Authorization': 'Basic bWU6cHc='}", f"{{'Proxy-Authorization': 'Basic {HIDDEN}'}}"),
        ("(b'Proxy-Authorization', b'Basic bWU6cHc=')", f"(b'Proxy-Authorization', b'Basic {HIDDEN}')"),
        ("proxy-authorization: basic bWU6cHc=\r\n", f"proxy-authorization: basic {HIDDEN}\r\n"),
        ("Authorization: Bearer abc.def-1", f"Authorization: Bearer {HIDDEN}"),
    ],
)
def test_what_looks_like_a_secret(text: str, expected: str) -> None:
    """Bot tokens, passwords in URLs and credentials in headers are hidden without being known, and what stands around them stays."""
    redactor = Redactor()
    assert redactor.text(text) == expected
    assert redactor.text(expected) == expected


def whole(escape: str) -> Callable[[str], str]:
    """Every character of a text, written by its code."""
    return lambda text: "".join(escape.format(ord(character)) for character in text)


ESCAPES: dict[str, Callable[[str], str]] = {
    "percent": partial(quote, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent thrice, in small letters": lambda text: quote(quote(quote(text, safe=""))).lower() if text.islower() else quote(quote(quote(text))),
    "html": escape,
    "html twice": lambda text: escape(escape(text)),
    "ascii": lambda text: ascii(text)[1:-1],
    "ascii twice": lambda text: ascii(ascii(text))[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "json": lambda text: json.dumps(text)[1:-1],
    "json in percent in html": lambda text: escape(quote(json.dumps(text)[1:-1], safe="")),
    "codes of html": whole("&#{};"),
    "hexadecimal codes of html": whole("&#x{:X};"),
    "codes of URLs": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "codes of JavaScript": lambda text: "".join(f"\\u{code:04x}" for code in memoryview(text.encode("utf-16-le")).cast("H")),
}


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("secret", [TOKEN, SHORT, PASSWORD, "a%41b&amp;c\\x41'\"", "pass word+&<é日😀>"])
def test_escaped_secrets_are_found(name: str, secret: str) -> None:
    """A secret is found however it is escaped, alone and in a sentence; what stands around it stays as it is written."""
    redactor = Redactor(secret)
    written = ESCAPES[name](secret)
    clean = redactor.text(f"a%20b &amp; c\\n[{written}] d%2")
    assert clean.startswith("a%20b &amp; c\\n[")
    assert clean.endswith("] d%2")
    assert written not in clean
    assert HIDDEN in clean
    rest = clean.removeprefix("a%20b &amp; c\\n[").removesuffix("] d%2").replace(HIDDEN, "").strip("'\"\\")
    assert rest == "" or (secret in (TOKEN, SHORT) and len(rest) < len(ESCAPES[name](secret[: secret.index(":") + 1])) + 1)
    assert redactor.text(clean) == clean


@given(st.text(), st.sampled_from(sorted(ESCAPES)))
def test_escapes_without_a_secret_stay(text: str, name: str) -> None:
    """Where nothing is to be hidden, no escape is touched."""
    written = ESCAPES[name](text.encode("utf-8", "ignore").decode())
    assert Redactor("a-secret-that-is-not-there").text(f"x {written}") == Redactor().text(f"x {written}")


def test_long_runs_of_escapes_take_no_time() -> None:
    """A text made to keep the search busy is searched in a time that grows with its length alone."""
    redactor = Redactor(TOKEN)
    for piece in ("\\", "%", "%25", "&amp;", "&", "\\x8", "%8", "\\u", "%e9"):

        def attempt(piece: str = piece) -> float:
            began = time.process_time()
            redactor.text(piece * 50_000)
            return time.process_time() - began

        assert soon(2.0, attempt, tries=3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET https://api.telegram.org:443/ 200",
        "2025-01-02T03:04:05.678 12:30",
        "basic information: a bearer token is needed",
        "mail me@example.com or see http://example.com:80/x@y",
        "https://example.com/bottom:line",
        "chat -1001234567890: 42 messages",
        "100%3A",
    ],
)
def test_what_does_not_look_like_a_secret(text: str) -> None:
    """Ordinary texts stay as they are."""
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "written",
    [
        PASSWORD,
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote(PASSWORD, safe="").lower(),
        repr(PASSWORD)[1:-1],
        repr(PASSWORD.encode())[2:-1],
        json.dumps(PASSWORD)[1:-1],
        base64.b64encode(f"somebody:{PASSWORD}".encode()).decode(),
        base64.b64encode(f"somebody:{PASSWORD}".encode("latin-1")).decode(),
    ],
)
def test_every_form_of_a_known_password(written: str) -> None:
    """A password is hidden as it is, percent-encoded, escaped, and in base64 behind its user's name."""
    redactor = Redactor(PROXY)
    assert redactor.text(f"<<{written}>>") in (f"<<{HIDDEN}>>", f"<<{HIDDEN}=>>", f"<<{HIDDEN}==>>")


@pytest.mark.parametrize("user", ["", "u", "us", "use", "user"])
def test_password_in_base64_behind_an_unknown_user(user: str) -> None:
    """A password given without its user's name is hidden in base64 text whatever the length of that name."""
    shown = Redactor("S3cret-pw").text(f"sent {base64.b64encode(f'{user}:S3cret-pw'.encode()).decode()}")
    assert HIDDEN in shown
    assert b"S3cr" not in base64.b64decode(re.sub("[^A-Za-z0-9+/]", "", shown.split()[1].replace(HIDDEN, "")).ljust(16, "A")[:16])


def test_known_tokens() -> None:
    """A token that was made known is hidden whatever its length, keeps the bot's id, and its second half is hidden on its own as well."""
    redactor = Redactor(SHORT, "1234567:" + "x" * 20)
    assert redactor.text(f"a {SHORT} b") == f"a {HIDDEN} b"  # no token by its shape: all of it is hidden
    assert redactor.text("1234567:" + "x" * 20) == f"1234567:{HIDDEN}"
    assert redactor.text("key " + "x" * 20) == f"key {HIDDEN}"


def test_short_and_empty_secrets() -> None:
    """An empty or very short password does not tear up every text, and is hidden in a URL all the same."""
    redactor = Redactor("", "a", "pw", Proxy("http", "h", 1), Proxy("http", "h", 1, "u", "abc"))
    assert redactor.text("a pwd abc") == "a pwd abc"
    assert redactor.text("http://u:abc@h:1") == f"http://u:{HIDDEN}@h:1"


def test_secrets_can_be_added_later() -> None:
    """A secret is hidden from the moment on that it is known, and earlier ones stay hidden."""
    redactor = Redactor("first-secret")
    assert redactor.text("first-secret second-secret") == f"{HIDDEN} second-secret"
    redactor.add("second-secret")
    assert redactor.text("first-secret second-secret") == f"{HIDDEN} {HIDDEN}"


PRINTABLE = st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="<>", exclude_categories=["Cs", "Cc"])


@given(secret=st.text(PRINTABLE, min_size=4, max_size=40), before=st.text(max_size=20), after=st.text(max_size=20), proxy=st.booleans())
def test_known_secrets_are_always_hidden(secret: str, before: str, after: str, proxy: bool) -> None:
    """Whatever the secret and the text around it, no form of it is left, and redacting twice changes nothing more."""
    redactor = Redactor(Proxy("http", "h", 1, "user", secret) if proxy else secret)
    forms = [secret, quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1]]
    shown = redactor.text(before + " ".join(forms) + after)
    assert secret in HIDDEN or not any(form in shown for form in forms)
    assert redactor.text(shown) == shown


def test_traceback_of_an_error() -> None:
    """The traceback of an error holds its whole chain, redacted."""
    try:
        try:
            raise ValueError(TOKEN)
        except ValueError as inner:
            raise RuntimeError(PASSWORD) from inner
    except RuntimeError as error:
        text = Redactor(PROXY).traceback(error)
    assert text.startswith("Traceback (most recent call last):")
    assert f"ValueError: 123456789:{HIDDEN}" in text
    assert f"RuntimeError: {HIDDEN}" in text
    assert KEY not in text


# --- The filter on the loggers.


@pytest.mark.parametrize("name", CARRIERS)
def test_records_of_every_carrier(name: str, records: Collector, request: pytest.FixtureRequest) -> None:
    """Whatever a logger of ours or below us writes, no handler gets a secret: in message, arguments, fields, stack, exception, cause or context."""
    get_logger("syncbot.some.module")
    guard(SHORT, PROXY)
    logger = logging.getLogger(name)
    request.addfinalizer(partial(logger.setLevel, logger.level))
    logger.setLevel(logging.DEBUG)  # telebot gives its logger a level of its own
    logger.debug("POST /bot%s/getMe", TOKEN)
    logger.info("%(url)s", {"url": f"http://somebody:{quote(PASSWORD, safe='')}@proxy.example:3128"})
    logger.warning(ValueError(f"with {SHORT}"), stack_info=True, extra={"url": f"/bot{TOKEN}/"})
    logger.error("does not fit %s %s", TOKEN)
    for raiser in (raise_with_cause, raise_with_context, raise_with_hidden_context, raise_group, raise_wide_group, raise_with_note):
        try:
            raiser()
        except Exception:
            logger.exception("failed")
    text = records.everything()
    assert len(records.records) == 10
    assert not any(secret in text for secret in (KEY, SHORT, PASSWORD, repr(PASSWORD)[1:-1], quote(PASSWORD, safe="")))
    assert text.count(HIDDEN) >= 9
    assert text.count("Traceback (most recent call last)") >= 5


def raise_with_cause() -> None:
    """Raise an error whose cause holds the token."""
    try:
        raise ValueError(f"/bot{TOKEN}/getMe")
    except ValueError as error:
        raise RuntimeError("outer") from error


def raise_with_context() -> None:
    """Raise an error while one with the password is handled."""
    try:
        raise ValueError(PASSWORD)
    except ValueError:
        raise RuntimeError("outer")  # noqa: B904 - the context is what is tried


def raise_with_hidden_context() -> None:
    """Raise an error that hides the one before, which is still there for who looks."""
    try:
        raise ValueError(SHORT)
    except ValueError:
        raise RuntimeError("outer") from None


def raise_group() -> None:
    """Raise a group with a secret in one of its members."""
    raise ExceptionGroup("several", [KeyError("x"), ValueError(TOKEN)])


def raise_wide_group() -> None:
    """Raise a group so wide that a traceback leaves out the member with the secret."""
    raise ExceptionGroup("many", [*(KeyError(number) for number in range(20)), ValueError(TOKEN)])


def raise_with_note() -> None:
    """Raise an error with a secret in a note."""
    error = RuntimeError("outer")
    error.add_note(f"while calling {TOKEN}")
    raise error


def test_list_of_carriers_is_complete() -> None:
    """Each logger that an installed library below us makes by name is guarded from the first call on, before the library was imported."""
    code = "import logging, syncbot.logs; syncbot.logs.guard(); print([n for n, l in logging.root.manager.loggerDict.items() if getattr(l, 'filters', None)])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    guarded = ast.literal_eval(answer.stdout)
    code = (
        "import logging, requests, urllib3.util.retry, socks; print([n for n, l in logging.root.manager.loggerDict.items() if isinstance(l, logging.Logger)])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    below = [name for name in ast.literal_eval(answer.stdout) if name.partition(".")[0] in ("requests", "urllib3", "socks")]
    assert {"urllib3.connectionpool", "urllib3.util.retry", "socks"} <= set(below) <= set(guarded)
    assert set(CARRIERS) - {"syncbot.some.module"} <= set(guarded)


def test_real_request(records: Collector) -> None:
    """What requests and urllib3 really write about a call at DEBUG, and the error they raise, are redacted."""
    guard(TOKEN)
    with pytest.raises(requests.ConnectionError) as caught:
        requests.post(f"http://127.0.0.1:1/bot{TOKEN}/getMe", timeout=5, proxies={"no_proxy": "*"})
    assert KEY in str(caught.value)
    get_logger("syncbot.test").error("failed", exc_info=caught.value)
    text = records.everything()
    assert "Starting new HTTP connection" in text
    assert f"/bot123456789:{HIDDEN}/getMe" in text
    assert KEY not in text


def test_clean_records_stay_as_they_are(records: Collector) -> None:
    """A record without a secret keeps its arguments, its exception and its fields as they were."""
    guard(TOKEN)
    data = {"a": [1]}
    error = ValueError("harmless")
    get_logger("syncbot.test").error("%s and %d", "x", 5, exc_info=error, extra={"data": data})
    record = records.records[0]
    assert record.msg == "%s and %d"
    assert record.args == ("x", 5)
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert vars(record)["data"] is data


def test_secret_in_an_argument_that_is_not_shown(records: Collector) -> None:
    """A secret among the arguments is removed even where the message does not show it."""
    guard(TOKEN)
    get_logger("syncbot.test").info("%(a)s", {"a": 1, "token": TOKEN})
    get_logger("syncbot.test").info("%.3s", TOKEN)
    assert [record.getMessage() for record in records.records] == ["1", "123"]
    assert KEY not in records.everything()


def test_texts_that_were_made_before(records: Collector) -> None:
    """A traceback that another handler has formatted already, and a stack with a secret in its lines, are redacted too."""
    guard(TOKEN)
    fields = {"name": "syncbot", "levelno": logging.INFO, "msg": "x", "exc_text": f"Error: {TOKEN}", "stack_info": f"Stack: {TOKEN}"}
    logging.getLogger("syncbot").handle(logging.makeLogRecord(fields))
    assert records.records[0].exc_text == f"Error: 123456789:{HIDDEN}"
    assert records.records[0].stack_info == f"Stack: 123456789:{HIDDEN}"


def test_exc_info_without_an_exception(records: Collector) -> None:
    """exc_info=True outside of an exception does no harm."""
    guard(TOKEN)
    get_logger("syncbot.test").info("x", exc_info=True)
    assert records.records[0].getMessage() == "x"


def test_record_that_cannot_be_searched() -> None:
    """A record that cannot be searched loses its content rather than its secrets, and the program that logs goes on."""

    class Stubborn(Redactor):
        def text(self, text: str) -> str:
            raise MemoryError(TOKEN)

    record = logging.makeLogRecord({"msg": "%s", "args": (TOKEN,), "exc_text": TOKEN, "stack_info": TOKEN})
    assert RedactingFilter(Stubborn()).filter(record) is True
    assert record.getMessage() == "a log record was withheld: it could not be searched for secrets (MemoryError)"
    assert KEY not in repr(vars(record))


def test_guard_does_not_pile_up() -> None:
    """A thousand calls from eight threads leave one filter on each logger, the same on all, and one redactor that knows all secrets."""
    before = {name: len(logging.getLogger(name).filters) for name in CARRIERS}
    redactors: list[Redactor] = []

    def bots(number: int) -> None:
        redactors.extend(guard(f"secret-{number}-{i}-x") for i in range(125))

    threads = [threading.Thread(target=bots, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    get_logger("syncbot.some.module")
    assert len(redactors) == 1000
    assert len({id(redactor) for redactor in redactors}) == 1
    filters = [[f for f in logging.getLogger(name).filters if isinstance(f, RedactingFilter)] for name in CARRIERS]
    assert [len(found) for found in filters] == [1] * len(CARRIERS)
    assert len({id(found[0]) for found in filters}) == 1
    assert all(len(logging.getLogger(name).filters) <= max(before[name], 1) for name in CARRIERS)
    assert redactors[0].text("secret-0-0-x secret-7-124-x") == f"{HIDDEN} {HIDDEN}"


def test_two_threads_attach_at_once() -> None:
    """When two threads find a logger without the filter at the same moment, it still gets it once."""
    both = threading.Barrier(2)

    class Filters(list[Any]):
        looks = 0

        def __contains__(self, item: object) -> bool:
            self.looks += 1
            found = super().__contains__(item)
            if self.looks <= 2:
                both.wait(60)
            return found

    logger, shared = logging.Logger("somebody.else"), RedactingFilter()
    logger.filters = Filters()
    threads = [threading.Thread(target=shared.attach, args=(logger,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logger.filters == [shared]


def test_first_guard_from_many_threads() -> None:
    """When many threads make the first bot at once, one filter wins and knows the secrets of all."""
    code = """if True:
        import logging, sys, threading
        from syncbot.logs import guard, RedactingFilter
        sys.setswitchinterval(1e-6)
        start, found = threading.Barrier(16), []
        def first(number):
            start.wait()
            found.append(guard(f"secret-number-{number}-"))
        threads = [threading.Thread(target=first, args=(n,)) for n in range(16)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        loggers = [l for l in logging.root.manager.loggerDict.values() if isinstance(l, logging.Logger)]
        print(len(set(map(id, found))), {len(l.filters) for l in loggers if l.filters}, found[0].text(" ".join(f"secret-number-{n}-" for n in range(16))))
    """
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == f"1 {{1}} {' '.join([HIDDEN] * 16)}\n"


def test_loggers_before_and_after_guard() -> None:
    """A logger of ours is guarded whether it was made before the first guard or after, and importing the module sets nothing up."""
    code = f"""if True:
        import logging
        from syncbot.logs import get_logger, guard
        early = get_logger("syncbot.early")
        print(early.filters, logging.getLogger().handlers, "urllib3" in logging.root.manager.loggerDict)
        guard({TOKEN!r})
        late = get_logger("syncbot.late")
        foreign = logging.getLogger("telegram.ext.SomethingNew")
        guard()
        logging.basicConfig(level=1, format="%(name)s %(message)s")
        for logger in (early, late, foreign):
            logger.debug({TOKEN!r})
    """
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[] [] False\n"
    names = ("syncbot.early", "syncbot.late", "telegram.ext.SomethingNew")
    assert answer.stderr == "".join(f"{name} 123456789:{HIDDEN}\n" for name in names)


def test_import_is_cheap() -> None:
    """Importing the module and guarding loads the standard library and layer 0 alone, and none of its heavy parts."""
    code = f"""if True:
        import sys
        before = set(sys.modules)
        import syncbot.logs
        syncbot.logs.guard({TOKEN!r})
        foreign = {{name.partition(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names
        print(sorted(foreign), sorted(name for name in sys.modules if name.startswith("syncbot.")))
        print(sorted({{"asyncio", "json", "logging.handlers", "socket", "ssl"}} & set(sys.modules)))
    """
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = ["bounds", "errors", "logs", "redact", "regular", "secret", "terminal", "types"]
    assert answer.stdout == f"['syncbot'] {[f'syncbot.{name}' for name in loaded]}\n[]\n"


# --- setup_logging.


def test_text_on_the_console(clean_root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """A line on standard error holds the time with its zone, level, logger and message; secrets and control characters of any logger are made harmless."""
    setup_logging("info")
    logging.getLogger("somebody.else").info("call /bot%s/getMe \x1b[2J\x07\x9b\u202e", TOKEN)
    logging.getLogger("somebody.else").debug("too much")
    output = capsys.readouterr()
    assert output.out == ""
    time, _, rest = output.err.partition(" ")
    assert datetime.fromisoformat(time).tzinfo is not None
    assert rest == f"INFO somebody.else: call /bot123456789:{HIDDEN}/getMe \\u001b[2J\\u0007\\u009b\\u202e\n"
    assert clean_root.level == logging.INFO


def test_text_with_an_exception(clean_root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback of a logger that nobody guards is printed with its chain and without its secrets."""
    setup_logging()
    try:
        raise_with_cause()
    except RuntimeError:
        logging.getLogger("somebody.else").exception("failed")
    text = capsys.readouterr().err
    assert f"ValueError: /bot123456789:{HIDDEN}/getMe\n" in text
    assert text.endswith("RuntimeError: outer\n")
    assert KEY not in text


def test_json_lines(clean_root: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON each record is one line with time, level, logger, message, exception and the extra fields, redacted at every depth."""
    guard(PROXY)
    setup_logging("DEBUG", tmp_path / "bot.log", json=True)
    logger = logging.getLogger("somebody.else")
    extra: dict[str, Any] = {
        "chat": 42,
        "ok": True,
        "none": None,
        "deep": {"list": [TOKEN, (PASSWORD,)], TOKEN: 1},
        "time": "noon",
        "nan": float("nan"),
        "endless": float("inf"),
        "least": float("-inf"),
        "large": 1e308,
        "path": tmp_path,
    }
    logger.info("Привет 😀\n%s", f"see http://x, {PASSWORD} and a@b", extra=extra)
    try:
        raise_with_cause()
    except RuntimeError:
        logger.exception("failed", stack_info=True)
    lines = (tmp_path / "bot.log").read_text(encoding="utf-8").splitlines()
    assert capsys.readouterr().err.splitlines() == lines
    first, second = map(json.loads, lines)
    assert datetime.fromisoformat(first.pop("time")).tzinfo is not None
    assert first == {
        "level": "INFO",
        "logger": "somebody.else",
        "message": f"Привет 😀\nsee http://x, {HIDDEN} and a@b",
        "chat": 42,
        "ok": True,
        "none": None,
        "deep": {"list": [f"123456789:{HIDDEN}", [HIDDEN]], f"123456789:{HIDDEN}": 1},
        "extra_time": "noon",
        "nan": "nan",
        "endless": "inf",
        "least": "-inf",
        "large": 1e308,
        "path": str(tmp_path),
    }
    assert "Привет 😀" in lines[0]
    assert second["exception"].startswith("Traceback")
    assert second["exception"].endswith("RuntimeError: outer")
    assert second["stack"].startswith("Stack (most recent call last)")
    assert KEY not in lines[1]


def test_json_of_endless_structures(clean_root: logging.Logger, tmp_path: Path) -> None:
    """A field that contains itself ends at some depth, and still without a secret."""
    setup_logging("DEBUG", tmp_path / "bot.log", json=True)
    loop: list[Any] = [TOKEN]
    loop.append(loop)
    circle: dict[str, Any] = {"token": TOKEN}
    circle["again"] = circle
    logging.getLogger("somebody.else").info("x", extra={"loop": loop, "circle": circle})
    text = (tmp_path / "bot.log").read_text(encoding="utf-8")
    assert json.loads(text)["loop"][0] == f"123456789:{HIDDEN}"
    assert json.loads(text)["circle"]["again"]["token"] == f"123456789:{HIDDEN}"
    assert KEY not in text


def test_rotation(clean_root: logging.Logger, tmp_path: Path) -> None:
    """The file is rotated at its size, and as many old ones are kept as wanted."""
    setup_logging("INFO", str(tmp_path / "bot.log"), max_bytes=500, backups=2)
    for number in range(100):
        logging.getLogger("somebody.else").info("line %d %s", number, TOKEN)
    assert sorted(os.listdir(tmp_path)) == ["bot.log", "bot.log.1", "bot.log.2"]
    assert all(0 < path.stat().st_size <= 500 for path in tmp_path.iterdir())
    text = "".join((tmp_path / name).read_text() for name in ("bot.log.2", "bot.log.1", "bot.log"))
    assert KEY not in text
    numbers = [int(number) for number in re.findall(r"line (\d+)", text)]
    assert numbers == list(range(numbers[0], 100))


def test_no_rotation(clean_root: logging.Logger, tmp_path: Path) -> None:
    """With a size of 0 the file is left to grow, for those who rotate it in another way."""
    setup_logging("INFO", tmp_path / "bot.log", max_bytes=0, backups=0)
    for _ in range(50):
        logging.getLogger("somebody.else").info("all is quiet " * 10)
    assert os.listdir(tmp_path) == ["bot.log"]
    assert (tmp_path / "bot.log").stat().st_size > 50 * 130


def test_second_call_replaces_the_first(clean_root: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Called again, it replaces and closes its own handlers, and leaves those of others alone."""
    foreign = Collector()
    clean_root.addHandler(foreign)
    count = len(clean_root.handlers)
    setup_logging("DEBUG", tmp_path / "one.log")
    setup_logging("WARNING", tmp_path / "two.log", json=True)
    logging.getLogger("somebody.else").warning("once")
    assert len(clean_root.handlers) == count + 2
    assert [record.getMessage() for record in foreign.records] == ["once"]
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (tmp_path / "one.log").read_text() == ""
    assert json.loads((tmp_path / "two.log").read_text())["message"] == "once"
    assert str(tmp_path / "one.log") not in [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
    setup_logging(logging.ERROR)
    assert len(clean_root.handlers) == count + 1
    assert clean_root.level == logging.ERROR


@pytest.mark.parametrize(
    ("name", "what"),
    [("none/bot.log", "its folder does not exist"), (".", "Is a directory"), ("file/bot.log", "Not a directory")],
)
def test_log_file_that_cannot_be(name: str, what: str, clean_root: logging.Logger, tmp_path: Path) -> None:
    """A log file in a folder that is missing or none is a ConfigError, and what was set up before goes on."""
    (tmp_path / "file").write_text("")
    setup_logging("INFO", tmp_path / "good.log")
    before = list(clean_root.handlers)
    with pytest.raises(ConfigError, match=rf"^log file '{tmp_path}.*cannot be opened \({what}\); name a file in a folder .* for example"):
        setup_logging("DEBUG", tmp_path / name)
    assert clean_root.handlers == before
    assert clean_root.level == logging.INFO


def test_log_folder_without_permission() -> None:
    """A folder that this user may not write to is a ConfigError, whether the file is already there or not."""
    code = """if True:
        import logging.handlers, os, sys  # all of it before the change of user, who may not see where it is installed
        from syncbot.logs import setup_logging
        if os.geteuid() == 0:
            os.setuid(65534)
        for name in ("there.log", "new.log"):
            for size in (1000, 0):
                try:
                    setup_logging("INFO", os.path.join(sys.argv[1], name), max_bytes=size)
                    print("fine")
                except Exception as error:
                    print(type(error).__name__, error)
    """
    with tempfile.TemporaryDirectory() as folder:  # tmp_path's parents are closed to other users
        there = Path(folder, "there.log")
        there.write_text("")
        there.chmod(0o666)
        os.chmod(folder, 0o555)
        answer = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        os.chmod(folder, 0o755)
    lines = answer.stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["ConfigError", "fine", "ConfigError", "ConfigError"]
    assert "its folder cannot be written" in lines[0]
    assert "cannot be opened (Permission denied)" in lines[3]


def test_wrong_arguments(clean_root: logging.Logger, tmp_path: Path) -> None:
    """An unknown level, and a rotation that would not happen, are ConfigErrors with an example."""
    with pytest.raises(ConfigError, match=r"log level 'LOUD' is unknown; use DEBUG.* for example INFO"):
        setup_logging("LOUD")
    for max_bytes, backups in ((1000, 0), (-1, 1), (1000, -1)):
        with pytest.raises(ConfigError, match="for example max_bytes=1000000, backups=3"):
            setup_logging("INFO", tmp_path / "bot.log", max_bytes=max_bytes, backups=backups)


def test_console_that_cannot_write_all_characters(clean_root: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console without UTF-8 shows escapes for what it lacks, also in JSON, while the file has UTF-8."""
    for as_json in (False, True):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
        setup_logging("INFO", tmp_path / f"{as_json}.log", json=as_json)
        logging.getLogger("somebody.else").info("Grüße 😀 \udc80")
        shown = raw.getvalue().decode("ascii")
        if as_json:
            assert json.loads(shown)["message"] == json.loads((tmp_path / "True.log").read_text(encoding="utf-8"))["message"] == "Grüße 😀 \udc80"
        else:
            assert shown.endswith("Gr\\xfc\\xdfe \\U0001f600 \\udc80\n")
        assert "Grüße 😀 \\udc80" in (tmp_path / f"{as_json}.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("coerce", ["0", "1"])
def test_under_lang_c(coerce: str, tmp_path: Path) -> None:
    """Under LANG=C, with Python's own help against it or without, every record arrives and the file has UTF-8."""
    code = """if True:
        import logging, sys
        from syncbot.logs import setup_logging
        setup_logging("INFO", sys.argv[1])
        logging.getLogger("bot").info("Gr\\u00fc\\u00dfe \\U0001f600")
    """
    environ = {"PATH": os.environ["PATH"], "LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": coerce, "PYTHONUTF8": coerce}
    answer = subprocess.run([sys.executable, "-c", code, tmp_path / "bot.log"], capture_output=True, check=True, env=environ)
    assert answer.stderr.endswith("INFO bot: Grüße 😀\n".encode() if coerce == "1" else b"INFO bot: Gr\\xfc\\xdfe \\U0001f600\n")
    assert (tmp_path / "bot.log").read_bytes().endswith("INFO bot: Grüße 😀\n".encode())


@pytest.mark.parametrize("umask", [0, 0o077])
def test_nobody_else_can_read_the_log(clean_root: logging.Logger, tmp_path: Path, umask: int) -> None:
    """A new log, one that was there with a wider mode, and each one after a rotation have mode 600."""
    path = tmp_path / "bot.log"
    before = os.umask(umask)
    try:
        setup_logging("INFO", path, max_bytes=200, backups=2)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)
        setup_logging("INFO", path, max_bytes=200, backups=2)
        for _ in range(20):
            logging.getLogger("somebody.else").info("x" * 50)
        setup_logging("INFO")
    finally:
        os.umask(before)
    assert {name.name: stat.S_IMODE(name.stat().st_mode) for name in tmp_path.iterdir()} == dict.fromkeys(("bot.log", "bot.log.1", "bot.log.2"), 0o600)


def test_full_disk(clean_root: logging.Logger, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """When the file takes no more, that is said once and without the record, the console goes on, and the program too."""
    (tmp_path / "bot.log").write_bytes(b"full")
    setup_logging("INFO", tmp_path / "bot.log", max_bytes=0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1]))
    try:
        for _ in range(3):
            logging.getLogger("somebody.else").info("call %s", TOKEN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    lines = capsys.readouterr().err.splitlines()
    assert sum("log records are being lost: File too large (somebody.else," in line for line in lines) == 1
    assert sum(f"call 123456789:{HIDDEN}" in line for line in lines) == 3
    assert len(lines) == 4
    setup_logging("INFO")


def test_record_that_cannot_be_formatted() -> None:
    """A record whose arguments do not fit is reported once by its place in the program, never with its arguments; the next success ends the trouble."""
    code = f"""if True:
        import logging
        from syncbot.logs import setup_logging
        setup_logging("INFO")
        logger = logging.getLogger("somebody.else")
        for _ in range(2):
            logger.info("%d", {TOKEN!r})
        logger.info("fine")
        logger.info("%d", {TOKEN!r})
        logging.raiseExceptions = False
        logger.info("fine again")
        logger.info("%d", {TOKEN!r})
    """
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = [line if line.startswith("syncbot:") else line.partition(" ")[2] for line in answer.stderr.splitlines()]
    lost = "syncbot: log records are being lost: TypeError (somebody.else, <string>:{})"
    assert lines == [lost.format(7), "INFO somebody.else: fine", lost.format(9), "INFO somebody.else: fine again"]
