"""Which program a peer is, as far as its peer id says so (BEP 20). It is its own word, for showing and for advice."""

import re
from enum import StrEnum


class Program(StrEnum):
    """The programs we know what to say about."""

    ARIA2 = "aria2"
    TRANSMISSION = "Transmission"
    QBITTORRENT = "qBittorrent"
    LIBTORRENT = "libtorrent"
    DELUGE = "Deluge"
    OTHER = ""


_AZUREUS = re.compile(rb"-([A-Za-z]{2})([0-9A-Za-z])([0-9A-Za-z])([0-9A-Za-z])[0-9A-Za-z.]-")
_ARIA2 = re.compile(rb"A2-(\d{1,3})-(\d{1,3})-(\d{1,3})-")
_LETTERS = {
    b"TR": Program.TRANSMISSION,
    b"qB": Program.QBITTORRENT,
    b"LT": Program.LIBTORRENT,
    b"lt": Program.LIBTORRENT,
    b"DE": Program.DELUGE,
}


def program_of(peer_id: bytes) -> tuple[Program, str]:
    """The program a peer id (20 bytes) names, and its version ("" where it is not told)."""
    if found := _ARIA2.match(peer_id):
        return Program.ARIA2, ".".join(str(int(number)) for number in found.groups())
    found = _AZUREUS.match(peer_id)
    program = _LETTERS.get(found[1]) if found else None
    if found is None or program is None:
        return Program.OTHER, ""
    major, minor, patch = (
        str(int(digit, 36)) for digit in (found[2].decode(), found[3].decode(), found[4].decode())
    )
    if program is Program.TRANSMISSION:
        # 3.00 is written 3000, 4.0.6 is written 4060.
        return program, f"{major}.{minor}{patch}" if int(major) < 4 else f"{major}.{minor}.{patch}"
    return program, f"{major}.{minor}.{patch}"


def name_of(peer_id: bytes) -> str:
    """The program and its version, for showing; "" where the peer id says nothing we know."""
    return " ".join(program_of(peer_id)).strip()
