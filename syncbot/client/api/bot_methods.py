"""The methods of the Bot API as Python methods. The stub beside this file, `bot_methods.pyi`, is what editors and type checkers see."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Self

from syncbot.client.api.table import MethodSpec, check_parameters, find_method, nearest, python_names


class LateMethod:
    """Stands in a class for a method until it is asked for; then the real function takes its place.

    180 functions with their signatures would make every start slower, and few programs use more than ten of them.
    """

    __slots__ = ("_build", "_home", "_of")

    def __init__(self, home: type, build: Callable[[Any], Callable[..., Any]], of: Any) -> None:
        self._home = home
        self._build = build
        self._of = of

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        function = self._build(self._of)
        setattr(self._home, function.__name__, function)
        return function.__get__(instance, owner)


class BotMethods:
    """The methods of the Bot API as Python methods; a subclass says in `_invoke` what a call does."""

    _call_options: tuple[str, ...] | None = None
    """The options of every call that are the subclass's own, not Telegram's; None for the usual ones (`signatures.options`)."""

    @abstractmethod
    def _invoke(self, spec: MethodSpec, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
        """Carry out a call.

        Args:
            spec: the method.
            parameters: the parameters that have a value, checked by name; the convenient ones of python-telegram-bot among them.
            options: those of `timeout`, `deadline` and `progress` (or of `_call_options`) that have a value.
        """

    def _chat_left_out(self, method: str) -> int | str | None:
        """The chat that a sending method is to take where `chat_id` was left out, which is not the same as None; None where it may not be left out.

        Args:
            method: as it was called, for the text of an error.
        """
        return None

    def __reduce__(self) -> NoReturn:
        """Say what is to be done instead: Python's own words name a lock somewhere within."""
        raise TypeError(f"a {type(self).__name__} cannot be pickled: make one where it is needed, in another process with Bot.from_env() there")

    def __copy__(self) -> Self:
        """Another one that shares all with this one."""
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __getattr__(self, name: str) -> Any:
        """Name the nearest method for one that there is not."""
        raise _UnknownAttribute(name=name, obj=self)


class _UnknownAttribute(AttributeError):
    """Looks for the nearest name only when its text is asked for: `hasattr` must stay cheap."""

    def __str__(self) -> str:
        name = self.name or ""
        text = f"{type(self.obj).__name__!r} object has no attribute {name!r}"
        known = () if name.startswith("_") else (attribute for attribute in dir(type(self.obj)) if not attribute.startswith("_"))
        return text + nearest(name, known)


def _build(name: str) -> Callable[..., Any]:
    spec = find_method(name)
    assert spec is not None
    from syncbot.client.api.signatures import options as options_of
    from syncbot.client.api.signatures import signature

    order = tuple(spec.parameters)[: spec.positional]
    own_options = options_of(spec)

    def method(self: BotMethods, /, *values: Any, **given: Any) -> Any:
        if values:
            given = by_name(f"{name}()", order, values, given)
        if spec.sends_to_chat and "chat_id" not in given:
            given["chat_id"] = self._chat_left_out(name)
        wanted = own_options if self._call_options is None else self._call_options
        options = {option: given.pop(option) for option in wanted if option in given}
        newer = options.pop("api_kwargs", None)
        parameters = {key: value for key, value in given.items() if value is not None}
        check_parameters(spec, parameters, wanted)
        if newer:
            parameters.update(newer)
        return self._invoke(spec, parameters, {option: value for option, value in options.items() if value is not None})

    method.__name__ = name
    method.__qualname__ = f"{BotMethods.__qualname__}.{name}"
    method.__doc__ = f"{spec.summary}\n\nTelegram's own description: https://core.telegram.org/bots/api#{spec.name.lower()}"
    method.__signature__ = signature(spec)  # type: ignore[attr-defined] # a function takes any attribute, and inspect looks for this one
    return method


def by_name(method: str, order: Sequence[str], values: Sequence[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Give positional values their names, beside those that were given by name.

    Raises:
        TypeError: there are too many, or one was given by its name too.
    """
    if len(values) > len(order):
        raise TypeError(f"{method} takes {len(order)} values by position ({', '.join(order)}) and {len(values)} were given; give the others by name")
    placed = dict(zip(order, values, strict=False))
    if twice := [key for key in placed if key in given]:
        raise TypeError(f"{method} got {', '.join(twice)} twice, by position and by name")
    return placed | given


for _name in python_names().values():
    setattr(BotMethods, _name, LateMethod(BotMethods, _build, _name))
