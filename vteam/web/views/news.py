"""A campaign's news for everybody: all of it, newest first, and each on a page of its own."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from vteam.campaigns.news import published
from vteam.web.answers import campaign_or_404
from vteam.web.views.campaign import page_number
from vteam.web.visitors import fan_here

PAGE = 10


@require_safe
def every(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What was published, a page at a time."""
    found, page = campaign_or_404(slug), page_number(request)
    rows = list(published(found)[(page - 1) * PAGE : page * PAGE + 1])
    if page > 1 and not rows:
        raise Http404
    context = {
        "campaign": found,
        "fan": fan_here(request, found),
        "rows": rows[:PAGE],
        "page": page,
        "has_next": len(rows) > PAGE,
    }
    return render(request, "news.html", context)


@require_safe
def one(request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    """One piece of news; 410 where it was taken back."""
    found = campaign_or_404(slug)
    news = found.news.filter(pk=pk).exclude(published_at=None).first()
    if news is None:
        raise Http404
    if news.withdrawn_at is not None:
        return HttpResponse(render_to_string("410.html", {"campaign": found}, request), status=410)
    return render(
        request, "news_one.html", {"campaign": found, "fan": fan_here(request, found), "news": news}
    )
