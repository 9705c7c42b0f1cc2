"""The URL of a state's database: what is one, what is refused, and what is shown of it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from syncbot.config import check_setting
from syncbot.errors import ConfigError
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
    "given", ["mysql://bot@db/bot", "postgresql://bot:s3cret/x-word@db/bot", "postgresql://bot:s3cret@x-word@db/bot", Path("postgresql://b/b")]
)
def test_what_cannot_be_served_is_refused_with_words(given: str | Path) -> None:
    """An unknown scheme, a password that nobody can tell from the rest, and a Path, which loses a slash; none of them shows a password."""
    with pytest.raises(ConfigError, match="postgresql://") as caught:
        database_url(given)
    assert "s3cret" not in str(caught.value)
    assert "-word" not in str(caught.value)


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
