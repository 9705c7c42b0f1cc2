"""The table of the settings: each of them once, with how it is read, what it is where nothing is set, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncbot.config import readers
from syncbot.errors import ConfigError
from syncbot.secret import Secret
from syncbot.types import DEFAULT_BASE_URL, DEFAULT_DEADLINE, DEFAULT_TIMEOUT

TRIAL = "_SYNCBOT_TRIAL"
"""The variable that `syncbot try` sets for the process of the bot; the others are the usual ones."""


@dataclass(frozen=True)
class Setting:
    """One setting.

    Args:
        name: the name of the variable.
        field: the field of `Settings` that it fills; of several settings for one field, the first in `SETTINGS` that is set counts.
        parse: turns the text, and the folder that a relative path starts from, into the value; a ConfigError says what is wrong.
        default: the value where nothing is set.
        description: what it does, for the guide.
        example: a right value.
        either_case: the name is known in lower case too, which comes first, as curl has it.
        empty_is_wrong: set but empty is an error, not the same as not set.
    """

    name: str
    field: str
    parse: Callable[[str, Path], Any]
    default: Any
    description: str
    example: str
    either_case: bool = False
    empty_is_wrong: bool = False

    @property
    def spellings(self) -> tuple[str, ...]:
        """The names it is looked up by, in order."""
        return (self.name.lower(), self.name) if self.either_case else (self.name,)

    def read(self, text: str | Secret[str], where: str = "", folder: Path = Path()) -> Any:
        """Turn a text into the value.

        Args:
            text: the text, without white space around it.
            where: where it stood, for the error: "in the environment", "in /home/me/.env".
            folder: what a relative path starts from.

        Raises:
            ConfigError: names the setting, where it stood, what is wrong, and a right value.
        """
        try:
            return self.parse(Secret(text).reveal(), folder)
        except ConfigError as error:
            wrong = str(error)  # and no more of it: its traceback leads to variables that show the text
        place = f"{self.name} {where}".strip()
        raise ConfigError(f"{place}: {wrong}; for example {self.name}={self.example}")


SETTINGS: tuple[Setting, ...] = (
    Setting("TELEGRAM_BOT_TOKEN", "token", readers.token, "", "The bot's token, from @BotFather. Needed.", "123456789:AAExampleExampleExampleExampleExampl"),
    Setting(
        "ALLOWED_TELEGRAM_USER_ID",
        "allowed_users",
        readers.user_ids,
        None,
        "The ids of the users whom the bot listens to, separated by commas; everyone else is ignored. Not set: everyone; set but empty: an error.",
        "123456789,987654321",
        empty_is_wrong=True,
    ),
    Setting(
        "SYNCBOT_PROXY",
        "proxies",
        readers.proxies,
        (),
        'The ways to Telegram in order of preference, separated by commas or white space: proxy URLs (http, https, socks4, socks5, socks5h) and "direct". '
        "Wins over the three below, and NO_PROXY does not concern it.",
        "socks5h://127.0.0.1:1080,http://user:password@proxy.example:3128,direct",
    ),
    Setting(
        "HTTPS_PROXY", "proxies", readers.proxy, (), "One proxy, as other programs read it; in lower case too.", "http://proxy.example:3128", either_case=True
    ),
    Setting("ALL_PROXY", "proxies", readers.proxy, (), "The same, where HTTPS_PROXY is not set.", "socks5h://127.0.0.1:1080", either_case=True),
    Setting(
        "NO_PROXY",
        "no_proxy",
        readers.hosts,
        "",
        "Hosts that HTTPS_PROXY and ALL_PROXY are not used for: names (with all below them), addresses, ranges, each with a port if wanted, or *.",
        "localhost,.example.com,10.0.0.0/8",
        either_case=True,
    ),
    Setting(
        "SYNCBOT_CHAT",
        "chat",
        readers.chat,
        None,
        "The chat that `syncbot send`, and `bot.send_message` without a chat, write to: an id, or the @name of a public one.",
        "-1001234567890",
    ),
    Setting("SYNCBOT_BASE_URL", "base_url", readers.base_url, DEFAULT_BASE_URL, "The Bot API server, for a local one.", "http://127.0.0.1:8081"),
    Setting(
        "SYNCBOT_LOCAL",
        "local",
        readers.switch,
        False,
        "Whether that server is a local Bot API server (`telegram-bot-api --local`): larger files, which are copied from its disk on this machine.",
        "1",
    ),
    Setting(
        "SYNCBOT_CA_FILE", "ca_file", readers.ca_file, None, "The certificates to trust, in PEM form. Not set: certifi's.", "/etc/ssl/certs/ca-certificates.crt"
    ),
    Setting("REQUESTS_CA_BUNDLE", "ca_file", readers.ca_file, None, "The same, where SYNCBOT_CA_FILE is not set.", "/etc/ssl/certs/ca-certificates.crt"),
    Setting("SSL_CERT_FILE", "ca_file", readers.ca_file, None, "The same, where neither of the two is set.", "/etc/ssl/certs/ca-certificates.crt"),
    Setting("SYNCBOT_TIMEOUT", "timeout", readers.seconds, DEFAULT_TIMEOUT, "Seconds that one attempt may take in all; a poll's waiting comes on top.", "20"),
    Setting("SYNCBOT_DEADLINE", "deadline", readers.seconds, DEFAULT_DEADLINE, "Seconds that one call may take in all, retries and waits included.", "60"),
    Setting("SYNCBOT_DNS_CACHE", "dns_cache", readers.seconds_or_off, 0.0, "Seconds that a looked-up address is kept; 0 looks up anew for every call.", "300"),
    Setting(
        "SYNCBOT_EARLY",
        "early",
        readers.early,
        "learn",
        "Whether a connection through a proxy is opened in one flight: on ways that were seen to take it (learn), never, or always.",
        "never",
    ),
    Setting(
        "SYNCBOT_TLS_GROUPS",
        "tls_groups",
        readers.tls_groups,
        "learn",
        "The keys that a handshake offers: what the server was seen to take (learn), all that the TLS library has (default), or the name of one group.",
        "default",
    ),
    Setting("SYNCBOT_IPV4", "ipv4", readers.switch, False, "Whether to use IPv4 only, where IPv6 is broken.", "1"),
    Setting(
        "SYNCBOT_STATE",
        "state",
        readers.state,
        None,
        "The state file, on a local disk, or the URL of a PostgreSQL database (postgresql://bot@db/bot). A relative path starts from the env file's "
        "folder (in the environment: from the working directory). "
        "Not set: <bot id>.db in the user's state folder.",
        "/var/lib/mybot/bot.db",
    ),
    Setting("SYNCBOT_LOG_LEVEL", "log_level", readers.level, "INFO", f"How much is logged: one of {', '.join(readers.LEVELS)}.", "WARNING"),
)
"""Every setting, in the order of the guide; of several for one field the first that is set counts."""
