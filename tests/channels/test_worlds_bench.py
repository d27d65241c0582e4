"""The bench of the door for virtual worlds: figures where every answer was right and every request believed once."""

import json

from tests.channels.benchscripts import run

SMALL = """
from bench.worlds import Sizes, measured
print(measured(Sizes(kiosks=20, rounds=1, seconds=1, beating_seconds=1)).as_json())
"""
WRONG = """
import bench.kiosks
from bench.worlds import Sizes, measured
bench.kiosks.signature = lambda secret, message: "0" * 64
measured(Sizes(kiosks=2, rounds=1, seconds=0.1, beating_seconds=1))
"""


def test_everything_it_promises_is_measured() -> None:
    done = run(SMALL)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["bench"] == "worlds"
    figures = told["figures"]
    assert set(figures) == {
        "touches_per_s", "touch_p50_ms_1conn", "p50_ms", "p99_ms", "max_ms", "heartbeats_per_s", "heartbeats",
        "kiosks", "errors", "sync_p50_ms", "sync_p99_ms",
    }  # fmt: skip
    assert (figures.pop("errors"), figures["kiosks"], figures["heartbeats_per_s"]) == (0, 20, 4)
    assert min(figures.values()) > 0


def test_answers_that_are_refusals_are_no_figure() -> None:
    done = run(WRONG)
    assert done.returncode != 0
    assert "answers were wrong" in done.stderr
    assert "403" in done.stderr
