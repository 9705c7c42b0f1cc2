"""What text from outside may do to the terminal that shows it: nothing."""

from __future__ import annotations

import re

_HARMFUL = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # what drives a terminal: C0 but for tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # what turns the order of the characters around it
    "\u2028\u2029"  # lines that are none of ours
    "\ud800-\udfff"  # halves of characters, which no encoding takes
    "]"
)


def harmless(text: str) -> str:
    """The text with tabs and newlines, but with nothing else that drives a terminal or makes it show another order than there is.

    What is taken out is written as JSON does it (`\\u202e`): JSON stays JSON, and means the same.
    """
    return text if text.isascii() and text.isprintable() else _HARMFUL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
