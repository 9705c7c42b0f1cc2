"""Env files, and the environment."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from fuzzing.findings import PASSWORD, TOKEN
from fuzzing.mutation import mutate_lines
from fuzzing.target import Target
from syncbot import Bot
from syncbot.config import SETTINGS, Settings, misspelt
from syncbot.config.envfile import read_env_file, write_env_file
from syncbot.errors import ConfigError

_PROXY = f"http://user:{PASSWORD}@proxy.example:3128"
_VALUES = (
    *(TOKEN, f"bot{TOKEN}", f"'{TOKEN}'", _PROXY, f"socks5h://user:{PASSWORD}@[::1]:1080,direct", f"user:{PASSWORD}@host", f"http://u:{PASSWORD}/x@h:1"),
    *("direct", "42,43", "-1", "@name", "0", "1e9", "1000001", "20.5", ".5", "on", "off", "DEBUG", "~", "~root/x", "/", "/dev/null", "a/b", "http://127.0.0.1:1/x"),
    *("https://[::1]:99999", "http://[", "https://h/bot" + TOKEN, "''", '"$HOME"', "localhost,10.0.0.0/8,*", "\u202e", "²", "１", "\x85"),
)  # fmt: skip
_NAMES = (*(name for setting in SETTINGS for name in setting.spellings), "HOME", "XDG_CONFIG_HOME", "SYNCBOT_PROXIES", "TELEGRAM_TOKEN")
_LINES = tuple(f"{name}={value}".encode() for name in _NAMES for value in _VALUES)


class EnvFiles(Target):
    """Read an env file, write two values into it, and read it again."""

    about = "env files: read, two values written, read again"
    shape = staticmethod(mutate_lines)
    words: ClassVar = (
        *_LINES[::7], b"export A=1", b"A='x", b'B="x\\"', b"# note", b"A", b"=", b"A=1 # x", b"\xef\xbb\xbf", b"A='\\''", b"C=\"a\nb\"",
        b"D=$E${F}`g`",
    )  # fmt: skip
    seeds: ClassVar = (
        b"# mine\nTELEGRAM_BOT_TOKEN=" + TOKEN.encode() + b"\nexport SYNCBOT_CHAT='1' # home\n\nX=\"a b\"\n",
        b"A=1\r\nSYNCBOT_CHAT=2\r\n",
        b"A='unclosed\nSYNCBOT_CHAT=2\nB=3\n",
        b'\xef\xbb\xbfA="x\\ny"\nA\n=\n',
        b"",
        b"A=\xff\n",
    )
    new: ClassVar = {"SYNCBOT_CHAT": "@somebody", "NOTE": 'it is "so" $x', "TELEGRAM_BOT_TOKEN": TOKEN}

    def run(self, data: bytes) -> None:
        """One file."""
        path = self.folder / "env"
        path.write_bytes(data)
        before = self.attempt(lambda: read_env_file(path), ConfigError)
        try:
            write_env_file(path, self.new)
        except ConfigError as error:
            self.guard.failed(error)
            self.must(path.read_bytes() == data, "a file that cannot be written is not left as it was")
            return
        self.guard.outcomes["written"] += 1
        again = self.attempt(lambda: read_env_file(path), ConfigError)
        if before is not None:
            self.must(again == before | self.new, f"{before} and what was written became {again}")

    def plant(self, value: Any) -> bool:
        """A bug for a name that comes from a line with export, and has a comment's sign in its value."""
        return bool(
            len(value) > 1
            and any("#" in text for text in value.values())
            and any(name.islower() for name in value)
        )  # fmt: skip


class Environments(Target):
    """Settings from an environment, one variable a line; what is good enough makes a bot."""

    about = "settings from the environment, and a bot of them"
    shape = staticmethod(mutate_lines)
    words = _LINES
    seeds: ClassVar = (
        f"TELEGRAM_BOT_TOKEN={TOKEN}\nSYNCBOT_PROXY={_PROXY},direct\nALLOWED_TELEGRAM_USER_ID=42,43\nSYNCBOT_TIMEOUT=20".encode(),
        f"TELEGRAM_BOT_TOKEN={TOKEN}\nhttps_proxy={_PROXY}\nNO_PROXY=localhost\nSYNCBOT_STATE=~/bot.db\nSYNCBOT_LOG_LEVEL=debug".encode(),
        f"SYNCBOT_TIMEOUT={TOKEN}".encode(),
        f"TELEGRAM_BOT_TOKEN={TOKEN}\nSYNCBOT_BASE_URL=http://127.0.0.1:8081/\nSYNCBOT_LOCAL=1\nSYNCBOT_IPV4=on\nSYNCBOT_DNS_CACHE=60".encode(),
        b"ALLOWED_TELEGRAM_USER_ID=\nHOME=nowhere",
    )

    def run(self, data: bytes) -> None:
        """One environment."""
        pairs = (line.partition("=") for line in os.fsdecode(data).replace("\0", "").split("\n"))
        environ = {name: value for name, _, value in pairs if name}
        self.attempt(lambda: misspelt(environ=environ, cwd=self.folder), ConfigError)
        settings = self.attempt(lambda: Settings.load(environ=environ, cwd=self.folder), ConfigError)
        if settings is None:
            return
        # What stands where a path belongs is shown as one; of a list of hosts what could be a proxy's password is hidden.
        public = str((settings.state, settings.ca_file, settings.base_url, settings.env_file))
        if TOKEN not in public + settings.no_proxy and PASSWORD not in public:
            self.guard.heard(repr(settings))
        bot = self.attempt(lambda: Bot.from_settings(settings), ConfigError)
        if bot is not None:
            self.guard.heard(repr(bot))
            bot.close()

    def plant(self, value: Any) -> bool:
        """A bug for a bot of some users at a server of its own that logs every step."""
        return bool(
            isinstance(value, Settings)
            and value.allowed_users
            and value.local
            and value.log_level == "DEBUG"
        )  # fmt: skip
