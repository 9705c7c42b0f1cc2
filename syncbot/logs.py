"""Logging: tokens and proxy passwords are taken out of log records; and a set-up for console and file, for programs that have none.

Nothing happens at import. `guard` puts one filter onto every logger that may carry a secret. That filter, with what it knows, lives in logging's
own tree (on the logger "syncbot"): it holds for the whole process, and there is no second place that could disagree.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from syncbot.errors import ConfigError
from syncbot.redact import Redactor as Redactor  # public here
from syncbot.regular import private
from syncbot.secret import HIDDEN as HIDDEN  # the same
from syncbot.secret import Secret
from syncbot.terminal import harmless
from syncbot.types import Proxy

if TYPE_CHECKING:
    from logging.handlers import RotatingFileHandler

_MAX_DEPTH = 6  # of nested extra fields in JSON lines

_KEY = "_syncbot_filter"
_CARRIERS = (
    "syncbot",
    "requests",
    "socks",
    *(f"urllib3{child}" for child in ("", ".connection", ".connectionpool", ".poolmanager", ".response", ".util.retry")),
    "httpx",
    *(f"httpcore{child}" for child in ("", ".connection", ".http11", ".http2", ".proxy", ".socks")),
    *(f"telegram{child}" for child in ("", ".Bot", ".request.BaseRequest", ".request.HTTPXRequest")),
    *(f"telegram.ext{child}" for child in ("", ".Application", ".ExtBot", ".Updater")),
    "TeleBot",
)
_FAMILIES = frozenset(name.partition(".")[0] for name in _CARRIERS)
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class RedactingFilter(logging.Filter):
    """Takes secrets out of log records and lets every record pass.

    Message, arguments, exception (its whole chain), stack and text fields are looked at. Where nothing is found the record stays as it was, with
    its arguments and its exception; where something is found, the finished text takes their place.
    """

    def __init__(self, redactor: Redactor | None = None) -> None:
        super().__init__()
        self.redactor = redactor or Redactor()
        self._attaching = threading.Lock()

    def attach(self, logger: logging.Logger) -> None:
        """Put this filter onto a logger, once."""
        if self not in logger.filters:
            with self._attaching:  # addFilter looks and appends in two steps
                logger.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; one that cannot be redacted loses its content, since the program that logs must not fail for it."""
        try:
            self._redact_message(record)
            self._redact_exception(record)
            self._redact_fields(record)
        except Exception as problem:
            record.msg, record.args = f"a log record was withheld: it could not be searched for secrets ({type(problem).__name__})", ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True

    def _redact_message(self, record: logging.LogRecord) -> None:
        text = self.redactor.text
        try:
            message = record.getMessage()
        except Exception:  # the format does not fit the arguments: the handler would print both as they are
            message = f"{record.msg} {record.args!r}"
            record.msg, record.args = text(message), ()
            return
        clean = text(message)
        values = record.args.values() if isinstance(record.args, dict) else record.args or ()
        if clean != message or any(isinstance(value, str) and text(value) != value for value in values):
            record.msg, record.args = clean, ()

    def _redact_exception(self, record: logging.LogRecord) -> None:
        if record.exc_text:
            record.exc_text = self.redactor.text(record.exc_text)
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return
        if any(self.redactor.text(text) != text for text in map(_own_traceback, _chain(error))):
            record.exc_text = self.redactor.traceback(error).rstrip("\n")
            record.exc_info = None

    def _redact_fields(self, record: logging.LogRecord) -> None:
        if record.stack_info:
            record.stack_info = self.redactor.text(record.stack_info)
        fields = vars(record)
        for name in fields.keys() - _STANDARD_FIELDS:
            if isinstance(fields[name], str):
                fields[name] = self.redactor.text(fields[name])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that hang on it: causes, contexts (printed or not), and the members of groups."""
    waiting, seen = [error], set[int]()
    while waiting:
        error = waiting.pop()
        if id(error) not in seen:
            seen.add(id(error))
            yield error
            members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
            waiting.extend(linked for linked in (error.__cause__, error.__context__, *members) if linked is not None)


def _own_traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, chain=False))


def guard(*secrets: str | Secret[str] | Proxy) -> Redactor:
    """Keep secrets out of the records of our loggers and of those below us, from now on and for the whole process.

    May be called any number of times from any thread: each logger has the filter once. Loggers of ours that are made later through `get_logger`
    get it too; a logger that another library makes later is covered where its name is known, or from the next call on.

    Args:
        secrets: tokens, passwords, or a `Proxy` for its password.

    Returns:
        What removes the secrets, for texts that go elsewhere than into a log.
    """
    own = logging.getLogger("syncbot")
    shared: RedactingFilter = vars(own).get(_KEY) or vars(own).setdefault(_KEY, RedactingFilter())  # setdefault: of two threads one wins
    shared.redactor.add(*secrets)
    for name in _CARRIERS:
        shared.attach(logging.getLogger(name))
    for name, logger in list(own.manager.loggerDict.items()):
        if name.partition(".")[0] in _FAMILIES and isinstance(logger, logging.Logger):
            shared.attach(logger)
    return shared.redactor


def get_logger(name: str) -> logging.Logger:
    """The logger of this name, guarded if `guard` was called before; if not, `guard` will find it by its name."""
    logger = logging.getLogger(name)
    shared: RedactingFilter | None = vars(logging.getLogger("syncbot")).get(_KEY)
    if shared is not None:
        shared.attach(logger)
    return logger


# --- The set-up.


def setup_logging(level: str | int = "INFO", file: str | Path | None = None, json: bool = False, *, max_bytes: int = 1_000_000, backups: int = 3) -> None:
    """Log to the console (standard error) and, if wanted, to a file; for programs that have no logging set up, never called by syncbot itself.

    The records of all loggers go there, without secrets. Called again, it replaces what it has set up before, and nothing else.

    Args:
        level: DEBUG, INFO, WARNING, ERROR or CRITICAL; becomes the level of the root logger.
        file: the log file, written in UTF-8, with mode 600; None for the console alone.
        json: one JSON object a line (time, level, logger, message, exception, stack, and the extra fields) instead of text.
        max_bytes: the size at which the file is rotated; 0 for never.
        backups: how many rotated files are kept (file.1, file.2, …).

    Raises:
        ConfigError: the level is unknown, or the file cannot be written; what was set up before stays.
    """
    number = _level_number(level)
    redactor = guard()
    console = _Console()
    console.setFormatter(_JSONFormatter(redactor, ascii_only=not _is_utf8(console.stream)) if json else _TextFormatter(redactor))
    new: list[logging.Handler] = [console]
    if file is not None:
        new.append(_rotating_file(Path(os.path.expanduser(file)), max_bytes, backups))
        new[-1].setFormatter(_JSONFormatter(redactor) if json else _TextFormatter(redactor))
    root = logging.getLogger()
    old = [handler for handler in root.handlers if isinstance(handler, _OwnHandler)]
    for handler in new:
        root.addHandler(handler)
    for handler in old:
        root.removeHandler(handler)
        with suppress(OSError):  # the rest of a file on a full disk
            handler.close()
    root.setLevel(number)


def _level_number(level: str | int) -> int:
    number = level if isinstance(level, int) else logging.getLevelNamesMapping().get(level.strip().upper())
    if number is None:
        raise ConfigError(f"log level {str(level)[:24]!r} is unknown; use DEBUG, INFO, WARNING, ERROR or CRITICAL, for example INFO")
    return number


class _OwnHandler(logging.Handler):
    """What our handlers share: the mark they are known by, and a word about trouble that repeats neither the record nor itself."""

    _failed = _reported = False

    def emit(self, record: logging.LogRecord) -> None:
        self._failed = False
        super().emit(record)
        self._reported = self._failed

    def handleError(self, record: logging.LogRecord) -> None:
        """Say once that records are lost; logging's own way prints the record with all its arguments, each time."""
        self._failed = True
        if self._reported or not logging.raiseExceptions:
            return
        problem = sys.exc_info()[1]
        reason = problem.strerror if isinstance(problem, OSError) else type(problem).__name__
        with suppress(Exception):  # there is nowhere left to say it
            print(f"syncbot: log records are being lost: {reason} ({record.name}, {record.pathname}:{record.lineno})", file=sys.stderr)


class _Console(_OwnHandler, logging.StreamHandler[TextIO]):
    """Standard error; a character that its encoding lacks is written as an escape."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return text.encode(encoding, "backslashreplace").decode(encoding)
        return text


def _is_utf8(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "") == "utf8"


def _rotating_file(path: Path, max_bytes: int, backups: int) -> RotatingFileHandler:
    from logging.handlers import RotatingFileHandler  # loads socket and pickle, which a program without a log file need not

    class RotatingFile(_OwnHandler, RotatingFileHandler):
        """A rotating file that is also one of our handlers, and nobody else's to read."""

        def _open(self) -> Any:
            return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=private)

    advice = "name a file in a folder that exists and can be written, for example /var/log/mybot.log"
    if max_bytes < 0 or backups < 0 or (max_bytes and not backups):
        raise ConfigError(f"log file {str(path)!r}: it cannot rotate at {max_bytes} bytes with {backups} old files; for example max_bytes=1000000, backups=3")
    if max_bytes and path.parent.is_dir() and not os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigError(f"log file {str(path)!r}: its folder cannot be written, and so the file not rotated; {advice}")
    try:
        return RotatingFile(path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", errors="backslashreplace")
    except OSError as problem:
        reason = "its folder does not exist" if isinstance(problem, FileNotFoundError) else problem.strerror
        raise ConfigError(f"log file {str(path)!r} cannot be opened ({reason}); {advice}") from None


def _iso_time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")


class _TextFormatter(logging.Formatter):
    """A line of text; what could drive a terminal is shown as escapes."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redactor = redactor

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _iso_time(record)

    def format(self, record: logging.LogRecord) -> str:
        return harmless(self._redactor.text(super().format(record)))


class _JSONFormatter(logging.Formatter):
    """One JSON object a line; each value is redacted before it is escaped. An extra field that is called like one of ours gets "extra_" before its name."""

    def __init__(self, redactor: Redactor, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._redactor = redactor
        self._ascii_only = ascii_only

    def format(self, record: logging.LogRecord) -> str:
        import json

        line: dict[str, Any] = {"time": _iso_time(record), "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info or record.exc_text:
            line["exception"] = record.exc_text or self.formatException(record.exc_info)  # type: ignore[arg-type]  # one of the two is there
        if record.stack_info:
            line["stack"] = record.stack_info
        for name, value in vars(record).items():
            if name not in _STANDARD_FIELDS:
                line[f"extra_{name}" if name in ("time", "level", "logger", "exception", "stack") else name] = value
        return harmless(json.dumps(self._clean(line), ensure_ascii=self._ascii_only))

    def _clean(self, value: Any, depth: int = 0) -> Any:
        if value is None or isinstance(value, bool | int) or (isinstance(value, float) and abs(value) < float("inf")):
            return value
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            return {self._redactor.text(str(key)): self._clean(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple) and depth < _MAX_DEPTH:
            return [self._clean(item, depth + 1) for item in value]
        return self._redactor.text(str(value))
