"""A lock that a forked child finds free."""

from __future__ import annotations

import os
import threading


class ForkSafeLock:
    """A lock for short steps, one for each process: `with lock.here:`.

    A child that is forked while another thread of the parent holds an ordinary lock would wait for it for ever, since that thread does not live in
    the child; no deadline ends that. What the lock guards is then as the parent's thread left it, so the steps must bear being done by half.
    """

    __slots__ = ("_by_process",)

    def __init__(self) -> None:
        self._by_process = {os.getpid(): threading.Lock()}

    @property
    def here(self) -> threading.Lock:
        """This process's lock itself: entered by Python's own code, it is given back whenever an interrupt from the keyboard comes."""
        process = os.getpid()
        # Of several threads of a new child one puts its lock there, and all use that.
        return self._by_process.get(process) or self._by_process.setdefault(process, threading.Lock())
