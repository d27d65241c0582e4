"""What roles, ways, standings and acts are called on the pages: one word per thing, in both languages."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vteam.campaigns.file import PrizeEntry
from vteam.rules.rights import Act, Standing, Way

register = template.Library()


@register.filter
def role_name(role: str) -> str:
    """What somebody is to a title."""
    names = {
        "author": _("author"),
        "performer": _("performer"),
        "producer": _("producer"),
        "publisher": _("publisher"),
    }
    return names[role]


@register.filter
def way_name(way: str) -> str:
    """A way of circulating, in a few words."""
    names = {
        Way.LISTEN: _("Listen here"),
        Way.DOWNLOAD: _("Download and keep"),
        Way.PASS_ON: _("Pass on"),
        Way.WORLDS: _("Play in virtual worlds"),
    }
    return names[Way(way)]


@register.filter
def standing_name(standing: str) -> str:
    """How a way stands, for those who decide it."""
    names = {
        Standing.OPEN: _("open"),
        Standing.NOT_AGREED: _("not agreed yet"),
        Standing.NOT_BEGUN: _("not begun yet"),
        Standing.REFUSED: _("refused"),
        Standing.WITHDRAWN: _("taken back"),
        Standing.EXPIRED: _("run out"),
    }
    return names[Standing(standing)]


@register.filter
def act_name(act: str) -> str:
    """What a holder did."""
    names = {Act.AGREED: _("agreed"), Act.REFUSED: _("refused"), Act.WITHDRAWN: _("took back")}
    return names[Act(act)]


@register.filter
def who_wins(prize: PrizeEntry) -> tuple[str, str]:
    """Who gets a prize: a number to print big and what it counts; no number for a draw."""
    if prize.kind == "ranking" and prize.first:
        return str(prize.first), ngettext("first of the ranking", "first of the ranking", prize.first)
    if prize.kind == "milestone" and prize.milestone:
        return f"{prize.milestone:,}".replace(",", "\u202f"), _("points reached")
    return "", _("Drawn among all who have points")
