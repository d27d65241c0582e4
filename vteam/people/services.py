"""Codes by mail, accounts and membership: one way in, for joining and for coming back.

An account exists only once its address is proven. Whether an address is known is never told.
"""

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db import transaction

from vteam.errors import SealError
from vteam.people import vault
from vteam.people.models import Fan, Pending, Person
from vteam.rules.codes import DIGITS, typed_digits

LINK_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where somebody wants to come in: a campaign (or none, to sign in) and what they typed."""

    campaign_id: int | None
    name: str
    language: str
    share_id: int | None = None
    recruiter_id: int | None = None
    after: str = ""
    asked_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A pending entry. `code` and `link_secret` are there only when they are new, to be mailed once."""

    pending: Pending
    known: bool
    code: str | None = None
    link_secret: str | None = None


class Proof(StrEnum):
    """What became of a typed code or an opened link."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    TOO_MANY_TRIES = "too_many_tries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an address stands for now: whether somebody proved it (`known`), and its entry within validity.

    `lookups`: every keyed hash it may be kept under, newest first.
    """

    lookups: tuple[bytes, ...]
    known: bool
    live: Pending | None

    @property
    def is_mailed(self) -> bool:
        """Whether a code that is still good is on its way already."""
        return self.live is not None and self.live.mailed


def find_pending(*, address: str, campaign_id: int | None, at: dt.datetime) -> Found:
    """What is there for an address; its live entry is locked until the transaction ends."""
    lookups = vault.lookups_of(address)
    live = Pending.objects.select_for_update().filter(
        lookup__in=lookups, campaign_id=campaign_id, expires_at__gt=at
    )
    return Found(
        lookups=lookups,
        known=Person.objects.filter(lookup__in=lookups).exists(),
        live=live.order_by("-created_at").first(),
    )


@transaction.atomic
def open_pending(*, address: str, entry: Entry, at: dt.datetime) -> Opened:
    """A code for an address, or the one still valid: asking again after it was mailed makes no second one."""
    found = find_pending(address=address, campaign_id=entry.campaign_id, at=at)
    return keep_pending(found=found, address=address, entry=entry, mailed=not found.is_mailed, at=at)


def keep_pending(*, found: Found, address: str, entry: Entry, mailed: bool, at: dt.datetime) -> Opened:
    """Make the entry of an address, or keep the live one; `mailed`: its code is new and goes out now.

    A live entry keeps its end and its wrong tries whatever happens, so that nobody learns from them whether a mail
    left. It takes over what was typed with the request that is mailed; a later one carries its own `Entry` along in
    its page, so that a stranger who types the same address decides nothing. Each case does the same work.
    """
    assert not (mailed and found.is_mailed), "a code on its way is not replaced"
    fresh, code, link_secret = _fresh_pending(found=found, address=address, entry=entry, at=at)
    fresh.mailed = mailed
    if not mailed:
        # Nobody can guess what nobody was told.
        fresh.code_hash, fresh.link_hash = secrets.token_bytes(32), secrets.token_bytes(32)
        fresh.link_expires_at = fresh.expires_at
    if found.live is None:
        fresh.save(force_insert=True)
    else:
        kept = fresh if mailed else found.live
        kept.save(force_update=True, update_fields=_RENEWED)
    pending = found.live or fresh
    if not mailed:
        return Opened(pending=pending, known=found.known)
    return Opened(pending=fresh, known=found.known, code=code, link_secret=link_secret)


_RENEWED = (
    "lookup",
    "sealed_key",
    "sealed_address",
    "name",
    "share_id",
    "recruiter_id",
    "after",
    "language",
    "asked_from",
    "code_hash",
    "link_hash",
    "mailed",
    "link_expires_at",
)


def _fresh_pending(*, found: Found, address: str, entry: Entry, at: dt.datetime) -> tuple[Pending, str, str]:
    code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    link_secret = secrets.token_urlsafe(24)
    key, live = vault.new_key(), found.live
    identity = live.pk if live else secrets.token_urlsafe(18)
    pending = Pending(
        id=identity,
        campaign_id=entry.campaign_id,
        lookup=found.lookups[0],
        sealed_key=key,
        sealed_address=vault.seal(key, vault.normal_address(address)),
        name=entry.name,
        share_id=entry.share_id,
        recruiter_id=entry.recruiter_id,
        after=entry.after,
        language=entry.language,
        asked_from=entry.asked_from,
        code_hash=_code_hashes(identity, code)[0],
        link_hash=vault.keyed_hash("mailed link", link_secret),
        wrong_tries=live.wrong_tries if live else 0,
        created_at=live.created_at if live else at,
        expires_at=live.expires_at if live else at + dt.timedelta(minutes=settings.CODE_MINUTES),
        link_expires_at=at + dt.timedelta(hours=LINK_HOURS),
    )
    return pending, code, link_secret


def _code_hashes(pending_id: str, code: str) -> tuple[bytes, ...]:
    return vault.keyed_hashes("mailed code", f"{pending_id}:{code}")


@transaction.atomic
def prove_by_code(*, pending: Pending, typed: str, at: dt.datetime) -> Proof:
    """Whether the typed digits are the mailed ones. Wrong tries are counted; the mail's link is not affected."""
    locked = Pending.objects.select_for_update().filter(pk=pending.pk).first()
    if locked is None or at >= locked.expires_at:
        return Proof.EXPIRED
    if locked.wrong_tries >= settings.CODE_WRONG_TRIES:
        return Proof.TOO_MANY_TRIES
    kept = bytes(locked.code_hash)
    if any(hmac.compare_digest(kept, told) for told in _code_hashes(locked.pk, typed_digits(typed))):
        return Proof.RIGHT
    locked.wrong_tries += 1
    locked.save(update_fields=["wrong_tries"])
    return Proof.WRONG


def entry_of(pending: Pending) -> Entry:
    """What was typed when this code was asked for."""
    return Entry(
        campaign_id=pending.campaign_id,
        name=pending.name,
        language=pending.language,
        share_id=pending.share_id,
        recruiter_id=pending.recruiter_id,
        after=pending.after,
        asked_from=pending.asked_from,
    )


def address_of(pending: Pending) -> str:
    """The address a code was asked for, for showing it to who typed it."""
    return vault.unseal(bytes(pending.sealed_key), bytes(pending.sealed_address))


def address_of_person(person: Person) -> str:
    """A person's own address, for their own eyes and for handing them their mail."""
    return vault.unseal(bytes(person.sealed_key), bytes(person.sealed_address))


def prove_by_link(*, link_secret: str, at: dt.datetime) -> Pending | None:
    """The pending entry whose mailed link this is, while it is valid."""
    hashes = vault.keyed_hashes("mailed link", link_secret)
    return Pending.objects.filter(link_hash__in=hashes, link_expires_at__gt=at).first()


def who_asked(pending: Pending) -> Person | None:
    """Who has the address a code was asked for, if anybody proved it before."""
    return Person.objects.filter(lookup__in=vault.lookups_of(address_of(pending))).first()


def lookups_of_person(person: Person) -> tuple[bytes, ...]:
    """Every keyed hash a person's address may be kept under; where it cannot be opened any more, their own alone."""
    try:
        return vault.lookups_of(address_of_person(person))
    except SealError:
        return (bytes(person.lookup),)


def admit(*, pending: Pending, language: str) -> Person:
    """The account of a proven address, made at its first time. Call inside the transaction that ends the entry."""
    if there := who_asked(pending):
        return there
    address, key = address_of(pending), vault.new_key()
    person, _ = Person.objects.get_or_create(
        lookup=vault.lookup_of(address),
        defaults={"sealed_key": key, "sealed_address": vault.seal(key, address), "language": language},
    )
    return person


def become_fan(
    *, person: Person, campaign_id: int, name: str, share_id: int | None, at: dt.datetime
) -> tuple[Fan, bool]:
    """The person's place in a campaign, and whether it is new."""
    return Fan.objects.get_or_create(
        campaign_id=campaign_id,
        person=person,
        defaults={"name": name, "recruited_by_share_id": share_id, "joined_at": at},
    )


def forget_expired(*, at: dt.datetime) -> int:
    """Delete pending entries whose code and link have both expired; returns how many."""
    return Pending.objects.filter(link_expires_at__lt=at).delete()[0]
