"""Reading people: who is a fan where, and what names to show."""

from collections.abc import Iterable

from vteam.people import vault
from vteam.people.models import Fan, Person
from vteam.reading import pairs

FAN = "SELECT * FROM people_fan WHERE campaign_id = %s AND person_id = %s"
NAMES = "SELECT id, name FROM people_fan WHERE id IN ({})"


def fan_of(person: Person | None, campaign_id: int) -> Fan | None:
    """The person's place in a campaign, if they have one."""
    if person is None or not person.is_authenticated:
        return None
    return next(iter(Fan.objects.raw(FAN, [campaign_id, person.pk])), None)


def person_at(address: str) -> Person | None:
    """Whose address this is, if anybody proved it; ValueError for what is no plain address."""
    return Person.objects.filter(lookup__in=vault.lookups_of(address)).first()


def names_of(fan_ids: Iterable[int]) -> dict[int, str]:
    """The shown names of fans; a fan who left has none."""
    return pairs(NAMES, fan_ids)
