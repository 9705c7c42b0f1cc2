"""One call of the Bot API: retry around limits around one attempt, and Telegram's envelope opened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from syncbot.client.encode import Encoded, body
from syncbot.client.envelope import open_envelope
from syncbot.client.limits import Limiter
from syncbot.client.retry import Retrier, RetryPolicy
from syncbot.errors import ApiError, ConfigError, DeliveryUncertain, NetworkError, NotSent, Phase, RetryAfter
from syncbot.redact import Redactor
from syncbot.secret import Secret
from syncbot.types import DEFAULT_MIN_RATE, Body, Request, Transport

if TYPE_CHECKING:
    from syncbot.client.uploads import Progress

POLL_SCOPE = "poll"
"""The scope of getUpdates: aborting it ends a waiting poll and nothing else."""


if TYPE_CHECKING:

    class Witness(Protocol):
        """Who is told how far a call has come."""

        def sending(self) -> None:
            """The next byte that is written is the first one of the request; what this raises ends the call. Told by each attempt that comes as far."""
            ...

        def refused(self) -> None:
            """The attempt has certainly done nothing, and another one may follow."""
            ...


@dataclass(frozen=True)
class Call:
    """A call that is ready to go out.

    Args:
        method: the Bot API method.
        encoded: the parameters.
        progress: told the bytes of an upload sent so far and their total.
        repeatable: whether carrying it out twice does no harm.
        chat: the chat that the rate limits count it for, or None.
        wait: seconds that the server is asked to wait before it answers.
        scope: the name by which `Transport.abort` ends it.
        timeout: seconds for one attempt; None takes the client's.
        deadline: seconds for everything; None takes the client's, with `wait` and the time for a large body on top.
        retry: how often to try; None takes the client's.
        stop: ends its waits, and the attempt itself where the scope is aborted; None takes the client's.
        begin: called before each attempt, when its turn within the rate limits has come and nothing of it has left; what it raises ends the call.
        witness: told how far it has come.
    """

    method: str
    encoded: Encoded = Encoded({})  # noqa: RUF009  # a frozen value is safe as a default
    progress: Progress | None = field(default=None, repr=False)
    repeatable: bool = False
    chat: object = None
    wait: float = 0.0
    scope: str = ""
    timeout: float | None = None
    deadline: float | None = None
    retry: RetryPolicy | None = None
    stop: threading.Event | None = None
    begin: Callable[[], object] | None = None
    witness: Witness | None = field(default=None, repr=False)


class Client:
    """A bot's line to the Bot API.

    Args:
        token: the bot's token; it leaves this object only inside `Request.url`, which keeps it as a `Secret` too.
        transport: what carries the requests.
        base_url: of the Bot API server, without a slash at its end.
        timeout: seconds for one attempt.
        deadline: seconds for a call in all.
        retry: how often to try.
        limiter: the rate limits, or None for none.
        min_rate: bytes a second that a large body is given time for.
        clock: seconds, never going backwards.
    """

    def __init__(
        self,
        token: str | Secret[str],
        transport: Transport,
        *,
        base_url: str,
        timeout: float,
        deadline: float,
        retry: RetryPolicy,
        limiter: Limiter | None,
        min_rate: float = DEFAULT_MIN_RATE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = token = Secret(token)
        self._redactor = Redactor(token)
        self.transport = transport
        self.base_url = base_url
        self.timeout = timeout
        self.deadline = deadline
        if not isinstance(retry, RetryPolicy):
            raise ConfigError(f"retry: it is a RetryPolicy, not of type {type(retry).__name__}; for example retry=RetryPolicy(attempts=3), or None for one try")
        self.retry = retry
        self.min_rate = min_rate
        self.stop = threading.Event()
        self.limiter = limiter
        self._clock = clock

    def url(self, path: str, *, file: bool = False) -> Secret[str]:
        """The URL of a method, or of a file; it holds the token."""
        return Secret(f"{self.base_url}/{'file/' if file else ''}bot{self._token.reveal()}/{path}")

    def hide(self, text: str) -> str:
        """The text without the token, however it is written there."""
        return self._redactor.text(text)

    def call(self, call: Call) -> Any:
        """Carry out a call and return the JSON result; True when an earlier attempt turns out to have done it.

        Raises:
            NotSent: it never left.
            DeliveryUncertain: it may have been carried out, and must not be repeated blindly.
            NetworkError: it may have been carried out, which does no harm, and no attempt brought an answer.
            ApiError: Telegram refused it.
        """
        content_type, payload = body(call.encoded, call.progress)
        stop = call.stop or self.stop
        deadline = self._clock() + self._seconds_in_all(call, payload)
        request = self._request(call, content_type, payload, deadline, stop)
        passes_freely = self.limiter is None or call.scope == POLL_SCOPE
        has_turn = passes_freely

        def once() -> Any:
            """One attempt, when its turn within the rate limits has come."""
            nonlocal has_turn
            self._check_deadline(call, deadline)
            if self.limiter is not None and not has_turn:
                self.limiter.wait(call.method, call.chat, deadline=deadline, stop=stop)
                has_turn = True
            if call.begin is not None:
                call.begin()
            self._check_deadline(call, deadline)
            try:
                return open_envelope(self.transport.send(request), call.method, self.hide)
            except NotSent:
                if call.witness is not None:
                    call.witness.refused()
                raise  # nothing reached Telegram: the turn is still good
            except (NetworkError, ApiError) as error:
                failure = error
            if isinstance(failure, RetryAfter) and call.witness is not None:
                call.witness.refused()
            has_turn = passes_freely
            if isinstance(failure, RetryAfter) and self.limiter is not None:
                self.limiter.pause(call.method, call.chat, failure.retry_after)
            raise _uncertain(failure) if isinstance(failure, NetworkError) and not call.repeatable else failure

        retrier = Retrier(call.retry or self.retry, method=call.method, repeatable=call.repeatable, deadline=deadline, stop=stop, clock=self._clock)
        return retrier.run(once, already_done=True)

    def _request(self, call: Call, content_type: str, payload: bytes | Body, deadline: float, stop: threading.Event) -> Request:
        return Request(
            self.url(call.method),
            call.method,
            headers={"Content-Type": content_type},
            body=payload,
            timeout=self.timeout if call.timeout is None else call.timeout,
            wait=call.wait,
            min_rate=self.min_rate,
            deadline=deadline,
            scope=call.scope,
            # A stop ends waits everywhere, but only a poll is cut: a handler's send that is under way is let finish.
            stop=stop if call.scope == POLL_SCOPE else None,
            sending=call.witness.sending if call.witness is not None else None,
        )

    def seconds_to_turn(self, method: str, chat: object) -> float:
        """In how many seconds the rate limits would let such a call pass; 0.0 for now. No turn is taken."""
        return self.limiter.seconds_to_turn(method, chat) if self.limiter is not None else 0.0

    def _seconds_in_all(self, call: Call, payload: bytes | Body) -> float:
        if call.deadline is not None:
            return call.deadline
        size = len(payload) if isinstance(payload, bytes) else payload.size
        return max(self.deadline, call.timeout or 0.0) + call.wait + size / self.min_rate

    def _check_deadline(self, call: Call, deadline: float) -> None:
        if (left := deadline - self._clock()) <= 0:
            raise NotSent(f"the deadline was over {-left:.1f} s ago", method=call.method, stage="deadline", retryable=False)


def _uncertain(error: NetworkError) -> DeliveryUncertain:
    return DeliveryUncertain(
        f"{error}; it may have been carried out",
        method=error.method,
        phase=error.phase if error.phase is not Phase.NOT_SENT else Phase.MAYBE_SENT,
        stage=error.stage,
        proxy=error.proxy,
        elapsed=error.elapsed,
    )
