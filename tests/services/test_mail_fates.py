"""A thousand letters of every fate through a real Postfix, `jobs` killed in between: all accounted for, none twice."""

import os
import subprocess
import sys

import pytest
from django.db import connection

SCRIPT = """
from bench.mail import fates
found, kills = fates(count=1_000, kills=4, seed=7)
assert not found.problems, found.problems[:10]
assert kills >= 3, kills
ended = found.ended
assert ended["sent"] > 500, ended
assert ended["bounced"] > 50, ended
assert ended["waiting"] > 20, ended
assert ended["unsure"] <= kills, ended
"""


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the database is the bench's own")
def test_a_thousand_letters_of_every_fate_are_all_accounted_for() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-4_000:]
