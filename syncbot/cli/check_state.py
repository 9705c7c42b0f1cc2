"""`syncbot check-state`: whether a state file is whole, and a new one of what can be read of a damaged one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import as_path, common_options, json_option, load_settings
from syncbot.cli.console.output import complain, one_line, write, write_json
from syncbot.cli.console.state import as_state, bot_of, state_file
from syncbot.errors import AlreadyRunning, ConfigError
from syncbot.storage.address import DatabaseUrl, StatePlace

if TYPE_CHECKING:
    from syncbot.storage.sqlite.repair.checking import Findings, Salvaged


@click.command("check-state")
@click.argument("path", required=False, callback=as_state, metavar="[FILE]")
@click.option("--salvage-into", callback=as_path, metavar="NEW", help="Write what can be read into this new file.")
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, /, path: StatePlace | None, salvage_into: str | None, as_json: bool) -> Exit:
    """Say whether a state file is whole, and what is wrong with it. It is only read; the bot must not run meanwhile.

    FILE may be the URL of a database too, whose bot may run meanwhile. Without FILE it is SYNCBOT_STATE, else the usual place for this bot. With
    --salvage-into, every row of a file that can be read goes into the new file, for the same bot. Updates of which only a part can be read go to its
    dead letters.

    Exit codes: 0 it is whole, or what can be read was saved; 78 it is damaged.

    \b
    Examples:
      syncbot check-state bot.db
      syncbot check-state bot.db --salvage-into bot.db.new
    """
    from syncbot.storage.bot_lock import BotLock, file_lock_path  # deferred: the list of commands in --help needs neither
    from syncbot.storage.sqlite.repair.checking import check, salvage

    settings = load_settings(ctx, require_token=False)
    file = state_file(settings, path)
    if isinstance(file, DatabaseUrl):
        if salvage_into is not None:
            raise ConfigError("--salvage-into is for files; what is damaged in a database is put back from its backup")
        return _check_database(file, bot_of(settings), as_json=as_json)
    lock = BotLock(file_lock_path(file))
    if (os.path.exists(lock.path) or os.access(file.parent, os.W_OK)) and not lock.acquire():
        raise AlreadyRunning(f"a bot runs on {file} (it holds {lock.path}); stop it first, for example with systemctl stop, then check the file")
    try:
        findings = check(file)
        saved = salvage(findings, Path(salvage_into), bot_of(settings)) if salvage_into is not None else None
    finally:
        lock.release()
    if as_json:
        write_json(_facts(findings, saved))
    else:
        _tell(findings, saved, salvage_into)
    return Exit.OK if saved is not None or not findings.troubles else Exit.CONFIG


def _check_database(url: DatabaseUrl, bot: int | None, *, as_json: bool) -> Exit:
    from syncbot.storage.postgres.checking import check_database

    found = check_database(url, bot)
    if as_json:
        write_json({"database": found.place, "whole": not found.troubles, "bot": found.bot_id, "troubles": found.troubles, "rows": found.rows})
    else:
        write(f"{found.place} is {'not whole' if found.troubles else 'whole'} (bot {found.bot_id}; rows: {_listed(found.rows)})")
        for trouble in found.troubles:
            write(f"  {one_line(trouble)}")
    return Exit.CONFIG if found.troubles else Exit.OK


def _tell(findings: Findings, saved: Salvaged | None, new: str | None) -> None:
    rows = _listed({name: len(table.sound) for name, table in findings.tables.items()})
    write(f"{findings.path} is {'damaged' if findings.troubles else 'whole'} (bot {findings.bot_id or 'unknown'}; sound rows: {rows})")
    for trouble in findings.troubles:
        write(f"  {one_line(trouble)}")
    if saved is None:
        if findings.troubles:
            complain(f"save what can be read with: syncbot check-state {findings.path} --salvage-into {findings.path}.new")
        return
    write(f"saved into {new}: {_listed(saved.saved)}; {saved.letters} damaged updates are among its dead letters")
    write(f"lost: {_listed(saved.lost) or 'no row that can be seen'}{_destroyed(findings)}")
    write(f"now move {findings.path} with its -wal away, and {new} into its place")


def _destroyed(findings: Findings) -> str:
    names = [name for name, table in findings.tables.items() if table.trouble]
    return f"; and an unknown number where pages are destroyed ({', '.join(names)})" if names else ""


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items())


def _facts(findings: Findings, saved: Salvaged | None) -> dict[str, object]:
    tables = {name: {"sound": len(t.sound), "damaged": len(t.damaged), "destroyed": bool(t.trouble)} for name, t in findings.tables.items()}
    facts: dict[str, object] = {"file": str(findings.path), "whole": not findings.troubles, "bot": findings.bot_id, "troubles": findings.troubles}
    facts["tables"] = tables
    if saved is not None:
        facts["salvaged"] = {"saved": dict(saved.saved), "lost": dict(saved.lost), "letters": saved.letters}
    return facts
