"""From PostgreSQL's errors to ours: one table by `sqlstate`, which says what happened, whether it may pass by itself, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from syncbot.errors import ConfigError, StorageError
from syncbot.storage.codec import Unreadable


@dataclass(frozen=True, slots=True)
class PgFault:
    """What one of PostgreSQL's states, or a class of them, means to us; `{place}` and `{detail}` are filled in."""

    text: str
    retryable: bool = False


_AWAY = PgFault("the database {place} cannot be reached ({detail}); nothing was lost, and it goes on by itself when it is back", retryable=True)
_TRIED_AGAIN = "; it is tried again"
_REFUSED = PgFault(
    "the database {place} does not let the bot in ({detail}): its user, password, database and options stand in its URL, and whom it lets in in the "
    f"server's pg_hba.conf{_TRIED_AGAIN}",
    retryable=True,
)
_BUSY = PgFault("the database {place} did not get to it in time ({detail}); it is tried again", retryable=True)
_FULL = PgFault("the database {place} has no room left ({detail}); nothing was lost. Make room: it goes on by itself", retryable=True)
_RIGHTS = PgFault(
    "the database {place} refuses what the bot has to do ({detail}); its user needs the right to make the schema syncbot once, and its tables: "
    "GRANT CREATE ON DATABASE … TO …, or make the schema for it with: CREATE SCHEMA syncbot AUTHORIZATION …"
)
_TABLES = PgFault(
    "the tables of the database {place} are not what they were ({detail}); another program has changed the schema syncbot: put it back from a backup"
)
_DAMAGED = PgFault("the database {place} says that what it holds is damaged ({detail}); nothing was deleted: put it back from a backup")

FAULTS = {
    "08": _AWAY,
    "28": _REFUSED,
    "57P01": _AWAY,
    "57P02": _AWAY,
    "57P03": _AWAY,
    "57P05": _AWAY,
    "25P03": _AWAY,
    "25P04": _AWAY,
    "25006": PgFault("the database {place} is a copy that cannot be written ({detail}); nothing was lost, and it goes on when the main one is there", True),
    "53100": _FULL,
    "53": PgFault("the database {place} takes no more ({detail}); it is tried again. More connections are allowed with max_connections", retryable=True),
    "40": _BUSY,
    "55": _BUSY,
    "57014": _BUSY,
    "58": _FULL,
    "42501": _RIGHTS,
    "42": _TABLES,
    "3F": _TABLES,
    "0A": _BUSY,
    "26": _BUSY,
    "XX000": _BUSY,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
"""By state; one that is not here counts as its class, which is its first two letters."""


# What libpq and the server say; where the server speaks another language it counts as away, with its words.
_WRONG_OPTION = re.compile(r'(?s)invalid (?:integer value ".*" for connection option "(\w+)"|"?(\w+)"? value: "|(port) number: ")')
_NOT_LET_IN = re.compile(
    r'password authentication failed|no password supplied|role ".*" (?:does not exist|is not permitted to log in)|no pg_hba\.conf entry|'
    r'database ".*" does not exist|no such (?:database|user)|invalid value for parameter|unrecognized configuration parameter'
)
_ATTEMPT = re.compile(r"(?ms)^- (host: [^,]*, port: [^,]*), hostaddr: (.*?)(?=^- host: |\Z)")


def connection_error(problem: psycopg.Error) -> Exception:
    """What to raise where no connection could be opened: psycopg tells by words alone what the server, or libpq, has against it.

    Returns:
        A new error: the given one has the failed connection, which knows the password. A ConfigError where an option is wrong.
    """
    words = str(problem)
    if wrong := _WRONG_OPTION.search(words):
        return ConfigError(
            f"the option {next(filter(None, wrong.groups()))} of the state's database has a value that it cannot have; "
            "options stand behind the ? of its URL, or in PG… variables such as PGSSLMODE"
        )
    kind = psycopg.errors.InvalidAuthorizationSpecification if _is_refused(words) else type(problem)
    return kind(*problem.args)


def _is_refused(words: str) -> bool:
    """Whether the server does not let the bot in; of several servers each, at one of its addresses: what is away may be the one that would."""
    attempts = _ATTEMPT.findall(words) or [("", words)]
    return {server for server, _ in attempts} == {server for server, said in attempts if _NOT_LET_IN.search(said)}


def storage_error(problem: psycopg.Error, place: str) -> StorageError | None:
    """Our error for one of the database, or None where it is a mistake in our own code."""
    state = problem.sqlstate
    fault = FAULTS.get(state) or FAULTS.get(state[:2]) if state else None
    if fault is None and state is None and isinstance(problem, psycopg.OperationalError | psycopg.InterfaceError):
        fault = _AWAY  # of the connection
    if fault is None:
        return None
    return StorageError(fault.text.format(place=place, detail=" ".join(str(problem).split())), retryable=fault.retryable)


@contextmanager
def explained(place: str, *, is_start: bool = False) -> Iterator[None]:
    """Turn the database's errors into `StorageError` on the way out.

    Args:
        place: the database, in words.
        is_start: it was never reached before: who is not let in then has a wrong setting (`ConfigError`). Later the password may be about to change.
    """
    try:
        yield
    except psycopg.Error as problem:
        ours = storage_error(problem, place)
        if is_start and isinstance(problem, psycopg.errors.InvalidAuthorizationSpecification):
            raise ConfigError(str(ours).removesuffix(_TRIED_AGAIN)) from problem
        if ours is None:
            raise
        raise ours from problem
    except Unreadable as problem:
        raise StorageError(_DAMAGED.text.format(place=place, detail=problem)) from problem
