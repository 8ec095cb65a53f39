"""The tables go up, down and up again with data in them; the service may do its work, no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from app import schema
from app.database import Database, DatabaseUnsuitable
from app.models import Attempts, Base, BrowserSession, Client, FixedPlace, Job, Repeatable
from app.schema import APPEND_ONLY, ERASABLE
from app.services.activities import NewActivity, record_activities
from app.services.authority import Actor
from app.services.clients import Contact, Stated, put_client
from app.services.groups import Membered, put_group
from app.services.standings import decide
from app.words import Words
from tests.app import correspondence, effects, telling
from tests.app.company import NOW, Company
from tests.app.granting import given
from tests.databases import ROLE, Place

TILL = Actor("key:till")
DAY = date(2026, 7, 1)
TABLES = sorted(Base.metadata.tables)


def fill(company: Company) -> None:
    """Have the service write to every table, as its own role."""
    merit = company.merit
    stated = Stated("Maria", "en", {"vat": "GB123"}, (Contact("m", "Mary"),))
    with merit.acting(TILL) as act:
        put_client(act, "C-17", stated, DAY)
    with merit.acting(TILL) as act:
        sold = [NewActivity("till", f"t-{n}", "C-17", "sale", DAY, amount=10**5) for n in range(3)]
        record_activities(act, sold)
    with merit.acting(TILL) as act:
        put_group(act, "F-1", Membered(("C-17",), "C-17"), DAY)
    with merit.acting(TILL) as act:
        [client] = act.session.execute(select(Client.id)).scalars().all()
        number = merit.rulebook.in_force(act.session).number
        place = {"client_id": client, "policy_version": number, "metric": "place", "day": DAY}
        act.session.add(FixedPlace(**place, over=100, under=3))
    with merit.acting(TILL) as act:
        ids = act.session.execute(select(Client.id)).scalars().all()
        decide(act, merit.rulebook, ids, DAY, Words())
    given(company)
    effects.of_nobody_measured(company)
    telling.added(company, "https://example.com/")
    telling.announced(company, [telling.change(telling.in_force(company))])
    correspondence.issued(company)
    job = {"kind": "test", "key": "test", "state": "waiting", "fence": 0, "failures": 0, "done": 0}
    [_, key_id, *_] = company.key.split("_")
    with merit.database.writing() as session:
        session.add(Attempts(place="sign-in:maria", since=NOW, number=1))
        session.add(BrowserSession(digest=b"0", data="{}", created_at=NOW, seen_at=NOW))
        session.add(Job(**job, due_at=NOW, created_at=NOW))
        session.add(
            Repeatable(
                key_id=key_id,
                route="/",
                idempotency_key="1",
                digest=bytes(32),
                token="0" * 32,
                started_at=NOW,
            )
        )


@pytest.fixture
def full(company: Company) -> Company:
    fill(company)
    return company


@pytest.fixture
def owner(place: Place) -> Iterator[Database]:
    """The owner of a database without any table."""
    found = Database(place.owner or place.service)
    yield found
    found.close()


def described(connection: Connection) -> dict[str, Any]:
    """Return all that the database says of its tables."""
    found = inspect(connection)
    return {
        table: (
            [{**each, "type": str(each["type"])} for each in found.get_columns(table)],
            found.get_pk_constraint(table),
            sorted(found.get_foreign_keys(table), key=str),
            sorted(map(_plain, found.get_indexes(table)), key=str),
            sorted(found.get_unique_constraints(table), key=str),
            sorted(found.get_check_constraints(table), key=str),
        )
        for table in found.get_table_names()
    }


def _plain(index: Any) -> dict[str, Any]:
    """Return what is said of an index, its conditions as texts."""
    options = {key: str(value) for key, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def triggers(connection: Connection) -> list[tuple[str, str]]:
    statement = (
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    return sorted((table, name) for table, name in connection.exec_driver_sql(statement))


def test_every_table_is_written_to_by_the_service(full: Company) -> None:
    with full.merit.database.reading() as session:
        numbers = {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Base.metadata.tables.items()
        }

    assert [name for name, number in numbers.items() if not number] == []


def test_the_tables_go_down_and_up_again_with_data_in_all_of_them(full: Company) -> None:
    owner, merit = full.merit.owner, full.merit
    with owner.engine.connect() as connection:
        before = described(connection), triggers(connection)
    merit.database.close()

    schema.downgrade(owner)
    with owner.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        assert triggers(connection) == []
        assert not schema.is_current(connection)
        if not owner.is_sqlite:
            functions = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'merit%%'"
            assert connection.exec_driver_sql(functions).scalar() == 0

    schema.upgrade(owner, ROLE)
    with owner.engine.connect() as connection:
        assert before == (described(connection), triggers(connection))
        assert schema.is_current(connection)


def test_going_up_again_changes_nothing_that_is_there(full: Company) -> None:
    schema.upgrade(full.merit.owner, ROLE)

    with full.merit.database.reading() as session:
        assert session.execute(select(func.count()).select_from(Client)).scalar_one() == 1


def test_the_migrations_make_the_tables_of_the_models(owner: Database) -> None:
    schema.upgrade(owner)

    with owner.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        found = described(connection)
    for name, table in Base.metadata.tables.items():
        _, primary, foreign, indexes, unique, checks = found[name]
        constraints = [primary, *foreign, *unique, *checks]
        names = {each["name"] for each in (*constraints, *indexes)}
        wanted = {each.name for each in table.constraints}
        wanted |= {each.name for each in table.indexes}
        assert wanted == names, name


def test_a_database_without_tables_is_not_current(owner: Database) -> None:
    with owner.engine.connect() as connection:
        assert not schema.is_current(connection)


def test_a_migration_that_fails_leaves_nothing(owner: Database) -> None:
    with owner.migrating() as connection:
        connection.exec_driver_sql("CREATE TABLE standings (id integer)")

    with pytest.raises(DBAPIError):
        schema.upgrade(owner)

    with owner.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["standings"]


# -- rows that nobody changes ----------------------------------------------------------------------


def refused(database: Database, statement: str) -> str:
    with pytest.raises(DBAPIError) as raised, database.writing() as session:
        session.execute(text(statement))
    return str(raised.value.orig)


def column(table: str) -> str:
    return next(iter(Base.metadata.tables[table].columns)).name


def test_the_rows_of_append_only_tables_are_not_changed(full: Company) -> None:
    owner = full.merit.owner
    for table in APPEND_ONLY:
        name = column(table)
        update = f"UPDATE {table} SET {name} = {name}"  # noqa: S608 - names of the models
        delete = f"DELETE FROM {table}"  # noqa: S608 - as above

        assert f"{table} is append-only" in refused(owner, update)
        if table not in ERASABLE:
            assert f"{table} is append-only" in refused(owner, delete)
        if not owner.is_sqlite:
            assert "is append-only" in refused(owner, f"TRUNCATE {table} CASCADE")


def test_no_row_is_put_in_the_place_of_one_that_is_there(full: Company) -> None:
    owner = full.merit.owner
    for table in APPEND_ONLY - ERASABLE | {"policy_versions"}:
        if owner.is_sqlite:
            replace = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"  # noqa: S608 - as above
            assert re.search("append-only|cannot be", refused(owner, replace))
    if not owner.is_sqlite:
        over = "ON CONFLICT (sequence) DO UPDATE SET actor = 'else'"
        insert = f"INSERT INTO history SELECT * FROM history {over}"  # noqa: S608 - as above
        assert "append-only" in refused(owner, insert)


def test_a_policy_in_force_is_not_changed_or_taken_back(full: Company) -> None:
    for change in (
        "UPDATE policy_versions SET document = '{}'",
        "UPDATE policy_versions SET digest = NULL",
        "UPDATE policy_versions SET document = '{}', state = 'draft'",
        "UPDATE policy_versions SET state = 'draft'",
        "DELETE FROM policy_versions",
    ):
        assert re.search("append-only|cannot be", refused(full.merit.owner, change))


WRITTEN = frozenset(Base.metadata.tables["notices"].columns.keys()) - {
    *("sent_at", "sent_by", "channel"),
}


def test_nothing_that_is_written_in_a_notice_is_changed(full: Company) -> None:
    for name in WRITTEN:
        change = f"UPDATE notices SET {name} = {name}"  # noqa: S608 - names of the models
        assert "a notice that was issued cannot be changed" in refused(full.merit.owner, change)


# -- what the service's own role may do ------------------------------------------------------------

OFTEN = {"SELECT", "INSERT", "UPDATE", "DELETE"}
RIGHTS = {
    **{table: OFTEN for table in TABLES},  # noqa: C420 - as below
    **{table: {"SELECT", "INSERT"} for table in APPEND_ONLY},
    **{table: {"SELECT", "INSERT", "DELETE"} for table in ERASABLE},
    "history_head": {"SELECT", "UPDATE"},
    "alembic_version": {"SELECT"},
}


def test_the_service_has_the_rights_it_needs_and_no_more(full: Company) -> None:
    merit = full.merit
    if merit.database.is_sqlite:  # which has no roles
        schema.require_safe(merit.database)
        return
    ways = (*OFTEN, "TRUNCATE", "REFERENCES", "TRIGGER")
    statement = "SELECT has_table_privilege(?, ?)"
    found = {
        table: {way for way in ways if merit.database.row(statement, table, way) == (True,)}
        for table in RIGHTS
    }

    assert found == RIGHTS


CHANGES = [
    "ALTER TABLE history DISABLE TRIGGER ALL",
    "ALTER TABLE history ADD COLUMN more text",
    "ALTER TABLE history OWNER TO CURRENT_USER",
    "DROP TRIGGER history_no_update ON history",
    "DROP TABLE history CASCADE",
    "TRUNCATE history CASCADE",
    "TRUNCATE clients CASCADE",
    "UPDATE history SET actor = 'else'",
    "DELETE FROM history",
    "DELETE FROM history_inputs",
    "DELETE FROM history_head",
    "INSERT INTO history_head VALUES (2, 0, '')",
    "UPDATE activities SET amount = 0",
    "UPDATE alembic_version SET version_num = 'else'",
    "CREATE OR REPLACE FUNCTION merit_append_only() RETURNS trigger LANGUAGE sql AS ''",
    "CREATE TABLE more (id integer)",
    "SET session_replication_role = replica",
]


def test_the_service_cannot_take_away_what_guards_the_history(full: Company) -> None:
    database = full.merit.database
    if database.is_sqlite:  # where whoever may write to the file owns it: docs/history.md
        return
    for change in CHANGES:
        assert re.search("permission denied|must be owner", refused(database, change)), change


def test_a_service_that_owns_the_tables_is_refused(full: Company) -> None:
    if full.merit.owner.is_sqlite:
        schema.require_safe(full.merit.owner)
        return
    schema.require_safe(full.merit.database)

    with pytest.raises(DatabaseUnsuitable, match="The role postgres could change the history"):
        schema.require_safe(full.merit.owner)


def test_a_service_with_one_right_too_many_is_refused(full: Company) -> None:
    owner = full.merit.owner
    if owner.is_sqlite:
        schema.require_safe(owner)
        return
    for table in ("history", "history_inputs", "approvals"):
        with owner.writing() as session:
            session.execute(text(f"GRANT UPDATE ON {table} TO {ROLE}"))
        with pytest.raises(DatabaseUnsuitable):
            schema.require_safe(full.merit.database)
        schema.upgrade(owner, ROLE)  # which takes it away again
        schema.require_safe(full.merit.database)


def test_the_erasable_are_among_the_append_only() -> None:
    assert ERASABLE < APPEND_ONLY < set(TABLES)
