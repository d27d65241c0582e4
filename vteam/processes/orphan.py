"""A process that ends when the one which started it is gone, however that one ended.

Otherwise an orphan keeps serving with old code and old settings (granian's workers do). On Linux the kernel sends
the signal; a small thread watches everywhere, and sees to it that a deaf process ends too.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time

POLL_SECONDS = 0.5
GRACE_SECONDS = 8.0
PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int | None = None) -> None:
    """From now on SIGTERM reaches this process when its parent is gone, and SIGKILL GRACE_SECONDS later.

    `parent`: the parent's process id as it told its child. Without one, it is the Python that started this process
    through multiprocessing (a granian worker's server); where there is none either, nothing is watched.
    """
    if parent is None:
        started_by = multiprocessing.parent_process()
        if started_by is None or started_by.pid is None:
            return
        parent = started_by.pid
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    threading.Thread(target=_watch, args=(parent,), name="parent watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
