"""Serving a webhook with waitress (extra `webhook`), from setting it to, if wanted, removing it."""

from __future__ import annotations

import logging
import random
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from syncbot.errors import ConfigError, NetworkError, RetryAfter, ServerError, SyncBotError
from syncbot.webhook import BODY_SECONDS, MAX_BYTES

if TYPE_CHECKING:
    from syncbot.client.bot import Bot

_log = logging.getLogger(__name__)

_LOOP_SECONDS = 0.5
_FLUSHES = 4
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_CONNECTIONS = 200


@dataclass(frozen=True)
class Wish:
    """What Telegram is asked for; see `Runtime.run_webhook`."""

    url: str
    secret_token: str = field(repr=False)
    allowed_updates: tuple[str, ...]
    max_connections: int = 40
    ip_address: str | None = None
    drop_pending_updates: bool = False

    def parameters(self) -> dict[str, Any]:
        """The parameters of setWebhook."""
        wanted = {
            "url": self.url,
            "secret_token": self.secret_token,
            "allowed_updates": list(self.allowed_updates),
            "max_connections": self.max_connections,
            "ip_address": self.ip_address,
            "drop_pending_updates": self.drop_pending_updates or None,
        }
        return {name: value for name, value in wanted.items() if value is not None}


class Server:
    """A waitress server in threads of its own, for one application.

    A request has to be complete within `request_seconds`, however busily its bytes drip.

    Args:
        app: the WSGI application.
        listen: the address.
        port: the port; 0 takes a free one.
        threads: how many requests are worked on at once.
        request_seconds: the time that a request may take to arrive; whole seconds.

    Raises:
        ConfigError: waitress is not installed, or the address cannot be used.
    """

    def __init__(self, app: Any, listen: str, port: int, threads: int, request_seconds: int = int(BODY_SECONDS)) -> None:
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
            connection_limit=_CONNECTIONS,
            channel_timeout=request_seconds,
            cleanup_interval=1,
            max_request_body_size=MAX_BYTES + 1,  # waitress refuses what reaches the bound
            clear_untrusted_proxy_headers=True,
            log_socket_errors=False,
        )
        self._server.task_dispatcher.queue_logger = _Quiet()
        self._server.channel_class = _bounded(self._server.channel_class)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="syncbot-webhook", daemon=True)

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def close(self) -> None:
        """Take no more requests, answer those that are here, and let go of the port."""
        self._stop.set()
        if self._thread.ident is not None:
            self._server.pull_trigger()
            self._thread.join()
        self._server.task_dispatcher.shutdown()
        for _ in range(_FLUSHES):  # answers that are still to be written
            self._loop(timeout=0.01, map=self._map, use_poll=True, count=1)
        self._server.close()
        self._close_all(self._map)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._loop(timeout=_LOOP_SECONDS, map=self._map, use_poll=True, count=1)


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


def _bounded(channel_class: Any) -> Any:
    """waitress's connection, which ends a silent client only, made to end one that drips too."""

    class BoundedChannel(channel_class):  # type: ignore[misc]  # waitress ships no types
        last_activity: float
        """`time.time()` of the last byte; when it is too long ago, waitress ends the connection."""

        def handle_read(self) -> None:
            since = self.last_activity if self.request is not None else None
            super().handle_read()
            if since is not None and self.request is not None:
                self.last_activity = since  # the same request is still incomplete: its time runs on

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
    pause_seconds = _FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            bot.call("setWebhook", **parameters)
        except (NetworkError, RetryAfter, ServerError) as error:
            _log.warning("the webhook cannot be set yet: %s", error)
            stop.wait(pause_seconds * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, not a secret
            pause_seconds = min(pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
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
