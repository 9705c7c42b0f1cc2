"""Values that stand for "not given", and `Defaults`."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any


class DefaultValue:
    """Stands for a value that was not given, and holds what is taken then.

    Args:
        value: that value.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return repr(self.value)

    @staticmethod
    def get_value(given: Any) -> Any:
        """What is taken: the value that was given, or the one of a `DefaultValue`."""
        return given.value if isinstance(given, DefaultValue) else given


DEFAULT_NONE = DefaultValue(None)
DEFAULT_FALSE = DefaultValue(False)
DEFAULT_20 = DefaultValue(20)

_OF_CALLS = ("parse_mode", "explanation_parse_mode", "disable_notification", "disable_web_page_preview", "allow_sending_without_reply", "timeout")


class Defaults:
    """What the calls of a bot take where they are not told otherwise; it is not changed any more.

    Args:
        parse_mode: for texts and captions, and for the explanations of polls.
        disable_notification: send without a sound.
        disable_web_page_preview: show no preview of links.
        timeout: seconds for an attempt of each call.
        quote: whether `reply_…` methods quote; None quotes in groups alone.
        tzinfo: of times without one.
        run_async: of handlers and error handlers.
        allow_sending_without_reply: send although the message replied to is gone.
    """

    def __init__(
        self,
        parse_mode: str | None = None,
        disable_notification: bool | None = None,
        disable_web_page_preview: bool | None = None,
        timeout: Any = DEFAULT_NONE,
        quote: bool | None = None,
        tzinfo: tzinfo = UTC,
        run_async: bool = False,
        allow_sending_without_reply: bool | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name != "self"}
        vars(self).update(given, explanation_parse_mode=parse_mode)
        # telegram's own objects ask for these by the names of today
        vars(self).update(do_quote=quote, link_preview_options=None, protect_content=None)

    @property
    def api_defaults(self) -> dict[str, Any]:
        """What goes into calls, by the names of their parameters."""
        values = {name: getattr(self, name) for name in _OF_CALLS}
        return {name: value for name, value in values.items() if value is not None and not isinstance(value, DefaultValue)}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"Defaults has no {name!r}", name=name, obj=self)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Defaults cannot be changed once made; give {name} to Defaults(…)")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, Defaults) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(map(repr, vars(self).values())))
