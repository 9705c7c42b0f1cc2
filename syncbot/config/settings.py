"""The settings: the only place that reads the environment and the env file.

`syncbot.config.table` describes each setting once; `Settings.load`, the texts of its errors and the guide are made from that table. How a value is read
stands in `syncbot.config.readers`.

A value is looked for in the environment, then in the env file: the one that was named, else `./.env`, else `syncbot/env` in the user's
configuration folder. An empty value counts as not set, and an empty one in the environment hides the one in the file.
No error text ever holds a token or a proxy password, not even a malformed one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncbot.config import readers
from syncbot.config.table import SETTINGS, TRIAL, Setting
from syncbot.errors import ConfigError
from syncbot.secret import Hidden, Secret
from syncbot.types import DEFAULT_BASE_URL, DEFAULT_DEADLINE, DEFAULT_TIMEOUT, Early, HiddenWays, Proxy

if TYPE_CHECKING:
    from syncbot.config.trial import TrialSettings
    from syncbot.storage.address import StatePlace

_PREFIXES = ("SYNCBOT_", "TELEGRAM_", "ALLOWED_")
"""How the names begin that are ours alone; the others are those of other programs too."""


# --- Where the values come from.


@dataclass(frozen=True)
class _Origin:
    """One place that values come from: the environment, or the env file."""

    where: str
    values: Secret[Mapping[str, str]]
    folder: Path

    def get(self, setting: Setting) -> Secret[str] | None:
        """The first spelling that holds something; an empty one where only such stand, None where none stands."""
        texts = [Secret(self.values.reveal()[name].strip()) for name in setting.spellings if name in self.values.reveal()]
        return next(filter(None, texts), texts[0]) if texts else None


def _collect(sources: Sequence[_Origin]) -> dict[str, Any]:
    """Fill the fields from the sources, the earlier one first; fields for which nothing is set are left out."""
    values: dict[str, Any] = {}
    chosen: dict[str, str] = {}
    for setting in SETTINGS:
        if setting.field in values:
            continue
        source, text = next(((s, t) for s in sources if (t := s.get(setting)) is not None), (None, Secret("")))
        if source and (text or setting.empty_is_wrong):
            values[setting.field] = setting.read(text, source.where, source.folder)
            chosen[setting.field] = setting.name
    if chosen.get("proxies") == "SYNCBOT_PROXY":
        values.pop("no_proxy", None)
    return values


def _environment(environ: Mapping[str, str] | None) -> Secret[Mapping[str, str]]:
    """The environment that is to be read, or else the process's own; it may hold any secret."""
    return Secret(os.environ if environ is None else environ)


def trial_settings() -> TrialSettings | None:
    """The settings of the trial (`syncbot try`) that this process is; None where it is none."""
    if not os.environ.get(TRIAL):
        return None
    from syncbot.config.trial import trial_of  # deferred: in a trial alone

    return trial_of(os.environ)


def _home(environ: Secret[Mapping[str, str]]) -> Path:
    """The home folder; from the user database where HOME says nothing, as under cron."""
    if os.path.isabs(home := environ.reveal().get("HOME", "")):
        return Path(home)
    import pwd  # costs a little, and is hardly ever needed

    with suppress(KeyError):  # a container's user may stand in no database
        if os.path.isabs(home := pwd.getpwuid(os.getuid()).pw_dir):
            return Path(home)
    raise ConfigError("no home folder is known for this user: set HOME, for example HOME=/home/me")


def _xdg(variable: str, below_home: str, environ: Secret[Mapping[str, str]]) -> Path:
    base = environ.reveal().get(variable, "")  # the specification says to ignore a relative one
    return (Path(base) if os.path.isabs(base) else _home(environ) / below_home) / "syncbot"


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The user's configuration folder for syncbot: `$XDG_CONFIG_HOME/syncbot`, else `~/.config/syncbot`; it need not exist.

    Raises:
        ConfigError: neither the environment nor the user database names a home folder.
    """
    hidden = _environment(environ)
    del environ
    return _xdg("XDG_CONFIG_HOME", ".config", hidden)


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The user's state folder for syncbot: `$XDG_STATE_HOME/syncbot`, else `~/.local/state/syncbot`; it need not exist.

    Raises:
        ConfigError: neither the environment nor the user database names a home folder.
    """
    hidden = _environment(environ)
    del environ
    return _xdg("XDG_STATE_HOME", ".local/state", hidden)


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The user's folder of syncbot for what can be learned again: `$XDG_CACHE_HOME/syncbot`, else `~/.cache/syncbot`; it need not exist.

    Raises:
        ConfigError: neither the environment nor the user database names a home folder.
    """
    hidden = _environment(environ)
    del environ
    return _xdg("XDG_CACHE_HOME", ".cache", hidden)


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was deleted under us
        return Path()


def _search_path(environ: Secret[Mapping[str, str]], folder: Path) -> list[Path]:
    """Where the env file is looked for when none is named; a folder called `.env` (a virtual environment) is passed over."""
    places = [folder / ".env"]
    with suppress(ConfigError):
        places.append(_xdg("XDG_CONFIG_HOME", ".config", environ) / "env")
    return places


@dataclass(frozen=True)
class Settings:
    """All settings, checked. `repr()` shows neither the token nor a proxy's credentials, not even those of a proxy URL that stands in `no_proxy` by mistake.

    Args:
        token: the bot's token; empty only where it was not required.
        allowed_users: the ids of the users to listen to; None for everyone.
        proxies: the ways to Telegram in order of preference; empty for the direct one.
        no_proxy: the hosts that `proxies` is not used for, see `syncbot.transport.ways`; empty where SYNCBOT_PROXY gave the list.
        chat: the id or @name of the chat that is written to by default.
        base_url: the Bot API server, without a slash at the end.
        local: whether the server is a local Bot API server.
        ca_file: certificates to trust; None for certifi's.
        timeout: seconds one attempt may take.
        deadline: seconds one call may take.
        dns_cache: seconds a looked-up address is kept; 0 for not at all.
        ipv4: whether to use IPv4 only.
        state: the state file, or the database; None for the usual place.
        log_level: DEBUG, INFO, WARNING, ERROR or CRITICAL.
        env_file: the env file that was read, if any.
    """

    token: Hidden = field(default=Hidden())
    allowed_users: frozenset[int] | None = None
    proxies: tuple[Proxy, ...] = ()
    no_proxy: Hidden = field(default=Hidden(""))
    chat: int | str | None = None
    base_url: str = DEFAULT_BASE_URL
    local: bool = False
    ca_file: Path | None = None
    timeout: float = DEFAULT_TIMEOUT
    deadline: float = DEFAULT_DEADLINE
    dns_cache: float = 0.0
    early: Early = "learn"
    tls_groups: str = "learn"
    ipv4: bool = False
    state: StatePlace | None = None
    log_level: str = "INFO"
    env_file: Path | None = None

    @classmethod
    def load(
        cls, env_file: str | Path | None = None, *, environ: Mapping[str, str] | None = None, cwd: str | Path | None = None, require_token: bool = True
    ) -> Settings:
        """Read the environment and the env file; neither is changed.

        Args:
            env_file: the env file to read; None looks for `./.env`, then for `env` in `config_dir()`. "/dev/null" reads none.
            environ: the environment; None for the process's own.
            cwd: the working directory; None for the process's own.
            require_token: whether a missing token is an error.

        Raises:
            ConfigError: a value is wrong, the token is missing, or the env file cannot be read.
        """
        hidden = _environment(environ)
        del environ
        sources, places, found = _look(env_file, hidden, cwd)
        values = _collect(sources)
        if "token" not in values and require_token:
            example = f"for example TELEGRAM_BOT_TOKEN={SETTINGS[0].example} (syncbot init does it; syncbot try needs none)"
            where = " or ".join(map(str, places)) if found is None else f"{found}{' (it is there, and so no other is read)' if len(places) > 1 else ''}"
            raise ConfigError(f"TELEGRAM_BOT_TOKEN is not set: get one from @BotFather and put it into {where}, {example}")
        return cls(**{"token": "", **values}, env_file=found)

    def __repr__(self) -> str:
        shown = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "token"} | {"no_proxy": readers.shown_hosts(self.no_proxy)}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def _look(env_file: str | Path | None, environ: Secret[Mapping[str, str]], cwd: str | Path | None) -> tuple[list[_Origin], list[Path], Path | None]:
    """The places that values come from, where an env file was looked for, and the one that was found."""
    folder = _working_folder() if cwd is None else Path(cwd)
    places = _search_path(environ, folder) if env_file is None else [folder / os.path.expanduser(env_file)]
    found = places[0] if env_file is not None else next((place for place in places if os.path.exists(place) and not os.path.isdir(place)), None)
    sources = [_Origin("in the environment", environ, folder)]
    if found is not None:
        from syncbot.config.envfile import read_env_file  # deferred: most processes find their settings in the environment, or are given them

        sources.append(_Origin(f"in {found}", Secret(read_env_file(found)), found.parent))
    return sources, places, found


def misspelt(env_file: str | Path | None = None, *, environ: Mapping[str, str] | None = None, cwd: str | Path | None = None) -> list[str]:
    """What stands in the environment or the env file and looks like a setting, but is none: one text for each, with the nearest right name.

    Names that begin with SYNCBOT_ are ours; others only count where they are hardly different from one of ours that is not set. The arguments are
    those of `Settings.load`.

    Raises:
        ConfigError: the env file cannot be read.
    """
    import difflib  # costs a little, and only somebody who looks for what is wrong needs it

    hidden = _environment(environ)
    del environ
    sources = _look(env_file, hidden, cwd)[0]
    known = {spelling for setting in SETTINGS for spelling in setting.spellings}
    given = {name for source in sources for name in source.values.reveal()}
    ours = [name for name in known if name.startswith(_PREFIXES)]
    found = []
    for source in sources:
        for name in sorted(source.values.reveal().keys() - known):
            mine = name.upper().startswith(_PREFIXES[0])
            near = difflib.get_close_matches(name.upper(), ours, n=1, cutoff=0.6 if mine else 0.85)
            if mine or (near and near[0] not in given):
                found.append(f"{name} {source.where} is no setting" + (f"; did you mean {near[0]}?" if near else "."))
    return found


def from_environment(*wanted: str, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the environment alone says of some fields of `Settings`; fields that it does not set are left out.

    Raises:
        ConfigError: one of the variables is wrong.
    """
    hidden = _environment(environ)
    del environ
    names = {name for setting in SETTINGS if setting.field in wanted for name in setting.spellings}
    values = _collect([_Origin("in the environment", Secret({name: hidden.reveal()[name] for name in names if name in hidden.reveal()}), Path())])
    return {name: value for name, value in values.items() if name in wanted}


def environment_proxies(environ: Mapping[str, str] | None = None) -> tuple[tuple[Proxy, ...], Secret[str]]:
    """The proxies that the environment alone names, and the hosts that they are not used for, as `Settings` has them.

    Raises:
        ConfigError: one of the variables is wrong.
    """
    values = from_environment("proxies", "no_proxy", environ=environ)
    return values.get("proxies", ()), values.get("no_proxy", Secret(""))


def given_ways(given: HiddenWays, no_proxy: Secret[str]) -> tuple[tuple[Proxy, ...], Secret[str]]:
    """The proxies to use, and the hosts that they are not used for."""
    ways = []
    for one in given:
        # A dict as requests has it, or what os.environ.get() says of a name that is not set, would be read as something else.
        if isinstance(one, type):
            raise ConfigError(f'proxies: a list of proxy URLs is needed, not {one.__name__}; for example proxies=["socks5h://127.0.0.1:1080", "direct"]')
        ways.append(one if isinstance(one, Proxy) else Proxy.parse(one, setting="proxies"))
    return (tuple(ways), no_proxy) if given else environment_proxies()


def check_setting(name: str, text: str | Secret[str]) -> Any:
    """The value of one setting, given as it would stand in the environment; of the token and of NO_PROXY a `Secret`.

    Raises:
        ConfigError: the value is wrong.
    """
    setting = next(setting for setting in SETTINGS if setting.name == name)
    text = Secret(text)
    if not isinstance(text.reveal(), str):  # os.environ.get(…) of what is not set, above all
        raise ConfigError(f"{name}: a text is needed, not {type(text.reveal()).__name__}; for example {name}={setting.example}")
    return setting.read(Secret(text.reveal().strip()))


def service_settings() -> tuple[str, str]:
    """What a service manager tells its service: NOTIFY_SOCKET and WATCHDOG_USEC, "" where they are not set (sd_notify(3), sd_watchdog_enabled(3))."""
    return os.environ.get("NOTIFY_SOCKET", ""), os.environ.get("WATCHDOG_USEC", "")
