"""The bench of announces: figures where all three trackers answer with the same peers, and none otherwise."""

import json

from tests.channels.benchscripts import run

SMALL = """
from bench.announce import Sizes, measured
print(measured(Sizes(swarms=50, rounds=2, announces=400)).as_json())
"""
DIFFERENT = """
import bench.announce
from bench.announce import Sizes, measured
bench.announce.FRIENDS_PER_SWARM += 1
measured(Sizes(swarms=5, rounds=1, announces=50))
"""


def test_everything_it_promises_is_measured() -> None:
    done = run(SMALL)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["bench"] == "announce"
    assert set(told["figures"]) == {"per_s", "per_cpu_s", "opentracker_per_s", "npm_tracker_per_s"}
    assert set(told["ratios"]) == {"opentracker", "npm_tracker", "opentracker_cpu", "npm_tracker_cpu"}
    assert min(*told["figures"].values(), *told["ratios"].values()) > 0


def test_answers_with_different_peers_are_no_figure() -> None:
    done = run(DIFFERENT)
    assert done.returncode != 0
    assert "not of as many as the others" in done.stderr
