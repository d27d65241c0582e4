"""The demo on one screen: a fan passes a title on, a stranger gets it, the artist can take it back."""

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.http.request import split_domain_port
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from vteam import clock
from vteam.campaigns.joining import account, join_signed_in
from vteam.campaigns.models import Campaign
from vteam.campaigns.queries import OfferedTitle, every_campaign, titles_of
from vteam.channels.links.services import share_at_hand
from vteam.people.models import Fan, Person
from vteam.people.queries import fan_of
from vteam.people.services import Entry
from vteam.rights.models import Holder
from vteam.web.answers import private_render
from vteam.web.guards import POLICY
from vteam.web.here import only_here
from vteam.web.language import plain_reverse
from vteam.web.stage import STAGE, address_of_frame, address_of_stage, frame_of
from vteam.web.visitors import networks_in

FAN, LISTENER, ARTIST = "bo", "cy", "artist"
FAN_ADDRESS = "bo@fan.invalid"


@require_safe
def stage(request: HttpRequest) -> HttpResponseBase:
    """Three frames side by side."""
    only_here(request)
    host, _port = split_domain_port(request.get_host())
    if host != STAGE:
        return redirect(address_of_stage() + reverse("stage"))
    campaign = _campaign()
    share = share_at_hand(fan=_fan(request, campaign), place=_("my screen"), at=clock.now())
    frames = [
        {"who": FAN, "address": _address(FAN, "stage-as", FAN)},
        {"who": LISTENER, "address": _address(LISTENER, "landing", share.code)},
        {"who": ARTIST, "address": _address(ARTIST, "stage-as", ARTIST)},
    ]
    response = private_render(request, "stage.html", {"campaign": campaign, "frames": frames})
    allowed = " ".join(address_of_frame(who) for who in (FAN, LISTENER, ARTIST))
    response.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {allowed}"
    return response


@require_safe
def enter(request: HttpRequest, who: str) -> HttpResponseBase:
    """A frame begins: its person is signed in and sees their page."""
    only_here(request)
    if who not in (FAN, ARTIST) or frame_of(request) != who:
        raise Http404
    campaign = _campaign()
    if who == FAN:
        login(request, _fan(request, campaign).person)
        offered = _title(campaign)
        return redirect("pass-on", slug=campaign.slug, key=offered.title.key)
    holder = Holder.objects.filter(campaign_id=campaign.pk, person__isnull=False).order_by("pk").first()
    if holder is None or holder.person is None:
        raise Http404
    login(request, holder.person)
    return redirect("holder", pk=holder.pk)


def _address(who: str, name: str, *args: str) -> str:
    """A page in somebody's frame, in the stage's language whatever theirs is."""
    return f"{address_of_frame(who)}/{translation.get_language()}{plain_reverse(name, *args)}"


def _campaign() -> Campaign:
    campaign = next(iter(every_campaign()), None)
    if campaign is None:
        raise Http404
    return campaign


def _title(campaign: Campaign) -> OfferedTitle:
    """The first title that may be passed on now; while none may, the first of all, whose page says so."""
    titles = titles_of(campaign, at_us=clock.now_us())
    if not titles:
        raise Http404
    return next((offered for offered in titles if offered.can_pass_on), titles[0])


def _fan(request: HttpRequest, campaign: Campaign) -> Fan:
    """The fan of the stage, who joins when it is first opened."""
    language = translation.get_language() or "en"
    person: Person = account(address=FAN_ADDRESS, language=language, at=clock.now())
    found = fan_of(person, campaign.pk)
    if found is not None:
        return found
    entry = Entry(campaign_id=campaign.pk, name="Bo", language=language)
    network = networks_in(request, campaign).near
    joined = join_signed_in(person=person, entry=entry, network=network, at_us=clock.now_us())
    assert joined.fan is not None, "who joins is a fan"
    return joined.fan
