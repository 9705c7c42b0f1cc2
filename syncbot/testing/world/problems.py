"""Telegram's refusals, as exceptions."""

from __future__ import annotations

from typing import Any

OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"


class ApiProblem(Exception):
    """Telegram's refusal of a call: `"ok": false` with this code, description and parameters."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad_request(text: str, **parameters: Any) -> ApiProblem:
    """400 with Telegram's prefix."""
    return ApiProblem(400, f"Bad Request: {text}", **parameters)
