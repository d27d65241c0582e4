"""Mail in a thread of its own beside the loop of `jobs`: a slow mail server holds up letters, and no facts.

Refuses nothing: what cannot be delivered waits in the outbox, and the next turn finds it.
"""

from contextlib import AbstractContextManager

from vteam import clock
from vteam.beside import Beside
from vteam.channels.mail.delivery import deliver_due

PAUSE_SECONDS = 0.2
FAREWELL = "a letter was still under way at the end; if the server took it, it may come twice"


def delivering() -> AbstractContextManager[None]:
    """Deliver what is due while the block runs."""
    return Beside("sending mail", _turn).running(farewell=FAREWELL)


def _turn() -> float:
    return 0.0 if deliver_due(at=clock.now()) else PAUSE_SECONDS
