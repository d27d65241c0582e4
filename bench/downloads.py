"""Torrent clients, many of them, as far as a witness sees them: `python -m bench.downloads ORDER`, its own process.

ORDER is an `Order` as JSON. Each client greets the witness, has nothing, says piece by piece that it has more, and
gives the pieces it is asked for. When all are there a line says so; what came of it is printed as JSON, an `Outcome`.
"""

import asyncio
import hashlib
import json
import resource
import struct
import sys
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

from vteam.channels.swarm.torrents.messages import HANDSHAKE_BYTES, PROTOCOL, RESERVED, Kind
from vteam.channels.swarm.torrents.metainfo import Template, Torrent, hashes_of, info_hash_of

PIECE_BYTES = 32 * 1024
AT_ONCE = 100
PATIENCE_SECONDS = 60.0
# Each so many come from an address of their own, each of these in a near network of its own.
PER_ADDRESS, ADDRESSES_PER_NETWORK = 4, 8
READY = "ready"
_HAVE = struct.Struct("!IBI")
_BLOCK = struct.Struct("!IBII")
_REQUEST = struct.Struct("!III")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """So many `clients` get all `pieces` within about `seconds`, at once; 0: they come, and stay until told to go.

    `begin`: the number of the first, so that no two are the same.
    """

    port: int
    begin: int
    clients: int
    pieces: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many came and stayed to their end, and how many pieces they gave."""

    clients: int
    given: int


def content_of(pieces: int) -> bytes:
    """What is downloaded: the same in every process."""
    return hashlib.shake_256(b"a title").digest(pieces * PIECE_BYTES)


def torrent_of(content: bytes) -> Torrent:
    """The torrent all these clients are about."""
    hashes = hashes_of(content, PIECE_BYTES)
    template = Template(
        id=1, name="a title.mp3", size=len(content), piece_bytes=PIECE_BYTES, body=hashes[20:]
    )
    return Torrent(
        id=1,
        info_hash=info_hash_of(template, hashes[:20]),
        campaign=1,
        fan=1,
        title=1,
        ends_us=2**60,
        network_key=b"key",
        seed_key="seed",
        friend_key="friend",
        first=hashes[:20],
        template=template,
    )


class Client(asyncio.Protocol):
    """One client. `greeted`: the witness answered; `whole`: it has all pieces, and gave one since."""

    __slots__ = ("_content", "_number", "_rest", "_torrent", "_transport", "given", "greeted", "has", "whole")

    def __init__(self, torrent: Torrent, content: bytes, number: int) -> None:
        self._torrent, self._content, self._number = torrent, content, number
        self._rest = b""
        self.has = self.given = 0
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.whole: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It greets, says that it has nothing, and lets the witness ask."""
        self._transport = cast(asyncio.Transport, transport)
        greeting = PROTOCOL + RESERVED + self._torrent.info_hash + b"-BE0001-%012d" % self._number
        about = b"\x00d1:md11:ut_metadatai1ee1:v5:benche"
        self._transport.write(
            greeting + _said(Kind.HAVE_NONE) + _said(Kind.EXTENDED, about) + _said(Kind.UNCHOKE)
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for it waits in vain."""
        for awaited in (self.greeted, self.whole):
            if not awaited.done():
                awaited.set_exception(ConnectionError("the witness hung up"))
                awaited.exception()

    def data_received(self, data: bytes) -> None:
        """The witness greets, and asks for pieces."""
        self._rest += data
        if not self.greeted.done():
            if len(self._rest) < HANDSHAKE_BYTES:
                return
            self._rest = self._rest[HANDSHAKE_BYTES:]
            self.greeted.set_result(None)
        while len(self._rest) >= 4:
            end = 4 + int.from_bytes(self._rest[:4], "big")
            if len(self._rest) < end:
                return
            message, self._rest = self._rest[4:end], self._rest[end:]
            if message[:1] == bytes((Kind.REQUEST,)):
                self._give(*_REQUEST.unpack(message[1:]))

    def _give(self, index: int, begin: int, size: int) -> None:
        start = index * PIECE_BYTES + begin
        self._transport.write(
            _BLOCK.pack(9 + size, Kind.PIECE, index, begin) + self._content[start : start + size]
        )
        if begin + size == PIECE_BYTES:
            self.given += 1
            if self.has == self._torrent.template.pieces and not self.whole.done():
                self.whole.set_result(None)

    def gets(self) -> None:
        """It has one piece more."""
        self._transport.write(_HAVE.pack(5, Kind.HAVE, self.has))
        self.has += 1

    def goes(self) -> None:
        """It is closed."""
        self._transport.close()


def _said(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("!IB", 1 + len(body), kind) + body


def address_of(number: int) -> str:
    """Where a client comes from: few of one address, few addresses of one near network."""
    address = number // PER_ADDRESS
    network, host = divmod(address, ADDRESSES_PER_NETWORK)
    return f"127.{1 + network // 250}.{1 + network % 250}.{1 + host}"


async def measured(order: Order) -> Outcome:
    """What is ordered, to its end; ConnectionError where the witness hangs up on somebody."""
    content = content_of(order.pieces)
    torrent, door = torrent_of(content), asyncio.Semaphore(AT_ONCE)

    async def come(number: int) -> Client:
        async with door:
            _, client = await asyncio.get_running_loop().create_connection(
                lambda: Client(torrent, content, number),
                "127.0.0.1",
                order.port,
                local_addr=(address_of(number), 0),
            )
            await client.greeted
            return client

    async with asyncio.timeout(order.seconds + PATIENCE_SECONDS):
        numbers = range(order.begin, order.begin + order.clients)
        clients = await asyncio.gather(*map(come, numbers))
        print(READY, flush=True)
        if order.seconds:
            await asyncio.gather(*(_download(client, order, number) for number, client in enumerate(clients)))
        else:
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for client in clients:
        client.goes()
    return Outcome(clients=len(clients), given=sum(client.given for client in clients))


async def _download(client: Client, order: Order, number: int) -> None:
    step_s = order.seconds / order.pieces
    await asyncio.sleep(step_s * (number % AT_ONCE) / AT_ONCE)
    for _ in range(order.pieces):
        client.gets()
        await asyncio.sleep(step_s)
    await client.whole


def main(text: str) -> None:
    """Do what is ordered and print what came of it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(json.dumps(asdict(uvloop.run(measured(Order(**json.loads(text)))))))


if __name__ == "__main__":
    main(sys.argv[1])
