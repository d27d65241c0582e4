"""Tickets of concerts: made when a place is claimed, sealed, given on or not, void with their offer, then forgotten."""

import datetime as dt

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.services.winners import EVENING, NIGHT, SETTLED, came, offered, places, the, won
from vteam.campaigns.models import Campaign
from vteam.people.erasure import erase_account
from vteam.prizes import offers
from vteam.prizes.claims import Claim, Claimed, claim, decline, details_of, parent_confirms
from vteam.prizes.models import Offer, Ticket
from vteam.prizes.offers import forget_details, move_offer, offer_due
from vteam.prizes.tickets import (
    GIVEN_ON_AT_MOST,
    KEPT_AFTER,
    give_on,
    good_tickets,
    guests,
    may_change_hands,
    public_keys,
    told_by,
)
from vteam.rules.prizes import State, Who
from vteam.rules.tickets import hash_of, read_code, signed_bytes

pytestmark = pytest.mark.django_db(transaction=True)


def reread(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("offer__fan__person").get(pk=ticket.pk)


def code(ticket: Ticket) -> str:
    told = told_by(ticket)
    assert told is not None
    return told.code


def test_a_claimed_place_is_a_signed_ticket_each_sealed_and_known_by_a_hash() -> None:
    campaign, _ = won("Bo", **_of())
    first, second = came(the(campaign, "Bo"), "Bo Le Goff")
    assert (first.place, second.place) == (1, 2)
    assert code(first) != code(second)
    read = read_code(code(first))
    assert read is not None
    assert hash_of(read.secret) == bytes(first.token_hash)
    assert b"Le Goff" not in bytes(first.sealed or b"")
    told = told_by(first)
    assert told is not None
    assert told.name == "Bo Le Goff"
    assert len(public_keys(campaign.pk)) == 1


def test_a_code_is_signed_by_its_campaigns_own_key() -> None:
    campaign, _ = won("Bo", **_of())
    read = read_code(f"  {code(came(the(campaign, 'Bo'), 'Bo')[0]).lower()} ")
    assert read is not None
    (key,) = public_keys(campaign.pk)
    signed = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    signed.verify(read.signature, signed_bytes(campaign.pk, read.secret))
    with pytest.raises(InvalidSignature):
        signed.verify(read.signature, signed_bytes(campaign.pk + 1, read.secret))
    assert public_keys(campaign.pk + 1) != [key]


def _of(**of: object) -> dict[str, object]:
    return {key: value for key, value in places(**of).items() if key not in ("key", "kind")}


def test_a_minors_ticket_is_made_once_a_parent_has_confirmed() -> None:
    campaign, _ = won("Bo", **_of())
    _, secret = claim(
        offer=the(campaign, "Bo"), claim=Claim(details={"name": "Bo"}, is_adult=False), at=SETTLED
    )
    assert not good_tickets(the(campaign, "Bo")).exists()
    assert parent_confirms(secret=secret, at=SETTLED)
    assert good_tickets(the(campaign, "Bo")).count() == 2


def test_a_ticket_given_on_takes_the_place_of_the_one_before_and_not_for_ever() -> None:
    campaign, _ = won("Bo", **_of(given_on=True))
    ticket, _ = came(the(campaign, "Bo"), "Bo")
    other = give_on(ticket=ticket, name="Cy", at=SETTLED)
    assert other is not None
    before = reread(ticket)
    assert (before.given_on, before.void_at, told_by(before)) == (True, SETTLED, None)
    told = told_by(reread(other))
    assert told is not None
    assert told.name == "Cy"
    assert give_on(ticket=ticket, name="Di", at=SETTLED) is None, "it is no good any more"
    held = reread(other)
    for _ in range(GIVEN_ON_AT_MOST - 1):
        held = reread(give_on(ticket=held, name="Di", at=SETTLED) or held)
    assert give_on(ticket=held, name="Ed", at=SETTLED) is None
    assert good_tickets(the(campaign, "Bo")).count() == 2


@pytest.mark.parametrize("how", ["declined", "withdrawn", "erased"])
def test_with_the_offer_goes_the_ticket(how: str) -> None:
    campaign, (bo, _) = won("Bo", "Cy", **_of(first=1))
    came(the(campaign, "Bo"), "Bo")
    its = the(campaign, "Bo")
    if how == "declined":
        assert decline(offer=its, at=SETTLED)
    elif how == "withdrawn":
        assert move_offer(offer=its, to=State.WITHDRAWN, by=Who.ORGANISER, at=SETTLED)
    else:
        erase_account(person=bo.person)
    assert list(guests(campaign.file, campaign.pk, "nantes")) == []
    offer_due(at=SETTLED)
    assert not Ticket.objects.filter(void_at=None).exists()
    assert offered(campaign, state=State.OFFERED) == ["Cy"]


def test_who_claims_again_has_new_tickets() -> None:
    campaign, _ = won("Bo", **_of())
    before = came(the(campaign, "Bo"), "Bo")
    assert decline(offer=the(campaign, "Bo"), at=SETTLED)
    assert move_offer(offer=the(campaign, "Bo"), to=State.OFFERED, by=Who.FAN, at=SETTLED)
    after = came(the(campaign, "Bo"), "Bo")
    assert [ticket.step for ticket in after] == [1, 1]
    assert {bytes(t.token_hash) for t in before}.isdisjoint(bytes(t.token_hash) for t in after)


def test_the_guest_list_has_every_place_by_name() -> None:
    campaign, _ = won("Bo", "Cy", **_of())
    came(the(campaign, "Bo"), "Bo Le Goff")
    came(the(campaign, "Cy"), "Cy Kerbrat")
    found = sorted(
        (guest.name, guest.ticket.place, len(guest.mark))
        for guest in guests(campaign.file, campaign.pk, "nantes")
    )
    assert found == [("Bo Le Goff", 1, 4), ("Bo Le Goff", 2, 4), ("Cy Kerbrat", 1, 4), ("Cy Kerbrat", 2, 4)]
    assert list(guests(campaign.file, campaign.pk, "another")) == []


def test_a_place_is_claimed_before_the_concert_begins_or_not_at_all() -> None:
    campaign, _ = won("Bo", **_of(first=1, claim_days=90))
    assert the(campaign, "Bo").claim_by == NIGHT
    late = Claim(details={"name": "Bo"}, is_adult=True)
    assert claim(offer=the(campaign, "Bo"), claim=late, at=NIGHT)[0] is Claimed.TOO_LATE
    offer_due(at=NIGHT)
    assert the(campaign, "Bo").state == State.EXPIRED
    assert offered(campaign, state=State.OFFERED) == [], (
        "nobody is offered a place at a concert that has begun"
    )
    again = the(campaign, "Bo")
    assert not move_offer(offer=again, to=State.OFFERED, by=Who.ORGANISER, at=NIGHT, days=14)


def test_names_are_forgotten_a_month_after_the_concert_and_not_before_where_it_was_put_off() -> None:
    campaign, _ = won("Bo", **_of())
    ticket = came(the(campaign, "Bo"), "Bo")[0]
    over = dt.datetime(2027, 2, 13, 23, tzinfo=dt.UTC)
    _put_off(campaign, "2027-05-01T20:00:00")
    forget_details(at=over + KEPT_AFTER)
    assert details_of(the(campaign, "Bo")) == {"name": "Bo"}
    assert told_by(reread(ticket)) is not None
    forget_details(at=dt.datetime(2027, 5, 1, 22, tzinfo=dt.UTC) + KEPT_AFTER)
    assert details_of(the(campaign, "Bo")) == {}
    assert told_by(reread(ticket)) is None
    assert Offer.objects.get().state == State.CLAIMED


def test_names_of_a_concert_that_was_put_off_are_kept_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More of them than one turn looks at were once erased with the rest."""
    campaign, _ = won("Bo", "Cy", "Di", **_of(first=3))
    for name in ("Bo", "Cy", "Di"):
        came(the(campaign, name), name)
    monkeypatch.setattr(offers, "ENDED_AT_ONCE", 2)
    _put_off(campaign, "2027-05-01T20:00:00")
    later = dt.datetime(2027, 3, 20, tzinfo=dt.UTC)
    for _ in range(3):
        forget_details(at=later)
    assert len(list(guests(campaign.file, campaign.pk, "nantes"))) == 6
    assert all(details_of(the(campaign, name)) for name in ("Bo", "Cy", "Di"))


def test_claiming_anew_uses_up_no_giving_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vteam.prizes.tickets.GIVEN_ON_AT_MOST", 2)
    campaign, _ = won("Bo", **_of(given_on=True))
    for _ in range(3):
        ticket, _ = came(the(campaign, "Bo"), "Bo")
        assert decline(offer=the(campaign, "Bo"), at=SETTLED)
        assert move_offer(offer=the(campaign, "Bo"), to=State.OFFERED, by=Who.FAN, at=SETTLED)
    assert ticket.step == 2
    assert may_change_hands(ticket)


def _put_off(campaign: Campaign, at: str) -> None:
    later = EVENING.model_validate({**EVENING.model_dump(mode="json"), "at": at})
    campaign.document = campaign.file.model_copy(update={"concerts": (later,)}).canonical()
    campaign.__dict__.pop("file", None)
    campaign.save(update_fields=["document"])
