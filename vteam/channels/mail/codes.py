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

from vteam.channels.mail.models import OutboxMessage, new_token
from vteam.people import vault
from vteam.people.models import Pending
from vteam.people.services import Entry, Opened, Proof, find_pending, keep_pending, prove_by_code
from vteam.permissions.codes import give_back_try, may_ask_code, may_try_code, refuse_for_ever
from vteam.rules.grants import Purpose

_NEVER = signing.Signer(salt="vteam.channels.mail.never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Where the request came from: the keyed hash of its network, and the address our pages have for it."""

    network: str
    base_url: str


@transaction.atomic
def ask_code(*, address: str, entry: Entry, asker: Asker, link_path: str, at: dt.datetime) -> Pending:
    """Open a pending entry for an address and put its code on the way, where that is permitted.

    Where it is not, the entry looks and lives the same, and its code is one nobody knows.
    """
    entry = replace(entry, asked_from=asker.network)
    found = find_pending(address=address, campaign_id=entry.campaign_id, at=at)
    send = may_ask_code(
        lookups=found.lookups, known=found.known, wanted=not found.is_mailed, network=asker.network, at=at
    )
    opened = keep_pending(found=found, address=address, entry=entry, mailed=send, at=at)
    _enqueue(opened=opened, address=address, asker=asker, link_path=link_path, at=at)
    return opened.pending


def _enqueue(*, opened: Opened, address: str, asker: Asker, link_path: str, at: dt.datetime) -> None:
    pending, key = opened.pending, vault.new_key()
    never = _NEVER.sign(bytes(pending.lookup).hex())
    content = {
        "to": vault.normal_address(address),
        "language": pending.language,
        "code": opened.code or "",
        "link": f"{asker.base_url}{link_path}?{urlencode({'k': opened.link_secret or ''})}",
        "never": f"{asker.base_url}/never?{urlencode({'k': never})}",
        # An entry that waited for its code keeps its end.
        "minutes": max(1, (pending.expires_at - at) // dt.timedelta(minutes=1)),
    }
    OutboxMessage.objects.create(
        purpose=Purpose.CODE,
        lookup=bytes(pending.lookup),
        sealed_key=key,
        sealed=vault.seal(key, json.dumps(content)),
        is_null=opened.code is None,
        token=new_token(),
        created_at=at,
        due_at=at,
        useless_at=at + dt.timedelta(minutes=settings.CODE_MINUTES),
    )


def try_code(*, pending: Pending, typed: str, network: str, at: dt.datetime) -> Proof:
    """`prove_by_code`, held to the budget of wrong codes of the network they are typed in."""
    if not may_try_code(network=network, at=at):
        return Proof.TOO_MANY_TRIES
    proof = prove_by_code(pending=pending, typed=typed, at=at)
    if proof is not Proof.WRONG:
        give_back_try(network=network, at=at)
    return proof


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
