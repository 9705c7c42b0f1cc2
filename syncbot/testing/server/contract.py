"""What the Bot API's table of methods says about a call: its right name, its values' types, and what is unknown or missing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncbot.testing.server import older_names

if TYPE_CHECKING:
    from syncbot.client.api.table import MethodSpec

_DECIMAL = re.compile(r"-?\d{1,18}\.\d*")
"""A decimal, of which the server takes the part before the point where it wants an integer."""
_EMPTY_MEANS_SOMETHING = ("setWebhook", "url")
"""Documented as required; without it the webhook is taken away."""

OLDER_PARAMETERS = frozenset({"reply_to_message_id", "allow_sending_without_reply", "disable_web_page_preview"})
"""Parameters that later versions of the Bot API replaced and that Telegram still understands."""


@dataclass(frozen=True)
class Checked:
    """A call compared with the table.

    Args:
        spec: the method; None for an unknown one.
        params: the values, decoded by the types that the table gives.
        unknown: names that the method does not have.
        missing: required names without a value.
        ill_typed: names whose value fits none of the types.
    """

    spec: MethodSpec | None
    params: dict[str, Any]
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ill_typed: tuple[str, ...] = ()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Those of the ill-typed values that have the wrong structure, so that no method can use them."""
        return tuple(name for name in self.ill_typed if isinstance(self.params[name], list | dict) or self._wants_structure(name))

    def _wants_structure(self, name: str) -> bool:
        kinds = self.spec.parameters[name].types if self.spec is not None else ()
        return not any(kind in ("Integer", "Float", "String", "Boolean", "True", "InputFile") for kind in kinds)


def find_spec(name: str) -> MethodSpec | None:
    """The method of this name, in any case; None for an unknown one."""
    from syncbot.client.api.table import find_method

    return None if "_" in name else find_method(older_names.METHODS.get(name.lower(), name))


def check(name: str, raw: Mapping[str, Any], uploaded: frozenset[str]) -> Checked:
    """Compare a call with the table.

    Args:
        name: the method as the client wrote it.
        raw: the parameters as they came, strings where they came in a form.
        uploaded: the names of the form fields that hold files.
    """
    spec = find_spec(name)
    raw, uploaded = older_names.translated(spec, raw, uploaded)
    if spec is None:
        return Checked(None, {key: _guess(value) for key, value in raw.items()})
    known = spec.parameters
    params: dict[str, Any] = {}
    unknown, ill_typed = [], []
    for key, value in raw.items():
        parameter = known.get(key)
        if parameter is None:
            params[key] = _guess(value)
            if key not in OLDER_PARAMETERS:
                unknown.append(key)
            continue
        params[key] = _decode(value, parameter.types)
        if params[key] is not None and not any(_fits(params[key], kind) for kind in parameter.types):
            ill_typed.append(key)
    needed = (key for key, parameter in known.items() if parameter.required and (spec.name, key) != _EMPTY_MEANS_SOMETHING)
    missing = tuple(key for key in needed if params.get(key) in (None, "") and key not in uploaded)
    return Checked(spec, params, tuple(unknown), missing, tuple(ill_typed))


def _guess(value: Any) -> Any:
    """Decode a string that is plainly JSON; anything else stays as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return _json(value)
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _decode(value: Any, types: tuple[str, ...]) -> Any:
    if isinstance(value, float) and types == ("Integer",) and math.isfinite(value):
        return int(value)
    if not isinstance(value, str):
        # Telegram takes the JSON text of a number where it wants a string
        return json.dumps(value) if types == ("String",) and isinstance(value, int | float) else value
    plain = value.strip()
    for kind in types:
        if kind == "Integer" and _is_number(plain, int):
            return int(plain)
        if types == ("Integer",) and _DECIMAL.fullmatch(plain):
            return int(plain.partition(".")[0])
        if kind == "Float" and _is_number(plain, float):
            return float(plain)
        if kind == "Boolean":
            return _boolean(plain, value)
        if kind not in ("Integer", "Float", "String", "InputFile") and plain[:1] in ("{", "[", '"'):
            return _json(plain)
    return value


def _boolean(plain: str, value: str) -> Any:
    """Telegram takes true, yes and 1 as true, and anything else as false."""
    if plain.lower() in ("true", "yes", "1"):
        return True
    return False if plain.lower() in ("false", "no", "0", "") else value


def _is_number(text: str, kind: type[int] | type[float]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return len(text) < 400


def _fits(value: Any, kind: str) -> bool:
    if kind in ("String", "InputFile", "InputPollOption"):  # the server takes a poll's option as its text alone, too
        return isinstance(value, str) or (kind == "InputPollOption" and isinstance(value, dict))
    if kind == "Integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "Float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("Boolean", "True"):
        return isinstance(value, bool)
    if kind.startswith("Array of "):
        inner = kind.removeprefix("Array of ")
        return isinstance(value, list) and all(_fits(item, inner) for item in value)
    return isinstance(value, dict)
