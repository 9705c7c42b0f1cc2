"""Django is set up once for all tests, and each test has a bot of its own."""

import os

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{{package}}.settings")
django.setup()


@pytest.fixture
def app(telegram):
    """The site's bot, which speaks to this test's Telegram."""
    from {{package}} import bot

    yield bot.runtime()
    bot.runtime().stop()
    bot.runtime.cache_clear()
    bot.webhook.cache_clear()
