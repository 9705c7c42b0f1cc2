"""Access to the table of the Bot API's methods: what each one takes, what it returns, and whether it is safe to repeat.

`methods.txt` holds the table, generated; it is read when the first method is asked for, and a method is read out of it when that one is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from syncbot.regular import text_beside

_MAIN_FILES = frozenset({"photo", "live_photo", "audio", "document", "video", "animation", "voice", "video_note", "sticker"})
_OWN_CONVENIENCES: Mapping[str, dict[str, tuple[str, ...]]] = MappingProxyType(
    {
        "sendLocation": {"location": ("latitude", "longitude")},
        "editMessageLiveLocation": {"location": ("latitude", "longitude")},
        "sendVenue": {"venue": ("latitude", "longitude", "title", "address")},
        "sendContact": {"contact": ("phone_number", "first_name")},
        "sendMediaGroup": {"caption": (), "parse_mode": (), "caption_entities": ()},
        "sendPoll": {"correct_option_id": ()},
        "answerInlineQuery": {"current_offset": ()},
    }
)
_RENAMED: Mapping[str, str] = MappingProxyType({"close": "close_bot"})
_CARRIERS = ("InputFile", "InputMedia", "InputRichMessage", "InputPaidMedia", "InputPoll", "InputSticker", "InputProfilePhoto", "InputStoryContent")


class ParameterSpec(NamedTuple):
    """One parameter of a method.

    `types` are the Bot API's own words: "Integer", "String", "InputFile", "Array of MessageEntity", …; a value may be of any of them.
    """

    name: str
    types: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class MethodSpec:
    """One method of the Bot API.

    Args:
        name: in the Bot API's spelling, "sendMessage".
        parameters: by name, in the order in which they can be given by position.
        returns: the Bot API's words for what comes back, such as ("Message",), ("Array of Update",) or ("Message", "Boolean").
        repeatable: carrying it out a second time does no harm when nobody knows whether the first try arrived.
        summary: one line on what it does.
        positional: how many of the parameters can be given by position (the same, in the same order, as python-telegram-bot has them).
    """

    name: str
    parameters: Mapping[str, ParameterSpec] = field(repr=False)
    returns: tuple[str, ...]
    repeatable: bool
    summary: str
    positional: int = 0

    @property
    def python_name(self) -> str:
        """The name in Python's spelling, "send_message".

        For the Bot API's `close` it is "close_bot", since `bot.close()` lets go of what the bot itself holds.
        """
        return _python_name(self.name)

    @property
    def only_asks(self) -> bool:
        """It changes nothing, so that its result is all there is to it."""
        return self.name.startswith("get")

    @cached_property
    def sends_to_chat(self) -> bool:
        """It sends something to a chat that has to be named."""
        return self.name.startswith("send") and "chat_id" in self.parameters and self.parameters["chat_id"].required

    @cached_property
    def uploads(self) -> bool:
        """A call of this method can carry files."""
        return any(kind.removeprefix("Array of ").startswith(_CARRIERS) for parameter in self.parameters.values() for kind in parameter.types)

    @cached_property
    def conveniences(self) -> Mapping[str, tuple[str, ...]]:
        """The parameters that python-telegram-bot adds to the method's own, each with the required ones that it stands for."""
        found: dict[str, tuple[str, ...]] = {}
        if "reply_parameters" in self.parameters:
            found |= {"reply_to_message_id": (), "allow_sending_without_reply": ()}
        if "link_preview_options" in self.parameters:
            found["disable_web_page_preview"] = ()
        if self.name.startswith("send") and not _MAIN_FILES.isdisjoint(self.parameters):
            found["filename"] = ()
        return MappingProxyType(found | _OWN_CONVENIENCES.get(self.name, {}))


def snake_case(name: str) -> str:
    """Turn "sendMessage" into "send_message"."""
    return re.sub(r"([A-Z])", lambda capital: "_" + capital[1].lower(), name)


def find_method(name: str) -> MethodSpec | None:
    """Find a method by its name in the Bot API's spelling, in any case (as Telegram does), or in Python's ("send_message"); None for an unknown one."""
    key = name.lower()
    if "_" in key:
        spec = _read(next((own for own, python in _RENAMED.items() if python == key), key.replace("_", "")))
        return spec if spec is not None and spec.python_name == key else None
    return _read(key)


def method_names() -> tuple[str, ...]:
    """The names of all methods, in the Bot API's spelling and order."""
    return tuple(re.findall(r"^(\w+) (?:yes|no) ", _table(), re.MULTILINE))


def python_names() -> dict[str, str]:
    """The names of all methods, from the Bot API's spelling to Python's."""
    return {name: _python_name(name) for name in method_names()}


def _python_name(name: str) -> str:
    return _RENAMED.get(name) or snake_case(name)


@cache
def _table() -> str:
    """It stays one text, which takes less memory than its parts: few methods are ever asked for."""
    return text_beside(__spec__, "methods.txt")


@cache
def _read(key: str) -> MethodSpec | None:
    """Read one block: a line "name yes|no Type|Type", a line of summary, and the parameters ("*" stands before those that go by name only)."""
    found = re.search(rf"^{re.escape(key)} (?:yes|no) .*(?:\n.+)*", _table(), re.MULTILINE | re.IGNORECASE | re.ASCII)
    if found is None:
        return None
    head, summary, *lines = found[0].split("\n")
    name, repeatable, returns = head.split(" ")
    words = " ".join(lines).split()
    positional = words.index("*") if "*" in words else len(words)
    parameters = [_parameter(word) for word in words if word != "*"]
    by_name = MappingProxyType({parameter.name: parameter for parameter in parameters})
    return MethodSpec(name, by_name, _types(returns), repeatable == "yes", summary.strip(), positional)


def _parameter(word: str) -> ParameterSpec:
    name, _, types = word.partition(":")
    return ParameterSpec(name.rstrip("!"), _types(types), name.endswith("!"))


def _types(text: str) -> tuple[str, ...]:
    return tuple("Array of " * kind.count("[]") + kind.replace("[]", "") for kind in text.split("|"))


def check_parameters(spec: MethodSpec, given: Iterable[str], options: Iterable[str] = ()) -> None:
    """Refuse a call that Telegram would misunderstand: it ignores unknown parameters in silence.

    Args:
        spec: the method.
        given: the names of the parameters that have a value.
        options: what else a call takes, which may have been meant.

    Raises:
        TypeError: a name is unknown (the text names the nearest right one), or required ones are missing.
    """
    names = set(given)
    extra = spec.conveniences
    unknown = names.difference(spec.parameters, extra)
    if unknown:
        raise TypeError(_unknown_text(spec, sorted(unknown), [*spec.parameters, *extra], options))
    stood_for = {name for convenience in names.intersection(extra) for name in extra[convenience]}
    missing = [p.name for p in spec.parameters.values() if p.required and p.name not in names and p.name not in stood_for]
    if missing:
        instead = [f"{name}=" for name, replaced in extra.items() if set(missing) & set(replaced)]
        hint = f" (or {' or '.join(instead)})" if instead else ""
        raise TypeError(f"{spec.name} needs {', '.join(missing)}{hint}")


def _unknown_text(spec: MethodSpec, unknown: list[str], known: list[str], options: Iterable[str]) -> str:
    if not known:
        return f"{spec.name} takes no parameters, so not {', '.join(map(repr, unknown))} either"
    hints = [f"{name!r}{nearest(name, [*known, *options])}" for name in unknown]
    return f"{spec.name} has no parameter {', '.join(hints)}"


def unknown_option(what: str, name: str, known: Callable[..., Any]) -> TypeError:
    """The error that an option is which nobody knows, with the one that was probably meant among the parameters of the function `known`."""
    import inspect  # a misspelt name is the exception

    names = [parameter.name for parameter in inspect.signature(known).parameters.values() if parameter.kind is parameter.KEYWORD_ONLY]
    alike = [known_name for known_name in names if known_name[:4] == name[:4]]  # "proxy" means "proxies" rather than "no_proxy"
    return TypeError(f"{what} takes no {name!r}{nearest(name, alike or names)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which of the known names was probably meant: "; did you mean 'chat_id'?", or nothing."""
    import difflib  # a misspelt name is the exception: a right one must not pay for the import

    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""
