"""Mail in a thread of its own beside the loop of `jobs`: a slow mail server holds up letters, and no facts.

Refuses nothing: what cannot be delivered waits in the outbox, and the next turn finds it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from vteam import clock
from vteam.beside import Beside
from vteam.channels.mail.delivery import Postman, postman, settle_left_behind, settle_unsure

PAUSE_SECONDS = 0.2
FAREWELL = "a letter was still under way at the end; whether the server took it is not known"


@contextmanager
def delivering() -> Iterator[None]:
    """Deliver what is due while the block runs."""
    with postman() as one, Beside("sending mail", _Turn(one)).running(farewell=FAREWELL):
        yield


class _Turn:
    """The first settles what the process before this one left behind."""

    def __init__(self, one: Postman) -> None:
        self._postman, self._settled = one, False

    def __call__(self) -> float:
        at = clock.now()
        if not self._settled:
            settle_left_behind(at=at)
            self._settled = True
        return 0.0 if self._postman.deliver_due(at=at) + settle_unsure(at=at) else PAUSE_SECONDS
