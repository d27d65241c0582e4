"""Append-only for real: database triggers refuse to change or delete the rows of the tables declared here.

Correct by adding. The triggers are re-installed after every migrate, because Django rebuilds SQLite tables and
their triggers go with them; a system check names those that are missing. On SQLite they also need
`PRAGMA recursive_triggers=ON` on every connection (see settings), or INSERT OR REPLACE would rewrite a row.
"""

from collections.abc import Iterable

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

# Table -> what it keeps. Rows hold ids and hashes, never personal data, so nobody ever needs to edit them.
APPEND_ONLY = {
    "journal_fact": "what happened",
    "ledger_decision": "what became of each fact",
    "ledger_transfer": "points moved",
    "rights_rightevent": "what the artists allowed and took back",
    "rights_agreementtext": "the words they saw",
    "permissions_grantevent": "what people allow to reach them",
    "permissions_granttext": "the words they saw",
    "permissions_refusal": "addresses that must never be written to",
    "campaigns_campaignversion": "every campaign file applied",
    "campaigns_missionversion": "every version of every mission",
    "prizes_supplierword": "what suppliers said of their prizes",
}
_EVENTS = {"sqlite": ("UPDATE", "DELETE"), "postgresql": ("UPDATE", "DELETE", "TRUNCATE")}


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers of every declared table that exists; harmless to repeat."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in APPEND_ONLY:
            if table in tables:
                for event in _EVENTS[connection.vendor]:
                    _CREATE[connection.vendor](cursor, table, event)


def uninstall(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: for restoring a backup and for emptying a test database, nothing else."""
    suffix = {"sqlite": "", "postgresql": " ON {table}"}[connection.vendor]
    with connection.cursor() as cursor:
        for table, event in _declared(connection):
            statement = f"DROP TRIGGER IF EXISTS {_name(table, event)}" + suffix.format(table=table)
            cursor.execute(statement)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that should exist and do not."""
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {row[0] for row in cursor.fetchall()}
    return [
        name
        for name in (_name(table, event) for table, event in _declared(connection))
        if name not in present
    ]


def _declared(connection: BaseDatabaseWrapper) -> Iterable[tuple[str, str]]:
    tables = set(connection.introspection.table_names())
    return [(t, event) for t in APPEND_ONLY if t in tables for event in _EVENTS[connection.vendor]]


def _name(table: str, event: str) -> str:
    return f"append_only_{table}_{event.lower()}"


def _create_sqlite(cursor: CursorWrapper, table: str, event: str) -> None:
    cursor.execute(
        f"CREATE TRIGGER IF NOT EXISTS {_name(table, event)} BEFORE {event} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: correct by adding'); END"
    )


def _create_postgresql(cursor: CursorWrapper, table: str, event: str) -> None:
    cursor.execute(
        "CREATE OR REPLACE FUNCTION append_only_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only: correct by adding', TG_TABLE_NAME; END $$"
    )
    each = "STATEMENT" if event == "TRUNCATE" else "ROW"
    cursor.execute(
        f"CREATE OR REPLACE TRIGGER {_name(table, event)} BEFORE {event} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION append_only_refuse()"
    )


_CREATE = {"sqlite": _create_sqlite, "postgresql": _create_postgresql}
