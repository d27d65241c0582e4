"""Another master key for all that is here, while nobody else is.

The key comes first, and is on disk before anything is sealed under it; then everything is brought to it in one
transaction. Killed in between, the next time finishes: no second key is made while anything waits for the first.
Refuses while vTeam runs on the data folder (or anybody is connected to the PostgreSQL database), and where none of
the keys opens anything: one that is lost must be put back first.
"""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from vteam.backup.alone import nobody_else
from vteam.channels.rekeying import bring_to_newest
from vteam.errors import SealError, SettingsError
from vteam.keys import add_key
from vteam.people.rotation import Rekeyed, Tell, take_up

HOW_TO_ADD = (
    "The master keys are given by VTEAM_MASTER_KEY, so the new one must be too. Make one, for example with\n"
    "  python3 -c 'import secrets; print(secrets.token_urlsafe(48))'\n"
    "and write it behind the others: VTEAM_MASTER_KEY=OLD,NEW. Then do this again, on every machine with the same."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What became of a rotation. `made`: a key was added, and not already by one that was interrupted."""

    made: bool
    rekeyed: Rekeyed


def rotate(*, tell: Tell) -> Rotated:
    """Add a master key and bring everything to it, or finish bringing everything to the newest there is.

    Raises Busy, BackupError (somebody is in the database), SealError (no key here opens anything) and SettingsError
    (the keys come from the environment, which only its owner changes; or keys/ cannot be written).
    """
    with nobody_else(Path(settings.DATA)):
        before = bring_to_newest(tell=tell)
        if before.moved:
            return Rotated(made=False, rekeyed=before)
        if before.unopened and not before.there:
            raise SealError(
                "No key was added: none of the master keys here opens anything in this database. Put the right "
                "keys/master (or VTEAM_MASTER_KEY) back first."
            )
        if settings.MASTER_KEY_GIVEN:
            raise SettingsError(HOW_TO_ADD)
        take_up(add_key(Path(settings.DATA), "master"))
        return Rotated(made=True, rekeyed=bring_to_newest(tell=tell))
