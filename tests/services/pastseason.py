"""A season that is over, for the folders of `landing`: its prizes offered, claimed, drawn, given and let in by.

Its last concert is today. Everything else happened in the days before, by the product's own services.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from tests import cast
from vteam.campaigns.check import check_campaign
from vteam.campaigns.file import CampaignFile, PrizeEntry
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign, Organiser
from vteam.campaigns.organisers import invite, take_invitation
from vteam.campaigns.services import apply_campaign, freeze_results
from vteam.campaigns.values import day_of
from vteam.channels.erasing import erase
from vteam.channels.links.models import Share
from vteam.channels.links.services import make_share
from vteam.channels.mail.telling import tell_winners
from vteam.demo.opening import demo_folder
from vteam.fetching import Failed
from vteam.people.models import Fan
from vteam.prizes.claims import Claim, Claimed, claim, decline, details_of, sent
from vteam.prizes.doors import Heard, end_door, let_in, open_door
from vteam.prizes.draws import announce, enter_free, take_randomness
from vteam.prizes.models import Door, Draw, Offer
from vteam.prizes.offers import offer_due
from vteam.prizes.rounds import begin_try, try_failed
from vteam.prizes.senders import take_on
from vteam.prizes.suppliers import Heard as Kept
from vteam.prizes.suppliers import Said, asked_text, make_link, speak
from vteam.prizes.tickets import give_on, good_tickets
from vteam.rules.beacons import QUICKNET
from vteam.rules.canonical import digest
from vteam.rules.drawrecords import commitment_to, from_beacon, from_commitments
from vteam.rules.grants import Purpose
from vteam.rules.tickets import Became

SLUG = "maree-passee"
CONCERT, RECORD, DRAWN, WAITING = "concert", "signed-record", "soundcheck", "second-soundcheck"
SETTLED_DAYS_AGO = 6
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
SECRETS = {"Ana": "a1" * 32, "Bo": "b0" * 32}
AT_HOME = {
    "name": "Bo Le Goff", "street": "3 rue du Port", "more": "", "postcode": "29680", "town": "Roscoff",
    "country": "FR",
}  # fmt: skip


def past_season(at: dt.datetime) -> dict[str, Any]:
    """The season from its first day until `at`, its last concert's; returns what was told and handed out in secret."""
    file = _file(at)
    campaign = apply_campaign(file=file, folder=demo_folder(), at=file.season.starts_at).campaign
    bo, elio, flo = _play(campaign)
    ana = _organiser(campaign)
    told: dict[str, Any] = {"supplier": _supplied(campaign)}
    settled = file.season.settled_at + HOUR
    assert freeze_results(at=settled) == 1
    cast.move()
    offer_due(at=settled + HOUR)
    tell_winners(at=settled + HOUR)
    claimed = settled + DAY
    _claim_places(campaign, bo, elio, claimed)
    told["parent"] = _claim_records(campaign, ana, bo, elio, claimed)
    _draw(campaign, settled + DAY)
    _wait_for_a_round(campaign, at)
    told["door"] = _stand_at_the_door(campaign, bo, at)
    erase(person=flo.person, at=at)
    cast.move()
    claims = Offer.objects.filter(details__isnull=False).select_related("fan__person")
    return told | {"claims": {str(each.pk): details_of(each) for each in claims}}


def _file(at: dt.datetime) -> CampaignFile:
    """The demo's, with its season settled some days ago, its last concert today, and another draw."""
    file = check_campaign(demo_folder()).file
    assert file is not None and file.season.settled is not None
    today = at.astimezone(ZoneInfo(file.season.time_zone)).date()
    settled = today - dt.timedelta(days=SETTLED_DAYS_AGO)
    moved = file.shifted((settled - day_of(file.season.settled)).days)
    evening = dt.datetime.combine(today, dt.time(20, 30))
    concerts = (
        each.model_copy(update={"at": evening}) if each.key == "last-night" else each
        for each in moved.concerts
    )
    drawn = next(prize for prize in moved.prizes if prize.key == DRAWN)
    prizes = (*moved.prizes, drawn.model_copy(update={"key": WAITING, "confirmed": True}))
    return moved.model_copy(update={"slug": SLUG, "concerts": tuple(concerts), "prizes": prizes})


def _prize(campaign: Campaign, key: str) -> PrizeEntry:
    return next(prize for prize in campaign.file.prizes if prize.key == key)


def _offer(fan: Fan, key: str) -> Offer:
    return Offer.objects.get(fan=fan, prize=key)


def _play(campaign: Campaign) -> tuple[Fan, Fan, Fan]:
    """Bo brings two in and Elio one; two take part in the draw without a mission. Bo, Elio and Flo."""
    at = campaign.file.season.starts_at + DAY
    bo = cast.join(campaign.pk, "Bo", at=at)
    cast.allow(bo, Purpose.WON, at=at)
    bos = make_share(fan=bo, place="the ska forum", at=at)
    assert isinstance(bos, Share)
    elio = cast.join(campaign.pk, "Elio", share=bos, at=at + DAY)
    flo = cast.join(campaign.pk, "Flo", share=bos, at=at + DAY)
    elios = make_share(fan=elio, place="lycée", at=at + DAY)
    assert isinstance(elios, Share)
    gil = cast.join(campaign.pk, "Gil", share=elios, at=at + 2 * DAY)
    for fan in (flo, gil):
        assert enter_free(campaign=campaign, prize=_prize(campaign, DRAWN), fan=fan, at=at + 3 * DAY)
    cast.move()
    return bo, elio, flo


def _organiser(campaign: Campaign) -> Organiser:
    at = campaign.file.season.starts_at
    secret = invite(campaign=campaign, name="Ana", at=at)
    assert secret is not None
    ana = take_invitation(secret=secret, person=account(address="ana@example.org", language="en", at=at))
    assert ana is not None
    return ana


def _supplied(campaign: Campaign) -> str:
    """Who supplies the prizes says yes to two and no to one; the secret of the link for the first."""
    at = campaign.file.season.starts_at + 10 * DAY
    links = {}
    for key, said in ((RECORD, Said.YES), (DRAWN, Said.YES), ("poster", Said.NO)):
        prize = _prize(campaign, key)
        links[key] = make_link(campaign=campaign, prize=prize, at=at)
        seen = digest(asked_text(campaign, prize))
        assert speak(secret=links[key], said=said, seen=seen, name="La Cale sèche", at=at) is Kept.KEPT
    return links[RECORD]


# Claims -------------------------------------------------------------------------------------------------------------
def _claim_places(campaign: Campaign, bo: Fan, elio: Fan, at: dt.datetime) -> None:
    """Both claim their two places at the concert; Bo's second is given on."""
    for fan, details in ((bo, {"name": "Bo Le Goff"}), (elio, {"name": "Elio Prigent"})):
        told = Claim(details=details, is_adult=True, shows_name=fan == bo)
        assert claim(offer=_offer(fan, CONCERT), claim=told, at=at) == (Claimed.CLAIMED, "")
    assert give_on(ticket=good_tickets(_offer(bo, CONCERT))[1], name="Maël", at=at + HOUR) is not None


def _claim_records(campaign: Campaign, ana: Organiser, bo: Fan, elio: Fan, at: dt.datetime) -> str:
    """Bo's record is on its way; Elio's waits for a parent: the secret of their link."""
    take_on(campaign=campaign, prize=RECORD, organiser=ana, at=at)
    became, _ = claim(offer=_offer(bo, RECORD), claim=Claim(details=AT_HOME, is_adult=True), at=at)
    assert became is Claimed.CLAIMED
    assert sent(offer=_offer(bo, RECORD), at=at + DAY, note="Posted in Port-Lierre.")
    minors = Claim(details=AT_HOME | {"name": "Elio Prigent"}, is_adult=False)
    became, secret = claim(offer=_offer(elio, RECORD), claim=minors, at=at)
    assert became is Claimed.WAITS_FOR_PARENT
    return secret


# Draws --------------------------------------------------------------------------------------------------------------
def _draw(campaign: Campaign, at: dt.datetime) -> None:
    """One is void, since too few revealed; the next is drawn, and what its first winner does not want is offered on."""
    void = _announced(campaign, DRAWN, _commitments(until=at + HOUR), at + HOUR, at)
    take_randomness(draw=void, came={"revealed": {"Ana": SECRETS["Ana"]}}, at=at)
    take_randomness(draw=void, came={}, at=at + HOUR)
    again = at + 2 * HOUR
    drawn = _announced(campaign, DRAWN, _commitments(until=again + HOUR), again + HOUR, again)
    take_randomness(draw=drawn, came={"revealed": SECRETS}, at=again)
    offer_due(at=again + HOUR)
    assert decline(offer=Offer.objects.get(campaign_id=campaign.pk, prize=DRAWN, number=1), at=again + DAY)
    offer_due(at=again + DAY)


def _commitments(*, until: dt.datetime) -> dict[str, Any]:
    commitments = {name: commitment_to(name, secret) for name, secret in SECRETS.items()}
    return from_commitments(commitments, until=until, at_least=2)


def _announced(
    campaign: Campaign, key: str, source: Mapping[str, Any], draws_at: dt.datetime, at: dt.datetime
) -> Draw:
    prize = _prize(campaign, key)
    draw = announce(campaign=campaign, prize=prize, randomness=source, draws_at=draws_at, at=at)
    assert isinstance(draw, Draw), draw
    return draw


def _wait_for_a_round(campaign: Campaign, at: dt.datetime) -> None:
    """A draw whose round has come, and could not be fetched yet."""
    comes = at - HOUR
    source = from_beacon(QUICKNET, QUICKNET.round_at(int(comes.timestamp())))
    draw = _announced(campaign, WAITING, source, comes, at - DAY)
    begin_try(draw=draw, at=at - dt.timedelta(minutes=1))
    try_failed(draw=draw, why=Failed.UNREACHABLE, at=at - dt.timedelta(minutes=1))


# The concert --------------------------------------------------------------------------------------------------------
def _stand_at_the_door(campaign: Campaign, bo: Fan, at: dt.datetime) -> str:
    """Bo is in; the back door, which is closed since, let the same ticket in. The code of the door that is open."""
    (front, code), (back, _) = (_opened(campaign, name, at) for name in ("Main entrance", "Back door"))
    ticket = good_tickets(_offer(bo, CONCERT))[0]
    for door, offline, became in ((front, False, Became.IN), (back, True, Became.ALREADY_IN)):
        heard = Heard(scan=secrets.token_bytes(16), at=at, offline=offline, let_in=offline)
        assert let_in(door=door, ticket=ticket, heard=heard).became is became
    end_door(door=back, at=at)
    return code


def _opened(campaign: Campaign, name: str, at: dt.datetime) -> tuple[Door, str]:
    concert = campaign.file.concert("last-night")
    assert concert is not None
    opened = open_door(campaign=campaign, concert=concert, name=name, at=at)
    assert opened is not None
    return opened
