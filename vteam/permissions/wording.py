"""The exact words somebody is shown before they say yes to being written to, one purpose at a time.

What they agreed to is stored with its hash, so changing a text here changes no yes already given; it gets a new
`VERSION`.
"""

import hashlib
from dataclasses import dataclass

from vteam.rules.grants import Purpose

VERSION = 1
_TEXTS = {
    (Purpose.NEWS, "en"): (
        "{artist} may write to me by mail when there is news of the release and the concerts of “{campaign}”."
    ),
    (Purpose.NEWS, "fr"): (
        "{artist} peut m’écrire par mail quand il y a des nouvelles de la sortie et des concerts de "
        "« {campaign} »."
    ),
    (Purpose.POINTS, "en"): (
        "“{campaign}” may write to me by mail what I earned, when I earned something, and nothing else."
    ),
    (Purpose.POINTS, "fr"): (
        "« {campaign} » peut m’écrire par mail ce que j’ai gagné, quand j’ai gagné quelque chose, et rien d’autre."
    ),
    (Purpose.ASKED, "en"): (
        "“{campaign}” may write to me by mail when somebody I handed my link to asks me for a title."
    ),
    (Purpose.ASKED, "fr"): (
        "« {campaign} » peut m’écrire par mail quand quelqu’un à qui j’ai donné mon lien me demande un titre."
    ),
    (
        Purpose.WON,
        "en",
    ): "“{campaign}” may write to me by mail when I have won a prize, so that I claim it in time.",
    (Purpose.WON, "fr"): (
        "« {campaign} » peut m’écrire par mail quand j’ai gagné un lot, pour que je le réclame à temps."
    ),
    (Purpose.FAULTS, "en"): "This installation of vTeam may write to me by mail when something in it fails.",
    (Purpose.FAULTS, "fr"): (
        "Cette installation de vTeam peut m’écrire par mail quand quelque chose y échoue."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A text as shown, in one language, its version and its SHA-256 (64 hex digits)."""

    language: str
    text: str
    version: int
    sha256: str


def wording(purpose: Purpose, *, artist: str, campaign: str, language: str) -> Wording:
    """What saying yes to a purpose means in one campaign."""
    shown = language if (purpose, language) in _TEXTS else "en"
    text = _TEXTS[purpose, shown].format(artist=artist, campaign=campaign)
    return Wording(
        language=shown, text=text, version=VERSION, sha256=hashlib.sha256(text.encode()).hexdigest()
    )
