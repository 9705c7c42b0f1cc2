"""What is installed with syncbot is without known holes: the lower bounds in pyproject.toml, and the versions and hashes in constraints.txt."""

from __future__ import annotations

import base64
import gzip
import io
import re
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

SAFE = {
    "requests": "2.33",  # CVE-2024-47081, CVE-2026-25645
    "urllib3": "2.8",  # CVE-2025-66418, -66471, CVE-2026-21441, -44431, -44432, -97687, -97688, -97689
    "pysocks": "1.7.1",
    "python-telegram-bot": "22.8",
    "tenacity": "9",
    "click": "8.3.3",  # CVE-2026-7246
    "python-dotenv": "1.2.2",  # CVE-2026-28684
    "waitress": "3.0.1",  # CVE-2024-49768, CVE-2024-49769
    "trustme": "1.2",
    "cryptography": "50",  # CVE-2026-26007, -34073, -39892, -69247
    "cronsim": "2.7",
    "flask": "3.1.3",  # CVE-2026-27205
    "gunicorn": "27",  # CVE-2024-1135, CVE-2024-6827, CVE-2026-134820
    "gevent": "23.9",  # CVE-2023-41419
    "pytest": "9.0.3",  # CVE-2025-71176
    "setuptools": "83",  # CVE-2025-47273, CVE-2026-59890
}
"""The lowest version of each package that pyproject.toml names for which no hole is known, and the last holes that it mends."""

SAFE_BELOW = {
    "anyio": "4.14.2",  # CVE-2026-64847
    "certifi": "2024.7.4",  # CVE-2024-39689
    "h11": "0.16",  # CVE-2025-43859
    "idna": "3.15",  # CVE-2024-3651, CVE-2026-45409
}
"""The same for what these packages bring along; pyproject.toml does not name it, constraints.txt does."""

PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ \n]+)(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def requirements() -> list[Requirement]:
    """All that pyproject.toml names for users, for tests and for building."""
    project = PROJECT["project"]
    lines = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    lines += [line for extra, lines in project["optional-dependencies"].items() if extra != "bench" for line in lines]
    return [one for one in map(Requirement, lines) if one.name != "syncbot"]


def pins() -> dict[str, Version]:
    """What constraints.txt names."""
    return {found["name"]: Version(found["version"]) for found in PIN.finditer((ROOT / "constraints.txt").read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", SAFE)
def test_the_lower_bound_is_safe(name: str) -> None:
    """The lowest version that pyproject.toml allows is not below the lowest that has no known hole."""
    bounds = [one for one in requirements() if canonicalize_name(one.name) == name]
    assert bounds
    for bound in bounds:
        lowest = [Version(part.version) for part in bound.specifier if part.operator in (">=", "==")]
        assert lowest, f"{bound} has no lower bound"
        assert max(lowest) >= Version(SAFE[name])


def test_each_package_for_users_has_its_place_in_the_table() -> None:
    """A package that is added is looked up first."""
    project = PROJECT["project"]
    lines = project["dependencies"] + [line for extra in ("webhook", "jobs", "testing") for line in project["optional-dependencies"][extra]]
    assert {canonicalize_name(Requirement(line).name) for line in lines} <= set(SAFE)


def test_constraints_satisfy_the_bounds() -> None:
    """Each package that users need is in constraints.txt, in a version that pyproject.toml allows; what it brings along is safe too."""
    found = pins()
    project = PROJECT["project"]
    lines = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    lines += [line for extra in ("webhook", "jobs", "testing") for line in project["optional-dependencies"][extra]]
    for needed in map(Requirement, lines):
        assert found[canonicalize_name(needed.name)] in needed.specifier, needed
    for name, lowest in (SAFE | SAFE_BELOW).items():
        assert name not in found or found[name] >= Version(lowest), name
    assert set(SAFE_BELOW) <= set(found)


def test_constraints_are_pins_with_hashes_and_nothing_else() -> None:
    """Every line belongs to a pin with its hashes or is a comment; no place to fetch from is named."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    rest = [line for line in PIN.sub("", text).splitlines() if line and not line.startswith("# ")]
    assert rest == []
    assert not re.search(r"://|index-url|find-links|\b[a-z0-9-]+\.(org|com|io|net)\b", text)


BOMB = (
    "H4sIAAAAAAACA5Pv5mAAASbmt3cW5gUXyrQ9LFuboWamtkzgsZpHmkcXY/cNkSTFmTMdFt1OWWBwh1NCj0GknKF4d0NqUmQA99K3vjqW7z/P+H/R/ufTJ7a/bKRz3/jk1fUcf93/dHp9"
    "fH76bmWg4QkPpoVPn3xWwqBq26+/r85qAoUMSt5/+77sduCDh29eej8HCjQc/P3l0Y+T3/gbdx/9vbIYKHLggey/vfPytzfEr37Prv6OESjU/N3dAOTaIBZmILnAFcyJAnMU3JA4ozKj"
    "MqMyozKjMqMyBGX0vn1Pm6374PHfR4dfX1Su/vf2+c/bX63/819Jbz1z4g0/AwDYL/M5IwcAAA=="
)
"""A gibibyte of zeros, compressed three times over, which takes seconds."""


@pytest.mark.slow
def test_the_bomb_is_a_gibibyte() -> None:
    """Opened, it has 2 ** 30 bytes."""
    with gzip.GzipFile(fileobj=io.BytesIO(gzip.decompress(gzip.decompress(base64.b64decode(BOMB))))) as opened:
        assert sum(len(piece) for piece in iter(lambda: opened.read(1 << 20), b"")) == 1 << 30


@pytest.fixture
def bomb() -> Iterator[int]:
    """A server whose answer, compressed three times over, is below 400 bytes with its head, and a gibibyte when it is opened; its port."""
    body = base64.b64decode(BOMB)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    assert len(head) + len(body) < 400
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65_536)
                peer.sendall(head.encode() + body)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20.0)


CALL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from syncbot.transport.oneshot import OneShotTransport
from syncbot.types import Request
try:
    OneShotTransport().send(Request(f"http://127.0.0.1:{sys.argv[1]}/x", "getMe", timeout=60.0))
except BaseException as error:
    print(f"{type(error).__name__}: {error}")
"""


def test_a_small_answer_does_not_fill_the_memory(bomb: int) -> None:
    """An answer of a few hundred bytes that would be a gibibyte is too large, and is told so by a process that may not have as much."""
    ended = subprocess.run([sys.executable, "-c", CALL, str(bomb)], capture_output=True, text=True, timeout=90, check=True)
    assert re.fullmatch(r"(NetworkError|DeliveryUncertain): .*too large.*\n", ended.stdout), ended.stdout + ended.stderr
