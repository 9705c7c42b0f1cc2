#!/usr/bin/env python3
"""Write the table of the kinds of updates, the decorators for them, and the stub of the shortcuts of `Context`.

    scripts/generators/generate_kinds.py SPEC            write the files
    scripts/generators/generate_kinds.py SPEC --check    only say whether they are current (exit 1 if not)

SPEC is the Bot API as JSON, or the official documentation in Markdown; see `api_spec.py`. A kind that has no summary here is refused: somebody has
to look at it first.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import generate_methods  # noqa: E402 - the same
from api_spec import SpecError, load  # noqa: E402 - the same

from syncbot.client.api import signatures  # noqa: E402 - the script works in a checkout that is not installed
from syncbot.client.api.table import find_method, method_names  # noqa: E402 - the same
from syncbot.runtime.durable.queued import may_wait  # noqa: E402 - the same
from syncbot.runtime.handling import reply_table as shortcuts  # noqa: E402 - the same

KINDS = ROOT / "syncbot/runtime/handling/kinds.py"
DECORATORS = ROOT / "syncbot/runtime/handling/decorators.py"
DECORATORS_STUB = DECORATORS.with_suffix(".pyi")
STUB = ROOT / "syncbot/runtime/handling/replies.pyi"

SUMMARIES = {
    "message": "a new message",
    "edited_message": "a message that was edited",
    "channel_post": "a new post in a channel",
    "edited_channel_post": "a post in a channel that was edited",
    "business_connection": "a business account that connected the bot, disconnected it, or changed its rights",
    "business_message": "a new message of a connected business account",
    "edited_business_message": "an edited message of a connected business account",
    "deleted_business_messages": "messages that were deleted in a connected business account",
    "guest_message": "a message that calls the bot into a chat where it is no member; `context.answer` answers it",
    "message_reaction": "a user's new reaction to a message (the bot has to be an administrator)",
    "message_reaction_count": "a new count of anonymous reactions to a message (the bot has to be an administrator)",
    "inline_query": "an inline query; `context.answer` answers it",
    "chosen_inline_result": "an inline result that a user chose",
    "callback_query": "a pressed button of an inline keyboard; `context.answer` ends its waiting",
    "shipping_query": "the address for an invoice with a flexible price; `context.answer` answers it",
    "pre_checkout_query": "a payment that is about to be made; `context.answer` has to confirm it within 10 seconds",
    "purchased_paid_media": "paid media with a payload that a user bought",
    "poll": "a new state of a poll of the bot, or a poll that was stopped",
    "poll_answer": "a user's answer in a poll that is not anonymous",
    "my_chat_member": "a new standing of the bot itself in a chat",
    "chat_member": "a new standing of a member of a chat (the bot has to be an administrator)",
    "chat_join_request": "a request to join a chat; `context.approve` and `context.decline` answer it",
    "chat_boost": "a boost that was added to a chat or changed (the bot has to be an administrator)",
    "removed_chat_boost": "a boost that was taken from a chat (the bot has to be an administrator)",
    "managed_bot": "a bot that was made to be managed by this one, or has a new token or owner",
    "subscription": "a user's subscription to the bot that was canceled, taken up again, or could not be paid",
    "stopped_message_generation": "a user who stopped the drafts of a message",
}
PATTERNS = {
    "inline_query": "query",
    "chosen_inline_result": "result_id",
    "callback_query": "data",
    "shipping_query": "invoice_payload",
    "pre_checkout_query": "invoice_payload",
    "purchased_paid_media": "paid_media_payload",
    "subscription": "invoice_payload",
}
"""The kinds that are told apart by a text of their own, and the field that holds it."""
# See `Kind` below.
CHAT_OF_OTHERS = frozenset({"guest_message"})
# Drafts are shown in private chats alone, whose id is that of their user; nothing else tells who stopped one.
CHAT_IS_USER = frozenset({"stopped_message_generation"})
# Telegram calls these service messages too, but they are what a user answers with.
ANSWERS = frozenset({"users_shared", "chat_shared", "web_app_data", "successful_payment", "write_access_allowed"})
# … and does not say it of these in the same words.
ALSO_SERVICE = (
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "new_chat_photo",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "pinned_message",
    "connected_website",
    "giveaway_winners",
)

KINDS_HEAD = '''\
"""The kinds of updates. Written by scripts/generators/generate_kinds.py; do not edit."""

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of update: a field of `Update`.

    Args:
        name: the field ("message").
        type: the Bot API's word for what it holds ("Message").
        chat: where the chat stands in it; empty where there is none, and for guest messages: the chat into which a guest message calls the
            bot may have the id of another chat that the bot knows, so that no data, state or reply may go by it.
        user: where the user who caused it stands; empty where there is none.
        pattern: the field whose text tells updates of this kind apart; "" where there is none.
    """

    name: str
    type: str
    chat: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    pattern: str = ""


API_VERSION = "{version}"
"""The version of the Bot API that the table describes."""

KINDS: tuple[Kind, ...] = (
{kinds})

_SERVICE = """\\
{service}
"""
SERVICE_FIELDS = frozenset(_SERVICE.split())
"""The fields that make a message a service message: nobody wrote it, so it is no answer to a question."""
'''

DECORATORS_TEXT = '''\
"""One decorator for each kind of update. Written by scripts/generators/generate_kinds.py; do not edit."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic

from syncbot.runtime.durable.options import HandlerOptions
from syncbot.runtime.handling.filters import FilterLike
from syncbot.runtime.handling.handlers import ANY, D
from syncbot.runtime.handling.kinds import KINDS

_SUMMARIES = """\
{summaries}"""


class KindDecorators(ABC, Generic[D]):
    """The decorators of the {count} kinds of updates of Bot API {version}; see the stub beside this file."""

    @abstractmethod
    def _decorate(self, kind: str, filters: FilterLike | None, pattern: str | re.Pattern[str] | None, group: int, state: Any, options: HandlerOptions) -> D:
        """Make what registers a handler."""


def _decorator(kind: str) -> Callable[..., Any]:
    def decorator(self: Any, filters: Any = None, *, group: int = 0, state: Any = ANY, **options: Any) -> Any:
        return self._decorate(kind, filters, None, group, state, options)

    return decorator


def _pattern_decorator(kind: str) -> Callable[..., Any]:
    def decorator(self: Any, pattern: Any = None, *, filters: Any = None, group: int = 0, state: Any = ANY, **options: Any) -> Any:
        return self._decorate(kind, filters, pattern, group, state, options)

    return decorator


for _kind, _summary in zip(KINDS, _SUMMARIES.splitlines(), strict=True):
    _made = _pattern_decorator(_kind.name) if _kind.pattern else _decorator(_kind.name)
    _made.__name__, _made.__qualname__, _made.__doc__ = _kind.name, f"KindDecorators.{{_kind.name}}", f"Handle {{_summary}}."
    setattr(KindDecorators, _kind.name, _made)
'''

DECORATORS_STUB_HEAD = '''\
# Written by scripts/generators/generate_kinds.py for Bot API {version}; do not edit.
import re
from abc import ABC, abstractmethod
from typing import Any, Generic, Unpack

from syncbot.runtime.durable.options import HandlerOptions
from syncbot.runtime.handling.filters import FilterLike
from syncbot.runtime.handling.handlers import D

class KindDecorators(ABC, Generic[D]):
    """The decorators of the {count} kinds of updates.

    Args:
        filters: what the update has to satisfy; see `syncbot.runtime.handling.filters`.
        pattern: a regular expression that matches from the start of the field that is named; its match becomes `context.match`.
        group: in ascending order, every group handles an update once: its first handler that fits.
        state: the state that the conversation with the user has to be in; None for no conversation, `ANY` for whichever.
        options: `durable`, `interrupted` and `replies`, see `syncbot.runtime.durable.options.HandlerOptions`.
    """

    @abstractmethod
    def _decorate(self, kind: str, filters: FilterLike | None, pattern: str | re.Pattern[str] | None, group: int, state: Any, options: HandlerOptions) -> D: ...
'''

DECORATOR = '''\
    def {name}(self, filters: FilterLike | None = None, *, group: int = 0, state: Any = ..., **options: Unpack[HandlerOptions]) -> D:
        """Handle {summary}."""
'''

PATTERN_DECORATOR = '''\
    def {name}(
        self,
        pattern: str | re.Pattern[str] | None = None,
        *,
        filters: FilterLike | None = None,
        group: int = 0,
        state: Any = ...,
        **options: Unpack[HandlerOptions],
    ) -> D:
        """Handle {summary}."""
'''


class Found(NamedTuple):
    """What the specification says of a kind."""

    name: str
    type: str
    chat: tuple[str, ...]
    user: tuple[str, ...]


def fields(spec: Mapping[str, Any], type_name: str) -> dict[str, str]:
    """The fields of a type with the first type of each."""
    return {field["name"]: field["types"][0] for field in spec["types"].get(type_name, {}).get("fields", [])}


def read_kinds(spec: Mapping[str, Any]) -> Iterator[Found]:
    """Find the kinds, and where each has its chat and its user.

    Raises:
        SpecError: a kind has no summary here, or a summary no kind.
    """
    kinds = {name: kind for name, kind in fields(spec, "Update").items() if name != "update_id"}
    if strangers := set(kinds) ^ set(SUMMARIES):
        raise SpecError(f"kinds of updates and the summaries in {Path(__file__).name} differ: {', '.join(sorted(strangers))}")
    for name, kind in kinds.items():
        inside = fields(spec, kind)
        if name in CHAT_OF_OTHERS:
            chat: tuple[str, ...] = ()
        elif inside.get("chat") == "Chat":
            chat = ("chat",)
        elif inside.get("message", "").endswith("Message"):
            chat = ("message", "chat")
        else:
            chat = ()
        user = chat if name in CHAT_IS_USER else next(((field,) for field in ("from", "user") if inside.get(field) == "User"), ())
        if (pattern := PATTERNS.get(name)) and inside.get(pattern) != "String":
            raise SpecError(f"{kind} has no text {pattern}")
        yield Found(name, kind, chat, user)


def service_fields(spec: Mapping[str, Any]) -> list[str]:
    """The fields of a message that make it a service message.

    Raises:
        SpecError: one that is named here does not exist.
    """
    described = {field["name"]: field["description"] for field in spec["types"]["Message"]["fields"]}
    if strangers := (ANSWERS | set(ALSO_SERVICE)) - set(described):
        raise SpecError(f"Message has no {', '.join(sorted(strangers))}")
    said = [name for name, description in described.items() if description.removeprefix("Optional. ").startswith("Service message")]
    return [name for name in described if (name in said and name not in ANSWERS) or name in ALSO_SERVICE]


def render_kinds(version: str, kinds: list[Found], service: list[str]) -> str:
    """Write the table."""
    lines = []
    for kind in kinds:
        words = [f'"{kind.name}"', f'"{kind.type}"']
        words += [f"{name}={render_path(path)}" for name, path in (("chat", kind.chat), ("user", kind.user)) if path]
        words += [f'pattern="{PATTERNS[kind.name]}"'] if kind.name in PATTERNS else []
        lines.append(f"    Kind({', '.join(words)}),\n")
    return KINDS_HEAD.format(version=version, kinds="".join(lines), service=textwrap.fill(" ".join(service), 160))


def render_path(path: tuple[str, ...]) -> str:
    """Write a tuple as `ruff format` does it."""
    return "(" + ", ".join(f'"{step}"' for step in path) + (",)" if len(path) == 1 else ")")


def render_decorators(version: str, kinds: list[Found]) -> str:
    """Write the decorators."""
    return DECORATORS_TEXT.format(version=version, count=len(kinds), summaries="".join(f"{summary(kind.name)}\n" for kind in kinds))


def render_decorators_stub(version: str, kinds: list[Found]) -> str:
    """Write what type checkers and editors see of them."""
    head = DECORATORS_STUB_HEAD.format(version=version, count=len(kinds))
    texts = ((PATTERN_DECORATOR if kind.name in PATTERNS else DECORATOR, kind.name) for kind in kinds)
    return head + "".join(text.format(name=name, summary=summary(name)) for text, name in texts)


def summary(kind: str) -> str:
    """What its decorator handles."""
    return SUMMARIES[kind] + (f". The pattern is for its `{PATTERNS[kind]}`" if kind in PATTERNS else "")


def render_stub(version: str) -> str:
    """Write the stub of `replies.py`: the methods of the Bot API, less what the update itself says."""
    imports = generate_methods.STUB.read_text(encoding="utf-8").partition("from collections")[2].partition("class BotMethods")[0]
    imports = imports.replace(
        "from syncbot.client.api.table import MethodSpec\n",
        "from syncbot.client.bot import Bot\nfrom syncbot.runtime.durable.queued import Queued\nfrom syncbot.runtime.handling.filters import FilterLike\n"
        "from syncbot.runtime.handling.update_facts import ReplyTarget\n",
    )
    text = [f"# Written by scripts/generators/generate_kinds.py for Bot API {version}; do not edit.\nfrom collections", imports, STUB_CLASS]
    text += [render_shortcut(shortcut, shortcut.name) for shortcut in shortcuts.SHORTCUTS.values()]
    text += [render_shortcut(shortcuts.SHORTCUTS["reply"], "ask")]
    text += ["    @overload\n" + render_shortcut(shortcut, "answer") for shortcut in shortcuts.ANSWERS.values()]
    text += [QUEUED_CLASS, *(render_shortcut(shortcut, shortcut.name, "Queued") for shortcut in shortcuts.SHORTCUTS.values())]
    text += ["    @overload\n" + render_shortcut(shortcut, "answer", "Queued") for shortcut in shortcuts.ANSWERS.values()]
    waiting = [spec for name in method_names() if may_wait(name) and (spec := find_method(name)) is not None]
    text += [QUEUED_CALLS_CLASS, *(generate_methods.render_def(spec, result="Queued") for spec in waiting), QUEUED_BOT_CLASS]
    return "".join(text)


STUB_CLASS = '''\
class Replies:
    """What a handler does with its update: the methods of the Bot API, with the parameters filled in that the update itself says."""

    bot: Bot
    @property
    def target(self) -> ReplyTarget: ...
'''

QUEUED_CLASS = '''
class QueuedReplies:
    """The same where they go out with the end of the handler: `replies="with the end"`."""

    bot: QueuedBot
'''

QUEUED_CALLS_CLASS = '''
class QueuedCalls:
    """The methods of a bot that go out with the end of the handler."""

    def send_long(self, chat_id: int | str, text: str, parse_mode: str | None = None, **options: Any) -> list[Queued]:
        """Send a text of any length in as many messages as it needs."""
'''

QUEUED_BOT_CLASS = '''
class QueuedBot(QueuedCalls, Bot):  # type: ignore[misc]  # its calls return something else, which is what it is for
    """`context.bot` of such a handler: what sends, edits, deletes, answers or sets returns a `Queued`, and what asks an answer, as ever."""
'''

ASK_OPTIONS = ["timeout: float = 300.0", "filters: FilterLike | None = None", "check: Callable[[telegram.Message], str | None] | None = None"]


def render_shortcut(shortcut: shortcuts.Shortcut, name: str, result: str = "") -> str:
    """Write one method of the stub, laid out as `ruff format` does it; `result` is what it returns instead of what Telegram does."""
    spec = shortcut.spec
    rows = [row for row in signatures.written_parameters(spec) if row[0] not in shortcut.fixed]
    words = ["self", *(render_parameter(*row[:3]) for row in rows if not row[3])]
    named = [render_parameter(*row[:3]) for row in rows if row[3] and not (name == "ask" and row[0] == "timeout")]
    named += ["quote: bool = False"] if shortcut.quotable else []
    named += ASK_OPTIONS if name == "ask" else []
    words += ["*", *named] if named else []
    head = f"    def {name}("
    tail = f") -> {result or ('telegram.Message' if name == 'ask' else signatures.result_annotation(spec))}:"
    line = head + ", ".join(words) + tail
    if len(line) > generate_methods.WIDTH:
        line = "\n".join([head, *(f"        {word}," for word in words), "    " + tail])
    summary = "Send a question and wait for a message of the same user in the same chat that answers it." if name == "ask" else shortcut.summary
    return f'{line}\n        """{summary}"""\n'


def render_parameter(name: str, written: str, left_out: bool) -> str:
    """Write one parameter."""
    for alias, union in generate_methods.ALIASES.items():
        written = written.replace(union, alias)
    return f"{name}: {written} | None = None" if left_out else f"{name}: {written}"


def main(argv: list[str] | None = None) -> int:
    """Write or check the files; the return value is the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", help="the Bot API as JSON, or its documentation in Markdown: a file, a folder, or a URL")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a committed file is not current")
    arguments = parser.parse_args(argv)
    try:
        spec = load(arguments.spec)
        version = str(spec["version"]).removeprefix("Bot API ")
        kinds = list(read_kinds(spec))
        files = {
            KINDS: render_kinds(version, kinds, service_fields(spec)),
            DECORATORS: render_decorators(version, kinds),
            DECORATORS_STUB: render_decorators_stub(version, kinds),
            STUB: render_stub(version),
        }
    except SpecError as problem:
        print(problem, file=sys.stderr)
        return 1
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if arguments.check:
            print(f"{path.relative_to(ROOT)} is not current; run scripts/generators/generate_kinds.py", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
