"""The settings of a small site. TELEGRAM_BOT says who runs the bot."""

import os

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only-for-this-example")
DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "bot.example"]
ROOT_URLCONF = "site_config.urls"
WSGI_APPLICATION = "site_config.wsgi.application"
INSTALLED_APPS = ["tgbot.apps.BotConfig"]
MIDDLEWARE: list[str] = []
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
USE_TZ = True

TELEGRAM_BOT = os.environ.get("TELEGRAM_BOT", "webhook")
"""webhook: the site's processes take what Telegram posts · web: the site's processes poll, one at a time · command: `manage.py runbot` polls."""
