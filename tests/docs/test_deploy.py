"""docs/deploy.md followed line by line on a clean folder, and the files of `deploy/` as systemd understands them.

Two things differ from a machine of one's own, and both stand here: `Machine.at_home` (paths, ports and the user are
the test's) and `Machine.played` (what would change the whole machine is done by hand, or left out).
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import pytest

from tests.channels.edges import eventually, free_port
from tests.docs.webservers import DEPLOY, NAME, certificate, debians_nginx, nginx_site, running
from tests.services.test_metrics import asked_at, three_free_ports

ROOT = DEPLOY.parent
UNITS = sorted((DEPLOY / "systemd").iterdir())
COMMAND = "/opt/vteam/.venv/bin/vteam"
NOT_SHIPPED = {".git", ".venv", "node_modules", "vteam-data", "static", "__pycache__", "tests"}


def lines() -> list[str]:
    """Every line of the page's shell blocks, in order."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", (ROOT / "docs" / "deploy.md").read_text())
    return [line for block in blocks for line in block.splitlines()]


def unit(path: Path) -> RawConfigParser:
    """A systemd unit; a key given twice has its last value."""
    parser = RawConfigParser(strict=False, comment_prefixes=("#",), delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


# systemd ------------------------------------------------------------------------------------------------------


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with a command that exists, and each role's instance of the template."""
    (tmp_path / "opt").mkdir()
    shutil.copy("/bin/true", tmp_path / "opt" / "vteam")
    for path in UNITS:
        text = path.read_text().replace(COMMAND, str(tmp_path / "opt" / "vteam"))
        text = text.replace("file:///opt/vteam", f"file://{ROOT}")
        (tmp_path / path.name).write_text(text)
    for role in ("site", "edge", "jobs"):
        shutil.copy(tmp_path / "vteam@.service", tmp_path / f"vteam@{role}.service")
    return tmp_path


def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    names = [path for path in units.glob("vteam*.*") if "@." not in path.name]
    assert len(names) == 6
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["vteam.service", "vteam@site.service", "vteam-backup.service"])
def test_the_services_may_do_little(name: str, units: Path) -> None:
    """Systemd's own measure, from 0 (nothing) to 10 (everything); what it would take to do harm, not what is done."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", units / name],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Overall exposure level for .*: ([\d.]+)", done.stdout)
    assert found
    assert float(found[1]) <= 1.5


def test_every_service_has_the_same_limits() -> None:
    limits = [dict(unit(path)["Service"]) for path in UNITS if path.suffix == ".service"]
    own = {
        "Type",
        "ExecStart",
        "ExecStartPost",
        "Restart",
        "RestartSec",
        "KillMode",
        "TimeoutStopSec",
        "Nice",
    }
    own |= {"LimitNOFILE", "ReadWritePaths", "IOSchedulingClass"}
    assert len({tuple(sorted((k, v) for k, v in each.items() if k not in own)) for each in limits}) == 1


def test_the_settings_file_is_one_systemd_and_a_shell_read_alike(tmp_path: Path) -> None:
    told = subprocess.run(
        ["env", "-i", "sh", "-c", f"set -a; . {DEPLOY}/vteam.env; env"],
        capture_output=True,
        text=True,
        check=True,
    )
    by_shell = dict(line.split("=", 1) for line in told.stdout.splitlines() if line.startswith("VTEAM_"))
    assert by_shell == settings_in(DEPLOY / "vteam.env")
    documented = set(re.findall(r"`(VTEAM_[A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text()))
    assert set(by_shell) <= documented


def settings_in(path: Path) -> dict[str, str]:
    """An EnvironmentFile as systemd reads it: NAME=value, quotes around a value taken off."""
    kept = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {name: "".join(shlex.split(value)) for name, _, value in (line.partition("=") for line in kept)}


# The page, followed -------------------------------------------------------------------------------------------

MOVED = (
    "/opt/vteam",
    "/etc/vteam",
    "/etc/nginx/sites",
    "/etc/systemd/system",
    "/etc/letsencrypt/live",
    "/usr/local/bin",
    "/var/lib/vteam",
    "/var/backups/vteam",
    "/var/log/nginx",
)


class Machine:
    """A clean machine in a folder, on which somebody types the page's lines."""

    def __init__(self, folder: Path, kept: contextlib.ExitStack) -> None:
        self.folder, self.kept = folder, kept
        self.https, self.site, self.edge, self.private = (
            free_port(),
            free_port(),
            free_port(),
            three_free_ports(),
        )
        self.service: subprocess.Popen[str] | None = None
        for made in ("sites-available", "sites-enabled"):
            (folder / "etc" / "nginx" / made).mkdir(parents=True)
        for made in ("etc/systemd/system", "usr/local/bin", "var/log/nginx"):
            (folder / made).mkdir(parents=True)
        self._trust_the_certificate()

    def at_home(self, text: str) -> str:
        """A line or a file with this machine's paths, ports and user."""
        for path in MOVED:
            text = text.replace(path, f"{self.folder}{path}")
        text = text.replace("runuser -u vteam -- ", "").replace(" -o vteam", "").replace(" -g vteam", "")
        text = text.replace("my-campaign/", f"{self.folder}/opt/vteam/demo/")
        return text.replace("9101", str(self.private))

    def type(self, line: str) -> str:
        """Does a line; what it printed."""
        word = line.split(maxsplit=1)[0]
        if word in self.played:
            return self.played[word](self, line)
        done = self.run(["sh", "-euc", self.at_home(line)])
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if word == "tar":
            self._move_in()
        return done.stdout

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        ours = {
            "PATH": f"{self.folder}/usr/local/bin:{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", "/"),
            "CURL_HOME": str(self.folder),
            "LANG": "C.UTF-8",
        }
        return subprocess.run(command, cwd=self.folder, env=ours, capture_output=True, text=True, check=False)

    def _move_in(self) -> None:
        """The files that came with the source, with this machine's paths and ports."""
        deploy = self.folder / "opt" / "vteam" / "deploy"
        for file in (deploy / "vteam", deploy / "vteam.env", *deploy.glob("*/*")):
            file.write_text(self.at_home(file.read_text()))
        site = deploy / "nginx" / "vteam.conf"
        site.write_text(nginx_site(site.read_text(), https=self.https, site=self.site, edge=self.edge))
        with (deploy / "vteam.env").open("a") as file:
            file.write(
                f"VTEAM_SITE_PORT={self.site}\nVTEAM_EDGE_PORT={self.edge}\nVTEAM_STUN_HOST=127.0.0.1\nVTEAM_WITNESS_PORT=0\n"
            )

    def _trust_the_certificate(self) -> None:
        """Curl finds team.example.org here, and believes the certificate which certbot's part is played by."""
        chain = self.folder / "etc/letsencrypt/live" / NAME / "fullchain.pem"
        (self.folder / ".curlrc").write_text(
            f'connect-to = "{NAME}:443:127.0.0.1:{self.https}"\ncacert = "{chain}"\n'
        )

    # What would change the whole machine

    def leave_out(self, line: str) -> str:
        return ""

    def certify(self, line: str) -> str:
        certificate(self.folder / "etc/letsencrypt/live" / NAME)
        return ""

    def nginx(self, line: str) -> str:
        made = debians_nginx(self.folder / "nginx", self.folder / "etc/nginx/sites-enabled")
        done = self.run(["nginx", *line.split()[1:], "-c", str(made)])
        assert done.returncode == 0, done.stderr
        return done.stderr

    def systemctl(self, line: str) -> str:
        match line.split()[1:]:
            case ["daemon-reload"]:
                pass
            case ["enable", "--now", "vteam", _] | ["start", "vteam"]:
                self.start()
            case ["stop", "vteam"]:
                self.stop()
            case ["reload", "nginx"]:
                made = str(self.folder / "nginx" / "nginx.conf")
                self.kept.enter_context(running(["nginx", "-c", made, "-g", "daemon off;"], self.https))
            case other:
                pytest.fail(f"nobody plays systemctl {other}")
        return ""

    def start(self) -> None:
        """What systemd makes of the unit that was put into its folder."""
        told = unit(self.folder / "etc/systemd/system/vteam.service")["Service"]
        Path(told["WorkingDirectory"]).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.service = subprocess.Popen(
            shlex.split(told["ExecStart"]),
            cwd=told["WorkingDirectory"],
            env=settings_in(Path(told["EnvironmentFile"])) | {"PATH": "/usr/bin:/bin"},
            text=True,
        )
        self.kept.callback(self.stop)
        for port in (self.site, self.edge, *range(self.private, self.private + 3)):
            eventually(lambda port=port: self.healthy(port), 60)  # type: ignore[misc]

    def night(self) -> None:
        """What systemd makes of the backup's unit when its timer says so."""
        told = unit(self.folder / "etc/systemd/system/vteam-backup.service")["Service"]
        settings = settings_in(Path(told["EnvironmentFile"])) | {"PATH": "/usr/bin:/bin"}
        for line in (told["ExecStart"], told["ExecStartPost"]):
            command = shlex.split(line.replace("$$", "$").replace("%%", "%"))
            subprocess.run(
                command, cwd=told["WorkingDirectory"], env=settings, check=True, capture_output=True
            )

    def healthy(self, port: int) -> bool:
        assert self.service
        assert self.service.poll() is None
        try:
            return asked_at(port, "/healthz", Host="localhost")[0] == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.service and self.service.poll() is None:
            self.service.terminate()
            assert self.service.wait(timeout=20) == 0

    played = {
        "apt-get": leave_out,
        "adduser": leave_out,
        "nano": leave_out,
        "ufw": leave_out,
        "certbot": certify,
        "nginx": nginx,
        "systemctl": systemctl,
    }


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with tarfile.open(tmp_path / "vteam.tar.gz", "w:gz", compresslevel=1) as archive:
        for path in sorted(ROOT.iterdir()):
            if path.name not in NOT_SHIPPED:
                archive.add(path, f"vteam/{path.name}", filter=shipped)
    with contextlib.ExitStack() as kept:
        yield Machine(tmp_path, kept)


def shipped(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """A source file; nothing that was built, kept or cached."""
    name = Path(member.name).name
    return None if name in NOT_SHIPPED or name.startswith(".") or name.endswith((".mo", ".pyc")) else member


def test_the_page_leads_from_a_clean_machine_to_a_served_campaign_and_through_an_upgrade(
    machine: Machine,
) -> None:
    told = {line: machine.type(line) for line in lines()}
    page = told[f"curl --fail --location https://{NAME}/"]
    assert "Marée haute" in page
    assert "the books hold" in told["vteam verify"]
    assert (machine.folder / "var/backups/vteam/before-upgrade.backup").stat().st_size > 10_000
    assert (machine.folder / "var/lib/vteam").stat().st_mode & 0o077 == 0
    machine.night()
    kept = {path.name for path in (machine.folder / "var/backups/vteam").iterdir()}
    assert len(kept) == 2
    assert all(re.fullmatch(r"before-upgrade\.backup|\d{4}-\d\d-\d\dT\d{6}Z\.backup", name) for name in kept)
    again = machine.type(f"curl --fail --location https://{NAME}/")
    assert "Marée haute" in again


def test_every_file_of_deploy_is_named_where_it_is_needed() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text()
    for name in (
        "nginx/vteam.conf",
        "caddy/Caddyfile",
        "vteam.env",
        "vteam ",
        "systemd/vteam.service",
        "vteam@.service",
    ):
        assert name in page
