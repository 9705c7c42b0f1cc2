"""Where a bot's state stands: a path of a file, or the URL of a database, whose password nothing shows."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from syncbot.errors import ConfigError
from syncbot.secret import Secret

EXAMPLE = "postgresql://bot@localhost/bot"
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):/")
_KNOWN = ("postgresql", "postgres")


class DatabaseUrl:
    """The URL of a PostgreSQL database. As a text it is without password and options; two of the same URL are equal.

    Args:
        url: "postgresql://user:password@host:port/database?option=value".

    Raises:
        ConfigError: it cannot be served; the text says why.
    """

    __slots__ = ("secret", "shown")

    def __init__(self, url: str | Secret[str]) -> None:
        self.secret = Secret(url)
        del url
        try:
            self.shown = _shown(self.secret)
        except ValueError:
            raise ConfigError(f"state= is no URL of a database; a right one is {EXAMPLE}") from None
        if find_spec("psycopg") is None:
            raise ConfigError(f"the state {self.shown} needs psycopg, which is not installed: pip install 'syncbot[postgres]'")

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.shown!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and self.secret == other.secret

    def __hash__(self) -> int:
        return hash(self.secret)

    def __reduce__(self) -> tuple[type[DatabaseUrl], tuple[Secret[str]]]:
        return DatabaseUrl, (self.secret,)


def address_of(state: str | os.PathLike[str] | DatabaseUrl) -> Path | DatabaseUrl:
    """A path, or the URL of a database.

    Raises:
        ConfigError: it is the URL of something that cannot be served.
    """
    if isinstance(state, DatabaseUrl):
        return state
    text = Secret(os.fspath(state))
    del state
    scheme = _SCHEME.match(text.reveal())
    if scheme is None:
        return Path(text.reveal())
    if scheme[1].lower() not in _KNOWN:
        raise ConfigError(f"a state cannot stand at {scheme[1]}://…; it is the path of a file, or the URL of a PostgreSQL database such as {EXAMPLE}")
    return DatabaseUrl(Secret(text.reveal().strip()))


def _shown(url: Secret[str]) -> str:
    """A URL without its password and its options."""
    name = unquote(urlsplit(url.reveal()).netloc.rpartition("@")[0].partition(":")[0])
    place = urlsplit(url.reveal()).netloc.rpartition("@")[2]
    return f"postgresql://{name}{'@' if name else ''}{place}{urlsplit(url.reveal()).path}"
