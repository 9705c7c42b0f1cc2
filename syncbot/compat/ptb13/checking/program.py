"""A program checked as a whole."""

from __future__ import annotations

from pathlib import Path

from syncbot.compat.ptb13.checking.files import read_program
from syncbot.compat.ptb13.checking.finding import Finding
from syncbot.compat.ptb13.checking.imports import check_imports, imported
from syncbot.compat.ptb13.checking.usage import check_usage


def check_program(program: Path) -> list[Finding]:
    """What of a program cannot be carried over, by file and line. Nothing of it is run; telegram's names are to be syncbot's already in this process.

    Args:
        program: the file that is started; its own modules beside it are looked at too.

    Raises:
        OSError: there is no such file.
    """
    files, findings = read_program(program)
    for path, tree in files:
        findings += check_imports(path, tree, program.parent)
        findings += check_usage(path, tree, imported(tree))
    return sorted(set(findings))
