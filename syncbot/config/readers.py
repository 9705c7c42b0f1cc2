"""How the text of each setting is read.

Each function takes the text and the folder that relative paths start from, and returns the value. What is wrong is a `ConfigError`, whose text never
holds a token or a proxy password, not even a malformed one; its traceback ends in variables that do, and `Setting.read` drops it.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from syncbot.errors import ConfigError
from syncbot.regular import opener
from syncbot.secret import HIDDEN, Secret
from syncbot.types import Early, Proxy

if TYPE_CHECKING:
    from syncbot.storage.address import StatePlace

_MAX_SECONDS = 1_000_000.0  # far below what the system's own waits accept
_MAX_CA_FILE_BYTES = 16_000_000
_MAX_USER_ID = 10**16  # Telegram promises 52 bits
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""The levels of logging that can be asked for."""
_EARLY = get_args(Early)
_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _shown(text: str) -> str:
    """Quote a wrong value where that is safe: a token or a proxy URL put into the wrong setting is long or has a colon."""
    return repr(text) if len(text) <= 24 and ":" not in text else "the value"


def token(text: str, _folder: Path) -> Secret[str]:
    """A bot token, as @BotFather gives it."""
    if re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]{20,}", text):
        return Secret(text)
    if text[:1] in ("'", '"'):
        raise ConfigError("leave out the quotes around it")
    if text.lower().startswith("bot"):
        raise ConfigError('leave out the word "bot" before the digits')
    raise ConfigError("it is not a bot token as @BotFather gives it (digits, a colon, 35 letters, digits, - or _)")


def user_ids(text: str, _folder: Path) -> frozenset[int]:
    """Ids of users, separated by commas or white space; at least one."""
    items = re.findall(r"[^\s,]+", text)
    if not items:
        raise ConfigError("it is set but holds no id, which would lock everyone out; give at least one id, or remove it to let everyone in")
    for item in items:
        if not re.fullmatch(r"[0-9]{1,16}", item) or int(item) == 0:
            hint = "; a number below zero is a group's or a channel's" if item.startswith("-") else "; a @name is none" if item.startswith("@") else ""
            raise ConfigError(f"{_shown(item)} is not the id of a user, a whole number above 0{hint}")
    return frozenset(map(int, items))


def given_user_ids(given: object) -> frozenset[int]:
    """Ids of users as a program gives them: at least one whole number, in anything that can be gone through once, such as a set.

    Raises:
        ConfigError: it is something else; the text says how to write it. A text or a dict is refused, though Python can go through both.
    """
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | bytearray | memoryview | Mapping):
        raise ConfigError(f"a value of type {type(given).__name__} is no list of ids; give whole numbers in a set, for example allowed_users={{42}}")
    ids = frozenset(map(_user_id, given))
    if not ids:
        raise ConfigError("the list is empty, so nobody could use the bot; give ids, for example allowed_users={42}, or None for everybody")
    return ids


def _user_id(item: Any) -> int:
    """The id as an int of Python's own, which is all that an update's id is compared with."""
    number = None
    with suppress(TypeError):
        number = None if isinstance(item, bool) else int(operator.index(item))
    if number is None:
        raise ConfigError(
            f"it holds a value of type {type(item).__name__}, which is no id of a user; write whole numbers without quotes, for example allowed_users={{42}}"
        )
    if not 0 < number < _MAX_USER_ID:
        hint = "; a number below zero is a group's or a channel's" if number < 0 else ""
        raise ConfigError(f"{_shown(str(number))} is not the id of a user, a whole number above 0{hint}; for example allowed_users={{42}}")
    return number


def proxy(text: str, _folder: Path) -> tuple[Proxy, ...]:
    """One proxy URL, or "direct"."""
    # The text of a foreign error could hold credentials, and would stay in the chain of ours: it is dropped, and ours raised outside.
    with suppress(ConfigError, ValueError):
        return (Proxy.parse(text),)
    if (scheme := re.match(r"([a-z][a-z0-9]{0,7})://", text.lower())) and not re.fullmatch("https?|socks4|socks5h?", scheme[1]):
        raise ConfigError(f"it is not a proxy URL: there is no way through {scheme[1]}://; the scheme is http, https, socks4, socks5 or socks5h")
    raise ConfigError(
        "it is not a proxy URL (scheme://user:password@host:port; the scheme is http, https, socks4, socks5 or socks5h; "
        "special characters in user and password are percent-encoded)" + ("; a list belongs into SYNCBOT_PROXY" if re.search(r"[\s,]", text) else "")
    )


def proxies(text: str, folder: Path) -> tuple[Proxy, ...]:
    """Proxy URLs and "direct", separated by commas or white space; what stands there twice counts once."""
    items = re.findall(r"[^\s,]+", text)
    if not items:
        raise ConfigError("it holds no proxy")
    found: dict[Proxy, None] = {}
    for number, item in enumerate(items, 1):
        try:
            if not re.search(r"(?i)://|:[0-9]+/?$|^direct$", item):  # a word that came to stand here would be the name of a host
                raise ConfigError("it has neither a scheme nor a port: write http://HOST:PORT, or direct")
            found[proxy(item, folder)[0]] = None
        except ConfigError as wrong:
            raise ConfigError(f"entry {number} of {len(items)}: {wrong}" if len(items) > 1 else str(wrong)) from None
    return tuple(found)


def hosts(text: str, _folder: Path) -> Secret[str]:
    """Hosts as NO_PROXY has them: any text, since what is no host matches none; it may be a proxy URL by mistake."""
    return Secret(text)


def shown_hosts(text: str) -> str:
    """The value of NO_PROXY without what stands before an @: as far as the beginning of a URL, else of the whole, since a password may hold a comma."""
    return re.sub(r"(?s)[^\s,]*://.*@|^(?!.*://).*@", f"{HIDDEN}@", text, count=1)


def chat(text: str, _folder: Path) -> int | str:
    """The id of a chat, or the @name of a public one."""
    if re.fullmatch(r"-?[0-9]{1,16}", text) and int(text) != 0:
        return int(text)
    if re.fullmatch(r"@[A-Za-z][A-Za-z0-9_]{3,31}", text):
        return text
    raise ConfigError(f"{_shown(text)} is neither the id of a chat nor the @name of a public one")


def base_url(text: str, _folder: Path) -> str:
    """The URL of a Bot API server, without a slash at the end."""
    with suppress(ValueError):  # from urlsplit and .port; its text may hold the value
        url = urlsplit(text)
        whole = url.scheme.lower() in ("http", "https") and url.hostname and url.hostname.isascii() and url.port != 0
        if whole and "@" not in url.netloc and not re.search(r"[\s?#\x00-\x1f\\]", text):
            path = url.path.rstrip("/")
            if re.search(r"/bot([0-9]+:.*)?$", path):
                raise ConfigError('leave out "/bot" and what follows; it is added by itself')
            return f"{url.scheme.lower()}://{url.netloc}{path}"
    raise ConfigError("it is not the URL of a Bot API server (http:// or https://, a host in ASCII, no credentials, no query)")


def _path(text: str, folder: Path) -> Path:
    if "\0" in text:
        raise ConfigError("it is not a path")
    return folder / os.path.expanduser(text)


def ca_file(text: str, folder: Path) -> Path:
    """A file that holds certificates in PEM form."""
    path = _path(text, folder)
    shown = "it" if ":" in text else repr(str(path))
    try:
        if not path.exists():
            raise ConfigError(f"{shown} does not exist")
        if path.is_dir():
            raise ConfigError(f"{shown} is not a file; a folder of certificates is not supported")
        with open(path, "rb", opener=opener) as file:
            head = file.read(_MAX_CA_FILE_BYTES)
    except OSError as problem:
        raise ConfigError(f"{shown} cannot be read ({problem.strerror})") from None
    if not re.search(rb"-----BEGIN (TRUSTED )?CERTIFICATE-----", head):
        der = "; it looks like a binary one: convert it with openssl x509 -inform der -in FILE -out FILE.pem" if head[:1] == b"\x30" else ""
        raise ConfigError(f"{shown} holds no certificate in PEM form{der}")
    return path


def state(text: str, folder: Path) -> StatePlace:
    """A file, which need not exist, or the URL of a database."""
    if "://" in text:
        from syncbot.storage.address import database_url  # only here: reading settings is to cost nothing

        if (url := database_url(text)) is not None:
            return url
    path = _path(text, folder)
    if text.endswith("/") or os.path.isdir(path):
        raise ConfigError("it is a folder; name a file" if ":" in text else f"{str(path)!r} is a folder; name a file in it")
    return path


def seconds(text: str, _folder: Path) -> float:
    """A number of seconds above 0."""
    value = seconds_or_off(text, _folder)
    if value == 0:
        raise ConfigError("it must be above 0 seconds")
    return value


def seconds_or_off(text: str, _folder: Path) -> float:
    """A number of seconds; 0 for off."""
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{0,12})?|\.[0-9]{1,12}", text):
        raise ConfigError(f"{_shown(text)} is not a number of seconds (digits, at most one point, no unit, not below zero)")
    if float(text) > _MAX_SECONDS:
        raise ConfigError(f"{_shown(text)} is more than {_MAX_SECONDS:.0f} seconds")
    return float(text)


def switch(text: str, _folder: Path) -> bool:
    """On or off."""
    if text.lower() not in _ON + _OFF:
        raise ConfigError(f"{_shown(text)} is neither on ({', '.join(_ON)}) nor off ({', '.join(_OFF)})")
    return text.lower() in _ON


def early(text: str, _folder: Path) -> str:
    """When a connection is opened in one flight."""
    if text.lower() not in _EARLY:
        raise ConfigError(f"{_shown(text)} is none of {', '.join(_EARLY[:-1])} and {_EARLY[-1]}")
    return text.lower()


def tls_groups(text: str, _folder: Path) -> str:
    """What a handshake offers; whether there is a group of that name is the TLS library's to say."""
    if text.lower() in ("learn", "default"):
        return text.lower()
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", text):
        raise ConfigError(f"{_shown(text)} is neither learn nor default nor the name of one group")
    return text


def level(text: str, _folder: Path) -> str:
    """A level of logging, in capitals."""
    if text.upper() not in LEVELS:
        raise ConfigError(f"{_shown(text)} is not one of {', '.join(LEVELS)}")
    return text.upper()
