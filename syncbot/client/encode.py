"""Turn the parameters of a call into the body of its request.

python-telegram-bot's objects are recognised by what they can do (`to_dict`, `file_id`, …), so that a call without any of them loads no telegram.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from syncbot.client.api.convenience import expand
from syncbot.client.api.table import MethodSpec
from syncbot.secret import Secret
from syncbot.types import Body

if TYPE_CHECKING:
    from syncbot.client.uploads import FilePart, Progress, Source

_MEGABYTE = 1024 * 1024
MAX_UPLOAD_BYTES = 50 * _MEGABYTE
"""The most bytes of one file that the official server takes (https://core.telegram.org/bots/api#sending-files)."""
MAX_PHOTO_BYTES = 10 * _MEGABYTE
"""The same, for a photo."""
MAX_LOCAL_UPLOAD_BYTES = 2000 * _MEGABYTE
"""The most bytes of one file that a local server takes."""

_PLAIN_TYPES = frozenset({"Integer", "String", "Boolean", "Float"})
_FILE_KEYS = frozenset({"media", "thumbnail", "cover", "photo", "live_photo", "animation", "video", "sticker", "audio", "document", "voice", "video_note"})
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+")
_EXACT_FLOAT = 2**53
_KEYBOARD = "; syncbot.keyboards makes them of lists: keyboards.inline([[…]]), keyboards.reply([[…]])"
_BAD_TEXT = "a text holds half of a surrogate pair, which no encoding can express; take it out or decode the text properly"


@dataclass(frozen=True)
class Encoded:
    """The parameters of a call, ready to be written: texts by name, and the files beside them."""

    fields: dict[str, str] = field(repr=False)
    files: tuple[FilePart, ...] = ()


def encode(spec: MethodSpec | None, parameters: Mapping[str, Any], *, local: bool = False) -> Encoded:
    """Turn the parameters of a call into texts and files.

    None, and python-telegram-bot's DEFAULT_NONE, count as not given. A datetime without a zone is UTC; a timedelta is seconds, and counts
    from now where the parameter is a date (`until_date=timedelta(hours=1)`). Files: a `Path` (a `str` is a file id or URL), bytes, an open
    binary file, `telegram.InputFile`, or an object that has a `file_id`; alone or anywhere inside objects, dicts and lists.

    Args:
        spec: the method; None for one that the table does not know, whose parameters go out as they are.
        parameters: values by name, the conveniences among them.
        local: the server is a local one, which can read this machine's files: an absolute path may be given as a `str`, and is not uploaded.

    Raises:
        TypeError: a value is of a kind that no parameter takes, or a file stands where none can.
        ValueError: a value cannot be expressed (NaN, endless nesting, a convenience beside what it stands for), or a file is empty or too large.
        OSError: a file is missing (FileNotFoundError), unreadable (PermissionError) or a folder (IsADirectoryError).
    """
    values = {name: value for name, given in parameters.items() if (value := _resolved(given)) is not None}
    if spec is not None:
        values = expand(spec.name, values)
    encoder = _Encoder(spec, local)
    try:
        return encoder.encode(values)
    except RecursionError:
        raise ValueError("a parameter is nested too deeply, or holds itself") from None


def body(encoded: Encoded, progress: Progress | None = None) -> tuple[str, bytes | Body]:
    """Write the body of a request: JSON without files (half the bytes of a form for most scripts), a multipart form that streams with them.

    Args:
        encoded: what `encode` returned.
        progress: told the bytes sent and their total while files are sent.

    Returns:
        The content type, and the body.

    Raises:
        ValueError: a text cannot be written in UTF-8.
    """
    try:
        if encoded.files:
            from syncbot.client.uploads import MultipartBody  # deferred: most bots send no files

            form = MultipartBody(encoded.fields, encoded.files, progress)
            return form.content_type, form
        return "application/json", _dump(encoded.fields).encode()
    except UnicodeEncodeError:
        raise ValueError(_BAD_TEXT) from None


def _resolved(value: Any) -> Any:
    """Look into python-telegram-bot's DefaultValue, which stands for "not given" or for a default."""
    return value.value if type(value).__name__ == "DefaultValue" and hasattr(value, "value") else value


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class _Encoder:
    """The encoding of one call; collects the files that are found on the way."""

    def __init__(self, spec: MethodSpec | None, local: bool) -> None:
        self._spec = spec
        self._local = local
        self._files: list[FilePart] = []

    def encode(self, values: dict[str, Any]) -> Encoded:
        filename = values.pop("filename", None) if self._spec is not None and "filename" in self._spec.conveniences else None
        fields: dict[str, str] = {}
        for name, value in values.items():
            text = self._text(name, value, filename)
            if text is not None:
                fields[name] = text
        return Encoded(fields, tuple(self._files))

    def _text(self, name: str, value: Any, filename: str | None) -> str | None:
        """Write one parameter; None where it went to the files."""
        kind = type(value)
        if kind is Secret:
            return str(value.reveal())
        if kind is int:
            return str(value)
        if kind is bool:
            return "true" if value else "false"
        if kind is str:
            return self._file_text(name, value) if name in _FILE_KEYS else value
        types = self._types(name)
        if (source := self._source(value, name, name)) is not None:
            if types is not None and "InputFile" not in types:
                raise TypeError(f"{name} takes {' or '.join(types)}, not a file")
            main = name not in ("thumbnail", "cover")
            self._add(name, name, value, source, filename if main else None)
            return None
        if types is not None and "InputFile" in types and isinstance(value, tuple | list):
            raise TypeError(f"{name} takes one file; of a photo's sizes give one, the last being the largest")
        if types is not None and isinstance(value, tuple | list) and not any(one.startswith("Array of ") for one in types):
            raise TypeError(f"{name} takes {' or '.join(types)}, not a {kind.__name__}{_KEYBOARD if name == 'reply_markup' else ''}")
        if types is not None and _PLAIN_TYPES.issuperset(types) and _is_object(value):
            raise TypeError(f"{name} takes {' or '.join(types)}, not {kind.__name__}")
        plain = self._plain(value, name)
        if isinstance(plain, str):
            return plain
        if isinstance(plain, float) and plain.is_integer() and abs(plain) < _EXACT_FLOAT:
            plain = int(plain)  # "5.0" is no Integer to Telegram, and "5" is a Float too
        return _dump(plain)

    def _types(self, name: str) -> tuple[str, ...] | None:
        parameter = self._spec.parameters.get(name) if self._spec is not None else None
        return parameter.types if parameter is not None else None

    def _plain(self, value: Any, key: str) -> Any:
        """Turn a value into what JSON can say; `key` is the name that it stands under."""
        kind = type(value)
        if kind is str:
            return self._file_text(key, value) if key in _FILE_KEYS else value
        if kind is int or kind is bool or value is None:
            return value
        if kind is dict:
            return self._plain_dict(value)
        if kind is list or kind is tuple:
            return [self._plain(_resolved(item), key) for item in value]
        return self._plain_other(value, key)

    def _plain_other(self, value: Any, key: str) -> Any:
        if isinstance(value, Enum):
            return self._plain(value.value, key)
        if isinstance(value, str | int):
            return str(value) if isinstance(value, str) else int(value)
        if isinstance(value, float):
            return _finite(value, key)
        if isinstance(value, datetime):
            return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
        if isinstance(value, timedelta):
            return _seconds(value, key)
        if isinstance(file_id := getattr(value, "file_id", None), str):
            return file_id
        if (source := self._source(value, key, key)) is not None:
            return self._attached(key, value, source)
        if callable(to_dict := getattr(value, "to_dict", None)):
            return self._plain(to_dict(), key)
        if isinstance(value, Mapping):
            return self._plain_dict(value)
        if hasattr(type(value), "__index__"):
            return int(value)
        if isinstance(value, Iterable):
            return [self._plain(_resolved(item), key) for item in value]
        raise TypeError(f"{key}: Telegram cannot be sent a {type(value).__name__}")

    def _plain_dict(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        # The limit for photos holds for the media of an object that says it is one.
        is_photo = values.get("type") == "photo"
        for name, given in values.items():
            value = _resolved(given)
            if value is None:
                continue
            key = str(name.value) if isinstance(name, Enum) else str(name)
            if is_photo and key == "media" and (source := self._source(value, key, "photo")) is not None:
                result[key] = self._attached("photo", value, source)
            else:
                result[key] = self._plain(value, key)
        return result

    def _attached(self, key: str, value: Any, source: Source) -> str:
        """Put a file beside the JSON that speaks of it."""
        name = f"file{len(self._files)}"
        self._add(name, key, value, source, None)
        return f"attach://{name}"

    def _add(self, field_name: str, parameter: str, value: Any, source: Source, filename: str | None) -> None:
        from syncbot.client.uploads import FilePart, safe_filename  # deferred, as above

        own = os.fspath(value) if hasattr(value, "__fspath__") else getattr(value, "name", None)
        known = filename or getattr(value, "filename", None) or own
        given = os.fsdecode(known) if isinstance(known, str | bytes) else ""
        mime = getattr(value, "mimetype", None)
        content_type = mime if isinstance(mime, str) and _MIME.fullmatch(mime) else "application/octet-stream"
        self._files.append(FilePart(field_name, safe_filename(given, parameter), source, content_type))

    def _source(self, value: Any, what: str, limited_as: str) -> Source | None:
        """Find the bytes of a value that is a file; None for any other value."""
        limit = MAX_LOCAL_UPLOAD_BYTES if self._local else MAX_PHOTO_BYTES if limited_as == "photo" else MAX_UPLOAD_BYTES
        content = getattr(value, "input_file_content", value)  # telegram.InputFile holds bytes, or an open file
        is_bytes, is_path = isinstance(content, bytes | bytearray | memoryview), hasattr(content, "__fspath__")
        if not (is_bytes or is_path or callable(getattr(content, "read", None))):
            return None
        from syncbot.client.uploads import bytes_source, file_source, path_source  # deferred, as above

        if is_bytes:
            return bytes_source(bytes(content), what, limit)
        return path_source(content, what, limit) if is_path else file_source(content, what, limit)

    def _file_text(self, key: str, text: str) -> str:
        """Let a file id or URL pass; an absolute path means a file of this machine, which only a local server can read itself."""
        if not text.startswith(("/", "file://")):
            if "." in text and "://" not in text and os.path.isfile(text):  # no file id has a point in it, and Telegram's words for this help nobody
                raise ValueError(f"{key}: {text!r} is a str, which names a file id or a URL; to upload the file that lies here, give pathlib.Path({text!r})")
            return text
        if not self._local:
            # Never upload what a str names: it may have come from a user. (InputMedia and its kin make such a str of every path they are given.)
            raise ValueError(
                f"{key}: {text!r} is a str that names a file of this machine, which only a local server takes; to upload it, give the pathlib.Path"
                " itself, alone or in a dict such as {'type': 'photo', 'media': Path(…)}, or telegram.InputFile(file, read_file_handle=False)"
            )
        from pathlib import PurePosixPath  # only here: most programs never come by

        return PurePosixPath(text).as_uri() if text.startswith("/") else text


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping) or (hasattr(value, "to_dict") and not isinstance(getattr(value, "file_id", None), str))


def _finite(value: float, key: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{key}: {value} is not a number that JSON can express")
    return float(value)


def _seconds(value: timedelta, key: str) -> float:
    seconds = value.total_seconds()
    if key.endswith("_date"):
        return int(time.time() + seconds)
    return int(seconds) if seconds.is_integer() else seconds
