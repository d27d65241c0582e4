"""News by mail, the organiser's side: how many would get it and by which yes, send, watch it go out, stop it."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign, News, Organiser
from vteam.channels.mail.contents import Asked, content_of
from vteam.channels.mail.letters import page_of
from vteam.channels.mail.mailings import (
    audience_of,
    begin_mailing,
    progress_of,
    stop_mailing,
)
from vteam.channels.mail.models import Mailing, OutboxMessage
from vteam.rules.grants import Purpose
from vteam.web.answers import for_organisers
from vteam.web.reaching import words_of

# A letter carries its styles with it, as it does in a mail program; nothing else is loaded or run.
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


@for_organisers
@require_http_methods(["GET", "HEAD", "POST"])
def mail(request: HttpRequest, campaign: Campaign, organiser: Organiser, pk: int) -> HttpResponseBase:
    """How a mailing stands, as a part of its news' page; POST sends or stops it."""
    news = _news(campaign, pk)
    if request.method == "POST":
        act, at = request.POST.get("act"), clock.now()
        if act == "send":
            begin_mailing(news=news, at=at)
        elif act == "stop" and (found := mailing_of(news)) is not None:
            stop_mailing(mailing=found, at=at)
        else:
            raise Http404
        return redirect(f"{request.path.removesuffix('/mail')}#mail")
    return render(
        request, "parts/news_mail.html", {"campaign": campaign, "news": news, **mail_context(campaign, news)}
    )


def mail_context(campaign: Campaign, news: News) -> dict[str, object]:
    """What `parts/news_mail.html` shows of published news."""
    mailing = mailing_of(news)
    if mailing is None:
        return {
            "mailing": None,
            "audience": audience_of(news, at=clock.now()),
            "mail_words": words_of(Purpose.NEWS, campaign).text,
        }
    return {"mailing": mailing, "progress": progress_of(mailing)}


def mailing_of(news: News) -> Mailing | None:
    """The mailing of a news, if it was begun."""
    return Mailing.objects.filter(news=news).first()


@for_organisers
@require_safe
def letter(
    request: HttpRequest, campaign: Campaign, organiser: Organiser, pk: int, language: str
) -> HttpResponseBase:
    """The letter as a mail program shows it, for nobody in particular."""
    news = _news(campaign, pk)
    if language not in campaign.file.languages:
        raise Http404
    row = OutboxMessage(purpose=Purpose.NEWS, campaign_id=campaign.pk, about=f'{{"news": {news.pk}}}')
    content = content_of(Purpose.NEWS, Asked(rows=[row], campaign=campaign, language=language))
    if content is None:
        raise Http404
    with translation.override(language):
        page = page_of(Purpose.NEWS, content, language=language, since=clock.now())
    return HttpResponse(
        page, headers={"Content-Security-Policy": LETTER_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    )


def _news(campaign: Campaign, pk: int) -> News:
    news = campaign.news.filter(pk=pk, withdrawn_at=None).exclude(published_at=None).first()
    if news is None:
        raise Http404
    return news
