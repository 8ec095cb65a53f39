"""Many rows of one table at once, where SQLAlchemy's own way would take most of the time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from sqlalchemy import ARRAY, ColumnElement, Connection, Table, any_, bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from rules.document.strict_json import dumps


def insert_rows(
    session: Session,
    model: type[DeclarativeBase],
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> None:
    """Insert rows, if there are any, each with the values of these columns in their order.

    :raises IntegrityError: SQLAlchemy's, if one breaks a constraint; as with ``insert``.
    """
    found = list(rows)
    if not found:
        return
    connection = session.connection()
    table = cast(Table, model.__table__)
    values = zip(*_converted(connection, table, names, found), strict=True)
    quote = connection.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(map(quote, names))})"
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in names)
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({places})", list(values))  # noqa: S608 - names of our own
    else:
        _copy(connection, into, values)


def among(
    session: Session, column: InstrumentedAttribute[Any], values: Iterable[Any]
) -> ColumnElement[bool]:
    """Return the condition that a column is one of many values, put to the database as one."""
    found = list(values)
    if session.get_bind().dialect.name == "sqlite":
        return column.in_(select(func.json_each(dumps(found)).table_valued("value").c.value))
    return column == any_(bindparam(None, found, ARRAY(column.type)))


def _converted(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[object]]
) -> list[Iterable[Any]]:
    """Return each column's values as its type has the driver keep them."""
    dialect = connection.dialect
    found: list[Iterable[Any]] = []
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        convert = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        is_empty = values.count(None) == len(values)  # as columns that few use often are
        found.append(values if convert is None or is_empty else map(convert, values))
    return found


def _copy(connection: Connection, into: str, rows: Iterable[Sequence[Any]]) -> None:
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.IntegrityError as error:
        short = type(error)(error.diag.message_primary or "")  # PostgreSQL adds with which values
        raise IntegrityError("COPY", None, short) from None
