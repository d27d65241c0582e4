"""Debian's nginx and Caddy with the files of `deploy/`, on free ports of loopback, and a client for both.

Changed in the files, and nothing else: ports, paths, the certificate, and that Caddy asks nobody for one.
"""

import contextlib
import datetime as dt
import http.client
import os
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.channels.edges import eventually, free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "team.example.org"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in small letters) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Front:
    """A web server in front: its port, its certificate, the folder it logs to."""

    port: int
    certificate: Path
    logs: Path

    def connected(self, source: str = "127.0.0.1", receive_bytes: int | None = None) -> ssl.SSLSocket:
        """A TLS connection from an address of loopback (127.1.1.1 is one too)."""
        plain = socket.socket()
        if receive_bytes:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.bind((source, 0))
        plain.settimeout(20)
        plain.connect(("127.0.0.1", self.port))
        return ssl.create_default_context(cafile=str(self.certificate)).wrap_socket(
            plain, server_hostname=NAME
        )

    def ask(
        self, path: str, *, source: str = "127.0.0.1", method: str = "GET", body: bytes = b"", **headers: str
    ) -> Answer:
        """One request, as a browser at `source` sends it."""
        client = http.client.HTTPConnection(NAME)
        client.sock = self.connected(source)
        with contextlib.closing(client):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            client.request(method, path, body=body or None, headers={"Host": NAME} | named)
            got = client.getresponse()
            return Answer(got.status, {n.lower(): v for n, v in got.getheaders()}, got.read())

    def logged(self) -> str:
        """Everything it wrote down."""
        return "".join(file.read_text() for file in sorted(self.logs.iterdir()))


def certificate(folder: Path, host: str = NAME) -> tuple[Path, Path]:
    """A certificate for a host that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    begun = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    chain, private = folder / "fullchain.pem", folder / "privkey.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, private


def nginx_site(text: str, *, https: int, site: int, edge: int) -> str:
    """`deploy/nginx/vteam.conf` with other ports, on loopback alone."""
    ports = {"80": free_port(), "443": https}
    text = re.sub(r"listen \[::\]:(\d+)", lambda found: f"listen [::1]:{ports[found[1]]}", text)
    text = re.sub(r"listen (\d+)", lambda found: f"listen 127.0.0.1:{ports[found[1]]}", text)
    return text.replace("127.0.0.1:8000;", f"127.0.0.1:{site};").replace(
        "127.0.0.1:8001;", f"127.0.0.1:{edge};"
    )


def debians_nginx(folder: Path, sites: Path) -> Path:
    """Debian's own nginx.conf, with `sites` for its sites and everything it writes in `folder`."""
    text = Path("/etc/nginx/nginx.conf").read_text()
    text = text.replace("/var/log/nginx", str(folder / "log")).replace(
        "/run/nginx.pid", str(folder / "nginx.pid")
    )
    text = text.replace("/etc/nginx/sites-enabled", str(sites))
    # Started as root it would step down to a user who may not look into a test's folder.
    text = re.sub(r"(?m)^user .*$", "user root;" if os.geteuid() == 0 else "", text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    written = "".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
    made = folder / "nginx.conf"
    (folder / "log").mkdir(parents=True, exist_ok=True)
    made.write_text(text.replace("http {", f"http {{ {written}", 1))
    return made


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """A server that listens on `port` while the block runs."""
    with subprocess.Popen(
        command, env=os.environ | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            eventually(lambda: process.poll() is not None or _listens(port))
            assert process.poll() is None, process.stderr and process.stderr.read()
            yield
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def nginx(folder: Path, *, site: int, edge: int) -> Iterator[Front]:
    """Nginx in front of a running installation."""
    https, sites = free_port(), folder / "sites"
    sites.mkdir(parents=True)
    chain, _ = certificate(folder / "live" / NAME)
    text = nginx_site((DEPLOY / "nginx" / "vteam.conf").read_text(), https=https, site=site, edge=edge)
    text = text.replace("/etc/letsencrypt/live", str(folder / "live")).replace(
        "/var/log/nginx", str(folder / "log")
    )
    (sites / "vteam").write_text(text)
    made = debians_nginx(folder, sites)
    with running(["nginx", "-c", str(made), "-g", "daemon off;"], https):
        yield Front(https, chain, folder / "log")


@contextmanager
def caddy(folder: Path, *, site: int, edge: int) -> Iterator[Front]:
    """Caddy in front of a running installation."""
    https, (chain, key) = free_port(), certificate(folder)
    logs = folder / "log"
    logs.mkdir()
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    text = text.replace(
        "{\n", f"{{\n\tadmin off\n\tauto_https disable_redirects\n\thttp_port {free_port()}\n", 1
    )
    text = text.replace("log default {", f"log default {{\n\t\toutput file {logs / 'caddy.log'}", 1)
    text = text.replace(f"\n{NAME} {{", f"\n{NAME}:{https} {{\n\tbind 127.0.0.1\n\ttls {chain} {key}")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{site}").replace("127.0.0.1:8001", f"127.0.0.1:{edge}")
    (folder / "Caddyfile").write_text(text)
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with running(
        ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")], https, **home
    ):
        yield Front(https, chain, logs)
