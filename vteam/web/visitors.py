"""Who is asking: the networks a request comes from, the person signed in, and the fan they are."""

from django.conf import settings
from django.http import HttpRequest

from vteam.campaigns.models import Campaign
from vteam.channels.links.services import Visitor
from vteam.channels.networks import networks_of
from vteam.people.models import Fan, Person
from vteam.people.queries import fan_of
from vteam.rules.networks import Networks


def person_of(request: HttpRequest) -> Person | None:
    """The signed-in person, or None. A request without our cookie costs no query."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    return request.user if isinstance(request.user, Person) else None


def fan_here(request: HttpRequest, campaign: Campaign) -> Fan | None:
    """The fan the signed-in person is in a campaign."""
    return fan_of(person_of(request), campaign.pk)


def networks_in(request: HttpRequest, campaign: Campaign) -> Networks:
    """Keyed hashes of where a request came from, under the campaign's key."""
    return _networks(request, bytes(campaign.network_key))


def door_network(request: HttpRequest) -> str:
    """The keyed hash budgets of doors outside any campaign are counted by."""
    return _networks(request, settings.SECRET_KEY.encode()).near


def visitor_of(request: HttpRequest, campaign: Campaign) -> Visitor:
    """A landing page's visitor."""
    fan = fan_here(request, campaign)
    return Visitor(networks=networks_in(request, campaign), fan_id=fan.pk if fan else None)


def _networks(request: HttpRequest, key: bytes) -> Networks:
    peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", "")
    return networks_of(peer, forwarded, host=request.get_host(), key=key)
