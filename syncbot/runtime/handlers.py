"""The names that guides told users to import from here; they live in `syncbot.runtime.handling`, and are public as `syncbot.StopPropagation` and so on."""

from __future__ import annotations

from syncbot.runtime.handling.handlers import ContinuePropagation, StopPropagation

__all__ = ["ContinuePropagation", "StopPropagation"]
