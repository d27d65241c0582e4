"""A fan's torrent: what every fan's has in common, and the hash of the tag that carries their link.

The body's pieces are hashed once for all fans; a torrent costs the hash of its first piece or two. It is private
(BEP 27), so that clients ask our tracker alone, and its `info` holds nothing but the file: the tracker's address,
the keys and the way to fetch the copy over HTTP (BEP 19) stand outside, and can differ for one torrent.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from fastbencode import bencode

HASH_BYTES = 20
TEMPLATES_KEPT = 256
MADE_BY = "vTeam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What the torrents of one title have in common. `body`: SHA-1 hashes of the pieces after the tag's."""

    id: int
    name: str
    size: int
    piece_bytes: int
    body: bytes

    @property
    def pieces(self) -> int:
        """How many pieces the file has."""
        return -(-self.size // self.piece_bytes)

    def piece_size(self, index: int) -> int:
        """The bytes of a piece: the last may have fewer."""
        return min(self.piece_bytes, self.size - index * self.piece_bytes)


class Torrent(NamedTuple):
    """A fan's torrent as tracker and witness know it. `first`: SHA-1 hashes of the tag's pieces.

    `ends_us`: the season's end. `network_key`: the campaign's, which makes addresses into hashes.
    """

    id: int
    info_hash: bytes
    campaign: int
    fan: int
    title: int
    ends_us: int
    network_key: bytes
    seed_key: str
    friend_key: str
    first: bytes
    template: Template

    def piece_hash(self, index: int) -> bytes:
        """The SHA-1 of a piece (20 bytes)."""
        at = index * HASH_BYTES
        if at < len(self.first):
            return self.first[at : at + HASH_BYTES]
        at -= len(self.first)
        return self.template.body[at : at + HASH_BYTES]

    def info(self) -> bytes:
        """The info dictionary as it is hashed, sent to those who come by a magnet (BEP 9)."""
        return info_of(self.template, self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """A copy's hashes for networks that are none of ours; each as it stands in a magnet link."""

    sha1: str
    tiger: str
    ed2k: str


def hashes_of(content: bytes | memoryview, piece_bytes: int) -> bytes:
    """The SHA-1 hashes (20 bytes each) of a content's pieces."""
    return b"".join(
        hashlib.sha1(content[at : at + piece_bytes], usedforsecurity=False).digest()
        for at in range(0, len(content), piece_bytes)
    )


def info_of(template: Template, first: bytes) -> bytes:
    """The bencoded info dictionary (BEP 3)."""
    before, after = _around(template, len(first))
    return b"".join((before, first, template.body, after))


def info_hash_of(template: Template, first: bytes) -> bytes:
    """What a torrent is known by (20 bytes)."""
    return hashlib.sha1(info_of(template, first), usedforsecurity=False).digest()


@lru_cache(maxsize=TEMPLATES_KEPT)
def _around(template: Template, first_bytes: int) -> tuple[bytes, bytes]:
    """What stands before and after the hashes, alike for all fans."""
    hashes = bytes(first_bytes) + template.body
    whole = bencode(
        {
            b"length": template.size,
            b"name": template.name.encode(),
            b"piece length": template.piece_bytes,
            b"pieces": hashes,
            b"private": 1,
        }
    )
    begin = whole.rindex(hashes)
    return whole[:begin], whole[begin + len(hashes) :]


def torrent_file(info: bytes, *, announce: str, fetch: str = "", words: str = "") -> bytes:
    """A .torrent file. `fetch`: where its copy can be fetched over HTTP; `words`: what clients show beside it."""
    outside: dict[bytes, Any] = {b"announce": announce.encode(), b"created by": MADE_BY.encode()}
    if words:
        outside[b"comment"] = words.encode()
    if fetch:
        outside[b"url-list"] = fetch.encode()
    parts = [(key, bencode(value)) for key, value in outside.items()] + [(b"info", info)]
    return b"".join((b"d", *(bencode(key) + value for key, value in sorted(parts)), b"e"))


def magnet(info_hash: bytes, template: Template, *, announce: str, others: Others | None = None) -> str:
    """A magnet link by which friends find the fan's seeder, and other networks the file, once its hashes are known."""
    exact = [f"urn:btih:{info_hash.hex()}"]
    if others:
        exact += [f"urn:sha1:{others.sha1}", f"urn:tree:tiger:{others.tiger}", f"urn:ed2k:{others.ed2k}"]
    named = [f"xt={topic}" for topic in exact]
    return "magnet:?" + "&".join(
        [
            *named,
            f"dn={quote(template.name, safe='')}",
            f"xl={template.size}",
            f"tr={quote(announce, safe='')}",
        ]
    )
