"""Missions as a resident meets them at a kiosk: what each asks, and what became of what they did."""

from collections.abc import Callable

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vteam.campaigns.file import MissionEntry
from vteam.channels.worlds.acting import Acted, Deed, act, before_by, is_open
from vteam.channels.worlds.lines import is_here
from vteam.channels.worlds.models import WorldAct
from vteam.channels.worlds.pages import LABEL_BYTES, TEXT_BYTES, Ask, Opening, Page, cut
from vteam.channels.worlds.visits import (
    Visit,
    back,
    explained,
    in_words,
    number,
    one_line,
    page_for,
    world_mission,
)
from vteam.rules.facts import Act

MISSIONS_A_PAGE = 4
NAME_BYTES = 80


def missions(visit: Visit, place: str) -> Page:
    """Missions that are open, a few at a time; those that are done here come first, and can be chosen."""
    pays = [entry for entry in visit.campaign.file.missions if is_open(visit.campaign, entry, at=visit.at)]
    entries = sorted(pays, key=lambda entry: entry.kind != "world")
    first = int(place) if place.isascii() and place.isdigit() and len(place) < 4 else 0
    shown = entries[first : first + MISSIONS_A_PAGE]
    done = _done(visit)
    lines = [_mission_line(entry, done.get(entry.key)) for entry in shown]
    here = [(f"mission:{entry.key}", in_words(entry.name)) for entry in shown if entry.kind == "world"]
    more = [(f"missions:{first + MISSIONS_A_PAGE}", _("More"))] if entries[first + MISSIONS_A_PAGE :] else []
    link = [_to_link()] if any(_waits(done[entry.key]) for entry in shown if entry.key in done) else []
    text = "\n".join(lines) or _("No mission is open at the moment.")
    elsewhere = None
    if shown and not here:
        text += "\n\n" + _("These are done on the campaign's page.")
        address = visit.addresses.campaign(visit.campaign.slug)
        elsewhere = Opening(address=address, label=_("The campaign's page"), flyer=True)
    return page_for(visit, text, [*here, *more, *link, back()], opening=elsewhere)


def _to_missions() -> tuple[str, str]:
    return "missions", _("Back")


def _to_link() -> tuple[str, str]:
    return "link", _("Link me")


def _mission_line(entry: MissionEntry, done: WorldAct | None) -> str:
    name = {"mission": cut(in_words(entry.name), NAME_BYTES)}
    if done is None:
        return _("%(mission)s · %(points)s points") % (name | {"points": number(entry.points)})
    if _waits(done):
        return _("%(mission)s · waits: press “Link me”") % name
    # What was wrong, is not looked at yet or was refused is not called done.
    if done.right is False:
        return _("%(mission)s · answered") % name
    if done.act == Act.BRING and not done.accepted:
        return _("%(mission)s · brought") % name
    return _("%(mission)s · done") % name


def _waits(done: WorldAct) -> bool:
    """Whether it would count if the avatar were linked; a wrong answer waits for nothing."""
    return done.recorded_at is None and done.right is not False


def _done(visit: Visit) -> dict[str, WorldAct]:
    """What was done for each mission: by this avatar, else by another one of their fan's."""
    avatar = visit.avatar
    if avatar is None:
        return {}
    theirs = Q(avatar=avatar) | Q(fan=avatar.fan_id) if avatar.fan_id else Q(avatar=avatar)
    found = sorted(WorldAct.objects.filter(theirs), key=lambda done: done.avatar_id == avatar.pk)
    return {done.mission: done for done in found}


def mission(visit: Visit, key: str) -> Page:
    """One mission in a world: what it asks, and the ways to answer."""
    entry = world_mission(visit.campaign, key)
    if entry is None or not is_open(visit.campaign, entry, at=visit.at):
        return page_for(visit, _closed(), [_to_missions()])
    avatar = visit.avatar
    became, done = (before_by(avatar, entry) if avatar else None) or (None, None)
    if done is not None:
        return _told_before(visit, entry, done)
    if became is not None:
        return page_for(visit, _REFUSED[became](), [_to_missions()])
    return _PAGES[Act(entry.act or Act.BRING)](visit, entry)


def _question(visit: Visit, entry: MissionEntry) -> Page:
    """The choices are numbered where a button has no room for one of them."""
    choices = [in_words(choice) for choice in entry.choices]
    numbered = any(len(choice.encode()) > LABEL_BYTES for choice in choices)
    said = in_words(entry.question) if entry.question else ""
    if numbered:
        said += "".join(f"\n{n}. {choice}" for n, choice in enumerate(choices, start=1))
    once = _("Each avatar votes once.") if entry.act == "vote" else _("Each avatar answers once.")
    if len(said.encode()) + len(once.encode()) + 2 <= TEXT_BYTES:
        said += f"\n\n{once}"
    labels = [str(n) if numbered else choice for n, choice in enumerate(choices, start=1)]
    answers = [(f"answer:{entry.key}:{n}", label) for n, label in enumerate(labels, start=1)]
    return page_for(visit, said, [*answers, _to_missions()])


def _concert(visit: Visit, entry: MissionEntry) -> Page:
    if is_here(visit.kiosk, at=visit.at) and visit.kiosk.here_mission == entry.key:
        return page_for(visit, explained(entry), [("here", _("I'm here")), _to_missions()])
    later = _("It is announced at the kiosk when it begins; then press “I'm here”.")
    return page_for(visit, f"{explained(entry)}\n\n{later}", [_to_missions()])


def _bring(visit: Visit, entry: MissionEntry) -> Page:
    label = _("What is it, and where does it stand?")
    looked = _("A person looks at it before it counts.")
    ask = Ask(choice=f"bring:{entry.key}", label=label)
    return page_for(visit, f"{explained(entry)}\n\n{looked}", [_to_missions()], ask=ask)


_PAGES: dict[Act, Callable[[Visit, MissionEntry], Page]] = {
    Act.ANSWER: _question,
    Act.VOTE: _question,
    Act.CONCERT: _concert,
    Act.BRING: _bring,
}


# Doing ---------------------------------------------------------------------------------------------------------------
def present(visit: Visit) -> Page:
    """A resident says that they are at the concert announced here."""
    key = visit.kiosk.here_mission if is_here(visit.kiosk, at=visit.at) else ""
    entry = world_mission(visit.campaign, key)
    if entry is None or entry.act != "concert":
        return page_for(visit, _not_here(), [back()])
    return _do(visit, entry, Deed())


def answer(visit: Visit, rest: str) -> Page:
    """A resident chose; `rest`: the mission's key and the number of the choice. Missions again where there is none."""
    key, _sep, number = rest.rpartition(":")
    entry = world_mission(visit.campaign, key)
    is_choice = number.isascii() and number.isdigit() and len(number) < 3
    if entry is None or not is_choice or not 1 <= int(number) <= len(entry.choices):
        return missions(visit, "")
    return _do(visit, entry, Deed(choice=int(number)))


def brought(visit: Visit, key: str, text: str) -> Page:
    """A resident told of something they made; asked again where they told nothing."""
    entry, told = world_mission(visit.campaign, key), one_line(text)
    if entry is None or entry.act != "bring":
        return missions(visit, "")
    return _do(visit, entry, Deed(text=told)) if told else mission(visit, key)


def _do(visit: Visit, entry: MissionEntry, deed: Deed) -> Page:
    became, done = act(
        campaign=visit.campaign,
        kiosk=visit.kiosk,
        resident=visit.resident,
        mission=entry,
        deed=deed,
        at=visit.at,
    )
    if became is Acted.BEFORE and done is not None:
        return _told_before(visit, entry, done)
    if became is not Acted.DONE or done is None:
        return page_for(visit, _REFUSED[became](), [back()])
    return _thanks(visit, entry, done)


def _thanks(visit: Visit, entry: MissionEntry, done: WorldAct) -> Page:
    said = _said(entry, done)
    if not _waits(done):
        return page_for(visit, said, [("missions", _("Missions")), back()])
    days = max((done.waits_until - visit.at).days, 1) if done.waits_until else 1
    waits = ngettext(
        "To keep that, press “Link me” within %(days)s day.",
        "To keep that, press “Link me” within %(days)s days.",
        days,
    ) % {"days": days}
    return page_for(visit, f"{said} {waits}", [_to_link(), ("missions", _("Missions")), back()])


def _said(entry: MissionEntry, done: WorldAct) -> str:
    if done.right is False:
        return _("Not this time: that was not the answer.")
    points = {"points": number(entry.points)}
    if done.act == Act.ANSWER:
        return _("That is the answer: %(points)s points.") % points
    if done.act == Act.VOTE:
        return _("Your vote is in: %(points)s points.") % points
    if done.act == Act.CONCERT:
        return _("You were there: %(points)s points.") % points
    return _("Thank you. Somebody will look at it. If it counts: %(points)s points.") % points


def _told_before(visit: Visit, entry: MissionEntry, done: WorldAct) -> Page:
    said = _("You have done this one already.")
    if done.right is False:
        said = _("You have answered this one already, and each avatar answers once.")
    if _waits(done):
        return page_for(visit, said + " " + _("To keep that, press “Link me”."), [_to_link(), back()])
    if done.right is not False and done.accepted is None and _is_theirs(visit, done):
        # The first answer may never have reached them.
        said += " " + _said(entry, done)
    return page_for(visit, said, [("missions", _("Missions")), back()])


def _is_theirs(visit: Visit, done: WorldAct) -> bool:
    """Whether it was done for the fan the avatar is linked to now, and not for one before."""
    return visit.avatar is not None and visit.avatar.fan_id == done.fan_id


def _closed() -> str:
    return _("This mission is not open now.")


def _not_here() -> str:
    return _("No concert is announced here at the moment.")


_REFUSED: dict[Acted, Callable[[], str]] = {
    Acted.AS_ANOTHER: lambda: _("Another avatar of yours has done this one."),
    Acted.CLOSED: _closed,
    Acted.NOT_HERE: _not_here,
    Acted.KIOSK_FULL: lambda: _("This kiosk is full for today. Come back tomorrow."),
}
