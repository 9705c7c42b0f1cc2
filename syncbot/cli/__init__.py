"""The command line: `syncbot COMMAND …`. Each command is a module of this package, loaded when it is asked for."""

from __future__ import annotations

from syncbot.cli.console.frame import main, run

__all__ = ["main", "run"]
