"""`python -m syncbot.cli`: the same as the console script."""

from __future__ import annotations

from syncbot.cli import main

if __name__ == "__main__":
    main()
