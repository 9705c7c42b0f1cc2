"""Settings: where they come from, what is right and wrong, and what is written back."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from syncbot.config import (
    SETTINGS,
    Setting,
    Settings,
    check_setting,
    config_dir,
    environment_proxies,
    from_environment,
    misspelt,
    read_env_file,
    state_dir,
    write_env_file,
)
from syncbot.errors import ConfigError
from syncbot.secret import Secret
from syncbot.transport.ways import bypasses_proxy
from syncbot.types import DEFAULT_BASE_URL, DEFAULT_DEADLINE, DEFAULT_TIMEOUT, DIRECT, Proxy

TOKEN = "123456789:AAHfiqksKZ8WmR2zSjiQ7_v4TMAKdiHm9T0"
SECRET = "AAHfiqksKZ8WmR2zSjiQ7_v4TMAKdiHm9T0"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
BY_NAME = {setting.name: setting for setting in SETTINGS}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder without anything in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory without anything in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def load(home: Path, work: Path, env_file: str | Path | None = None, /, **environ: str) -> Settings:
    """Load the settings from this environment alone."""
    return Settings.load(env_file, environ={"HOME": str(home), "TELEGRAM_BOT_TOKEN": TOKEN, **environ}, cwd=work)


def everything(error: BaseException) -> str:
    """All that an error can show: its text, its repr and the traceback of all that hangs on it."""
    shown: list[str] = []
    link: BaseException | None = error
    while link is not None:
        shown += [str(link), repr(link), *traceback.format_exception(link, chain=False)]
        link = link.__cause__ or link.__context__
    return "\n".join(shown)


RIGHT: list[tuple[str, str, Any]] = [
    ("TELEGRAM_BOT_TOKEN", TOKEN, TOKEN),
    ("TELEGRAM_BOT_TOKEN", f"  {TOKEN}\n", TOKEN),
    ("TELEGRAM_BOT_TOKEN", "1:" + "x" * 20, "1:" + "x" * 20),
    ("ALLOWED_TELEGRAM_USER_ID", "42", frozenset({42})),
    ("ALLOWED_TELEGRAM_USER_ID", " 42, 7 ,,8888888888,", frozenset({42, 7, 8888888888})),
    ("SYNCBOT_PROXY", "http://u:p%40ss@h:3128, socks5h://[::1]\tdirect", (Proxy("http", "h", 3128, "u", "p@ss"), Proxy("socks5h", "::1", 1080), DIRECT)),
    ("SYNCBOT_PROXY", "h:1,h:1", (Proxy("http", "h", 1),)),
    ("HTTPS_PROXY", "http://proxy:3128/", (Proxy("http", "proxy", 3128),)),
    ("ALL_PROXY", "socks4://proxy", (Proxy("socks4", "proxy", 1080),)),
    ("NO_PROXY", "localhost, .example.com", "localhost, .example.com"),
    ("SYNCBOT_CHAT", "-1001234567890", -1001234567890),
    ("SYNCBOT_CHAT", "42", 42),
    ("SYNCBOT_CHAT", "@my_channel", "@my_channel"),
    ("SYNCBOT_BASE_URL", "https://api.example.com/", "https://api.example.com"),
    ("SYNCBOT_BASE_URL", "HTTP://127.0.0.1:8081/tg//", "http://127.0.0.1:8081/tg"),
    ("SYNCBOT_BASE_URL", "http://[::1]:8081", "http://[::1]:8081"),
    ("SYNCBOT_TIMEOUT", "2.5", 2.5),
    ("SYNCBOT_TIMEOUT", ".5", 0.5),
    ("SYNCBOT_DEADLINE", "1000000", 1_000_000.0),
    ("SYNCBOT_DNS_CACHE", "0", 0.0),
    ("SYNCBOT_DNS_CACHE", "300", 300.0),
    *(("SYNCBOT_IPV4", word, True) for word in ("1", "true", "YES", "On")),
    ("SYNCBOT_LOCAL", "on", True),
    *(("SYNCBOT_EARLY", word, word.lower()) for word in ("learn", "Never", "ALWAYS")),
    *(("SYNCBOT_TLS_GROUPS", word, value) for word, value in (("Learn", "learn"), ("default", "default"), ("X25519", "X25519"), ("prime256v1", "prime256v1"))),
    *(("SYNCBOT_IPV4", word, False) for word in ("0", "False", "no", "off")),
    ("SYNCBOT_STATE", "/var/lib/bot.db", Path("/var/lib/bot.db")),
    ("SYNCBOT_LOG_LEVEL", "debug", "DEBUG"),
    ("SYNCBOT_LOG_LEVEL", "CRITICAL", "CRITICAL"),
]

WRONG: list[tuple[str, str, str]] = [
    ("TELEGRAM_BOT_TOKEN", SECRET, "not a bot token"),
    ("TELEGRAM_BOT_TOKEN", f"{TOKEN}!", "not a bot token"),
    ("TELEGRAM_BOT_TOKEN", "123456789:short", "not a bot token"),
    ("TELEGRAM_BOT_TOKEN", "１２３４５６:" + SECRET, "not a bot token"),
    ("TELEGRAM_BOT_TOKEN", f"'{TOKEN}'", "quotes"),
    ("TELEGRAM_BOT_TOKEN", f"bot{TOKEN}", 'the word "bot"'),
    ("ALLOWED_TELEGRAM_USER_ID", "", "holds no id"),
    ("ALLOWED_TELEGRAM_USER_ID", " , ", "holds no id"),
    ("ALLOWED_TELEGRAM_USER_ID", "42,0", "'0' is not the id of a user"),
    ("ALLOWED_TELEGRAM_USER_ID", "-100123", "a group's or a channel's"),
    ("ALLOWED_TELEGRAM_USER_ID", "@me", "a @name is none"),
    ("ALLOWED_TELEGRAM_USER_ID", "1_000", "'1_000' is not the id of a user"),
    ("ALLOWED_TELEGRAM_USER_ID", "٤٢", "is not the id of a user"),
    ("ALLOWED_TELEGRAM_USER_ID", TOKEN, "the value is not the id of a user"),
    ("SYNCBOT_PROXY", ",", "no proxy"),
    ("SYNCBOT_PROXY", "http://h:1,ftp://h:2", "entry 2 of 2: it is not a proxy URL: there is no way through ftp://"),
    ("SYNCBOT_PROXY", "socks://h:1080", "there is no way through socks://; the scheme is http, https, socks4, socks5 or socks5h"),
    ("SYNCBOT_PROXY", "socks5://h:1080 please", "entry 2 of 2: it has neither a scheme nor a port"),
    ("SYNCBOT_PROXY", "none", "it has neither a scheme nor a port"),
    ("SYNCBOT_PROXY", "http://user:S3cretpw", "not a proxy URL"),
    ("SYNCBOT_PROXY", "http://user:S3cretpw\u2100@host:1", "not a proxy URL"),
    ("HTTPS_PROXY", "http://user:S3cretpw@host:port", "not a proxy URL"),
    ("HTTPS_PROXY", "http://host:3128@user:S3cretpw", "not a proxy URL"),
    ("HTTPS_PROXY", "http://user:S3cretpw@host:0", "not a proxy URL"),
    ("HTTPS_PROXY", "socks5h://user:S3cretpw" + "x" * 250 + "@host:1", "not a proxy URL"),
    ("HTTPS_PROXY", "http://a:1,http://b:2", "a list belongs into SYNCBOT_PROXY"),
    ("HTTPS_PROXY", "http://[::1", "not a proxy URL"),
    ("ALL_PROXY", "gopher://user:S3cretpw@host", "not a proxy URL"),
    ("SYNCBOT_CHAT", "my channel", "'my channel' is neither"),
    ("SYNCBOT_CHAT", "0", "neither"),
    ("SYNCBOT_CHAT", "https://t.me/channel", "neither"),
    ("SYNCBOT_CHAT", TOKEN, "the value is neither"),
    ("SYNCBOT_BASE_URL", "api.telegram.org", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "ftp://api.telegram.org", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "https://", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "https://h/?a=b", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "https://h:99999", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "https://hôst", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "https://h:0", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "https://h/a b", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "http://user:S3cretpw@h", "not the URL of a Bot API server"),
    ("SYNCBOT_BASE_URL", "https://api.telegram.org/bot", 'leave out "/bot"'),
    ("SYNCBOT_BASE_URL", f"https://api.telegram.org/bot{TOKEN}/getMe", 'leave out "/bot"'),
    *((name, value, "above 0") for name in ("SYNCBOT_TIMEOUT", "SYNCBOT_DEADLINE") for value in ("0", "0.0")),
    *(
        (name, value, "not a number of seconds")
        for name in ("SYNCBOT_TIMEOUT", "SYNCBOT_DEADLINE", "SYNCBOT_DNS_CACHE")
        for value in ("-1", "inf", "nan", "20s", "2,5", "1e3", "1_0", "٣", ".", TOKEN)
    ),
    ("SYNCBOT_TIMEOUT", "1000001", "more than"),
    ("SYNCBOT_IPV4", "maybe", "neither on"),
    ("SYNCBOT_LOCAL", "--local", "neither on"),
    *(("SYNCBOT_EARLY", word, "none of learn, never and always") for word in ("1", "on", TOKEN)),
    *(("SYNCBOT_TLS_GROUPS", word, "nor the name of one group") for word in ("X25519:P-256", "a b", TOKEN)),
    ("SYNCBOT_IPV4", "2", "neither on"),
    ("SYNCBOT_STATE", "/tmp", "is a folder"),
    ("SYNCBOT_STATE", "bot.db/", "is a folder"),
    ("SYNCBOT_STATE", "a\0b", "not a path"),
    ("SYNCBOT_LOG_LEVEL", "LOUD", "'LOUD' is not one of DEBUG"),
]


@pytest.mark.parametrize(("name", "text", "value"), RIGHT)
def test_right_value(name: str, text: str, value: Any, home: Path, work: Path) -> None:
    """A right value fills its field, from the environment and from the env file alike."""
    wanted = BY_NAME[name].field
    assert getattr(load(home, work, **{name: text}), wanted) == value
    (work / ".env").write_text(f'{name}="{text}"\n')
    environ = {"HOME": str(home)} | ({} if name == "TELEGRAM_BOT_TOKEN" else {"TELEGRAM_BOT_TOKEN": TOKEN})
    assert getattr(Settings.load(environ=environ, cwd=work), wanted) == value


@pytest.mark.parametrize(("name", "text", "what"), WRONG)
def test_wrong_value(name: str, text: str, what: str, home: Path, work: Path) -> None:
    """A wrong value is a ConfigError that says which setting, where, what and how it is right, and never repeats a secret."""
    with pytest.raises(ConfigError) as caught:
        load(home, work, **{name: text})
    message = str(caught.value)
    assert message.startswith(f"{name} in the environment: ")
    assert what in message
    assert message.endswith(f"; for example {name}={BY_NAME[name].example}")
    assert SECRET not in everything(caught.value)
    assert "S3cret" not in everything(caught.value)


def test_wrong_value_in_the_env_file(home: Path, work: Path) -> None:
    """The error names the file that a wrong value stands in."""
    (work / ".env").write_text("SYNCBOT_TIMEOUT=soon\n")
    with pytest.raises(ConfigError, match=f"^SYNCBOT_TIMEOUT in {work}/.env: 'soon' is not a number"):
        load(home, work)


def test_every_setting_is_tried() -> None:
    """The tables above hold each setting with right values and, where any text could be wrong, with wrong ones."""
    files = {"SYNCBOT_CA_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"}  # have tests of their own, since they need files
    assert {name for name, _, _ in RIGHT} == BY_NAME.keys() - files
    assert {name for name, _, _ in WRONG} == BY_NAME.keys() - files - {"NO_PROXY"}


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting.field != "ca_file"], ids=lambda setting: setting.name)
def test_table_entry(setting: Setting) -> None:
    """Each setting has a description, an example that is right, and the default of its field."""
    assert setting.description.endswith(".")
    assert setting.read(setting.example) is not None
    assert setting.default == getattr(Settings(""), setting.field)


def test_defaults(home: Path, work: Path) -> None:
    """With the token alone every other setting has its default, and no env file was read."""
    settings = load(home, work)
    assert settings == Settings(TOKEN)
    assert (settings.base_url, settings.timeout, settings.deadline) == (DEFAULT_BASE_URL, DEFAULT_TIMEOUT, DEFAULT_DEADLINE)
    assert settings.env_file is None


@pytest.mark.parametrize("name", ["SYNCBOT_CA_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_ca_file(name: str, home: Path, work: Path) -> None:
    """A file of certificates is accepted by each of its names; one that is missing, a folder, empty or binary is refused with the reason."""
    bundle = work / "ca.pem"
    bundle.write_text(f"# a comment first\n{PEM}")
    assert load(home, work, **{name: str(bundle)}).ca_file == bundle
    assert load(home, work, **{name: "ca.pem"}).ca_file == bundle
    (work / "empty.pem").write_text("")
    (work / "ca.der").write_bytes(b"\x30\x82\x03")
    for path, what in (
        ("none.pem", "does not exist"),
        (".", "is not a file"),
        ("empty.pem", "holds no certificate in PEM"),
        ("ca.der", "openssl x509 -inform der"),
    ):
        with pytest.raises(ConfigError, match=f"^{name} in the environment: .*{what}.*for example {name}=/"):
            load(home, work, **{name: path})
    with pytest.raises(ConfigError, match="it does not exist") as caught:
        load(home, work, **{name: TOKEN})
    assert SECRET not in everything(caught.value)


def test_ca_file_order(home: Path, work: Path) -> None:
    """SYNCBOT_CA_FILE wins over REQUESTS_CA_BUNDLE, which wins over SSL_CERT_FILE; what lost is not even looked at."""
    for name in ("a", "b", "c"):
        (work / name).write_text(PEM)
    names = {"SYNCBOT_CA_FILE": "a", "REQUESTS_CA_BUNDLE": "b", "SSL_CERT_FILE": "c"}
    assert load(home, work, **names).ca_file == work / "a"
    assert load(home, work, **{**names, "SYNCBOT_CA_FILE": ""}).ca_file == work / "b"
    assert load(home, work, SSL_CERT_FILE="c").ca_file == work / "c"
    assert load(home, work, **{**names, "REQUESTS_CA_BUNDLE": "missing"}).ca_file == work / "a"


def test_ca_file_without_permission() -> None:
    """A file of certificates that this user may not read is refused with the system's reason."""
    code = f"""if True:
        import os, sys
        from syncbot.config import Settings
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            Settings.load(environ={{"SSL_CERT_FILE": sys.argv[1], "TELEGRAM_BOT_TOKEN": {TOKEN!r}, "HOME": "/"}}, cwd="/")
        except Exception as error:
            print(type(error).__name__, error)
    """
    with tempfile.TemporaryDirectory() as folder:  # tmp_path's parents are closed to other users
        os.chmod(folder, 0o755)
        bundle = Path(folder, "ca.pem")
        bundle.write_text(PEM)
        bundle.chmod(0)
        answer = subprocess.run([sys.executable, "-c", code, bundle], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith(f"ConfigError SSL_CERT_FILE in the environment: '{bundle}' cannot be read (Permission denied)")


def test_token_missing(home: Path, work: Path) -> None:
    """Without a token the error says where to put it; who needs none gets the other settings."""
    for environ in ({"HOME": str(home)}, {"HOME": str(home), "TELEGRAM_BOT_TOKEN": " "}):
        with pytest.raises(ConfigError) as caught:
            Settings.load(environ=environ, cwd=work)
        assert f"TELEGRAM_BOT_TOKEN is not set: get one from @BotFather and put it into {work}/.env or {home}/.config/syncbot/env" in str(caught.value)
        assert str(caught.value).endswith("(syncbot init does it; syncbot try needs none)")
        assert Settings.load(environ=environ, cwd=work, require_token=False) == Settings("")
    (work / ".env").write_text("OTHER=1\n")  # of another program in this folder; what stands in the configuration folder does not count then
    with pytest.raises(ConfigError, match=r"put it into [^ ]*/\.env \(it is there, and so no other is read\), for example"):
        Settings.load(environ=environ, cwd=work)


def test_env_file_search(home: Path, work: Path, tmp_path: Path) -> None:
    """The named env file comes first, then .env in the working directory, then the one in the configuration folder; one alone is read."""
    config = home / ".config" / "syncbot"
    config.mkdir(parents=True)
    (config / "env").write_text("SYNCBOT_TIMEOUT=3\nSYNCBOT_DEADLINE=30\n")
    assert (load(home, work).timeout, load(home, work).env_file) == (3.0, config / "env")
    (work / ".env").mkdir()  # a virtual environment can be called so
    assert load(home, work).env_file == config / "env"
    (work / ".env").rmdir()
    (work / ".env").write_text("SYNCBOT_TIMEOUT=2\n")
    assert (load(home, work).timeout, load(home, work).deadline, load(home, work).env_file) == (2.0, DEFAULT_DEADLINE, work / ".env")
    (work / "mine").write_text("SYNCBOT_TIMEOUT=1\n")
    assert (load(home, work, "mine").timeout, load(home, work, work / "mine").env_file) == (1.0, work / "mine")
    assert load(home, work, "/dev/null").timeout == DEFAULT_TIMEOUT
    other = tmp_path / "xdg"
    (other / "syncbot").mkdir(parents=True)
    (other / "syncbot" / "env").write_text("SYNCBOT_TIMEOUT=4\n")
    (work / ".env").unlink()
    assert load(home, work, XDG_CONFIG_HOME=str(other)).timeout == 4.0


def test_own_environment_and_working_directory(home: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments the process's own environment and working directory are read, and neither is changed, even when the latter is gone."""
    for setting in SETTINGS:
        for name in setting.spellings:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (work / ".env").write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\nSYNCBOT_IPV4=on\n")
    monkeypatch.chdir(work)
    before = dict(os.environ)
    settings = Settings.load()
    assert (settings.token, settings.ipv4, settings.env_file) == (TOKEN, True, work / ".env")
    assert dict(os.environ) == before
    gone = work / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    assert Settings.load().env_file is None


def test_environment_wins(home: Path, work: Path) -> None:
    """The environment wins over the env file, also with an empty value, which then counts as not set."""
    (work / ".env").write_text("SYNCBOT_TIMEOUT=2\nHTTPS_PROXY=http://file:1\nSYNCBOT_CHAT=\n")
    assert load(home, work).timeout == 2.0
    assert load(home, work).chat is None
    assert load(home, work, SYNCBOT_TIMEOUT="3").timeout == 3.0
    assert load(home, work, SYNCBOT_TIMEOUT="").timeout == DEFAULT_TIMEOUT
    assert load(home, work).proxies == (Proxy("http", "file", 1),)
    assert load(home, work, https_proxy="http://env:1").proxies == (Proxy("http", "env", 1),)
    assert load(home, work, HTTPS_PROXY="").proxies == ()


def test_allowed_users_empty_in_the_environment_hides_the_file(home: Path, work: Path) -> None:
    """An empty list of allowed users is an error wherever it comes from: it never means everyone."""
    (work / ".env").write_text("ALLOWED_TELEGRAM_USER_ID=42\n")
    with pytest.raises(ConfigError, match="ALLOWED_TELEGRAM_USER_ID in the environment: it is set but holds no id"):
        load(home, work, ALLOWED_TELEGRAM_USER_ID="")
    (work / ".env").write_text("ALLOWED_TELEGRAM_USER_ID=\n")
    with pytest.raises(ConfigError, match=f"ALLOWED_TELEGRAM_USER_ID in {work}/.env: it is set but holds no id"):
        load(home, work)


def proxy(host: str) -> tuple[Proxy, ...]:
    """The proxy that the cases below write as `host:1`."""
    return (Proxy("http", host, 1),)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ((), "")),
        ({"HTTPS_PROXY": "a:1"}, (proxy("a"), "")),
        ({"HTTPS_PROXY": "a:1", "https_proxy": "b:1"}, (proxy("b"), "")),
        ({"HTTPS_PROXY": "a:1", "https_proxy": ""}, (proxy("a"), "")),
        ({"HTTPS_PROXY": "a:1", "all_proxy": "b:1"}, (proxy("a"), "")),
        ({"HTTPS_PROXY": "", "ALL_PROXY": "b:1", "no_proxy": "x", "NO_PROXY": "y"}, (proxy("b"), "x")),
        ({"ALL_PROXY": "b:1", "NO_PROXY": "y"}, (proxy("b"), "y")),
        ({"HTTPS_PROXY": "a:1", "NO_PROXY": "y", "SYNCBOT_PROXY": "c:1"}, (proxy("c"), "")),
        ({"HTTPS_PROXY": "a:1", "NO_PROXY": "y", "SYNCBOT_PROXY": " "}, (proxy("a"), "y")),
        ({"HTTP_PROXY": "a:1", "http_proxy": "a:1", "syncbot_proxy": "a:1"}, ((), "")),
    ],
)
def test_proxies(environ: dict[str, str], expected: tuple[tuple[Proxy, ...], str], home: Path, work: Path) -> None:
    """SYNCBOT_PROXY wins over HTTPS_PROXY over ALL_PROXY, lower case over upper, and NO_PROXY concerns only the latter two."""
    proxies, no_proxy = environment_proxies(environ)
    assert (proxies, no_proxy.reveal()) == expected
    settings = load(home, work, **environ)
    assert (settings.proxies, settings.no_proxy) == expected


def test_environment_proxies_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument the process's environment is read, and other settings in it, right or wrong, do not matter."""
    monkeypatch.setenv("SYNCBOT_PROXY", "socks5://h")
    monkeypatch.setenv("SYNCBOT_TIMEOUT", "wrong")
    assert environment_proxies() == ((Proxy("socks5", "h", 1080),), Secret(""))
    with pytest.raises(ConfigError, match="SYNCBOT_PROXY in the environment"):
        environment_proxies({"SYNCBOT_PROXY": "ftp://h"})


def test_some_fields_of_the_environment() -> None:
    """Some fields alone can be read from the environment: what it does not set is left out, and what was not asked for is not even looked at."""
    environ = {"SYNCBOT_TIMEOUT": "5", "SYNCBOT_IPV4": "", "SYNCBOT_CHAT": "wrong one", "HTTPS_PROXY": "a:1"}
    assert from_environment("timeout", "ipv4", "no_proxy", environ=environ) == {"timeout": 5.0}
    with pytest.raises(ConfigError, match="SYNCBOT_CHAT in the environment: 'wrong one' is neither"):
        from_environment("chat", environ=environ)


def test_check_one_setting() -> None:
    """One value given by hand is checked by the rules of its setting."""
    assert check_setting("SYNCBOT_TIMEOUT", " 5 ") == 5.0
    with pytest.raises(ConfigError, match=r"^SYNCBOT_TIMEOUT: 'soon' is not a number of seconds .*; for example SYNCBOT_TIMEOUT=20$"):
        check_setting("SYNCBOT_TIMEOUT", "soon")


def test_relative_paths(home: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path starts from the env file's folder, or from the working directory where the environment names it; ~ is the home folder."""
    (home / "my.env").write_text("SYNCBOT_STATE=data/bot.db\n")
    assert load(home, work, home / "my.env").state == home / "data" / "bot.db"
    assert load(home, work, home / "my.env", SYNCBOT_STATE="bot.db").state == work / "bot.db"
    monkeypatch.setenv("HOME", str(home))
    assert load(home, work, "~/my.env", SYNCBOT_STATE="~/bot.db").state == home / "bot.db"


def test_nothing_secret_in_repr(home: Path, work: Path) -> None:
    """The repr of the settings holds neither the token nor a proxy's user and password."""
    settings = load(home, work, SYNCBOT_PROXY="http://somebody:S3cretpw@h:1")
    assert settings.proxies[0].password == "S3cretpw"
    for text in (repr(settings), str(settings)):
        assert "Settings(" in text
        assert not any(secret in text for secret in (SECRET, "S3cretpw", "somebody"))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"SYNCBOT_CHAT=1\n\n\nthis is no assignment\n", "line 4 is not an assignment"),
        (b"\r\n\r\nfoo bar\r\n", "line 3 is not an assignment"),
        (f"TELEGRAM_BOT_TOKEN: {TOKEN}\n".encode(), "line 1 is not an assignment"),
        (f"# token\nTELEGRAM_BOT_TOKEN='{TOKEN}\n".encode(), "line 2 is not an assignment"),
        (f"TELEGRAM_BOT_TOKEN='{TOKEN}' x\n".encode(), "line 1 is not an assignment"),
        (b"SYNCBOT_IPV4\n", "line 1 is not an assignment"),
        (f"TELEGRAM_BOT_TOKEN={TOKEN}\n".encode("utf-16"), "not in UTF-8"),
        (f"TELEGRAM_BOT_TOKEN={TOKEN}\n".encode("utf-16-le"), "not in UTF-8"),
        (f"# gr\xfcn {TOKEN}\n".encode("latin-1"), "not in UTF-8"),
        (b"#" * 1_000_001, "larger than"),
    ],
)
def test_broken_env_file(content: bytes, what: str, home: Path, work: Path) -> None:
    """An env file that cannot be understood is a ConfigError that names the file and the line, and repeats nothing of it."""
    path = work / ".env"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(home, work)
    assert f"{path}" in str(caught.value)
    assert what in str(caught.value)
    assert "for example SYNCBOT_TIMEOUT=20" in str(caught.value)
    assert SECRET not in everything(caught.value)


def test_env_file_forms(work: Path) -> None:
    """Comments, export, quotes, a byte order mark and Windows line ends are understood; a $ has no meaning; the last of several lines counts."""
    path = work / "env"
    path.write_bytes(b'\xef\xbb\xbfA=1 # one\r\nexport B=\'2 $A ${A}\'\r\n\r\n# C=0\r\nC="x\\"y"\r\nD=\r\nA=3\r\nE=\xc3\xa4#b\r\n')
    assert read_env_file(path) == {"A": "3", "B": "2 $A ${A}", "C": 'x"y', "D": "", "E": "ä#b"}
    path.write_bytes(b"\xef\xbb\xbf")
    assert read_env_file(str(path)) == {}


def test_env_file_that_is_not_there(home: Path, work: Path) -> None:
    """An env file that was named and is missing, or is a folder, is an error."""
    with pytest.raises(ConfigError, match=r"the env file .*/nowhere cannot be read \(No such file or directory\).*for example"):
        load(home, work, "nowhere")
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        load(home, work, home)


def test_folders() -> None:
    """The XDG variables name the folders where they are absolute, else HOME does, else the user database, as under cron."""
    assert config_dir({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == Path("/c/syncbot")
    assert config_dir({"XDG_CONFIG_HOME": "c", "HOME": "/h"}) == Path("/h/.config/syncbot")
    assert state_dir({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/syncbot")
    assert state_dir({"HOME": "/h"}) == Path("/h/.local/state/syncbot")
    real = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert state_dir({}) == state_dir({"HOME": ""}) == real / ".local/state/syncbot"
    assert config_dir({}) == real / ".config/syncbot"
    assert config_dir().name == state_dir().name == "syncbot"


def test_user_without_home() -> None:
    """A user whom no database knows and who has no HOME gets a clear error for the folders, and settings nevertheless."""
    code = f"""if True:
        import os
        from syncbot.config import Settings, state_dir
        if os.geteuid() == 0:
            os.setuid(54321)
        print(Settings.load(environ={{"TELEGRAM_BOT_TOKEN": {TOKEN!r}}}, cwd="/").env_file)
        try:
            print(state_dir({{}}))
        except Exception as error:
            print(type(error).__name__, error)
    """
    if os.geteuid() == 0:
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert answer.stdout == "None\nConfigError no home folder is known for this user: set HOME, for example HOME=/home/me\n"
    else:  # this user stands in the database, and cannot become one that does not
        assert state_dir({}).is_absolute()


# --- Writing.


def read_by_shell(path: Path, name: str) -> bytes:
    """The value as a POSIX shell has it after `. file`."""
    script = f'set -eu; . "$1"; printf %s "${{{name}}}"'
    return subprocess.run(["sh", "-c", script, "sh", str(path)], capture_output=True, check=True, env={"PATH": os.environ["PATH"]}).stdout


ANYTHING = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=30)
AWKWARD = st.text(st.sampled_from("'\"\\$`# \n\tnt{}=!~*;&|<>ä€😀aA1"), max_size=12)


@given(values=st.dictionaries(st.sampled_from(["A", "B_2", "TELEGRAM_BOT_TOKEN"]), ANYTHING | AWKWARD, min_size=1))
def test_written_values_are_read_back(values: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever could be written is read back alike by Settings, by python-dotenv and by a shell; what could not be written is refused."""
    path = tmp_path_factory.mktemp("env") / ".env"
    try:
        write_env_file(path, values)
    except ConfigError as error:
        assert not path.exists()
        assert any(set("$`") & set(value) and ("'" in value or "\\" in value) for value in values.values())
        assert "cannot be quoted" in str(error)  # noqa: PT017 - as above
        return
    assert read_env_file(path) == values
    assert dotenv_values(path, interpolate=False) == values
    for name, value in values.items():
        assert read_by_shell(path, name) == value.encode()


COMMENT = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=10).map(lambda text: f"# {text}")
OTHER_LINE = st.sampled_from(["", "   ", "OTHER=1", "export OTHER='a b' # why", 'MULTI="one\ntwo"', "  INDENTED=x", "EMPTY=", "OTHER = 2"])
NAMED_LINE = st.sampled_from(["NAME=old", "export NAME='old one'", "  NAME=old # why", 'NAME="ol\\"d" # why', "NAME=", "NAME= # why", "NAME"])


@given(lines=st.lists(COMMENT | OTHER_LINE | NAMED_LINE, max_size=8), end=st.sampled_from(["", "\n"]), value=st.sampled_from(["new", "it's", "a # b", ""]))
def test_what_stood_there_is_kept(lines: list[str], end: str, value: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """All lines but those of the given names stay as they are and where they are, with the comments beside the replaced values."""
    path = tmp_path_factory.mktemp("env") / ".env"
    path.write_text("\n".join(lines) + end, newline="")
    before = {name: held for name, held in dotenv_values(path, interpolate=False).items() if name != "NAME"}
    write_env_file(path, {"NAME": value})
    text = path.read_text()
    assert {name: held for name, held in dotenv_values(path, interpolate=False).items() if name != "NAME"} == before
    assert dotenv_values(path, interpolate=False)["NAME"] == value
    assert text.count("# why") == "\n".join(lines).count("# why")
    rest = iter(text.split("\n"))
    for line in "\n".join(line for line in lines if "NAME" not in line).split("\n"):
        assert not line or line in rest  # each of them, in this order
    write_env_file(path, {"NAME": value})
    assert path.read_text() == text


def test_write_replaces_and_appends(work: Path) -> None:
    """Names that stand in the file are replaced at each of their places, new ones appended, and export and comments stay."""
    path = work / ".env"
    path.write_bytes(b"# my bot\nexport A=1 # first\nB='two'\nnot understood\nA=3")
    write_env_file(path, {"A": "x y", "C": "it's"})
    assert path.read_text() == "# my bot\nexport A='x y' # first\nB='two'\nnot understood\nA='x y'\nC=\"it's\"\n"


def test_write_makes_folders_and_sets_the_mode(work: Path) -> None:
    """A new file gets its folders, an old one loses the rights of others; nothing else is left in the folder."""
    path = work / "deep" / "er" / "env"
    write_env_file(path, {"A": "1"})
    path.chmod(0o644)
    write_env_file(str(path), {"B": "2"})
    assert path.read_text() == "A=1\nB=2\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(path.parent) == ["env"]


def test_write_keeps_a_symbolic_link(home: Path, work: Path) -> None:
    """A symbolic link stays one, and the file it points to is changed, also where that is still missing."""
    (work / ".env").symlink_to(home / "real")
    write_env_file(work / ".env", {"A": "1"})
    write_env_file(work / ".env", {"A": "2"})
    assert (work / ".env").is_symlink()
    assert (home / "real").read_text() == "A=2\n"
    assert os.listdir(work) == [".env"]


def test_write_keeps_the_owner(work: Path) -> None:
    """An administrator who changes another user's env file leaves it to that user."""
    path = work / ".env"
    path.write_text("A=1\n")
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    before = path.stat()
    write_env_file(path, {"A": "2"})
    assert (path.stat().st_uid, path.stat().st_gid) == (before.st_uid, before.st_gid)
    assert path.stat().st_ino != before.st_ino


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"A B": "1"}, "is not a name"),
        ({"1A": "1"}, "is not a name"),
        ({"": "1"}, "is not a name"),
        ({"A": "S3cret\0"}, "the value of A holds a character"),
        ({"A": "S3cret\r\n"}, "the value of A holds a character"),
        ({"A": "S3cret\udc80"}, "the value of A holds a character"),
        ({"A": "S3cret'$5"}, "cannot be quoted; in a URL write %27"),
    ],
)
def test_write_refuses(values: dict[str, str], what: str, work: Path) -> None:
    """What cannot stand in an env file is refused without repeating the value, and the file stays as it was."""
    path = work / ".env"
    path.write_text("OLD=1\n")
    with pytest.raises(ConfigError, match=what) as caught:
        write_env_file(path, {"OLD": "2", **values})
    assert "S3cret" not in everything(caught.value)
    assert path.read_text() == "OLD=1\n"


@pytest.mark.parametrize("old", ["A=1\nB='open\nC=2\n", 'B="open\n'])
def test_write_sees_what_an_open_quote_would_swallow(old: str, work: Path) -> None:
    """A quote left open would swallow the new line: the error names its line, and the file stays as it was."""
    path = work / ".env"
    path.write_text(old)
    line = old[: old.index("B=")].count("\n") + 1
    with pytest.raises(ConfigError, match=f"left as it was: its line {line} is broken"):
        write_env_file(path, {"NEW": "it's" if '"' in old else "two words"})
    assert path.read_text() == old


def test_write_failures(work: Path) -> None:
    """A place that cannot be written is a ConfigError with the system's reason, and no half file stays behind."""
    (work / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be"):
        write_env_file(work / "file" / "env", {"A": "1"})
    with pytest.raises(ConfigError, match="Is a directory"):
        write_env_file(work, {"A": "1"})
    with pytest.raises(ConfigError, match=r"cannot be written \(File name too long\)"):
        write_env_file(work / ("x" * 300), {"A": "1"})
    (work / "latin").write_bytes(b"# gr\xfcn\n")
    with pytest.raises(ConfigError, match="not in UTF-8"):
        write_env_file(work / "latin", {"A": "1"})
    assert sorted(os.listdir(work)) == ["file", "latin"]


# --- NO_PROXY.


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "expected"),
    [
        ("api.telegram.org", 443, "", False),
        ("api.telegram.org", 443, " , ", False),
        ("api.telegram.org", 443, "*", True),
        ("api.telegram.org", 443, "localhost, *", True),
        ("api.telegram.org", 443, "api.telegram.org", True),
        ("API.Telegram.org.", 443, "api.telegram.ORG", True),
        ("api.telegram.org", 443, "localhost telegram.org", True),
        ("api.telegram.org", 443, ".telegram.org", True),
        ("telegram.org", 443, ".telegram.org", True),
        ("api.telegram.org", 443, "*.telegram.org", True),
        ("api.telegram.org", 443, "gram.org", False),
        ("api.telegram.org", 443, "api.telegram.org.evil", False),
        ("api.telegram.org", 443, "org", True),
        ("api.telegram.org", 443, ".", False),
        ("api.telegram.org", 443, "telegram.org:443", True),
        ("api.telegram.org", 443, "telegram.org:8443", False),
        ("api.telegram.org", 443, "*:443", True),
        ("api.telegram.org", 443, "telegram.org:https", False),
        ("10.1.2.3", 443, "10.0.0.0/8", True),
        ("10.1.2.3", 443, "10.1.2.9/24", True),
        ("11.1.2.3", 443, "10.0.0.0/8", False),
        ("10.1.2.3", 443, "10.1.2.3", True),
        ("10.1.2.3", 8081, "10.1.2.3:8081", True),
        ("10.1.2.3", 8081, "10.1.2.3:8082", False),
        ("10.1.2.3", 443, "2.3", False),
        ("10.1.2.3", 443, ".1.2.3", False),
        ("10.1.2.3", 443, "10.0.0.0/99", False),
        ("10.1.2.3", 443, "fd00::/8", False),
        ("::1", 443, "::1", True),
        ("[::1]", 443, "0:0:0:0:0:0:0:1", True),
        ("::1", 443, "[::1]", True),
        ("::1", 8081, "[::1]:8081", True),
        ("::1", 8081, "[::1]:1", False),
        ("fd00::5", 443, "fd00::/8", True),
        ("fd00::5", 443, "[fd00::]/8", True),
        ("fe80::1%eth0", 443, "fe80::/10", True),
        ("::ffff:10.1.2.3", 443, "10.0.0.0/8", True),
        ("host", 443, "10.0.0.0/8", False),
        ("1host.example", 443, "example", True),
        ("host", 443, "[", False),
        ("host", 443, "http://host", False),
    ],
)
def test_bypasses_proxy(host: str, port: int, no_proxy: str, expected: bool) -> None:
    """Names with all below them, addresses, ranges, ports and * are matched as written, and nonsense matches nothing."""
    assert bypasses_proxy(host, port, no_proxy) is expected


@given(host=st.text(max_size=12), no_proxy=st.text(st.sampled_from("a1.:[]/%*, \tfe"), max_size=20))
def test_bypasses_proxy_never_fails(host: str, no_proxy: str) -> None:
    """No text makes the match fail, since it comes from somebody's environment."""
    assert bypasses_proxy(host, 443, no_proxy) in (True, False)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("SYNCBOT_PROXI", "SYNCBOT_PROXY"),
        ("SYNCBOT_LOGLEVEL", "SYNCBOT_LOG_LEVEL"),
        ("syncbot_chat", "SYNCBOT_CHAT"),
        ("TELEGRAM_BOT_TOKE", "TELEGRAM_BOT_TOKEN"),
        ("TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"),
        ("ALLOWED_TELEGRAM_USERS", "ALLOWED_TELEGRAM_USER_ID"),
    ],
)
def test_misspelt_names(name: str, near: str, home: Path, work: Path) -> None:
    """A name that is nearly a setting is told with the right one, wherever it stands; not where another's name is near to one that is set."""
    (work / ".env").write_text(f"{name}=x\n")
    environ = {"HOME": str(home)}
    assert misspelt(environ=environ, cwd=work) == [f"{name} in {work / '.env'} is no setting; did you mean {near}?"]
    assert misspelt(os.devnull, environ={**environ, name: "x"}, cwd=work) == [f"{name} in the environment is no setting; did you mean {near}?"]
    mine = name.upper().startswith("SYNCBOT_")
    assert len(misspelt(environ={**environ, near: "x"}, cwd=work)) == int(mine)


def test_other_names_are_left_alone(home: Path, work: Path) -> None:
    """Settings in any of their spellings, and names of other programs, are none of our business."""
    names = [spelling for setting in SETTINGS for spelling in setting.spellings]
    others = ["PATH", "http_proxy", "HTTP_PROXY", "TELEGRAM_BOT_NAME", "TELEGRAM_HTTP_CLIENT_TEST_PASSED", "SSL_CERT_DIR", "BOT_TOKEN", "LOG_LEVEL"]
    assert misspelt(environ={"HOME": str(home), **dict.fromkeys(names + others, "x")}, cwd=work) == []
    assert misspelt(environ={"HOME": str(home), **dict.fromkeys(others, "x")}, cwd=work) == []
    assert misspelt(environ={"HOME": str(home), "SYNCBOT_QQQQQQQQQQQQ": "x"}, cwd=work) == ["SYNCBOT_QQQQQQQQQQQQ in the environment is no setting."]


def test_import_is_cheap() -> None:
    """Importing the settings loads the standard library and layer 0 alone, and reading them without an env file loads no python-dotenv."""
    code = f"""if True:
        import sys
        before = set(sys.modules)
        import syncbot.config
        syncbot.config.Settings.load(environ={{"TELEGRAM_BOT_TOKEN": {TOKEN!r}, "HOME": "/nonexistent"}}, cwd="/nonexistent")
        foreign = {{name.partition(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names
        print(sorted(foreign), sorted(name for name in sys.modules if name.startswith("syncbot.")))
        print(sorted({{"asyncio", "logging", "socket", "ssl", "tempfile"}} & set(sys.modules)))
    """
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = [
        "bounds",
        "config",
        "config.readers",
        "config.settings",
        "config.table",
        "errors",
        "regular",
        "secret",
        "types",
    ]
    assert answer.stdout == f"['syncbot'] {[f'syncbot.{name}' for name in loaded]}\n[]\n"


@pytest.mark.parametrize(
    ("hosts", "shown"),
    [
        ("localhost,.example.com 10.0.0.0/8", "localhost,.example.com 10.0.0.0/8"),
        ("localhost, http://me:S3cret@proxy:3128,b", "localhost, <hidden>@proxy:3128,b"),
        ("http://me:S3c,S3cret@S3cret@proxy", "<hidden>@proxy"),
        ("a,me:S3cret@proxy", "<hidden>@proxy"),
        ("", ""),
    ],
)
def test_no_proxy_is_shown_without_credentials(hosts: str, shown: str) -> None:
    """`repr()` shows NO_PROXY as it shows the other settings, but not what a proxy URL that stands there by mistake would tell; its value stays as it is."""
    settings = Settings.load("/dev/null", environ={"TELEGRAM_BOT_TOKEN": TOKEN, "NO_PROXY": hosts, "HTTPS_PROXY": "http://me:S3cret@proxy"})
    assert settings.no_proxy == hosts
    assert f"no_proxy={shown!r}, chat=None" in repr(settings)
    assert "S3cret" not in f"{settings} {settings!r} {vars(settings)}"
    assert TOKEN not in f"{settings} {settings!r} {vars(settings)}"
