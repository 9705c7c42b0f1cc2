"""`BotApiServer`: a Bot API on 127.0.0.1 that behaves as Telegram's does, records everything, and does as it is told."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import SystemRandom
from types import TracebackType
from typing import Any, Self

from syncbot.testing.certs import CertificateKind, TestCA
from syncbot.testing.people.people import Group, Scene, User, make_group, make_user
from syncbot.testing.server.answers import Answer, Script
from syncbot.testing.server.connection import Connection
from syncbot.testing.server.engine import Engine, EngineSettings
from syncbot.testing.server.rate_limits import RateLimits, RateMeter
from syncbot.testing.server.records import RecordedRequest, RequestRecorder
from syncbot.testing.server.views import ServerViews
from syncbot.testing.server.webhooks import RetryWaits, WebhookSender
from syncbot.testing.server.wire import WireTimes
from syncbot.testing.world.file_store import FileStore
from syncbot.testing.world.update_queue import PollSettings, UpdateQueue
from syncbot.testing.world.world import World
from syncbot.types import JSON

TEST_TOKEN = "123456789:TEST-abcdefghijklmnopqrstuvwxyz0123"  # noqa: S105  (a token of the right shape that opens nothing)
"""The token that the server knows unless it is given another."""

_UPLOAD_SLACK = 1 << 20


class BotApiServer(ServerViews):
    """A fake Bot API server over real sockets.

    Use it as a context manager; it listens on a free port from the start of `with` and has neither thread nor socket left after its end.

    ```python
    with BotApiServer() as server:
        user = server.user(first_name="Ann")
        user.send("/start")                      # an update for the bot
        ...                                      # the bot polls server.url and answers
        user.wait_for("Hello")
    ```

    Args:
        token: the token that is known; every other one is answered with 401.
        tls: speak TLS 1.3 with a certificate of the server's own authority (needs the extra `testing`).
        ca: use this authority instead of a new one; it is not closed with the server.
        certificate: what may be the matter with the certificate: "valid", "expired", "not_yet_valid" or "wrong_host".
        hosts: what the certificate is for; 127.0.0.1 and localhost by default.
        port: a fixed port; 0 takes a free one.
        bot: fields of the bot's own User that differ from the default.
        local: behave as a local Bot API server: file paths are absolute, uploads may have 2,000 MB.
        strict: refuse parameters that the Bot API does not know, instead of only noting them in `problems`.
        any_chat: a chat that nobody made comes into being when the bot writes to it; for load tests.
        rate_limits: enforce Telegram's limits on sending with 429; None lets everything pass.
        slow_same_offset: hold a poll that repeats its offset, as Telegram does.
        same_offset_delay: for how many seconds.
        conflict_delay: seconds by which a 409 is held that follows another one soon.
        keep_requests: how many requests, connections, events, and messages of a chat are remembered; counters are exact all the same.
        keep_files: how many files are remembered.
        keep_texts: count delivered texts, for `count_text`.
        max_upload: bytes that one request may have; default 50 MB and a little, or 2,000 MB with `local`.
        webhook_rules: refuse webhook URLs that are not HTTPS on the ports 443, 80, 88 or 8443, as Telegram does.
        times: seconds that a client gets to begin a request, to complete its head, and between two pieces of a body.
    """

    def __init__(
        self,
        token: str = TEST_TOKEN,
        *,
        tls: bool = False,
        ca: TestCA | None = None,
        certificate: CertificateKind = "valid",
        hosts: Sequence[str] = (),
        port: int = 0,
        bot: Mapping[str, Any] | None = None,
        local: bool = False,
        strict: bool = False,
        any_chat: bool = False,
        rate_limits: RateLimits | None = None,
        slow_same_offset: bool = True,
        same_offset_delay: float = 3.0,
        conflict_delay: float = 3.0,
        keep_requests: int = 20_000,
        keep_files: int = 1000,
        keep_texts: bool = True,
        max_upload: int | None = None,
        webhook_rules: bool = False,
        times: WireTimes | None = None,
    ) -> None:
        self.token = token
        self.tls = tls
        self._ca = ca
        self._owns_ca = tls and ca is None
        self._certificate = certificate
        self._hosts = tuple(hosts)
        self._port = port
        self._times = times or WireTimes()
        self.world = World(_bot_card(token, bot or {}), keep=keep_requests, any_chat=any_chat)
        self.store = FileStore(keep=keep_files, on_disk=local)
        self.queue = UpdateQueue(self.world.changed, PollSettings(slow_same_offset, same_offset_delay, conflict_delay), next_id=_first_update_id())
        self.scene = Scene(self.world, self.queue, self.store)
        self.recorder = RequestRecorder(keep_requests, keep_texts, self.world.changed)
        limit = max_upload if max_upload is not None else (2000 << 20 if local else 50 << 20) + _UPLOAD_SLACK
        settings = EngineSettings(token, strict, local, limit, webhook_rules)
        meter = RateMeter(rate_limits, keep_requests)
        self.engine = Engine(settings, self.world, self.queue, self.store, self.recorder, Script(), meter)
        self._listener: socket.socket | None = None
        self._bell: tuple[socket.socket, socket.socket] | None = None
        self._context: ssl.SSLContext | None = None
        self._threads: dict[Connection, threading.Thread] = {}
        self._lock = threading.Lock()
        self._acceptor: threading.Thread | None = None
        self._webhooks: WebhookSender | None = None

    # ------------------------------------------------------------------ life

    def start(self) -> Self:
        """Listen; `with` does it too."""
        if self.tls:
            self._ca = self._ca or TestCA()
            self._context = self._ca.server_context(*self._hosts, kind=self._certificate)
        try:
            self._listener = socket.create_server(("127.0.0.1", self._port), backlog=1024)
        except OSError:
            self._drop_ca()
            raise
        self._listener.setblocking(False)
        self._bell = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name="syncbot-bot-api", daemon=True)
        self._acceptor.start()
        return self

    def close(self) -> None:
        """End all connections and threads; `with` does it too."""
        if self._webhooks is not None:
            self._webhooks.stop()
            self._webhooks = None
        if self._listener is None or self._bell is None or self._acceptor is None:
            return
        self._bell[0].send(b"!")
        self._acceptor.join()
        self._listener.close()
        for end in self._bell:
            end.close()
        self._listener = None
        self._end_connections()
        self.world.alarms.close()
        self.store.close()
        self._drop_ca()

    def _drop_ca(self) -> None:
        if self._owns_ca and self._ca is not None:
            self._ca.close()
            self._ca = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1; raises RuntimeError before the start."""
        if self._listener is None:
            raise RuntimeError("the server is not running; use it with `with`, or call start()")
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The base URL, as `base_url` of a bot."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        """The path of the certificate that a client has to trust, as PEM; raises RuntimeError where the server does not speak TLS."""
        return self._authority().ca_file

    def use_certificate(self, kind: CertificateKind) -> None:
        """Show another certificate to the connections that come from now on."""
        self._context = self._authority().server_context(*self._hosts, kind=kind)

    def _authority(self) -> TestCA:
        if self._ca is None:
            raise RuntimeError("the server does not speak TLS; make it with tls=True")
        return self._ca

    def drop_connections(self) -> int:
        """End every open connection at once, as a restart of the server would; returns how many there were."""
        with self._lock:
            connections = list(self._threads)
        for connection in connections:
            connection.stop(hard=True)
        return len(connections)

    def _accept(self) -> None:
        listener, bell = self._listener, self._bell
        assert listener is not None
        assert bell is not None
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        poll.register(bell[1], select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if bell[1].fileno() in ready:
                return
            try:
                self._serve(listener.accept()[0])
            except (OSError, RuntimeError):
                # a client that has gone again, or no descriptor or thread left: the others still want to be served
                select.select([bell[1]], [], [], 0.02)

    def _serve(self, sock: socket.socket) -> None:
        connection = Connection(sock, self._context, self.recorder.opened(self.tls), self.engine.handle, self._times)
        thread = threading.Thread(target=self._run, args=(connection,), name=f"syncbot-bot-api-{connection.record.id}", daemon=True)
        with self._lock:
            self._threads[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            sock.close()
            self._gone(connection)
            raise

    def _run(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            self._gone(connection)

    def _gone(self, connection: Connection) -> None:
        self.recorder.closed(connection.record)
        with self._lock:
            self._threads.pop(connection, None)

    def _end_connections(self) -> None:
        with self._lock:
            threads = dict(self._threads)
        for hard in (False, True):
            for connection in threads:
                connection.stop(hard=hard)
            deadline = time.monotonic() + (0.5 if not hard else 10.0)
            for thread in threads.values():
                thread.join(max(0.0, deadline - time.monotonic()))

    # ------------------------------------------------------------------ answers to order

    def script(self, method: str, *answers: Answer, times: int | None = 1, when: Callable[[RecordedRequest], bool] | None = None) -> None:
        """Order answers for calls to come.

        Args:
            method: the Bot API method, in any case; "*" for any request.
            answers: used one after the other.
            times: how often each is used; None for ever.
            when: only for requests of which this function says True.
        """
        self.engine.script.add(method, answers, times, when)

    def answer_next(self, *answers: Answer) -> None:
        """Order answers for the next requests, whatever they ask."""
        self.engine.script.add("*", answers, 1, None)

    def clear_script(self, method: str = "*") -> None:
        """Forget what was ordered for a method, or all of it."""
        self.engine.script.clear(method)

    @property
    def scripted_left(self) -> int:
        """How many orders were not used up yet."""
        return self.engine.script.pending

    # ------------------------------------------------------------------ people and updates

    def user(self, id: int | None = None, first_name: str = "User", *, started: bool = True, **fields: Any) -> User:
        """Make a user with a private chat with the bot.

        Args:
            id: the user's id; a new one by default.
            first_name: the name.
            started: the user has pressed Start before; else the bot may not write first.
            fields: further fields of the Bot API User (username, last_name, language_code, …).

        A user who exists already is found again by id, with all that was said.
        """
        return make_user(self.scene, id, first_name, started=started, **fields)

    def group(self, title: str = "Group", *, members: Iterable[User] = (), id: int | None = None, type: str = "supergroup", **fields: Any) -> Group:
        """Make a group that the bot is in.

        Args:
            title: its name.
            members: who is in it; the first one owns it.
            id: a negative number; a new one by default.
            type: "group", "supergroup" or "channel".
            fields: further fields of the Bot API Chat (username, is_forum).
        """
        return make_group(self.scene, title, members=members, id=id, type=type, **fields)

    def push(self, kind: str, value: Any) -> int | None:
        """Queue an update of any kind ("message", "poll_answer", …); returns its id, or None where the bot did not ask for this kind."""
        return self.queue.push(kind, value)

    def answer_to(self, query_id: str, timeout: float = 20.0) -> JSON:
        """The parameters with which the bot answered an inline, shipping or checkout query; raises TimeoutError where it does not."""
        self.wait_until(lambda: bool(self.world.queries.get(query_id)), timeout, f"the bot did not answer the query {query_id}")
        return self.world.queries[query_id]

    def add_query(self, query_id: str) -> None:
        """Make the id of a query known that is pushed by hand, so that the bot can answer it."""
        self.world.add_query(query_id)

    def add_file(self, content: bytes, *, name: str = "file.bin") -> str:
        """Put a file on the server; returns the file id with which the bot can send and fetch it."""
        return self.store.add([content], name=name).file_id

    # ------------------------------------------------------------------ webhook

    def deliver_webhook(
        self, *, first_delay: float = 1.0, max_delay: float = 60.0, timeout: float = 10.0, ca_file: str | None = None, connections: int = 8
    ) -> WebhookSender:
        """Begin to deliver updates by POST to the webhook that the bot has set, chat by chat in order; ends with the server.

        Args:
            first_delay: seconds before the second try of a POST that failed; doubled from try to try. A Retry-After of the webhook counts instead.
            max_delay: the longest of these waits.
            timeout: seconds that one POST may take.
            ca_file: what to trust, where the webhook speaks TLS with an authority of its own.
            connections: how many chats are served at the same time.
        """
        if self._webhooks is None:
            waits = RetryWaits(first_delay, max_delay)
            self._webhooks = WebhookSender(self.engine, waits, timeout=timeout, ca_file=ca_file, connections=connections)
            self._webhooks.start()
        return self._webhooks


def _first_update_id() -> int:
    """Anywhere, as with Telegram: a bot whose state file stays from one server to the next would pass over ids that it has had."""
    return SystemRandom().randrange(100_000_000, 1_000_000_000)


def _bot_card(token: str, fields: Mapping[str, Any]) -> JSON:
    number = token.partition(":")[0]
    card: JSON = {"id": int(number) if number.isdigit() else 1, "is_bot": True, "first_name": "Test Bot", "username": "test_bot"}
    flags = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": True}
    return {**card, **flags, "can_connect_to_business": False, "has_main_web_app": False, **fields}
