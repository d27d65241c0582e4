"""The one message a stranger's typing can cause: the code they asked for. No promotion, and a way to refuse.

Known, unknown, refused and over-budget addresses get the same answer, and cost the same work.
"""

import datetime as dt
import json
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db import transaction

from vteam.channels.mail.models import OutboxMessage
from vteam.people import vault
from vteam.people.models import Pending
from vteam.people.services import Entry, Opened, forget_code, note_mailed, open_pending
from vteam.permissions.services import Purpose, may_ask_code, refuse_for_ever

_NEVER = signing.Signer(salt="vteam.channels.mail.never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Where the request came from: the keyed hash of its network, and the address our pages have for it."""

    network: str
    base_url: str


@transaction.atomic
def ask_code(*, address: str, entry: Entry, asker: Asker, link_path: str, at: dt.datetime) -> Pending:
    """Open a pending entry for an address and put its code on the way, where that is permitted.

    A code that is not mailed is forgotten at once, so that nobody can guess it; what it leaves is pruned soon.
    """
    entry = replace(entry, asked_from=asker.network)
    opened = open_pending(address=address, entry=entry, at=at)
    lookup = bytes(opened.pending.lookup)
    is_new = opened.code is not None
    send = is_new and may_ask_code(lookup=lookup, known=opened.known, network=asker.network, at=at)
    if send:
        note_mailed(pending=opened.pending)
    elif is_new:
        forget_code(pending=opened.pending)
    _enqueue(opened=opened, address=address, asker=asker, link_path=link_path, send=send, at=at)
    return opened.pending


def _enqueue(
    *, opened: Opened, address: str, asker: Asker, link_path: str, send: bool, at: dt.datetime
) -> None:
    pending, key = opened.pending, vault.new_key()
    never = _NEVER.sign(bytes(pending.lookup).hex())
    content = {
        "to": vault.normal_address(address),
        "language": pending.language,
        "code": opened.code or "",
        "link": f"{asker.base_url}{link_path}?{urlencode({'k': opened.link_secret or ''})}",
        "never": f"{asker.base_url}/never?{urlencode({'k': never})}",
        "minutes": settings.CODE_MINUTES,
    }
    OutboxMessage.objects.create(
        purpose=Purpose.CODE,
        lookup=bytes(pending.lookup),
        sealed_key=key,
        sealed=vault.seal(key, json.dumps(content)),
        is_null=not send,
        created_at=at,
        due_at=at,
        useless_at=pending.expires_at,
    )


def never_again(*, token: str, at: dt.datetime) -> bool:
    """Stop every code to the address a mail's "not me, never again" link was made for; False for a wrong token."""
    lookup = refused_by(token)
    if lookup is None:
        return False
    refuse_for_ever(lookup=lookup, act="the mail's own link", at=at)
    return True


def refused_by(token: str) -> bytes | None:
    """The address hash a "never again" token was made for, or None."""
    try:
        return bytes.fromhex(_NEVER.unsign(token))
    except (signing.BadSignature, ValueError):
        return None
