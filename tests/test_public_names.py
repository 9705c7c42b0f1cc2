"""The public names: added with thought, and never taken away by accident."""

from __future__ import annotations

import importlib

import pytest

import syncbot

NAMES = [
    "AlreadyRunning",
    "ApiError",
    "AskTimeout",
    "BadRequest",
    "Bot",
    "ChatMigrated",
    "ConfigError",
    "Conflict",
    "Context",
    "ContinuePropagation",
    "DeliveryUncertain",
    "Forbidden",
    "Limits",
    "NetworkError",
    "NotFound",
    "NotSent",
    "Outbox",
    "Phase",
    "Proxy",
    "ProxyAuthRequired",
    "RetryAfter",
    "RetryPolicy",
    "Router",
    "Runtime",
    "ServerError",
    "Settings",
    "StopPropagation",
    "Stopped",
    "StorageError",
    "Summary",
    "SyncBotError",
    "Unauthorized",
    "filters",
    "plain",
    "request",
]


def test_the_public_names_are_these() -> None:
    """A name that comes or goes is a decision, and shows here."""
    assert sorted(syncbot.__all__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_can_be_had(name: str) -> None:
    """Each is there, is listed by dir(), and is the same object each time."""
    value = getattr(syncbot, name)
    assert value is getattr(syncbot, name)
    assert name in dir(syncbot)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'Robot'"):
        importlib.import_module("syncbot").Robot  # noqa: B018  # reading it is the test


def test_the_version_is_the_packages() -> None:
    """`syncbot.__version__` is what is installed."""
    from importlib.metadata import version

    assert syncbot.__version__ == version("syncbot")


def test_every_error_is_public() -> None:
    """Whatever syncbot raises can be caught by a public name."""
    from syncbot import errors

    kinds = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.SyncBotError)}
    assert kinds <= set(NAMES)
