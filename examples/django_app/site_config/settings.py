"""The settings of a small site. TELEGRAM_BOT says who runs the bot, SITE_DATABASE where the site's data are."""

import os
from urllib.parse import unquote, urlsplit

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only-for-this-example")
DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "bot.example"]
ROOT_URLCONF = "site_config.urls"
WSGI_APPLICATION = "site_config.wsgi.application"
INSTALLED_APPS = ["tgbot.apps.BotConfig"]
MIDDLEWARE: list[str] = []
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

DATABASES: dict[str, dict[str, object]] = {}
if "SITE_DATABASE" in os.environ:  # postgresql://user:password@host:port/name; the bot's state is there too
    _url = urlsplit(os.environ["SITE_DATABASE"])
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path[1:],
        "USER": unquote(_url.username or ""),
        "PASSWORD": unquote(_url.password or ""),
        "HOST": _url.hostname or "",
        "PORT": _url.port or "",
    }

TELEGRAM_BOT = os.environ.get("TELEGRAM_BOT", "webhook")
"""webhook: the site's processes take what Telegram posts · web: the site's processes poll, one at a time · command: `manage.py runbot` polls."""
