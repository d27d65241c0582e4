"""Reading what people asked fans for."""

import datetime as dt

from django.db.models import Count

from vteam.campaigns.models import Title
from vteam.channels.swarm.models import Asked
from vteam.people.models import Fan


def asked_titles(fan: Fan, *, at: dt.datetime) -> list[tuple[Title, int]]:
    """Titles people asked a fan for and have not got yet, with how many people, in the campaign's order."""
    counts = dict(
        fan.asked.filter(ended_at=None, expires_at__gt=at)
        .values_list("title_id")
        .annotate(n=Count("code"))
        .order_by()
    )
    if not counts:
        return []
    titles = Title.objects.filter(pk__in=counts, retired_at=None).order_by("position")
    return [(title, counts[title.pk]) for title in titles]


def asked_by_code(code: str, *, at: dt.datetime) -> Asked | None:
    """What was asked with this return code, while it is good."""
    return Asked.objects.select_related("fan", "title").filter(code=code, expires_at__gt=at).first()
