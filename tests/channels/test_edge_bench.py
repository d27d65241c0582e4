"""The bench of the short links gives no figure for anything but what it says it measures."""

from pathlib import Path

import pytest

from bench.redirect import Door
from bench.tools import Misleading, disk_under
from bench.visitors import paced
from bench.webserver import read_wrk
from tests.channels.edges import OPEN, Edge, Start, with_shares
from vteam.errors import CannotStart

WRK = """Running 2s test @ http://127.0.0.1:1/r/abcdefghij
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.52ms    1.03ms  20.11ms   91.02%
    Req/Sec    25.64k     2.10k   28.01k    70.00%
  Latency Distribution
     50%  635.00us
     75%    2.70ms
     90%    3.10ms
     99%    1.20s
  51337 requests in 2.00s, 10.72MB read
Requests/sec:  25623.91
Transfer/sec:      5.35MB
"""


def test_what_wrk_prints_is_read_in_its_units() -> None:
    load = read_wrk(WRK)
    assert (load.answers, load.per_s, load.p50_ms, load.p99_ms) == (51_337, 25_623.91, 0.635, 1200.0)


@pytest.mark.parametrize(
    "spoilt",
    [
        WRK.replace("Requests/sec", "  Non-2xx or 3xx responses: 5\nRequests/sec"),
        WRK.replace("Requests/sec", "  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec"),
        WRK.replace("99%", "98%"),
        "",
    ],
)
def test_a_load_that_was_not_answered_well_is_no_figure(spoilt: str) -> None:
    with pytest.raises(Misleading):
        read_wrk(spoilt)


def test_visitors_at_a_fixed_rate_are_as_many_as_said_and_all_on_disk(edge: Edge) -> None:
    before = len(edge.rows())
    took_ms = paced(edge.port, f"/r/{OPEN}", host="localhost", per_s=200, seconds=0.5, connections=4)
    assert len(took_ms) == 100 == len(edge.rows()) - before


def test_visitors_who_are_not_redirected_are_no_figure(edge: Edge) -> None:
    with pytest.raises(Misleading):
        paced(edge.port, "/nothing", host="localhost", per_s=200, seconds=0.1, connections=2)


def test_redirects_that_were_not_recorded_are_no_figure(tmp_path: Path, start: Start) -> None:
    edge = start(with_shares(tmp_path), DEMO="true", VISITS_PER_NETWORK_MINUTE="100").opened()
    door = Door(tmp_path, edge.port, OPEN)
    assert len(door.paced(0.2)) <= 100
    door.check()
    assert len(door.paced(0.5)) > 100  # more than one network's visits count
    with pytest.raises(Misleading, match="recorded"):
        door.check()
    edge.stop()


def test_memory_is_no_disk() -> None:
    assert disk_under(Path("/proc/self")) == "proc"
    with pytest.raises(CannotStart, match="TMPDIR"):
        disk_under(Path("/dev/shm"))
