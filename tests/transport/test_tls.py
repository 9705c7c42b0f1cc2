"""Certificates that are right and wrong, and the one context that all connections share."""

from __future__ import annotations

import socket
import ssl
import struct
from pathlib import Path

import certifi
import pytest
from kits.transport_kit import Line, Peer, open_descriptors, send

from syncbot.client.client import Call, Client
from syncbot.client.encode import Encoded
from syncbot.client.retry import RetryPolicy
from syncbot.errors import ConfigError, NotSent
from syncbot.testing import BotApiServer, Fault, FaultProxy, TestCA
from syncbot.testing.certs import CertificateKind
from syncbot.transport import OneShotTransport
from syncbot.transport.secure.tls import Tls
from syncbot.types import Proxy, Request


def get_me(server: BotApiServer) -> Request:
    return Request(f"{server.url}/bot{server.token}/getMe", "getMe", body=b"", timeout=20.0)


@pytest.mark.parametrize(
    ("kind", "words", "retryable", "verify_code"),
    [
        ("expired", ["certificate", "expired", "clock"], False, 10),
        ("not_yet_valid", ["certificate", "not yet valid", "clock"], True, 9),
        ("wrong_host", ["certificate", "127.0.0.1"], False, 64),
    ],
)
@pytest.mark.parametrize("behind", ["direct", "http", "https"])
def test_a_certificate_that_is_not_right(
    behind: str, kind: CertificateKind, words: list[str], retryable: bool, verify_code: int, ca: TestCA, api: BotApiServer
) -> None:
    """It is NotSent and says what is wrong, for programs too; only "not yet valid" is worth another try, since the clock of a machine at boot may be behind."""
    api.use_certificate(kind)
    with FaultProxy("https" if behind == "https" else "http", tls=ca.server_context() if behind == "https" else None) as proxy:
        transport = OneShotTransport([] if behind == "direct" else [Proxy.parse(proxy.url)], ca_file=Path(ca.ca_file))
        outcome = send(transport, get_me(api))
        transport.close()
    assert isinstance(outcome.error, NotSent)
    assert outcome.error.stage == "tls"
    assert (outcome.error.retryable, outcome.error.verify_code) == (retryable, verify_code)
    for word in words:
        assert word in str(outcome.error)
    assert api.count() == 0
    api.wait_closed()


def test_an_expired_certificate_ends_a_call_at_once(transport: OneShotTransport, api: BotApiServer) -> None:
    """One attempt, whatever the policy: the certificate does not get better."""
    api.use_certificate("expired")
    client = Client(api.token, transport, base_url=api.url, timeout=20.0, deadline=40.0, retry=RetryPolicy(first_wait=0.01), limiter=None)
    with pytest.raises(NotSent) as caught:
        client.call(Call("getMe", repeatable=True))
    assert caught.value.attempts == 1
    assert api.connections_total == 1


def test_a_certificate_that_becomes_valid_in_the_meantime(transport: OneShotTransport, api: BotApiServer) -> None:
    """A call that meets "not yet valid" goes on trying, and succeeds once the clock is right."""
    api.use_certificate("not_yet_valid")
    attempts = 0

    class Mending:
        """Puts the right certificate in place before the third attempt."""

        def send(self, request: Request) -> object:
            nonlocal attempts
            attempts += 1
            if attempts == 3:
                api.use_certificate("valid")
            return transport.send(request)

        def abort(self, scope: str) -> int:
            return 0

        def close(self) -> None:
            pass

    client = Client(api.token, Mending(), base_url=api.url, timeout=20.0, deadline=40.0, retry=RetryPolicy(first_wait=0.01), limiter=None)  # type: ignore[arg-type]  # send returns what it is given
    assert client.call(Call("sendChatAction", Encoded({"chat_id": "1", "action": "typing"}))) is True
    assert attempts == 3


def test_an_unknown_authority_is_refused(api: BotApiServer) -> None:
    """Without `ca_file` the server's own authority is not known, and it is not a matter of trying again."""
    transport = OneShotTransport()
    outcome = send(transport, get_me(api))
    transport.close()
    assert isinstance(outcome.error, NotSent)
    assert not outcome.error.retryable
    assert "issuer certificate" in str(outcome.error)


def test_old_versions_of_tls_are_refused(ca: TestCA, transport: OneShotTransport) -> None:
    """A server that speaks nothing newer than TLS 1.1 is not spoken to."""
    context = ca.server_context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Peer(lambda line: line.hold(), tls=context) as peer:
        outcome = send(transport, Request(f"{peer.url}/", "getMe", timeout=20.0))
    assert isinstance(outcome.error, NotSent)
    assert outcome.error.stage == "tls"


def test_a_server_that_speaks_no_tls(transport: OneShotTransport) -> None:
    """https:// to a plain-HTTP server fails in the handshake, and nothing was sent."""

    def refuses(line: Line) -> None:
        line.exactly(5)
        line.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        line.hold()

    with Peer(refuses) as peer:
        outcome = send(transport, Request(f"https://127.0.0.1:{peer.port}/", "getMe", timeout=20.0))
    assert isinstance(outcome.error, NotSent)
    assert outcome.error.stage == "tls"
    assert "handshake failed" in str(outcome.error)


# --- The file.


@pytest.mark.parametrize("content", [None, "", "no certificate at all\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_that_cannot_be_used_is_a_wrong_setting(content: str | None, tmp_path: Path, api: BotApiServer) -> None:
    """A file that is missing, empty or no PEM is a ConfigError that names the setting and the file, and nothing is connected to."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    transport = OneShotTransport(ca_file=path)
    with pytest.raises(ConfigError) as caught:
        transport.send(get_me(api))
    transport.close()
    assert "ca_file" in str(caught.value)
    assert str(path) in str(caught.value)
    assert "for example" in str(caught.value)


def test_a_folder_instead_of_a_file_is_a_wrong_setting(tmp_path: Path) -> None:
    """A folder cannot be read as a file; the error says so."""
    with pytest.raises(ConfigError, match="ca_file"):
        Tls(tmp_path).context()


# --- The context.


def test_the_context_checks_certificate_and_name() -> None:
    """What all connections share demands a certificate, a host name and at least TLS 1.2, and asks for HTTP/1.1."""
    context = Tls().context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) > 50, "certifi's"


def test_the_certificates_are_read_once(tmp_path: Path, ca: TestCA, api: BotApiServer) -> None:
    """After the first call the file is not looked at again: it may be gone."""
    path = tmp_path / "ca.pem"
    path.write_bytes(Path(ca.ca_file).read_bytes())
    transport = OneShotTransport(ca_file=path)
    assert send(transport, get_me(api)).answer is not None
    path.unlink()
    assert send(transport, get_me(api)).answer is not None
    transport.close()


def test_nobody_below_us_reads_certificates_at_each_call(transport: OneShotTransport, api: BotApiServer) -> None:
    """Neither requests nor urllib3 load certifi's file behind our back, which would cost more than the call itself."""

    def bytes_read() -> int:
        facts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        return int(facts["rchar"])

    send(transport, get_me(api))
    before = bytes_read()
    for _ in range(5):
        assert send(transport, get_me(api)).answer is not None
    assert bytes_read() - before < Path(certifi.where()).stat().st_size


# --- Sessions.


def test_a_session_outlives_a_broken_handshake(transport: OneShotTransport, api: BotApiServer) -> None:
    """After a handshake that was cut, sessions are resumed again soon; after two in a row the session is forgotten, and calls go on."""
    with FaultProxy("relay", target=f"127.0.0.1:{api.port}") as relay:
        request = Request(f"{relay.url_for('https')}/bot{api.token}/getMe", "getMe", body=b"", timeout=20.0)

        def resumed(*faults: Fault) -> bool:
            """Whether the call after these faults was resumed: its handshake is then shorter, having no certificates in it."""
            relay.script(*faults)
            for _ in faults:
                assert isinstance(send(transport, request).error, NotSent)
            before = relay.bytes_down
            assert send(transport, request).answer is not None
            assert relay.wait_for(lambda: relay.open_now == 0)
            return relay.bytes_down - before < full_bytes - 300

        full_bytes = 0
        resumed()
        full_bytes = relay.bytes_down
        assert resumed()
        # Some builds of Python and OpenSSL give a session up when a handshake that offers it is cut; then a new one is kept within some calls.
        assert resumed(Fault.tls_drop()) or any(resumed() for _ in range(8))
        assert not resumed(Fault.tls_drop(), Fault.tls_drop())
        assert resumed()
        assert not resumed(Fault.tls_garbage()), "what TLS itself refuses may be the session's fault"
        assert resumed()


def test_a_connection_that_is_gone_before_the_handshake_leaves_nothing(ca: TestCA) -> None:
    """A socket whose peer is gone when the handshake is to begin is closed at once, and not by the garbage collector."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as sock:
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()
        descriptors = open_descriptors()
        with pytest.raises(OSError, match="before the handshake"):
            Tls(Path(ca.ca_file)).wrap(sock, "127.0.0.1", 443)
        assert open_descriptors() < descriptors
