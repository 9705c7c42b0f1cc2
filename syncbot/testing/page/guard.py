"""Who may speak to the page's server: the one browser that was sent to its address, and no page of a stranger."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

COOKIE = "syncbot_try"


class RequestGuard:
    """The rules of one trial. Its path and its token are random; the path is told to the browser, the token lives in a cookie that no script reads."""

    def __init__(self) -> None:
        self.path = f"/{secrets.token_urlsafe(18)}/"
        self._token = secrets.token_urlsafe(24)
        self.hosts: frozenset[str] = frozenset()

    def listen_on(self, port: int) -> None:
        """Remember the exact hosts of this server."""
        self.hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})

    @property
    def cookie(self) -> str:
        """The value of Set-Cookie for the first navigation."""
        return f"{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path={self.path}"

    def refusal(self, verb: str, path: str, headers: Mapping[str, str]) -> str:
        """Why a request is refused; empty where it may pass. `headers` are looked up in any case."""
        host = headers.get("Host") or ""
        if host not in self.hosts:
            return "wrong host"
        if not hmac.compare_digest(path[: len(self.path)].encode(), self.path.encode()):
            return "wrong path"
        is_navigation = verb == "GET" and path == self.path
        origin = headers.get("Origin")
        if (origin is not None or verb != "GET") and origin != f"http://{host}":
            return "wrong origin"
        if headers.get("Sec-Fetch-Site") not in (None, "same-origin", *(("none",) if is_navigation else ())):
            return "another site"
        return "" if is_navigation or self._knows(headers.get("Cookie") or "") else "no token"

    def _knows(self, text: str) -> bool:
        try:
            found = SimpleCookie(text).get(COOKIE)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self._token.encode())
