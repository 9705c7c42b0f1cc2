"""A certificate authority of one's own, and certificates that are right or wrong in a chosen way."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    import trustme

CertificateKind = Literal["valid", "expired", "not_yet_valid", "wrong_host"]
"""What may be the matter with a server's certificate."""


def _trustme_ca() -> trustme.CA:
    try:
        import trustme
    except ImportError as problem:
        raise ImportError('TLS in syncbot.testing needs the package trustme; install it with: python -m pip install "syncbot[testing]"') from problem
    return trustme.CA(organization_name="syncbot.testing", organization_unit_name="test authority")


class TestCA:
    """A certificate authority that exists only for a test, with its certificate in a file of its own.

    `ca_file` is the path of the authority's certificate as PEM; `close()` (or leaving `with`) removes it.

    Raises:
        ImportError: trustme is not installed; the text gives the command.
    """

    __test__ = False  # pytest would take a class of this name for a test case

    def __init__(self) -> None:
        self._ca = _trustme_ca()
        self._folder = tempfile.TemporaryDirectory(prefix="syncbot-ca-")
        path = Path(self._folder.name) / "ca.pem"
        self._ca.cert_pem.write_to_path(str(path))
        self.ca_file = str(path)

    def server_context(self, *hosts: str, kind: CertificateKind = "valid") -> ssl.SSLContext:
        """A TLS 1.3 context for a server with a certificate for these hosts (names or addresses; default: 127.0.0.1 and localhost).

        Args:
            hosts: what the certificate is for.
            kind: "valid", "expired" (since yesterday), "not_yet_valid" (from tomorrow on) or "wrong_host" (for somebody else's name).
        """
        certificate = self._issue(hosts or ("127.0.0.1", "localhost"), kind)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        certificate.configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """A context for a client that trusts this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca_file)
        return context

    def write_server_files(self, folder: str | Path, *hosts: str, kind: CertificateKind = "valid") -> tuple[str, str]:
        """Write a certificate with its chain and its key as PEM files into a folder; returns both paths."""
        certificate = self._issue(hosts or ("127.0.0.1", "localhost"), kind)
        chain, key = Path(folder) / "server.pem", Path(folder) / "server.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        certificate.private_key_pem.write_to_path(str(key))
        return str(chain), str(key)

    def close(self) -> None:
        """Remove the file."""
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _issue(self, hosts: tuple[str, ...], kind: CertificateKind) -> trustme.LeafCert:
        now = datetime.now(UTC)
        match kind:
            case "valid":
                return self._ca.issue_cert(*hosts)
            case "expired":
                return self._ca.issue_cert(*hosts, not_before=now - timedelta(days=30), not_after=now - timedelta(days=1))
            case "not_yet_valid":
                return self._ca.issue_cert(*hosts, not_before=now + timedelta(days=1), not_after=now + timedelta(days=30))
            case "wrong_host":
                return self._ca.issue_cert("somebody-else.example")
        raise ValueError(f"{kind!r} is no kind of certificate; use valid, expired, not_yet_valid or wrong_host")
