"""Fans' torrents: made from what all of a title's have in common, beside hashing each fan's copy whole.

Ours is everything a fan's torrent takes: their link set into the tag, the hash of its piece, the info dictionary, its
hash and the file for friends. The peers, libtorrent and torf, hash one such copy on disk, again and again. All on one
core; the three must agree on the hash, or there is no figure.
"""

import hashlib
import itertools
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import libtorrent
import torf

from bench.report import Report
from bench.rounds import interleaved, median_ratio, on_core
from bench.tools import Misleading
from vteam.channels.copies.tag import TagTemplate, personal, piece_bytes_for, tag_template
from vteam.channels.swarm.torrents.metainfo import Template, hashes_of, info_hash_of, info_of, torrent_file

CORE = 0
BODY_BYTES, COVER_BYTES = 5_000_000, 40_000
LINK = "https://team.example.org/r/{:010d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Rounds in turn, and how many torrents of each kind one round makes."""

    rounds: int
    ours: int
    theirs: int


QUICK = Sizes(rounds=5, ours=4_000, theirs=3)
FULL = Sizes(rounds=21, ours=20_000, theirs=10)


def run(*, quick: bool) -> Report:
    """The whole bench, short or long."""
    return measured(QUICK if quick else FULL)


def measured(sizes: Sizes) -> Report:
    """Torrents a second, ours and the peers'."""
    tag, template = _title()
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as name, on_core(CORE):
        copy = Path(name) / template.name
        copy.write_bytes(personal(tag, LINK.format(0)) + secrets.token_bytes(BODY_BYTES))
        body = copy.read_bytes()[len(tag.bytes) :]
        template = replace(template, body=hashes_of(body, template.piece_bytes))
        _agree(tag, template, copy)
        given = interleaved(
            {
                "ours": lambda: _rate(lambda: _ours(tag, template, next(numbers)), sizes.ours),
                "libtorrent": lambda: _rate(lambda: _libtorrent(copy, template), sizes.theirs),
                "torf": lambda: _rate(lambda: _torf(copy, template), sizes.theirs),
            },
            rounds=sizes.rounds,
        )
    return Report(
        bench="torrents",
        figures={
            "per_s": statistics.median(given["ours"]),
            "libtorrent_per_s": statistics.median(given["libtorrent"]),
            "torf_per_s": statistics.median(given["torf"]),
        },
        ratios={peer: median_ratio(given["ours"], given[peer]) for peer in ("libtorrent", "torf")},
        notes=[
            f"a title of {template.size:,} bytes in {template.pieces} pieces; one core; {sizes.rounds} rounds"
        ],
    )


def _title() -> tuple[TagTemplate, Template]:
    piece_bytes = piece_bytes_for(BODY_BYTES)
    tag = tag_template(
        title="A title",
        artist="A band",
        album="An album",
        year=2026,
        cover_jpeg=secrets.token_bytes(COVER_BYTES),
        piece_bytes=piece_bytes,
        link_length=len(LINK.format(0)),
    )
    size = len(tag.bytes) + BODY_BYTES
    return tag, Template(id=1, name="A band - A title.mp3", size=size, piece_bytes=piece_bytes, body=b"")


def _ours(tag: TagTemplate, template: Template, number: int) -> bytes:
    """A fan's torrent; returns its hash."""
    first = hashes_of(personal(tag, LINK.format(number)), template.piece_bytes)
    torrent_file(info_of(template, first), announce="https://team.example.org/announce/" + "0" * 30)
    return info_hash_of(template, first)


def _libtorrent(copy: Path, template: Template) -> bytes:
    """The whole copy's hashes by libtorrent; returns the info dictionary."""
    files = [libtorrent.create_file_entry(template.name, template.size)]
    made = libtorrent.create_torrent(files, template.piece_bytes, libtorrent.create_torrent.v1_only)
    made.set_priv(True)
    libtorrent.set_piece_hashes(made, str(copy.parent))
    return bytes(libtorrent.bencode(made.generate()[b"info"]))


def _torf(copy: Path, template: Template) -> bytes:
    """The same by torf; returns the torrent's hash."""
    made = torf.Torrent(path=copy, private=True, piece_size=template.piece_bytes)
    made.generate(threads=1)
    return bytes.fromhex(made.infohash)


def _agree(tag: TagTemplate, template: Template, copy: Path) -> None:
    """What ours makes of a copy is what the peers make of it."""
    theirs = {
        "libtorrent": hashlib.sha1(_libtorrent(copy, template), usedforsecurity=False).digest(),
        "torf": _torf(copy, template),
    }
    for peer, info_hash in theirs.items():
        if info_hash != _ours(tag, template, 0):
            raise Misleading(f"{peer} makes another torrent of the same copy")


def _rate(make: Callable[[], object], times: int) -> float:
    """So many a second."""
    begun = time.perf_counter()
    for _ in range(times):
        make()
    return times / (time.perf_counter() - begun)
