"""Programs by what their peer ids say."""

import pytest

from vteam.channels.swarm.torrents.programs import Program, program_of


@pytest.mark.parametrize(
    ("peer_id", "program", "version"),
    [
        (b"-TR3000-abcdefghijkl", Program.TRANSMISSION, "3.00"),
        (b"-TR4060-abcdefghijkl", Program.TRANSMISSION, "4.0.6"),
        (b"-qB4520-abcdefghijkl", Program.QBITTORRENT, "4.5.2"),
        (b"-LT20B0-abcdefghijkl", Program.LIBTORRENT, "2.0.11"),
        (b"A2-1-36-0-abcdefghij", Program.ARIA2, "1.36.0"),
        (b"\xff" * 20, Program.OTHER, ""),
    ],
)
def test_programs_are_known_by_their_peer_ids(peer_id: bytes, program: Program, version: str) -> None:
    assert program_of(peer_id) == (program, version)
