"""What is looked at before anything starts: locks, ports, addresses, folders; and what a terminal is told."""

import os
import socket
import threading
from pathlib import Path

import pytest

from tests.channels.edges import free_port
from vteam.errors import Busy, CannotStart
from vteam.locks import held
from vteam.processes import checks, run


def test_a_role_is_held_once(tmp_path: Path) -> None:
    with held(tmp_path, "edge"):
        with pytest.raises(Busy, match=f"held by process {os.getpid()}.*VTEAM_DATA"), held(tmp_path, "edge"):
            pass
        with held(tmp_path, "jobs"):
            pass
    with held(tmp_path, "edge"):
        pass


def test_a_role_in_a_folder_that_cannot_be_written_names_its_variable(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(CannotStart, match="VTEAM_DATA"), held(tmp_path / "data", "edge"):
        pass


def test_a_role_is_waited_for(tmp_path: Path) -> None:
    first = held(tmp_path, "site")
    first.__enter__()
    threading.Timer(0.2, first.__exit__, (None, None, None)).start()
    with held(tmp_path, "site", wait_seconds=20):
        pass


def test_a_taken_port_names_its_variable() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is taken.*VTEAM_EDGE_PORT="):
            checks.ports("127.0.0.1", {"VTEAM_SITE_PORT": free_port(), "VTEAM_EDGE_PORT": port})


def test_two_roles_cannot_have_one_port() -> None:
    with pytest.raises(CannotStart, match="VTEAM_SITE_PORT and VTEAM_EDGE_PORT are both"):
        checks.ports("127.0.0.1", {"VTEAM_SITE_PORT": 8000, "VTEAM_EDGE_PORT": 8000})


@pytest.mark.parametrize("host", ["localhost", "203.0.113.7", ""])
def test_an_address_that_is_not_ours_names_its_variable(host: str) -> None:
    with pytest.raises(CannotStart, match="VTEAM_HOST"):
        checks.ports(host, {"VTEAM_SITE_PORT": free_port()})


def test_a_data_folder_that_cannot_be_written_names_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="VTEAM_DATA"):
        checks.data_folder(tmp_path / "file" / "data")
    checks.data_folder(tmp_path / "new" / "data")
    assert (tmp_path / "new" / "data").is_dir()


def test_lines_cannot_command_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    run.saying(Console(no_color=True, width=200))("edge", "\x1b[2J[bold]hello[/bold]\x9b1m\r")
    assert (
        capsys.readouterr().out
        == "edge  \N{REPLACEMENT CHARACTER}[2J[bold]hello[/bold]\N{REPLACEMENT CHARACTER}1m\N{REPLACEMENT CHARACTER}\n"
    )
