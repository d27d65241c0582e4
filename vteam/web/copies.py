"""A fan's own copy of a title as pages give it: with the link that leads back to its fan."""

from django.http import HttpRequest

from vteam import clock
from vteam.campaigns.models import Campaign, Title
from vteam.channels.copies.services import Sendable, personal_copy
from vteam.channels.links.services import share_inside_copies
from vteam.people.models import Fan
from vteam.web.addresses import short_link


def link_in_copies(request: HttpRequest, fan: Fan) -> str:
    """The link that a fan's copies carry."""
    return short_link(request, share_inside_copies(fan=fan, at=clock.now()).code)


def copy_of(request: HttpRequest, campaign: Campaign, fan: Fan, title: Title) -> Sendable:
    """The copy, to be sent whole or in parts."""
    return personal_copy(campaign=campaign, title=title, link=link_in_copies(request, fan))
