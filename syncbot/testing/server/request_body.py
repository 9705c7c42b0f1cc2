"""Parameters and files out of a request's query and body: urlencoded, JSON and multipart, the last one streamed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from syncbot.testing.server.wire import HttpProblem, RequestHead
from syncbot.testing.world.file_store import FileStore, UploadedFile

MAX_FIELDS = 8 << 20
"""Bytes that all parameters of a request together may have, files aside."""

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)


@dataclass
class Form:
    """What a request asked for: parameters as they came, and files."""

    params: dict[str, Any] = field(default_factory=dict)
    files: list[UploadedFile] = field(default_factory=list)


def read_form(head: RequestHead, pieces: Iterator[bytes], store: FileStore) -> Form:
    """Read query and body of a request to the end; raises `HttpProblem` for a body that is not what it says to be."""
    form = Form()
    form.params.update(parse_qsl(urlsplit(head.target).query, keep_blank_values=True))
    read_body(form, head.headers.get("content-type", ""), pieces, store)
    return form


def read_body(form: Form, content_type: str, pieces: Iterator[bytes], store: FileStore) -> None:
    """Read a body into a form; raises `HttpProblem` for one that is not what its type says."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        boundary = _BOUNDARY.search(content_type)
        if boundary is None:
            raise HttpProblem(400, "Bad Request: boundary not found in the Content-Type header")
        _Multipart((boundary[1] or boundary[2]).encode("latin-1"), pieces, form, store).read()
        return
    body = _collect(pieces)
    if kind == "application/json":
        form.params.update(_json_object(body))
    elif kind in ("application/x-www-form-urlencoded", ""):
        try:
            form.params.update(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10_000))
        except ValueError:
            raise HttpProblem(400, "Bad Request: strings must be encoded in UTF-8") from None


def _collect(pieces: Iterator[bytes]) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > MAX_FIELDS:
            raise HttpProblem(413, "Request Entity Too Large")
    return bytes(body)


def _json_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HttpProblem(400, "Bad Request: can't parse the request body as a JSON object")
    return value


class _Multipart:
    """A streaming reader: holds one piece and a tail as long as the delimiter, and hands files to the store as they arrive."""

    def __init__(self, boundary: bytes, pieces: Iterator[bytes], form: Form, store: FileStore) -> None:
        self._pieces = pieces
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # so that the first delimiter looks like the others
        self._form = form
        self._store = store
        self._field_bytes = 0

    def read(self) -> None:
        for _ in self._until_delimiter():
            pass  # what stands before the first part means nothing
        while self._more_parts():
            self._part()
        for _ in self._pieces:
            pass  # what follows the last part means nothing, but has to leave the wire

    def _fill(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise HttpProblem(400, "Bad Request: the multipart body ends too soon")
        self._buffer += piece

    def _need(self, count: int) -> None:
        while len(self._buffer) < count:
            self._fill()

    def _more_parts(self) -> bool:
        self._need(2)
        ending = bytes(self._buffer[:2])
        del self._buffer[:2]
        if ending not in (b"\r\n", b"--"):
            raise HttpProblem(400, "Bad Request: broken multipart delimiter")
        return ending == b"\r\n"

    def _until_delimiter(self) -> Iterator[bytes]:
        keep = len(self._delimiter) - 1
        while (at := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > keep:
                yield bytes(self._buffer[:-keep])
                del self._buffer[:-keep]
            self._fill()
        if at:
            yield bytes(self._buffer[:at])
        del self._buffer[: at + len(self._delimiter)]

    def _part_head(self) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > 16_384:
                raise HttpProblem(400, "Bad Request: the head of a part is too large")
            self._fill()
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 2]  # one line end stays, so that an empty part still has its delimiter
        return head

    def _part(self) -> None:
        head = self._part_head()
        disposition: dict[str, str] = {}
        content_type = ""
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-disposition":
                disposition = _disposition(value)
            elif name.strip().lower() == b"content-type":
                content_type = value.strip().decode("latin-1")
        if not disposition.get("name"):
            raise HttpProblem(400, "Bad Request: a part has no name")
        pieces = self._content()
        if "filename" in disposition:
            self._form.files.append(self._store.receive(disposition["name"], disposition["filename"], content_type, pieces))
        else:
            self._form.params[disposition["name"]] = self._text(pieces)

    def _content(self) -> Iterator[bytes]:
        skip = 2  # the line end that `_part_head` left
        for piece in self._until_delimiter():
            if skip:
                piece, skip = piece[skip:], max(0, skip - len(piece))
            if piece:
                yield piece

    def _text(self, pieces: Iterator[bytes]) -> str:
        value = bytearray()
        for piece in pieces:
            self._field_bytes += len(piece)
            if self._field_bytes > MAX_FIELDS:
                raise HttpProblem(413, "Request Entity Too Large")
            value += piece
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise HttpProblem(400, "Bad Request: strings must be encoded in UTF-8") from None


def _disposition(header: bytes) -> dict[str, str]:
    """The values of a Content-Disposition as Telegram's server reads them.

    Each is URL-decoded, quoted or not; one without quotes reaches to the next semicolon; extended ones (`filename*`) mean nothing to it.
    """
    kind, _, rest = header.strip().partition(b";")
    if kind.strip() != b"form-data":
        raise HttpProblem(400, "Bad Request: expected form-data content disposition")
    found: dict[str, str] = {}
    while b"=" in rest:
        key, _, rest = rest.partition(b"=")
        rest = rest.lstrip()
        if rest.startswith(b'"'):
            match = _QUOTED.match(rest)
            if match is None:
                raise HttpProblem(400, "Bad Request: unclosed quoted string in Content-Disposition header")
            value, (after, _, rest) = re.sub(rb"\\(.)", rb"\1", match[1], flags=re.DOTALL), rest[match.end() :].partition(b";")
            if after.strip():
                raise HttpProblem(400, "Bad Request: expected ';' in Content-Disposition header")
        else:
            value, _, rest = rest.partition(b";")
        found[key.strip().decode("latin-1")] = unquote_to_bytes(value.strip()).decode("utf-8", "replace")
    return found
