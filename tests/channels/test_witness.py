"""The witness on real sockets: real torrent clients are seen, strangers and floods get nothing, nobody is hit."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.channels import clients
from tests.channels.clients import Notes, content_of, taking_part, torrent_of, until, witness_of
from vteam.channels.swarm.torrents.announce import answered
from vteam.channels.swarm.torrents.metainfo import Torrent, magnet, torrent_file
from vteam.channels.swarm.torrents.watched import Reach
from vteam.edge.dials import PER_NETWORK_MINUTE, PER_SECOND, PORTS_PER_ADDRESS_HOUR, WAITING_MAX, Dials, Peer
from vteam.edge.peers import Connection
from vteam.edge.witness import PER_WIDE_MAX, Witness

CONTENT = content_of(40 * clients.PIECE_BYTES + 1234)
TORRENT = torrent_of(CONTENT)
SEEDER, FRIEND = "127.0.0.2", "127.0.0.3"
# What happens at once is over after so few turns of the loop, whatever they take.
LOOP_TURNS = 3


@contextlib.asynccontextmanager
async def running(witness: Witness) -> AsyncIterator[tuple[str, int]]:
    """The witness with its clock, and where it listens."""
    port = await witness.listen("127.0.0.1", 0)
    clock = asyncio.create_task(witness.run())
    try:
        yield "127.0.0.1", port
    finally:
        clock.cancel()
        await witness.close()


async def downloaded(
    folder: Path, notes: Notes, *, by_magnet: bool, seeds: dict[str, Any], takes: dict[str, Any]
) -> bytes:
    """What a friend's client got from a fan's, the witness among its peers."""
    (folder / "fan").mkdir()
    (folder / "friend").mkdir()
    (folder / "fan" / TORRENT.template.name).write_bytes(CONTENT)
    async with running(witness_of(TORRENT, notes=notes)) as where:
        fan, friend = clients.client(SEEDER, **seeds), clients.client(FRIEND, **takes)
        taking_part(fan, TORRENT, folder / "fan", peers=[where])
        handle = taking_part(
            friend, TORRENT, folder / "friend", peers=[where], by_magnet=by_magnet, rate=400_000
        )
        # Nothing comes before the witness has seen that there is nothing.
        await until(lambda: notes.at(FRIEND))
        handle.connect_peer((SEEDER, fan.listen_port()))
        await until(lambda: handle.status().is_seeding)
        await until(lambda: notes.at(FRIEND) and len(notes.at(FRIEND)[0].answers) == 2)
        del fan, friend
    return (folder / "friend" / TORRENT.template.name).read_bytes()


@pytest.mark.parametrize("by_magnet", [False, True])
def test_a_libtorrent_download_is_seen_from_nothing_to_the_end(tmp_path: Path, by_magnet: bool) -> None:
    notes = Notes()
    got = uvloop.run(downloaded(tmp_path, notes, by_magnet=by_magnet, seeds={}, takes={}))
    assert got == CONTENT
    seen = notes.at(FRIEND)[0]
    assert seen.had[0] <= 2
    assert seen.had[-1] == TORRENT.template.pieces
    assert len(seen.had) > 5
    assert seen.answers == [True, True]
    assert "libtorrent" in seen.client
    assert seen.has_left


@pytest.mark.parametrize("rc4_only", [False, True])
def test_clients_that_insist_on_encryption_are_seen_too(tmp_path: Path, rc4_only: bool) -> None:
    notes, forced = Notes(), {"encryption": clients.FORCED, "rc4_only": rc4_only}
    got = uvloop.run(downloaded(tmp_path, notes, by_magnet=True, seeds=forced, takes=forced))
    assert got == CONTENT
    assert notes.at(FRIEND)[0].answers == [True, True]


def test_clients_that_know_no_encryption_are_seen_too(tmp_path: Path) -> None:
    notes, plain = Notes(), {"encryption": clients.PLAIN_ONLY}
    got = uvloop.run(downloaded(tmp_path, notes, by_magnet=False, seeds=plain, takes=plain))
    assert got == CONTENT
    assert notes.at(FRIEND)[0].answers == [True, True]


@pytest.mark.parametrize(
    ("encryption", "reach"), [(clients.PLAIN_ONLY, Reach.OPEN), (clients.FORCED, Reach.ENCRYPTED)]
)
def test_a_seeder_that_does_not_come_is_dialled(tmp_path: Path, encryption: Any, reach: Reach) -> None:
    (tmp_path / TORRENT.template.name).write_bytes(CONTENT)
    notes = Notes()

    async def story() -> None:
        witness = witness_of(TORRENT, notes=notes)
        async with running(witness):
            fan = clients.client(SEEDER, encryption=encryption)
            handle = taking_part(fan, TORRENT, tmp_path, peers=[])
            await until(lambda: handle.status().is_seeding)
            witness.consider(TORRENT, SEEDER, fan.listen_port(), witness.now(), at_once=True)
            await until(lambda: notes.reaches)
            await until(lambda: notes.at(SEEDER) and len(notes.at(SEEDER)[0].answers) == 2)

    uvloop.run(story())
    assert notes.reaches == [(SEEDER, reach)]


async def told(port: int, sent: bytes, *, address: str = "127.0.0.4") -> bytes:
    """All that the witness answers somebody who says this and no more, until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(sent)
    heard = b""
    with contextlib.closing(writer), contextlib.suppress(ConnectionError):
        writer.write_eof()
        while block := await asyncio.wait_for(reader.read(65_536), 10):
            heard += block
    return heard


def test_what_refuses_or_says_nothing_is_told_apart() -> None:
    notes = Notes()

    async def hangs_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def story() -> None:
        witness = witness_of(TORRENT, notes=notes)
        async with running(witness):
            rude = await asyncio.start_server(hangs_up, SEEDER, 0)
            nobody = await asyncio.start_server(hangs_up, FRIEND, 0)
            gone = nobody.sockets[0].getsockname()[1]
            nobody.close()
            witness.consider(TORRENT, SEEDER, rude.sockets[0].getsockname()[1], witness.now(), at_once=True)
            witness.consider(TORRENT, FRIEND, gone, witness.now(), at_once=True)
            await until(lambda: len(notes.reaches) == 2)
            assert witness.figures["dials"] == 2
            rude.close()

    uvloop.run(story())
    assert set(notes.reaches) == {(SEEDER, Reach.SILENT), (FRIEND, Reach.CLOSED)}


def greeting(torrent: Torrent, number: int = 1) -> bytes:
    reserved = bytes.fromhex("0000000000100004")
    return b"\x13BitTorrent protocol" + reserved + torrent.info_hash + b"-XX0001-%012d" % number


def extended(number: int, content: bytes) -> bytes:
    return (len(content) + 2).to_bytes(4, "big") + bytes((20, number)) + content


SPEAKS_METADATA = extended(0, b"d1:md11:ut_metadatai3eee")


def test_strangers_and_other_torrents_are_hung_up_on_without_a_word() -> None:
    async def story() -> None:
        notes = Notes(strangers={"127.0.0.5"})
        async with running(witness_of(TORRENT, notes=notes)) as (_, port):
            other = TORRENT._replace(info_hash=bytes(20))
            assert await told(port, greeting(TORRENT), address="127.0.0.5") == b""
            assert await told(port, greeting(other)) == b""
            assert await told(port, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n" * 20) != greeting(TORRENT)
            assert (await told(port, greeting(TORRENT))).startswith(b"\x13BitTorrent protocol")
            assert [seen.address for seen in notes.meetings] == []

    uvloop.run(story())


def test_a_flood_of_metadata_requests_gets_so_much_and_no_more() -> None:
    size = len(TORRENT.info())
    asks = extended(2, b"d8:msg_typei0e5:piecei0ee")

    async def story() -> None:
        witness = witness_of(TORRENT, notes=Notes())
        async with running(witness) as (_, port):
            for number in range(4):
                heard = await told(port, greeting(TORRENT, number) + SPEAKS_METADATA + 100 * asks)
                given = heard.count(b"8:msg_typei1e")
                assert given == (20 if number == 0 else 0)
                assert heard.count(b"8:msg_typei2e") == 100 - given
                assert len(heard) < 20 * (size + 100) + 100 * 100
            assert witness.figures["metadata_refused"] == 380
            assert b"8:msg_typei1e" in await told(
                port, greeting(TORRENT) + SPEAKS_METADATA + asks, address="127.0.0.9"
            )

    uvloop.run(story())


def test_a_network_an_address_and_the_whole_world_get_so_many_connections() -> None:
    async def story() -> None:
        witness = witness_of(TORRENT, notes=Notes(), connections_max=8, per_network_max=6)
        async with running(witness) as (_, port):
            kept = []

            async def comes(address: str, number: int) -> bool:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
                writer.write(greeting(TORRENT, number))
                kept.append(writer)
                with contextlib.suppress(ConnectionError):
                    return bool(await reader.read(1))
                return False

            assert [await comes("127.0.0.2", number) for number in range(5)] == [True] * 4 + [False]
            assert [await comes("127.0.0.3", number) for number in range(3)] == [True] * 2 + [False]
            assert [await comes("127.0.1.3", number) for number in range(3)] == [True] * 2 + [False]
            assert witness.figures["connections"] == 8
            assert witness.figures["refused"] == 3
            kept[0].close()
            await until(lambda: witness.figures["connections"] == 7)
            assert await comes("127.0.2.3", 1)
            for writer in kept:
                writer.close()

    uvloop.run(story())


def test_the_many_64s_of_one_48_get_so_many_connections_together() -> None:
    async def story() -> None:
        witness = witness_of(TORRENT, notes=Notes())
        comers = [
            (Connection(witness), f"2a01:c0de:1:{number:x}::/64") for number in range(PER_WIDE_MAX + 10)
        ]
        assert sum(witness.enters(*comer) for comer in comers) == PER_WIDE_MAX
        assert witness.enters(Connection(witness), "2a01:c0de:2::/64")
        assert witness.enters(Connection(witness), "81.2.69.0/24")
        witness.left(*comers[0], None)
        assert witness.enters(*comers[-1])
        for comer in comers[1:]:
            witness.left(*comer, None)
        assert list(witness._wide) == ["2a01:c0de:2::/48"]

    uvloop.run(story())


def test_a_withdrawn_title_is_left_by_everybody_at_once() -> None:
    other = torrent_of(CONTENT[::-1], number=2, title=6)

    async def story() -> None:
        witness = witness_of(TORRENT, other, notes=Notes())
        async with running(witness) as (_, port):
            with contextlib.ExitStack() as stack:
                ends = []
                for number, torrent in enumerate((TORRENT, TORRENT, other)):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    stack.callback(writer.close)
                    writer.write(greeting(torrent, number))
                    await reader.readexactly(68)
                    ends.append(reader)
                witness.consider(TORRENT, SEEDER, 5000, witness.now())
                witness.close_titles([TORRENT.title])
                for _ in range(LOOP_TURNS):
                    await asyncio.sleep(0)
                assert witness.figures["connections"] == 1
                for reader in ends[:2]:
                    with contextlib.suppress(ConnectionError):
                        await asyncio.wait_for(reader.read(), 10)
                assert not ends[2].at_eof()
                assert witness.dials.due(witness.now() + 60, under_way=0) == []

    uvloop.run(story())


# Whom it dials ---------------------------------------------------------------------------------------------------


def dials(**options: Any) -> Dials:
    return Dials(**({"own": ["9.9.9.9"], "allowed": [], "interval_s": 90.0} | options))


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.88.99.1",
        "::1",
        "::",
        "::ffff:8.8.8.8",
        "::ffff:10.0.0.1",
        "::8.8.8.8",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "2002:a00:1::1",
        "2001:0:4136:e378::1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2001:db8::1",
        "9.9.9.9",
        "example.org",
        "",
    ],
)
def test_private_special_and_our_own_addresses_are_not_dialled(address: str) -> None:
    table = dials()
    assert not table.may_dial(address, 50_000)
    table.consider(Peer(TORRENT, address, 50_000), 0.0, at_once=True)
    assert table.due(1.0, under_way=0) == []
    assert table.refused == 1


def test_the_internet_is_dialled_on_high_ports_only() -> None:
    table = dials()
    for address in ("8.8.8.8", "2606:4700::1111"):
        assert [table.may_dial(address, port) for port in (0, 22, 1023, 1024, 65_535, 65_536)] == [
            False,
            False,
            False,
            True,
            True,
            False,
        ]


def test_allowed_networks_hold_neither_our_own_addresses_nor_low_ports() -> None:
    table = dials(own=["127.0.0.1"], allowed=clients.LOOPBACK)
    assert table.may_dial("127.0.0.2", 5000)
    assert not table.may_dial("127.0.0.1", 5000)
    assert not table.may_dial("127.0.0.2", 80)
    assert not table.may_dial("::ffff:127.0.0.2", 5000)


def seconds_of(table: Dials, begin: int, count: int) -> list[tuple[int, Peer]]:
    """Who is dialled in each second."""
    return [
        (second, peer)
        for second in range(begin, begin + count)
        for peer in table.due(float(second), under_way=0)
        if table.spend(peer, float(second))
    ]


def test_one_victim_is_not_dialled_often_whatever_is_announced_of_it() -> None:
    table = dials()
    torrents = [torrent_of(CONTENT, number=number) for number in range(1, 60)]
    made = []
    for second in range(3600):
        for torrent in torrents:
            table.consider(Peer(torrent, "8.8.8.8", 2000 + second % 500), float(second), at_once=True)
        made += seconds_of(table, second, 1)
    assert len({peer.port for _, peer in made}) == PORTS_PER_ADDRESS_HOUR
    assert len(made) <= 60 * PER_NETWORK_MINUTE
    for minute in range(60):
        assert sum(60 * minute <= second < 60 * minute + 60 for second, _ in made) <= PER_NETWORK_MINUTE


def test_a_peer_is_dialled_ten_seconds_after_its_announce_and_once_an_interval() -> None:
    table = dials()
    for second in range(0, 95, 5):
        table.consider(Peer(TORRENT, "8.8.8.8", 5000), float(second))
        made = seconds_of(table, second, 5)
        assert [at for at, _ in made] == ([10] if second == 10 else [])
    table.consider(Peer(TORRENT, "8.8.8.8", 5000), 100.0)
    assert [at for at, _ in seconds_of(table, 100, 30)] == [110]


def test_all_together_get_so_many_dials_a_second_and_wait_in_a_table_with_an_end() -> None:
    table = dials()
    for number in range(WAITING_MAX + 500):
        peer = Peer(TORRENT, f"8.{number // 250}.{number % 250}.1", 5000)
        table.consider(peer, 0.0)
    assert table.refused == 500
    assert table.due(9.0, under_way=0) == []
    assert len(table.due(10.0, under_way=0)) == PER_SECOND
    assert len(table.due(11.0, under_way=45)) == 5
    assert table.due(12.0, under_way=50) == []


# A client that asks a tracker --------------------------------------------------------------------------------------


async def tracker(places: list[tuple[str, int]]) -> tuple[asyncio.Server, str]:
    """Something that answers every announce with peers at these places, and its address."""
    peers = [(b"", ip_address(host).packed + port.to_bytes(2, "big")) for host, port in places]

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = answered(peers, complete=1, incomplete=1, interval_s=60, to=FRIEND, is_compact=True)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        writer.close()

    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/announce/friend"


@pytest.mark.parametrize("by_magnet", [False, True])
def test_an_aria2_download_is_seen_until_it_leaves(tmp_path: Path, by_magnet: bool) -> None:
    (tmp_path / TORRENT.template.name).write_bytes(CONTENT)
    (tmp_path / "friend").mkdir()
    notes = Notes()

    async def story() -> None:
        witness = witness_of(TORRENT, notes=notes)
        async with running(witness) as where:
            fan = clients.client(SEEDER)
            handle = taking_part(fan, TORRENT, tmp_path, peers=[])
            await until(lambda: handle.status().is_seeding)
            server, announce = await tracker([where, (SEEDER, fan.listen_port())])
            file = tmp_path / "for-friends.torrent"
            file.write_bytes(torrent_file(TORRENT.info(), announce=announce))
            link = magnet(TORRENT.info_hash, TORRENT.template, announce=announce) if by_magnet else str(file)
            friend = subprocess.Popen(
                [
                    *("aria2c", "--no-conf", f"--dir={tmp_path / 'friend'}", f"--interface={FRIEND}"),
                    *(
                        "--enable-dht=false",
                        "--enable-dht6=false",
                        "--bt-enable-lpd=false",
                        "--disable-ipv6=true",
                    ),
                    *("--listen-port=21000-21999", "--seed-time=1", "--max-download-limit=300K", link),
                ],
                stdout=subprocess.DEVNULL,
            )
            try:
                await until(lambda: any(len(seen.answers) == 2 for seen in notes.at(FRIEND)), seconds=60)
            finally:
                # Not asked to go: it would wait for the answer to its farewell.
                friend.kill()
                friend.wait()
            await until(lambda: all(seen.has_left for seen in notes.at(FRIEND)))
            server.close()

    uvloop.run(story())
    assert (tmp_path / "friend" / TORRENT.template.name).read_bytes() == CONTENT
    seen = next(seen for seen in notes.at(FRIEND) if seen.answers)
    assert seen.had[-1] == TORRENT.template.pieces
    assert len(seen.had) > 5
    assert seen.answers == [True, True]
    assert "aria2" in seen.client
