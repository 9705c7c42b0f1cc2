"""`syncbot.request`: one call on one connection in the shape of `requests`, with a deadline, and errors that tell what was sent."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from kits.adapters_kit import check_silent, nothing_left
from kits.ports_kit import free_port
from kits.timing_kit import tried
from requests.auth import HTTPBasicAuth

import syncbot
from syncbot.adapters import http
from syncbot.client.retry import RetryPolicy
from syncbot.errors import DeliveryUncertain, NetworkError, NotSent, Phase
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy
from syncbot.transport import FakeTransport, OneShotTransport
from syncbot.types import Response

SITE = "https://site.example"
"""Where `responses` answers."""


class _Handler(BaseHTTPRequestHandler):
    """Tells what it was asked; `/drip` never comes to an end."""

    protocol_version = "HTTP/1.1"
    seen: list[dict[str, Any]]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fact = {"verb": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode("latin-1")}
        self.seen.append(fact)
        if self.path == "/drip":
            return self._drip()
        content = json.dumps(fact).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        return None

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        nobody = threading.Event()
        try:
            for _ in range(200):
                self.wfile.write(b".")
                nobody.wait(0.05)
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Site:
    """A small web server."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"seen": self.seen}))
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """End it with all its threads."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server for one test."""
    made = Site()
    yield made
    made.close()


SAME: dict[str, dict[str, Any]] = {
    "params": {"params": {"a": ["1", "2"], "b": "ü &", "c": None}},
    "form": {"data": {"a": "1", "b": "ü"}},
    "list": {"data": [("a", "1"), ("a", "2")]},
    "text": {"data": "text ü".encode()},
    "bytes": {"data": b"\x00\xff", "headers": {"Content-Type": "application/x-own"}},
    "json": {"json": {"a": [1, None, "ü"]}},
    "auth": {"auth": HTTPBasicAuth("user", "pass")},
    "nothing": {},
}


@pytest.mark.parametrize("verb", ["GET", "POST", "put", "HEAD", "DELETE"])
@pytest.mark.parametrize("name", SAME)
def test_a_request_is_the_one_that_requests_would_make(site: Site, verb: str, name: str) -> None:
    """The server sees the same, headers about the connection and the program aside, and the answer has the same shape."""
    theirs = requests.request(verb, f"{site.url}/path?x=1", timeout=30, **SAME[name])
    ours = syncbot.request(verb, f"{site.url}/path?x=1", timeout=30, **SAME[name])
    about_us = {"User-Agent", "Connection", "Accept-Encoding"}
    for fact in site.seen:
        fact["headers"] = {key: value for key, value in fact["headers"].items() if key not in about_us}
    assert site.seen[1] == site.seen[0]
    assert isinstance(ours, requests.Response)
    assert (ours.status_code, ours.reason, ours.encoding, ours.url, ours.ok) == (theirs.status_code, theirs.reason, theirs.encoding, theirs.url, theirs.ok)
    assert ours.request.method == verb.upper()
    assert ours.elapsed.total_seconds() > 0
    if verb != "HEAD":
        assert ours.json()["path"] == theirs.json()["path"]
    theirs.close()


@responses.activate
def test_an_answer_is_whole_and_of_requests_kind() -> None:
    """Text in its charset, `raise_for_status`, lines and pieces, after everything is closed."""
    responses.get(f"{SITE}/missing", "weg für immer".encode("latin-1"), status=404, content_type="text/html; charset=iso-8859-1")
    answer = syncbot.request("GET", f"{SITE}/missing")
    assert answer.text == "weg für immer"
    assert b"".join(answer.iter_content(3)) == answer.content == answer.raw.read()
    with pytest.raises(requests.HTTPError, match="404"):
        answer.raise_for_status()


def test_files_are_streamed(site: Site, tmp_path: Path) -> None:
    """Several files beside fields, in the forms that `requests` takes, and a body that is one open file."""
    path = tmp_path / "report.csv"
    path.write_bytes(b"a;b\n" * 1000)
    with path.open("rb") as file, path.open("rb") as again:
        files = {"one": file, "two": ("two.txt", "text"), "three": ("3", io.BytesIO(b"3"), "image/png"), "four": b"4"}
        syncbot.request("POST", site.url, files=files, data={"a": 1, "b": None, "c": "ü"})
        again.seek(4)
        syncbot.request("POST", site.url, data=again)
    form, whole = (fact["body"].encode("latin-1") for fact in site.seen)
    assert form.count(b"Content-Disposition") == 6
    for piece in (b'name="one"; filename="report.csv"', b"a;b\n" * 1000, b'filename="two.txt"', b"image/png", b'name="four"; filename="four"', "ü".encode()):
        assert piece in form
    assert whole == b"a;b\n" * 999
    assert site.seen[0]["headers"]["Content-Type"].startswith("multipart/form-data; boundary=")


def test_a_file_that_is_none_is_left_out(site: Site) -> None:
    """A file that is None, alone or in a tuple, is left out as `requests` does it, and the form stays one of parts."""
    for files in ({"one": None, "two": b"2"}, {"one": ("name.txt", None), "two": b"2"}, {"one": None}):
        syncbot.request("POST", site.url, files=files, data={"a": "1"})
        requests.post(site.url, files=files, data={"a": "1"}, timeout=20)
    ours, theirs = site.seen[::2], site.seen[1::2]
    names = [re.findall(r'name="(\w+)"', fact["body"]) for fact in ours]
    assert names == [re.findall(r'name="(\w+)"', fact["body"]) for fact in theirs] == [["a", "two", "two"], ["a", "two", "two"], ["a"]]
    assert all(fact["headers"]["Content-Type"].startswith("multipart/form-data; boundary=") for fact in site.seen)


def test_a_file_that_is_open_as_text_goes_out_in_utf8(site: Site, tmp_path: Path) -> None:
    """As with requests: what is left to read in it, under its name; a closed one is refused before anything is sent."""
    (tmp_path / "cert.pem").write_text("first\nsecond: grüße", encoding="utf-8")
    with open(tmp_path / "cert.pem", encoding="utf-8") as file:
        file.readline()
        syncbot.request("POST", site.url, files={"file": file})
    assert "second: grüße".encode().decode("latin-1") in site.seen[0]["body"]
    assert "first" not in site.seen[0]["body"]
    assert 'filename="cert.pem"' in site.seen[0]["body"]
    with pytest.raises(ValueError, match="closed"):
        syncbot.request("POST", site.url, files={"file": file})
    assert len(site.seen) == 1


def test_a_percent_sign_in_a_file_name_arrives(site: Site) -> None:
    """The Bot API URL-decodes file names, and other sites do not: each gets what it takes for the name."""
    files = {"document": ("50%20off.txt", b"content")}
    syncbot.request("POST", site.url, files=files)
    assert 'filename="50%20off.txt"' in site.seen[-1]["body"]
    with BotApiServer(any_chat=True) as api:
        syncbot.request("POST", f"{api.url}/bot{api.token}/sendDocument", files=files, data={"chat_id": 1})
        assert api.requests[-1].file("document").name == "50%20off.txt"


def test_what_cannot_be_wound_back_is_sent_too(site: Site) -> None:
    """A pipe goes into a form as any file."""
    read, write = os.pipe()
    with open(read, "rb") as reader, open(write, "wb") as writer:
        writer.write(b"from a pipe")
        writer.close()
        syncbot.request("POST", site.url, files={"file": ("pipe", reader)})
    assert "from a pipe" in site.seen[0]["body"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"verify": False}, "certificates are always checked"),
        ({"data": iter([b"x"])}, "data is a list_iterator"),
        ({"files": {"f": 5}}, "'f' is a int"),
        ({"files": {"f": ("a", b"b", "c", {})}}, "tuple of 4"),
        ({"files": {"f": b"x"}, "data": {"a": ["1", "2"]}}, "several values"),
        ({"files": {"f": b"x"}, "data": "text"}, "has to be a mapping"),
        ({"transport": OneShotTransport(), "proxies": "direct"}, "give proxies and ca_file to the transport"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(site: Site, given: dict[str, Any], words: str) -> None:
    """Arguments that cannot be carried out are refused in words."""
    with pytest.raises((TypeError, ValueError), match=words):
        syncbot.request("POST", site.url, **given)
    assert site.seen == []


@pytest.mark.parametrize("url", ["ftp.example", "http://", "http://exa mple/"])
def test_a_url_that_is_none_is_an_error_of_requests(url: str) -> None:
    """The URL is looked at by `requests` itself."""
    with pytest.raises(requests.RequestException):
        syncbot.request("GET", url)


def redirect(url: str, target: str) -> None:
    """Have a URL lead to another one, by whichever method."""
    for method in ("GET", "POST"):
        responses.add(method, url, status=302, headers={"Location": target})


@responses.activate
def test_redirects_are_handed_over_unless_asked_for() -> None:
    """A redirect is an answer; with `allow_redirects` a GET goes where it leads, and a POST does not."""
    redirect(f"{SITE}/to", "/end")
    responses.get(f"{SITE}/end")
    assert syncbot.request("GET", f"{SITE}/to").status_code == 302
    assert syncbot.request("POST", f"{SITE}/to", allow_redirects=True).status_code == 302
    answer = syncbot.request("GET", f"{SITE}/to", allow_redirects=True)
    assert answer.status_code == 200
    assert answer.url == f"{SITE}/end"
    assert [hop.status_code for hop in answer.history] == [302]


@responses.activate
def test_a_redirect_takes_no_secrets_elsewhere() -> None:
    """Another server does not see what was meant for the first one; the same server does."""
    headers = {"Authorization": "Bearer secret", "Cookie": "a=b", "X-Own": "1"}
    redirect(f"{SITE}/out", "https://elsewhere.example/end")
    redirect(f"{SITE}/in", "/end")
    other, same = responses.get("https://elsewhere.example/end"), responses.get(f"{SITE}/end")
    for way in ("out", "in"):
        syncbot.request("GET", f"{SITE}/{way}", headers=headers, allow_redirects=True)
    assert other.calls[0].request.headers.keys() & headers.keys() == {"X-Own"}
    assert headers.keys() <= same.calls[0].request.headers.keys()


@pytest.mark.parametrize("target", ["http://[", "http://h:99999999/", "http://\u00df..\u00df/", "http://" + "x" * 300 + "%zz/", "//[::1", "http:///"])
def test_a_redirect_to_nowhere_is_handed_over(api: BotApiServer, target: str) -> None:
    """What the server names is no URL: its answer is the last one, and no error."""
    api.answer_next(Answer(302, {"Location": target}, b""))
    assert syncbot.request("GET", f"{api.url}/x", ca_file=api.ca_file, allow_redirects=True).status_code == 302


@responses.activate
def test_a_circle_of_redirects_ends() -> None:
    """After five redirects it is enough."""
    redirect(f"{SITE}/to", "/to")
    with pytest.raises(requests.TooManyRedirects):
        syncbot.request("GET", f"{SITE}/to", allow_redirects=True, headers={"Host": "x"})
    assert len(responses.calls) == 6


@responses.activate
def test_a_redirect_from_https_to_http_is_not_followed() -> None:
    """It is handed over as it is."""
    redirect(f"{SITE}/to", "http://site.example/end")
    assert syncbot.request("GET", f"{SITE}/to", allow_redirects=True).status_code == 302
    assert len(responses.calls) == 1


@pytest.mark.parametrize(("timeout", "deadline"), [(0.4, 30.0), ((0.2, 0.4), 30.0), (None, 0.4), (30.0, 0.4), ((None, 30.0), 0.4)])
def test_a_server_that_drips_for_ever_is_given_up_in_time(site: Site, timeout: Any, deadline: float) -> None:
    """Whichever bound is the tighter one holds, where `requests` alone would wait for ever."""

    def attempt(scale: float) -> None:
        bounds = tuple(each and scale * each for each in timeout) if isinstance(timeout, tuple) else timeout and scale * timeout
        started = time.monotonic()
        with pytest.raises(requests.RequestException) as failure:
            syncbot.request("POST", f"{site.url}/drip", timeout=bounds, deadline=scale * deadline)
        assert time.monotonic() - started < 0.4 * scale + 2.0
        assert isinstance(failure.value, http.AnswerTimedOut)
        assert failure.value.phase is Phase.MAYBE_SENT

    tried(attempt, (1.0, 1.0, 8.0))


FAULTS: dict[str, tuple[Fault, type[NetworkError], type[requests.RequestException]]] = {
    "hung up": (Fault.drop_connect(), http.ProxyFailed, requests.exceptions.ProxyError),
    "gateway": (Fault.bad_gateway(), http.ProxyFailed, requests.exceptions.ProxyError),
    "credentials": (Fault.auth_required(), http.ProxyRefused, requests.exceptions.ProxyError),
    "tls": (Fault.tls_drop(), http.TlsFailed, requests.exceptions.SSLError),
    "stall": (Fault.tls_stall(), http.ConnectTimedOut, requests.ConnectTimeout),
    "lost": (Fault.cut_before_answer(), http.AnswerLost, requests.ConnectionError),
    "short": (Fault.cut_response(), http.AnswerLost, requests.ConnectionError),
    "silent": (Fault.never_answer(), http.AnswerTimedOut, requests.ReadTimeout),
}


@pytest.mark.parametrize("name", FAULTS)
def test_errors_are_of_both_kinds_and_tell_the_phase(api: BotApiServer, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each fault is an error of `requests` and one of syncbot, with its facts, and without what the URL holds."""
    caplog.set_level(logging.DEBUG)
    fault, kind, theirs = FAULTS[name]
    url = f"{api.url}/bot{api.token}/sendMessage"

    def attempt(timeout: float) -> None:
        given: Any = {"json": {"chat_id": 1, "text": "x"}, "ca_file": api.ca_file, "retry": None, "timeout": (timeout, timeout)}
        with FaultProxy(faults=[fault], rate=1.0, seed=1) as proxy, nothing_left(), pytest.raises(requests.RequestException) as failure:
            syncbot.request("POST", url, proxies=proxy.url, **given)
        error = failure.value
        assert type(error).__name__ == kind.__name__
        assert isinstance(error, theirs)
        assert isinstance(error, NetworkError)
        assert isinstance(error, NotSent if fault.before_request else DeliveryUncertain)
        assert error.phase is (Phase.NOT_SENT if fault.before_request else Phase.MAYBE_SENT)
        assert error.proxy == proxy.url
        assert error.attempts == 1
        assert ("never sent" if fault.before_request else "may have been carried out") in str(error)
        check_silent(api.token, error, caplog)

    tried(attempt, (0.5, 6.0))


def test_nobody_there_is_a_connection_error() -> None:
    """A refused connection is a `requests.ConnectionError` that was never sent."""
    with pytest.raises(http.ConnectionFailed):
        syncbot.request("GET", f"http://127.0.0.1:{free_port()}", retry=RetryPolicy(attempts=2, first_wait=0.01))


@responses.activate
def test_a_get_is_tried_again_and_a_post_is_not() -> None:
    """What may have been sent is repeated only where that does no harm."""
    responses.get(f"{SITE}/once", body=requests.ReadTimeout())
    responses.get(f"{SITE}/once")
    post = responses.post(f"{SITE}/once", body=requests.ReadTimeout())
    assert syncbot.request("GET", f"{SITE}/once", retry=RetryPolicy(first_wait=0.01)).status_code == 200
    with pytest.raises(DeliveryUncertain):
        syncbot.request("POST", f"{SITE}/once", retry=RetryPolicy(first_wait=0.01))
    assert post.call_count == 1


def test_what_was_never_sent_is_tried_again_whatever_it_is(api: BotApiServer) -> None:
    """A POST through a proxy that cuts two handshakes arrives once."""
    with FaultProxy() as proxy:
        proxy.script(Fault.tls_drop(), Fault.tls_drop())
        url = f"{api.url}/bot{api.token}/sendMessage"
        answer = syncbot.request("POST", url, data={"chat_id": 1, "text": "x"}, proxies=proxy.url, verify=api.ca_file, retry=RetryPolicy(first_wait=0.01))
    assert answer.json()["ok"] is True
    assert api.count_text("x") == 1


@pytest.mark.parametrize("make", [lambda url: url, lambda url: [url, "direct"], lambda url: {"https": url}, lambda url: {"all": url}])
def test_proxies_are_taken_in_every_shape(api: BotApiServer, make: Callable[[str], Any]) -> None:
    """A URL, a list, or a dict as `requests` has it."""
    with FaultProxy() as proxy:
        syncbot.request("GET", f"{api.url}/bot{api.token}/getMe", proxies=make(proxy.url), ca_file=api.ca_file)
        assert proxy.established == 1


def test_a_dict_without_the_scheme_means_no_proxy(site: Site) -> None:
    """As in `requests`: a proxy for https is none for http."""
    with FaultProxy() as proxy:
        syncbot.request("GET", site.url, proxies={"https": proxy.url})
        assert proxy.opened == 0


def test_a_transport_serves_many_calls(api: BotApiServer) -> None:
    """One transport of one's own is used and left open."""
    transport = OneShotTransport(ca_file=Path(api.ca_file))
    with nothing_left():
        for _ in range(3):
            assert syncbot.request("GET", f"{api.url}/bot{api.token}/getMe", transport=transport).json()["ok"] is True
        transport.close()
    assert api.recorder.max_requests_per_connection == 1


def test_an_error_page_and_its_texts_show_no_token() -> None:
    """What an answer of 400 and above says is without secrets, and so is what raise_for_status says; other answers come as they are."""
    url, key = f"https://api.telegram.org/bot{TEST_TOKEN}/getMe", TEST_TOKEN.partition(":")[2]
    page = f"{TEST_TOKEN} \u00ff".encode() + b"\xff"
    answers = [syncbot.request("GET", url, transport=FakeTransport(GET=Response(status, {}, page)), retry=None) for status in (404, 200)]
    with pytest.raises(requests.HTTPError) as failed:
        answers[0].raise_for_status()
    assert key not in f"{failed.value!r} {answers[0].url}"
    assert key.encode() not in answers[0].content
    assert answers[0].content.endswith("\u00ff".encode() + b"\xff")
    assert syncbot.request("GET", "https://example.com/", transport=FakeTransport(GET=Response(200, {}, page)), retry=None).content == page
