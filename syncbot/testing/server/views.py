"""What can be read off the server, and waited for: requests, connections, messages, updates, counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.people.reading import SentMessage, matches, newer_than
from syncbot.testing.server.engine import Engine
from syncbot.testing.server.rate_limits import RateMeter
from syncbot.testing.server.records import ConnectionRecord, RecordedRequest, RequestRecorder
from syncbot.testing.world.update_queue import UpdateQueue
from syncbot.testing.world.world import World
from syncbot.types import JSON


class ServerViews:
    """The reading half of `BotApiServer`. Lists are copies; counters are exact, whatever is remembered."""

    world: World
    queue: UpdateQueue
    recorder: RequestRecorder
    engine: Engine

    @property
    def bot(self) -> JSON:
        """The bot as a Bot API User, as it stands in messages."""
        return self.world.bot

    @property
    def next_update_id(self) -> int:
        """The id of the next update. Set it lower to have the ids start again, as Telegram may after a week of silence."""
        return self.queue.next_id

    @next_update_id.setter
    def next_update_id(self, value: int) -> None:
        with self.world.changed:
            self.queue.next_id = value

    @property
    def pending_updates(self) -> list[JSON]:
        """The updates that the bot has not confirmed, in order."""
        with self.world.changed:
            return list(self.queue.pending)

    @property
    def confirmed_updates(self) -> int:
        """How many updates the bot has confirmed."""
        return self.queue.confirmed

    @property
    def confirmed_below(self) -> int:
        """The id below which the last confirmation lies; 0 before the first."""
        return self.queue.confirmed_below

    @property
    def is_polled(self) -> bool:
        """Whether a poll waits right now."""
        return self.queue.is_polled

    # ------------------------------------------------------------------ what was seen

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests, in order; the last `keep_requests` of them."""
        with self.world.changed:
            return list(self.recorder.requests)

    def requests_for(self, method: str) -> list[RecordedRequest]:
        """The remembered requests for one method."""
        return [request for request in self.requests if request.method == method]

    @property
    def connections(self) -> list[ConnectionRecord]:
        """The connections, in order; the last `keep_requests` of them."""
        with self.world.changed:
            return list(self.recorder.connections)

    @property
    def problems(self) -> list[str]:
        """What was wrong with parameters: "sendMessage: unknown parameter txt" and the like; the last 1,000."""
        with self.world.changed:
            return list(self.recorder.problems)

    @property
    def sent(self) -> list[SentMessage]:
        """What the bot did to messages, in order: sent, edited, deleted; the last `keep_requests` of them."""
        with self.world.changed:
            return [SentMessage(event.message, event.kind) for event in self.world.sent]

    @property
    def meter(self) -> RateMeter:
        """What was counted against Telegram's limits: `violations`, `violations_total`, `most_per_second`."""
        return self.engine.meter

    def count(self, method: str = "") -> int:
        """How many requests came for a method, or in all; exact, whatever is remembered."""
        return self.recorder.by_method[method] if method else self.recorder.requests_total

    def count_status(self, status: int) -> int:
        """How many answers had this HTTP status."""
        return self.recorder.by_status[status]

    def count_text(self, text: str) -> int:
        """How many messages with exactly this text or caption the server has accepted."""
        return self.recorder.texts[text]

    @property
    def texts(self) -> Mapping[str, int]:
        """How often each text or caption was accepted."""
        with self.world.changed:
            return dict(self.recorder.texts)

    @property
    def open_connections(self) -> int:
        """How many connections are open right now."""
        return self.recorder.open_connections

    @property
    def connections_total(self) -> int:
        """How many connections were accepted."""
        return self.recorder.connections_total

    @property
    def max_requests_per_connection(self) -> int:
        """The most requests that one connection carried."""
        return self.recorder.max_requests_per_connection

    # ------------------------------------------------------------------ waiting

    def wait_until(self, condition: Callable[[], bool], timeout: float = 20.0, problem: str = "it did not happen") -> None:
        """Wait until something about the server is true; looked at after every change. Raises TimeoutError with `problem` where it does not get true."""
        self.world.wait_until(condition, timeout, problem)

    def wait_for(self, wanted: Any, timeout: float = 20.0) -> SentMessage:
        """Wait until the bot has said something in any chat: an exact text, a pattern, or a function of a `SentMessage`; what was said before counts too."""
        found: list[SentMessage] = []
        looked = 0

        def look() -> bool:
            nonlocal looked
            new = newer_than(self.world.sent, looked)
            looked = new[-1].number if new else looked
            messages = [SentMessage(event.message, event.kind) for event in new if event.kind != "deleted"]
            found.extend(message for message in messages if matches(wanted, message))
            return bool(found)

        self.wait_until(look, timeout, f"the bot did not say {wanted!r}")
        return found[0]

    def wait_count(self, method: str, count: int, timeout: float = 20.0) -> None:
        """Wait until at least `count` requests came for a method."""
        self.wait_until(lambda: self.count(method) >= count, timeout, f"{method} was not called {count} times")

    def wait_confirmed(self, update_id: int | None = None, timeout: float = 20.0) -> None:
        """Wait until an update is confirmed, or every one that waits where no id is given."""

        def done() -> bool:
            pending = self.queue.pending
            return not pending if update_id is None else all(update["update_id"] != update_id for update in pending)

        self.wait_until(done, timeout, "the updates were not confirmed")

    def wait_polled(self, timeout: float = 20.0) -> None:
        """Wait until a poll waits for updates."""
        self.wait_until(lambda: self.queue.is_polled, timeout, "nobody polled")

    def wait_closed(self, timeout: float = 20.0) -> None:
        """Wait until no connection is open."""
        self.wait_until(lambda: self.recorder.open_connections == 0, timeout, "connections stayed open")
