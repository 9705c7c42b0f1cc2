"""Looks into the variables of frames for secrets, as Sentry, rich and `pytest --showlocals` would show them."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from urllib.parse import quote, quote_plus

LIBRARIES = ("/syncbot/", "/requests/", "/urllib3/", "/http/client.py", "/ssl.py", "/socks.py", "/dotenv/")
NOT_OURS = ("/syncbot/testing/",)
MADE_FOR_IT = ("/syncbot/secret.py", "/syncbot/redact.py", "/syncbot/logs.py")
"""What keeps secrets, and what looks for them in texts, cannot do so without a variable; nothing is raised or logged from there."""


def spellings(*secrets: str, user: str = "") -> set[str]:
    """The forms in which a secret could be shown."""
    found: set[str] = set()
    for secret in secrets:
        found |= {secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1], repr(secret.encode())[2:-1]}
        for lead in (f"{user}:", "", "x", "xx"):  # base64 depends on how many bytes come before
            text = base64.b64encode(f"{lead}{secret}".encode()).decode()
            found.add(text.rstrip("=")[4:-1])
    return found


def is_watched(frame: FrameType) -> bool:
    """Whether a frame is ours, or of a library that works for us."""
    name = frame.f_code.co_filename
    return any(part in name for part in LIBRARIES) and not any(part in name for part in NOT_OURS + MADE_FOR_IT)


def shown(frame: FrameType) -> Iterator[tuple[str, str]]:
    """What the variables of a frame show, and the attributes of its `self`."""
    values = dict(frame.f_locals)
    own = values.get("self")
    for name, value in [*values.items(), *((f"self.{name}", value) for name, value in getattr(own, "__dict__", {}).items())]:
        try:
            text = repr(value)
        except Exception:  # an object that is not made yet
            continue
        yield f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}: {name}", text


def leaks_of(error: BaseException, secrets: set[str]) -> set[str]:
    """Which variables of all the frames that an error, its causes and its contexts came through show a secret; those of tests left out."""
    found: set[str] = set()
    waiting, seen = [error], set[int]()
    while waiting:
        problem = waiting.pop()
        if id(problem) in seen:
            continue
        seen.add(id(problem))
        waiting += [linked for linked in (problem.__cause__, problem.__context__) if linked is not None]
        trace = problem.__traceback__
        while trace is not None:
            if "/tests/" not in trace.tb_frame.f_code.co_filename:
                found |= {place for place, text in shown(trace.tb_frame) if any(secret in text for secret in secrets)}
            trace = trace.tb_next
        found |= {f"{type(problem).__name__}: its text" for secret in secrets if secret in f"{problem!r} {problem} {vars(problem)!r}"}
    return found


@contextmanager
def watched(secrets: set[str]) -> Iterator[tuple[set[str], set[str]]]:
    """Look at the variables of this thread's frames whenever one calls into C or returns; gives what showed a secret, and which functions were seen."""
    found: set[str] = set()
    functions: set[str] = set()

    def look(frame: FrameType, event: str, _argument: Any) -> None:
        if event in ("return", "c_call") and is_watched(frame):
            functions.add(frame.f_code.co_name)
            found.update(place for place, text in shown(frame) if any(secret in text for secret in secrets))

    sys.setprofile(look)
    try:
        yield found, functions
    finally:
        sys.setprofile(None)
