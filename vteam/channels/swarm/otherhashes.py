"""A copy's hashes for networks that are none of ours (Gnutella, eD2k), so that one magnet can name it there too.

They are worked out by librhash (Debian's `librhash0`, 0BSD), found where it is installed; where it is not, magnets name
the torrent alone. Nobody waits for them: `jobs` looks after a torrent or two at a time.
"""

import ctypes
import logging
from collections.abc import Iterable
from functools import cache

from vteam.channels.copies.ranges import read_span, total_bytes
from vteam.channels.copies.services import personal_copy
from vteam.channels.swarm.models import Torrent
from vteam.channels.swarm.seeding import keep_others
from vteam.channels.swarm.torrents.metainfo import Others, hashes_of

NAMES = ("librhash.so.1", "librhash.so.0")
SHA1, TIGER_TREE, ED2K = 0x08, 0x20, 0x80
HEXADECIMAL, BASE32, CAPITALS = 0x02, 0x03, 0x08
PRINTED_BYTES = 130
logger = logging.getLogger(__name__)


@cache
def library() -> ctypes.CDLL | None:
    """librhash, ready to be called; None where it is not installed."""
    for name in NAMES:
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        found.rhash_init.argtypes, found.rhash_init.restype = [ctypes.c_uint], ctypes.c_void_p
        found.rhash_update.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        found.rhash_final.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        found.rhash_print.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
        found.rhash_print.restype = ctypes.c_size_t
        found.rhash_free.argtypes = [ctypes.c_void_p]
        found.rhash_library_init()
        return found
    logger.info("librhash is not installed: magnets name torrents alone, and no other network")
    return None


def others_in(content: Iterable[bytes], rhash: ctypes.CDLL) -> Others:
    """The hashes of a content that comes in parts."""
    context = rhash.rhash_init(SHA1 | TIGER_TREE | ED2K)
    if not context:
        raise MemoryError("librhash has no room for a hash")
    try:
        for part in content:
            rhash.rhash_update(context, part, len(part))
        rhash.rhash_final(context, None)
        return Others(
            sha1=_printed(rhash, context, SHA1, BASE32 | CAPITALS),
            tiger=_printed(rhash, context, TIGER_TREE, BASE32 | CAPITALS),
            ed2k=_printed(rhash, context, ED2K, HEXADECIMAL),
        )
    finally:
        rhash.rhash_free(context)


def _printed(rhash: ctypes.CDLL, context: int, kind: int, how: int) -> str:
    room = ctypes.create_string_buffer(PRINTED_BYTES)
    length = rhash.rhash_print(room, context, kind, how)
    return room.raw[:length].decode("ascii")


def hash_others(*, at_most: int) -> int:
    """Work out what is missing of some torrents; returns of how many. Of copies not made any more there is nothing."""
    rhash = library()
    if rhash is None:
        return 0
    waiting = Torrent.objects.filter(others="").select_related("template__title__campaign").order_by("pk")
    torrents = list(waiting[:at_most])
    for torrent in torrents:
        keep_others(torrent=torrent, others=_of(torrent, rhash))
    return len(torrents)


def _of(torrent: Torrent, rhash: ctypes.CDLL) -> Others | None:
    title = torrent.template.title
    copy = personal_copy(campaign=title.campaign, title=title, link=torrent.link)
    tag = copy.parts[0]
    assert isinstance(tag, bytes)
    is_the_same = copy.size == torrent.template.size and title.body_sha256 == torrent.template.body_sha256
    if not is_the_same or hashes_of(tag, torrent.template.piece_bytes) != bytes(torrent.first):
        return None
    return others_in(read_span(copy.parts, 0, total_bytes(copy.parts)), rhash)
