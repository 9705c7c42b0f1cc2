"""The files of `syncbot send`: which method sends which, albums, and a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncbot.cli.console.progress import ProgressBar
from syncbot.client.encode import MAX_PHOTO_BYTES, MAX_UPLOAD_BYTES
from syncbot.client.uploads import MEGABYTE
from syncbot.regular import opener

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

Call = tuple[str, dict[str, Any]]
"""A method and its parameters, the chat left out."""

_KIND_BY_ENDING = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp"), "photo"),
    **dict.fromkeys((".mp4", ".m4v", ".mov"), "video"),
    **dict.fromkeys((".mp3", ".m4a"), "audio"),
    **dict.fromkeys((".ogg", ".oga", ".opus"), "voice"),
    ".gif": "animation",
}
_METHODS = {
    "photo": "sendPhoto",
    "video": "sendVideo",
    "audio": "sendAudio",
    "voice": "sendVoice",
    "animation": "sendAnimation",
    "document": "sendDocument",
}
_ALBUMS = {"photo": "seen", "video": "seen", "audio": "audio", "document": "document"}  # what may stand together in one album
_BY_STANDARD_INPUT = "stdin"
_MOST_IN_ALBUM = 10  # https://core.telegram.org/bots/api#sendmediagroup


def file_calls(files: Sequence[str], kind: str | None, caption: dict[str, Any], name: str | None = None) -> list[Call]:
    """The calls that send files, in their order; neighbours that fit together become albums.

    Args:
        files: their paths; "-" is standard input.
        kind: send all of them as this; None goes by their names.
        caption: the parameters of the caption, which goes below the first file.
        name: what the one file is called in the chat; None for its own name.

    Raises:
        click.UsageError: one of them is missing, unreadable, empty or too large, or several are given with one name or with standard input.
    """
    if "-" in files or name is not None:
        if len(files) > 1:
            raise click.UsageError("--name and standard input go with one file")
        return [_lone_call(files[0], kind, caption, name)]
    pairs = [(name, kind or kind_of(name, _size(name))) for name in files]
    for name, its_kind in pairs:
        _check(name, its_kind)
    calls: list[Call] = []
    for album, group in groupby(pairs, key=lambda pair: _ALBUMS.get(pair[1])):
        run = list(group)
        for part in _parts(run) if album else [[pair] for pair in run]:
            calls.append(_call(part, caption))
            caption = {}
    return calls


def _lone_call(file: str, kind: str | None, caption: dict[str, Any], name: str | None) -> Call:
    shown = _BY_STANDARD_INPUT if name is None and file == "-" else name or file
    if file == "-":
        data = _from_stdin()
        chosen = kind or kind_of(shown, len(data))
        _check_size(shown, len(data), chosen)
        return _METHODS[chosen], {chosen: data, "filename": shown, **caption}
    chosen = kind or kind_of(shown, _size(file))
    _check(file, chosen)
    return _METHODS[chosen], {chosen: Path(file), "filename": shown, **caption}


def _from_stdin() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("--file -: standard input brings no file; for example tar cz . | syncbot send --file - --name all.tar.gz")
    data: bytes = sys.stdin.buffer.read(MAX_UPLOAD_BYTES + 1)
    return data


def kind_of(name: str, size: int) -> str:
    """What a file is sent as, by its name; a photo that is too large for one goes as a document."""
    kind = _KIND_BY_ENDING.get(os.path.splitext(name)[1].lower(), "document")
    if kind == "photo" and size > MAX_PHOTO_BYTES:
        return "document"
    return kind


def _size(name: str) -> int:
    return os.path.getsize(name) if os.path.exists(name) else 0


def _check(name: str, kind: str) -> None:
    shown = _shown(name)
    try:
        with open(name, "rb", opener=opener) as file:
            size = os.fstat(file.fileno()).st_size
    except OSError as problem:
        raise click.UsageError(f"--file: {shown} cannot be read ({problem.strerror})") from None
    _check_size(shown, size, kind)


def _check_size(shown: str, size: int, kind: str) -> None:
    limit = MAX_PHOTO_BYTES if kind == "photo" else MAX_UPLOAD_BYTES
    if size == 0:
        raise click.UsageError(f"--file: {shown} is empty, and Telegram takes no empty files")
    if size > limit:
        raise click.UsageError(f"--file: {shown} has more than the {limit // MEGABYTE} MB that may be sent as a {kind}")


def _parts(run: list[tuple[str, str]]) -> Iterable[list[tuple[str, str]]]:
    """Albums of even size: eleven files are six and five, since a lone one could not be one."""
    count = -(-len(run) // _MOST_IN_ALBUM)
    for place in range(count):
        yield run[place * len(run) // count : (place + 1) * len(run) // count]


def _call(part: list[tuple[str, str]], caption: dict[str, Any]) -> Call:
    if len(part) == 1:
        name, kind = part[0]
        return _METHODS[kind], {kind: Path(name), "filename": _shown(name).rpartition("/")[2], **caption}
    media: list[dict[str, Any]] = [{"type": kind, "media": Path(name)} for name, kind in part]
    media[0] |= caption
    return "sendMediaGroup", {"media": media}


def _shown(name: str) -> str:
    """The name for people, whatever the locale made of it."""
    return os.fsencode(name).decode("utf-8", "replace")


def upload(bot: Bot, method: str, chat: Any, parameters: dict[str, Any], progress: bool | None = None) -> Any:
    """Make a call that carries files, with a bar where somebody looks on, or as `progress` says.

    Raises:
        click.UsageError: a file changed under us.
        SyncBotError: as any call.
    """
    with ProgressBar(_label(parameters), progress) as bar:
        try:
            return bot.call(method, chat_id=chat, progress=bar.show if bar.visible else None, **parameters)
        except (OSError, ValueError) as problem:
            reason = f"{problem.filename}: {problem.strerror}" if isinstance(problem, OSError) else str(problem)
    raise click.UsageError(f"--file: {reason}")


def _label(parameters: dict[str, Any]) -> str:
    return str(parameters.get("filename") or f"{len(parameters['media'])} files")
