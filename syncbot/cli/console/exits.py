"""The exit codes of every command, and which error ends with which.

The numbers are those of sysexits.h where it has one: 75 is what mail programs take for "keep it in the queue".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType

from syncbot import errors


class Exit(IntEnum):
    """How a command ended; `MEANINGS` says what a script may conclude from it."""

    OK = 0
    INTERNAL = 1
    BAD = 1  # what `monitor --once` ends with, as a test does in a shell; a second name, since numbers of one digit are few
    USAGE = 2
    TRY_LATER = 75
    UNCERTAIN = 76
    REFUSED = 77
    CONFIG = 78
    INTERRUPTED = 130
    READER_GONE = 141


MEANINGS: Mapping[Exit, str] = MappingProxyType(
    {
        Exit.OK: "It was done: sent, found, healthy.",
        Exit.INTERNAL: "monitor: the bot is not well. Else: a mistake in the program (in syncbot, or in the bot's own module); --debug shows where.",
        Exit.USAGE: "The command line is wrong: an unknown option, an empty text, a file that cannot be read. Nothing was sent.",
        Exit.TRY_LATER: "Nothing was delivered, and the same command may be given again later: no way to Telegram, Telegram busy, a full disk.",
        Exit.UNCERTAIN: "It may have been delivered, wholly or in part: look before you give the same command again.",
        Exit.REFUSED: "Telegram refused it: wrong token, unknown chat, blocked by the user, … The same command will be refused again.",
        Exit.CONFIG: "A setting is missing or wrong, the proxy wants other credentials, or the state is damaged or cannot be used. Somebody has to act.",
        Exit.INTERRUPTED: "Interrupted from the keyboard (128 + SIGINT).",
        Exit.READER_GONE: "Whoever read standard output went away before the end (128 + SIGPIPE).",
    }
)
"""What each exit code means."""

BY_ERROR: Mapping[type[errors.SyncBotError], Exit] = MappingProxyType(
    {
        errors.SyncBotError: Exit.INTERNAL,
        errors.ConfigError: Exit.CONFIG,
        errors.StorageError: Exit.CONFIG,  # or TRY_LATER, where the error says that the trouble may pass
        errors.NetworkError: Exit.TRY_LATER,  # only methods that may be carried out twice end with the plain class
        errors.NotSent: Exit.TRY_LATER,
        errors.ProxyAuthRequired: Exit.CONFIG,  # trying again with the same password never helps
        errors.DeliveryUncertain: Exit.UNCERTAIN,
        errors.ApiError: Exit.REFUSED,
        errors.BadRequest: Exit.REFUSED,
        errors.ChatMigrated: Exit.REFUSED,
        errors.Unauthorized: Exit.REFUSED,
        errors.Forbidden: Exit.REFUSED,
        errors.NotFound: Exit.REFUSED,
        errors.Conflict: Exit.REFUSED,
        errors.RetryAfter: Exit.TRY_LATER,
        errors.ServerError: Exit.UNCERTAIN,  # or TRY_LATER, where its method may be carried out twice
        errors.AlreadyRunning: Exit.TRY_LATER,
        errors.AskTimeout: Exit.TRY_LATER,
        errors.Cancelled: Exit.TRY_LATER,
        errors.Stopped: Exit.TRY_LATER,
    }
)
"""The exit code of every error of ours."""

_BADNESS = (Exit.OK, Exit.TRY_LATER, Exit.REFUSED, Exit.CONFIG, Exit.USAGE, Exit.UNCERTAIN, Exit.READER_GONE, Exit.INTERRUPTED, Exit.INTERNAL)


def exit_for(error: errors.SyncBotError) -> Exit:
    """The exit code that an error ends a command with."""
    if isinstance(error, errors.StorageError) and error.retryable:
        return Exit.TRY_LATER
    if isinstance(error, errors.ServerError) and not nobody_knows(error):
        return Exit.TRY_LATER
    return next(BY_ERROR[kind] for kind in type(error).__mro__ if kind in BY_ERROR)


def nobody_knows(error: errors.ServerError) -> bool:
    """Whether a failure of Telegram's server leaves open what became of the call: its method may not be carried out twice."""
    from syncbot.client.api.table import find_method  # deferred: a command that succeeds has no failure to look up

    spec = find_method(error.method)
    return spec is None or not spec.repeatable


def worst(outcomes: Iterable[Exit]) -> Exit:
    """Of several outcomes the one to exit with; uncertain is worse than refused, since it alone forbids to try again without a look."""
    return max(outcomes, key=_BADNESS.index, default=Exit.OK)
