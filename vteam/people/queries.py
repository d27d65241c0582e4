"""Reading people: who is a fan where, and what names to show."""

from collections.abc import Iterable

from vteam.people.models import Fan, Person


def fan_of(person: Person | None, campaign_id: int) -> Fan | None:
    """The person's place in a campaign, if they have one."""
    if person is None or not person.is_authenticated:
        return None
    return Fan.objects.filter(person=person, campaign_id=campaign_id).first()


def names_of(fan_ids: Iterable[int]) -> dict[int, str]:
    """The shown names of fans; a fan who left has none."""
    return dict(Fan.objects.filter(pk__in=list(fan_ids)).values_list("pk", "name"))
