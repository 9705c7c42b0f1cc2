"""The URL of a state's database: what is one, what is refused, and what is shown of it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from syncbot.config import check_setting
from syncbot.errors import ConfigError, StorageError
from syncbot.secret import Secret
from syncbot.storage import open_store
from syncbot.storage.address import DatabaseUrl, database_url

URL = "postgresql://bot:s3cret-word@db.example:5432/bot?sslmode=require&sslpassword=other-word"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (URL, "postgresql://bot@db.example:5432/bot"),
        ("postgres:///bot?host=/run/postgresql", "postgresql:///bot"),
        ("PostgreSQL://[::1]:5432/bot", "postgresql://[::1]:5432/bot"),
        ("postgresql://bot:a%40b@one:1,two:2/bot", "postgresql://bot@one:1,two:2/bot"),
    ],
)
def test_a_url_is_kept_and_shown_without_its_passwords(given: str, shown: str) -> None:
    """The whole URL is there for whoever connects, and neither a text nor a repr of it holds a password."""
    url = database_url(given)
    assert isinstance(url, DatabaseUrl)
    assert url.secret.reveal() == given
    assert str(url) == shown
    assert "word" not in f"{url!r} {url} {url.secret}"
    assert pickle.loads(pickle.dumps(url)) == url == database_url(url)


@pytest.mark.parametrize("given", ["bot.db", "/var/lib/bot.db", "a:b/c.db", Path("bot.db"), Path("a:/b.db"), "postgresql:bot"])
def test_a_path_is_no_url(given: str | Path) -> None:
    """What has no scheme and two slashes is a file, as ever."""
    assert database_url(given) is None


@pytest.mark.parametrize(
    "given",
    [
        "mysql://bot@db/bot",
        "postgresql://bot:s3cret/x-word@db/bot",
        "postgresql://bot:s3cret@x-word@db/bot",
        Path("postgresql://b/b"),
        "dbname=bot user=bot password=s3cret",
        " host = db dbname=bot",
    ],
)
def test_what_cannot_be_served_is_refused_with_words(given: str | Path) -> None:
    """An unknown scheme, a password that nobody can tell from the rest, a Path, which loses a slash, and libpq's own form; none of them shows a password."""
    with pytest.raises(ConfigError, match="postgresql://") as caught:
        database_url(given)
    assert "s3cret" not in str(caught.value)
    assert "-word" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        "bot:s3cret%word@db/bot",
        "bot:s3cret%00word@db/bot",
        "bot:s3cret word@db/bot",
        "bot:s3cret-word@[::1/bot",
        "bot@db/bot?password=s3cret%word",
        "bot@db/bot?connect_timeout=s3cret",
        "bot:s3cret\udce9word@db/bot",
        "bot:s3cret@db..example/bot",
        f"bot:s3cret@{'d' * 64}.example/bot",
        "bot@db:s3cret/bot",
        "bot:s3cret/bot",
        "bot@one:1,two:s3cret/bot",
        "bot@[::1]:s3cret/bot",
    ],
)
def test_what_only_the_database_library_finds_wrong_is_not_repeated(given: str) -> None:
    """Its own words repeat the password, as of a % that is not escaped; ours say how it is written, and it is no trouble that passes."""
    with pytest.raises(ConfigError, match="written as %40") as caught:
        open_store(f"postgresql://{given}", 1)
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in shown
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ("127.0.0.1/bot?sslmode=s3cret", "sslmode"),
        ("127.0.0.1/bot?target_session_attrs=s3cret", "target_session_attrs"),
        ("127.0.0.1/bot?ssl_min_protocol_version=s3cret", "ssl_min_protocol_version"),
        ("127.0.0.1:9/bot?tcp_user_timeout=s3cret", "tcp_user_timeout"),
        ("127.0.0.1:99999/bot", "port"),
    ],
)
def test_an_option_that_cannot_be_is_a_mistake_in_the_setting(given: str, option: str) -> None:
    """What libpq takes for no value of its option is named, and not its value; no waiting mends it."""
    with pytest.raises(ConfigError, match=f"the option {option} of the state's database has a value that it cannot have") as caught:
        open_store(f"postgresql://bot@{given}", 1)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("server", ["db", "db:5432", "db:", "one:1,two:2", "[::1]", "[::1]:5432", "[fe80::1]:5432,db"])
def test_a_port_is_no_password(server: str) -> None:
    """Whatever a server may be called, with a port and without, is shown."""
    assert str(DatabaseUrl(Secret(f"postgresql://bot:s3cret@{server}/bot"))) == f"postgresql://bot@{server}/bot"


@pytest.mark.parametrize("server", ["127.0.0.1:9", "[::1]:9", "127.0.0.1:9,127.0.0.1:9"])
def test_a_refused_connection_knows_no_password(server: str) -> None:
    """Not even the error that the database's library has raised, which is the cause of ours, by any of its attributes."""
    with pytest.raises(StorageError) as caught:
        open_store(f"postgresql://bot:s3cret-word@{server}/bot?connect_timeout=2", 1)
    cause = caught.value.__cause__
    assert isinstance(cause, Exception)
    assert "s3cret" not in f"{cause!r} {vars(cause)} {getattr(cause, 'pgconn', None)!r}"


def test_a_missing_library_is_named_with_the_extra() -> None:
    """Without psycopg the URL is refused, with what to install."""
    program = f"""import sys
sys.modules["psycopg"] = None
from syncbot.storage.address import database_url
database_url({URL!r})"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "needs psycopg, which is not installed: pip install 'syncbot[postgres]'" in ended.stderr
    assert "ConfigError" in ended.stderr


def test_the_setting_takes_a_url() -> None:
    """SYNCBOT_STATE is a file or a URL; what is wrong with it is told without it."""
    assert check_setting("SYNCBOT_STATE", URL) == database_url(URL)
    with pytest.raises(ConfigError, match="mysql"):
        check_setting("SYNCBOT_STATE", "mysql://bot:s3cret@db/bot")
