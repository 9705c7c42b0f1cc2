"""Reading and writing env files (`NAME=value` lines, as python-dotenv and a POSIX shell read them); the only door to python-dotenv."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from syncbot.errors import ConfigError
from syncbot.process import sync_folder
from syncbot.regular import opener
from syncbot.secret import Secret

if TYPE_CHECKING:
    from dotenv.parser import Binding

_MAX_BYTES = 1_000_000
_EXAMPLE = "write NAME=value, for example SYNCBOT_TIMEOUT=20"
_ASSIGNMENT = r"""(?xs)(?P<lead>\s*(?:export[^\S\r\n]+)?)
    (?:'[^']+'|[^=\#\s]+)
    (?:[^\S\r\n]*=[^\S\r\n]*?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(?!['"])[^\r\n]*?))?
    (?P<comment>[^\S\r\n]+\#[^\r\n]*?)?
    [^\S\r\n]*(?:\r\n|\n|\r)?"""
"""A statement as python-dotenv reads it, cut so that what stands around the assignment can be kept."""


def read_env_file(path: str | Path) -> dict[str, str]:
    """Read an env file; `$` has no meaning in it, and os.environ is not changed. "/dev/null" holds nothing.

    Returns:
        The values by name; the last of several lines for one name counts.

    Raises:
        ConfigError: the file is missing, unreadable, too large, not UTF-8, or has a line that is no assignment; the text never repeats what stands in it.
    """
    if os.path.realpath(path) == os.devnull:
        return {}
    bindings = Secret(_parse(_read_text(Path(path)).reveal(), newline=None))
    wrong = next((_line_number(b) for b in bindings.reveal() if b.error or (b.key and b.value is None)), None)
    if wrong is not None:
        raise ConfigError(f"the env file {path}: line {wrong} is not an assignment; {_EXAMPLE}")
    return {binding.key: binding.value for binding in bindings.reveal() if binding.key and binding.value is not None}


def write_env_file(path: str | Path, values: Mapping[str, str | Secret[str]]) -> None:
    """Set names in an env file and keep everything else in it: other names, comments, order, lines that nobody understands.

    A name that stands there is replaced where it stands, a new one is appended. Values are quoted where python-dotenv or a shell's `. ./.env` needs it.
    The file is replaced in one step, with mode 600; a symbolic link stays and its target is replaced. Missing folders are made.

    Raises:
        ConfigError: the file cannot be read or written, a name or value cannot stand in an env file, or what stands in the file already
            (an unclosed quote) would swallow the new lines. The file is then as it was. The text never repeats a value.
    """
    given = {name: Secret(value) for name, value in values.items()}
    del values
    target = Path(os.path.realpath(path))
    lines = {name: Secret(f"{_checked_name(name)}={_quoted(name, value).reveal()}") for name, value in given.items()}
    old = Secret(_parse(_read_text(target).reveal() if os.path.lexists(target) else "", newline=""))
    text = _merged(old, lines)
    if not _is_as_meant(old.reveal(), _parse(text.reveal(), newline=""), given):
        first = next((_line_number(b) for b in old.reveal() if b.error), 1)
        raise ConfigError(f"the env file {path} is left as it was: its line {first} is broken (an unclosed quote?); {_EXAMPLE}")
    try:
        _replace(target, text)
    except OSError as problem:
        raise ConfigError(f"the env file {path} cannot be written ({problem.strerror}); name one in a folder that can, for example /home/me/.env") from None


# What is read and written here holds the token: the functions that raise have it as a `Secret`, and those that work with the text itself do not raise.


def _read_text(path: Path) -> Secret[str]:
    try:
        with open(path, "rb", opener=opener) as file:
            data = Secret(file.read(_MAX_BYTES + 1))
    except OSError as problem:
        raise ConfigError(f"the env file {path} cannot be read ({problem.strerror}); name one that can, for example /home/me/.env") from None
    if len(data.reveal()) > _MAX_BYTES:
        raise ConfigError(f"the env file {path} is larger than {_MAX_BYTES} bytes; that is no env file, {_EXAMPLE}")
    text: Secret[str] | None = None
    with suppress(UnicodeDecodeError):  # that error holds the whole text, and must not stay in the chain of ours
        text = Secret(data.reveal().decode("utf-8-sig"))
    if text is None or "\0" in text.reveal():
        raise ConfigError(f"the env file {path} is not in UTF-8; save it as UTF-8, and {_EXAMPLE}")
    return text


def _parse(text: str, *, newline: str | None) -> list[Binding]:
    # The parser itself, since dotenv_values only logs a line that it cannot read, and drops it.
    from dotenv.parser import parse_stream

    return list(parse_stream(io.StringIO(text, newline=newline)))


def _is_as_meant(old: list[Binding], new: list[Binding], given: Mapping[str, Secret[str]]) -> bool:
    """Whether the new content sets what was given, and everything else as it was."""
    kept = [(b.key, b.value) for b in old if b.key and b.key not in given]
    found = [(b.key, b.value) for b in new if b.key]
    return [pair for pair in found if pair[0] not in given] == kept and {k: Secret(v) for k, v in found if k in given} == given


def _line_number(binding: Binding) -> int:
    """Where the statement begins; the parser counts the blank lines before it to the statement."""
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return binding.original.line + len(re.findall(r"\r\n|\n|\r", blank))


def _merged(bindings: Secret[list[Binding]], lines: Mapping[str, Secret[str]]) -> Secret[str]:
    missing = dict(lines)
    parts: list[str] = []
    for binding in bindings.reveal():
        original = binding.original.string
        if binding.key is not None and binding.key in lines:
            found = re.fullmatch(_ASSIGNMENT, original)
            lead, comment = (found["lead"], found["comment"] or "") if found else ("", "")
            original = f"{lead}{lines[binding.key].reveal()}{comment}\n"
            missing.pop(binding.key, None)
        parts.append(original)
    text = "".join(parts)
    if missing and text and not text.endswith("\n"):
        text += "\n"
    return Secret(text + "".join(f"{line.reveal()}\n" for line in missing.values()))


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ConfigError(f"{name!r} is not a name that an env file can hold; {_EXAMPLE}")
    return name


def _quoted(name: str, value: Secret[str]) -> Secret[str]:
    """Write a value so that python-dotenv and a POSIX shell both read it back.

    In single quotes the shell takes everything as it is, while python-dotenv takes two backslashes for one. In double quotes both take `\\\\` and `\\"`
    alike, but only the shell knows `\\$`. A value that needs both kinds of quotes cannot be written for both.
    """
    if re.fullmatch(r"[A-Za-z0-9_./:@%+,=-]+", value.reveal()):
        return value
    if re.search(r"[\0\r\ud800-\udfff]", value.reveal()):
        raise ConfigError(f"the value of {name} holds a character that an env file cannot hold (NUL, carriage return, or half of a pair); {_EXAMPLE}")
    if not re.search(r"'|\\\\|\\\Z", value.reveal()):
        return Secret(f"'{value.reveal()}'")
    if not re.search(r"[$`]", value.reveal()):
        return Secret('"' + value.reveal().replace("\\", "\\\\").replace('"', '\\"') + '"')
    raise ConfigError(f"the value of {name} holds $ or ` together with ' or a double backslash, which cannot be quoted; in a URL write %27 for ' and %24 for $")


def _replace(target: Path, text: Secret[str]) -> None:
    """Put a new file in place of the old one in one step: after a crash at any moment the old or the new one stands there, whole."""
    import tempfile  # hardly ever needed

    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)  # with mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.reveal().encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # an administrator leaves the file to its owner; nobody else may, nor needs to
            owner = target.stat()
            os.chown(name, owner.st_uid, owner.st_gid)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
    with suppress(OSError):  # some file systems cannot sync a folder
        sync_folder(target.parent)
