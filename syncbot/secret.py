"""Texts that nothing shows by accident.

Whatever catches an exception may print the locals of each frame on its way, as Sentry, rich and `pytest --showlocals` do. So tokens, passwords and what
is made of them travel as a `Secret`, and become text within the expression alone that writes them to where they are needed. The URL of a database, in
which a password may stand, shows itself without it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar, cast, overload

from syncbot.errors import ConfigError

HIDDEN = "<hidden>"
"""What stands where a secret was."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:/)")
_SCHEMES = ("postgresql", "postgres")
_LIBRARIES = ("psycopg", "psycopg_pool")

_Value = TypeVar("_Value")


class Secret(Generic[_Value]):
    """A text, or what else holds one, that neither `repr()` nor `str()` nor a format shows, nor a value that holds it.

    Two of the same content are equal; one that is empty is false.
    """

    __slots__ = ("_value",)

    def __init__(self, value: _Value | Secret[_Value]) -> None:
        self._value: _Value = value._value if isinstance(value, Secret) else value

    def reveal(self) -> _Value:
        """The value itself; for the expression that needs it, and never for a variable."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[Any, ...]:
        return Secret, (self._value,)


class Hidden:
    """A field of a dataclass that is read as a text and kept as a `Secret`; give it `field(default=Hidden(), repr=False)`.

    Args:
        default: the text where none is given; None for a field that has to be given.
    """

    def __init__(self, default: str | None = None) -> None:
        self._default = default
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Hidden: ...
    @overload
    def __get__(self, instance: object, owner: type) -> str: ...
    def __get__(self, instance: object | None, owner: type) -> Hidden | str:
        return self if instance is None else self.secret(instance).reveal()

    def __set__(self, instance: object, value: str | Secret[str]) -> None:
        if cast(object, value) is self:  # what a dataclass passes for a field that is not given
            if self._default is None:
                raise TypeError(f"{type(instance).__name__}: {self._name} is missing")
            value = self._default
        vars(instance)[self._name] = Secret(value)

    def secret(self, instance: object) -> Secret[str]:
        """The field's value as it is kept."""
        kept: Secret[str] = vars(instance)[self._name]
        return kept


@dataclass(frozen=True)
class DatabaseUrl:
    """The URL of a PostgreSQL database, as libpq takes it; neither `repr()` nor `str()` shows a password, and nor do they show its options.

    Args:
        url: such as "postgresql://bot:secret@db/bot".

    Raises:
        ConfigError: it is none, or psycopg is not installed.
    """

    url: Hidden = field(default=Hidden(), repr=False)
    shown: str = field(init=False, repr=True, compare=False)
    """Scheme, user, server and database."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", _without_password(DatabaseUrl.url.secret(self)))
        if missing := [name for name in _LIBRARIES if not _is_there(name)]:
            raise ConfigError(f"the state {self.shown} is in PostgreSQL, which needs {' and '.join(missing)}: pip install 'syncbot[postgres]'")

    def __str__(self) -> str:
        return self.shown

    def secret(self) -> Secret[str]:
        """The URL as it was given."""
        return DatabaseUrl.url.secret(self)


StatePlace = Path | DatabaseUrl
"""Where a bot's state is."""


def database_url(given: str | os.PathLike[str] | DatabaseUrl) -> DatabaseUrl | None:
    """The URL, where one was given; None for the path of a file.

    Raises:
        ConfigError: it is a URL of another kind, or one that cannot be served.
    """
    if isinstance(given, DatabaseUrl):
        return given
    is_text = isinstance(given, str)
    hidden = Secret(os.fspath(given))
    del given  # it may hold a password
    scheme = (_SCHEME.match(hidden.reveal()) or [""])[0].lower()
    if not is_text and scheme in _SCHEMES:  # a Path has made one slash of two
        raise ConfigError("the URL of a database is a text, and no Path; for example state='postgresql://bot@db/bot'")
    if not is_text or not scheme or not hidden.reveal().startswith("://", len(scheme)):
        return None
    if scheme not in _SCHEMES:
        raise ConfigError(
            f"the state is a file or a PostgreSQL database, and nothing of the kind {scheme}:; it is, for example, bot.db, or postgresql://bot@db/bot"
        )
    return DatabaseUrl(hidden)


def _without_password(url: Secret[str]) -> str:
    """What of a URL may be shown.

    Raises:
        ConfigError: who knows what of it is a password.
    """
    parts = re.fullmatch(r"(postgres(?:ql)?://)(?:([^/?#@:]*)(?::[^/?#@]*)?@)?([^/?#@]*)(/[^/?#@]*)?(?:\?[^#]*)?", url.reveal(), re.IGNORECASE)
    if parts is None:
        raise ConfigError(
            "the URL of the state's database cannot be read: it has the form postgresql://user:password@server:port/database, "
            "and in a password the characters @ : / ? # % are written as %40 %3A %2F %3F %23 %25"
        )
    scheme, user, server, database = parts.groups()
    return f"{scheme}{f'{user}@' if user else ''}{server}{database or ''}"


def _is_there(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ValueError:  # it is kept from being imported
        return False
