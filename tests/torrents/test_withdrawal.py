"""The band takes a title back: announces and connections end within seconds."""

from pathlib import Path

from tests.torrents import programs
from tests.torrents.installation import EDGE, Installation
from tests.torrents.networks import Internet
from tests.torrents.programs import Program
from vteam.edge import clients


def test_a_withdrawal_ends_announces_and_connections_within_seconds(
    net: Internet, vteam: Installation, tmp_path: Path, running: list[Program]
) -> None:
    (given,) = vteam.fans("bo")
    running.append(programs.libtorrent(net.host(), tmp_path / "own", given.mine, upload=20))
    running[0].whole()
    running.append(programs.libtorrent(net.host(), tmp_path / "friend", given.friends))
    listing = ["ss", "-Htn", "state", "established", "sport", "=", ":8002"]
    vteam.eventually(lambda: len(vteam.host.run(*listing).splitlines()) >= 2, seconds=30)
    query = "info_hash=" + "%".join(["", *(given.info_hash[at : at + 2] for at in range(0, 40, 2))])
    key = Path(given.friends).read_bytes().partition(b"/announce/")[2][:30].decode()
    address = f"http://{vteam.host.four}:{EDGE}/announce/{key}"
    asked = [
        "curl",
        "-s",
        "--output",
        "-",
        f"{address}?{query}&peer_id=-XX0000-abcdefghijkl&port=9999&left=1",
    ]
    assert "interval" in vteam.host.run(*asked)
    vteam.withdraw()
    # Asking takes its time here, several programs each time; the edge asks its gate often enough for five seconds.
    vteam.eventually(
        lambda: "taken this title back" in vteam.host.run(*asked) and not vteam.host.run(*listing).strip(),
        seconds=15,
    )
    assert clients.TURN_SECONDS + clients.UNASKED_SECONDS_MAX <= 5
