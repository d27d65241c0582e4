"""Opens the demo campaign: its file applied a week after the opening, its artists agreeing in their own way.

Refuses a data folder in which something else lives. Opening an opened demo again changes nothing.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from vteam import clock
from vteam.campaigns.agreements import speak
from vteam.campaigns.check import check_campaign
from vteam.campaigns.file import CampaignFile
from vteam.campaigns.joining import account
from vteam.campaigns.models import Campaign, Title
from vteam.campaigns.services import Applied, Invitation, apply_campaign
from vteam.demo.telling import tell_news
from vteam.demofolder import is_demo_folder, mark_as_demo
from vteam.errors import CampaignFileError, CannotStart
from vteam.rights.services import take_invitation
from vteam.rules.rights import Act, Way

DAYS_AFTER_OPENING = 7
# Where the campaign stands: beside the code in an installed vTeam, beside the package in a checkout.
PLACES = (Path(__file__).parent / "campaign", Path(__file__).parents[2] / "demo")
# The last title is offered the way some musicians like best: keep it, but do not pass it on.
KEPT_WORDS = {
    "en": "Keep it, please don't pass it on: this one is between you and us.",
    "fr": "Gardez-le, mais ne le faites pas circuler : celui-ci reste entre vous et nous.",
}


def open_demo() -> Campaign:
    """The demo campaign, put into this installation where it is not yet."""
    folder = demo_folder()
    checked = check_campaign(folder)
    if checked.file is None:
        raise CampaignFileError("\n".join(map(str, checked.problems)))
    existing = Campaign.objects.filter(slug=checked.file.slug).first()
    if existing is not None and is_demo_folder(settings.DATA):
        return existing
    if Campaign.objects.exists():
        raise CannotStart(
            "There are campaigns of your own in this data folder. Name an empty one for the demo with VTEAM_DATA."
        )
    mark_as_demo(settings.DATA)
    file = a_week_in(checked.file, clock.now())
    at = file.season.starts_at
    applied = apply_campaign(file=file, folder=folder, at=at)
    _artists_agree(applied, at)
    tell_news(applied.campaign)
    return applied.campaign


def demo_folder() -> Path:
    """Where the demo's campaign file and music stand."""
    for place in PLACES:
        if (place / "campaign.toml").is_file():
            return place
    raise CannotStart("The demo campaign is not part of this installation: its folder `demo` is missing.")


def a_week_in(file: CampaignFile, at: dt.datetime) -> CampaignFile:
    """The campaign with its dates moved so that it opened a week ago."""
    return file.shifted(
        (at.date() - dt.timedelta(days=DAYS_AFTER_OPENING) - file.season.starts_at.date()).days
    )


def holder_address(key: str) -> str:
    """The mail address of a demo artist (a domain that can exist nowhere)."""
    return f"{key}@artist.invalid"


def _artists_agree(applied: Applied, at: dt.datetime) -> None:
    titles = list(applied.campaign.titles.order_by("position"))
    for invitation in applied.invitations:
        _artist_agrees(applied.campaign, invitation, titles, at)


def _artist_agrees(
    campaign: Campaign, invitation: Invitation, titles: Sequence[Title], at: dt.datetime
) -> None:
    holder = invitation.holder
    person = account(address=holder_address(holder.key), language=campaign.file.languages[0], at=at)
    take_invitation(secret=invitation.secret, person=person)
    mine = set(holder.titles.values_list("title_id", flat=True))
    for title in titles:
        if title.pk in mine:
            for way, act, words in _says(title, titles[-1]):
                speak(
                    holder=holder,
                    person=person,
                    title=title,
                    way=way,
                    act=act,
                    language=campaign.file.languages[0],
                    at_us=clock.to_us(at),
                    words=words.get(campaign.file.languages[0], ""),
                )


def _says(title: Title, last: Title) -> list[tuple[Way, Act, dict[str, str]]]:
    if title == last:
        kept = KEPT_WORDS
        return [
            (Way.LISTEN, Act.AGREED, {}),
            (Way.DOWNLOAD, Act.AGREED, kept),
            (Way.PASS_ON, Act.REFUSED, {}),
        ]
    return [(way, Act.AGREED, {}) for way in (Way.LISTEN, Way.DOWNLOAD, Way.PASS_ON, Way.WORLDS)]
