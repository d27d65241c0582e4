"""Asking for a code as the pages do, and counting what would really leave."""

import datetime as dt

from tests.cast import AT, entry
from vteam.channels.mail.codes import Asker, ask_code
from vteam.channels.mail.models import OutboxMessage
from vteam.people.models import Pending
from vteam.people.services import Entry

C = 7
BO = "bo@example.org"
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def ask(
    address: str = BO, *, at: dt.datetime = AT, network: str = "near", wanted: Entry | None = None
) -> Pending:
    asker = Asker(network=network, base_url="http://localhost:8000")
    return ask_code(address=address, entry=wanted or entry(C), asker=asker, link_path="/code", at=at)


def mailed() -> int:
    """How many messages would really leave."""
    return OutboxMessage.objects.filter(is_null=False).count()
