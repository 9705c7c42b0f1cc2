"""Texts that nothing shows by accident.

Whatever catches an exception may print the locals of each frame on its way, as Sentry, rich and `pytest --showlocals` do. So tokens, passwords and what
is made of them travel as a `Secret`, and become text within the expression alone that writes them to where they are needed.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast, overload

HIDDEN = "<hidden>"
"""What stands where a secret was."""

_Value = TypeVar("_Value")


class Secret(Generic[_Value]):
    """A text, or what else holds one, that neither `repr()` nor `str()` nor a format shows, nor a value that holds it.

    Two of the same content are equal; one that is empty is false.
    """

    __slots__ = ("_value",)

    def __init__(self, value: _Value | Secret[_Value]) -> None:
        self._value: _Value = value._value if isinstance(value, Secret) else value

    def reveal(self) -> _Value:
        """The value itself; for the expression that needs it, and never for a variable."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[Any, ...]:
        return Secret, (self._value,)


class Hidden:
    """A field of a dataclass that is read as a text and kept as a `Secret`; give it `field(default=Hidden(), repr=False)`.

    Args:
        default: the text where none is given; None for a field that has to be given.
    """

    def __init__(self, default: str | None = None) -> None:
        self._default = default
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Hidden: ...
    @overload
    def __get__(self, instance: object, owner: type) -> str: ...
    def __get__(self, instance: object | None, owner: type) -> Hidden | str:
        return self if instance is None else self.secret(instance).reveal()

    def __set__(self, instance: object, value: str | Secret[str]) -> None:
        if cast(object, value) is self:  # what a dataclass passes for a field that is not given
            if self._default is None:
                raise TypeError(f"{type(instance).__name__}: {self._name} is missing")
            value = self._default
        vars(instance)[self._name] = Secret(value)

    def secret(self, instance: object) -> Secret[str]:
        """The field's value as it is kept."""
        kept: Secret[str] = vars(instance)[self._name]
        return kept
