"""An installation of its own, used through the command: a data folder and, on PostgreSQL, a database beside it."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from tests import settings as test_settings

VTEAM = Path(sys.executable).with_name("vteam")
SETUP = "import os; os.umask(0o077)\nimport django; django.setup()\nfrom vteam import clock\n"
# What belongs to one moment or is made anew by every migrate.
MOMENTARY = {
    "django_session",
    "people_pending",
    "mail_outboxmessage",
    "journal_cursor",
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "sqlite_sequence",
}
ROWS = """
import json
from django.db import connection
found = {}
with connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor):
        cursor.execute(f"SELECT * FROM {table}")
        plain = [[bytes(v).hex() if isinstance(v, bytes | memoryview) else str(v) for v in row] for row in cursor]
        found[table] = sorted(plain)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Installed:
    """One installation; `database`: its name on the tests' PostgreSQL, None on SQLite."""

    data: Path
    database: str | None = None
    as_role: str = "postgres"

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("VTEAM_", "DJANGO_"))
        }
        ours = {"VTEAM_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "vteam.settings"}
        if self.database:
            ours["VTEAM_DATABASE_URL"] = test_settings._server.get_uri(database=self.database).replace(
                "//postgres", f"//{self.as_role}", 1
            )
            ours["PATH"] = f"{test_settings._server.bin_path}{os.pathsep}{kept['PATH']}"
        return kept | ours

    def vteam(self, *arguments: object, typed: str = "") -> subprocess.CompletedProcess[str]:
        """The command, with `typed` as what somebody types."""
        return self._run([VTEAM, *map(str, arguments)], typed)

    def done(self, *arguments: object) -> str:
        """What the command says when it succeeds, which it must."""
        answer = self.vteam(*arguments)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def refused(self, *arguments: object) -> str:
        """What the command says when it refuses, which it must, without a traceback."""
        answer = self.vteam(*arguments)
        assert answer.returncode == 1, answer.stdout + answer.stderr
        assert "Traceback" not in answer.stderr
        return answer.stderr

    def inside(self, code: str) -> str:
        """What some Python prints that runs in the installation."""
        answer = self._run([sys.executable, "-c", SETUP + code], "")
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def rows(self) -> dict[str, Any]:
        """Every row of every table, as text, but for what belongs to one moment."""
        found: dict[str, Any] = json.loads(self.inside(ROWS))
        return {table: rows for table, rows in found.items() if table not in MOMENTARY}

    def number(self, query: str) -> int:
        """What a query for one number gives."""
        return int(
            self.inside(
                f"from django.db import connection\ncursor = connection.cursor()\ncursor.execute({query!r})\n"
                "print(cursor.fetchone()[0])"
            )
        )

    def _run(self, command: list[Any], typed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@contextmanager
def installed(folder: Path, *, like: Installed | None = None) -> Iterator[Installed]:
    """An empty place for an installation; `like`: with everything another one has, keys and all."""
    data = folder / f"data-{secrets.token_hex(4)}"
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        if like:
            shutil.copytree(like.data, data)
        yield Installed(data)
        return
    if like:
        shutil.copytree(like.data, data)
    name = f"installed_{secrets.token_hex(4)}"
    with psycopg.connect(test_settings._server.get_uri(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {like.database if like else 'template0'}".encode())
        try:
            yield Installed(data, name)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def with_keys_of(one: Installed, place: Installed) -> Installed:
    """The place, where somebody has put the other one's keys."""
    shutil.copytree(one.data / "keys", place.data / "keys")
    return place
