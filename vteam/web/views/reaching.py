"""What reaches me: every purpose with its pace and history, one switch each, nothing at all on top.

GET shows, POST acts. A message's own link leads to one purpose of one person without signing in, and never gives a yes.
"""

import datetime as dt
import json

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign, Organiser
from vteam.channels.mail.stopping import Stop, stop_of
from vteam.channels.mail.troubles import try_again
from vteam.people.models import Fan, Person
from vteam.people.services import address_of_person
from vteam.permissions.budgets import DAY, take
from vteam.permissions.models import Subject
from vteam.permissions.queries import receipt
from vteam.permissions.services import INSTALLATION, Said, ease, end, end_all, record_said
from vteam.rules.grants import PACES, Event, Pace, Purpose
from vteam.web.answers import for_fans, for_operators, private_render, safe_after
from vteam.web.guards import cross_origin_ok
from vteam.web.reaching import purposes_of, rows_of, shown_to, subject_here, words_of

PAUSE = dt.timedelta(days=30)
SAID_PER_DAY, WORD_LENGTH = 40, 80
ONE_CLICK = "One-Click"
WITH_ROWS = ("reaching", "operator")
BY_LINK = "the link in a message"


@for_fans
@require_safe
def reaching(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """Everything that reaches a fan in a campaign."""
    context = {"campaign": campaign, "fan": fan, "back": request.get_full_path()}
    return private_render(request, "reaching.html", context | shown_to(fan.person, campaign))


@for_fans
@require_POST
def said(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """A fan says something about one purpose, on this page or where they were asked."""
    return _hear(request, fan.person, campaign, home=reverse("reaching", args=[campaign.slug]))


@for_operators
@require_POST
def operator_said(request: HttpRequest, operator: Organiser) -> HttpResponseBase:
    """An operator says something about what the installation itself writes."""
    assert operator.person is not None, "an operator has come"
    return _hear(request, operator.person, None, home=reverse("operator"))


def _hear(request: HttpRequest, person: Person, campaign: Campaign | None, *, home: str) -> HttpResponseBase:
    """Record what a form says, and go back to where it was. `home`: the page with all of it."""
    back = safe_after(request.POST.get("back", "")) or home
    if request.POST.get("act") == "nothing":
        subject = subject_here(person, campaign)
        if subject is not None:
            end_all(subject=subject, act="pressed nothing at all", page=_page(back), at=clock.now())
        return redirect(back)
    if request.POST.get("act") == "try-again":
        try_again(person=person)
        return redirect(back)
    if request.POST.get("who") != str(person.pk):
        # Somebody else signed in since this page was opened: it speaks for nobody.
        return redirect(home)
    what = _said(request, campaign, person, page=_page(back))
    if what is None:
        # The words changed between the page and the press: what they would agree to is shown once more.
        return redirect(home)
    campaign_id = campaign.pk if campaign else INSTALLATION
    # Whatever ends something is always heard.
    if what.event is not Event.WITHDRAWN and not _may_say(f"{campaign_id}:{person.pk}"):
        return private_render(request, "429.html", {}, status=429)
    record_said(person=person, campaign_id=campaign_id, said=what, at=clock.now())
    return redirect(f"{back}#{what.purpose}" if _page(back) in WITH_ROWS else back)


def _said(request: HttpRequest, campaign: Campaign | None, person: Person, *, page: str) -> Said | None:
    """What a form says; 404 for what no form of ours says, None where it agrees to other words than today's."""
    try:
        purpose, act = Purpose(request.POST.get("purpose", "")), Event(request.POST.get("act", ""))
        pace = Pace(request.POST["pace"]) if request.POST.get("pace") else None
    except ValueError as error:
        raise Http404 from error
    if purpose not in purposes_of(campaign) or act is Event.EXPIRED:
        raise Http404
    text = words_of(purpose, campaign)
    if act is Event.GIVEN:
        if request.POST.get("words") != text.sha256:
            return None
        pace = pace or PACES[purpose][0]
    proof = {
        "address": address_of_person(person),
        "how": "signed in by a code mailed to this address",
        "form": {
            name: request.POST.get(name, "")[:WORD_LENGTH] for name in ("purpose", "act", "pace", "words")
        },
    }
    return Said(
        purpose=purpose,
        event=act,
        act=f"pressed {act}",
        page=page,
        wording=text if request.POST.get("words") == text.sha256 else None,
        pace=pace if act in {Event.GIVEN, Event.PACE_CHANGED} else None,
        until=clock.now() + PAUSE if act is Event.PAUSED else None,
        proof=json.dumps(proof, ensure_ascii=False),
    )


def _may_say(key: str) -> bool:
    """Nobody changes their mind this often: what is said is never deleted."""
    return take(door="said", key=key, limit=SAID_PER_DAY, window=DAY, at=clock.now())


def _page(back: str) -> str:
    """Which of our pages something was said on, by its name."""
    path = back.partition("?")[0].partition("#")[0]
    for code in ("/en", "/fr"):
        path = path.removeprefix(code)
    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""


@for_fans
@require_safe
def receipt_file(request: HttpRequest, campaign: Campaign, fan: Fan) -> HttpResponseBase:
    """Everything a fan said, as it stands in the chain, to keep."""
    return _receipt(fan.person, campaign, name=campaign.slug)


@for_operators
@require_safe
def operator_receipt(request: HttpRequest, operator: Organiser) -> HttpResponseBase:
    """The same of what an operator said."""
    assert operator.person is not None, "an operator has come"
    return _receipt(operator.person, None, name="vteam")


def _receipt(person: Person, campaign: Campaign | None, *, name: str) -> HttpResponseBase:
    subject = subject_here(person, campaign)
    if subject is None:
        raise Http404
    content = json.dumps(receipt(subject), ensure_ascii=False, indent=2)
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}-what-reaches-me.json"'
    return response


@cross_origin_ok
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponseBase:
    """A message's own link. A bare POST with `List-Unsubscribe=One-Click` ends what it is about (RFC 8058)."""
    found = stop_of(token)
    if found is None:
        raise Http404
    subject = found.subject
    if subject is None:
        return private_render(request, "stop.html", {"gone": True})
    if request.method == "POST":
        if request.POST.get("List-Unsubscribe") == ONE_CLICK:
            end(subject=subject, purpose=found.purpose, act="one click in their mail program", at=clock.now())
            return HttpResponse("Done.", content_type="text/plain", headers={"Cache-Control": "no-store"})
        _less(request, subject, found)
        return redirect(request.path)
    campaign = Campaign.objects.filter(pk=subject.campaign_id).first()
    (row,) = (row for row in rows_of(subject, campaign) if row.purpose is found.purpose)
    context = {
        "campaign": campaign,
        "row": row,
        "slower": _slower(row.grant.pace, found.purpose),
        "token": token,
    }
    return private_render(request, "stop.html", context)


def _less(request: HttpRequest, subject: Subject, found: Stop) -> None:
    """What the page of a message's link can do: end it, pause it, slow it down, or end everything."""
    at, act = clock.now(), request.POST.get("act", "")
    match act:
        case "withdrawn":
            end(subject=subject, purpose=found.purpose, act=BY_LINK, page="stop", at=at)
        case "nothing":
            end_all(subject=subject, act=BY_LINK, page="stop", at=at)
        case "paused" | Pace.DAILY | Pace.WEEKLY if not _may_say(subject.pk):
            return
        case "paused":
            ease(subject=subject, purpose=found.purpose, act=BY_LINK, page="stop", at=at, until=at + PAUSE)
        case Pace.DAILY | Pace.WEEKLY:
            ease(subject=subject, purpose=found.purpose, act=BY_LINK, page="stop", at=at, pace=Pace(act))
        case _:
            raise Http404


def _slower(pace: Pace | None, purpose: Purpose) -> list[Pace]:
    """The paces a purpose is offered at that are slower than the one that holds."""
    order = list(Pace)
    return [one for one in PACES[purpose] if pace is not None and order.index(one) > order.index(pace)]
