"""`python -m syncbot.testing.sandbox BOT.py`."""

from __future__ import annotations

import sys

from syncbot.testing.sandbox.conversation import main

if __name__ == "__main__":
    sys.exit(main())
