"""Where a bot's state stands: a path of a file, or the URL of a database, whose password nothing shows."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

from syncbot.errors import ConfigError
from syncbot.secret import Secret

EXAMPLE = "postgresql://bot@localhost/bot"
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):/")
_KNOWN = ("postgresql", "postgres")
_WORDS = re.compile(r"\s*(?:host|hostaddr|port|dbname|user|password|service)\s*=")
"""The beginning of libpq's own form, of which a file's name would show the password."""
_FORM = re.compile(r"(?i)postgres(?:ql)?://(?:([^/?#@:]*)(?::[^/?#@]*)?@)?([^/?#@]*)(/[^/?#@]*)?(?:\?[^#]*)?")
_NO_PORT = re.compile(r":(?!\d*(?:,|$))[^\]]*$")
"""What stands behind a server where its port should: it may be the password."""


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
        self.shown = _shown(self.secret)
        if not _is_there("psycopg"):
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


StatePlace = Path | DatabaseUrl
"""Where a bot's state stands."""


def database_url(state: str | os.PathLike[str] | DatabaseUrl) -> DatabaseUrl | None:
    """The URL, where one was given; None for the path of a file.

    Raises:
        ConfigError: it is the URL of something that cannot be served, or a database in libpq's own form.
    """
    if isinstance(state, DatabaseUrl):
        return state
    is_text = isinstance(state, str)
    text = Secret(os.fspath(state))
    del state
    scheme = (_SCHEME.match(text.reveal()) or ["", ""])[1].lower()
    if not is_text and scheme in _KNOWN:  # a Path has made one slash of two
        raise ConfigError(f"the URL of a database is a text, and no Path; for example state={EXAMPLE!r}")
    if is_text and _WORDS.match(text.reveal()):
        raise ConfigError(f"the database of a state is named by its URL, such as {EXAMPLE}, and not in the form dbname=…")
    if not is_text or not scheme or "://" not in text.reveal()[: len(scheme) + 8]:
        return None
    if scheme not in _KNOWN:
        raise ConfigError(f"a state cannot stand at {scheme}://…; it is the path of a file, or the URL of a PostgreSQL database such as {EXAMPLE}")
    return DatabaseUrl(Secret(text.reveal().strip()))


def address_of(state: str | os.PathLike[str] | DatabaseUrl) -> StatePlace:
    """A path, or the URL of a database.

    Raises:
        ConfigError: it is the URL of something that cannot be served.
    """
    url = database_url(state)
    return Path(os.fspath(state)) if url is None else url  # type: ignore[arg-type]  # no URL, and so a path


def _shown(url: Secret[str]) -> str:
    """A URL without its password and its options.

    Raises:
        ConfigError: nobody can tell what of it is a password.
    """
    parts = _FORM.fullmatch(url.reveal())
    if parts is None or _NO_PORT.search(parts[2]):
        raise unreadable_url()
    user, server, database = parts.groups()
    return f"postgresql://{user or ''}{'@' if user else ''}{server}{database or ''}"


def unreadable_url() -> ConfigError:
    """What to say of a URL that cannot be read: nothing of it."""
    return ConfigError(
        f"the URL of the state's database cannot be read; it is like {EXAMPLE}, with a password postgresql://user:password@server:port/database, "
        "in which the characters @ : / ? # % and spaces are written as %40 %3A %2F %3F %23 %25 %20; what may follow it are libpq's options"
    )


def _is_there(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ValueError:  # it is kept from being imported
        return False
