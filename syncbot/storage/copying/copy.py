"""`syncbot state copy`: a state moved from one place to another."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from syncbot.errors import ConfigError
from syncbot.storage.address import DatabaseUrl, StatePlace
from syncbot.storage.copying.tables import copy_all


def copy_state(source: StatePlace, target: StatePlace, bot: int | None) -> dict[str, int]:
    """Copy all that is in a state; returns how many rows of each table, and how many files.

    A death in the middle leaves the target without anything, or with all of it.

    Args:
        source: where it is; nobody may handle it meanwhile.
        target: where it is to be; the bot must have nothing there.
        bot: whose state it is; None for the only one that a database holds.

    Raises:
        AlreadyRunning: a bot runs on either.
        ConfigError: both are of one kind.
        StorageError: one of them cannot be used, or the target is not empty.
    """
    with ExitStack() as stack:
        if isinstance(source, Path) and isinstance(target, DatabaseUrl):
            from syncbot.storage.copying.database_side import database_target
            from syncbot.storage.copying.file_side import file_source

            owner, read = stack.enter_context(file_source(source))
            return copy_all(read, stack.enter_context(database_target(target, owner)))
        if isinstance(source, DatabaseUrl) and isinstance(target, Path):
            from syncbot.storage.copying.database_side import database_source
            from syncbot.storage.copying.file_side import file_target

            owner, from_rows = stack.enter_context(database_source(source, bot))
            return copy_all(from_rows, stack.enter_context(file_target(target, owner)))
    raise ConfigError(
        "a state is copied from a file into a database, or back; for a copy of a file copy the file while the bot is stopped, for one of a database use pg_dump"
    )
