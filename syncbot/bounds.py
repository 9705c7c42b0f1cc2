"""Numbers that a program gives, looked at where it gives them: a NaN would be a bound that is never reached, and a wrong type would fail in mid-call."""

from __future__ import annotations

import re
import sys

from syncbot.errors import ConfigError

MOST_SECONDS = 1_000_000.0
"""Far below what the system's own waits accept, and far above what anybody waits."""
SHORTEST_SECONDS = 0.001
"""The least that a timeout can be: nothing is done in less."""
MOST_OF_A_CHAT = 256
"""So many characters of a chat's name tell it from others: no real one is as long, and no index takes a name without end."""

_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


def wrong_number(value: object, *, least: float, most: float = float("inf"), whole: bool = False) -> str:
    """Say what is wrong with a number; "" for a right one.

    Args:
        value: what was given.
        least: the smallest right one.
        most: the largest right one.
        whole: it has to be an int.
    """
    kinds, words = (int, "a whole number") if whole else ((int, float), "a number")
    if isinstance(value, bool) or not isinstance(value, kinds):
        return f"{words} is needed, not {type(value).__name__}"
    if value != value:
        return f"{value} is not {words}"  # and no comparison with it is true: it would bound nothing
    if value < least:
        return f"{value} is less than {least:g}"
    if value > most or (isinstance(value, int) and value > sys.maxsize):
        return "it is too large"
    return ""


def check_numbers(*rows: tuple[str, object, float, float, bool, str]) -> None:
    """Refuse wrong numbers of a configuration.

    Args:
        rows: name, value, least, most, whether it has to be whole, and a right one for an example.

    Raises:
        ConfigError: one is wrong; the text names it and gives the example.
    """
    for name, value, least, most, whole, example in rows:
        if problem := wrong_number(value, least=least, most=most, whole=whole):
            raise ConfigError(f"{name}: {problem}; for example {name}={example}")


def check_call_seconds(timeout: float | None, deadline: float | None) -> None:
    """Refuse a `timeout` or `deadline` of one call that bounds nothing.

    A deadline that is over already is right: who counts down the rest of a time of his own comes by zero, and the call is then not sent.

    Raises:
        TypeError: it is not a number.
        ValueError: it is NaN; or a timeout is not above 0, or endless.
    """
    if timeout is not None:
        check_seconds("timeout", timeout, least=SHORTEST_SECONDS, most=MOST_SECONDS)
    if deadline is not None:
        check_seconds("deadline", deadline, least=-float("inf"))


def check_seconds(name: str, value: object, *, least: float, most: float = float("inf")) -> None:
    """Refuse what are no seconds.

    Args:
        name: of the parameter.
        value: what was given.
        least, most: the smallest and the largest right ones.

    Raises:
        TypeError: it is not a number.
        ValueError: it is NaN, or out of bounds.
    """
    if problem := wrong_number(value, least=least, most=most):
        kind = ValueError if isinstance(value, int | float) and not isinstance(value, bool) else TypeError
        raise kind(f"{name}: {problem} (seconds)")


def check_method_name(method: object) -> None:
    """Refuse what cannot be the name of a method: it becomes a part of the URL.

    Raises:
        TypeError: it is no text.
        ValueError: it holds something else than letters, digits and underscores.
    """
    if not isinstance(method, str):
        raise TypeError(f"the name of a method is a text, not {type(method).__name__}")
    if not _METHOD.fullmatch(method):
        raise ValueError(f"{method[:40]!r} is no name of a method; it looks like 'sendMessage'")
