"""What the site keeps."""

from django.db import models


class Order(models.Model):  # type: ignore[misc]  # Django ships no types
    """Something that was ordered, and the chat that is told of it."""

    item = models.CharField(max_length=100)
    chat = models.BigIntegerField()
