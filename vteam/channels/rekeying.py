"""Bringing the whole database to the newest master key: people, and what the channels keep sealed.

A channel that keeps something under a person's address has its part in `bring_to_newest`.
"""

from django.db import transaction

from vteam.channels.mail.rekeying import rekey_letters
from vteam.channels.worlds.rekeying import rekey_kiosks
from vteam.people.rotation import Rekeyed, Tell, rekey_people


@transaction.atomic
def bring_to_newest(*, tell: Tell) -> Rekeyed:
    """All of it or nothing; doing it again changes nothing. Nobody else may seal under an older key meanwhile."""
    return rekey_people(tell=tell) + rekey_letters(tell=tell) + rekey_kiosks(tell=tell)
