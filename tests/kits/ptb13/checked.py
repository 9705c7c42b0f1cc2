"""What `--check` finds in programs: their files as arguments, the findings as JSON. Run by `Starter.ask`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from syncbot.compat.ptb13.checking.program import check_program


def main() -> None:
    """Check each."""
    found = {}
    for name in sys.argv[1:]:
        path = Path(name)
        found[name] = [[each.file.name, each.line, each.text, each.is_note] for each in check_program(path)]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
