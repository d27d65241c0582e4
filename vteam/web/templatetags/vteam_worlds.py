"""What worlds, the state of kiosks and residents' choices are called on the pages."""

from collections.abc import Iterable

from django import template
from django.utils.translation import gettext as _

from vteam.campaigns.values import Words
from vteam.channels.worlds.models import World
from vteam.channels.worlds.queries import Alive, MissionRow

register = template.Library()


@register.filter
def alive(state: str) -> str:
    """How an object stands, in a word or two."""
    names = {
        Alive.WAITING: _("waits for its code"),
        Alive.LAPSED: _("its code is too old"),
        Alive.ALIVE: _("alive"),
        Alive.SILENT: _("silent"),
        Alive.CLOSED: _("closed"),
    }
    return names[Alive(state)]


@register.filter
def world(value: str) -> str:
    """A world by its name; names are names in every language."""
    return _("another world") if value == World.OTHER else str(World(value).label)


@register.filter
def chosen(row: MissionRow) -> Iterable[tuple[Words, int]]:
    """The choices of a mission with how often each was chosen."""
    return zip(row.entry.choices, row.choices, strict=True)
