"""PostgreSQL: its own tools copy a database and put it back, in one transaction that drops what was there.

The tools must be at least as new as the server; they are looked for where programs are and where Debian keeps its
versions side by side. They learn the database from their environment, never from their arguments, which every user
of the machine could read.
"""

import os
import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from django.apps import apps
from django.db import DatabaseError, connection
from psycopg import pq

from vteam.backup.archive import CHUNK, Tell
from vteam.backup.database import first_line
from vteam.errors import BackupError

DEBIAN = Path("/usr/lib/postgresql")
POLL_SECONDS = 0.2
VERSION_SECONDS_MAX = 20.0
_MAJOR = re.compile(r"\(PostgreSQL\) (\d+)")


# The tools --------------------------------------------------------------------------------------------------------
def tool(name: str) -> Path:
    """The program of this name, at least as new as the server. BackupError says what to install."""
    needed, found = _servers_major(), []
    for path in _places(name):
        major = _major(path)
        if major >= needed:
            return path
        found.append(f"{path} is of version {major}")
    raise BackupError(
        f"The server is PostgreSQL {needed}, and no {name} of that version or a newer one is here"
        f"{' (' + ', '.join(found) + ')' if found else ''}. Install the package postgresql-client-{needed}, from "
        "your system or from apt.postgresql.org."
    )


def _servers_major() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def _places(name: str) -> Iterator[Path]:
    newest_first = sorted(DEBIAN.glob("*/bin"), key=lambda folder: folder.parent.name.zfill(4), reverse=True)
    for folder in [*map(Path, os.get_exec_path()), *newest_first]:
        if os.access(folder / name, os.X_OK):
            yield folder / name


def _major(path: Path) -> int:
    """A program's major version, 0 where it does not tell."""
    told = subprocess.run(
        [path, "--version"], capture_output=True, text=True, timeout=VERSION_SECONDS_MAX, check=False
    )
    found = _MAJOR.search(told.stdout)
    return int(found[1]) if found else 0


def _environment(database: str | None = None) -> dict[str, str]:
    """The environment in which a tool finds our database, or another one of the same server."""
    given = connection.get_connection_params()
    ours = {
        option.envvar.decode(): str(given[option.keyword.decode()])
        for option in pq.Conninfo.get_defaults()
        if option.envvar and given.get(option.keyword.decode())
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | ours | ({"PGDATABASE": database} if database else {})


# Copying ----------------------------------------------------------------------------------------------------------
def copy(*, target: Path, tell: Tell) -> None:
    """Dump the database as it is at one moment; nobody who uses it waits."""
    schema, others = _schema(), [table for table in _tables() if not _is_ours(table)]
    command = [str(tool("pg_dump")), "--format=custom", "--no-owner", "--no-privileges", f"--file={target}"]
    command += [f"--schema={schema}", *(f"--exclude-table={schema}.{table}" for table in others)]
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(command, env=_environment(), stdin=subprocess.DEVNULL, stderr=said)
        with running:
            while running.poll() is None:
                tell("copying the database", target.stat().st_size if target.exists() else 0, 0)
                time.sleep(POLL_SECONDS)
        _refuse_failed(running, said)


def _schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


def _tables() -> list[str]:
    """The tables of our schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        )
        return [name for (name,) in cursor.fetchall()]


def _is_ours(table: str) -> bool:
    """Whether a table belongs to vTeam, of whatever version: Django's names begin with their app's."""
    return table.partition("_")[0] in {"django", *(config.label for config in apps.get_app_configs())}


def is_there() -> bool:
    """Whether the configured database holds an installation."""
    return any(map(_is_ours, _tables()))


def refuse_others() -> None:
    """BackupError while anybody else is connected to the database, such as vTeam on another machine."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        others = cursor.fetchone()[0]
    if others:
        raise BackupError(
            f"{others} other connection(s) use the database. Stop vTeam on every machine, and what else uses it."
        )


# Putting back -----------------------------------------------------------------------------------------------------
def replace(*, dump: Path, also: Sequence[str], tell: Tell) -> None:
    """Drop our tables, load the dump and run the statements `also`: one transaction, so all of it or nothing."""
    schema = connection.ops.quote_name(_schema())
    ours = [f"{schema}.{connection.ops.quote_name(table)}" for table in _tables() if _is_ours(table)]
    drops = [f"DROP TABLE {', '.join(ours)} CASCADE"] if ours else []
    drops += [f"DROP FUNCTION IF EXISTS {schema}.append_only_refuse() CASCADE"]
    _load(dump, before=drops, after=[f"SET search_path TO {schema}", *also], tell=tell)


@contextmanager
def beside(dump: Path, *, tell: Tell) -> Iterator[str]:
    """The dump loaded into a database of its own on the same server, dropped afterwards; gives its name."""
    name = f"vteam_check_{secrets.token_hex(6)}"
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    except DatabaseError as error:
        raise BackupError(
            f"The backup cannot be verified beside the database: {first_line(error)}. Allow it (ALTER ROLE … "
            "CREATEDB), or leave the verification out with --no-verify."
        ) from error
    try:
        _load(dump, before=[], after=[], tell=tell, database=name)
        yield name
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _load(
    dump: Path, *, before: Sequence[str], after: Sequence[str], tell: Tell, database: str | None = None
) -> None:
    """Hand psql the dump as SQL. COMMIT is our last word: whoever dies on the way leaves the database as it was."""
    into = [str(tool("psql")), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    out_of = [
        str(tool("pg_restore")),
        "--no-owner",
        "--no-privileges",
        f"--schema={_schema()}",
        "--file=-",
        str(dump),
    ]
    environment = _environment(database)
    with ExitStack() as open_files:
        said, told = (open_files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        psql = open_files.enter_context(
            subprocess.Popen(
                into, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
            )
        )
        script = open_files.enter_context(subprocess.Popen(out_of, stdout=subprocess.PIPE, stderr=told))
        assert psql.stdin is not None
        assert script.stdout is not None
        try:
            psql.stdin.write(_lines(["BEGIN", *before]))
            _pass_on(script.stdout, psql.stdin, tell)
            _refuse_failed(script, told)
            psql.stdin.write(_lines([*after, "COMMIT"]))
            psql.stdin.close()
        except BrokenPipeError:
            script.kill()  # psql has refused something, and says what
        _refuse_failed(psql, said)


def _pass_on(script: IO[bytes], psql: IO[bytes], tell: Tell) -> None:
    done = 0
    while chunk := script.read(CHUNK):
        psql.write(chunk)
        done += len(chunk)
        tell("loading the database", done, 0)


def _lines(statements: Sequence[str]) -> bytes:
    return "".join(f"{statement};\n" for statement in statements).encode()


def _refuse_failed(process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    if process.wait() == 0:
        return
    said.seek(0)
    words = said.read(4_000).decode(errors="replace").strip().splitlines() or ["it said nothing"]
    raise BackupError(f"PostgreSQL's own tool failed, and nothing was changed: {words[0]}")
