"""A bench's functions in a process of their own, as the command runs them: without the settings of tests."""

import os
import subprocess
import sys


def run(script: str) -> subprocess.CompletedProcess[str]:
    """The script's end, with what it printed."""
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-c", script], env=kept, capture_output=True, text=True, timeout=180, check=False
    )
