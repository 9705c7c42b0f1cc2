"""What all filters are: a filter is called with an update, and filters are joined by & | ^ and ~."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

Found = bool | Mapping[str, list[Any]] | None
"""What a filter says: yes or no, or (a data filter) lists by name, which the handler's context gets; an empty one says no."""


class BaseFilter(ABC):
    """A filter. For one of your own subclass `MessageFilter` or `UpdateFilter`, write `filter`, and make an instance.

    Its `name` is what is shown of it; `data_filter = True` says that it returns a dict of lists for the context, such as `{"matches": [match]}`.
    """

    _name: str | None = None
    data_filter = False

    @property
    def name(self) -> str | None:
        """What is shown of it; its class's name where none was given."""
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    @abstractmethod
    def __call__(self, update: Any) -> Any: ...

    def __and__(self, other: BaseFilter) -> BaseFilter:
        return MergedFilter(self, and_filter=other)

    def __or__(self, other: BaseFilter) -> BaseFilter:
        return MergedFilter(self, or_filter=other)

    def __xor__(self, other: BaseFilter) -> BaseFilter:
        return XORFilter(self, other)

    def __invert__(self) -> BaseFilter:
        return InvertedFilter(self)

    def __repr__(self) -> str:
        return self.name or type(self).__name__


class MessageFilter(BaseFilter):
    """A filter whose `filter` gets `update.effective_message`."""

    def __call__(self, update: Any) -> Any:
        return self.filter(update.effective_message)

    @abstractmethod
    def filter(self, message: Any) -> Found:
        """Say whether the message is meant; it is never None where a handler asks."""


class UpdateFilter(BaseFilter):
    """A filter whose `filter` gets the update itself."""

    def __call__(self, update: Any) -> Any:
        return self.filter(update)

    @abstractmethod
    def filter(self, update: Any) -> Found:
        """Say whether the update is meant."""


class _Composed(UpdateFilter):
    """A filter made of others; its name follows from theirs, and cannot be set."""

    @abstractmethod
    def _shown(self) -> str:
        """The name."""

    @property
    def name(self) -> str | None:
        return self._shown()

    @name.setter
    def name(self, name: str | None) -> None:
        raise RuntimeError(f"Cannot set name for {type(self).__name__}")


class InvertedFilter(_Composed):
    """What `~` makes: yes where the other says no."""

    def __init__(self, f: BaseFilter) -> None:
        self.f = f

    def filter(self, update: Any) -> bool:
        return not self.f(update)

    def _shown(self) -> str:
        return f"<inverted {self.f}>"


class MergedFilter(_Composed):
    """What `&` and `|` make. The second one is asked where the first leaves it open, as with Python's `and` and `or`."""

    def __init__(self, base_filter: BaseFilter, and_filter: BaseFilter | None = None, or_filter: BaseFilter | None = None) -> None:
        self.base_filter = base_filter
        self.and_filter = and_filter
        self.or_filter = or_filter
        self.data_filter = any(getattr(each, "data_filter", False) for each in (base_filter, and_filter, or_filter))

    def filter(self, update: Any) -> Found:
        first = self.base_filter(update)
        if self.and_filter:
            second = first and self.and_filter(update)
            found = (_joined(first, second) or True) if second else False
        else:
            found = first or (self.or_filter is not None and self.or_filter(update))
        return found if self.data_filter and found else bool(found)

    def _shown(self) -> str:
        return f"<{self.base_filter} {'and' if self.and_filter else 'or'} {self.and_filter or self.or_filter}>"


class XORFilter(_Composed):
    """What `^` makes: yes where just one of the two does."""

    def __init__(self, base_filter: BaseFilter, xor_filter: BaseFilter) -> None:
        self.base_filter = base_filter
        self.xor_filter = xor_filter
        self.merged_filter = (base_filter & ~xor_filter) | (~base_filter & xor_filter)

    def filter(self, update: Any) -> Found:
        found: Found = self.merged_filter(update)
        return found

    def _shown(self) -> str:
        return f"<{self.base_filter} xor {self.xor_filter}>"


def _joined(first: Any, second: Any) -> dict[str, Any]:
    """The data of two data filters, lists of the same name put together; what is no list in the second counts as none."""
    joined = dict(first) if isinstance(first, Mapping) else {}
    for name, values in second.items() if isinstance(second, Mapping) else ():
        more = values if isinstance(values, list) else []
        before = joined.get(name, [])
        joined[name] = [*(before if isinstance(before, list) else [before]), *more]
    return joined
