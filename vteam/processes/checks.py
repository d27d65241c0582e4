"""What must be true before the processes start, each refused with what to do about it (`CannotStart`)."""

import errno
import ipaddress
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vteam import clock, settings
from vteam.checks import HOW_TO_MAIL, NO_MAIL
from vteam.errors import CannotStart
from vteam.locks import held

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

# Any number that no other program takes on the same PostgreSQL database.
MIGRATION_LOCK = 0x7674_6561_6D  # "vteam"
MIGRATION_SECONDS_MAX = 600.0


def data_folder(data: Path) -> None:
    """The data folder exists and can be written; it is made when absent."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=data):
            pass
    except OSError as error:
        raise CannotStart(
            f"The data folder {data} cannot be written: {error.strerror}. "
            "Make it writable, or name another one with VTEAM_DATA."
        ) from error


def ports(host: str, numbers: Mapping[str, int]) -> None:
    """Each port is free; `numbers` by the variable which changes it."""
    variables: dict[int, str] = {}
    for variable, port in numbers.items():
        if port in variables:
            raise CannotStart(
                f"{variables[port]} and {variable} are both {port}: give one of them another number."
            )
        variables[port] = variable
        _port(host, port, variable)


def _port(host: str, port: int, variable: str) -> None:
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    except ValueError as error:
        raise CannotStart(
            f"VTEAM_HOST is {host!r}: write an address such as 127.0.0.1 or 0.0.0.0."
        ) from error
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
        except OSError as error:
            raise CannotStart(_port_refused(error, host, port, variable)) from error


def _port_refused(error: OSError, host: str, port: int, variable: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken by another program. Stop that one, or choose another number, for example "
            f"{variable}={port + 10}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs an administrator. Choose a number above 1023 with {variable}."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"VTEAM_HOST is {host}, which is not an address of this machine."
    return f"Port {port} on {host} cannot be used: {error.strerror} (VTEAM_HOST, {variable})."


def settings_are_sound() -> None:
    """No system check reports an error. Needs Django set up.

    Checks of the routes are left to the tests: they load every page, which takes a fifth of a second from a process
    that may be wanted back soon.
    """
    from django.core.checks import Tags
    from django.core.checks.registry import registry

    wanted = (check for check in registry.get_checks() if Tags.urls not in check.tags)
    _refuse([message for check in wanted for message in check(app_configs=None, databases=None)])


def _refuse(messages: Sequence["CheckMessage"]) -> None:
    errors = [message for message in messages if message.is_serious()]
    if errors:
        raise CannotStart("\n".join(f"{error.msg} {error.hint or ''}".rstrip() for error in errors))


def mail_can_leave() -> None:
    """Codes reach people: a mail server is set, or this is the demo with its mailbox."""
    if not settings.EMAIL_URL and not settings.DEMO:
        raise CannotStart(f"{NO_MAIL} {HOW_TO_MAIL} To try vTeam without one, run `vteam demo`.")


def database_is_ready() -> None:
    """The database answers and has every table, migrated here when it has not, and nobody who erased themselves;
    every no that was said to it is known there and in the log beside it.

    Needs Django set up.

    Several may start at once on one data folder, and several machines on one PostgreSQL: one migrates, the others
    wait for it.
    """
    with held(Path(settings.DATA), "migrate", wait_seconds=MIGRATION_SECONDS_MAX):
        _migrate()


def _migrate() -> None:
    from django.core import checks
    from django.core.management import call_command
    from django.db import connection, connections
    from django.db.utils import Error as DatabaseError

    from vteam.channels.erasing import erase_again
    from vteam.permissions.again import agree

    try:
        connection.ensure_connection()
        if connection.vendor == "postgresql":
            from vteam.postgresql.base import take_your_time

            take_your_time(connection)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        call_command("migrate", interactive=False, verbosity=0)
        erase_again()
        agree(at=clock.now())
        _refuse(checks.run_checks(tags=[checks.Tags.database], databases=["default"]))
    except DatabaseError as error:
        raise CannotStart(_database_refused(error)) from error
    finally:
        connections.close_all()  # and with it the lock


def _database_refused(error: Exception) -> str:
    first_line = (str(error) or type(error).__name__).splitlines()[0]
    if settings.DATABASE_URL:
        return f"The database cannot be used: {first_line}. Is it running, and is VTEAM_DATABASE_URL right?"
    return f"The database in the data folder cannot be used: {first_line}. Is the disk full, or VTEAM_DATA wrong?"
