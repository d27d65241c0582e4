"""The home page: where a fan stands, what to do next, what just happened."""

# The type checker knows the settings of vTeam alone, in which these models are not.
# mypy: disable-error-code="attr-defined, union-attr, misc, unused-ignore"

from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from bench.idiomatic.models import Campaign, Fan, Milestone, Mission
from vteam import clock

TOP = 10
LATEST = 5
COUNTING = ("awarded", "held_until")


@login_required
def home(request: HttpRequest, slug: str) -> HttpResponse:
    """The whole page of the signed-in fan."""
    fan = get_object_or_404(
        Fan.objects.select_related("campaign"), campaign__slug=slug, user_id=request.user.pk
    )
    campaign, now = fan.campaign, clock.now()
    with timezone.override(ZoneInfo(campaign.time_zone)):
        fans, today = campaign.fans.all(), timezone.localdate(now)
        context = {
            "campaign": campaign,
            "fan": fan,
            "rank": rank(fans, fan),
            "fans": fans.count(),
            "neighbours": neighbours(fans, fan),
            "top": top(fans),
            "missions": missions(campaign, fan),
            "milestones": milestones(campaign, fan),
            "stories": fan.awards.select_related("mission", "share", "title", "recruit").order_by("-id")[
                :LATEST
            ],
            "due": fan.awards.filter(outcome="held_until").order_by("due_at").first(),
            "days": (timezone.localdate(campaign.release_at) - today).days,
            "season": season(campaign),
        }
        return render(request, "home.html", context)


def rank(fans: QuerySet[Fan], fan: Fan) -> int:
    """One more than the number of fans with more points."""
    return fans.filter(points__gt=fan.points).count() + 1


def neighbours(fans: QuerySet[Fan], fan: Fan) -> list[tuple[int, Fan]]:
    """The fans just above and just below, with the fan between them, each with their rank."""
    higher = Q(points__gt=fan.points) | Q(points=fan.points, id__lt=fan.pk)
    lower = Q(points__lt=fan.points) | Q(points=fan.points, id__gt=fan.pk)
    above = fans.filter(higher).order_by("points", "-id").first()
    below = fans.filter(lower).order_by("-points", "id").first()
    return [(rank(fans, one), one) for one in (above, fan, below) if one is not None]


def top(fans: QuerySet[Fan]) -> list[tuple[int, Fan]]:
    """The first of the ranking; equal points, equal rank."""
    rows: list[tuple[int, Fan]] = []
    for place, fan in enumerate(fans.order_by("-points", "id")[:TOP], start=1):
        tied = rows and rows[-1][1].points == fan.points
        rows.append((rows[-1][0] if tied else place, fan))
    return rows


def missions(campaign: Campaign, fan: Fan) -> list[Mission]:
    """The missions, each with what the fan did of it today and in all, and how it stands."""
    midnight = timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    counted = (
        fan.awards.filter(outcome__in=COUNTING)
        .values("mission")
        .annotate(in_all=Count("id"), today=Count("id", filter=Q(at__gte=midnight)))
    )
    progress = {row["mission"]: row for row in counted}
    titles = campaign.titles.count()
    found = list(campaign.missions.order_by("id"))
    for mission in found:
        row = progress.get(mission.pk, {"in_all": 0, "today": 0})
        mission.in_all, mission.today = row["in_all"], row["today"]
        mission.state = state(mission, row["in_all"], row["today"], titles)
    return found


def state(mission: Mission, in_all: int, today: int, titles: int) -> str:
    """How a mission stands for the fan."""
    limit = titles if mission.kind == "download" else mission.per_fan
    if mission.coming:
        return "coming"
    if clock.now() < mission.opens_at:
        return "not_yet"
    if clock.now() >= mission.closes_at:
        return "over"
    if limit is not None and in_all >= limit:
        return "done"
    if mission.per_day is not None and today >= mission.per_day:
        return "done_today"
    return "open"


def milestones(campaign: Campaign, fan: Fan) -> list[Milestone]:
    """The milestones, with how far the fan is on the way to each."""
    found = list(campaign.milestones.order_by("points"))
    for milestone in found:
        milestone.percent = min(100, fan.points * 100 // milestone.points)
        milestone.reached = milestone.percent == 100
    return found


def season(campaign: Campaign) -> str:
    """How the season stands."""
    if clock.now() < campaign.starts_at:
        return "before"
    return "running" if clock.now() < campaign.ends_at else "over"
