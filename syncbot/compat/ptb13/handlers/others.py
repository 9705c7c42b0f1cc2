"""Handlers of what a program puts into the update queue by itself: texts, and objects of any class."""

from __future__ import annotations

import re
from typing import Any

from syncbot.compat.ptb13.defaults import DEFAULT_FALSE, DefaultValue
from syncbot.compat.ptb13.handlers.handler import Callback, Handler, PatternMixin


class StringCommandHandler(Handler):
    """A handler of texts that begin with a command: "/start words".

    Args:
        command: without the slash.
        callback: see `Handler`, and so are the others.
        pass_args: whether an old callback gets the words behind the command as `args`.
    """

    def __init__(
        self,
        command: str,
        callback: Callback,
        pass_args: bool = False,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, run_async=run_async)
        self.command = command
        self.pass_args = pass_args

    def check_update(self, update: object) -> list[str] | None:
        """See `Handler`: the words behind the command."""
        if not isinstance(update, str) or not update.startswith("/"):
            return None
        name, *words = update[1:].split(" ")
        return words if name == self.command else None

    def collect_additional_context(self, context: Any, update: Any, dispatcher: Any, check_result: Any) -> None:
        """Put the words into `context.args`."""
        context.args = check_result

    def collect_optional_args(self, dispatcher: Any, update: Any = None, check_result: Any = None) -> dict[str, Any]:
        """What an old callback gets by name: the words too."""
        found = super().collect_optional_args(dispatcher, update, check_result)
        return found | {"args": check_result} if self.pass_args else found


class StringRegexHandler(PatternMixin, Handler):
    """A handler of texts that a pattern matches from the beginning.

    Args:
        pattern: the pattern.
        callback: see `Handler`, and so are the others.
        pass_groups, pass_groupdict: what an old callback gets of the match.
    """

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        callback: Callback,
        pass_groups: bool = False,
        pass_groupdict: bool = False,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, run_async=run_async)
        self.look_for(pattern, pass_groups, pass_groupdict)

    def check_update(self, update: object) -> re.Match[str] | None:
        """See `Handler`."""
        return re.match(self.pattern, update) if isinstance(update, str) else None


class TypeHandler(Handler):
    """A handler of all updates of a class.

    Args:
        type: the class.
        callback: see `Handler`, and so are the others.
        strict: leave out subclasses.
    """

    def __init__(
        self,
        type: type,
        callback: Callback,
        strict: bool = False,
        pass_update_queue: bool = False,
        pass_job_queue: bool = False,
        run_async: bool | DefaultValue = DEFAULT_FALSE,
    ) -> None:
        super().__init__(callback, pass_update_queue, pass_job_queue, run_async=run_async)
        self.type = type
        self.strict = strict

    def check_update(self, update: object) -> bool:
        """See `Handler`."""
        return update.__class__ is self.type if self.strict else isinstance(update, self.type)
