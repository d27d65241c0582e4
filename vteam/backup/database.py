"""A database that came out of a backup: what is dropped from it, what is done again, and whether it holds.

Django's connection stands on another database meanwhile, in this thread alone.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler

from vteam import appendonly, clock
from vteam.backup.archive import Tell
from vteam.campaigns.models import Campaign, Title
from vteam.campaigns.queries import every_campaign
from vteam.channels.erasing import erase_again
from vteam.channels.mail.models import Mailing, OutboxMessage
from vteam.channels.rekeying import bring_to_newest
from vteam.errors import BackupError
from vteam.ledger.snapshot import snapshot
from vteam.ledger.verify import verify
from vteam.people import erasure
from vteam.people.models import Pending
from vteam.permissions import noes
from vteam.permissions.again import say_noes_again


@contextmanager
def standing_on(name: str) -> Iterator[None]:
    """Django's connection is to the database (or SQLite file) of this name while the block runs."""
    kept = connections["default"]
    other = ConnectionHandler({"default": kept.settings_dict | {"NAME": name}})["default"]
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = kept


def applied_migrations() -> list[str]:
    """Every migration the database has had, as "app.name"."""
    try:
        return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
    except DatabaseError as error:
        raise BackupError(f"The database cannot be read: {first_line(error)}.") from error


def unknown_migrations(applied: Iterable[str]) -> list[str]:
    """Those of a newer vTeam than this one."""
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    return sorted(set(applied) - known)


def past_dropped() -> list[str]:
    """SQL that drops what belongs to the moment of the backup and must not come alive again.

    Sessions (somebody may have signed out since), codes waiting to be typed (each was good once), letters that
    were about to leave (they have left, or carry those codes), and mailings under way (whom they reached since is not
    known).
    """
    under_way = f"'{OutboxMessage.WAITING}', '{OutboxMessage.HANDING}'"
    letters = f"DELETE FROM {OutboxMessage._meta.db_table} WHERE state IN ({under_way})"
    mailings = (
        f"UPDATE {Mailing._meta.db_table} SET state = '{Mailing.STOPPED}' WHERE state = '{Mailing.SENDING}'"
    )
    return [f"DELETE FROM {model._meta.db_table}" for model in (Session, Pending)] + [letters, mailings]


def bring_up(*, logs: Path, tell: Tell) -> None:
    """Make a restored database one of today: the past dropped, migrated, without those who were erased and with every
    no that was said since, as the logs in the folder `logs` say, and sealed under the newest master key.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in past_dropped():
                cursor.execute(statement)
        call_command("migrate", interactive=False, verbosity=0)
        erase_again(log=logs / erasure.LOG)
        say_noes_again(at=clock.now(), log=logs / noes.LOG)
        if len(settings.MASTER_KEYS) > 1:
            bring_to_newest(tell=tell)
        gone = appendonly.missing(connection)
    except DatabaseError as error:
        raise BackupError(f"The database of this backup cannot be used: {first_line(error)}.") from error
    if gone:
        raise BackupError(f"The database of this backup lost these triggers: {', '.join(gone)}.")


def check(*, stored: set[str], tell: Tell) -> None:
    """The books hold and every title and picture is there (`stored`: names of files); BackupError otherwise."""
    _refuse_damaged()
    campaigns = every_campaign()
    for done, campaign in enumerate(campaigns):
        tell("verifying the books", done, len(campaigns))
        with snapshot(connection):
            wrong = verify(connection, campaign.pk)
        if wrong:
            raise BackupError(f"The books of {campaign.slug} do not hold: {wrong}.")
    missing = _named_files() - stored
    if missing:
        raise BackupError(f"{len(missing)} stored file(s) are missing, such as files/…/{min(missing)}.")
    tell("verifying the books", len(campaigns), len(campaigns))


def _refuse_damaged() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check(1)")
            found = cursor.fetchone()[0]
        if found != "ok":
            raise BackupError(f"The database is damaged: {found}.")


def _named_files() -> set[str]:
    """The stored files the database points at."""
    found = set(Title.objects.values_list("body_sha256", flat=True))
    for model in (Campaign, Title):
        for pictures in model.objects.values_list("pictures", flat=True):
            found |= set(pictures.values())
    for gifts in Campaign.objects.values_list("gifts", flat=True):
        found |= {sha256 for sha256, _size in gifts.values()}
    return found


def first_line(error: Exception) -> str:
    """What went wrong, without the rows a database likes to quote after it."""
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
