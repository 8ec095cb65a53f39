"""Databases for tests: of each kind, made once, and a copy of its own for whoever needs one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

POSTGRESQL = os.environ.get(
    "MERIT_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
"""Where tests may make databases and roles."""

ROLE = "merit_test"
"""The service's own role in tests on PostgreSQL: it owns nothing."""

KINDS = ("sqlite", "postgresql")

EACH_KIND = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))
"""For tests that run on each: ``make test-fast`` leaves the second out."""


@dataclass(frozen=True, slots=True)
class Place:
    """A database: its address for the service and, where that is another, for its owner."""

    kind: str
    service: str
    owner: str | None = None


@contextmanager
def empty(kind: str, folder: Path) -> Iterator[Place]:
    """Give a database without any table, and take it away afterwards."""
    if kind == "sqlite":
        yield Place(kind, f"sqlite:///{folder / uuid4().hex}.db")
        return
    name = f"merit_{uuid4().hex}"
    _administer(f'CREATE DATABASE "{name}"')
    try:
        yield _postgresql(name)
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def copy(original: Place, folder: Path) -> Iterator[Place]:
    """Give a copy of a database that nobody is connected to, and take it away afterwards."""
    name = f"merit_{uuid4().hex}"
    if original.kind == "sqlite":
        path = folder / f"{name}.db"
        shutil.copyfile(make_url(original.service).database or "", path)
        yield Place("sqlite", f"sqlite:///{path}")
        return
    template = make_url(original.service).database
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield _postgresql(name)
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


def _postgresql(name: str) -> Place:
    owner = make_url(POSTGRESQL).set(database=name)
    service = owner.set(username=ROLE)
    return Place(
        "postgresql",
        service.render_as_string(hide_password=False),
        owner.render_as_string(hide_password=False),
    )


def _administer(statement: str) -> None:
    engine = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if statement.startswith("CREATE"):
            connection.execute(
                text(
                    f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; "
                    "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
                )
            )
        connection.execute(text(statement))
    engine.dispose()
