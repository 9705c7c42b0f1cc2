"""nginx in front of a webhook, with the configuration of examples/nginx.conf: for the campaign of the flood, and for the tests of the example."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "nginx.conf"
AROUND = """
daemon off;
{user}
worker_processes auto;
worker_rlimit_nofile 8192;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/example.conf;
}}
"""


class Nginx:
    """A running nginx; the example's port, certificate and bot are those given.

    Args:
        folder: an empty one, for its files.
        port: where it is to listen.
        bot_port: where the bot listens, or will.
        more_ports: where other machines of the same bot do.
    """

    def __init__(self, folder: Path, port: int, bot_port: int, *more_ports: int) -> None:
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        assert program, "nginx is missing; install it (apt-get install nginx-light), or run scripts/test --all, which does that as root"
        self.port = port
        self.ca_file = str(folder / "ca.pem")
        ca = trustme.CA()
        ca.cert_pem.write_to_path(self.ca_file)
        certificate = ca.issue_cert("127.0.0.1")
        for number, blob in enumerate(certificate.cert_chain_pems):
            blob.write_to_path(str(folder / "fullchain.pem"), append=number > 0)
        certificate.private_key_pem.write_to_path(str(folder / "privkey.pem"))
        example = EXAMPLE.read_text()
        for ours, theirs in (
            ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
            ("/etc/letsencrypt/live/bot.example", str(folder)),
            ("server 127.0.0.1:8080;", "\n".join(f"server 127.0.0.1:{each};" for each in (bot_port, *more_ports))),
        ):
            assert ours in example
            example = example.replace(ours, theirs)
        (folder / "example.conf").write_text(example)
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user="user root;" if os.getuid() == 0 else ""))
        self._process = subprocess.Popen([program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")])

    @property
    def context(self) -> ssl.SSLContext:
        """For a client that trusts its certificate."""
        return ssl.create_default_context(cafile=self.ca_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(40)
