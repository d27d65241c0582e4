"""An organiser's pages: the link they come by, their campaign's news, and writing it.

GET shows, POST acts. What was typed comes back with every answer that does not keep it.
"""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns import news as services
from vteam.campaigns.models import Campaign, News, Organiser
from vteam.campaigns.news import Draft
from vteam.campaigns.organisers import invited, take_invitation
from vteam.prizes.queries import concerts_with_places
from vteam.web.answers import campaign_or_404, for_organisers, private_render
from vteam.web.forms import SUBJECT_LENGTH, TEXT_LENGTH, NewsForm
from vteam.web.sides import sides
from vteam.web.views.campaign import page_number
from vteam.web.views.mailing import mail_context
from vteam.web.visitors import person_of
from vteam.web.words import Told

PAGE = 30


@for_organisers
@require_safe
def home(request: HttpRequest, campaign: Campaign, organiser: Organiser) -> HttpResponseBase:
    """Everything written for the campaign: drafts, what is published, what was taken back."""
    page = page_number(request)
    rows = list(services.written(campaign)[(page - 1) * PAGE : page * PAGE + 1])
    if page > 1 and not rows:
        raise Http404
    shown = rows[:PAGE]
    context = {
        "campaign": campaign,
        "organiser": organiser,
        "concerts": concerts_with_places(campaign),
        "drafts": [news for news in shown if news.published_at is None],
        "published": [news for news in shown if news.published_at and news.withdrawn_at is None],
        "withdrawn": [news for news in shown if news.withdrawn_at],
        "page": page,
        "has_next": len(rows) > PAGE,
    }
    return render(request, "organise.html", context)


def keeping_what_was_typed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Who was signed out while writing gets their words back, in the same form, to be sent once more."""

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, pk: int | None = None) -> HttpResponseBase:
        if request.method != "POST" or person_of(request) is not None:
            return view(request, slug) if pk is None else view(request, slug, pk)
        campaign = campaign_or_404(slug)
        form = NewsForm(request.POST, languages=campaign.file.languages)
        context = {
            "campaign": campaign,
            "form": form,
            "sides": sides(form, "subject", "text"),
            "signed_out": True,
        }
        return private_render(request, "organise_news.html", context | _LIMITS, status=403)

    return guarded


@keeping_what_was_typed
@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, campaign: Campaign, organiser: Organiser) -> HttpResponseBase:
    """Writing something new; POST keeps it as a draft."""
    form = NewsForm(request.POST if request.method == "POST" else None, languages=campaign.file.languages)
    if form.is_valid():
        written = services.write_news(campaign=campaign, draft=_draft(form), at=clock.now())
        return redirect(f"{reverse('organise-news', args=[campaign.slug, written.pk])}#shown")
    return _page(request, campaign, organiser, form)


@keeping_what_was_typed
@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, campaign: Campaign, organiser: Organiser, pk: int) -> HttpResponseBase:
    """One piece of news: what it says, how a phone shows it. POST keeps it, publishes it or takes it back."""
    news, act = campaign.news.filter(pk=pk).first(), request.POST.get("act", "")
    if act in ("save", "publish"):
        return _save(request, campaign, organiser, news, publishing=act == "publish")
    if news is None:
        raise Http404
    if request.method == "POST":
        return _move(campaign, news, act)
    form = NewsForm(initial=_initial(news), languages=campaign.file.languages)
    return _page(request, campaign, organiser, form, news)


def _save(
    request: HttpRequest, campaign: Campaign, organiser: Organiser, news: News | None, *, publishing: bool
) -> HttpResponseBase:
    """Keep what was typed; `news`: None where somebody threw it away meanwhile."""
    is_out = news is not None and news.published_at is not None
    form = NewsForm(request.POST, languages=campaign.file.languages, whole=is_out)
    if not form.is_valid():
        return _page(request, campaign, organiser, form, news, overtaken=news is None)
    draft, seen, at = _draft(form), form.cleaned_data["seen"], clock.now()
    if news is None or not services.rewrite(news=news, draft=draft, seen=seen, at=at):
        now = campaign.news.filter(pk=news.pk).first() if news else None
        return _page(request, campaign, organiser, form, now, overtaken=True)
    address = reverse("organise-news", args=[campaign.slug, news.pk])
    if publishing and not services.publish(news=news, at=at):
        return redirect(f"{address}?missing#missing")
    return redirect(f"{address}#shown")


def _move(campaign: Campaign, news: News, act: str) -> HttpResponseBase:
    """Take back, put back, throw away. Where somebody else was faster, the page shows how it stands now."""
    if act == "throw-away" and services.throw_away(news=news):
        return redirect("organise", slug=campaign.slug)
    if act == "take-back":
        services.take_back(news=news, at=clock.now())
    elif act == "put-back":
        services.put_back(news=news)
    elif act != "throw-away":
        raise Http404
    return redirect("organise-news", slug=campaign.slug, pk=news.pk)


_LIMITS = {"subject_limit": SUBJECT_LENGTH, "text_limit": TEXT_LENGTH}


def _page(
    request: HttpRequest,
    campaign: Campaign,
    organiser: Organiser,
    form: NewsForm,
    news: News | None = None,
    *,
    overtaken: bool = False,
) -> HttpResponse:
    """The page to write on. `overtaken`: somebody else changed it, or threw it away, since it was read."""
    context = {
        "campaign": campaign,
        "organiser": organiser,
        "form": form,
        "sides": sides(form, "subject", "text"),
        "news": news,
        "seen": services.state(news) if news and (overtaken or not form.is_bound) else form["seen"].value(),
        "shown": _shown(news) if news else [],
        "lacks": services.lacks(news) if news else [],
        "asked_to_publish": "missing" in request.GET,
        "overtaken": overtaken,
    }
    if news is not None and news.published_at and news.withdrawn_at is None:
        context |= mail_context(campaign, news)
    # What was read is what may be written over: a refused form keeps that state.
    status = 409 if overtaken else 422 if form.errors else 200
    return private_render(request, "organise_news.html", context | _LIMITS, status=status)


def _shown(news: News) -> list[Told]:
    """What is kept in each language of the campaign, as a phone will show it."""
    return [
        Told(
            news=news,
            language=code,
            subject=getattr(news, f"subject_{code}"),
            text=getattr(news, f"text_{code}"),
        )
        for code in news.campaign.file.languages
    ]


def _initial(news: News) -> dict[str, str]:
    return {
        f"{part}_{code}": getattr(news, f"{part}_{code}")
        for part in ("subject", "text")
        for code in news.campaign.file.languages
    }


def _draft(form: NewsForm) -> Draft:
    data = form.cleaned_data
    return Draft(
        subjects={code: data[f"subject_{code}"] for code in form.languages},
        texts={code: data[f"text_{code}"] for code in form.languages},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The link an organiser or operator was handed: sign in, press the button, and act."""
    found, person = invited(secret), person_of(request)
    if found is None:
        return private_render(request, "organiser_invitation_used.html", {}, status=410)
    if request.method == "POST" and person is not None:
        taken = take_invitation(secret=secret, person=person)
        if taken is not None:
            return redirect("organise", slug=taken.campaign.slug) if taken.campaign else redirect("operator")
    context = {"invited": found, "campaign": found.campaign, "person": person, "after": request.path}
    return private_render(request, "organiser_invitation.html", context)
