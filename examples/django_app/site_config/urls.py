"""The site's URLs."""

from django.urls import path
from tgbot.views import health, hook, order

urlpatterns = [path("telegram/hook", hook), path("telegram/health", health), path("order", order)]
