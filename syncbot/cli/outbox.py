"""`syncbot outbox`: calls that wait in the state to be made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from syncbot.cli.console.exits import Exit, worst
from syncbot.cli.console.numbered import for_each, numbers_or_all
from syncbot.cli.console.options import as_seconds, common_options, json_option, load_settings, open_bot
from syncbot.cli.console.output import complain, one_line, write, write_json
from syncbot.cli.console.state import state_file, state_option, when
from syncbot.storage import OutboxState

if TYPE_CHECKING:
    from syncbot.runtime.outbox.attempt import Uncertain
    from syncbot.runtime.outbox.outbox import Outbox
    from syncbot.storage import OutboxItem
    from syncbot.storage.address import StatePlace

_SEE = "; syncbot outbox list shows those there are"


@click.group("outbox", no_args_is_help=False)
def command() -> None:
    """Calls that wait in the state: `syncbot send --queue` and a bot's own outbox put them there.

    \b
    Examples:
      syncbot outbox list
      syncbot outbox flush --seconds 20
      syncbot outbox retry 7
      syncbot outbox drop 7
    """


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, metavar="N", help="The oldest N. Default: 100.")
@state_option
@json_option
@common_options
@click.pass_context
def list_command(ctx: click.Context, /, limit: int, state: StatePlace | None, as_json: bool) -> Exit:
    """List what waits, is uncertain, or has failed. A call a line: number, state, time, method, chat, tries, and why.

    \b
    Example:
      syncbot outbox list --json | jq '.[] | select(.state == "uncertain")'
    """
    with _opened(ctx, state) as outbox:
        items = outbox.entries(limit=limit)
    if as_json:
        write_json([_facts(item) for item in items])
        return Exit.OK
    for item in items:
        what = f"{item.call.method} chat {item.call.key or '-'}"
        write(f"{item.id}\t{item.state}\t{when(item.created)}\t{what}\t{item.attempts} tries\t{one_line(item.reason)}".rstrip())
    return Exit.OK


@command.command("retry")
@numbers_or_all("All that are uncertain or have failed.")
@click.pass_context
def retry_command(ctx: click.Context, /, numbers: tuple[int, ...], everything: bool, state: StatePlace | None) -> Exit:
    """Queue uncertain or failed calls again. One that is uncertain may have been carried out: then it is carried out twice.

    \b
    Example:
      syncbot outbox retry 7
    """
    return for_each(
        numbers,
        everything,
        lambda: _opened(ctx, state),
        _held,
        lambda outbox, number: outbox.retry(number),
        f"call {{}} is not there, or is neither uncertain nor failed{_SEE}",
    )


@command.command("drop")
@numbers_or_all("All that are uncertain or have failed.")
@click.pass_context
def drop_command(ctx: click.Context, /, numbers: tuple[int, ...], everything: bool, state: StatePlace | None) -> Exit:
    """Delete calls with their files. Whatever their state is, but for those that are being made now.

    \b
    Example:
      syncbot outbox drop 7
    """
    return for_each(
        numbers,
        everything,
        lambda: _opened(ctx, state),
        _held,
        lambda outbox, number: outbox.drop(number),
        f"call {{}} is not there, or is being delivered now{_SEE}",
    )


@command.command("flush")
@click.option("--seconds", callback=as_seconds, default="60", metavar="SECONDS", help="How long to try. Default: 60.")
@click.option(
    "--uncertain",
    type=click.Choice(["hold", "again", "drop"]),
    default="hold",
    help="What to do with calls of which nobody knows whether they were carried out. Default: hold them.",
)
@state_option
@json_option
@common_options
@click.pass_context
def flush_command(ctx: click.Context, /, seconds: float, uncertain: Uncertain, state: StatePlace | None, as_json: bool) -> Exit:
    """Deliver what waits, here and now. Silent when nothing is left.

    Exit codes: 0 all is delivered, 75 something is left, 76 something is uncertain, 77 something was refused.

    \b
    Example, a line for cron:
      */5 * * * * syncbot outbox flush
    """
    with _opened(ctx, state) as outbox:
        flushed = outbox.flush(seconds, uncertain=uncertain)
    code = worst(
        [
            Exit.TRY_LATER if flushed.left else Exit.OK,
            Exit.REFUSED if flushed.failed else Exit.OK,
            Exit.UNCERTAIN if flushed.uncertain else Exit.OK,
        ]
    )
    if as_json:
        facts = {"delivered": flushed.delivered, "failed": flushed.failed, "uncertain": flushed.uncertain, "left": flushed.left, "error": flushed.error}
        write_json({**facts, "exit_code": int(code)})
    if code is not Exit.OK:
        why = f": {flushed.error}" if flushed.error else ""
        complain(f"{flushed.delivered} delivered, {flushed.failed} failed, {flushed.uncertain} uncertain, {flushed.left} left{why}")
    return code


@contextmanager
def _opened(ctx: click.Context, state: StatePlace | None) -> Iterator[Outbox]:
    from syncbot.runtime.outbox.outbox import Outbox  # deferred: the list of commands in --help does not need it

    settings = load_settings(ctx)
    path = state_file(settings, state)
    with open_bot(settings) as bot, Outbox(path, bot) as outbox:
        yield outbox


def _held(outbox: Outbox) -> Iterator[int]:
    after = 0
    while page := outbox.entries(OutboxState.UNCERTAIN, OutboxState.FAILED, after=after):
        after = page[-1].id
        yield from [item.id for item in page]


def _facts(item: OutboxItem) -> dict[str, Any]:
    call = item.call
    return {
        "id": item.id,
        "state": str(item.state),
        "method": call.method,
        "params": dict(call.params),
        "files": list(call.files),
        "key": call.key,
        "created": item.created,
        "not_before": call.not_before or None,
        "expires": call.expires,
        "attempts": item.attempts,
        "reason": item.reason,
    }
