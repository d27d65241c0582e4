"""A holder speaks: their record in `rights`, and the fact that goes down the one pipeline, in one transaction."""

from django.db import transaction

from vteam.campaigns.models import Title
from vteam.journal.services import record_fact
from vteam.people.models import Person
from vteam.rights.models import Holder
from vteam.rights.queries import circulation_of
from vteam.rights.services import Said, record_act
from vteam.rights.wording import wording
from vteam.rules.facts import right_changed
from vteam.rules.rights import Act, Way


@transaction.atomic
def speak(
    *,
    holder: Holder,
    person: Person | None,
    title: Title,
    way: Way,
    act: Act,
    language: str,
    at_us: int,
    until_us: int | None = None,
    at_most: int | None = None,
    counted_before: int | None = None,
    words: str = "",
    why: str = "",
) -> None:
    """Agree to, refuse or withdraw one way of circulating one title. From this moment the gate answers so.

    `at_most`: how many more times than `counted_before` it may circulate so.
    One holder of a title speaks at a time, so that the fact says what is open once all of them have.
    """
    Title.objects.select_for_update().get(pk=title.pk)
    said = Said(
        title_id=title.pk,
        way=way,
        act=act,
        wording=wording(way, title=title.name, artist=title.artist, language=language),
        at_us=at_us,
        until_us=until_us,
        at_most=at_most,
        counted_before=counted_before,
        words=words,
        why=why,
    )
    event = record_act(holder=holder, person=person, said=said)
    is_open = circulation_of(title.pk, way, at_us=at_us).is_open
    fact = right_changed(
        agreed=act is Act.AGREED,
        event=event.pk,
        title=title.pk,
        way=way,
        holder=holder.pk,
        is_open=is_open,
        at_us=at_us,
    )
    record_fact(campaign_id=holder.campaign_id, fact=fact)
