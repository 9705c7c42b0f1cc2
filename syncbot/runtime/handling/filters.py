"""Which updates a handler wants.

```python
@app.message(filters.TEXT & ~filters.COMMAND & filters.PRIVATE)
@app.message(filters.regex(r"^\\d+$") | (lambda update: update.message.dice is not None))
```

Filters combine with `&`, `|` and `~`, with each other, with plain functions `f(update)` and `f(update, context)`, and with any object that
has `check_update(update)` (python-telegram-bot's own filters); `~as_filter(f)` is the contrary of a plain function. They look at the message
of an update, whichever kind brought it; for a pressed button, at the message under it. A guest message is in no chat, for the chat filters.
"""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, Union

from syncbot.runtime.handling.kinds import KINDS, SERVICE_FIELDS
from syncbot.runtime.handling.stored_dict import plain
from syncbot.runtime.handling.update_facts import field_of, field_reader, message_of

if TYPE_CHECKING:
    import telegram

    from syncbot import plain as _plain
    from syncbot.runtime.handling.context import Context


_U = TypeVar("_U")
_C = TypeVar("_C")


class SupportsCheckUpdate(Protocol):
    """What python-telegram-bot calls a filter."""

    def check_update(self, update: telegram.Update, /) -> object:
        """Whether the update is wanted."""
        ...


_Test = Callable[[_U], object] | Callable[[_U, _C], object]
FilterLike: TypeAlias = Union["Filter", SupportsCheckUpdate, _Test["telegram.Update", "Context"], _Test["_plain.Update", "_plain.Context"]]
"""What can stand wherever a filter is wanted."""


class Filter(ABC):
    """The base of all filters: one method, `check`, and the operators."""

    data_filter = False
    """python-telegram-bot's filters ask for this when they are combined with ours from the left."""
    parts: tuple[Filter, ...] = ()  # what it is combined of
    is_telegrams = False  # python-telegram-bot's own, which look at its objects

    @abstractmethod
    def check(self, update: telegram.Update, context: Context) -> object:
        """Whether the update is wanted: anything true. A `re.Match` becomes `context.match`."""

    def check_update(self, update: telegram.Update, /) -> object:
        """The same without a context, as python-telegram-bot's filters call it; not for filters that need one."""
        return self.check(update, None)  # type: ignore[arg-type]  # those that need a context refuse None in words

    def __and__(self, other: FilterLike) -> Filter:
        return _And(self, as_filter(other))

    def __rand__(self, other: FilterLike) -> Filter:
        return _And(as_filter(other), self)

    def __or__(self, other: FilterLike) -> Filter:
        return _Or(self, as_filter(other))

    def __ror__(self, other: FilterLike) -> Filter:
        return _Or(as_filter(other), self)

    def __invert__(self) -> Filter:
        return _Not(self)


class _Combined(Filter):
    def __init__(self, *parts: Filter) -> None:
        self.parts = parts


class _And(_Combined):
    def check(self, update: telegram.Update, context: Context) -> object:
        """Both; the first match that one of them found is kept."""
        left = self.parts[0].check(update, context)
        if not left:
            return False
        right = self.parts[1].check(update, context)
        return left if right and match_in(left) else right

    def __repr__(self) -> str:
        return f"({self.parts[0]!r} & {self.parts[1]!r})"


class _Or(_Combined):
    def check(self, update: telegram.Update, context: Context) -> object:
        """Either; the right one is looked at only if the left one is false."""
        return self.parts[0].check(update, context) or self.parts[1].check(update, context)

    def __repr__(self) -> str:
        return f"({self.parts[0]!r} | {self.parts[1]!r})"


class _Not(_Combined):
    def check(self, update: telegram.Update, context: Context) -> object:
        """Whether the filter says no."""
        return not self.parts[0].check(update, context)

    def __repr__(self) -> str:
        return f"~{self.parts[0]!r}"


class _Plain(Filter):
    """A filter made of a function of the update."""

    def __init__(self, name: str, function: Callable[[Any], object]) -> None:
        self._name = name
        self._function = function

    def check(self, update: telegram.Update, context: Context) -> object:
        """What the function says."""
        return self._function(update)

    def __repr__(self) -> str:
        return self._name


class _WithContext(_Plain):
    """A filter made of a function of the update and the context."""

    def __init__(self, name: str, function: Callable[[Any, Any], object]) -> None:
        super().__init__(name, lambda _: None)
        self._two = function

    def check(self, update: telegram.Update, context: Context | None) -> object:
        """What the function says."""
        if context is None:
            raise TypeError(f"{self!r} needs the context, which python-telegram-bot's filters do not hand on: write it to the left of theirs")
        return self._two(update, context)


def as_filter(wanted: Any) -> Filter:
    """Make a filter of whatever can stand for one.

    Raises:
        TypeError: it cannot; an `async def` function cannot either.
    """
    if isinstance(wanted, Filter):
        return wanted
    check = getattr(wanted, "check_update", None)
    if callable(check) and not isinstance(wanted, type):
        found = _Plain(repr(wanted), check)
        found.is_telegrams = any(each.__module__.partition(".")[0] == "telegram" for each in type(wanted).__mro__)
        return found
    if not callable(wanted) or isinstance(wanted, type):
        raise TypeError(f"{wanted!r} is not a filter: use one of syncbot's filters, a function f(update) or f(update, context), or an object with check_update")
    name = getattr(wanted, "__qualname__", repr(wanted))
    if inspect.iscoroutinefunction(wanted):
        raise TypeError(f"the filter {name} is an async def function; a filter has to be an ordinary function")
    return _WithContext(name, wanted) if _takes_context(wanted, name) else _Plain(name, wanted)


def _takes_context(function: Callable[..., object], name: str) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # some functions written in C do not tell
        return False
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return True
    by_place = [p for p in parameters if p.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    required = sum(parameter.default is inspect.Parameter.empty for parameter in by_place)
    if not by_place or required > 2:
        raise TypeError(f"the filter {name} takes {required} values; a filter is f(update) or f(update, context)")
    return required == 2 or (len(by_place) > 1 and by_place[1].name == "context")


def match_in(result: object) -> re.Match[str] | None:
    """The match in what a filter returned; python-telegram-bot's return it in a dict."""
    if isinstance(result, re.Match):
        return result
    found = result.get("matches") if isinstance(result, Mapping) else None
    return found[0] if isinstance(found, list) and found and isinstance(found[0], re.Match) else None


_EDITED = tuple(kind.name for kind in KINDS if kind.type == "Message" and kind.name.startswith("edited_"))
_CHATS = tuple(field_reader(kind.name, *kind.chat) for kind in KINDS if kind.chat)
_USERS = tuple(field_reader(kind.name, *kind.user) for kind in KINDS if kind.user)


def _first(update: Any, readers: Iterable[Callable[[Any], Any]]) -> Any:
    return next((found for read in readers if (found := read(update)) is not None), None)


def _message(name: str, test: Callable[[Any], object]) -> Filter:
    def check(update: Any) -> object:
        message = message_of(update)
        return message is not None and bool(test(message))

    return _Plain(name, check)


def has(*fields: str) -> Filter:
    """Messages with one of these fields ("giveaway", "checklist", …), as the Bot API names them."""
    if not fields:
        raise TypeError("has() needs the name of a field")
    return _message(f"has({', '.join(map(repr, fields))})", lambda message: any(field_of(message, field) for field in fields))


def _is_reply(message: Any) -> object:
    # In a forum every message is marked as a reply to the one that opened its topic.
    answered = getattr(message, "reply_to_message", None)
    if answered is not None:
        return not getattr(answered, "forum_topic_created", None)
    return getattr(message, "external_reply", None) or getattr(message, "reply_to_story", None)


def is_command(message: Any) -> bool:
    """Whether a message begins with a command, as Telegram marks it."""
    entities = getattr(message, "entities", None) or ()
    return any(entity.offset == 0 and entity.type == "bot_command" for entity in entities)


ALL = _Plain("ALL", lambda _: True)
"""Every update."""
TEXT = has("text")
"""Text messages, commands included."""
COMMAND = _message("COMMAND", is_command)
"""Messages that begin with a command, also one for another bot."""
PHOTO = has("photo")
VIDEO = has("video")
AUDIO = has("audio")
VOICE = has("voice")
STICKER = has("sticker")
ANIMATION = has("animation")
VIDEO_NOTE = has("video_note")
LIVE_PHOTO = has("live_photo")
PAID_MEDIA = has("paid_media")
STORY = has("story")
CONTACT = has("contact")
VENUE = has("venue")
POLL = has("poll")
DICE = has("dice")
GAME = has("game")
CHECKLIST = has("checklist")
INVOICE = has("invoice")
CAPTION = has("caption")
# Telegram repeats an animation as a document, and a venue as a location, for old programs.
DOCUMENT = has("document") & ~ANIMATION
"""Files; animations are not among them."""
LOCATION = has("location") & ~VENUE
"""Locations; venues are not among them."""
MEDIA = has("photo", "video", "audio", "voice", "document", "animation", "sticker", "video_note", "live_photo", "paid_media", "story")
"""Anything with a file in it."""
FORWARDED = has("forward_origin")
"""Messages that were forwarded."""
REPLY = _message("REPLY", _is_reply)
"""Replies to a message; not what merely stands in a forum topic."""
VIA_BOT = has("via_bot")
"""Messages that came by a bot's inline mode."""
EPHEMERAL = has("ephemeral_message_id")
"""Messages that one user of a group alone sees."""
RICH_MESSAGE = has("rich_message")
TOPIC = has("is_topic_message")
"""Messages in a forum topic other than the general one."""
EDITED = _Plain("EDITED", lambda update: any(getattr(update, name, None) is not None for name in _EDITED))
"""Messages and posts that were edited."""
SERVICE = has(*sorted(SERVICE_FIELDS))
"""Messages that nobody wrote: they tell of an event in the chat."""
NEW_CHAT_MEMBERS = has("new_chat_members")
LEFT_CHAT_MEMBER = has("left_chat_member")
PINNED_MESSAGE = has("pinned_message")
SUCCESSFUL_PAYMENT = has("successful_payment")
USERS_SHARED = has("users_shared")
CHAT_SHARED = has("chat_shared")
WEB_APP_DATA = has("web_app_data")


def _chat_type(*types: str) -> Filter:
    return _Plain("|".join(types).upper(), lambda update: getattr(_first(update, _CHATS), "type", None) in types)


PRIVATE = _chat_type("private")
"""Updates in a private chat."""
GROUP = _chat_type("group")
"""Updates in a small group that is no supergroup; most groups are one: see GROUPS."""
SUPERGROUP = _chat_type("supergroup")
"""Updates in a supergroup."""
GROUPS = _chat_type("group", "supergroup")
"""Updates in a group of either kind."""
CHANNEL = _chat_type("channel")
"""Updates in a channel."""


def regex(pattern: str | re.Pattern[str]) -> Filter:
    """Messages with this regular expression anywhere in their text or caption; `context.match` is what was found."""
    compiled = re.compile(pattern)

    def search(update: Any) -> object:
        message = message_of(update)
        text = getattr(message, "text", None) or getattr(message, "caption", None)
        return compiled.search(text) if text else None

    return _Plain(f"regex({compiled.pattern!r})", search)


def text(*exact: str) -> Filter:
    """Messages whose text is exactly one of these (what the buttons of a reply keyboard send)."""
    return _message(f"text({', '.join(map(repr, exact))})", lambda message: getattr(message, "text", None) in exact)


def _owner(function: str, wanted: tuple[int | str, ...], readers: tuple[Callable[[Any], Any], ...]) -> Filter:
    if not wanted or not all(isinstance(one, int | str) for one in wanted):
        raise TypeError(f'{function}() takes ids and names: {function}(42, "@name")')
    if quoted := [one for one in wanted if isinstance(one, str) and one.strip().removeprefix("-").isdecimal()]:
        raise TypeError(f"{function}() takes an id as a number: {function}({int(quoted[0])}), not {quoted[0]!r}")
    ids = {one for one in wanted if isinstance(one, int)}
    names = {one.removeprefix("@").casefold() for one in wanted if isinstance(one, str)}

    def check(update: Any) -> bool:
        found = _first(update, readers)
        return found is not None and (found.id in ids or (getattr(found, "username", None) or "").casefold() in names - {""})

    return _Plain(f"{function}({', '.join(map(repr, wanted))})", check)


def chat(*ids: int | str) -> Filter:
    """Updates in one of these chats: ids, or public names ("@name"). A name can pass to another chat, an id cannot."""
    return _owner("chat", ids, _CHATS)


def user(*ids: int | str) -> Filter:
    """Updates that one of these users caused: ids, or public names ("@name"). A name can pass to another user, an id cannot."""
    return _owner("user", ids, _USERS)


def language(*codes: str) -> Filter:
    """Updates of users whose Telegram is in one of these languages; "pt" takes "pt-BR" too."""
    wanted = {code.casefold() for code in codes}

    def check(update: Any) -> bool:
        code = (getattr(_first(update, _USERS), "language_code", None) or "").casefold()
        return code in wanted or code.partition("-")[0] in wanted

    return _Plain(f"language({', '.join(map(repr, codes))})", check)


def entity(*types: str) -> Filter:
    """Messages with an entity of one of these types ("url", "mention", …) in their text or caption."""

    def check(message: Any) -> bool:
        entities = (*(getattr(message, "entities", None) or ()), *(getattr(message, "caption_entities", None) or ()))
        return any(entity.type in types for entity in entities)

    return _message(f"entity({', '.join(map(repr, types))})", check)


def mime(*types: str) -> Filter:
    """Documents of one of these types: "application/pdf", or all of a family: "image/"."""
    if wrong := [kind for kind in types if "/" not in kind]:
        raise ValueError(f'mime(): {wrong[0]!r} has no slash; write mime("application/pdf") or mime("image/"), or extension({wrong[0]!r}) for its name')

    def check(message: Any) -> bool:
        found = (getattr(getattr(message, "document", None), "mime_type", None) or "").lower()
        return any(found == kind or (kind.endswith("/") and found.startswith(kind)) for kind in types)

    return _message(f"mime({', '.join(map(repr, types))})", check)


def extension(*extensions: str) -> Filter:
    """Documents whose file name ends like this ("pdf", "tar.gz"), in any case."""
    endings = tuple("." + extension.removeprefix(".").casefold() for extension in extensions)
    return _message(
        f"extension({', '.join(map(repr, extensions))})",
        lambda message: (getattr(getattr(message, "document", None), "file_name", None) or "").casefold().endswith(endings),
    )


def state(*values: Any) -> Filter:
    """Updates of a conversation that is in one of these states (`context.state`); None stands for no conversation."""
    wanted = [plain(value, "a state") for value in values]
    return _WithContext(f"state({', '.join(map(repr, values))})", lambda _, context: context.state in wanted)
