"""Every error that syncbot raises.

```
SyncBotError
├── ConfigError                 a setting is missing or wrong
├── StorageError                the state cannot be used as it is
├── NetworkError                no usable answer from Telegram
│   ├── NotSent                 the request never left: safe to repeat
│   │   └── ProxyAuthRequired   the proxy wants other credentials
│   └── DeliveryUncertain       the request may have been carried out
├── ApiError                    Telegram answered with "ok": false
│   ├── BadRequest              400
│   │   └── ChatMigrated        400 with the id of the new chat
│   ├── Unauthorized            401
│   ├── Forbidden               403
│   ├── NotFound                404
│   ├── Conflict                409
│   ├── RetryAfter              429
│   └── ServerError             5xx
├── AlreadyRunning              another process handles this bot's updates
├── AskTimeout                  nobody answered `context.ask` in time
├── Cancelled                   the user took `context.ask` back with /cancel
└── Stopped                     the runtime is stopping

Suspended                       no error: a handler is put aside, to go on in another run
```

The question a caller has is "was it delivered?", so the tree is cut along that line: after `NotSent` it was not, after
`DeliveryUncertain` nobody knows, after an `ApiError` Telegram itself said no. No text here ever holds a bot token or a proxy
password: whoever raises one of these has removed them before.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

MOST_RETRY_AFTER_SECONDS = 3600
"""A wait that Telegram asks for counts for so long at most; then it is asked again."""


class Phase(StrEnum):
    """How far a request can have come when it failed."""

    NOT_SENT = "not sent"
    """Not one byte of the request was written: it cannot have been carried out."""
    MAYBE_SENT = "maybe sent"
    """Writing had begun and no complete answer came back: it may have been carried out."""
    ANSWERED = "answered"
    """A complete HTTP answer came back, from Telegram or from something in front of it."""


class SyncBotError(Exception):
    """The base of every error that syncbot raises on purpose."""

    sent: tuple[Any, ...] = ()
    """The messages that `Bot.send_long` had sent before this stopped it; empty everywhere else."""


class ConfigError(SyncBotError):
    """A setting is missing or wrong; the text says which one, why, and shows a right value."""


class StorageError(SyncBotError):
    """The state, a file or a database, cannot be used (corrupt, locked, away, foreign, newer, read-only, disk full); the text says how to mend it.

    Args:
        message: what is wrong and how to mend it.
        retryable: the trouble may pass by itself (a full disk, a lock of another program): nothing was written, and the same call can be made
            again later. False where somebody has to act first (a damaged file, another bot's file, a read-only folder).
    """

    def __init__(self, message: str = "", *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class NetworkError(SyncBotError):
    """No usable answer came from Telegram.

    Args:
        message: what happened, without token or password.
        method: the Bot API method, such as "sendMessage"; empty where the request was not a Bot API call.
        phase: how far the request can have come.
        stage: where it failed: "deadline" (no attempt was made, the time was up), "limit" (its turn within the rate limits), "resolve", "connect",
            "proxy", "tls", "send" (writing the request), "receive" (no answer yet), or "body" (the head of an answer had come).
        proxy: the proxy used, without credentials ("http://proxy:3128"), or "direct".
        attempts: how many attempts were made, 1 or more.
        elapsed: seconds from the start of the call to its failure, all attempts and waits included.
        retryable: whether trying the same thing again can help at all.
        failover: another way (the next proxy in the list) stands ready, so that a new attempt need not wait.
        timed_out: it was the time that ended it.
        verify_code: OpenSSL's code for why the server's certificate was not accepted (10: it has expired); 0 where that was not the reason.
    """

    def __init__(
        self,
        message: str = "",
        *,
        method: str = "",
        phase: Phase = Phase.MAYBE_SENT,
        stage: str = "",
        proxy: str = "direct",
        attempts: int = 1,
        elapsed: float = 0.0,
        retryable: bool = True,
        failover: bool = False,
        timed_out: bool = False,
        verify_code: int = 0,
    ) -> None:
        super().__init__(message)
        self.method = method
        self.phase = phase
        self.stage = stage
        self.proxy = proxy
        self.attempts = attempts
        self.elapsed = elapsed
        self.retryable = retryable
        self.failover = failover
        self.timed_out = timed_out
        self.verify_code = verify_code


class NotSent(NetworkError):
    """The request never left this machine for Telegram: repeating it cannot send anything twice."""

    def __init__(self, message: str = "", *, phase: Phase = Phase.NOT_SENT, **facts: Any) -> None:
        super().__init__(message, phase=phase, **facts)


class ProxyAuthRequired(NotSent):
    """The proxy refused the credentials (HTTP 407, or the SOCKS counterpart).

    Not retried, since only a change of settings helps; unless the same proxy has taken the same credentials before.
    """

    def __init__(self, message: str = "", *, retryable: bool = False, **facts: Any) -> None:
        super().__init__(message, retryable=retryable, **facts)


class DeliveryUncertain(NetworkError):
    """The request left and no usable answer came back: Telegram may have carried it out, so it is not repeated by itself."""


class ApiError(SyncBotError):
    """Telegram answered `"ok": false`.

    Args:
        description: Telegram's own words.
        method: the Bot API method.
        code: Telegram's `error_code`.
        parameters: Telegram's `parameters` object, empty where there was none.
    """

    def __init__(self, description: str = "", *, method: str = "", code: int = 0, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.method = method
        self.code = code
        self.parameters: dict[str, Any] = dict(parameters or {})

    def __str__(self) -> str:
        where = f"{self.method}: " if self.method else ""
        return f"{where}{self.description} ({self.code})"


class BadRequest(ApiError):
    """400: Telegram does not accept the request as it stands."""


class ChatMigrated(BadRequest):
    """400: the group became a supergroup; `new_chat_id` is where it lives now."""

    @property
    def new_chat_id(self) -> int:
        """The id of the supergroup."""
        return int(self.parameters["migrate_to_chat_id"])


class Unauthorized(ApiError):
    """401: the token is malformed, unknown or revoked."""


class Forbidden(ApiError):
    """403: the bot may not do this, for instance because the user blocked it."""


class NotFound(ApiError):
    """404: Telegram knows no such method or file."""


class Conflict(ApiError):
    """409: another poller is running, or a webhook is set."""


class RetryAfter(ApiError):
    """429: too many requests; Telegram asks to wait `retry_after` seconds."""

    @property
    def retry_after(self) -> float:
        """How long Telegram asks to wait, in seconds: 0 to 3600; 1 where it does not say."""
        return float(seconds_to_wait(self.parameters.get("retry_after")))


class ServerError(ApiError):
    """5xx in Telegram's own envelope: its server failed or is restarting, somewhere on the way.

    Calls of methods that may be carried out twice were repeated before this was raised. Of others, `sendMessage` among them, nobody knows whether
    they were carried out.
    """


class AlreadyRunning(SyncBotError):
    """Another process (or another runtime in this one) holds the bot's lock and handles its updates."""


class AskTimeout(SyncBotError):
    """The user did not answer `context.ask` or `context.choose` within its timeout."""

    message_id: int | None = None
    """The message of the question, where it has buttons and went out by the outbox."""


class Cancelled(SyncBotError):
    """The user wrote /cancel while a question of `context.ask` or `context.choose` was open."""

    message_id: int | None = None
    """As that of `AskTimeout`."""


class Stopped(SyncBotError):
    """The runtime is stopping, and what was waited for will not come."""


class Suspended(BaseException):
    """A handler is put aside, and run again later: its run goes on where this one has come to. No error; let it pass.

    Who catches it changes nothing: every further call raises it again, and what the handler changes from here on is forgotten.
    """


_BY_CODE: dict[int, type[ApiError]] = {400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 429: RetryAfter}


def api_error(description: str, *, method: str, code: int, parameters: Mapping[str, Any] | None = None) -> ApiError:
    """Build the `ApiError` that fits Telegram's error code and parameters (the table above is complete; any other 4xx is a plain `ApiError`)."""
    kind = _BY_CODE.get(code, ServerError if code >= 500 else ApiError)
    if kind is BadRequest and type((parameters or {}).get("migrate_to_chat_id")) is int:
        kind = ChatMigrated
    return kind(description, method=method, code=code, parameters=parameters)


def seconds_to_wait(asked: object) -> float:
    """What counts of a `retry_after`, whatever stands there: 0 to `MOST_RETRY_AFTER_SECONDS`, and 1 for what is no number."""
    if isinstance(asked, bool) or not isinstance(asked, int | float) or asked != asked:  # NaN is the one that differs from itself
        return 1
    return min(max(asked, 0), MOST_RETRY_AFTER_SECONDS)
