"""How a store behaves."""

from __future__ import annotations

from dataclasses import dataclass

from syncbot.bounds import MOST_SECONDS, check_numbers

PLAUSIBLE_TIME = 1_577_836_800.0
"""Nothing is forgotten for its age that carries a time before 2020: a router's clock begins anywhere and jumps when the network comes up."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store behaves.

    Args:
        busy_timeout: seconds to wait for a lock that another process holds before the call fails (retryable).
        window_ids: how many update ids are remembered at most, to know a repeated one.
        window_seconds: for how long an id is remembered. Telegram offers an update for a day, and restarts its ids only after a week.
        dead_limit: how many dead letters are kept; the oldest go first.
        dead_seconds: for how long a dead letter is kept.
        state_seconds: for how long the state of a conversation is kept after its last update: counted anew when it is set, and when an update of the
            conversation looks at it (noted to a hundredth of this time); what is over is forgotten once an hour. `math.inf` keeps it for ever.
        check: look through the whole file at opening (about 3 ms a megabyte) so that damage is found before the first poll.
        max_pages: a ceiling for the file, in pages of 4096 bytes; above it, the file behaves as on a full disk. None for none.
        lease_seconds: (PostgreSQL) after so long without a word from a process that handles, others take over what it has.
        connections: (PostgreSQL) how many connections this process opens at most, beside one that each process that handles keeps.

    Raises:
        ConfigError: a number is wrong.
    """

    busy_timeout: float = 5.0
    window_ids: int = 20_000
    window_seconds: float = 2 * 86_400.0
    dead_limit: int = 1_000
    dead_seconds: float = 90 * 86_400.0
    state_seconds: float = 30 * 86_400.0
    check: bool = True
    max_pages: int | None = None
    lease_seconds: float = 15.0
    connections: int = 8

    def __post_init__(self) -> None:
        endless = float("inf")
        check_numbers(
            ("busy_timeout", self.busy_timeout, 0, MOST_SECONDS, False, "5.0"),
            ("window_ids", self.window_ids, 1, endless, True, "20_000"),
            ("window_seconds", self.window_seconds, 1, endless, False, "2 * 86_400"),
            ("dead_limit", self.dead_limit, 0, endless, True, "1_000"),
            ("dead_seconds", self.dead_seconds, 0, endless, False, "90 * 86_400"),
            ("state_seconds", self.state_seconds, 1, endless, False, "30 * 86_400"),
            ("max_pages", 1 if self.max_pages is None else self.max_pages, 1, endless, True, "100_000"),
            ("lease_seconds", self.lease_seconds, 1, MOST_SECONDS, False, "15.0"),
            ("connections", self.connections, 2, 1000, True, "8"),
        )

    def is_fading(self, at: float, now: float) -> bool:
        """Whether a state that was last noted at this time is to be noted anew when it is looked at."""
        return at < now - self.state_seconds / 100
