"""Blocking calls for asynchronous libraries: each in a thread of its own while it lasts, ended where its task is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from syncbot.adapters.carrier import Carrier
from syncbot.errors import NotSent
from syncbot.types import Response

CALLS_AT_ONCE = 128
_LAST_WAIT_SECONDS = 2.0
"""How long a close waits for calls that it has ended; only a name look-up by the system can last longer, and its thread ends with it."""


@dataclass(eq=False)
class CallUnderWay:
    """One call under way, in a thread of its own."""

    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def scope(self) -> str:
        """What `Transport.abort` knows it by; no other living call has the same."""
        return f"call-{id(self)}"


class CallThreads:
    """Does the calls of one loop, so many at a time.

    Args:
        carrier: makes the calls; closed with this.
        calls_at_once: how many may be under way; further ones wait their turn within their time. Polls do not count.
    """

    def __init__(self, carrier: Carrier, calls_at_once: int) -> None:
        self._carrier = carrier
        self._calls_at_once = calls_at_once
        self._calls: set[CallUnderWay] = set()
        self._closings = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turns = asyncio.Semaphore(calls_at_once)

    async def close(self) -> None:
        """End the calls under way and those that wait, at once, and let go of everything. A later call begins anew."""
        self._closings += 1
        calls = list(self._calls)
        for call in calls:
            self._end(call)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(call.ended.wait() for call in calls)), _LAST_WAIT_SECONDS)
        for call in calls:
            if call.ended.is_set() and call.thread is not None:
                call.thread.join()  # it has nothing left to do
        self._carrier.close()

    async def in_turn(self, method: str, work: Callable[[CallUnderWay], Response], ends_at: float) -> Response:
        """Do the work in a thread, at once for a poll, else when fewer than `calls_at_once` others are under way.

        Args:
            method: the Bot API method.
            work: makes the call, blocking.
            ends_at: `time.monotonic()` until which it waits for its turn.

        Raises:
            NotSent: its turn did not come in time, or this was closed before.
        """
        if method == "getUpdates":
            return await self._in_thread(work)
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # a semaphore belongs to the loop in which somebody waited for it first
            self._loop, self._turns = loop, asyncio.Semaphore(self._calls_at_once)
        turns, closings = self._turns, self._closings
        try:
            async with asyncio.timeout(ends_at - time.monotonic()):  # wait_for of Python 3.11 swallows a cancel that comes at the same moment
                await turns.acquire()
        except TimeoutError:
            words = "its turn did not come in time: too many calls are under way"
            raise NotSent(words, method=method, stage="limit", retryable=False, timed_out=True) from None
        try:
            if self._closings != closings:
                raise NotSent("what makes the calls was shut down before its turn came", method=method, stage="limit", retryable=False)
            return await self._in_thread(work)
        finally:
            turns.release()

    async def _in_thread(self, work: Callable[[CallUnderWay], Response]) -> Response:
        """Do the work in a new thread. Where this is cancelled, the connection is shut down, and with it the thread ends.

        A thread costs a small part of what a connection costs, and none is left that somebody would have to end.
        """
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Response] = loop.create_future()
        call = CallUnderWay()

        def run() -> None:
            outcome: Response | BaseException
            try:
                outcome = work(call)
            except BaseException as error:  # whatever it is, somebody waits for it
                outcome = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._finish, call, result, outcome)

        call.thread = threading.Thread(target=run, name="syncbot-call", daemon=True)
        self._calls.add(call)
        try:
            call.thread.start()
        except RuntimeError:
            self._calls.discard(call)
            raise
        try:
            return await result
        except asyncio.CancelledError:
            self._end(call)
            raise

    def _finish(self, call: CallUnderWay, result: asyncio.Future[Response], outcome: Response | BaseException) -> None:
        self._calls.discard(call)
        call.ended.set()
        if result.done():
            return
        if isinstance(outcome, Response):
            result.set_result(outcome)
        else:
            result.set_exception(outcome)

    def _end(self, call: CallUnderWay) -> None:
        """End a call wherever it stands: its waits, or its connection."""
        call.stop.set()
        self._carrier.transport.abort(call.scope)
