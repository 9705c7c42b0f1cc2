"""Serving a webhook with waitress (extra `webhook`), from setting it to, if wanted, removing it."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from syncbot.bounds import check_numbers
from syncbot.errors import ConfigError, NetworkError, RetryAfter, ServerError, SyncBotError
from syncbot.secret import Secret
from syncbot.trouble import Backoff
from syncbot.webhook.edge import BODY_SECONDS, MAX_BYTES

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

_log = logging.getLogger(__name__)

_LOOP_SECONDS = 0.5
_FLUSHES = 4
_NOT_NOW = str(int(HTTPStatus.SERVICE_UNAVAILABLE))  # only who shows the secret is told so, and comes again
_PAUSE = Backoff(1.0, 30.0)
_PLACES = 200
_AT_ONCE = 20
_IDLE_SECONDS = 150.0  # longer than a proxy in front keeps its connections (nginx 60 s, Go's 90, Caddy 120): who closes first loses no request
_MOST_THREADS = 1000
_MAX_HEAD_BYTES = 16_384  # Telegram's heads have some hundred bytes


@dataclass(frozen=True)
class WebhookSettings:
    """What Telegram is asked for; see `Runtime.run_webhook`."""

    url: str
    secret_token: Secret[str]
    allowed_updates: tuple[str, ...]
    max_connections: int = 40
    ip_address: str | None = None
    drop_pending_updates: bool = False
    certificate: Path | None = None

    def __post_init__(self) -> None:
        check_numbers(("max_connections", self.max_connections, 1, 100, True, "40"))

    def parameters(self) -> dict[str, Any]:
        """The parameters of setWebhook."""
        wanted = {
            "url": self.url,
            "secret_token": self.secret_token,
            "allowed_updates": list(self.allowed_updates),
            "max_connections": self.max_connections,
            "ip_address": self.ip_address,
            "certificate": self.certificate,
            "drop_pending_updates": self.drop_pending_updates or None,
        }
        return {name: value for name, value in wanted.items() if value is not None}


class Server:
    """A waitress server in threads of its own, for one application.

    A connection has to bring a request that is accepted within `request_seconds`, whatever it sends, or it is closed, and at the first refusal too.
    Where too many come, those go first that never had a request accepted, the oldest of them first.

    Args:
        app: the WSGI application.
        listen: the address.
        port: the port; 0 takes a free one.
        threads: how many requests are worked on at once.
        request_seconds: the time that a request may take to arrive.
        clock: what measures it; in seconds.
        on_failure: told what has ended the thread that serves; it does not begin anew.

    Raises:
        ConfigError: waitress is not installed, a number is wrong, or the address cannot be used.
    """

    def __init__(
        self,
        app: Any,
        listen: str,
        port: int,
        threads: int,
        request_seconds: float = BODY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        on_failure: Callable[[BaseException], object] = lambda _: None,
    ) -> None:
        check_numbers(("port", port, 0, 65535, True, "8080"), ("threads", threads, 1, _MOST_THREADS, True, "8"))
        try:
            from waitress import wasyncore
            from waitress.server import create_server
        except ImportError:
            raise ConfigError("run_webhook needs waitress: pip install 'syncbot[webhook]'; or serve Runtime.wsgi() with another server") from None
        self._loop = wasyncore.loop
        self._close_all = wasyncore.close_all
        self._map: dict[int, Any] = {}
        # The socket is made here: waitress would leave its threads behind where the port is taken.
        listener = _listen(listen, port)
        self.port = int(listener.getsockname()[1])
        self._server = create_server(
            app,
            map=self._map,
            sockets=[listener],
            threads=threads,
            ident=None,
            connection_limit=2 * _PLACES,  # reached only where more than `_PLACES` requests are worked on
            channel_timeout=int(2 * _IDLE_SECONDS),  # out of the way of `Connections`, which is stricter
            max_request_header_size=_MAX_HEAD_BYTES,
            max_request_body_size=MAX_BYTES + 1,  # waitress refuses what reaches the bound
            clear_untrusted_proxy_headers=True,
            log_socket_errors=False,
        )
        self._server.task_dispatcher.queue_logger = _Quiet()
        self._connections = Connections(self._server.active_channels, request_seconds, clock)
        self._server.channel_class = bounded(self._server.channel_class, self._connections)
        self._door = {listener.fileno(): self._server}
        self._on_failure = on_failure
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="syncbot-webhook", daemon=True)

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def close(self) -> None:
        """Take no more requests, answer those that are here, and let go of the port."""
        self._stop.set()
        if self._thread.ident is not None:
            with contextlib.suppress(OSError):  # where the thread has failed, so may have what wakes it
                self._server.pull_trigger()
            self._thread.join()
        self._server.task_dispatcher.shutdown()
        for _ in range(_FLUSHES):  # answers that are still to be written
            self._loop(timeout=0.01, map=self._map, use_poll=True, count=1)
        self._server.close()
        self._close_all(self._map)

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:  # whatever ends it: nothing would be taken any more
            self._on_failure(error)

    def _serve(self) -> None:
        while not self._stop.is_set():
            self._loop(timeout=_LOOP_SECONDS, map=self._map, use_poll=True, count=1)
            for _ in range(_AT_ONCE):  # waitress lets one in each round, and a crowd would keep the next good one waiting
                if not self._connections.one_came():
                    break
                self._loop(timeout=0.0, map=self._door, use_poll=True, count=1)
            self._connections.close_overdue()
            if not self._server.accepting:  # waitress closes its listener at an error there, and goes on with nothing
                raise RuntimeError(f"port {self.port} is not listened on any more")


class _Quiet:
    """In place of waitress's logger for its queue: under load it would write a warning at every request, and a request that waits is none."""

    def warning(self, message: str, *values: object) -> None:
        _log.debug(message, *values)


def _listen(address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except (OSError, OverflowError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
    raise ConfigError(f"listen, port: {address}:{port} cannot be listened on ({reason}); for example listen='127.0.0.1', port=8080")


class Connections:
    """The connections of a server: how long each may stay, and which one gives way. Used by the server's loop alone.

    waitress's own clock is renewed by every byte, an empty line included, and where its places run out it lets nobody in.

    Args:
        channels: the connections, by descriptor; waitress keeps it.
        request_seconds: the time that a connection has for a request that is accepted.
        clock: what measures it.
    """

    def __init__(self, channels: dict[int, Any], request_seconds: float, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._channels = channels
        self._request_seconds = request_seconds
        self._came = False

    def come(self, newcomer: Any) -> None:
        """Make room for a new one, unless everybody else is being answered."""
        self._came = True
        if len(self._channels) > _PLACES:
            others = [channel for channel in self._channels.values() if channel is not newcomer and not channel.requests]
            if others:
                self._close(min(others, key=lambda channel: (channel.accepted, channel.since)))

    def one_came(self) -> bool:
        """Whether one has come since this was asked last."""
        came, self._came = self._came, False
        return came

    def close_overdue(self) -> None:
        """Close those whose time is up."""
        now = self.clock()
        for channel in list(self._channels.values()):
            if now - channel.since > (_IDLE_SECONDS if channel.rests else self._request_seconds):
                self._close(channel)

    def _close(self, channel: Any) -> None:
        with channel.requests_lock:  # a thread that has just answered looks for a next request under it
            if not channel.requests:
                channel.handle_close()


def bounded(channel_class: Any, connections: Connections) -> Any:
    """waitress's connection, which stays after a refusal, made to close then, and to know when it last had a request accepted."""

    class BoundedTask(channel_class.task_class):  # type: ignore[misc]  # waitress ships no types
        def build_response_header(self) -> Any:
            if self.status[:1] in "123" or self.status.startswith(_NOT_NOW):
                self.channel.since, self.channel.rests, self.channel.accepted = connections.clock(), True, True
            else:
                self.request.headers["CONNECTION"] = "close"  # as if the client had asked for it
            return super().build_response_header()

    class NamedRequest(channel_class.parser_class):  # type: ignore[misc]  # the same
        path = ""
        """What waitress logs when a client has gone, and a refused request has not."""

    class BoundedChannel(channel_class):  # type: ignore[misc]  # the same
        task_class = BoundedTask
        parser_class = NamedRequest
        accepted = False
        """Whether a request has been accepted."""
        rests = False
        """Whether nothing has come since one was accepted."""

        def __init__(self, *given: Any, **named: Any) -> None:
            self.since = connections.clock()  # from here on it owes a request
            super().__init__(*given, **named)
            connections.come(self)

        def handle_read(self) -> None:
            if self.rests:
                self.since, self.rests = connections.clock(), False
            super().handle_read()

        def handle_error(self) -> None:
            # waitress's parser raises at some heads, and would write an error with a trace for each: a stranger could fill the disk
            _log.debug("a request that cannot be read was refused: %s", type(sys.exception()).__name__)
            self.handle_close()

    return BoundedChannel


def path_of(url: str) -> str:
    """The path of a webhook's URL.

    Raises:
        ConfigError: it is no URL.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise ConfigError("url: it is not the URL of a webhook; for example https://bot.example/hook")
    return parts.path or "/"


def serve(server: Server, bot: Bot, parameters: dict[str, Any], stop: threading.Event) -> None:
    """Serve, and set the webhook, trying again for as long as there is no way to Telegram.

    Raises:
        ApiError: Telegram refuses the webhook.
    """
    server.start()
    _log.info("listening on port %d", server.port)
    failures = 0
    while not stop.is_set():
        try:
            bot.call("setWebhook", **parameters)
        except (NetworkError, RetryAfter, ServerError) as error:
            _log.warning("the webhook cannot be set yet: %s", error)
            stop.wait(_PAUSE.seconds(failures))
            failures += 1
        else:
            _log.info("the webhook is set: %s", parameters["url"])
            return


def remove(bot: Bot) -> None:
    """Remove the webhook; where that fails, it is said in the log."""
    try:
        bot.call("deleteWebhook")
    except SyncBotError as error:
        _log.error("the webhook could not be removed: %s; remove it with `syncbot webhook delete`", error)
    else:
        _log.info("the webhook is removed")
