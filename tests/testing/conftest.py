"""What the tests of the proxy share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kits.proxy_kit import Certificates, Origin, make_certificates


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """Made once: keys cost time."""
    return make_certificates()


@pytest.fixture
def origin(certificates: Certificates) -> Iterator[Origin]:
    """A server over TLS behind the proxy."""
    origin = Origin(certificates.server)
    yield origin
    origin.close()
