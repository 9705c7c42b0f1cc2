"""What `syncbot outbox` and `syncbot dead-letters` share: commands on what stands in the state file under a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TypeVar

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import Command, common_options
from syncbot.cli.console.output import complain
from syncbot.cli.console.state import state_option

ID = click.IntRange(1, 2**63 - 1)
"""The type of such a number."""

_Kept = TypeVar("_Kept")


def numbers_or_all(all_help: str) -> Callable[[Command], Command]:
    """Add the argument for numbers, `--all`, `--state` and what every command has."""

    def decorate(command: Command) -> Command:
        with_all = click.option("--all", "everything", is_flag=True, help=all_help)(state_option(common_options(command)))
        return click.argument("numbers", nargs=-1, type=ID)(with_all)

    return decorate


def for_each(
    numbers: tuple[int, ...],
    everything: bool,
    opened: Callable[[], AbstractContextManager[_Kept]],
    all_numbers: Callable[[_Kept], Iterable[int]],
    do: Callable[[_Kept, int], bool],
    problem: str,
) -> Exit:
    """Do something to each of the numbers, or to all there are, and complain of those for which it was not possible.

    Args:
        numbers: the ones that were named.
        everything: whether it is to be all; then none may be named, and one that has gone meanwhile is no trouble.
        opened: opens what keeps them.
        all_numbers: all there are, in the order in which it is done.
        do: False where it is not possible.
        problem: what to say then; "{}" stands for the number.

    Raises:
        click.UsageError: neither was given, or both.
    """
    if bool(numbers) is everything:
        raise click.UsageError("give the numbers, or --all")
    with opened() as kept:
        wanted = list(all_numbers(kept) if everything else dict.fromkeys(numbers))
        missing = [number for number in wanted if not do(kept, number)]
    if everything:
        return Exit.OK
    for number in missing:
        complain(problem.format(number))
    return Exit.USAGE if missing else Exit.OK
