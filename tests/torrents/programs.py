"""Real torrent clients in hosts of our internet: started, waited for, stopped; their logs are shown where they fail."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.torrents.networks import Host

UPLOAD_KIB_S = 400
LIBTORRENT = """
import json, os, signal, sys, time
import libtorrent as lt
told = json.loads(sys.argv[1])
listens = ",".join(f"[{a}]:{told['port']}" if ":" in a else f"{a}:{told['port']}" for a in told["addresses"])
session = lt.session({
    "listen_interfaces": listens, "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
    "enable_natpmp": False, "min_announce_interval": 5, "enable_incoming_utp": False, "enable_outgoing_utp": False,
    "upload_rate_limit": told["upload"] * 1024, "alert_mask": lt.alert.category_t.all_categories, **told["settings"],
})
if told["what"].startswith("magnet:"):
    params = lt.parse_magnet_uri(told["what"])
else:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(open(told["what"], "rb").read())
params.save_path = told["folder"]
handle = session.add_torrent(params)
ended = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
said = 0
begun = 0
while not ended:
    status = handle.status()
    for alert in session.pop_alerts():
        if any(word in alert.what() for word in ("tracker", "error", "url_seed", "metadata")):
            print(alert.message(), flush=True)
    if status.state == status.downloading and status.progress > 0.2 and not begun:
        begun = 1
        print("A PART", flush=True)
    if status.is_seeding and not said:
        said = 1
        print("WHOLE", flush=True)
    time.sleep(0.2)
session.pause()
time.sleep(1)
"""


@dataclass
class Program:
    """One client at work. `folder`: where its file goes; `log`: what it said."""

    host: Host
    folder: Path
    process: subprocess.Popen[bytes]
    log: Path
    is_whole: Callable[["Program"], bool]
    extra: dict[str, Any] = field(default_factory=dict)

    def whole(self, seconds: float = 60) -> "Program":
        """Waits until it has all of it."""
        end = time.monotonic() + seconds
        while not self.is_whole(self):
            assert time.monotonic() < end, (
                f"{self.log}:\n{self.log.read_text(errors='replace')[-4000:]}\n{self.said()}"
            )
            time.sleep(0.2)
        return self

    def a_part(self, seconds: float = 40) -> "Program":
        """Waits until it has a good part of it; libtorrent says so."""
        end = time.monotonic() + seconds
        while "A PART" not in self.log.read_text(errors="replace"):
            assert time.monotonic() < end, f"{self.log}:\n{self.log.read_text(errors='replace')[-4000:]}"
            time.sleep(0.2)
        return self

    def said(self) -> str:
        """What transmission says when it is asked, for a failure's text; "" of the others."""
        return _remote(self.host, "--torrent", "all", "--info", "--info-trackers", "--info-peers") or ""

    def stop(self) -> None:
        """Ends it as its user would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _start(host: Host, folder: Path, is_whole: Callable[[Program], bool], *command: str | Path) -> Program:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.parent / f"{folder.name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            host.within(*command), stdout=out, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True
        )
    return Program(host, folder, process, log, is_whole)


def _says_whole(program: Program) -> bool:
    return "WHOLE" in program.log.read_text(errors="replace")


def libtorrent(
    host: Host, folder: Path, what: str, *, upload: int = UPLOAD_KIB_S, **settings: Any
) -> Program:
    """Libtorrent 2.1 itself; `what`: a file's path or a magnet."""
    told = {
        "addresses": [address for address in (host.four, host.six) if address and _has(host, address)]
        or ["0.0.0.0"],
        "port": 6881,
        "what": what,
        "folder": str(folder),
        "upload": upload,
        "settings": settings,
    }
    return _start(
        host, folder, _says_whole, sys.executable, "-W", "ignore", "-c", LIBTORRENT, json.dumps(told)
    )


def _has(host: Host, address: str) -> bool:
    return address in host.run("ip", "addr")


def aria2(
    host: Host, folder: Path, what: str, *, seed_minutes: float = 60, upload: int = UPLOAD_KIB_S,
    options: Sequence[str] = (),
) -> Program:  # fmt: skip
    """aria2; with `seed_minutes` 0 it leaves the moment it is done."""
    # It says that it seeds in a line that is not flushed: into a file that is seen a minute late.
    return _start(
        host, folder, _aria2_whole, "stdbuf", "-oL",
        "aria2c", f"--dir={folder}", f"--seed-time={seed_minutes}", "--enable-dht=false", "--enable-dht6=false",
        "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--listen-port=6891", f"--max-upload-limit={upload}K",
        "--no-conf=true", "--console-log-level=notice", "--seed-ratio=0.0", "--summary-interval=0",
        "--bt-tracker-interval=5", *options, what,
    )  # fmt: skip


def _aria2_whole(program: Program) -> bool:
    """It seeds, or has ended well; that it has a magnet's metadata is not all of it."""
    return bool(re.search(r"SEED\(|Download complete: (?!\[)", program.log.read_text(errors="replace")))


def transmission(
    host: Host, folder: Path, what: str, *, upload: int = UPLOAD_KIB_S, **settings: Any
) -> Program:
    """Debian's transmission-daemon 3.00, uTP off, spoken to over its loopback."""
    config = folder.parent / f"{folder.name}.config"
    config.mkdir(parents=True)
    chosen = {
        "rpc-port": 9091, "rpc-whitelist-enabled": False, "utp-enabled": False, "dht-enabled": False,
        "pex-enabled": False, "lpd-enabled": False, "port-forwarding-enabled": False, "peer-port": 6881,
        "download-dir": str(folder), "encryption": 1, "speed-limit-up": upload, "speed-limit-up-enabled": True,
        "ratio-limit-enabled": False, "idle-seeding-limit-enabled": False, **settings,
    }  # fmt: skip
    (config / "settings.json").write_text(json.dumps(chosen))
    program = _start(host, folder, _transmission_whole, "transmission-daemon", "-f", "-g", config)
    _wait(lambda: _remote(host, "--session-info") is not None, "transmission-daemon")
    if what.startswith("magnet:"):
        arguments = {"filename": what}
    else:
        arguments = {"metainfo": base64.b64encode(Path(what).read_bytes()).decode()}
    _rpc(host, "torrent-add", arguments)
    return program


def _remote(host: Host, *words: str) -> str | None:
    done = subprocess.run(
        host.within("transmission-remote", *words), capture_output=True, text=True, check=False, timeout=20
    )
    return done.stdout if done.returncode == 0 else None


def _rpc(host: Host, method: str, arguments: dict[str, Any]) -> None:
    """Transmission's own RPC; its session id comes with the first refusal."""
    address, body = (
        "http://127.0.0.1:9091/transmission/rpc",
        json.dumps({"method": method, "arguments": arguments}),
    )
    refusal = host.run("curl", "-s", "-D", "-", "-o", "/dev/null", address)
    session = next(line for line in refusal.splitlines() if line.startswith("X-Transmission-Session-Id"))
    told = host.run("curl", "-s", "-H", session, "--data-binary", body, address)
    assert json.loads(told)["result"] == "success", told


def _transmission_whole(program: Program) -> bool:
    listed = _remote(program.host, "--torrent", "all", "--info") or ""
    return "Percent Done: 100%" in listed


def qbittorrent(
    host: Host, folder: Path, what: str, *, upload: int = UPLOAD_KIB_S, encryption: int = 0
) -> Program:
    """Debian's qbittorrent-nox 4.5.2 with a profile of its own, spoken to over its web address on the loopback.

    `encryption`: 0 where it may, 1 where it must, 2 where it must not.
    """
    profile = folder.parent / f"{folder.name}.profile"
    config = profile / "qBittorrent" / "config"
    config.mkdir(parents=True)
    (config / "qBittorrent.conf").write_text(
        "[LegalNotice]\nAccepted=true\n[Preferences]\nWebUI\\LocalHostAuth=false\nWebUI\\Port=8080\n"
        "WebUI\\CSRFProtection=false\n[BitTorrent]\nSession\\DHTEnabled=false\nSession\\PeXEnabled=false\n"
        "Session\\LSDEnabled=false\nSession\\BTProtocol=TCP\nSession\\Port=6881\nSession\\GlobalUPSpeedLimit="
        f"{upload}\nSession\\Encryption={encryption}\n[Network]\nPortForwardingEnabled=false\n"
    )
    folder.mkdir(parents=True, exist_ok=True)
    program = _start(host, folder, _qbittorrent_whole, "qbittorrent-nox", f"--profile={profile}")
    _wait(lambda: _web(host, "app/version") is not None, "qbittorrent-nox")
    form = ["-F", f"savepath={folder}"]
    form += ["-F", f"urls={what}"] if what.startswith("magnet:") else ["-F", f"torrents=@{what}"]
    told = _web(host, "torrents/add", *form)
    assert told == "Ok.", told
    return program


def _web(host: Host, path: str, *words: str) -> str | None:
    done = subprocess.run(
        host.within("curl", "-s", "-f", *words, f"http://127.0.0.1:8080/api/v2/{path}"),
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else None


def _qbittorrent_whole(program: Program) -> bool:
    torrents = json.loads(_web(program.host, "torrents/info") or "[]")
    return bool(torrents) and torrents[0]["progress"] == 1 and torrents[0]["amount_left"] == 0


def _wait(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what} does not answer"
        time.sleep(0.2)


def opentracker(host: Host, folder: Path, info_hashes: Sequence[bytes]) -> Program:
    """Debian's opentracker on port 6969; it answers for these torrents alone."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)  # it looks into it as nobody
    (folder / "list").write_text("".join(f"{info_hash.hex()}\n" for info_hash in info_hashes))
    program = _start(
        host, folder, _listens, "opentracker", "-i", host.four, "-p", "6969", "-d", folder, "-w", "list"
    )
    return program.whole(10)


def _listens(program: Program) -> bool:
    return bool(program.host.run("ss", "-Htln", "sport", "=", ":6969").strip())


ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("VTEAM_", "DJANGO_"))
}
