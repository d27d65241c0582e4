"""Letters that have not left, under the newest master key."""

import json

from vteam.channels.mail.models import OutboxMessage
from vteam.people import vault
from vteam.people.rotation import Rekeyed, Tell, rekey


def rekey_letters(*, tell: Tell) -> Rekeyed:
    """Bring what waits to the newest master key. What has left has no address any more, and goes within a week."""
    waiting = OutboxMessage.objects.filter(state=OutboxMessage.WAITING)
    return rekey(waiting, _address, what="letters", tell=tell)


def _address(message: OutboxMessage) -> str | None:
    """Who a letter is to, where it is kept by their address."""
    content = json.loads(vault.unseal(bytes(message.sealed_key), bytes(message.sealed)))
    return content["to"] if bytes(message.lookup) else None
