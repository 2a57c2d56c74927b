"""The whole database as one file, and back; SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import FileField

from operations.models import LeftFile

#: Statements that make room in PostgreSQL; in one transaction with what comes after.
_DROP_TABLES = """
DO $do$ DECLARE found text; BEGIN
  FOR found IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
               WHERE schemaname = current_schema()
  LOOP EXECUTE 'DROP TABLE IF EXISTS ' || found || ' CASCADE'; END LOOP;
END $do$
"""


class DatabaseError(Exception):
    """The database cannot be dumped or loaded; the message is for the operator."""


def engine() -> str:
    """``sqlite3`` or ``postgresql``."""
    return str(settings.DATABASES["default"]["ENGINE"]).rsplit(".", 1)[-1]


@contextmanager
def dumped(target: Path) -> Iterator[list[str]]:
    """Write the database into a file as it is at one moment.

    Yields:
        Names of all stored files that rows of that very moment speak of.

    Raises:
        DatabaseError: it did not work.
    """
    if engine() == "sqlite3":
        _dump_sqlite(target)
        with closing(sqlite3.connect(target)) as copy:
            yield [name for sql in _file_queries() for (name,) in copy.execute(sql)]
    else:
        with psycopg.connect(**_parameters()) as session:
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            snapshot = session.execute("SELECT pg_export_snapshot()").fetchone()
            _run(
                "pg_dump",
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--snapshot={snapshot[0]}",  # type: ignore[index]
                f"--file={target}",
            )
            yield [name for sql in _file_queries() for (name,) in session.execute(sql)]


def load(source: Path) -> None:
    """Put the file's content in the place of all that the database holds, or change nothing.

    Raises:
        DatabaseError: it did not work.
    """
    connection.close()
    if engine() == "sqlite3":
        _load_sqlite(source)
        return
    # As text through psql, for room and content to be made in one transaction.
    statements = source.with_suffix(".sql")
    _run("pg_restore", "--no-owner", "--no-privileges", f"--file={statements}", str(source))
    _run(
        "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
        f"--command={_DROP_TABLES}", f"--file={statements}",
    )  # fmt: skip


def stored_names() -> set[str]:
    """Names of all stored files that rows speak of now; none where there are no tables yet."""
    tables = set(connection.introspection.table_names())
    names: set[str] = set()
    with connection.cursor() as cursor:
        for table, column, sql in _file_queries(with_places=True):
            # A backup of an earlier version may lack either.
            if table in tables and column in _columns(cursor, table):
                cursor.execute(sql)
                names.update(name for (name,) in cursor.fetchall())
    return names


def left_names() -> set[str]:
    """Names of files that the storage is still to delete; their rows are gone."""
    if LeftFile._meta.db_table not in connection.introspection.table_names():
        return set()
    return {*LeftFile.objects.values_list("name", flat=True)}


def _columns(cursor: Any, table: str) -> set[str]:
    return {row.name for row in connection.introspection.get_table_description(cursor, table)}


def _file_queries(with_places: bool = False) -> list[Any]:
    """SQL that gives the names in each column of files."""
    queries = []
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, FileField):
                table = model._meta.db_table
                sql = f'SELECT "{field.column}" FROM "{table}" WHERE "{field.column}" <> \'\''  # noqa: S608 (names of our own)
                queries.append((table, field.column, sql) if with_places else sql)
    return queries


def _dump_sqlite(target: Path) -> None:
    # Rows of one moment, while others go on writing; without the unused pages, which may hold what
    # an earlier version has deleted.
    path = Path(settings.DATABASES["default"]["NAME"])
    if not path.exists():
        raise DatabaseError(f"There is no database at {path}.")
    target.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(path, timeout=30)) as source:
            source.execute("VACUUM INTO ?", (str(target),))
        with closing(sqlite3.connect(target)) as copy:
            # One file, readable without the log beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise DatabaseError(f"The database cannot be copied: {error}") from error


def _load_sqlite(source: Path) -> None:
    path = Path(settings.DATABASES["default"]["NAME"])
    try:
        with closing(sqlite3.connect(source)) as copy:
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise DatabaseError(f"The database in the backup is damaged: {verdict}")
            with closing(sqlite3.connect(path, timeout=30)) as live:
                copy.backup(live)
    except sqlite3.Error as error:
        raise DatabaseError(f"The database in the backup cannot be loaded: {error}") from error


def _parameters() -> dict[str, Any]:
    """What libpq needs to know, without Django's own options."""
    given = connection.get_connection_params()
    known = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert")
    return {key: given[key] for key in known if given.get(key)}


def _run(program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise DatabaseError(
            f"{program} is not on PATH. Install PostgreSQL's client programs, of the server's "
            "version or a newer one."
        )
    parameters = _parameters()
    names = {"dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    # In the environment, where no other user of the machine sees the password.
    environment = {names.get(k, f"PG{k.upper()}"): str(v) for k, v in parameters.items()}
    result = subprocess.run(  # noqa: S603 (a program of PostgreSQL, arguments of our own)
        [found, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise DatabaseError(f"{program}: {result.stderr.strip()[-500:]}")
