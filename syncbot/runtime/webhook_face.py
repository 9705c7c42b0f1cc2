"""The ways in beside polling: updates that somebody brings, by a webhook or by hand."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncbot.runtime.receiving.intake import incoming_from
from syncbot.runtime.session.lifecycle import Lifecycle
from syncbot.runtime.session.notify import ServiceNotifier
from syncbot.runtime.session.session import Session
from syncbot.runtime.session.summary import Summary
from syncbot.runtime.work.update_run import run_here
from syncbot.secret import Secret

if TYPE_CHECKING:
    from syncbot.webhook.edge import WebhookApp

_PROBE_SECONDS = 0.05
_ELSEWHERE = "another process handles the updates, and will handle this one"


class WebhookFace:
    """What a runtime takes in beside what it polls: `Runtime.webhook`.

    Args:
        lifecycle: what of the runtime is alive in this process.
    """

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def process(self, update: Mapping[str, Any] | str | bytes) -> None:
        """Take an update that somebody brings: when this returns, it is stored safely, and whoever brought it may forget it.

        It is handled by the process that holds the bot's lock, which may be this one (`start(poll=False)`), in its turn. One that is known
        already is passed over.

        Args:
            update: its JSON: a mapping, text, or the body of Telegram's request.

        Raises:
            ValueError: it is no update.
            StorageError: it was not stored; with `retryable` set it can be brought again later.
            ConfigError: there is no state file to store it in.
        """
        self._lifecycle.intake().put(incoming_from(update, self._lifecycle.album_kinds()))

    def handle(self, update: Mapping[str, Any] | str | bytes, *, max_seconds: float = 25.0) -> Summary:
        """Take an update and handle it now, in the calling thread and without any other, together with what was left by earlier calls.

        For places where nothing may keep running between two requests. Calls in several processes at once take turns. A handler that asks is put aside,
        and goes on in the call that brings the answer.

        Args:
            update: its JSON: a mapping, text, or the body of Telegram's request.
            max_seconds: when to begin no more; what is left waits in the state file for the next call. With `state=None` nothing is left: what is
                not handled in time is lost, and so is what handlers remember.

        Raises:
            ValueError, StorageError: as for `process`.
            AlreadyRunning: another process polls for the bot.
            RuntimeError: this runtime has been started, and handles what `process` takes by itself.
        """
        began = time.monotonic()
        current = self._lifecycle.session
        if current is not None and not current.done.is_set():
            raise RuntimeError("this runtime has been started, and handles updates in its own threads: give it this one with process()")
        incoming = incoming_from(update, self._lifecycle.album_kinds())
        if self._lifecycle.options.state is not None:
            self._lifecycle.intake().put(incoming)
        session = self._lifecycle.make_session(ServiceNotifier(), poll=False)
        try:
            if not self._wait_for_turn(session, began + max_seconds):
                return Summary(1, 0, 0, 0, time.monotonic() - began, _ELSEWHERE)
            session.open()
            components = session.components
            inbox = components.store.inbox
            if self._lifecycle.options.state is None:
                inbox.store([incoming])
            workers = components.workers
            done = run_here(
                inbox,
                components.dispatcher.handle,
                session.stop,
                began + max_seconds,
                workers.durability,
                turn_of=workers.turn_of,
                on_settled=workers.settled,
                more=components.clock.begin_due,
            )
            components.delivery.work_off(began + max_seconds - time.monotonic(), patience=0.0)
            counts = inbox.counts()
        finally:
            session.close()
            self._lifecycle.close_intake()
        left = counts.waiting + counts.running
        return Summary(1, done.handled, done.failed, left, time.monotonic() - began, "the time was up" if left else "")

    def wsgi(self, path: str | None = "/", secret_token: str | Secret[str] | None = None, *, start: bool = True, inline: bool = False) -> WebhookApp:
        """Make a WSGI application that takes what Telegram posts to a webhook: it stores the update, and answers 200 only then.

        Any number of processes may serve it. The one that holds the bot's lock handles the updates, also what the others have stored; when it
        ends, another one takes over.

        Args:
            path: the path of the webhook's URL; None takes every path, where the server has chosen by it already.
            secret_token: the secret that was given to setWebhook, 1 to 256 letters, digits, "_" and "-". None takes the one that
                `run` and `syncbot webhook set` use, which is derived from the bot's token.
            start: start this runtime with the first request in each process, and where it has jobs, or something waits in the outbox, soon after the
                application was loaded; otherwise it only stores, and another process has to handle.
            inline: handle each update within its request (see `handle`), for places where nothing may keep running between two requests.

        Raises:
            ConfigError: there is no state file, or the secret is malformed.
        """
        from syncbot.webhook.edge import WebhookApp, derived_secret  # a step up, taken where a user asks for it

        hidden = Secret(derived_secret(self._lifecycle.bot._token) if secret_token is None else secret_token)
        del secret_token
        self._lifecycle.need_state()
        hook = WebhookApp(self, path, hidden, start=start, inline=inline)
        if start and not inline:
            self._lifecycle.start_soon(self.ensure_started)
        return hook

    def run(
        self,
        url: str,
        *,
        listen: str = "127.0.0.1",
        port: int = 8080,
        path: str | None = None,
        secret_token: str | Secret[str] | None = None,
        max_connections: int = 40,
        threads: int = 8,
        ip_address: str | None = None,
        drop_pending_updates: bool = False,
        remove_on_stop: bool = False,
        certificate: str | os.PathLike[str] | None = None,
    ) -> None:
        """Set a webhook, serve it, and handle what it brings, until SIGINT or SIGTERM, or until `stop` is called.

        Telegram speaks TLS only: a web server in front of this one has to end it and to pass the requests on. Needs the extra `webhook`.

        Args:
            url: where Telegram finds the webhook: https, on port 443, 80, 88 or 8443.
            listen: the address to listen on.
            port: the port to listen on.
            path: the path that arrives here; None takes that of the URL.
            secret_token: proves that a request comes from Telegram; None derives one from the bot's token, the same at every start.
            max_connections: how many requests Telegram makes at once.
            threads: how many requests are taken at once.
            ip_address: what Telegram is to connect to instead of looking up the URL's host.
            drop_pending_updates: drop what waits at Telegram.
            remove_on_stop: remove the webhook at the end; otherwise Telegram keeps updates for the next start for a day.
            certificate: the file (PEM) of a certificate that you have made yourself, for Telegram to know; the web server in front has it too.

        Raises:
            ApiError: Telegram refuses the webhook.
            AlreadyRunning: another process polls for the bot.
            ConfigError, StorageError: it could not start, or not go on.
        """
        from syncbot.webhook.serving import Server, WebhookSettings, path_of, remove, serve  # a step up, taken where a user asks for it

        hidden = None if secret_token is None else Secret(secret_token)
        del secret_token
        hook = self.wsgi(path_of(url) if path is None else path, hidden)
        parameters = WebhookSettings(
            url,
            Secret(hook.secret_token),
            self._lifecycle.kinds_asked_for(),
            max_connections,
            ip_address,
            drop_pending_updates,
            None if certificate is None else Path(certificate),
        ).parameters()
        server = Server(hook, listen, port, threads, on_failure=self._serving_failed)
        try:
            with self._lifecycle.signals():
                session = self._lifecycle.start(poll=False)
                serve(server, self._lifecycle.bot, parameters, session.stop)
                self._lifecycle.join()
        finally:
            # First the server: whatever it took was stored before it was answered, and the next start handles it.
            server.close()
            self._lifecycle.stop()
            if remove_on_stop:
                remove(self._lifecycle.bot)

    def _serving_failed(self, error: BaseException) -> None:
        session = self._lifecycle.session
        if session is not None:
            session.fail(error)

    def ensure_started(self) -> None:
        """Start to handle what a webhook brings, unless this process has been started already, or stopped."""
        session = self._lifecycle.session
        if session is None or (session.fatal is not None and session.done.is_set()):
            try:
                self._lifecycle.start(poll=False)
            except RuntimeError:
                if self._lifecycle.session is session:
                    raise  # else another thread was quicker

    def _wait_for_turn(self, session: Session, deadline: float) -> bool:
        """Take the lock; False when others have handled everything meanwhile, or have not come to an end in time."""
        pause = threading.Event()
        while not session.take_lock():
            if self._lifecycle.options.state is not None and self._lifecycle.intake().is_empty():
                return False
            if time.monotonic() >= deadline:
                return False
            pause.wait(_PROBE_SECONDS)
        return True
