"""Calls of `telegram.utils.helpers`, with what comes of them. Runs under the real ones too; needs the standard library alone."""

from __future__ import annotations

import json
from typing import Any

SPECIAL = r"_*[]()~`>#+-=|{}.!\ a"
CALLS: list[tuple[str, tuple[Any, ...]]] = [
    *[("escape_markdown", (SPECIAL, *rest)) for rest in ((), (1,), (2,), ("2",), (2, "pre"), (2, "code"), (2, "text_link"), (1, "pre"), (3,))],
    *[("mention_html", (42, name)) for name in ("Ann", '<b>&"')],
    *[("mention_markdown", (42, "A_n*n.", *rest)) for rest in ((), (1,), (2,), (3,))],
    *[("create_deep_linked_url", call) for call in (("name_bot",), ("name_bot", "a-b_C9"), ("name_bot", "x", True), ("name_bot", ""), ("bot", "x"))],
    *[("create_deep_linked_url", call) for call in ((None, "x"), ("name_bot", "x" * 65), ("name_bot", "a b"), ("name_bot", "ä"))],
    ("encode_conversations_to_json", ({"main": {(1, 2): "a", (3, 4): None}, "other": {}},)),
    ("decode_user_chat_data_from_json", ('{"1": {"a": 2, "7": [1]}, "-5": {}}',)),
    ("decode_user_chat_data_from_json", ("no",)),
    ("to_timestamp", (10, 5.5)),
    ("get_signal_name", (15,)),
]


def table(helpers: Any) -> list[Any]:
    """What comes of each call."""
    return [[name, repr(values), _result(getattr(helpers, name), values)] for name, values in CALLS]


def _result(function: Any, values: tuple[Any, ...]) -> Any:
    try:
        result = function(*values)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return repr(sorted(result.items())) if isinstance(result, dict) else result


def main() -> None:
    """What the real ones give."""
    from telegram.utils import helpers

    print(json.dumps(table(helpers), indent=0))


if __name__ == "__main__":
    main()
