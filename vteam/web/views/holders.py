"""The artist's page: their titles, what each way of circulating means, and their word on it, at any time."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.circulation import Day, circulated, circulation_by_day
from vteam.campaigns.models import Campaign, Title
from vteam.people.models import Person
from vteam.rights.models import Holder, RightEvent
from vteam.rights.queries import circulations, holders_of
from vteam.rights.services import invited, take_invitation
from vteam.rights.wording import Wording, wording
from vteam.rules.rights import Act, Circulation, Way
from vteam.web.answers import for_persons, private_render
from vteam.web.forms import HolderForm
from vteam.web.visitors import person_of

HISTORY, DAYS = 30, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class WayRow:
    """One way of circulating one title as a holder sees it."""

    way: Way
    wording: Wording
    circulation: Circulation
    mine: str  # the holder's own last act, "" before the first
    waiting_for: list[str]
    limit: "LimitNow | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitNow:
    """What a holder's yes is bounded by, and how much of it is gone. None: no such bound."""

    at_most: int | None
    used: int
    last_day: dt.date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidLine:
    """One thing that was said about a title, and the name of the holder who said it."""

    event: RightEvent
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleRow:
    """A holder's title with its ways and its history, newest first."""

    title: Title
    ways: list[WayRow]
    words: str
    words_language: str
    history: list[SaidLine]
    days: list[Day]
    most_a_day: int


@for_persons
@require_safe
def mine(request: HttpRequest, person: Person) -> HttpResponseBase:
    """Every campaign the person is a holder in; where there is one, that one."""
    holders = list(Holder.objects.filter(person=person).order_by("pk"))
    if len(holders) == 1:
        return redirect("holder", pk=holders[0].pk)
    campaigns = Campaign.objects.in_bulk([holder.campaign_id for holder in holders])
    rows = [{"holder": holder, "campaign": campaigns[holder.campaign_id]} for holder in holders]
    return render(request, "holders.html", {"rows": rows})


@for_persons
@require_http_methods(["GET", "HEAD", "POST"])
def holder(request: HttpRequest, person: Person, pk: int) -> HttpResponseBase:
    """A holder's titles; POST speaks."""
    found = Holder.objects.filter(pk=pk, person=person).first()
    if found is None:
        raise Http404
    campaign = Campaign.objects.get(pk=found.campaign_id)
    form = HolderForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _until_is_ahead(form, campaign):
        _speak(form, found, person, campaign)
        return redirect(f"{reverse('holder', args=[pk])}#title-{form.cleaned_data['title']}")
    context = {"campaign": campaign, "holder": found, "rows": _rows(found), "form": form}
    return render(request, "holder.html", context, status=422 if form.errors else 200)


def _until_is_ahead(form: HolderForm, campaign: Campaign) -> bool:
    """Whether the last day somebody named, if any, is not over; the form says so otherwise."""
    until_us = _until_us(form, campaign)
    if until_us is not None and until_us <= clock.now_us():
        form.add_error("until", _("This day is over: write a later one."))
        return False
    return True


def _until_us(form: HolderForm, campaign: Campaign) -> int | None:
    """The end of the last day somebody named, where the campaign is."""
    day: dt.date | None = form.cleaned_data["until"]
    if day is None or day.year > 2199:
        return None
    zone = ZoneInfo(campaign.file.season.time_zone)
    return clock.to_us(dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=zone))


def _speak(form: HolderForm, holder: Holder, person: Person, campaign: Campaign) -> None:
    """Record what was said; "keep" agrees to hearing and downloading, and asks not to pass it on."""
    data = form.cleaned_data
    title = Title.objects.filter(pk=data["title"], campaign=campaign, pk__in=_title_ids(holder)).first()
    if title is None:
        raise Http404
    wanted = [(data["way"], data["act"])]
    if data["way"] == "keep":
        wanted = [(Way.LISTEN, Act.AGREED), (Way.DOWNLOAD, Act.AGREED), (Way.PASS_ON, Act.REFUSED)]
    at_us, language = clock.now_us(), translation.get_language() or "en"
    for way, act in wanted:
        agrees = act == Act.AGREED
        at_most = data["at_most"] if agrees and way == Way.PASS_ON else None
        speak(
            holder=holder,
            person=person,
            title=title,
            way=Way(way),
            act=Act(act),
            language=language,
            at_us=at_us,
            until_us=_until_us(form, campaign) if agrees else None,
            at_most=at_most,
            counted_before=circulated(title.pk, Way.PASS_ON) if at_most else None,
            words=data["words"],
            why=data["why"],
        )


def _title_ids(holder: Holder) -> list[int]:
    return list(holder.titles.values_list("title_id", flat=True))


def _rows(holder: Holder) -> list[TitleRow]:
    titles = list(Title.objects.filter(pk__in=_title_ids(holder), retired_at=None).order_by("position"))
    ways = circulations([title.pk for title in titles], at_us=clock.now_us())
    return [_row(holder, title, ways[title.pk]) for title in titles]


def _row(holder: Holder, title: Title, ways: dict[Way, Circulation]) -> TitleRow:
    own = list(RightEvent.objects.filter(title_id=title.pk, holder_id=holder.pk).order_by("id"))
    last_said = {event.way: event for event in own}
    names = {named.pk: named.name for named in holders_of(title.pk)}
    language = translation.get_language() or "en"
    rows = [
        WayRow(
            way=way,
            wording=wording(way, title=title.name, artist=title.artist, language=language),
            circulation=ways[way],
            mine=_mine(last_said.get(way)),
            limit=_limit(title, last_said.get(way)),
            waiting_for=[names[pk] for pk in ways[way].waiting_for if pk != holder.pk],
        )
        for way in Way
    ]
    days = circulation_by_day(title.pk, days=DAYS)
    last = next((event for event in reversed(own) if event.words), None)
    return TitleRow(
        title=title,
        ways=rows,
        words=last.words if last else "",
        words_language=last.text_language if last else language,
        history=_said(title),
        days=days,
        most_a_day=max((day.total for day in days), default=0),
    )


def _mine(said: RightEvent | None) -> str:
    """A holder's own last act, "" before the first; "expired" where it was a yes that has run out."""
    if said is None:
        return ""
    has_run_out = said.act == Act.AGREED and said.until_us is not None and said.until_us <= clock.now_us()
    return "expired" if has_run_out else said.act


def _limit(title: Title, said: RightEvent | None) -> LimitNow | None:
    """What bounds a yes that is in force; None where there is none, or no bound."""
    if said is None or said.act != Act.AGREED or (said.at_most is None and said.until_us is None):
        return None
    used = circulated(title.pk, Way.PASS_ON) - (said.counted_before or 0) if said.at_most else 0
    last_day = None
    if said.until_us is not None:
        zone = ZoneInfo(title.campaign.file.season.time_zone)
        last_day = clock.from_us(said.until_us - 1).astimezone(zone).date()
    return LimitNow(at_most=said.at_most, used=used, last_day=last_day)


def _said(title: Title) -> list[SaidLine]:
    """What was said about a title by everybody, newest first, also by who is no longer named."""
    events = list(RightEvent.objects.filter(title_id=title.pk).order_by("-id")[:HISTORY])
    names = Holder.objects.in_bulk({event.holder_id for event in events})
    return [SaidLine(event=event, who=names[event.holder_id].name) for event in events]


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The link an organiser handed to a holder: sign in, press the button, and the page is theirs."""
    found = invited(secret)
    if found is None:
        return private_render(request, "holder_invitation_used.html", {}, status=410)
    person = person_of(request)
    if request.method == "POST" and person is not None:
        taken = take_invitation(secret=secret, person=person)
        if taken is not None:
            return redirect("holder", pk=taken.pk)
    campaign = Campaign.objects.get(pk=found.campaign_id)
    context = {"holder": found, "campaign": campaign, "person": person, "after": request.path}
    return private_render(request, "holder_invitation.html", context)
