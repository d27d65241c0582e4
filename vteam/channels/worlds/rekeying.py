"""Kiosks' secrets under the newest master key. Codes that wait to be typed are found under every key, for a day."""

from vteam.channels.worlds.models import Kiosk
from vteam.people.rotation import Rekeyed, Tell, rekey_wrapped


def rekey_kiosks(*, tell: Tell) -> Rekeyed:
    """Bring every kiosk that has a secret to the newest master key."""
    return rekey_wrapped(Kiosk.objects.exclude(sealed_key=None), what="kiosks", tell=tell)
