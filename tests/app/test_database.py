"""Neither database loses a write, makes a reader wait, or tells the log about anybody."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError, StatementError
from sqlalchemy.orm import Session

from app import schema
from app.database import Database, DatabaseUnsuitable, retried
from app.models import Attempts, Client, Job
from app.models.base import ExactNumber, shortest
from tests.app.asking import ROOT
from tests.app.company import NOW, Company
from tests.databases import Place, empty

_SPAWN = get_context("spawn")


@pytest.fixture
def database(new_company: Company) -> Database:
    return new_company.merit.database


def counter(database: Database, name: str = "counter") -> str:
    with database.writing() as session:
        session.add(Attempts(place=name, since=NOW, number=0))
    return name


def number(session: Session, name: str = "counter") -> int:
    return session.execute(select(Attempts.number).where(Attempts.place == name)).scalar_one()


# -- one factory ---------------------------------------------------------------------------------

ENGINES = {"create_engine", "engine_from_config", "create_async_engine", "create_pool_from_url"}
DRIVERS = {"sqlite3", "psycopg"}
ELSEWHERE = {
    "bench/bare.py",  # what Merit is measured against
    "bench/lookup.py",  # as above
    "bench/import.py",  # as above
}


def connects(source: str) -> bool:
    """Tell whether an engine is made there, or a driver connects by itself."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in ENGINES:
                return True
            case ast.Attribute(value=ast.Name(id=module), attr="connect") if module in DRIVERS:
                return True
    return False


def test_an_engine_is_made_in_one_place_only() -> None:
    folders = ("admin", "app", "bench", "migrations", "rules")
    paths = [ROOT / "wsgi.py", *(each for name in folders for each in (ROOT / name).rglob("*.py"))]
    found = {str(each.relative_to(ROOT)) for each in paths if connects(each.read_text("utf-8"))}

    assert found - ELSEWHERE == {"app/database.py"}


@pytest.mark.parametrize(
    "line", ["sqlalchemy.create_engine('')", "x = create_engine('')", "sqlite3.connect('')"]
)
def test_an_engine_made_elsewhere_would_be_found(line: str) -> None:
    assert connects(line)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://merit:pw@db/merit"])
def test_another_database_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(DatabaseUnsuitable) as raised:
        Database(url)

    assert "sqlite:///FILE or postgresql://" in raised.value.message
    assert "pw" not in raised.value.message


# -- SQLite's settings -----------------------------------------------------------------------------


def pragmas(connection: Any) -> dict[str, object]:
    return {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "busy_timeout", "foreign_keys", "recursive_triggers")
    }


def test_every_connection_of_sqlite_is_set_up_the_same(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'merit.db'}")
    pooled = [database.engine.raw_connection() for _ in range(3)]
    database.row("SELECT 1")

    wanted: dict[str, object] = {
        "journal_mode": "wal",
        "busy_timeout": 30_000,
        "foreign_keys": 1,
        "recursive_triggers": 1,
    }
    for each in pooled:
        assert wanted == pragmas(each.driver_connection)
        each.close()
    assert wanted == {name: database.row(f"PRAGMA {name}")[0] for name in wanted}  # type: ignore[index]  # each has a row
    database.close()


# -- reading and writing ---------------------------------------------------------------------------


def test_a_reader_sees_the_state_before_and_does_not_wait(database: Database) -> None:
    counter(database)

    with database.writing() as writing:
        writing.execute(update(Attempts).values(number=1))
        with ThreadPoolExecutor() as pool:
            with database.reading() as reading:
                assert pool.submit(number, reading).result(5) == 0
            found = pool.submit(database.row, "SELECT number FROM attempts").result(5)
            assert found == (0,)

    with database.reading() as reading:
        assert number(reading) == 1


def test_a_reader_sees_one_state_from_first_to_last(database: Database) -> None:
    counter(database)

    with database.reading() as reading:
        assert number(reading) == 0
        with database.writing() as writing:
            writing.execute(update(Attempts).values(number=1))
        assert number(reading) == 0


def test_what_fails_in_the_middle_is_not_carried_out_at_all(database: Database) -> None:
    counter(database)

    with suppress(KeyError), database.writing() as writing:
        writing.execute(update(Attempts).values(number=1))
        raise KeyError

    with database.reading() as reading:
        assert number(reading) == 0


def test_what_a_reader_changes_stays_nowhere(database: Database) -> None:
    counter(database)

    with suppress(InternalError), database.reading() as reading:  # PostgreSQL refuses it
        reading.execute(update(Attempts).values(number=1))

    with database.reading() as reading:
        assert number(reading) == 0


def add(url: str, times: int) -> None:
    """Read, think and write, as one of many processes."""
    database = Database(url)
    for _ in range(times):
        with database.writing() as session:
            found = session.get_one(Attempts, "counter", with_for_update=True)
            found.number += 1
    database.close()


def test_eight_processes_that_read_and_write_lose_nothing(new_company: Company) -> None:
    counter(new_company.merit.database)
    with _SPAWN.Pool(8) as pool:
        pool.starmap(add, [(new_company.place.service, 50)] * 8)

    with new_company.merit.database.reading() as session:
        assert number(session) == 8 * 50


def first(url: str, start: Any) -> str:
    database = Database(url)
    start.wait()
    try:
        return str(database.row("SELECT 1"))
    except OperationalError as error:
        return str(error)
    finally:
        database.close()


def test_threads_may_meet_a_new_file_at_the_same_moment(tmp_path: Path) -> None:
    start = Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda _: first(f"sqlite:///{tmp_path / 'new.db'}", start), range(8))

        assert list(found) == ["(1,)"] * 8


def test_a_collision_is_tried_again() -> None:
    tries = []

    def work() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise IntegrityError("", None, ValueError())
        return len(tries)

    assert retried(work) == 3


def test_what_collides_always_fails_in_the_end(database: Database) -> None:
    counter(database)

    with pytest.raises(IntegrityError):
        retried(lambda: counter(database))


def test_two_who_add_the_same_at_the_same_moment_both_get_on(database: Database) -> None:
    start = Barrier(2)

    def find_or_add() -> None:
        with database.writing() as session:
            if session.get(Attempts, "counter") is None:
                if not database.is_sqlite:  # which lets one in after the other
                    start.wait(5)
                session.add(Attempts(place="counter", since=NOW, number=1))

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(retried, find_or_add) for _ in range(2)]:
            each.result()

    with database.reading() as session:
        assert number(session) == 1


# -- rows without anything between -----------------------------------------------------------------


def test_many_threads_ask_for_rows_and_each_gets_its_own(database: Database) -> None:
    statement = "SELECT CAST(? AS integer) + 1"
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda place: database.row(statement, place), range(500)))

    assert [(place + 1,) for place in range(500)] == found
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a QueuePool's


def test_a_row_that_is_not_there_is_none(database: Database) -> None:
    assert database.row("SELECT number FROM attempts WHERE place = ?", "nowhere") is None


def test_threads_that_come_and_go_use_one_connection(new_company: Company) -> None:
    database = new_company.merit.database
    for _ in range(40):
        thread = Thread(target=database.row, args=("SELECT 1",))
        thread.start()
        thread.join()

    assert database.row("SELECT 1") == (1,)
    if not database.is_sqlite:
        backends = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert database.row(f"{backends} AND usename = current_user") <= (3,)  # type: ignore[operator]  # there is one


def test_a_row_sees_what_was_committed_before(database: Database) -> None:
    counter(database)
    for expected in range(1, 4):
        with database.writing() as session:
            session.execute(update(Attempts).values(number=expected))
        assert (expected,) == database.row("SELECT number FROM attempts")


def test_an_instant_is_compared_as_it_is_stored(database: Database) -> None:
    counter(database)
    local = NOW.astimezone(timezone(timedelta(hours=8)))
    statement = "SELECT number FROM attempts WHERE since <= ? AND since >= ?"

    assert database.row(statement, database.instant(local), database.instant(NOW)) == (0,)
    later = database.instant(NOW + timedelta(microseconds=1))
    assert database.row(statement, later, later) is None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """A database in PostgreSQL, as the service and as its owner."""
    with empty("postgresql", tmp_path) as place:
        service, owner = Database(place.service), Database(place.owner or "")
        yield service, owner
        service.close()
        owner.close()


def test_it_goes_on_when_the_server_has_hung_up(server: tuple[Database, Database]) -> None:
    service, owner = server
    service.row("SELECT 1")
    with service.reading() as session:
        session.execute(text("SELECT 1"))

    hang_up = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = ?"
    assert owner.row(f"{hang_up} AND datname = current_database()", "merit_test") == (2,)

    assert service.row("SELECT 1") == (1,)
    with service.reading() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1


def test_a_database_that_is_not_there_is_said_in_one_way() -> None:
    nowhere = Database("postgresql://merit_test@127.0.0.1:1/nowhere")

    with pytest.raises(OperationalError):
        nowhere.row("SELECT 1")
    with pytest.raises(OperationalError), nowhere.reading() as session:
        session.execute(text("SELECT 1"))


def test_a_file_that_is_no_database_is_said_in_the_same_way(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}")

    with pytest.raises(OperationalError):
        database.row("SELECT 1")
    database.close()


# -- what a log is told ----------------------------------------------------------------------------


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


MARIA = "maria-stuart"


def test_an_error_does_not_say_with_which_values(database: Database) -> None:
    row = {"reference": MARIA, "subject": MARIA, "name": MARIA, "created_at": NOW}
    rows = [{**row, "version": 0, "facts_version": 0}] * 2

    with pytest.raises(IntegrityError) as several, database.writing() as session:
        session.execute(insert(Client), rows)
    with pytest.raises(IntegrityError) as one, database.writing() as session:
        session.add_all(Client(**each) for each in rows)

    for raised in (several, one):
        assert MARIA not in told(raised.value)
        assert "reference" in told(raised.value)  # but it says what went wrong


def test_an_error_of_a_row_does_not_say_with_which_values(database: Database) -> None:
    with pytest.raises(Exception, match="nowhere") as raised:
        database.row("SELECT 1 FROM nowhere WHERE name = ?", MARIA)

    assert MARIA not in told(raised.value)


# -- types -----------------------------------------------------------------------------------------


def job(**values: Any) -> Job:
    given: dict[str, Any] = {
        "kind": "test",
        "key": "test",
        "state": "waiting",
        "due_at": NOW,
        "fence": 0,
        "failures": 0,
        "done": 0,
        "created_at": NOW,
        **values,
    }
    return Job(**given)


def kept(database: Database, **values: Any) -> Job:
    """Write a row, and return it as it is read again."""
    with database.writing() as session:
        session.execute(text("DELETE FROM jobs"))
        session.add(job(**values))
    with database.reading() as session:
        return session.execute(select(Job)).scalar_one()


def test_a_time_without_its_offset_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="offset from UTC"), database.writing() as session:
        session.add(job(due_at=datetime(2026, 7, 1, 12)))  # noqa: DTZ001 - that is the test


NIGHT = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    "instant",
    [
        NOW,
        datetime(2026, 7, 1, 10, tzinfo=timezone(timedelta(hours=8))),
        NIGHT,
        NIGHT.replace(fold=1),
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 7, 1, 12, 0, 0, 1, tzinfo=UTC),
    ],
)
def test_an_instant_comes_back_in_utc(database: Database, instant: datetime) -> None:
    found = kept(database, due_at=instant).due_at

    assert instant.astimezone(UTC) == found
    assert found.tzinfo is UTC


_EXACT = ExactNumber()
NUMBERS = [
    0,
    -1,
    2**70,
    -(10**60),
    Decimal("0.1"),
    Decimal("-0.000000000000000000000000000000000000001"),
    Decimal("1234567890123456789012345678901234567.89"),
    Decimal("-99999999999999999999999999999.999999999"),
    Decimal("4.80"),
    Decimal("1E+30"),
    Decimal("1E-30"),
    Decimal("-0"),
]


@pytest.mark.parametrize("given_number", NUMBERS)
def test_a_number_comes_back_as_it_was_given(database: Database, given_number: Any) -> None:
    kind = "text" if database.is_sqlite else "numeric"
    statement = text("INSERT INTO numbers VALUES (:n)").bindparams(bindparam("n", type_=_EXACT))
    with database.writing() as session:
        session.execute(text(f"CREATE TEMPORARY TABLE numbers (n {kind})"))
        session.execute(statement, {"n": given_number})
        found = session.execute(text("SELECT n FROM numbers").columns(n=_EXACT)).scalar_one()

    assert given_number == found
    assert isinstance(found, int) == (found == int(found))


def test_equal_numbers_are_written_the_same() -> None:
    written = ("4.8", "4.80", "0.48E1", "48E-1")

    assert {"4.8"} == {str(shortest(Decimal(each))) for each in written}
    assert {"30"} == {str(shortest(Decimal(each))) for each in ("30", "3E1", "30.00")}


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**38), 10**38),
    st.decimals(-(10**9), 10**9, places=6).map(lambda n: n.normalize()),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
documents = st.recursive(
    plain,
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text("abcä\0'\"", max_size=3), part)
    ),
    max_leaves=8,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents)
def test_json_comes_back_exactly(database: Database, document: Any) -> None:
    assert document == kept(database, cursor=document).cursor


def test_json_with_figures_that_no_float_holds_comes_back_exactly(database: Database) -> None:
    document = {"big": 2**64 + 1, "small": Decimal("0.10000000000000000000000000001")}

    assert document == kept(database, cursor=document).cursor


def test_the_schema_of_a_database_may_be_made_by_several_at_once(place: Place) -> None:
    owners = [Database(place.owner or place.service) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(schema.upgrade, owners))

    with owners[0].engine.connect() as connection:
        assert schema.is_current(connection)
    for each in owners:
        each.close()
