"""The public names: added with thought, and never taken away by accident."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

import syncbot

NAMES = [
    "AlreadyRunning",
    "ApiError",
    "AskTimeout",
    "BadRequest",
    "Bot",
    "Cancelled",
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
    "Queued",
    "QueuedContext",
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


PROMISED = {
    "syncbot.adapters.ptb": ["OneShotRequest"],
    "syncbot.adapters.telebot": ["install"],
    "syncbot.auth": ["NotAuthentic", "WebAppData", "validate_login", "validate_web_app_data"],
    "syncbot.cli": ["main", "run"],
    "syncbot.client.bot": ["Bot"],
    "syncbot.client.limits": ["Limits"],
    "syncbot.client.retry": ["RetryPolicy"],
    "syncbot.config": ["SETTINGS", "Setting", "Settings", "check_setting", "config_dir", "read_env_file", "state_dir", "write_env_file"],
    "syncbot.errors": [name for name in NAMES if name[0].isupper() and getattr(syncbot, name).__module__ == "syncbot.errors"],
    "syncbot.keyboards": ["MAX_CALLBACK_BYTES", "contact", "force_reply", "grid", "inline", "location", "remove", "reply"],
    "syncbot.logs": ["RedactingFilter", "get_logger", "setup_logging"],
    "syncbot.runtime.handlers": ["ContinuePropagation", "StopPropagation"],
    "syncbot.runtime.runtime": ["Runtime"],
    "syncbot.storage": [
        *["NO_CHANGES", "Changes", "Claimed", "Counts", "Data", "DataChange", "DeadLetter", "DeadLetters", "Inbox", "Incoming", "Meta", "Outbox"],
        *["OutboxCall", "OutboxItem", "OutboxState", "Outlook", "Recovery", "Scope", "StateChange", "Store", "StoreOptions", "open_store"],
    ],
    "syncbot.testing": [
        *["Answer", "BotApiServer", "ConnectionRecord", "Fault", "FaultProxy", "Group", "Press", "RateLimits", "RecordedRequest", "Sandbox", "SentMessage"],
        *["TEST_TOKEN", "TestCA", "UploadedFile", "User", "WebhookSender", "WireTimes"],
    ],
    "syncbot.text": [
        *["MAX_CAPTION_LENGTH", "MAX_ENTITIES", "MAX_TEXT_LENGTH", "deep_link", "escape_html", "escape_markdown", "mention_html", "mention_markdown"],
        *["split", "utf16_length"],
    ],
    "syncbot.transport": ["FakeTransport", "OneShotTransport"],
    "syncbot.types": ["DIRECT", "Proxy", "Request", "Response", "Transport"],
    "syncbot.webhook": ["MAX_BYTES", "SECRET_HEADER", "WebhookApp"],
}
"""What the guides, the examples and the packages' own `__all__` have told users to import, since the first release."""

PROGRAMS = ["syncbot.testing.proxy_main", "syncbot.testing.sandbox", "syncbot.testing.serve"]
"""What users were told to start with `python -m`."""

COMMANDS = ["call", "chat-id", "check-state", "dead-letters", "doctor", "download", "init", "monitor", "outbox", "poll", "run", "send", "webhook"]

EXITS = {
    "OK": 0,
    "INTERNAL": 1,
    "BAD": 1,
    "USAGE": 2,
    "TRY_LATER": 75,
    "UNCERTAIN": 76,
    "REFUSED": 77,
    "CONFIG": 78,
    "INTERRUPTED": 130,
    "READER_GONE": 141,
}

SETTING_NAMES = [
    *["ALLOWED_TELEGRAM_USER_ID", "ALL_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"],
    *["SSL_CERT_FILE", "SYNCBOT_BASE_URL", "SYNCBOT_CA_FILE", "SYNCBOT_CHAT", "SYNCBOT_DEADLINE"],
    *["SYNCBOT_DNS_CACHE", "SYNCBOT_LOCAL", "SYNCBOT_LOG_LEVEL", "SYNCBOT_IPV4", "SYNCBOT_PROXY", "SYNCBOT_STATE"],
    *["SYNCBOT_TIMEOUT", "TELEGRAM_BOT_TOKEN"],
]


@pytest.mark.parametrize("module", PROMISED)
def test_what_users_import_stays_where_it_was(module: str) -> None:
    """A program that was written after a guide or an example of an earlier release goes on working."""
    found = importlib.import_module(module)
    assert [name for name in PROMISED[module] if not hasattr(found, name)] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_users_start_stays_where_it_was(program: str) -> None:
    """`python -m` finds it."""
    found = importlib.util.find_spec(program)
    assert found is not None
    if found.submodule_search_locations is not None:  # a package is started by its __main__
        assert importlib.util.find_spec(f"{program}.__main__") is not None


def test_every_command_stays() -> None:
    """What a crontab or a script calls is there; another one may come."""
    from syncbot.cli.console.frame import COMMANDS as there

    assert set(COMMANDS) <= set(there)


def test_exit_codes_stay() -> None:
    """A script that reads one reads the same."""
    from syncbot.cli.console.exits import Exit

    assert {name: int(value) for name, value in Exit.__members__.items() if name in EXITS} == EXITS


def test_settings_stay() -> None:
    """An env file that was right stays right."""
    from syncbot.config import SETTINGS

    assert set(SETTING_NAMES) <= {setting.name for setting in SETTINGS}
