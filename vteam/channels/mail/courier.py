"""Mail in a thread of its own beside the loop of `jobs`: a slow mail server holds up letters, and no facts.

Refuses nothing: what cannot be delivered waits in the outbox, and the next turn finds it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from vteam import clock
from vteam.beside import Beside
from vteam.channels.mail.delivery import HANDING_MAX, postman, settle_unsure

PAUSE_SECONDS = 0.2
FAREWELL = "a letter was still under way at the end; whether the server took it is not known"


@contextmanager
def delivering() -> Iterator[None]:
    """Deliver what is due while the block runs."""
    if connection.vendor == "sqlite":
        # The one `jobs` of its data folder: whatever was being handed over was so by one that died.
        settle_unsure(at=clock.now() + HANDING_MAX)
    with postman() as one:

        def turn() -> float:
            at = clock.now()
            return 0.0 if one.deliver_due(at=at) + settle_unsure(at=at) else PAUSE_SECONDS

        with Beside("sending mail", turn).running(farewell=FAREWELL):
            yield
