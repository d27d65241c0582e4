"""STUN: bytes recorded in RFC 5769, bytes nobody should send, and a real edge asked over UDP."""

import asyncio
import logging
import os
import socket
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.edges import Edge, Start, free_port, with_shares
from vteam.edge import stun
from vteam.edge.stun import AnswerBudget, StunProtocol, answer, answering, opened
from vteam.errors import CannotStart

COOKIE = bytes.fromhex("2112a442")
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
IPV4, IPV6 = ("192.0.2.1", 32853), ("2001:db8:1234:5678:11:2233:4455:6677", 32853)

# "RFC 5769, 2.1 to 2.3": a request between the two sides of a call, and the answers a server of theirs gave it.
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff"
    "80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249"
    "c1b571a280280004e57a3bcf"
)
RESPONSE_IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
RESPONSE_IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa"
    "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
MAPPED_IPV4 = RESPONSE_IPV4[36:48]
MAPPED_IPV6 = RESPONSE_IPV6[36:60]


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(kind: int, *attributes: bytes) -> bytes:
    body = b"".join(attributes)
    return struct.pack("!HH", kind, len(body)) + COOKIE + TRANSACTION + body


def fingerprinted(kind: int, *attributes: bytes) -> bytes:
    whole = message(kind, *attributes, attribute(0x8028, bytes(4)))
    return whole[:-4] + struct.pack("!I", zlib.crc32(whole[:-8]) ^ 0x5354554E)


BARE = message(0x0001)
SOFTWARE = attribute(0x8022, b"a browser")


# Recorded bytes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recorded", [REQUEST, RESPONSE_IPV4, RESPONSE_IPV6])
def test_the_recorded_fingerprints_are_ours(recorded: bytes) -> None:
    kind, length = struct.unpack_from("!HH", recorded)
    assert length == len(recorded) - 20
    assert fingerprinted(kind, recorded[20:-8]) == recorded


@pytest.mark.parametrize(("address", "mapped"), [(IPV4, MAPPED_IPV4), (IPV6, MAPPED_IPV6)])
def test_an_address_is_told_as_it_was_recorded(address: tuple[str, int], mapped: bytes) -> None:
    assert answer(BARE, address) == message(0x0101, mapped)
    assert answer(message(0x0001, SOFTWARE), address) == message(0x0101, mapped)


@pytest.mark.parametrize(("address", "mapped"), [(IPV4, MAPPED_IPV4), (IPV6, MAPPED_IPV6)])
def test_a_fingerprint_is_answered_with_one(address: tuple[str, int], mapped: bytes) -> None:
    assert answer(fingerprinted(0x0001, SOFTWARE), address) == fingerprinted(0x0101, mapped)


def test_a_call_that_takes_us_for_its_other_side_is_told_what_we_do_not_know() -> None:
    refusal = fingerprinted(
        0x0111, attribute(0x0009, bytes((0, 0, 4, 20))), attribute(0x000A, bytes.fromhex("0024"))
    )
    assert answer(REQUEST, IPV4) == refusal


def test_a_name_and_a_password_nobody_asked_for_are_passed_over() -> None:
    without_priority = REQUEST[20:40] + REQUEST[48:-8]
    assert answer(fingerprinted(0x0001, without_priority), IPV4) == fingerprinted(0x0101, MAPPED_IPV4)


def test_an_ipv4_address_carried_inside_ipv6_is_told_as_itself() -> None:
    assert answer(BARE, ("::ffff:192.0.2.1", 32853)) == message(0x0101, MAPPED_IPV4)


def test_an_address_with_a_zone_is_told_without_it() -> None:
    assert answer(BARE, ("fe80::1%eth0", 9)) == answer(BARE, ("fe80::1", 9))


# Malformed bytes ----------------------------------------------------------------------------------------------


def test_unknown_attributes_are_named_once_and_not_without_end() -> None:
    change = attribute(0x0003, bytes(4))
    twice = answer(message(0x0001, change, change), IPV4)
    assert twice == message(
        0x0111, attribute(0x0009, bytes((0, 0, 4, 20))), attribute(0x000A, bytes.fromhex("0003"))
    )
    many = answer(message(0x0001, *(attribute(kind, b"") for kind in range(0x0100, 0x0180))), IPV4)
    assert many is not None
    assert len(many) == 20 + 8 + 4 + 2 * 16
    assert struct.unpack_from("!H", many, 2)[0] == len(many) - 20


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        BARE[:-1],
        BARE + bytes(4),
        BARE[:4] + bytes(4) + BARE[8:],  # RFC 3489's, without the cookie
        message(0x0011),  # an indication
        message(0x0101),
        message(0x0003),  # TURN's Allocate
        message(0x4001),
        message(0x0001, b"\x80\x22\x00"),
        message(0x0001, b"\x80\x22\x00\x05four"),
        message(0x0001, attribute(0x8022, bytes(530))),
        fingerprinted(0x0001)[:-1] + b"\0",
        message(0x0001, fingerprinted(0x0001)[20:], SOFTWARE),
        message(0x0001, attribute(0x8028, bytes(8))),
        message(0x0001, attribute(0x8028, b"")),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_what_is_no_whole_request_is_met_with_silence(datagram: bytes) -> None:
    assert answer(datagram, IPV4) is None


def test_the_longest_request_is_answered() -> None:
    assert answer(message(0x0001, attribute(0x8022, bytes(524))), IPV4) == message(0x0101, MAPPED_IPV4)


ATTRIBUTES = st.lists(
    st.builds(attribute, st.one_of(st.integers(0, 0x40), st.integers(0, 0xFFFF)), st.binary(max_size=20)),
    max_size=40,
).map(b"".join)
REQUESTS = st.one_of(
    st.binary(max_size=600),
    st.builds(lambda body: message(0x0001, body), st.one_of(ATTRIBUTES, st.binary(max_size=540))),
    st.builds(lambda body: fingerprinted(0x0001, body), ATTRIBUTES),
    st.builds(lambda end, body: REQUEST[:end] + body, st.integers(0, len(REQUEST)), st.binary(max_size=99)),
)
ADDRESSES = st.tuples(
    st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)), st.integers(0, 65535)
)


@given(REQUESTS, ADDRESSES)
def test_nothing_is_answered_with_much_more_than_was_sent(datagram: bytes, address: tuple[str, int]) -> None:
    told = answer(datagram, address)
    if told is not None:
        assert len(told) <= 3 * len(datagram)
        assert len(told) == 20 + struct.unpack_from("!H", told, 2)[0]
        assert told[4:20] == datagram[4:20]


# The budget ---------------------------------------------------------------------------------------------------


class Wire(asyncio.DatagramTransport):
    """The far end, which only keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[bytes, object]] = []

    def sendto(self, data: object, addr: object = None) -> None:
        assert isinstance(data, bytes)
        self.sent.append((data, addr))


def asked(protocol: StunProtocol, wire: Wire, *hosts: str, datagram: bytes = BARE) -> list[object]:
    """Who of them is answered."""
    wire.sent.clear()
    for host in hosts:
        protocol.datagram_received(datagram, (host, 9))
    return [addr[0] for _, addr in wire.sent if isinstance(addr, tuple)]


def test_one_network_gets_so_many_answers_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stun, "MINUTE_SECONDS", 0.05)
    budget, wire = AnswerBudget(per_network=2, networks_max=2), Wire()

    async def minutes() -> None:
        protocol = StunProtocol(budget)
        protocol.connection_made(wire)
        asked(protocol, wire, *["192.0.2.1"] * 9, datagram=b"nonsense")  # costs nobody anything
        near = ["192.0.2.1", "192.0.2.1", "192.0.2.9"]
        assert asked(protocol, wire, *near) == near[:2]
        assert asked(protocol, wire, "2001:db8::1", "2001:db8::2", "2001:db8::3") == [
            "2001:db8::1",
            "2001:db8::2",
        ]
        assert asked(protocol, wire, "198.51.100.1") == [], "more networks than can be followed get none"
        await asyncio.sleep(0.2)
        assert asked(protocol, wire, *near) == near[:2]
        protocol.connection_lost(None)

    asyncio.run(minutes())
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == [
        f"{count} STUN requests were not answered: more than one network may make a minute"
        for count in (3, 1)
    ]


def test_no_answers_are_heaped_up_that_cannot_leave() -> None:
    async def full() -> None:
        wire, protocol = Wire(), StunProtocol(AnswerBudget(per_network=9))
        protocol.connection_made(wire)
        protocol.pause_writing()
        assert asked(protocol, wire, "192.0.2.1") == []
        protocol.resume_writing()
        assert asked(protocol, wire, "192.0.2.1") == ["192.0.2.1"]
        protocol.connection_lost(None)

    asyncio.run(full())


# A real edge --------------------------------------------------------------------------------------------------


def told_by(host: str, port: int, *datagrams: bytes) -> tuple[bytes, tuple[str, int]]:
    """The first answer to these datagrams, and the address they came from."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.settimeout(10)
        door.connect((host, port))
        for datagram in datagrams:
            door.send(datagram)
        return door.recv(2000), door.getsockname()[:2]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_edge_tells_browsers_where_they_are(tmp_path: Path, start: Start, host: str) -> None:
    edge = start(with_shares(tmp_path), STUN_HOST=host, LOG_LEVEL="debug").opened()
    for _ in range(2):
        told, address = told_by(host, edge.port, b"", b"nonsense", bytes(2000), fingerprinted(0x0001))
        assert told == answer(fingerprinted(0x0001), address)
    assert edge.stop() == "", "no address is ever in a log"


def test_an_edge_on_every_address_tells_both_kinds(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path), STUN_HOST="::").opened()
    for host in ("127.0.0.1", "::1"):
        told, address = told_by(host, edge.port, BARE)
        assert told == answer(BARE, address)
    edge.stop()


def test_an_edge_keeps_to_the_budget_and_says_how_often(tmp_path: Path, start: Start) -> None:
    stingy = "from vteam.edge import stun; stun.ANSWERS_PER_NETWORK_MINUTE = 2"
    edge = start(with_shares(tmp_path), before=stingy).opened()
    with socket.socket(type=socket.SOCK_DGRAM) as door:
        door.connect(("127.0.0.1", edge.port))
        for _ in range(5):
            door.send(BARE)
        door.settimeout(10)
        for _ in range(2):
            door.recv(2000)
        door.settimeout(0.5)
        with pytest.raises(TimeoutError):
            door.recv(2000)
    told = edge.stop()
    assert "3 STUN requests were not answered" in told
    assert "127.0.0.1" not in told


def test_an_edge_without_stun_leaves_the_port_alone(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path), STUN_PORT="0").opened()
    with pytest.raises(ConnectionRefusedError):
        told_by("127.0.0.1", edge.port, BARE)
    edge.stop()


def test_a_port_of_its_own(tmp_path: Path, start: Start) -> None:
    port = free_port()
    edge = start(with_shares(tmp_path), STUN_PORT=str(port)).opened()
    told, address = told_by("127.0.0.1", port, BARE)
    assert told == answer(BARE, address)
    edge.stop()


def test_a_taken_port_is_one_clear_line(tmp_path: Path, start: Start) -> None:
    with opened("127.0.0.1", 0) as door:
        edge: Edge = start(tmp_path, STUN_PORT=str(door.getsockname()[1]))
        told, _ = edge.process.communicate(timeout=20)
    assert edge.process.returncode == 1
    assert told.startswith("The edge cannot answer STUN on 127.0.0.1, UDP port")
    assert "VTEAM_STUN_PORT=0" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("host", ["203.0.113.7", "nowhere.invalid", "::2"])
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(CannotStart, match="VTEAM_STUN_HOST"):
        opened(host, 0)


def test_nothing_is_opened_unless_asked_for() -> None:
    async def idle() -> int:
        async with answering(None):
            return len(asyncio.all_tasks())

    assert asyncio.run(idle()) == 1


# Settings -----------------------------------------------------------------------------------------------------


def settings_told(folder: Path, **environment: str) -> str:
    """What the settings say with these variables, or why they say nothing."""
    question = "from vteam import settings as s; print(s.STUN_HOST, s.STUN_PORT, s.ICE_SERVERS)"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VTEAM_")}
    ours = {"VTEAM_DATA": str(folder)} | {f"VTEAM_{name}": value for name, value in environment.items()}
    done = subprocess.run(
        [sys.executable, "-c", question], env=kept | ours, capture_output=True, text=True, check=False
    )
    return (done.stdout or done.stderr).splitlines()[-1]


def test_the_settings_follow_the_edge_unless_told_otherwise(tmp_path: Path) -> None:
    assert settings_told(tmp_path) == "127.0.0.1 8001 []"
    assert settings_told(tmp_path, EDGE_PORT="9001", HOST="::1") == "::1 9001 []"
    told = settings_told(
        tmp_path, STUN_PORT="0", STUN_HOST="::", ICE_SERVERS="stun:a.example, turns:b.example:5349"
    )
    assert told == ":: 0 ['stun:a.example', 'turns:b.example:5349']"


def test_settings_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    assert "VTEAM_EDGE_PORT" in settings_told(tmp_path, EDGE_PORT="none")
    assert "VTEAM_STUN_PORT" in settings_told(tmp_path, STUN_PORT="70000")
    told = settings_told(tmp_path, ICE_SERVERS="stun:a.example,https://secret.example")
    assert "VTEAM_ICE_SERVERS: begin each with stun:" in told
    assert "secret" not in told
