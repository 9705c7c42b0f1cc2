"""`Filters.document` and what narrows it down: by MIME type, by its first half, and by the file's name. All of it is what the sender says."""

from __future__ import annotations

from typing import Any

from syncbot.compat.ptb13.filters.base import MessageFilter


class category(MessageFilter):  # named as its users call it
    """Documents whose MIME type begins with this, such as "audio/"."""

    def __init__(self, category: str) -> None:
        self.name = f"Filters.document.category('{category}')"
        self._category = category

    def filter(self, message: Any) -> bool:
        return bool(_document(message)) and (_document(message).mime_type or "").startswith(self._category)


class mime_type(MessageFilter):  # as above
    """Documents of this MIME type."""

    def __init__(self, mimetype: str | None) -> None:
        self.name = f"Filters.document.mime_type('{mimetype}')"
        self.mimetype = mimetype

    def filter(self, message: Any) -> bool:
        return bool(_document(message)) and _document(message).mime_type == self.mimetype


class file_extension(MessageFilter):  # as above
    """Documents whose file name ends with a dot and this; None means those without a dot in their name."""

    def __init__(self, file_extension: str | None, case_sensitive: bool = False) -> None:
        self.is_case_sensitive = case_sensitive
        shown = file_extension if file_extension is None or case_sensitive else file_extension.lower()
        self._ending = None if shown is None else f".{shown}"
        self.name = f"Filters.document.file_extension({shown!r}{', case_sensitive=True' if case_sensitive and shown is not None else ''})"

    def filter(self, message: Any) -> bool:
        document = _document(message)
        if document is None:
            return False
        name = document.file_name or ""
        if self._ending is None:
            return "." not in name
        return (name if self.is_case_sensitive else name.lower()).endswith(self._ending)


class Document(MessageFilter):
    """Messages with a document of any kind; the kinds are its attributes."""

    _name = "Filters.document"
    category = category
    mime_type = mime_type
    file_extension = file_extension

    application = category("application/")
    audio = category("audio/")
    image = category("image/")
    video = category("video/")
    text = category("text/")

    apk = mime_type("application/vnd.android.package-archive")
    doc = mime_type("application/msword")
    docx = mime_type("application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    exe = mime_type("application/x-ms-dos-executable")
    gif = mime_type("video/mp4")
    jpg = mime_type("image/jpeg")
    mp3 = mime_type("audio/mpeg")
    pdf = mime_type("application/pdf")
    py = mime_type("text/x-python")
    svg = mime_type("image/svg+xml")
    txt = mime_type("text/plain")
    targz = mime_type("application/x-compressed-tar")
    wav = mime_type("audio/x-wav")
    xml = mime_type("application/xml")
    zip = mime_type("application/zip")

    def filter(self, message: Any) -> bool:
        return bool(_document(message))


def _document(message: Any) -> Any:
    return getattr(message, "document", None)
