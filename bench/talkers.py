"""Pages as plain WebSocket clients, many of them: `python -m bench.talkers ORDER`, a process of its own.

ORDER is an `Order` as JSON; what came of it, an `Outcome`, is printed as JSON. Tickets are signed with the key of the
environment's installation. Every block that arrives is compared with the copy it was sent from, and whatever is not
as it should be ends the process: no figure.
"""

import asyncio
import hashlib
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from bench.kernel import cpu_seconds, share_kib
from vteam import clock
from vteam.channels.swarm.passing import FRAME
from vteam.channels.swarm.pieces import BLOCK_BYTES, Pieces, pieces_of
from vteam.channels.swarm.tickets import Role, Ticket, sealed
from vteam.errors import VTeamError

SECONDS_MAX = 300
AT_ONCE = 64
CALM_SECONDS = 0.5
PIECE_BYTES = 64 * 1024
WARM_PAIRS = 50
# Fresh ones in each round: an introduction has a limit of signals, and a time in which something must move.
SIGNAL_PAIRS = 100
SOCKETS_EACH = 2
HOUR_US = 3_600_000_000
# The kernel tells no less.
CPU_SECONDS_MIN = 0.01
# About as long as a browser's.
CANDIDATE = json.dumps(
    {
        "candidate": {
            "candidate": "candidate:842163049 1 udp 1677729535 203.0.113.77 46154 typ srflx raddr 0.0.0.0 rport 0 "
            "generation 0 ufrag sXbK network-cost 999",
            "sdpMid": "0",
            "sdpMLineIndex": 0,
            "usernameFragment": "sXbK",
        }
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do at the edge with the process id `edge`.

    `sockets` pages come two by two and stay. Then, in each round, the pages of `SIGNAL_PAIRS` signal `signals` times
    each, and after them, in each round, `pairs` pass a copy of `copy_bytes` at once. `title_bytes`: how long the
    copies of those who stay are.
    """

    edge: int
    port: int
    origin: str
    campaign: int
    title: int
    title_bytes: int
    sockets: int
    signal_rounds: int
    signals: int
    relay_rounds: int
    pairs: int
    copy_bytes: int


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was measured, round by round. A second is one of the edge's processor, but for `wall_mb_s`."""

    sockets: int = 0
    kib_per_socket: float = 0.0
    signals_per_s: list[float] = field(default_factory=list)
    relay_mb_s: list[float] = field(default_factory=list)
    wall_mb_s: list[float] = field(default_factory=list)


class Broken(VTeamError):
    """Something else came than should have."""


class Talker:
    """A page's connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send(orjson.dumps(message), text=True)

    async def next(self) -> dict[str, Any] | bytes:
        """The next message or block; Broken when it is a farewell."""
        heard = await self.socket.recv()
        if isinstance(heard, bytes):
            return heard
        told: dict[str, Any] = orjson.loads(heard)
        if told["now"] in ("parted", "closed"):
            raise Broken(heard)
        return told

    async def hear(self, now: str) -> dict[str, Any]:
        """The next message of a kind."""
        while True:
            told = await self.next()
            if isinstance(told, dict) and told["now"] == now:
                return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two pages that were introduced; `number`: how both call it."""

    seeder: Talker
    listener: Talker
    number: int
    ahead: int

    async def signal(self, times: int) -> None:
        """To and fro: each page answers the other."""
        for _ in range(times):
            for one, other in ((self.listener, self.seeder), (self.seeder, self.listener)):
                await one.say(do="signal", number=self.number, data=CANDIDATE)
                await other.hear("signal")

    async def relay(self, copy: bytes, pieces: Pieces) -> None:
        """The whole copy through the relay."""
        await self.listener.say(do="relay", number=self.number)
        await asyncio.gather(self._serve(copy), self._receive(copy, pieces))

    async def _serve(self, copy: bytes) -> None:
        while True:
            told = await self.seeder.next()
            if isinstance(told, dict) and told["now"] == "whole":
                return
            if isinstance(told, dict) and told["now"] == "want":
                start = told["piece"] * PIECE_BYTES
                stop = min(start + PIECE_BYTES, len(copy))
                for at in range(start, stop, BLOCK_BYTES):
                    head = FRAME.pack(self.number, told["piece"], at - start)
                    await self.seeder.socket.send(head + copy[at : min(at + BLOCK_BYTES, stop)])

    async def _receive(self, copy: bytes, pieces: Pieces) -> None:
        at = asked = 0
        await self.listener.hear("relay")
        while True:
            while asked < min(at // PIECE_BYTES + self.ahead, pieces.count):
                await self.listener.say(do="want", number=self.number, piece=asked)
                asked += 1
            heard = await self.listener.next()
            if isinstance(heard, bytes):
                block = heard[FRAME.size :]
                if block != copy[at : at + len(block)]:
                    raise Broken(f"other bytes came than were sent, from {at} on")
                at += len(block)
                if at % PIECE_BYTES == 0 or at == len(copy):
                    await self.listener.say(do="got", number=self.number, piece=-(-at // PIECE_BYTES) - 1)
            elif heard["now"] == "whole":
                if not heard["counted"] or at != len(copy):
                    raise Broken(f"{at} of {len(copy)} bytes came: {heard}")
                return


class Crowd:
    """Everybody who talks to one edge."""

    def __init__(self, order: Order, key: bytes) -> None:
        self._order, self._key = order, key
        self._names = count(1)
        self._door = asyncio.Semaphore(AT_ONCE)
        self._ends_us = clock.now_us() + HOUR_US
        self._pairs: list[Pair] = []

    async def come(self, pairs: int, pieces: Pieces) -> list[Pair]:
        """So many pairs more, each in a room of its own, introduced to each other."""
        came = await asyncio.gather(*(self._pair(next(self._names), pieces) for _ in range(pairs)))
        self._pairs += came
        return came

    def go(self) -> None:
        """Everybody's page is closed."""
        for pair in self._pairs:
            for one in (pair.seeder, pair.listener):
                one.socket.transport.abort()
        self._pairs = []

    async def signal(self, pieces: Pieces) -> float:
        """Many pairs at once; signals the edge passes on in a second of its processor."""
        times, pairs = self._order.signals, await self.come(SIGNAL_PAIRS, pieces)
        cpu_s, _ = await self._spent(lambda pair: pair.signal(times), pairs)
        self.go()
        return SOCKETS_EACH * times * len(pairs) / cpu_s

    async def relay(self, copy: bytes, pieces: Pieces) -> tuple[float, float]:
        """MB of copies in a second of the edge's processor, and in one of the clock on the wall."""
        pairs = await self.come(self._order.pairs, pieces)
        seconds = await self._spent(lambda pair: pair.relay(copy, pieces), pairs)
        self.go()
        cpu_s, wall_s = (len(copy) * len(pairs) / 1_000_000 / each for each in seconds)
        return cpu_s, wall_s

    async def _spent(
        self, what: Callable[[Pair], Awaitable[None]], pairs: Sequence[Pair]
    ) -> tuple[float, float]:
        """Seconds of the edge's processor, and of the clock on the wall."""
        began, begun = cpu_seconds(self._order.edge), time.monotonic()
        await asyncio.gather(*map(what, pairs))
        cpu_s = cpu_seconds(self._order.edge) - began
        return max(cpu_s, CPU_SECONDS_MIN), time.monotonic() - begun

    async def _pair(self, number: int, pieces: Pieces) -> Pair:
        async with self._door:
            seeder = await self._page(Role.SEEDER, number, pieces)
            listener = await self._page(Role.LISTENER, number, None)
            await seeder.hear("met")
            met = await listener.hear("met")
            return Pair(seeder=seeder, listener=listener, number=met["number"], ahead=met["ahead"])

    async def _page(self, role: Role, number: int, pieces: Pieces | None) -> Talker:
        address = f"ws://127.0.0.1:{self._order.port}/ws"
        origin = Origin(self._order.origin)
        socket = await connect(address, origin=origin, compression=None, proxy=None, ping_interval=None)
        page, name = Talker(socket), f"{role} {number}".encode()
        ticket = Ticket(
            role=role,
            campaign=self._order.campaign,
            fan=number,
            title=self._order.title,
            by=None,
            browser=hashlib.sha256(name).hexdigest()[:32],
            network=hashlib.sha256(b"network of " + name).hexdigest()[:32],
            expires_us=self._ends_us,
            ends_us=self._ends_us,
            pieces=pieces,
        )
        await page.say(do="hello", ticket=sealed(ticket, key=self._key), direct=True)
        return page


async def measured(order: Order, key: bytes) -> Outcome:
    """Who comes and stays first, on a fresh edge; then who passes copies on. `key`: what tickets are signed with."""
    crowd, outcome = Crowd(order, key), Outcome()
    copy = hashlib.shake_256(b"a copy").digest(max(order.copy_bytes, order.title_bytes))
    short = pieces_of([copy[: order.title_bytes]], length=PIECE_BYTES)
    copy = copy[: order.copy_bytes]
    pieces = pieces_of([copy], length=PIECE_BYTES)
    async with asyncio.timeout(SECONDS_MAX):
        # What the edge needs once it has already when the counting begins.
        await crowd.come(WARM_PAIRS, short)
        await asyncio.sleep(CALM_SECONDS)
        before_kib = share_kib(order.edge)
        stay = await crowd.come(order.sockets // SOCKETS_EACH, short)
        await asyncio.sleep(CALM_SECONDS)
        outcome.sockets = SOCKETS_EACH * len(stay)
        outcome.kib_per_socket = (share_kib(order.edge) - before_kib) / outcome.sockets
        crowd.go()
        for _ in range(order.signal_rounds):
            outcome.signals_per_s.append(await crowd.signal(short))
        for _ in range(order.relay_rounds):
            cpu, wall = await crowd.relay(copy, pieces)
            outcome.relay_mb_s.append(cpu)
            outcome.wall_mb_s.append(wall)
    return outcome


def main(text: str) -> None:
    """Do what is ordered and print what came of it."""
    from vteam import settings

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    outcome = uvloop.run(measured(Order(**json.loads(text)), settings.SECRET_KEY.encode()))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(sys.argv[1])
