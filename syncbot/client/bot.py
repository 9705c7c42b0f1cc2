"""The Bot API as a Python object."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never

from syncbot.bounds import MOST_SECONDS, SHORTEST_SECONDS, check_call_seconds, check_method_name, check_numbers
from syncbot.client.api.bot_methods import BotMethods
from syncbot.client.api.table import MethodSpec, check_parameters, find_method, unknown_option
from syncbot.client.client import POLL_SCOPE, Call, Client
from syncbot.client.encode import encode
from syncbot.client.files.downloading import DownloadMethods
from syncbot.client.fit import DecodeError
from syncbot.client.limits import Limiter, Limits
from syncbot.client.own_transport import own_transport
from syncbot.client.recording import NoResult, Recorders
from syncbot.client.retry import RetryPolicy
from syncbot.config import Settings, check_setting, given_ways, trial_settings
from syncbot.errors import DeliveryUncertain, NetworkError, Phase
from syncbot.logs import guard
from syncbot.secret import Secret
from syncbot.types import DEFAULT_BASE_URL, DEFAULT_DEADLINE, DEFAULT_TIMEOUT, DIRECT, AheadAuto, AheadMode, Early, OpensAhead, Proxy, Transport, hidden_ways

if TYPE_CHECKING:
    from typing import Self

    import telegram

    from syncbot.client.files.downloads import Downloads
    from syncbot.client.ptb.shortcuts import AttachedBot

_NO_RETRY = RetryPolicy(attempts=1)


class Bot(BotMethods, DownloadMethods):
    """A bot: every method of the Bot API as a blocking call on a connection of its own.

    ```python
    with Bot.from_env() as bot:
        bot.send_message(chat_id=42, text="Hello")          # a telegram.Message
        bot.call("sendMessage", chat_id=42, text="Hello")   # the JSON result; never loads telegram
    ```

    It may be used from any number of threads.

    Args:
        token: the bot's token, as @BotFather gave it.
        proxies: the ways to Telegram in order of preference: proxy URLs, "direct", or `Proxy` values; none takes HTTPS_PROXY, ALL_PROXY and
            NO_PROXY from the environment.
        no_proxy: hosts that the given proxies are not used for, as in NO_PROXY.
        base_url: the Bot API server.
        ca_file: PEM file with the CA certificates to trust; None takes SYNCBOT_CA_FILE, REQUESTS_CA_BUNDLE or SSL_CERT_FILE, else certifi's.
        timeout: seconds that one attempt may take, from the name look-up to the last byte.
        deadline: seconds that a call may take in all, retries and waits included.
        retry: how often a call is tried; None tries once.
        limits: the rates to keep below; None switches rate limiting off.
        transport: what carries the requests; None makes a `OneShotTransport` of the settings given here.
        ipv4: connect by IPv4 only.
        dns_cache: seconds that a looked-up address is kept; 0 looks up each time.
        ahead: how many connections may stand ready for the next calls while calls follow each other, so that a call costs one round trip instead
            of three; each still serves one call. 3 suits most ways; 0 opens none. "auto" (`syncbot.types.AheadAuto` for other numbers than its own):
            one for five minutes from a call on, and more under load; a runtime does so by itself.
        early: whether a connection through a proxy is opened in one flight, which saves up to three round trips: on ways that were seen to take it
            ("learn"), "never" or "always".
        tls_groups: the keys that a handshake offers: what the server was seen to take ("learn"), all ("default"), or the name of one group ("X25519").
        local: the server is a local Bot API server: larger files, and absolute paths of files on this machine.
        max_download_bytes: a larger file is not downloaded; None for 20 MB, or 2000 MB from another server than Telegram's own.
        shortcuts: give the objects that come back python-telegram-bot's own methods as synchronous ones (`message.reply_text(…)`).

    Raises:
        ConfigError: the token, a proxy, the URL or a number is wrong, or the CA file cannot be used.
    """

    types = True
    """Its methods hand out python-telegram-bot's objects; those of a `syncbot.plain.Bot` do not."""

    def __init__(
        self,
        token: str | Secret[str],
        *,
        proxies: Sequence[str | Secret[str] | Proxy] | str | Proxy = (),
        no_proxy: str | Secret[str] = "",
        base_url: str = DEFAULT_BASE_URL,
        ca_file: str | Path | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        deadline: float = DEFAULT_DEADLINE,
        retry: RetryPolicy | None = RetryPolicy(),  # noqa: B008  # a frozen value is safe as a default
        limits: Limits | None = Limits(),  # noqa: B008  # the same
        transport: Transport | None = None,
        ipv4: bool = False,
        dns_cache: float = 0.0,
        ahead: AheadMode = 0,
        early: Early = "learn",
        tls_groups: str = "learn",
        local: bool = False,
        max_download_bytes: int | None = None,
        shortcuts: bool = True,
        **unknown: Never,
    ) -> None:
        if (trial := trial_settings()) is not None:  # a token, an address or a transport in the code must not lead a tried bot out of the sandbox
            token, proxies, no_proxy, transport = trial.token, trial.proxy, "", None
            base_url, ca_file = trial.base_url, trial.ca_file
        # First of all: no variable here, nor in what is called from here, may show a secret.
        token, hidden, no_proxy, url = Secret(token), hidden_ways(proxies), Secret(no_proxy), Secret(base_url)
        names = list(unknown)
        unknown.clear()
        del proxies, base_url
        if names:
            raise unknown_option("Bot", names[0], Bot.__init__)
        self._token: Secret[str] = check_setting("TELEGRAM_BOT_TOKEN", token)
        self.id = int(self._token.reveal().partition(":")[0])
        check_numbers(
            ("timeout", timeout, SHORTEST_SECONDS, MOST_SECONDS, False, "20.0"),
            ("deadline", deadline, SHORTEST_SECONDS, float("inf"), False, "60.0"),
            ("dns_cache", dns_cache, 0, float("inf"), False, "300.0"),
            ("max_download_bytes", max_download_bytes or 0, 0, float("inf"), True, "20_000_000"),
        )
        opened_ahead = AheadAuto.of(ahead)
        self.local = local
        self.shortcuts = shortcuts
        self._max_download_bytes = max_download_bytes
        self.settings: Settings | None = None
        self._attached_bot: AttachedBot | None = None
        self.recorders = Recorders()  # a runtime puts its handlers' journals here
        ways, bypassed = given_ways(hidden, no_proxy) if transport is None else ((), Secret(""))
        guard(self._token, *ways)
        if transport is None:
            transport = own_transport(ways, bypassed, ca_file, ipv4=ipv4, dns_cache=dns_cache, ahead=opened_ahead, early=early, tls_groups=tls_groups)
        self._client = Client(
            self._token,
            transport,
            base_url=str(check_setting("SYNCBOT_BASE_URL", url)),
            timeout=timeout,
            deadline=deadline,
            retry=retry or _NO_RETRY,
            limiter=Limiter(limits) if limits is not None else None,
        )

    @classmethod
    def from_env(cls, env_file: str | Path | None = None, **options: Any) -> Self:
        """A bot with the settings of the environment and of the env file.

        Args:
            env_file: None looks for `./.env`, then in the user's configuration folder.
            options: of the constructor; they win over the settings.

        Raises:
            ConfigError: a setting is missing or wrong.
            TypeError: it knows no such option; `token` is a setting.
        """
        if "token" in options:
            options.clear()
            raise TypeError(f"from_env() takes the token from TELEGRAM_BOT_TOKEN; to give it in the code, write {cls.__name__}(token)")
        return cls.from_settings(Settings.load(env_file), **options)

    @classmethod
    def from_settings(cls, settings: Settings, **options: Any) -> Self:
        """A bot with these settings; `options` of the constructor win over them."""
        names = ("base_url", "local", "timeout", "deadline", "ca_file", "ipv4", "dns_cache", "early", "tls_groups")
        taken = {name: getattr(settings, name) for name in names} | {"proxies": settings.proxies or (DIRECT,), "no_proxy": Secret(settings.no_proxy)}
        bot = cls(Secret(settings.token), **(taken | options))
        bot.settings = settings
        return bot

    def call(self, method: str, /, *, check: bool = True, **parameters: Any) -> Any:
        """Call any method of the Bot API and return its result as plain JSON values.

        Args:
            method: its name, such as "sendMessage"; one that is newer than the table works too.
            check: refuse parameters that the method does not have, as far as it is known; Telegram ignores them in silence.
            parameters: the method's; and `timeout` and `deadline` in seconds for this call, unless the method has one of that name
                (as getUpdates has `timeout`), and `progress`, told the bytes of an upload sent so far and their total.

        Raises:
            TypeError: a parameter is unknown or missing; the text names the nearest right one. Nothing was sent.
            ValueError: a value cannot be sent, or the method's name is none. Nothing was sent.
            NotSent, DeliveryUncertain, NetworkError, ApiError: see `syncbot.errors`.
        """
        check_method_name(method)
        spec = find_method(method)
        own = spec.parameters if spec is not None else {}
        options: dict[str, Any] = {name: parameters.pop(name) for name in ("timeout", "deadline", "progress") if name in parameters and name not in own}
        given = {name: value for name, value in parameters.items() if value is not None}
        if check and spec is not None:
            check_parameters(spec, given)
        return self.carry(self._encoded(spec, spec.name if spec is not None else method, given, options))

    def send_long(self, chat_id: int | str, text: str, parse_mode: str | None = None, **options: Any) -> list[telegram.Message]:
        """Send a text of any length, in as many messages as it needs; see `syncbot.text.split` for where it is cut.

        Args:
            chat_id: where to.
            text: the whole text.
            parse_mode: "HTML" or "MarkdownV2" where the text holds markup.
            options: of `send_message`. What it replies to, and an effect, go with the first message; a keyboard with the last one. `timeout` and
                `deadline` hold for each.

        Returns:
            The messages in order.

        Raises:
            ValueError: the text is too long and its markup is broken. Nothing was sent.
            NetworkError, ApiError: as `send_message`, of the first message that failed; no further one was sent. The error's `sent` are those before it.
        """
        from syncbot.client.api.long_texts import send_long  # deferred: most programs write short

        with self.in_a_row():
            return send_long(self.send_message, chat_id, text, parse_mode, options)

    def _downloads(self) -> Downloads:
        from syncbot.client.files.downloads import Downloads  # deferred: most programs download nothing

        return Downloads(self._client, self.call, local=self.local, max_bytes=self._max_download_bytes)

    def close(self) -> None:
        """End what is under way and let go of all that is held; a later call works again."""
        self._client.stop.set()
        self._client.transport.close()
        self._client.stop = threading.Event()

    def fetch_updates(self, *, offset: int | None, limit: int, wait: int, allowed_updates: Sequence[str] | None, stop: threading.Event) -> list[dict[str, Any]]:
        """One attempt of getUpdates, as plain JSON; for a poller, which has its own way of trying again.

        Args:
            offset: the first id wanted; confirms those before it.
            limit: how many at most, 1 to 100.
            wait: seconds that Telegram waits for an update.
            allowed_updates: the kinds wanted; None leaves Telegram's setting as it is.
            stop: ends the waiting at once.

        Raises:
            NetworkError, ApiError: as any call.
        """
        given = {"offset": offset, "limit": limit, "timeout": wait, "allowed_updates": allowed_updates}
        encoded = encode(None, {name: value for name, value in given.items() if value is not None})
        updates = self.carry(Call("getUpdates", encoded, repeatable=True, wait=wait, scope=POLL_SCOPE, retry=_NO_RETRY, stop=stop))
        return [update for update in updates if isinstance(update, dict)] if isinstance(updates, list) else []

    def abort_poll(self) -> None:
        """End a waiting `getUpdates` at once, from any thread."""
        self._client.transport.abort(POLL_SCOPE)

    def carry(self, call: Call) -> Any:
        """Carry out a call, named and encoded, and return its JSON result: the one place that every call of this bot passes, whoever makes it.

        The recorder of the calling thread may answer it from its record instead. Raises what any call does.
        """
        step = self.recorders.step(call)
        if step is None:
            return self._client.call(call)
        while not step.is_over:
            try:
                result = self._client.call(step.call)
            except Exception as error:
                step.failed(error)
            else:
                step.done(result)
        return step.result()

    def seconds_to_turn(self, method: str, chat: object) -> float:
        """In how many seconds the rate limits would let such a call pass; 0.0 for now. No turn is taken."""
        return self._client.seconds_to_turn(method, chat)

    @property
    def limiter(self) -> Limiter | None:
        """What keeps its calls within the rate limits; None where nothing does."""
        return self._client.limiter

    @property
    def stop_event(self) -> threading.Event:
        """When it is set, every wait of this bot's calls ends (for a retry, for the rate limits), and so does a waiting poll.

        A runtime puts its own here while it runs.
        """
        return self._client.stop

    @stop_event.setter
    def stop_event(self, event: threading.Event) -> None:
        self._client.stop = event

    @property
    def ahead(self) -> int | AheadAuto:
        """How many connections may stand ready for the next calls; may be changed at any time. A transport that opens none ahead keeps it at 0."""
        transport = self._client.transport
        return transport.ahead if isinstance(transport, OpensAhead) else 0

    @ahead.setter
    def ahead(self, mode: AheadMode) -> None:
        transport = self._client.transport
        if isinstance(transport, OpensAhead):
            transport.ahead = mode

    def expect_calls(self) -> None:
        """Somebody talks, and has been heard of by another way than this bot's polls: a connection is to stand ready for the answer, where `ahead` says so."""
        transport = self._client.transport
        if isinstance(transport, OpensAhead):
            transport.expect_calls()

    def in_a_row(self) -> AbstractContextManager[None]:
        """Open connections ahead while many calls follow each other, `with bot.in_a_row(): …`, whatever `ahead` is; what is left is closed at the end."""
        transport = self._client.transport
        return transport.in_a_row() if isinstance(transport, OpensAhead) else nullcontext()

    @property
    def chat(self) -> int | str | None:
        """The chat of the settings (SYNCBOT_CHAT), or None: where the `send_…` methods write, outside of handlers, when `chat_id` is left out."""
        return self.settings.chat if self.settings is not None else None

    def _chat_left_out(self, method: str) -> int | str:
        if self.recorders.here is not None:  # what was meant for a user would reach the owner
            raise TypeError(
                f"{method}() needs chat_id in a handler: context.reply(…) answers where the update came from, and context.bot.chat is the chat of the settings"
            )
        if self.chat is None:
            raise TypeError(f"{method}() needs chat_id: give it, or set SYNCBOT_CHAT, as `syncbot init` does, and make the bot by Bot.from_env()")
        return self.chat

    @property
    def transport(self) -> Transport:
        """What carries the requests."""
        return self._client.transport

    @property
    def timeout(self) -> float:
        """Seconds that one attempt may take."""
        return self._client.timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id})"

    def _invoke(self, spec: MethodSpec, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
        result = self.carry(self._encoded(spec, spec.name, parameters, options))
        try:
            return result if isinstance(result, NoResult) else self._typed(spec.returns, result)
        except DecodeError as error:
            problem = f"the answer is not what {spec.name} returns: {error}"
        kind = NetworkError if spec.repeatable else DeliveryUncertain
        raise kind(problem, method=spec.name, phase=Phase.ANSWERED, stage="body", retryable=False)

    def _typed(self, returns: tuple[str, ...], result: Any) -> Any:
        """The result of a call as the objects that this bot hands out."""
        from syncbot.client.ptb.decode import decode  # deferred: who only makes calls by name decodes nothing

        return decode(returns, result, self._attached())

    def typed_update(self, raw: Any) -> Any:
        """The JSON of an update as an object: a `telegram.Update` whose shortcuts are the bot's. Raises a `DecodeError` where it is none."""
        from syncbot.client.ptb.decode import decode_update  # deferred, as above

        return decode_update(raw, self._attached())

    def load_types(self) -> None:
        """Load python-telegram-bot's types, which takes seconds on a small machine."""
        from syncbot.client.ptb.decode import load  # deferred, as above

        load()

    def _attached(self) -> Any:
        """What the objects that come back are bound to, for their shortcuts; None without them."""
        if not self.shortcuts:
            return None
        if self._attached_bot is None:
            from syncbot.client.ptb.shortcuts import AttachedBot, install  # deferred: it loads telegram

            install()
            self._attached_bot = AttachedBot(self)  # of two that threads make at once either serves: an update's objects all have the same one
        return self._attached_bot

    def _encoded(self, spec: MethodSpec | None, method: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> Call:
        check_call_seconds(options.get("timeout"), options.get("deadline"))
        is_poll = method == "getUpdates"
        return Call(
            method,
            encode(spec, parameters, local=self.local),
            options.get("progress"),
            repeatable=spec.repeatable if spec is not None else False,
            chat=parameters.get("chat_id"),
            wait=_seconds(parameters.get("timeout", 0)) if is_poll else 0.0,
            scope=POLL_SCOPE if is_poll else "",
            timeout=options.get("timeout"),
            deadline=options.get("deadline"),
        )


def _seconds(value: float | timedelta) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return float(max(0, min(seconds, MOST_SECONDS)) if isinstance(seconds, int | float) else seconds)
