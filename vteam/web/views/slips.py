"""The permission slip: a page for whoever scans a printed one, saying how things stand now, and a fan's own file."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from vteam import clock
from vteam.campaigns.models import Campaign
from vteam.campaigns.slips import Slip, slip_of
from vteam.people.models import Fan
from vteam.permissions import budgets
from vteam.web.addresses import site_base
from vteam.web.answers import attachment, campaign_or_404, for_fans, private_render
from vteam.web.language import plain_reverse
from vteam.web.visitors import fan_here

# Drawing one takes a tenth of a second.
FILES_PER_HOUR = 60


@require_safe
def slip(request: HttpRequest, slug: str, key: str) -> HttpResponseBase:
    """How it stands now, for everybody."""
    campaign = campaign_or_404(slug)
    context = {"campaign": campaign, "slip": _slip(campaign, key), "fan": fan_here(request, campaign)}
    return private_render(request, "slip.html", context)


@for_fans
@require_GET
def slip_file(request: HttpRequest, campaign: Campaign, fan: Fan, key: str) -> HttpResponseBase:
    """The slip as a PDF made for this fan; while it does not hold, the page says how things stand."""
    found, at = _slip(campaign, key), clock.now()
    if not found.holds:
        return redirect("slip", slug=campaign.slug, key=key)
    if not budgets.take(door="slip", key=str(fan.pk), limit=FILES_PER_HOUR, window=budgets.HOUR, at=at):
        return private_render(request, "429.html", {}, status=429)
    from vteam.web.slipfile import drawn  # with all that draws: loaded once the first is asked for

    content = drawn(
        found,
        campaign=campaign,
        name=fan.name,
        address=site_base(request) + plain_reverse("slip", campaign.slug, key),
        at=at,
    )
    file_name = _("Permission for %(title)s") % {"title": found.title.name}
    return attachment(content, f"{file_name}.pdf", "application/pdf")


def _slip(campaign: Campaign, key: str) -> Slip:
    found = slip_of(campaign, key, at_us=clock.now_us())
    if found is None:
        raise Http404
    return found
