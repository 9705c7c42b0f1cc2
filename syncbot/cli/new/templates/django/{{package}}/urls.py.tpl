"""The site's URLs."""

from django.urls import path

from {{package}}.views import health, hook

urlpatterns = [path("telegram/hook", hook), path("telegram/health", health)]
