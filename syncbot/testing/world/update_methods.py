"""getUpdates and the webhook's settings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from syncbot.testing.world.problems import ApiProblem, bad_request
from syncbot.testing.world.update_queue import PollWaiter, UpdateQueue
from syncbot.types import JSON

_WEBHOOK_ACTIVE = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


@dataclass
class WebhookState:
    """The webhook as it was set, and what became of deliveries to it."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    has_certificate: bool = False
    last_error: str = ""
    last_error_date: int = 0
    last_set: float = field(default=float("-inf"), repr=False)


def get_updates(queue: UpdateQueue, webhook: WebhookState, params: Mapping[str, Any], waiter: PollWaiter) -> list[JSON]:
    """getUpdates; waits, so the world's lock must not be held."""
    if webhook.url:
        raise ApiProblem(409, _WEBHOOK_ACTIVE)
    _remember_allowed(queue, params)
    return queue.get(_integer(params, "offset", 0), _integer(params, "limit", 100), _integer(params, "timeout", 0), waiter)


def set_webhook(queue: UpdateQueue, webhook: WebhookState, params: Mapping[str, Any], *, has_certificate: bool, any_url: bool) -> bool:
    """setWebhook; `any_url` lets plain HTTP and any port pass, as a local server does."""
    now, url = time.monotonic(), str(params.get("url") or "")
    if url and now - webhook.last_set < 1.0:
        raise ApiProblem(429, "Too Many Requests: retry after 1", retry_after=1)
    secret = str(params.get("secret_token") or "")
    if url:
        _check_url(url, any_url)
        if len(secret) > 256 or not all(c.isascii() and (c.isalnum() or c in "_-") for c in secret):
            raise bad_request("secret token contains unallowed characters")
        webhook.last_set = now
    webhook.url, webhook.secret, webhook.has_certificate = url, secret, bool(url) and has_certificate
    webhook.max_connections = min(max(_integer(params, "max_connections", 40), 1), 100)
    webhook.last_error, webhook.last_error_date = "", 0
    _remember_allowed(queue, params)
    if params.get("drop_pending_updates") is True:
        queue.drop()
    if url:
        queue.end_poll()
        queue.changed.notify_all()  # whoever delivers has waited for it
    return True


def delete_webhook(queue: UpdateQueue, webhook: WebhookState, params: Mapping[str, Any]) -> bool:
    """deleteWebhook."""
    webhook.url = webhook.secret = ""
    webhook.has_certificate = False
    if params.get("drop_pending_updates") is True:
        queue.drop()
    return True


def get_webhook_info(queue: UpdateQueue, webhook: WebhookState) -> JSON:
    """getWebhookInfo."""
    info: JSON = {"url": webhook.url, "has_custom_certificate": webhook.has_certificate, "pending_update_count": len(queue.pending)}
    if webhook.url:
        info["max_connections"] = webhook.max_connections
        info["ip_address"] = "127.0.0.1"
    if webhook.last_error:
        info["last_error_date"], info["last_error_message"] = webhook.last_error_date, webhook.last_error
    if queue.allowed:
        info["allowed_updates"] = sorted(queue.allowed)
    return info


def _remember_allowed(queue: UpdateQueue, params: Mapping[str, Any]) -> None:
    kinds = params.get("allowed_updates")
    if isinstance(kinds, list):
        queue.allow(str(kind) for kind in kinds)


def _check_url(url: str, any_url: bool) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise bad_request("bad webhook: URL is invalid") from None
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise bad_request("bad webhook: URL is invalid")
    if not any_url and parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if not any_url and (port or 443) not in (443, 80, 88, 8443):
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def _integer(params: Mapping[str, Any], name: str, default: int) -> int:
    value = params.get(name)
    if isinstance(value, float):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
