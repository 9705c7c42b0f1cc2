"""Handlers of messages: commands, prefixes, filters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from telegram import MessageEntity, Update

from syncbot.compat.ptb13.defaults import DEFAULT_FALSE, DefaultValue
from syncbot.compat.ptb13.handlers.handler import Callback, Handler

_MESSAGES = ("message", "edited_message")
_POSTS = ("channel_post", "edited_channel_post")
_COMMAND = re.compile(r"[0-9a-z_]{1,32}")


def _of_kinds(update: Update, kinds: Iterable[str]) -> bool:
    return any(getattr(update, kind) is not None for kind in kinds)


class _ForMessages(Handler):
    """What those have in common that take messages of some kinds, and filters for them."""

    filters: Any = None
    kinds: tuple[str, ...] = _MESSAGES
    """Which fields of an update they look at."""

    def _filtered(self, update: Update) -> Any:
        """What the filters say: True, False, or what data filters have found."""
        if not _of_kinds(update, self.kinds):
            return False
        return True if self.filters is None else self.filters(update) or False


class MessageHandler(_ForMessages):
    """A handler of messages, edited ones and those of channels too.

    Args:
        filters: what they have to satisfy; None for nothing.
        callback: see `Handler`, and so are the others.
        message_updates, channel_post_updates, edited_updates: False leaves these out.

    Raises:
        ValueError: all three are False.
    """

    def __init__(
        self,
        filters: Any,
        callback: Callback,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        message_updates: bool | None = None,
        channel_post_updates: bool | None = None,
        edited_updates: bool | None = None,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, pass_user_data, pass_chat_data, run_async)
        if message_updates is False and channel_post_updates is False and edited_updates is False:
            raise ValueError("message_updates, channel_post_updates and edited_updates are all False, so that nothing is left to handle")
        self.filters = filters
        left_out = {
            *(("message",) if message_updates is False else ()),
            *(("channel_post",) if channel_post_updates is False else ()),
            *(("edited_message", "edited_channel_post") if edited_updates is False else ()),
        }
        self.kinds = tuple(kind for kind in (*_MESSAGES, *_POSTS) if kind not in left_out)

    def check_update(self, update: object) -> Any:
        """See `Handler`."""
        return self._filtered(update) if isinstance(update, Update) and update.effective_message is not None else None

    def collect_additional_context(self, context: Any, update: Any, dispatcher: Any, check_result: Any) -> None:
        """Put what data filters have found into the context."""
        if isinstance(check_result, dict):
            context.update(check_result)


class RegexHandler(MessageHandler):
    """A handler of messages whose text a pattern matches somewhere; `MessageHandler(Filters.regex(…), …)` does the same."""

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        callback: Callback,
        pass_groups: bool = False,
        pass_groupdict: bool = False,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        allow_edited: bool = False,
        message_updates: bool = True,
        channel_post_updates: bool = False,
        edited_updates: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        super().__init__(
            None,
            callback,
            pass_update_queue,
            pass_job_queue,
            pass_user_data,
            pass_chat_data,
            message_updates=message_updates,
            channel_post_updates=channel_post_updates,
            edited_updates=edited_updates,
            run_async=run_async,
        )
        self._pattern = re.compile(pattern)
        self.pass_groups = pass_groups
        self.pass_groupdict = pass_groupdict

    def check_update(self, update: object) -> Any:
        """See `Handler`."""
        if not super().check_update(update) or not isinstance(update, Update) or update.effective_message is None:
            return None
        match = self._pattern.search(update.effective_message.text or "")
        return {"matches": [match]} if match else False

    def collect_optional_args(self, dispatcher: Any, update: Any = None, check_result: Any = None) -> dict[str, Any]:
        """What an old callback gets by name: the groups of the match too."""
        found = super().collect_optional_args(dispatcher, update, check_result)
        if isinstance(check_result, dict):
            match = check_result["matches"][0]
            found |= {"groups": match.groups()} if self.pass_groups else {}
            found |= {"groupdict": match.groupdict()} if self.pass_groupdict else {}
        return found


class CommandHandler(_ForMessages):
    """A handler of commands, "/start words"; edited messages count, those of channels do not.

    Args:
        command: one or several, without the slash; case does not count.
        callback: see `Handler`, and so are the others.
        filters: what the message has to satisfy too.
        allow_edited: False leaves out edited messages.
        pass_args: whether an old callback gets the words behind the command as `args`.

    Raises:
        ValueError: a command is none.
    """

    def __init__(
        self,
        command: str | Iterable[str],
        callback: Callback,
        filters: Any = None,
        allow_edited: bool | None = None,
        pass_args: bool = False,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, pass_user_data, pass_chat_data, run_async)
        self.command = self._checked([command] if isinstance(command, str) else list(command))
        self.filters = filters
        self.pass_args = pass_args
        if allow_edited is False:
            self.kinds = ("message",)

    def _checked(self, names: list[str]) -> list[str]:
        lowered = [name.lower() for name in names]
        if wrong := [name for name in lowered if not _COMMAND.fullmatch(name)]:
            raise ValueError(f"{wrong[0]!r} is no command: up to 32 of a-z, 0-9 and _")
        return lowered

    def check_update(self, update: object) -> Any:
        """See `Handler`: the words behind the command, and what the filters say."""
        message = update.effective_message if isinstance(update, Update) else None
        if message is None or not message.text or not isinstance(update, Update):
            return None
        words = self._words(message)
        if words is None:
            return None
        filtered = self._filtered(update)
        return (words, filtered) if filtered else False

    def _words(self, message: Any) -> list[str] | None:
        """The words behind the command that a message begins with; None where it is none of these."""
        first = message.entities[0] if message.entities else None
        if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset != 0:
            return None
        name, _, addressee = message.text[1 : first.length].partition("@")
        if name.lower() not in self.command or (addressee and addressee.lower() != message.get_bot().username.lower()):
            return None
        return list(message.text.split()[1:])

    def collect_additional_context(self, context: Any, update: Any, dispatcher: Any, check_result: Any) -> None:
        """Put the words into `context.args`, and what data filters have found into the context."""
        if isinstance(check_result, tuple):
            context.args = check_result[0]
            if isinstance(check_result[1], dict):
                context.update(check_result[1])

    def collect_optional_args(self, dispatcher: Any, update: Any = None, check_result: Any = None) -> dict[str, Any]:
        """What an old callback gets by name: the words too."""
        found = super().collect_optional_args(dispatcher, update, check_result)
        if self.pass_args and isinstance(check_result, tuple):
            found["args"] = check_result[0]
        return found


class PrefixHandler(CommandHandler):
    """A handler of commands behind prefixes of one's own: "!help words".

    Args:
        prefix: one or several.
        command: one or several; each prefix goes with each, and case does not count.
        callback: see `CommandHandler`, and so are the others.
    """

    def __init__(
        self,
        prefix: str | Iterable[str],
        command: str | Iterable[str],
        callback: Callback,
        filters: Any = None,
        pass_args: bool = False,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        pass_user_data: bool = False,
        pass_chat_data: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        self.prefix = [prefix.lower()] if isinstance(prefix, str) else list(prefix)
        super().__init__(command, callback, filters, None, pass_args, pass_update_queue, pass_job_queue, pass_user_data, pass_chat_data, run_async)

    def __setattr__(self, name: str, value: Any) -> None:
        """One prefix, or one command, may be set as it is."""
        listed = [value.lower()] if name in ("prefix", "command") and isinstance(value, str) else value
        super().__setattr__(name, listed)

    def _checked(self, names: list[str]) -> list[str]:
        return names  # behind a prefix of one's own it may be anything

    def _words(self, message: Any) -> list[str] | None:
        words = message.text.split()
        wanted = {f"{prefix}{command}".lower() for prefix in self.prefix for command in self.command}
        return words[1:] if words and words[0].lower() in wanted else None
