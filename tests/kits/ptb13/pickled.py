"""Has the real `PicklePersistence` write its files: the folder as the argument. Runs under 13.15; needs the standard library alone."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

USERS = {5: {"choice": "age", 7: (1, 2), "at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC)}}


def main() -> None:
    """One file, and five."""
    from telegram.ext import PicklePersistence

    for name, single in (("one", True), ("five", False)):
        kept = PicklePersistence(str(Path(sys.argv[1]) / name), single_file=single, store_callback_data=True)
        for get in (kept.get_user_data, kept.get_chat_data, kept.get_bot_data):
            get()
        for user, data in USERS.items():
            kept.update_user_data(user, data)
        kept.update_chat_data(-6, {"b": [2]})
        kept.update_bot_data({"seen": {5}, "bot": PicklePersistence.REPLACED_BOT})
        kept.update_conversation("main", (5, -6), 3)
        kept.update_callback_data(([("k", 1.5, {"b": [1]})], {"q": "k"}))
        kept.flush()
    print("null")


if __name__ == "__main__":
    main()
