"""What only PostgreSQL asks of a backup: tools as new as the server, nobody else connected, a role that may verify."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests import settings as test_settings
from tests.services.installed import Installed, installed
from vteam.backup import postgresql
from vteam.errors import BackupError

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")


def program(folder: Path, says: str) -> Path:
    """A pg_dump that tells its version and can do nothing else."""
    folder.mkdir(parents=True)
    path = folder / "pg_dump"
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.django_db
def test_a_tool_older_than_the_server_is_passed_over_and_what_to_install_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path / "old", "pg_dump (PostgreSQL) 9.6.24 (Debian)")
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin-of-nobody")
    monkeypatch.setattr(postgresql, "DEBIAN", tmp_path / "debian")
    with pytest.raises(BackupError, match=r"of version 9\)\. Install the package postgresql-client-\d\d"):
        postgresql.tool("pg_dump")
    new = program(tmp_path / "debian" / "99" / "bin", "pg_dump (PostgreSQL) 99.1")
    assert postgresql.tool("pg_dump") == new


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with installed(tmp_path_factory.mktemp("season")) as one:
        one.done("demo", "--no-run")
        yield one


def test_while_anybody_is_connected_nothing_is_restored(season: Installed, tmp_path: Path) -> None:
    season.done("backup", tmp_path / "backup.tar", "--no-verify")
    before = season.rows()
    with psycopg.connect(test_settings._server.get_uri(database=season.database)):
        said = season.refused("restore", tmp_path / "backup.tar", "--replace")
    assert "1 other connection(s)" in said
    assert season.rows() == before


def test_tables_of_other_programs_are_neither_backed_up_nor_dropped(
    season: Installed, tmp_path: Path
) -> None:
    with installed(tmp_path, like=season) as one:
        with psycopg.connect(test_settings._server.get_uri(database=one.database), autocommit=True) as server:
            server.execute("CREATE TABLE guestbook (text text)")
            server.execute("INSERT INTO guestbook VALUES ('hello')")
        one.done("backup", tmp_path / "backup.tar")
        one.done("restore", tmp_path / "backup.tar", "--replace")
        assert one.number("SELECT count(*) FROM guestbook") == 1


def test_a_role_that_may_make_no_database_is_told_how_to_back_up_all_the_same(
    season: Installed, tmp_path: Path
) -> None:
    role = f"modest_{secrets.token_hex(4)}"
    url = test_settings._server.get_uri(database=season.database)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {role} LOGIN".encode())
        server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
        server.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}".encode())
        try:
            modest = Installed(season.data, season.database, as_role=role)
            said = modest.refused("backup", tmp_path / "backup.tar")
            assert "CREATEDB" in said
            assert "--no-verify" in said
            assert list(tmp_path.iterdir()) == []
            modest.done("backup", tmp_path / "backup.tar", "--no-verify")
        finally:
            server.execute(f"DROP OWNED BY {role}".encode())
            server.execute(f"DROP ROLE {role}".encode())
