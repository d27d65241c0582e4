"""The exact words a holder is shown before they agree: what each way of circulating means, in plain language.

What they agreed to is stored with its hash, so changing a text here changes no agreement already given.
"""

import hashlib
from dataclasses import dataclass

from vteam.rules.rights import Way

_TEXTS = {
    (Way.LISTEN, "en"): (
        "Anyone may listen to “{title}” by {artist} on the campaign's pages. It plays when they press, and is not "
        "given to them as a file."
    ),
    (Way.LISTEN, "fr"): (
        "Chacun peut écouter « {title} » de {artist} sur les pages de la campagne. Le titre se lance quand on "
        "appuie et n'est pas remis sous forme de fichier."
    ),
    (Way.DOWNLOAD, "en"): (
        "Members of the vTeam may download “{title}” by {artist} as an MP3 and keep it. Each copy carries the "
        "fan's own link."
    ),
    (Way.DOWNLOAD, "fr"): (
        "Les membres de la vTeam peuvent télécharger « {title} » de {artist} en MP3 et le garder. Chaque "
        "exemplaire porte le lien du fan."
    ),
    (Way.PASS_ON, "en"): (
        "Fans may pass their copy of “{title}” by {artist} on to others, directly from their own computer or "
        "phone. Copies already on people's disks cannot be called back."
    ),
    (Way.PASS_ON, "fr"): (
        "Les fans peuvent faire circuler leur exemplaire de « {title} » de {artist} auprès d'autres personnes, "
        "directement depuis leur ordinateur ou leur téléphone. Ce qui est déjà sur le disque des gens ne peut pas "
        "être rappelé."
    ),
    (Way.WORLDS, "en"): (
        "“{title}” by {artist} may be heard in virtual worlds, at the campaign's kiosks and in its listening room."
    ),
    (Way.WORLDS, "fr"): (
        "« {title} » de {artist} peut être écouté dans les mondes virtuels, aux bornes de la campagne et dans sa "
        "salle d'écoute."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A text as shown, in one language, and its SHA-256 (64 hex digits)."""

    language: str
    text: str
    sha256: str


def wording(way: Way, *, title: str, artist: str, language: str) -> Wording:
    """What agreeing to a way means for one title."""
    shown = language if (way, language) in _TEXTS else "en"
    text = _TEXTS[way, shown].format(title=title, artist=artist)
    return Wording(language=shown, text=text, sha256=hashlib.sha256(text.encode()).hexdigest())
