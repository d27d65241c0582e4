"""A torrent client that lies: run by itself in a host, with what it plays as JSON; several at once, at addresses.

shows    nothing   announces and never meets anybody
         all       claims every piece at once, gives none
         garbage   seems to download, gives wrong pieces
         jump      from nothing to all in one moment, gives right pieces
         slow      seems to download, gives right pieces: whoever holds a copy can
         mute      seems to download, gives none and leaves
seeds    a fan's own client that is none: it announces that it has all and has sent ever more
"""

import asyncio
import json
import struct
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from fastbencode import bdecode, bencode

PIECE = 65_536
GROW_S = 4.0


class Cheat:
    """One liar at one address."""

    def __init__(self, plays: dict[str, Any]) -> None:
        self.plays = plays
        self.source: str = plays["address"]
        self.host, self.port = plays["tracker"]
        self.info_hash = bytes.fromhex(plays["info_hash"])
        self.peer_id = plays.get(
            "peer_id", "-LT2110-" + plays["address"].replace(":", "").rjust(12, "x")[-12:]
        ).encode()
        self.size: int = plays["size"]
        self.pieces = -(-self.size // PIECE)
        self.content = Path(plays["file"]).read_bytes() if plays.get("file") else b""
        self.has = 0
        self.given = 0

    async def announce(self, event: str, **counters: int) -> dict[bytes, Any]:
        """One announce; what the tracker answered."""
        told = {"uploaded": 0, "downloaded": 0, "left": self.size} | counters
        named = [("info_hash", self.info_hash), ("peer_id", self.peer_id)]
        query = "&".join(f"{name}={quote_from_bytes(value, safe='')}" for name, value in named)
        query += "".join(f"&{name}={value}" for name, value in told.items())
        query += f"&port=6999&compact=1&event={event}"
        reader, writer = await asyncio.open_connection(self.host, self.port, local_addr=(self.source, 0))
        writer.write(
            f"GET /announce/{self.plays['key']}?{query} HTTP/1.1\r\nHost: {self.plays['host']}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        answer = await reader.read()
        writer.close()
        found: dict[bytes, Any] = bdecode(answer.partition(b"\r\n\r\n")[2])
        return found

    async def run(self) -> dict[str, Any]:
        """The whole play; what the tracker said first, in words where it refused."""
        # Whoever jumps must do so in a tenth of a second from here: it stands at the door already.
        door = await self.door(self.plays["witness"]) if self.plays["shows"] == "jump" else None
        first = await self.announce("started", **({"left": 0} if self.plays["shows"] == "seeds" else {}))
        if b"failure reason" in first:
            return {"refused": first[b"failure reason"].decode()}
        if self.plays["shows"] == "seeds":
            for round_ in range(1, 1 + self.plays["seconds"] // 2):
                await asyncio.sleep(2)
                await self.announce("", left=0, uploaded=round_ * 20 * self.size)
            return {}
        if self.plays["shows"] == "nothing":
            await asyncio.sleep(2)
        else:
            await self.meet(*(door or await self.door(self.named(first))))
        if "midway" in self.plays:
            await self.announce("", **self.plays["midway"])
        last = {"left": 0, "downloaded": self.size} | self.plays.get("last", {})
        await self.announce("completed", **last)
        return {"given": self.given}

    def named(self, told: dict[bytes, Any]) -> int:
        """The witness' port: it is the first peer of every list."""
        six = ":" in self.source
        packed = told[b"peers6" if six else b"peers"]
        return int.from_bytes(packed[16:18] if six else packed[4:6], "big")

    async def door(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the witness, on which nothing was said yet."""
        return await asyncio.open_connection(self.host, port, local_addr=(self.source, 0))

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The witness: when it has greeted us it knows what we have to begin with."""
        shows = self.plays["shows"]
        greeting = b"\x13BitTorrent protocol" + bytes.fromhex("0000000000100004")
        begin = self.message(20, b"\0" + bencode({b"m": {}, b"v": b"A liar 1.0"}))
        begin += self.message(14 if shows == "all" else 15)
        if shows != "all":
            begin += self.message(1 if shows != "mute" else 0)
        writer.write(greeting + self.info_hash + self.peer_id + begin)
        theirs = await reader.readexactly(68)
        assert theirs[28:48] == self.info_hash
        hears = asyncio.create_task(self.hear(reader, writer))
        if shows == "jump":
            self.has = self.pieces
            self.say(writer, 14)
        elif shows != "all":
            for index in range(self.pieces):
                self.has = index + 1
                self.say(writer, 4, struct.pack("!I", index))
                await asyncio.sleep(GROW_S / self.pieces)
        await asyncio.sleep(self.plays.get("stays", 3))
        hears.cancel()
        writer.close()

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Gives what is asked for, right or wrong, or not at all."""
        while True:
            length = int.from_bytes(await reader.readexactly(4), "big")
            frame = await reader.readexactly(length)
            if not frame or frame[0] != 6 or self.plays["shows"] in ("all", "mute"):
                continue
            index, begin, size = struct.unpack("!III", frame[1:])
            at = index * PIECE + begin
            block = self.content[at : at + size] or b"\x55" * size
            if self.plays["shows"] == "garbage":
                block = b"\x55" * size
            self.given += 1
            self.say(writer, 7, struct.pack("!II", index, begin) + block)
            await writer.drain()

    def say(self, writer: asyncio.StreamWriter, kind: int, body: bytes = b"") -> None:
        """One message."""
        writer.write(self.message(kind, body))

    def message(self, kind: int, body: bytes = b"") -> bytes:
        """Its length, its kind and what it says."""
        return struct.pack("!IB", 1 + len(body), kind) + body


async def main() -> None:
    """All of them at once; one line of JSON each."""
    plays = json.loads(Path(sys.argv[1]).read_text())
    for found in await asyncio.gather(*(Cheat(each).run() for each in plays)):
        print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
