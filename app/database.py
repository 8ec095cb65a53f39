"""The one place where an engine is made: SQLite and PostgreSQL so that neither loses a write.

SQLite as it comes loses updates when several processes read, think and write.  Here every
transaction that writes begins IMMEDIATE, so that it reads what it will change; one that only
reads begins plainly, so that it never waits for a writer.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Any, TypeVar, cast
from weakref import finalize

import psycopg
from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from rules.messages import Message

BUSY_SECONDS = 30
"""How long a writer waits for another before it gives up."""

_WRITES = "merit_writes"
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_FAILURES = (psycopg.OperationalError, sqlite3.OperationalError)
_RETRIES = 3
_TRIES = 50
_Result = TypeVar("_Result")


class DatabaseUnsuitable(Exception):
    """The database cannot be used as it is; the message says what to change."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class Database:
    """One database; :meth:`reading` and :meth:`writing` are the ways to talk to it.

    ``reader`` is for a library that opens transactions by itself, to read.
    """

    def __init__(self, url: str) -> None:
        """:raises DatabaseUnsuitable: if it is neither SQLite in a file nor PostgreSQL."""
        self.engine = _engine(url)
        finalize(self, self.engine.dispose)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = self.engine.execution_options(**{_WRITES: BUSY_SECONDS})
        self.reader = self.engine if self.is_sqlite else self.engine.execution_options(**_SNAPSHOT)
        self._lines = deque[_Line]()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that changes nothing and never waits for one that does.

        All it reads is as it was when it read first, whatever others write meanwhile.
        """
        with Session(self.reader) as session:
            yield session

    @contextmanager
    def writing(self, wait: float = BUSY_SECONDS) -> Iterator[Session]:
        """Open a transaction that is carried out whole when the block ends, or not at all.

        :param wait: for how many seconds to wait for others that write.
        :raises OperationalError: if that is not long enough.
        """
        writer = self.engine.execution_options(**{_WRITES: wait})
        with Session(writer, expire_on_commit=False) as session, session.begin():
            if not self.is_sqlite and wait != BUSY_SECONDS:
                session.execute(text(f"SET LOCAL lock_timeout = {int(1000 * wait)}"))
            yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a transaction that changes the tables; whoever comes second waits for the first."""
        with self._writer.begin() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('merit'))")
            yield connection

    def row(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        """Return the one row of a statement that only reads, with ``?`` for each value.

        For what is asked a thousand times a second: nothing stands between it and the driver.
        Types are the driver's, not those of the tables.

        :raises OperationalError: SQLAlchemy's, if the database cannot be reached.
        """
        if not self.is_sqlite:
            statement = statement.replace("?", "%s")
        try:
            return self._row(statement, values)
        except _FAILURES:  # the server was restarted, or hung up: so it did on the others, too
            self._lines.clear()
        try:
            return self._row(statement, values)
        except _FAILURES as error:
            raise OperationalError(statement, None, error) from error

    def _row(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        line = self._line()
        cursor = line.connection.cursor()
        try:
            cursor.execute(statement, values)
            found: tuple[Any, ...] | None = cursor.fetchone()
        finally:
            cursor.close()
        self._lines.append(line)
        return found

    def _line(self) -> _Line:
        """Return a connection that nobody uses at this moment.

        No thread keeps one for itself: closing it as the thread ends would have Python run in a
        thread of the server's that is going away, which kills the process.
        """
        try:
            return self._lines.pop()
        except IndexError:
            return _Line(self.engine)

    def instant(self, at: datetime) -> object:
        """Return an instant as a value for :meth:`row`."""
        return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if self.is_sqlite else at

    def close(self) -> None:
        """Let go of all connections."""
        self._lines.clear()
        self.engine.dispose()


class _Line:
    """A connection for :meth:`Database.row`, none of the pool's; closed when nobody needs it."""

    def __init__(self, engine: Engine) -> None:
        pooled = engine.raw_connection()
        self.connection = cast(Any, pooled.driver_connection)
        pooled.detach()
        finalize(self, self.connection.close)
        if engine.dialect.name != "sqlite":
            self.connection.autocommit = True


def retried(work: Callable[[], _Result]) -> _Result:
    """Return what work comes to that opens its own transaction, doing it again on a collision.

    Two that add the same at the same moment collide on its unique name; the second finds it there
    when it looks again.  Two that wait for each other's rows, as members of a group may: PostgreSQL
    lets one of them go on.
    """
    for _ in range(_RETRIES):
        try:
            return work()
        except IntegrityError:
            continue
        except OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.DeadlockDetected):
                raise
    return work()


def _engine(url: str) -> Engine:
    wanted = make_url(url)
    match wanted.get_backend_name():
        case "sqlite" if wanted.database and wanted.database != ":memory:":
            Path(wanted.database).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(
                wanted.set(drivername="sqlite+pysqlite"),
                connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
                hide_parameters=True,  # or an error in the log would name clients
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        case "postgresql":
            engine = create_engine(
                wanted.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                hide_parameters=True,
            )
            event.listen(engine, "handle_error", _hide_values)
            return engine
        case _:
            raise DatabaseUnsuitable(
                Message(
                    "MERIT_DATABASE must be sqlite:///FILE or postgresql://…, not %(url)s.",
                    url=wanted.render_as_string(hide_password=True),
                )
            )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    for _ in range(_TRIES):  # two who make a file at once collide here, and neither waits
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            break
        except sqlite3.OperationalError:
            sleep(0.1)
    else:
        connection.execute("PRAGMA journal_mode=WAL").close()
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # without it INSERT OR REPLACE walks through append-only triggers
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _hide_values(failed: ExceptionContext) -> None:
    """Leave of a message what went wrong; PostgreSQL adds with which values."""
    error, outer = failed.original_exception, failed.sqlalchemy_exception
    short = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    if short is not None and outer is not None:
        said, error.args = str(error), (short,)
        outer.args = tuple(str(each).replace(said, short) for each in outer.args)


def _begin_sqlite(connection: Connection) -> None:
    wait = connection.get_execution_options().get(_WRITES)
    if wait is not None:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(1000 * wait)}")
    connection.exec_driver_sql("BEGIN" if wait is None else "BEGIN IMMEDIATE")
