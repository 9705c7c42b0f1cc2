"""`syncbot send --edit` and `--id-file`: one message that is kept up to date."""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.sending.delivering import deliver
from syncbot.errors import AlreadyRunning, ConfigError
from syncbot.regular import opener, private

if TYPE_CHECKING:
    from syncbot.cli.sending.attachments import Call
    from syncbot.client.bot import Bot

_MAX_BYTES = 100_000
_TURN_SECONDS = 60.0
"""How long another command may be at the same file of ids: as long as a call may take."""
_PROBE_SECONDS = 0.1
_EDITED = ("text", "parse_mode", "entities", "link_preview_options", "reply_markup")
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid", "there is no text in the message to edit")


def check_options(options: Mapping[str, Any], *, queue: bool) -> None:
    """Refuse what a message that is changed later cannot have.

    Raises:
        click.UsageError: an option does not fit.
    """
    given = "--edit" if options["edit"] is not None else "--id-file"
    if options["edit"] is not None and options["id_file"] is not None:
        raise click.UsageError("--id-file finds out by itself which message is to be edited: leave --edit out")
    if options["files"]:
        raise click.UsageError(f"{given} goes with a text, not with --file")
    if queue:
        raise click.UsageError(f"{given} needs the message's id at once, and so does not go with --queue")
    if options["edit"] is not None and (options["reply_to"] is not None or options["thread"] is not None):
        raise click.UsageError("a message that is edited stays where it is: --reply-to and --thread are for new ones")


def keep(bot: Bot, chats: Sequence[Any], calls: Sequence[Call], edit: int | None, id_file: str | None) -> list[dict[str, Any]]:
    """Edit the message of each chat; with a file of ids, send it where there is none yet or it is gone.

    Args:
        bot: who sends.
        chats: where to.
        calls: one call of sendMessage.
        edit: the message's id, or None for those in the file.
        id_file: a file of lines "CHAT ID", which need not exist.

    Raises:
        click.UsageError: the text is too long for one message, or several chats are given where one id is.
        ConfigError: the file cannot be used; what was sent is sent then.
        AlreadyRunning: another command has been at the same file all the time.
    """
    if len(calls) > 1:
        raise click.UsageError("the text is longer than one message (4096 characters), and only one can be kept up to date")
    if edit is not None:
        if len(chats) > 1:
            raise click.UsageError("the id after --edit is that of a message in one chat: give one --chat")
        return [_edit(bot, chats[0], calls[0], edit)]
    assert id_file is not None
    with _alone(id_file):
        return _keep(bot, chats, calls[0], id_file)


def _keep(bot: Bot, chats: Sequence[Any], call: Call, id_file: str) -> list[dict[str, Any]]:
    ids = _read(id_file)
    if any(str(chat) not in ids for chat in chats):
        _write(id_file, ids)  # before anything is sent: what could not be noted would be sent anew each time
    results = []
    for chat in chats:
        results.append(_edit_or_send(bot, chat, call, ids.get(str(chat))))
        if results[-1]["messages"] and results[-1]["messages"][0] != ids.get(str(chat)):
            ids[str(chat)] = results[-1]["messages"][0]
            _write(id_file, ids)
    return results


@contextmanager
def _alone(id_file: str) -> Iterator[None]:
    """Have the file of ids for oneself: of two commands at once each would send a message of its own, and one would be forgotten.

    The lock lies beside the file, which is a new one each time it is written; the system frees it when its holder dies.
    """
    try:
        file = open(f"{os.path.realpath(id_file)}.lock", "a", encoding="ascii", opener=private)  # noqa: SIM115  # the lock is held beyond this block
    except OSError as problem:
        raise ConfigError(f"the id file {id_file} cannot be written: the lock beside it cannot be made ({problem.strerror})") from None
    with file:
        ends_at, pause = time.monotonic() + _TURN_SECONDS, threading.Event()
        while not _locked(file):
            if time.monotonic() >= ends_at:
                raise AlreadyRunning(f"another command has been at the id file {id_file} for {_TURN_SECONDS:.0f} s; this one leaves the message as it is")
            pause.wait(_PROBE_SECONDS)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _edit_or_send(bot: Bot, chat: Any, call: Call, message_id: int | None) -> dict[str, Any]:
    if message_id is not None:
        result = _edit(bot, chat, call, message_id)
        if not any(words in result["error"].lower() for words in _GONE):
            return result
    return deliver(bot, chat, [call])


def _edit(bot: Bot, chat: Any, call: Call, message_id: int) -> dict[str, Any]:
    changes = {name: value for name, value in call[1].items() if name in _EDITED}
    result = deliver(bot, chat, [("editMessageText", {"message_id": message_id, **changes})])
    if "message is not modified" in result["error"].lower():  # it says already what it should
        return {"chat": chat, "ok": True, "messages": [message_id], "error": "", "exit": Exit.OK}
    return result


def _read(path: str) -> dict[str, int]:
    try:
        with open(path, encoding="ascii", opener=opener) as file:
            lines = file.read(_MAX_BYTES).splitlines()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        lines = [""]
    except OSError as problem:
        raise ConfigError(f"the id file {path} cannot be read ({problem.strerror})") from None
    if not all(re.fullmatch(r"\S+ [0-9]{1,16}", line) for line in lines):
        raise ConfigError(f"{path} is no file of message ids (lines of a chat and an id); name another, or one that is not there yet")
    return {chat: int(number) for chat, number in map(str.split, lines)}


def _write(path: str, ids: Mapping[str, int]) -> None:
    """Put a new file in place of the old one in one step: no crash leaves half an id."""
    target = os.path.realpath(path)
    unfinished = f"{target}.{os.getpid()}"
    try:
        with open(unfinished, "w", encoding="ascii", opener=opener) as file:
            file.writelines(f"{chat} {number}\n" for chat, number in ids.items())
        os.replace(unfinished, target)
    except OSError as problem:
        with suppress(OSError):
            os.unlink(unfinished)
        raise ConfigError(f"the id file {path} cannot be written ({problem.strerror})") from None
