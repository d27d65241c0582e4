"""Offers of prizes with their history, entries without missions, draws; tickets of concerts and the doors they open.

A prize is named by its key in the campaign file. What a winner tells us so that they can be given it is sealed under
their own key, and erased a set time after.
"""

from django.db import models

from vteam.campaigns.models import Organiser
from vteam.people.models import Fan
from vteam.rules.prizes import State


class Offer(models.Model):
    """A prize offered to a fan. `number`: which offer of this prize, from 1.

    `slot`: which of the stock it holds, from 1; None where it holds none any more. `step`: how often it has moved.
    `fan`: None once they have erased their account. `details`: what the claim needs, sealed; None before and after.
    `is_adult`: as the fan says; None before the claim. `parent_hash`: of the link a minor hands to a parent, until
    they confirm. `shows_name`: they agreed to be named in public. `told`: a letter
    was put there for who allows one.
    """

    campaign_id = models.BigIntegerField()
    prize = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    slot = models.PositiveIntegerField(null=True)
    step = models.PositiveIntegerField(default=0)
    fan = models.ForeignKey(Fan, null=True, on_delete=models.SET_NULL, related_name="offers")
    state = models.CharField(max_length=12)
    offered_at = models.DateTimeField()
    claim_by = models.DateTimeField()
    changed_at = models.DateTimeField()
    details = models.BinaryField(null=True)
    details_until = models.DateTimeField(null=True)
    is_adult = models.BooleanField(null=True)
    parent_hash = models.BinaryField(max_length=32, null=True)
    parent_confirmed_at = models.DateTimeField(null=True)
    shows_name = models.BooleanField(default=False)
    told = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign_id", "prize", "number"], name="one_offer_per_number"),
            models.UniqueConstraint(fields=["campaign_id", "prize", "slot"], name="one_offer_per_slot"),
            models.UniqueConstraint(fields=["campaign_id", "prize", "fan"], name="one_offer_per_fan"),
        ]
        indexes = [
            models.Index(fields=["state", "claim_by"], name="offer_by_deadline"),
            models.Index(fields=["id"], condition=models.Q(told=False), name="offer_to_tell"),
        ]

    def __str__(self) -> str:
        return f"{self.prize} {self.number}: {self.state}"

    def forget(self) -> None:
        """What was told for it is not needed any more; to be saved."""
        self.details = self.details_until = self.parent_hash = self.parent_confirmed_at = None
        self.shows_name = False

    @property
    def standing(self) -> State:
        """How it stands."""
        return State(self.state)


class Line(models.Model):
    """How far the line for a prize was walked (`prizes.lines`): all before that have been offered it, or are gone."""

    campaign_id = models.BigIntegerField()
    prize = models.CharField(max_length=40)
    passed = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign_id", "prize"], name="one_line_per_prize")]

    def __str__(self) -> str:
        return f"{self.prize} up to {self.passed}"


class OfferMove(models.Model):
    """What became of an offer, when and by whom; the journal has it too. `note`: why, for the fan to read; it is erased
    with them.
    """

    offer_id = models.BigIntegerField()
    step = models.PositiveIntegerField()
    state = models.CharField(max_length=12)
    by = models.CharField(max_length=10)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["offer_id", "step"], name="one_move_per_step")]

    def __str__(self) -> str:
        return f"{self.state} by {self.by}"


class FreeEntry(models.Model):
    """A fan who takes part in a draw without missions."""

    campaign_id = models.BigIntegerField()
    prize = models.CharField(max_length=40)
    fan = models.ForeignKey(Fan, on_delete=models.CASCADE, related_name="free_entries")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign_id", "prize", "fan"], name="one_free_entry_per_fan")
        ]

    def __str__(self) -> str:
        return f"{self.prize}, {self.fan}"


class Draw(models.Model):
    """A draw of a prize. `announcement`: its canonical text, published before the randomness is there; its SHA-256 is
    `announced`. `randomness`: what came, as a record holds it; empty before. `number`: more than 1 after a void one.
    """

    campaign_id = models.BigIntegerField()
    prize = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    announcement = models.TextField()
    announced = models.CharField(max_length=64)
    announced_at = models.DateTimeField()
    randomness = models.TextField(blank=True)
    drawn_at = models.DateTimeField(null=True)
    void_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign_id", "prize", "number"], name="one_draw_per_number")
        ]

    def __str__(self) -> str:
        return f"draw {self.number} of {self.prize}"


class RoundTry(models.Model):
    """How fetching the round of a draw goes: gone once it is drawn. `since`: the first of so many `failures` in a row,
    `why` (`rounds.Why`) the last; None and "" before one. Not tried again before `next_at`.
    """

    draw = models.OneToOneField(Draw, on_delete=models.CASCADE, related_name="tried")
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(null=True)
    why = models.CharField(max_length=12, blank=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"round for {self.draw}, failed {self.failures} times"


class DrawEntry(models.Model):
    """An entry of a draw: a random id, and whose it is, which is erased with them. `place`: from 0, once drawn."""

    draw = models.ForeignKey(Draw, on_delete=models.CASCADE, related_name="entries")
    entry = models.CharField(max_length=40)
    weight = models.PositiveBigIntegerField()
    fan = models.ForeignKey(Fan, null=True, on_delete=models.SET_NULL, related_name="draw_entries")
    place = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draw", "entry"], name="one_entry_per_id"),
            models.UniqueConstraint(fields=["draw", "fan"], name="one_entry_per_fan"),
        ]
        indexes = [models.Index(fields=["draw", "place"], name="entry_by_place")]

    def __str__(self) -> str:
        return self.entry


class Ticket(models.Model):
    """A ticket for one place at a concert, made when its offer is claimed; doors know it by `token_hash`.

    `place`: which of the offer's places, from 1. `step`: how many tickets of this place came before. `sealed`: what its
    code says of it, and the name at the door, under the winner's key; None once erased. `void_at`: from when it is no
    good; `given_on`: because another one took its place.
    """

    campaign_id = models.BigIntegerField()
    concert = models.CharField(max_length=40)
    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="tickets")
    place = models.PositiveIntegerField()
    step = models.PositiveIntegerField(default=0)
    token_hash = models.BinaryField(max_length=32, unique=True)
    sealed = models.BinaryField(null=True)
    made_at = models.DateTimeField()
    void_at = models.DateTimeField(null=True)
    given_on = models.BooleanField(default=False)
    entered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["offer", "place", "step"], name="one_ticket_per_step"),
            models.UniqueConstraint(
                fields=["offer", "place"], condition=models.Q(void_at=None), name="one_good_ticket_per_place"
            ),
        ]
        indexes = [models.Index(fields=["campaign_id", "concert"], name="ticket_by_concert")]

    def __str__(self) -> str:
        return f"{self.concert}, place {self.place} of offer {self.offer_id}"


class Door(models.Model):
    """A door of a concert: whoever has its code lets people in. `code_hash`: a keyed hash (32 bytes) of it."""

    campaign_id = models.BigIntegerField()
    concert = models.CharField(max_length=40)
    name = models.CharField(max_length=40)
    code_hash = models.BinaryField(max_length=32, unique=True)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["campaign_id", "concert"], name="door_by_concert")]

    def __str__(self) -> str:
        return self.name


class Scan(models.Model):
    """What a door said of a ticket, in the order in which it came here.

    `scan`: 16 random bytes of the phone's, by which the same scan told twice is one. `at`: when it was scanned, by the
    phone where it was `offline`. `let_in`: they were let in, by us or, offline, by the phone's own list. `undone_at`:
    it was a mistake.
    """

    door = models.ForeignKey(Door, on_delete=models.CASCADE, related_name="scans")
    scan = models.BinaryField(max_length=16)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="scans")
    became = models.CharField(max_length=16)
    at = models.DateTimeField()
    came_at = models.DateTimeField()
    offline = models.BooleanField(default=False)
    let_in = models.BooleanField(default=False)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["door", "scan"], name="one_row_per_scan")]
        indexes = [models.Index(fields=["ticket", "became"], name="scan_by_ticket")]

    def __str__(self) -> str:
        return f"{self.became} at {self.door}"


class SupplierLink(models.Model):
    """The link an organiser hands to whoever supplies a prize. `until`: so long it is answered by; who has answered
    can take it back by it ever after. `replaced_at`: there is a newer one. `name`: of who said yes by it.
    """

    campaign_id = models.BigIntegerField()
    prize = models.CharField(max_length=40)
    secret_hash = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)
    name = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign_id", "prize"],
                condition=models.Q(replaced_at=None),
                name="one_supplier_link_per_prize",
            )
        ]

    def __str__(self) -> str:
        return f"link of who supplies {self.prize}"


class SupplierWord(models.Model):
    """What whoever supplies a prize said of it, by which link. Append-only; the last word counts.

    `text`: the canonical text of what they were asked to give (`suppliers.asked_text`); `sha256`: its hash.
    """

    campaign_id = models.BigIntegerField()
    prize = models.CharField(max_length=40)
    link_id = models.BigIntegerField()
    said = models.CharField(max_length=3)
    at = models.DateTimeField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["campaign_id", "prize", "id"], name="word_by_prize"),
            models.Index(fields=["link_id", "id"], name="word_by_link"),
        ]

    def __str__(self) -> str:
        return f"{self.said} to {self.prize}"


class Sender(models.Model):
    """Who took it on to give a prize to its winners, and when; the last one alone reads what winners told.

    `organiser`: None once they have left; then nobody reads it until somebody else takes it on.
    """

    campaign_id = models.BigIntegerField()
    prize = models.CharField(max_length=40)
    organiser = models.ForeignKey(Organiser, null=True, on_delete=models.SET_NULL, related_name="+")
    since = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["campaign_id", "prize", "-id"], name="sender_by_prize")]

    def __str__(self) -> str:
        return f"who gives {self.prize}"
