"""The bench of passing on gives its figures from real pages and a real edge, and none for anything else."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import asdict

import pytest

from bench import tools
from bench.passing import check, talked
from bench.talkers import Order
from bench.tools import Misleading, browser
from tests.channels.edges import Edge
from vteam.errors import CannotStart

SMALL = """
from bench.passing import Sizes, measured
sizes = Sizes(rounds=1, sockets=20, signal_rounds=1, signals=2, relay_rounds=1, pairs=2, copy_bytes=700_000)
print(measured(sizes).as_json())
"""


@pytest.mark.browser
def test_everything_it_promises_is_measured() -> None:
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", SMALL], env=kept, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["bench"] == "pass-on"
    assert set(told["ratios"]) == {"http_direct", "http_relayed"}
    figures = told["figures"]
    assert figures.pop("sockets") == 20
    assert isinstance(figures.pop("kib_per_socket"), float)
    assert set(figures) == {
        "http_s",
        "direct_s",
        "relayed_s",
        "relay_mb_s",
        "relay_wall_mb_s",
        "signals_per_s",
    }
    assert min(*figures.values(), *told["ratios"].values()) > 0


def test_a_straight_way_that_was_none_is_no_figure() -> None:
    check(Counter(receipted=3, relayed=3), rounds=3)
    for recorded in (Counter(receipted=2, relayed=4), Counter(relayed=3), Counter(receipted=4, relayed=3)):
        with pytest.raises(Misleading, match="recorded"):
            check(recorded, rounds=3)


def test_pages_the_edge_does_not_let_in_are_no_figure(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTEAM_SECRET_KEY", "not the key of this edge")
    order = Order(
        edge=edge.process.pid,
        port=edge.port,
        origin="http://localhost:8000",
        campaign=3,
        title=5,
        title_bytes=1_000,
        sockets=2,
        signal_rounds=1,
        signals=1,
        relay_rounds=1,
        pairs=1,
        copy_bytes=1_000,
    )
    with pytest.raises(Misleading, match="not served"):
        talked([sys.executable, "-m", "bench.talkers", json.dumps(asdict(order))])


def test_what_is_missing_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(tools, "PATH", "")
    with pytest.raises(CannotStart, match=r"apt-get install .* chromium"):
        browser()
    monkeypatch.setitem(sys.modules, "playwright", None)
    with pytest.raises(CannotStart, match=r"make \.venv/dev\.stamp"):
        browser()
