"""The demo's organiser: two pieces of news told, and a link by which whoever tries the demo becomes one too.

Refuses nothing; telling again changes nothing.
"""

import datetime as dt
from typing import NamedTuple

from vteam.campaigns.models import Campaign
from vteam.campaigns.news import Draft, publish, write_news
from vteam.campaigns.organisers import invite

ORGANISER = "Ana"


class Told(NamedTuple):
    """News of the demo: how many days after the opening it came, subjects and texts by language."""

    days: float
    subjects: dict[str, str]
    texts: dict[str, str]


NEWS = (
    Told(
        days=0.1,
        subjects={"en": "The tide is coming in", "fr": "La marée monte"},
        texts={
            "en": "We open today. Three songs, a few weeks before the album, and you to carry them.\n\n"
            "Make a link for each place you know, and send it yourself: we write to nobody who did not ask.\n\n"
            "See you on the other side of the release,\nLune Noire",
            "fr": "On ouvre aujourd’hui. Trois chansons, quelques semaines avant l’album, et vous pour les porter.\n\n"
            "Fais un lien pour chaque endroit que tu connais, et envoie-le toi-même\u00a0: nous n’écrivons à "
            "personne qui ne l’ait demandé.\n\n"
            "À bientôt, de l’autre côté de la sortie,\nLune Noire",
        },
    ),
    Told(
        days=4.3,
        subjects={
            "en": "“Sel” was sung in one night",
            "fr": "«\u00a0Sel\u00a0», chantée en une nuit",
        },
        texts={
            "en": "Inès could not sleep, the lighthouse could not either. What you hear is the first take; the second "
            "was better and meant nothing.\n\n"
            "Keep it, please don’t pass it on: this one is between you and us. The other two travel as far as you "
            "like.\n\n"
            "Pictures of that night: https://lune-noire.example/sel",
            "fr": "Inès ne dormait pas, le phare non plus. Ce que tu entends est la première prise\u00a0; la deuxième "
            "était meilleure et ne disait rien.\n\n"
            "Garde-la, mais ne la fais pas circuler\u00a0: celle-ci reste entre toi et nous. Les deux autres "
            "voyagent aussi loin que tu veux.\n\n"
            "Les images de cette nuit-là\u00a0: https://lune-noire.example/sel",
        },
    ),
)


def tell_news(campaign: Campaign) -> None:
    """Publish the demo's news, each at its hour, where nothing was written yet."""
    if campaign.news.exists():
        return
    for told in NEWS:
        at = campaign.file.season.starts_at + dt.timedelta(days=told.days)
        draft = Draft(subjects=told.subjects, texts=told.texts)
        publish(news=write_news(campaign=campaign, draft=draft, at=at), at=at)


def organisers_door(campaign: Campaign, *, at: dt.datetime) -> str:
    """The path by which one organises the demo: the invitation's until it was taken, the page's then."""
    secret = invite(campaign=campaign, name=ORGANISER, at=at)
    return f"organise/invitation/{secret}" if secret else f"{campaign.slug}/organise"
