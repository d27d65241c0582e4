"""What a resident sees at a kiosk, and what their choices lead to: pages, made by the platform, shown by the object.

Choices carry what they mean ("mission:quiz", "answer:quiz:2"), so that nothing is kept of who looked at what. Texts are
in the language the resident's viewer speaks. Only what is chosen acts; looking leaves no trace.
"""

from collections.abc import Callable

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from vteam import clock
from vteam.campaigns.queries import title_names
from vteam.channels.links.queries import disclosure
from vteam.channels.links.services import share_in_worlds
from vteam.channels.worlds.lines import is_here
from vteam.channels.worlds.linking import LinkRefused, make_link, may_link, unlink_avatar
from vteam.channels.worlds.missions import answer, brought, mission, missions, present
from vteam.channels.worlds.models import Avatar
from vteam.channels.worlds.pages import Opening, Page, cut
from vteam.channels.worlds.visits import Visit, back, number, page_for
from vteam.ledger import queries as books
from vteam.people.models import Fan
from vteam.people.queries import names_of
from vteam.rights.queries import circulations
from vteam.rules.rights import Way

TOP, NAME_BYTES = 5, 40
TITLES_SHOWN = 8


# Looking -------------------------------------------------------------------------------------------------------------
def welcome(visit: Visit) -> Page:
    """What a touch shows first."""
    avatar, file = visit.avatar, visit.campaign.file
    if avatar is not None and avatar.fan is not None:
        text = _standing(visit, avatar.fan)
    elif waiting := _waiting(avatar):
        text = waiting
    else:
        text = file.pitch.in_language(get_language() or "en")
    if not may_link(visit.campaign, at=visit.at):
        text = _over() + (f"\n\n{text}" if avatar and avatar.fan else "")
    if _is_asked_here(visit, avatar):
        here = _("%(artist)s are playing here now. Say that you are here.") % {"artist": file.artist}
        text = f"{here}\n\n{text}"
    return page_for(visit, text, _home(visit, avatar))


def _is_asked_here(visit: Visit, avatar: Avatar | None) -> bool:
    """Whether a concert is announced here that the avatar has not said to be at."""
    said = avatar is not None and avatar.acts.filter(mission=visit.kiosk.here_mission).exists()
    return is_here(visit.kiosk, at=visit.at) and not said


def _waiting(avatar: Avatar | None) -> str:
    """What an avatar did that waits for them to be linked, said to whoever comes back; "" where nothing does."""
    n = avatar.acts.filter(waits_until__isnull=False).exclude(right=False).count() if avatar else 0
    return (
        ngettext(
            "%(n)s thing you did here waits for you: press “Link me”.",
            "%(n)s things you did here wait for you: press “Link me”.",
            n,
        )
        % {"n": n}
        if n
        else ""
    )


def room(visit: Visit) -> Page:
    """What can be heard where residents listen together, and where that is."""
    titles = _heard_in_worlds(visit)
    if titles:
        said = _("Played here, with the artists' agreement:") + "\n" + "\n".join(titles)
    else:
        said = _("No title may be played in virtual worlds at the moment: its artists decide that.")
    where = visit.kiosk.room or visit.kiosk.told_room
    if where:
        said = _("The listening room: %(where)s") % {"where": where} + f"\n\n{said}"
    page = Opening(
        address=visit.addresses.campaign(visit.campaign.slug), label=_("The campaign's page"), flyer=True
    )
    return page_for(visit, said, [back()], opening=page)


def _heard_in_worlds(visit: Visit) -> list[str]:
    titles = list(visit.campaign.titles.filter(retired_at=None).order_by("position"))
    stand = circulations([title.pk for title in titles], at_us=clock.to_us(visit.at))
    names = title_names([title.pk for title in titles])
    heard = [title.pk for title in titles if stand[title.pk][Way.WORLDS].is_open]
    return [f"· {cut(names[pk], NAME_BYTES)}" for pk in heard[:TITLES_SHOWN]]


def _standing(visit: Visit, fan: Fan) -> str:
    own = books.standing_of(visit.campaign.pk, fan.pk)
    fans = books.fans_ranked(visit.campaign.pk)
    said = _("%(name)s: %(points)s points, number %(rank)s of %(fans)s.") % {
        "name": fan.name,
        "points": number(own.points),
        "rank": number(own.rank),
        "fans": number(fans),
    }
    if own.waiting:
        said += " " + _("%(points)s points wait.") % {"points": number(own.waiting)}
    return said


def _home(visit: Visit, avatar: Avatar | None) -> list[tuple[str, str]]:
    choices = [("here", _("I'm here"))] if _is_asked_here(visit, avatar) else []
    choices += [("missions", _("Missions")), ("ranking", _("Ranking")), ("room", _("Listening room"))]
    choices += [("flyer", _("A flyer"))]
    if avatar and avatar.fan_id:
        return [*choices, ("let-go", _("Not me?"))]
    return [*choices, ("link", _("Link me"))] if may_link(visit.campaign, at=visit.at) else choices


def _ranking(visit: Visit) -> Page:
    top = books.top(visit.campaign.pk, at_most=TOP)
    names = names_of(standing.fan_id for standing in top)
    lines = [
        f"{place.rank}. {cut(names.get(place.fan_id, _('somebody who left')), NAME_BYTES)} · {number(place.points)}"
        for place in top
    ]
    avatar = visit.avatar
    if avatar is not None and avatar.fan is not None:
        lines += ["", _standing(visit, avatar.fan)]
    return page_for(visit, "\n".join(lines) or _("Nobody has points yet."), [back()])


# Going home ----------------------------------------------------------------------------------------------------------
def _link(visit: Visit) -> Page:
    avatar = visit.avatar
    if avatar is not None and avatar.fan_id:
        return welcome(visit)
    secret = make_link(campaign=visit.campaign, kiosk=visit.kiosk, resident=visit.resident, at=visit.at)
    if isinstance(secret, LinkRefused):
        return page_for(visit, _NO_LINK[secret](), [back()])
    said = _(
        "Open this address within 10 minutes, sign in or join, and say yes there. It is for you alone: "
        "whoever opens it and says yes takes this avatar."
    )
    opening = Opening(address=visit.addresses.link(secret), label=_("Link this avatar to your account"))
    return page_for(visit, said, [back()], opening=opening)


def _over() -> str:
    return _("The season is over. Thank you.")


_NO_LINK: dict[LinkRefused, Callable[[], str]] = {
    LinkRefused.OVER: _over,
    LinkRefused.TOO_OFTEN: lambda: _("That was often. Come back in an hour."),
    LinkRefused.KIOSK_FULL: lambda: _("This kiosk takes no more newcomers today. Come back tomorrow."),
}


def _let_go(visit: Visit, rest: str) -> Page:
    """Whoever is linked to somebody they are not, or not any more, is their own again: said twice."""
    avatar = visit.avatar
    if avatar is None or avatar.fan is None:
        return welcome(visit)
    if rest == "yes":
        unlink_avatar(avatar=avatar)
        return page_for(
            visit, _("This avatar is nobody's now. Link it to your own account when you like."), [back()]
        )
    said = _("This avatar is linked to %(name)s. Let go, and it is nobody's; what was counted stays theirs.")
    choices = [("let-go:yes", _("Let go")), back()]
    return page_for(visit, said % {"name": avatar.fan.name}, choices)


def _flyer(visit: Visit) -> Page:
    """A public address to hand on. A linked fan's is their own link for virtual worlds; at a kiosk whose host nobody
    knows it is the host's: nobody there speaks for somebody else. Whose it would be has ended it: the campaign's.
    """
    avatar = visit.avatar
    own = avatar.fan if avatar and visit.kiosk.trusted else None
    fan = own or visit.kiosk.fan
    share = share_in_worlds(fan=fan, place=_("In virtual worlds"), at=visit.at) if fan else None
    if fan is None or share is None:
        address, note = visit.addresses.campaign(visit.campaign.slug), ""
        said = _("Hand this address on: it leads to the campaign.")
        if own is not None:
            said += " " + _("You have ended your own link: under “My links” you can open it again.")
    else:
        address = visit.addresses.share(share.code)
        said, note = _own_flyer(visit) if own is not None else _hosts_flyer(visit, fan)
    opening = Opening(address=address, label=_("The flyer"), flyer=True, note=note)
    return page_for(visit, f"{said}\n\n{note}".strip(), [back()], opening=opening)


def _own_flyer(visit: Visit) -> tuple[str, str]:
    """What is said with somebody's own link, and the note that goes with it."""
    said = _("This is your own link. Whoever comes through it came because of you.")
    return said, disclosure(visit.campaign)


def _hosts_flyer(visit: Visit, host: Fan) -> tuple[str, str]:
    """What is said with the link of a kiosk's host, and the note that goes with it."""
    said = _("Hand this address on. It is the link of %(name)s, who hosts this kiosk.") % {"name": host.name}
    # Whoever spreads a link for points says so: on the flyer itself, too.
    note = _("Ad: this link earns points for a fan on %(band)s's vTeam.")
    return said, note % {"band": visit.campaign.file.artist}


def chosen(visit: Visit, choice: str, text: str) -> Page:
    """What a choice leads to; the first page again for one there is none of (any more)."""
    what, _sep, rest = choice.partition(":")
    leads = _CHOICES.get(what)
    return leads(visit, rest, text) if leads else welcome(visit)


_CHOICES: dict[str, Callable[[Visit, str, str], Page]] = {
    "home": lambda visit, rest, text: welcome(visit),
    "missions": lambda visit, rest, text: missions(visit, rest),
    "mission": lambda visit, rest, text: mission(visit, rest),
    "ranking": lambda visit, rest, text: _ranking(visit),
    "room": lambda visit, rest, text: room(visit),
    "link": lambda visit, rest, text: _link(visit),
    "let-go": lambda visit, rest, text: _let_go(visit, rest),
    "flyer": lambda visit, rest, text: _flyer(visit),
    "answer": lambda visit, rest, text: answer(visit, rest),
    "bring": lambda visit, rest, text: brought(visit, rest, text),
    "here": lambda visit, rest, text: present(visit),
}
