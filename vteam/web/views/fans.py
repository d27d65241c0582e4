"""A fan's own pages: home, points with their stories, what is stored about them, and erasing it."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.file import CampaignFile, MissionEntry, PrizeEntry
from vteam.campaigns.missions import season_of
from vteam.campaigns.models import Campaign
from vteam.campaigns.news import latest
from vteam.campaigns.organisers import roles_of
from vteam.channels.erasing import erase
from vteam.channels.swarm.queries import asked_titles
from vteam.channels.worlds.queries import missions_of
from vteam.ledger import queries as books
from vteam.ledger.queries import Standing
from vteam.people.models import Fan, Person
from vteam.people.services import address_of_person
from vteam.prizes.models import Offer
from vteam.prizes.queries import prize_of, to_claim
from vteam.rights.models import Holder
from vteam.rules.grants import Purpose
from vteam.web.answers import for_fans, for_persons
from vteam.web.forms import RenameForm
from vteam.web.reaching import ask_of
from vteam.web.stories import stories, when_due
from vteam.web.views.campaign import TOP, WHOLE_NUMBER, mine, named

LATEST = 5
PAGE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionCard:
    """A mission as a fan sees it: what it pays, how far they are today (of `per_day`, None: no limit) and in all.

    From `opens_at` until just before `closes_at`, both in the campaign's time zone.
    """

    name: str
    explanation: str
    kind: str
    points: int
    per_day: int | None
    today: int
    in_all: int
    opens_at: dt.datetime
    closes_at: dt.datetime
    state: str  # "open", "coming", "not_yet", "over", "done", "done_today", "acted" (in a world, not counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneCard:
    """A milestone. `percent`: how far a fan is on the way to the one they reach next; None for the others."""

    name: str
    explanation: str
    points: int
    reached: bool
    percent: int | None


@for_fans
@require_safe
def home(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """What to do next, where the fan stands, what just happened."""
    context = {
        "campaign": campaign,
        "fan": fan,
        "live": _live(campaign, fan),
        "won": _won(campaign, fan),
        "asked": asked_titles(fan, at=clock.now()),
        "news": latest(campaign, at_most=1),
        "ask": ask_of(campaign, fan, Purpose.NEWS),
    }
    return render(request, "home.html", context)


@for_fans
@require_safe
def home_live(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """The moving part of the home page; 204 while nothing happened since the reader's version of it."""
    since = request.GET.get("since")
    if since and since == _version(
        campaign, books.standing_of(campaign.pk, fan.pk), books.last_decision_of(campaign.pk, fan.pk)
    ):
        return HttpResponse(status=204)
    return render(
        request, "_home_live.html", {"campaign": campaign, "fan": fan, "live": _live(campaign, fan)}
    )


def _won(campaign: Campaign, fan: Fan) -> list[tuple[Offer, PrizeEntry]]:
    """What is to be claimed, with the prize it is."""
    return [(offer, prize) for offer in to_claim(fan) if (prize := prize_of(campaign, offer.prize))]


def _version(campaign: Campaign, own: Standing, last_decision: int) -> str:
    """Changes when anything on the moving part does."""
    return f"{campaign.version}.{last_decision}.{own.points}.{own.waiting}.{own.rank}"


def _live(campaign: Campaign, fan: Fan) -> dict[str, object]:
    neighbours, top = books.neighbours(campaign.pk, fan.pk), books.top(campaign.pk, at_most=TOP)
    rows = named([*neighbours, *top])
    own = next(standing for standing in neighbours if standing.fan_id == fan.pk)
    decisions = books.decisions_of(campaign.pk, fan.pk, at_most=LATEST)
    due = books.next_due(campaign.pk, fan.pk) if own.waiting else None
    cards = mission_cards(campaign, fan)
    return {
        "version": _version(campaign, own, decisions[0].seq if decisions else 0),
        "own": own,
        "fans": books.fans_ranked(campaign.pk),
        "neighbours": rows[: len(neighbours)],
        "due": {"when": when_due(campaign, due[0]), "points": due[1]} if due else None,
        "missions": [card for card in cards if card.kind != "world"],
        "worlds": sum(card.kind == "world" and card.state == "open" for card in cards),
        "milestones": milestone_cards(campaign, own.points),
        "stories": stories(campaign, decisions),
        "top": rows[len(neighbours) :],
        "mine": mine(rows[len(neighbours) :], fan),
    }


def mission_cards(campaign: Campaign, fan: Fan) -> list[MissionCard]:
    """The campaign's missions with the fan's progress."""
    file, at, language = campaign.file, clock.now(), translation.get_language() or "en"
    zone = ZoneInfo(file.season.time_zone)
    day = season_of(file).day_of(clock.to_us(at))
    keys = {
        entry.key: (f"day:{entry.key}:{fan.pk}:{day}", f"fan:{entry.key}:{fan.pk}") for entry in file.missions
    }
    counts = books.counts(campaign.pk, [key for pair in keys.values() for key in pair])
    acted, cards = missions_of(fan), []
    for entry in file.missions:
        today, in_all = (counts.get(key, 0) for key in keys[entry.key])
        opens_at, closes_at = file.mission_opens_at(entry), file.mission_closes_at(entry)
        cards.append(
            MissionCard(
                name=entry.name.in_language(language),
                explanation=entry.explanation.in_language(language),
                kind=entry.kind,
                points=entry.points,
                per_day=entry.per_fan_per_day,
                today=today,
                in_all=in_all,
                opens_at=opens_at.astimezone(zone),
                closes_at=closes_at.astimezone(zone),
                state="acted"
                if entry.key in acted and not in_all
                else _state(file, entry, today, in_all, in_time=_in_time(opens_at, at, closes_at)),
            )
        )
    return cards


def _in_time(opens_at: dt.datetime, at: dt.datetime, closes_at: dt.datetime) -> str:
    """What a moment is beside the two: "not_yet", "over", or "" in between."""
    return "not_yet" if at < opens_at else "over" if at >= closes_at else ""


def _state(file: CampaignFile, entry: MissionEntry, today: int, in_all: int, *, in_time: str) -> str:
    once = {"download": len(file.titles), "world": 1}
    limit = once.get(entry.kind, entry.per_fan)
    states = (
        (entry.coming, "coming"),
        (in_time, in_time),
        (limit is not None and in_all >= limit, "done"),
        (entry.per_fan_per_day is not None and today >= entry.per_fan_per_day, "done_today"),
    )
    return next((state for applies, state in states if applies), "open")


def milestone_cards(campaign: Campaign, points: int) -> tuple[MilestoneCard, ...]:
    """The campaign's milestones, lowest first, with the way a fan has gone."""
    language = translation.get_language() or "en"
    entries = sorted(campaign.file.milestones, key=lambda entry: entry.points)
    ahead = next((entry for entry in entries if points < entry.points), None)
    return tuple(
        MilestoneCard(
            name=entry.name.in_language(language),
            explanation=entry.explanation.in_language(language),
            points=entry.points,
            reached=points >= entry.points,
            percent=points * 100 // entry.points if entry is ahead else None,
        )
        for entry in entries
    )


@for_fans
@require_safe
def points(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """Every line of a fan's points with its story, newest first."""
    before = request.GET.get("before", "")
    if before and not WHOLE_NUMBER.fullmatch(before):
        raise Http404
    found = books.decisions_of(
        campaign.pk, fan.pk, at_most=PAGE + 1, before=int(before) if before else books.UNBOUNDED
    )
    confirmed, waiting = books.points_of(campaign.pk, fan.pk)
    told = stories(campaign, found[:PAGE])
    context = {
        "campaign": campaign,
        "fan": fan,
        "stories": told,
        "some_wait": any(story.waits for story in told),
        "points": confirmed,
        "waiting": waiting,
        "older": found[PAGE - 1].seq if len(found) > PAGE else None,
        "ask": ask_of(campaign, fan, Purpose.POINTS),
    }
    return render(request, "points.html", context)


@for_persons
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest, person: Person) -> HttpResponseBase:
    """What is stored about the signed-in person. `?erase` asks once more; POST erases them or changes a name."""
    if request.method == "POST":
        return _erase(request, person) if request.POST.get("act") == "erase" else _rename(request, person)
    if "erase" in request.GET:
        holders = list(Holder.objects.filter(person=person))
        context = {"address": address_of_person(person), "holders": holders, "roles": roles_of(person)}
        return render(request, "erase.html", context)
    return _me(request, person)


def _me(request: HttpRequest, person: Person, wrong: RenameForm | None = None) -> HttpResponse:
    """The page; `wrong`: a form with a name that cannot be."""
    fans = list(Fan.objects.filter(person=person).order_by("joined_at"))
    campaigns = Campaign.objects.in_bulk([fan.campaign_id for fan in fans])
    context = {
        "address": address_of_person(person),
        "memberships": [{"fan": fan, "campaign": campaigns[fan.campaign_id]} for fan in fans],
        "holders": list(Holder.objects.filter(person=person)),
        "roles": roles_of(person),
        "person": person,
        "wrong": wrong,
        "wrong_fan": wrong.data.get("fan") if wrong else None,
    }
    return render(request, "me.html", context, status=422 if wrong else 200)


def _rename(request: HttpRequest, person: Person) -> HttpResponseBase:
    """Show one of the person's fans under another name from now on; 404 for anybody else's."""
    number = request.POST.get("fan", "")
    fan = Fan.objects.filter(pk=number, person=person).first() if WHOLE_NUMBER.fullmatch(number) else None
    if fan is None:
        raise Http404
    form = RenameForm(request.POST, band=Campaign.objects.get(pk=fan.campaign_id).file.artist)
    if not form.is_valid():
        return _me(request, person, form)
    fan.name = form.cleaned_data["name"]
    fan.save(update_fields=["name"])
    return redirect("me")


def _erase(request: HttpRequest, person: Person) -> HttpResponseBase:
    """Erase the person, and forget them in this browser too."""
    logout(request)
    erase(person=person, at=clock.now())
    return render(request, "erased.html", {"has_cookie": False})
