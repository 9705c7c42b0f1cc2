"""The end of an update's way through the groups."""

from __future__ import annotations


class DispatcherHandlerStop(Exception):
    """Raised by a handler: no further group gets this update.

    Args:
        state: within a conversation: the next state.
    """

    def __init__(self, state: object = None) -> None:
        super().__init__()
        self.state = state
