"""The bench of the witness gives its figures from a real witness, and none where a download was missed."""

import json
import os
import subprocess
import sys

import pytest

from bench.tools import Misleading
from bench.witness import Sizes, check

SMALL = """
from bench.witness import Sizes, measured
print(measured(Sizes(few=20, many=220, downloads=20, pieces=10, seconds=2)).as_json())
"""
SIZES = Sizes(few=1, many=2, downloads=20, pieces=10, seconds=2)


def test_everything_it_promises_is_measured() -> None:
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", SMALL], env=kept, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["bench"], told["ratios"]) == ("witness", {})
    figures = told["figures"]
    assert (figures.pop("connections"), figures.pop("downloads")) == (220, 20)
    assert isinstance(figures.pop("kib_per_connection"), float)
    assert set(figures) == {"core_share", "us_per_have"}
    assert min(figures.values()) > 0


@pytest.mark.parametrize("seen", [{"whole": 19, "not_right": 0}, {"whole": 20, "not_right": 1}])
def test_a_download_that_was_missed_is_no_figure(seen: dict[str, int]) -> None:
    check({"whole": 20, "not_right": 0}, SIZES)
    with pytest.raises(Misleading, match="saw"):
        check(seen, SIZES)
