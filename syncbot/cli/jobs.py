"""`syncbot jobs`: what a bot is to do at its times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import common_options, json_option
from syncbot.cli.console.output import complain, one_line, write, write_json
from syncbot.cli.console.state import open_state, state_option, when

if TYPE_CHECKING:
    from syncbot.storage import JobEntries, JobEntry
    from syncbot.storage.address import StatePlace


@click.group("jobs", no_args_is_help=False)
def command() -> None:
    """Jobs that wait for their time in the bot's state; the bot may run meanwhile.

    \b
    Examples:
      syncbot jobs list
      syncbot jobs run remind-8f2c11aa
      syncbot jobs pause @greet
      syncbot jobs cancel remind:42
    """


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, metavar="N", help="The next N. Default: 100.")
@state_option
@json_option
@common_options
@click.pass_context
def list_command(ctx: click.Context, /, limit: int, state: StatePlace | None, as_json: bool) -> Exit:
    """List them, the next one first. A job a line: key, when it is due, its times, its function, chat and user, and whether it is paused.

    \b
    Example:
      syncbot jobs list --json | jq '.[] | select(.chat_id == 42)'
    """
    from syncbot.runtime.jobs.rules import shown  # deferred: the list of commands in --help does not need it

    with open_state(ctx, state) as store:
        entries = store.jobs.entries()[:limit]
    if as_json:
        write_json([_facts(entry) for entry in entries])
        return Exit.OK
    for entry in entries:
        about = f"chat {entry.chat_id if entry.chat_id is not None else '-'}\tuser {entry.user_id if entry.user_id is not None else '-'}"
        line = f"{one_line(entry.key)}\t{when(entry.next_time)}\t{one_line(shown(entry.rule))}\t{one_line(entry.name)}\t{about}"
        write(line + "\tpaused" * entry.paused)
    return Exit.OK


def _keys_command(name: str, words: str, example: str) -> Callable[[Callable[[JobEntries, str], str]], click.Command]:
    """A command that does something to each job whose key is given; what it calls says what is wrong, or ""."""

    def take(do: Callable[[JobEntries, str], str]) -> click.Command:
        @command.command(name, help=f"{words}\n\n\b\nExample:\n  syncbot jobs {name} {example}")
        @click.argument("keys", nargs=-1, required=True, metavar="KEY...")
        @state_option
        @common_options
        @click.pass_context
        def each(ctx: click.Context, /, keys: tuple[str, ...], state: StatePlace | None) -> Exit:
            with open_state(ctx, state) as store:
                troubles = [trouble for key in dict.fromkeys(keys) if (trouble := do(store.jobs, key))]
            for trouble in troubles:
                complain(trouble)
            return Exit.USAGE if troubles else Exit.OK

        return each

    return take


def _missing(key: str) -> str:
    return f"there is no job {one_line(key)!r}; syncbot jobs list shows those there are"


@_keys_command(
    "run",
    "Run jobs now: in the bot that runs, or at its next start. Times of day stay, and a job that is run every so often counts on from now.",
    "remind-8f2c11aa",
)
def run_command(jobs: JobEntries, key: str) -> str:
    """Have one run now."""
    from syncbot.runtime.jobs.jobs import run_now  # deferred, as above

    if run_now(jobs, key, time.time()):
        return ""
    return _missing(key) if jobs.get(key) is None else f"the job {one_line(key)!r} is paused; let it go on with: syncbot jobs resume {one_line(key)}"


@_keys_command("cancel", "Take jobs out for good. One that begins with @ stands in the program, which puts it again at its next start.", "remind:42")
def cancel_command(jobs: JobEntries, key: str) -> str:
    """Take one out."""
    return "" if jobs.remove(key) else _missing(key)


@_keys_command("pause", "Keep jobs from running until they are resumed.", "@greet")
def pause_command(jobs: JobEntries, key: str) -> str:
    """Pause one."""
    return "" if jobs.change(key, paused=True) else _missing(key)


@_keys_command("resume", "Let paused jobs run again. Times that passed meanwhile are passed over, but for one that runs once.", "@greet")
def resume_command(jobs: JobEntries, key: str) -> str:
    """Let one go on."""
    from syncbot.runtime.jobs.jobs import resume  # deferred, as above

    return "" if resume(jobs, key, time.time()) else _missing(key)


def _facts(entry: JobEntry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "job": entry.name,
        "next_time": entry.next_time,
        "rule": dict(entry.rule),
        "chat_id": entry.chat_id,
        "user_id": entry.user_id,
        "data": entry.data,
        "missed": str(entry.missed),
        "paused": entry.paused,
        "declared": entry.declared,
    }
