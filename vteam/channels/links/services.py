"""Making and ending shares, counting visits, and confirming that a person arrived."""

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, connection, transaction

from vteam import clock
from vteam.channels.links.models import Share, SpentToken
from vteam.journal.services import record_fact
from vteam.people.models import Fan
from vteam.permissions import budgets
from vteam.rules.codes import share_code
from vteam.rules.facts import arrival_confirmed
from vteam.rules.networks import Networks

CODE_BITS = 50
_TOKENS = signing.TimestampSigner(salt="vteam.channels.links.arrival")


class ShareRefused(StrEnum):
    """Why a share was not made."""

    TOO_MANY = "too_many"


def make_share(*, fan: Fan, place: str, at: dt.datetime, kind: str = "place") -> Share | ShareRefused:
    """A new link for one place, with a code nobody else has."""
    if kind == "place" and fan.shares.filter(kind="place").count() >= settings.SHARES_PER_FAN:
        return ShareRefused.TOO_MANY
    while True:
        code = share_code(secrets.randbits(CODE_BITS))
        if not Share.objects.filter(code=code).exists():
            return Share.objects.create(
                campaign_id=fan.campaign_id, fan=fan, code=code, place=place, kind=kind, created_at=at
            )


def share_inside_copies(*, fan: Fan, at: dt.datetime) -> Share:
    """The fan's link that travels inside their copies of titles, made when the first copy is."""
    return _the_one(fan=fan, kind="copy", place="", at=at)


def share_at_hand(*, fan: Fan, place: str, at: dt.datetime) -> Share:
    """The fan's link on the screen from which they pass titles on, made when that is first shown."""
    return _the_one(fan=fan, kind="hand", place=place, at=at)


def share_in_worlds(*, fan: Fan, place: str, at: dt.datetime) -> Share | None:
    """The fan's link on flyers of virtual worlds, made with the first of them: one, however many kiosks there are.
    None while they have ended it: nobody hands on what leads nowhere.
    """
    share = _the_one(fan=fan, kind="world", place=place, at=at)
    return share if share.ended_at is None else None


def _the_one(*, fan: Fan, kind: str, place: str, at: dt.datetime) -> Share:
    found = fan.shares.filter(kind=kind).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            made = make_share(fan=fan, place=place, at=at, kind=kind)
    except IntegrityError:  # another request made it at the same moment
        return fan.shares.get(kind=kind)
    assert isinstance(made, Share), "what a fan has once has no limit to reach"
    return made


def end_share(*, share: Share, at: dt.datetime) -> None:
    """Stop a link; its visitors find a kind page. What it earned stays."""
    Share.objects.filter(pk=share.pk, ended_at=None).update(ended_at=at)


def reopen_share(*, share: Share) -> None:
    """Let an ended link lead to the campaign again."""
    Share.objects.filter(pk=share.pk).update(ended_at=None)


def count_visits(visits: Iterable[tuple[int, int]]) -> None:
    """Add visits, given as (share id, time in µs), to their shares' days. The caller holds the transaction."""
    days = Counter((share, clock.from_us(at_us).date()) for share, at_us in visits)
    known = set(Share.objects.filter(pk__in={share for share, _ in days}).values_list("pk", flat=True))
    rows = [(share, day.isoformat(), n) for (share, day), n in sorted(days.items()) if share in known]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO links_visitday (share_id, day, visits) VALUES (%s, %s, %s) "
                "ON CONFLICT (share_id, day) DO UPDATE SET visits = links_visitday.visits + excluded.visits",
                rows,
            )


# Arrivals -----------------------------------------------------------------------------------------------------
class Arrival(StrEnum):
    """What became of an arrival token."""

    CONFIRMED = "confirmed"
    TOO_EARLY = "too_early"
    SPENT = "spent"
    NOT_VALID = "not_valid"
    OWN_LINK = "own_link"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who holds a landing page: their networks (keyed hashes) and, when signed in, the fan they are."""

    networks: Networks
    fan_id: int | None


def arrival_token(*, share: Share, visitor: Visitor) -> str:
    """A one-use token for a landing page, bound to the share and the visitor's network."""
    return _TOKENS.sign_object({"s": share.pk, "w": visitor.networks.near, "n": secrets.token_urlsafe(12)})


def confirm_arrival(*, token: str, visitor: Visitor, act: str, day: str, at: dt.datetime) -> Arrival:
    """A person showed themselves on a landing page: `act` is what they did ("stayed", "played", "joined").

    Refused: a token that is forged, expired, of another network, used before, or used sooner than a person could.
    """
    content = _opened(token)
    if content is None or content["w"] != visitor.networks.near:
        return Arrival.NOT_VALID
    # A token from the future is one of before the clock was set back: no younger than that.
    if 0 <= _age_seconds(token, at) < settings.ARRIVAL_DWELL_SECONDS:
        return Arrival.TOO_EARLY
    share = Share.objects.filter(pk=content["s"], ended_at=None).first()
    if share is None:
        return Arrival.NOT_VALID
    if share.fan_id == visitor.fan_id:
        return Arrival.OWN_LINK
    per_hour = settings.ARRIVALS_PER_NETWORK_HOUR
    network = visitor.networks.near
    per_day = settings.ARRIVALS_PER_SHARE_DAY
    if not (
        budgets.take(door="arrival", key=network, limit=per_hour, window=budgets.HOUR, at=at)
        and budgets.take(door="arrival-share", key=str(share.pk), limit=per_day, window=budgets.DAY, at=at)
    ):
        return Arrival.TOO_MANY
    return record_arrival(share=share, visitor=visitor, nonce=str(content["n"]), act=act, day=day, at=at)


@transaction.atomic
def record_arrival(
    *, share: Share, visitor: Visitor, nonce: str, act: str, day: str, at: dt.datetime
) -> Arrival:
    """Record that a person came through a share; `nonce` can be used once."""
    expires = at + dt.timedelta(minutes=settings.ARRIVAL_TOKEN_MINUTES)
    _, fresh = SpentToken.objects.get_or_create(nonce=nonce, defaults={"expires_at": expires})
    if not fresh:
        return Arrival.SPENT
    fact = arrival_confirmed(
        share=share.pk,
        owner=share.fan_id,
        networks=visitor.networks.as_tuple(),
        day=day,
        by=visitor.fan_id,
        act=act,
        at_us=clock.to_us(at),
    )
    record_fact(campaign_id=share.campaign_id, fact=fact)
    return Arrival.CONFIRMED


def share_of_token(token: str) -> Share | None:
    """The share an arrival token was made for; None where the token is not valid (any more)."""
    content = _opened(token)
    return Share.objects.filter(pk=content["s"]).first() if content else None


def _opened(token: str) -> dict[str, str | int] | None:
    try:
        content: dict[str, str | int] = _TOKENS.unsign_object(
            token, max_age=settings.ARRIVAL_TOKEN_MINUTES * 60
        )
    except signing.BadSignature:
        return None
    return content


def _age_seconds(token: str, at: dt.datetime) -> float:
    """How long ago a valid token was made: the timestamp is the part before the signature."""
    stamp = token.rsplit(":", 2)[1]
    return at.timestamp() - signing.b62_decode(stamp)


def forget_spent(*, at: dt.datetime) -> int:
    """Delete the marks of tokens that have expired anyway; returns how many."""
    return SpentToken.objects.filter(expires_at__lt=at).delete()[0]
