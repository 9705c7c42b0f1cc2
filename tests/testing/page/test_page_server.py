"""Who may speak to the page of a trial and to the server behind it, and what they are given."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from kits.page_kit import Visitor

from syncbot.testing import BotApiServer, Trial
from syncbot.testing.page.web import PageServer


@pytest.fixture
def page(tmp_path: Path) -> Iterator[PageServer]:
    """The page of a trial without a bot."""
    with Trial(None, tls=False) as trial, PageServer(trial, tmp_path) as page:
        yield page


@pytest.fixture
def visitor(page: PageServer) -> Visitor:
    """The browser that was sent to the page."""
    visitor = Visitor(page)
    assert visitor.ask()[0] == 200
    return visitor


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Cookie": "syncbot_try=guessed"},
        {"Cookie": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["api/snapshot", "api/events", "file/x"])
def test_a_strangers_page_learns_nothing(visitor: Visitor, path: str, headers: dict[str, str]) -> None:
    """A wrong host, origin or site, or no token, is refused: for what is read, for the stream and for files."""
    assert visitor.ask(path, **headers)[0] == 403


@pytest.mark.parametrize("origin", ["", "https://evil.example", "null"])
def test_a_strangers_form_does_nothing(page: PageServer, visitor: Visitor, origin: str) -> None:
    """A POST needs the page's own origin, even with the right cookie."""
    ann = page.trial.user("Ann").id
    assert visitor.post("api/send", {"user": ann, "chat": ann, "text": "hi"}, Origin=origin)[0] == 403
    assert page.trial.sandbox.server.pending_updates == []


def test_the_path_is_a_secret(page: PageServer, visitor: Visitor) -> None:
    """Without the random path there is nothing, with the right cookie either; two trials have two paths."""
    assert visitor.ask("/", whole_path=True)[0] == 403
    assert visitor.ask("/api/snapshot", whole_path=True)[0] == 403
    with PageServer(page.trial, page.folder) as other:
        assert other.guard.path != page.guard.path


def test_the_first_navigation_may_not_come_from_another_site(page: PageServer) -> None:
    """Opened by hand it is served, with its policy; by a link or a frame of another site it is not."""
    assert Visitor(page).ask(Sec_Fetch_Site="none")[0] == 200
    assert Visitor(page).ask(Sec_Fetch_Site="cross-site")[0] == 403
    answer = requests.get(page.url, timeout=20)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "HttpOnly" in answer.headers["Set-Cookie"]


def test_what_is_no_picture_is_only_downloaded(page: PageServer, visitor: Visitor) -> None:
    """An SVG, which may hold a script, is no type that a browser shows; a picture is."""
    svg = page.trial.sandbox.server.add_file(b"<svg><script>1</script></svg>", name="x.svg")
    picture = page.trial.sandbox.server.add_file(b"\x89PNG\r\n\x1a\n", name="x.png")
    cookie = {"Cookie": visitor.cookie}
    as_svg = requests.get(f"{page.url}file/{svg}", headers=cookie, timeout=20)
    assert (as_svg.headers["Content-Type"], as_svg.headers["Content-Disposition"]) == ("application/octet-stream", "attachment")
    assert requests.get(f"{page.url}file/{picture}", headers=cookie, timeout=20).headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"user": 1, "chat": 2, "text": "x"}', b'{"user": [], "chat": {}}'])
def test_a_broken_action_is_answered(visitor: Visitor, body: bytes) -> None:
    """Nonsense gets 400 with a reason, and the server goes on."""
    status, answer = visitor.ask("api/send", verb="POST", body=body)
    assert (status, "error" in json.loads(answer)) == (400, True)
    assert visitor.ask("api/snapshot")[0] == 200


def test_many_open_streams_hold_nobody_up(page: PageServer, visitor: Visitor) -> None:
    """Twenty streams of events are open, and the page is still answered; each of them hears of a new user."""
    streams = []
    for _ in range(20):
        stream = socket.create_connection(("127.0.0.1", visitor.address.port or 0), timeout=20)
        request = f"GET {page.guard.path}api/events?after={page.trial.feed.last} HTTP/1.1\r\nHost: {visitor.host}\r\nCookie: {visitor.cookie}\r\n\r\n"
        stream.sendall(request.encode())
        streams.append(stream)
    assert visitor.post("api/add_user", {"name": "Bob"})[0] == 200
    for stream in streams:
        with stream, stream.makefile("rb") as lines:
            assert any(b"Bob" in line for line in lines)


def test_an_error_in_an_open_stream_ends_it(page: PageServer, visitor: Visitor) -> None:
    """What cannot be written ends the stream of events: what is no event, a second answer least of all, never stands in it."""
    after = page.trial.feed.last
    page.trial.feed.tell("unwritable", what=object())
    status, stream = visitor.ask(f"api/events?after={after}")
    assert (status, stream) == (200, b"")
    assert visitor.ask("api/snapshot")[0] == 200


def test_the_double_refuses_pages() -> None:
    """A web page that a browser shows cannot speak to BotApiServer, which anybody's test may have left running with the constant test token."""
    with BotApiServer() as server:
        url = f"{server.url}/bot{server.token}/getMe"
        assert requests.get(url, timeout=20).status_code == 200
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            assert requests.get(url, headers=headers, timeout=20).status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("api/send", b'{"user": Infinity, "chat": 1}'),
        ("api/send", b'{"user": 1001, "chat": 1001, "text": "x", "reply_to": "x"}'),
        ("api/send", b"[" * 200_000),
        ("api/upload?user=1001&chat=1001", b"x"),
    ],
    ids=["infinite", "wrong type", "deep", "no kind"],
)
def test_what_cannot_be_done_is_told(page: PageServer, visitor: Visitor, path: str, body: bytes) -> None:
    """Whatever comes of it, a request is answered with an error in words, and the page goes on."""
    assert page.trial.user("Ann").id == 1001
    status, answer = visitor.ask(path, verb="POST", body=body)
    assert status in (400, 500)
    assert json.loads(answer)["error"]
    assert visitor.ask("api/snapshot")[0] == 200
