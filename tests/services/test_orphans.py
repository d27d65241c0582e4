"""What a process started ends with it, however it ended."""

import signal
import subprocess
import sys

import pytest

from tests.channels.edges import eventually
from tests.services.running import alive

CHILD = (
    "import os, sys, time\nfrom vteam.processes.orphan import end_with_parent\n{before}\n"
    "end_with_parent(int(sys.argv[1]))\nprint(os.getpid(), flush=True)\ntime.sleep(600)"
)
PARENT = (
    "import os, subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-c', {child!r}, str(os.getpid())])\ntime.sleep(600)"
)


@pytest.mark.parametrize(
    "before",
    [
        "",
        # Where the kernel does not tell, the watching thread does.
        "sys.platform = 'another'",
        # And a deaf process ends as well.
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    ],
)
def test_a_child_ends_with_its_parent(before: str) -> None:
    script = PARENT.format(child=CHILD.format(before=before))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
        eventually(lambda: not alive(child))


def test_a_child_whose_parent_is_already_gone_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD.format(before=""), "1"], stdout=subprocess.PIPE
    ) as child:
        assert child.wait(timeout=20) == -signal.SIGKILL


def test_who_was_started_by_nobody_is_left_alone() -> None:
    script = (
        "import threading\nfrom vteam.processes.orphan import end_with_parent\nend_with_parent()\n"
        "print(threading.active_count())"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "1\n"
