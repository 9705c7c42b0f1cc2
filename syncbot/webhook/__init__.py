"""The webhook: the WSGI edge that takes what Telegram posts (`edge`), and serving it with waitress (`serving`)."""

from __future__ import annotations

from syncbot.webhook.edge import BODY_SECONDS, MAX_BYTES, SECRET_HEADER, WebhookApp, derived_secret

__all__ = ["BODY_SECONDS", "MAX_BYTES", "SECRET_HEADER", "WebhookApp", "derived_secret"]
