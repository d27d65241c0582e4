"""The internet the other tests stand on: who reaches whom, and that nothing is left of it."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.torrents import networks
from tests.torrents.networks import Host, internet, ip

ANSWERS = """
import socket
with socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True) as door:
    print("open", flush=True)
    while True:
        caller, address = door.accept()
        caller.sendall(address[0].removeprefix("::ffff:").encode())
        caller.close()
"""
CALLS = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], 7000), timeout=float(sys.argv[2])) as line:
        print(line.makefile().read())
except OSError:
    print("nobody")
"""


@contextmanager
def answering(host: Host) -> Iterator[None]:
    """A program on a host that tells every caller the address they come from."""
    command = host.within(sys.executable, "-c", ANSWERS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "open\n"
        try:
            yield
        finally:
            process.kill()


def called(host: Host, address: str, *, seconds: float = 10) -> str:
    """The address a host is told it comes from when it calls another, or "nobody"."""
    return host.run(sys.executable, "-c", CALLS, address, str(seconds)).strip()


def reaches_nobody(host: Host, address: str) -> bool:
    """Whether nobody takes a call there, for as long as somebody would need who is there."""
    return called(host, address, seconds=2) == "nobody"


def namespaces(of: str) -> set[str]:
    """The namespaces there are, of one internet's."""
    return {each.name for each in networks.MADE.glob(f"{of}*")}


def mark(host: Host) -> str:
    """What all names of a host's internet begin with."""
    return host.name.rpartition("h")[0]


def test_hosts_reach_each_other_over_both_families_and_by_name() -> None:
    with internet() as net:
        bo, cy = net.host(), net.host()
        net.name("bo.example", bo)
        with answering(bo):
            assert called(cy, bo.four) == cy.four
            assert called(cy, bo.six) == cy.six
            assert called(cy, "bo.example") in (cy.four, cy.six)


def test_a_home_behind_nat_reaches_out_under_its_routers_address_and_is_not_reached() -> None:
    with internet() as net:
        bo, home = net.host(), net.behind_nat()
        with answering(bo), answering(home):
            assert called(home, bo.four) == home.four
            assert reaches_nobody(bo, home.four)
            assert reaches_nobody(bo, "192.168.1.2")
            assert called(home, "192.168.1.2") == "192.168.1.2"


def test_nothing_of_it_touches_the_machines_network_and_two_do_not_meet() -> None:
    ours = {name for _, name in socket.if_nameindex()}
    with internet() as one, internet() as other:
        bo, cy = one.host(four="80.1.1.7"), other.host(four="80.1.2.7")
        assert {name for _, name in socket.if_nameindex()} == ours
        assert "default" not in bo.run("ip", "route") + bo.run("ip", "-6", "route")
        with answering(bo):
            assert reaches_nobody(cy, bo.four)


def test_nothing_is_left_though_a_test_fails_with_programs_running() -> None:
    with pytest.raises(ZeroDivisionError), internet() as net:
        host = net.host()
        net.name("bo.example", host)
        program = subprocess.Popen(host.within("sleep", "600"))
        assert namespaces(mark(host)) and (networks.NAMES / host.name).exists()
        raise ZeroDivisionError
    assert program.wait(timeout=5) == -signal.SIGKILL
    assert not namespaces(mark(host)) and not list(networks.NAMES.glob(f"{mark(host)}*"))


def test_an_internet_that_does_not_come_up_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "BRIDGE", "a-name-too-long-for-a-device")
    before = set(networks.MADE.iterdir())
    with pytest.raises(AssertionError, match="a-name-too-long"), internet():
        pass
    assert {each for each in networks.MADE.iterdir() if each not in before} == set()


def test_what_a_killed_run_left_is_taken_down_by_the_next_and_a_running_ones_stays() -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    gone = f"vt{ended.pid}x0core"
    ip("netns", "add", gone)
    with internet() as net:
        host = net.host()
        with internet():
            assert not namespaces(gone)
            assert host.name in namespaces(mark(host))
