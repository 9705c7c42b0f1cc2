"""What a program says of its network: proxies and timeouts, as python-telegram-bot 13 takes them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from syncbot.errors import ConfigError
from syncbot.secret import Secret
from syncbot.types import DEFAULT_DEADLINE, Proxy

_log = logging.getLogger(__name__)
_CREDENTIALS = ("username", "password")


class Request:
    """The network's settings; a bot takes them, and makes its calls by itself.

    Args:
        con_pool_size: not used: each call has a connection of its own.
        proxy_url: the proxy; None takes HTTPS_PROXY, ALL_PROXY and NO_PROXY from the environment.
        urllib3_proxy_kwargs: "username" and "password" for the proxy; others are not used, and the log says so.
        connect_timeout, read_timeout: seconds for the way to Telegram, and for its answer; together they bound an attempt.

    Raises:
        ConfigError: the proxy is malformed.
    """

    def __init__(
        self,
        con_pool_size: int = 1,
        proxy_url: str | Secret[str] | None = None,
        urllib3_proxy_kwargs: Mapping[str, Any] | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 5.0,
    ) -> None:
        url, named = Secret(proxy_url or ""), Secret(dict(urllib3_proxy_kwargs or {}))
        del proxy_url, urllib3_proxy_kwargs
        self.con_pool_size = con_pool_size
        self._proxy = _proxy(url, named)
        self._timeout = None if (connect_timeout, read_timeout) == (5.0, 5.0) else float((connect_timeout or 0) + (read_timeout or 0))

    def options(self) -> dict[str, Any]:
        """What a `syncbot.Bot` is to be told."""
        found: dict[str, Any] = {}
        if self._proxy is not None:
            found["proxies"] = self._proxy
        if self._timeout:
            found |= {"timeout": self._timeout, "deadline": max(DEFAULT_DEADLINE, 2 * self._timeout)}
        return found

    def stop(self) -> None:
        """Nothing stands open."""

    @classmethod
    def of(cls, request_kwargs: Mapping[str, Any] | None) -> Request:
        """One made of an Updater's `request_kwargs`.

        Raises:
            ConfigError: it knows no such name.
        """
        hidden = Secret(dict(request_kwargs or {}))
        del request_kwargs
        names = hidden.reveal().keys() - {"con_pool_size", "proxy_url", "urllib3_proxy_kwargs", "connect_timeout", "read_timeout"}
        if names:
            raise ConfigError(f"request_kwargs: nobody knows {', '.join(sorted(names))}; for example request_kwargs={{'read_timeout': 20}}")
        return cls(**hidden.reveal())


def _proxy(url: Secret[str], named: Secret[dict[str, Any]]) -> Proxy | None:
    if unknown := sorted(named.reveal().keys() - set(_CREDENTIALS)):
        _log.warning("urllib3_proxy_kwargs: %s is not used; what a proxy needs is told by its URL, username and password", ", ".join(unknown))
    if not url:
        return None
    proxy = Proxy.parse(url, setting="proxy_url")
    credentials: dict[str, Any] = {name: Secret(str(named.reveal()[name])) for name in _CREDENTIALS if named.reveal().get(name)}
    return replace(proxy, **credentials) if credentials else proxy
