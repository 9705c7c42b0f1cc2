"""`syncbot dead-letters`: updates whose handlers failed, to be looked at, handled again, or dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.numbered import ID, for_each, numbers_or_all
from syncbot.cli.console.options import common_options, json_option
from syncbot.cli.console.output import complain, one_line, write, write_json
from syncbot.cli.console.state import open_state, state_option, when
from syncbot.storage import DeadLetter, DeadLetters

if TYPE_CHECKING:
    from syncbot.storage.address import StatePlace

_NONE = "there is no dead letter {}; syncbot dead-letters list shows those there are"
_PAGE = 100


@click.group("dead-letters", no_args_is_help=False)
def command() -> None:
    """Updates whose handlers failed. They are kept in the bot's state; the bot may run meanwhile.

    \b
    Examples:
      syncbot dead-letters list
      syncbot dead-letters show 7
      syncbot dead-letters retry 7
      syncbot dead-letters drop --all
    """


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, metavar="N", help="The newest N. Default: 100.")
@state_option
@json_option
@common_options
@click.pass_context
def list_command(ctx: click.Context, /, limit: int, state: StatePlace | None, as_json: bool) -> Exit:
    """List them, the newest first: number, time, chat, tries, and why.

    \b
    Example:
      syncbot dead-letters list --json | jq '.[].reason'
    """
    with _opened(ctx, state) as kept:
        letters = kept.entries(limit)
    if as_json:
        write_json([_facts(letter) for letter in letters])
        return Exit.OK
    for letter in letters:
        why = one_line(letter.reason.strip().splitlines()[-1]) if letter.reason.strip() else ""
        write(f"{letter.id}\t{when(letter.died)}\tchat {letter.key or '-'}\t{letter.attempts} tries\t{why}")
    return Exit.OK


@command.command("show")
@click.argument("number", type=ID)
@state_option
@json_option
@common_options
@click.pass_context
def show_command(ctx: click.Context, /, number: int, state: StatePlace | None, as_json: bool) -> Exit:
    """Show one: the update, and the traceback of its handler.

    \b
    Example:
      syncbot dead-letters show 7
    """
    with _opened(ctx, state) as kept:
        letter = kept.get(number)
    if letter is None:
        complain(_NONE.format(number))
        return Exit.USAGE
    if as_json:
        write_json(_facts(letter))
        return Exit.OK
    write(f"{letter.id}: update {letter.update_id}, chat {letter.key or '-'}, came {when(letter.stored)}, failed {when(letter.died)}, {letter.attempts} tries")
    write(json.dumps(_update(letter), ensure_ascii=False, indent=2))
    write(letter.reason.rstrip())
    return Exit.OK


@command.command("retry")
@numbers_or_all("All of them.")
@click.pass_context
def retry_command(ctx: click.Context, /, numbers: tuple[int, ...], everything: bool, state: StatePlace | None) -> Exit:
    """Have them handled again. The bot that runs does it, or its next start.

    \b
    Example:
      syncbot dead-letters retry 7 8
    """
    return for_each(numbers, everything, lambda: _opened(ctx, state), _all_numbers, lambda letters, number: letters.requeue(number), _NONE)


@command.command("drop")
@numbers_or_all("All of them.")
@click.pass_context
def drop_command(ctx: click.Context, /, numbers: tuple[int, ...], everything: bool, state: StatePlace | None) -> Exit:
    """Delete them for good.

    \b
    Example:
      syncbot dead-letters drop --all
    """
    return for_each(numbers, everything, lambda: _opened(ctx, state), _all_numbers, lambda letters, number: letters.drop(number), _NONE)


@contextmanager
def _opened(ctx: click.Context, state: StatePlace | None) -> Iterator[DeadLetters]:
    with open_state(ctx, state) as store:
        yield store.dead_letters


def _all_numbers(letters: DeadLetters) -> list[int]:
    found: list[int] = []
    while page := letters.entries(_PAGE, before=found[-1] if found else None):
        found += [letter.id for letter in page]
    return found[::-1]  # the oldest first, as they came


def _facts(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "update_id": letter.update_id,
        "key": letter.key,
        "attempts": letter.attempts,
        "stored": letter.stored,
        "died": letter.died,
        "reason": letter.reason,
        "update": _update(letter),
    }


def _update(letter: DeadLetter) -> Any:
    """The update; as a text where it is no JSON, which may be why it is here."""
    try:
        return json.loads(letter.body)
    except (ValueError, RecursionError):
        return letter.body.decode("utf-8", "replace")
