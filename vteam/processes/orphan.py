"""A process that ends when the one which started it is gone, however that one ended.

Otherwise an orphan keeps serving with old code and old settings (granian's workers do), beside the generation that
comes after it. It ends at once: whatever was answered is durable, so there is nothing to finish, and the next
generation waits for it. On Linux the kernel sends the signal; a small thread watches everywhere.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time

POLL_SECONDS = 0.5
PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int | None = None) -> None:
    """From now on SIGKILL reaches this process when its parent is gone.

    `parent`: the parent's process id as it told its child. Without one, it is the Python that started this process
    through multiprocessing (a granian worker's server); where there is none either, nothing is watched.
    """
    if parent is None:
        started_by = multiprocessing.parent_process()
        if started_by is None or started_by.pid is None:
            return
        parent = started_by.pid
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=_watch, args=(parent,), name="parent watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
