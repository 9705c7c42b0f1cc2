"""How the Bot API's types are written in Python: the annotations of the generated stub, and of the signatures that `help()` shows."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from syncbot.client.api.table import MethodSpec, ParameterSpec

_PLAIN = {"Integer": "int", "String": "str", "Boolean": "bool", "Float": "float"}
# What speaks of newer things than python-telegram-bot 22.8 knows; such values are given as dicts, and come back as dicts.
_NOT_IN_TELEGRAM = frozenset({"EphemeralMessageParameters", "InputRichMessage"})
FILE = "str | bytes | PathLike[str] | IO[bytes] | telegram.InputFile"
_FILE_OBJECTS = {
    "photo": "PhotoSize",
    "live_photo": "LivePhoto",
    "audio": "Audio",
    "document": "Document",
    "video": "Video",
    "animation": "Animation",
    "voice": "Voice",
    "video_note": "VideoNote",
    "sticker": "Sticker",
    "cover": "PhotoSize",
}
# What python-telegram-bot takes beside the documented type, by method and parameter.
_ALSO = {
    ("sendMediaGroup", "media"): "Sequence[telegram.InputMedia | Mapping[str, Any]]",
    ("answerInlineQuery", "results"): (
        "Sequence[telegram.InlineQueryResult | Mapping[str, Any]] | Callable[[int], Sequence[telegram.InlineQueryResult | Mapping[str, Any]] | None]"
    ),
    ("sendPoll", "options"): "Sequence[str | telegram.InputPollOption | Mapping[str, Any]]",
    ("setMyCommands", "commands"): "Sequence[telegram.BotCommand | tuple[str, str] | Mapping[str, Any]]",
    ("setMessageReaction", "reaction"): ("str | telegram.ReactionType | Mapping[str, Any] | Sequence[str | telegram.ReactionType | Mapping[str, Any]]"),
}
_CONVENIENT = {
    "reply_to_message_id": "int",
    "allow_sending_without_reply": "bool",
    "disable_web_page_preview": "bool",
    "filename": "str",
    "location": "telegram.Location | Mapping[str, Any]",
    "venue": "telegram.Venue | Mapping[str, Any]",
    "contact": "telegram.Contact | Mapping[str, Any]",
    "caption": "str",
    "parse_mode": "str",
    "caption_entities": "Sequence[telegram.MessageEntity | Mapping[str, Any]]",
    "correct_option_id": "int",
    "current_offset": "str",
}
_OPTIONS = {
    "timeout": "float",
    "deadline": "float",
    "progress": "Callable[[int, int], object]",
    "api_kwargs": "Mapping[str, Any]",
    "ttl": "float | timedelta",
    "not_before": "float | datetime | timedelta",
    "connection": "object",
}
QUEUE_OPTIONS = ("ttl", "not_before", "connection", "api_kwargs")
"""The options of a call that is queued."""


def options(spec: MethodSpec) -> tuple[str, ...]:
    """The options of a call that are ours, not Telegram's; where Telegram has a parameter of the same name (the `timeout` of getUpdates), that one is meant."""
    names = ("timeout", "deadline", "progress", "api_kwargs") if spec.uploads else ("timeout", "deadline", "api_kwargs")
    return tuple(name for name in names if name not in spec.parameters)


def optional(spec: MethodSpec, parameter: ParameterSpec) -> bool:
    """A parameter can be left out: Telegram does not need it, or another one (`location=`) can stand for it."""
    return not parameter.required or any(parameter.name in replaced for replaced in spec.conveniences.values())


def annotation(spec: MethodSpec, parameter: ParameterSpec) -> str:
    """Write what a parameter takes."""
    if special := _ALSO.get((spec.name, parameter.name)):
        return special
    if "InputFile" in parameter.types:
        known = _FILE_OBJECTS.get(parameter.name)
        return f"{FILE} | telegram.{known}" if known else FILE
    return " | ".join(_taken(parameter.types, parameter.name))


def _taken(kinds: Iterable[str], name: str) -> list[str]:
    """Write a union, with the dict that stands for any of its objects at the end, once."""
    words = dict.fromkeys(_word(kind, name) for kind in kinds)
    if any(word.startswith("telegram.") for word in words):
        words.pop("Mapping[str, Any]", None)
        words["Mapping[str, Any]"] = None
    return list(words)


def _word(kind: str, name: str) -> str:
    if kind.startswith("Array of "):
        return f"Sequence[{' | '.join(_taken([kind.removeprefix('Array of ')], ''))}]"
    if kind == "Integer" and name.endswith("_date"):
        return "int | datetime | timedelta"
    if kind == "Integer" and (name.endswith(("_period", "timestamp")) or name in ("duration", "cache_time", "timeout")):
        return "float | timedelta"
    if kind in _PLAIN:
        return _PLAIN[kind]
    return "Mapping[str, Any]" if kind in _NOT_IN_TELEGRAM else f"telegram.{kind}"


def result_annotation(spec: MethodSpec) -> str:
    """Write what a method returns."""
    return " | ".join(_given(kind) for kind in spec.returns)


def _given(kind: str) -> str:
    if kind.startswith("Array of "):
        return f"tuple[{_given(kind.removeprefix('Array of '))}, ...]"
    if kind in _PLAIN:
        return _PLAIN[kind]
    return "dict[str, Any]" if kind in _NOT_IN_TELEGRAM else f"telegram.{kind}"


def written_parameters(spec: MethodSpec, own_options: Iterable[str] | None = None) -> list[tuple[str, str, bool, bool]]:
    """All that a method takes, as (name, annotation, can be left out, by name only), in the order of the signature; None takes the usual options."""
    own = list(spec.parameters.values())
    rows = [(p.name, annotation(spec, p), optional(spec, p), place >= spec.positional) for place, p in enumerate(own)]
    rows += [(name, _CONVENIENT[name], True, True) for name in spec.conveniences]
    return rows + [(name, _OPTIONS[name], True, True) for name in (options(spec) if own_options is None else own_options)]


def signature(spec: MethodSpec) -> inspect.Signature:
    """Build the signature of a method, `self` included."""
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for name, written, left_out, by_name in written_parameters(spec):
        kind = inspect.Parameter.KEYWORD_ONLY if by_name else inspect.Parameter.POSITIONAL_OR_KEYWORD
        if left_out:
            parameters.append(inspect.Parameter(name, kind, default=None, annotation=f"{written} | None"))
        else:
            parameters.append(inspect.Parameter(name, kind, annotation=written))
    return inspect.Signature(parameters, return_annotation=result_annotation(spec))
