"""Letters that have not left, under the newest master key."""

import json

from vteam.channels.mail.models import OutboxMessage
from vteam.people import vault
from vteam.people.rotation import Rekeyed, Tell, rekey
from vteam.rules.grants import Purpose


def rekey_letters(*, tell: Tell) -> Rekeyed:
    """Bring the codes that wait to the newest master key. What has left has no address any more, and goes within a
    week; what rests on a yes carries none.
    """
    states = (OutboxMessage.WAITING, OutboxMessage.HANDING)
    waiting = OutboxMessage.objects.filter(purpose=Purpose.CODE, state__in=states)
    return rekey(waiting, _address, what="letters", tell=tell)


def _address(message: OutboxMessage) -> str | None:
    """Who a letter is to, where it is kept by their address."""
    content = json.loads(vault.unseal(bytes(message.sealed_key), bytes(message.sealed)))
    return content["to"] if bytes(message.lookup) else None
