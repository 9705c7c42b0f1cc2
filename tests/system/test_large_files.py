"""The largest files that Telegram takes and hands out, through proxies that people run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kits.programs_kit import real_proxies

from syncbot.testing import BotApiServer

_MEGABYTE = 1024 * 1024
_MOST_MEGABYTES_MORE = 5.0

# Runs in a process of its own, so that its peak is that of the client alone. A small file goes both ways first: what the first use of each way
# loads and keeps is not the large one's.
_CLIENT = """
import sys
from pathlib import Path
from syncbot.client.bot import Bot

url, ca_file, token, proxy, folder, small, large = sys.argv[1:]
up, down = Path(folder, "up"), Path(folder, "down")

def peak_megabytes():  # ru_maxrss would remember the larger process that started this one
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

with Bot(token, base_url=url, ca_file=ca_file, proxies=proxy, limits=None) as bot:
    bot.download(small, down)
    bot.send_document(42, down)
    before = peak_megabytes()
    bot.send_document(42, up)
    after_up = peak_megabytes()
    bot.download(large, down)
    print(after_up - before, peak_megabytes() - after_up, down.stat().st_size)
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", real_proxies(["tinyproxy", "squid", "privoxy", "microsocks"]))
def test_large_files_pass_in_little_memory(kind: str, real_proxy: Callable[[str], str], api: BotApiServer, tmp_path: Path) -> None:
    """50 MB up and 20 MB down over TLS through a real proxy: whole, and with less than 5 MB more memory at its peak."""
    with (tmp_path / "up").open("wb") as file:
        file.truncate(50 * _MEGABYTE)
    content = os.urandom(_MEGABYTE) * 20
    arguments = [api.url, api.ca_file, api.token, real_proxy(kind), str(tmp_path), api.add_file(b"small" * 1000), api.add_file(content)]
    done = subprocess.run([sys.executable, "-c", _CLIENT, *map(str, arguments)], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    up, down, size = map(float, done.stdout.split())
    print(f"{kind}: {up:.2f} MB more for 50 MB up, {down:.2f} MB more for 20 MB down")
    assert up < _MOST_MEGABYTES_MORE
    assert down < _MOST_MEGABYTES_MORE
    assert size == 20 * _MEGABYTE
    assert (tmp_path / "down").read_bytes() == content
    assert [request.file("document").size for request in api.requests_for("sendDocument")] == [5000, 50 * _MEGABYTE]
    api.wait_closed()
    assert api.max_requests_per_connection == 1
