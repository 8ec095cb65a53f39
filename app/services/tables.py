"""Clients and activities from CSV files: columns by name, every bad row by its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.services.cells import BY_NAME, REFERENCE, CellRefused, Cells, recorded, stated
from rules.document import Problem
from rules.document.fields import KEY
from rules.measure import Activity, Client, Statement
from rules.messages import Message
from rules.policy import Policy
from rules.vocabulary import EARLIEST_DAY

__all__ = ["REFERENCE", "Table", "TableInvalid", "read_clients"]

ACTIVITY_FIELDS = ("client", "date", "kind", "amount", "quantity", "product", "channel")
CLIENT_FIELDS = ("client", "date")
_MOST_PROBLEMS = 20

Progress = Callable[[int], None]
"""Told, with each line, how many characters more of a file are read."""


class TableInvalid(ValueError):
    """A file cannot be taken; ``problems`` names each row by its line."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path, self.problems = path, tuple(problems)
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))


@dataclass(frozen=True, slots=True)
class Table:
    """A file and, where they differ, the columns its fields are in.

    ``columns`` maps a field of the table, or ``attribute:NAME`` for the company's own, to the
    name of its column; a field not mapped is in the column of its own name.
    """

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)


def read_clients(
    policy: Policy,
    activities: Table,
    clients: Table | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, Client]:
    """Read what is recorded of each client, by reference, in the order they first appear.

    Amounts are read in whole units of the policy's currency and kept in minor ones.  In the
    table of clients every further column is an attribute, stated on the row's date or, without
    one, from the beginning.

    :raises TableInvalid: naming, by line, the rows that cannot be taken; nothing is left out.
    """
    statements: dict[str, dict[str, list[Statement]]] = {}
    happened: dict[str, list[Activity]] = {}
    fixed = policy.time_zone, policy.currency
    stating = _Reader(Cells(*fixed, attributes=stated(policy)), CLIENT_FIELDS, ("client",))
    for row in stating.rows(clients, progress) if clients else ():
        said = statements.setdefault(row["client"], {})
        for name, raw in row["attributes"].items():
            said.setdefault(name, []).append(Statement(row.get("date", EARLIEST_DAY), raw))
    cells = Cells(*fixed, attributes=recorded(policy))
    happening = _Reader(cells, ACTIVITY_FIELDS, ("client", "date", "kind"))
    for row in happening.rows(activities, progress):
        client, day = row.pop("client"), row.pop("date")
        happened.setdefault(client, []).append(Activity(day=day, **row))
    for said in statements.values():
        for history in said.values():
            history.sort(key=lambda statement: statement.day)
    return {
        key: Client(statements.get(key, {}), happened.get(key, ()))
        for key in dict.fromkeys([*statements, *happened])
    }


class _Reader:
    """Rows of one table, as a policy's metrics want them."""

    def __init__(self, cells: Cells, fields: tuple[str, ...], needed: tuple[str, ...]) -> None:
        self._cells, self._fields, self._needed = cells, fields, needed

    def rows(self, table: Table, progress: Progress) -> Iterator[dict[str, Any]]:
        """Yield each row's fields that are not empty; raise for all bad rows at the end."""
        problems: list[Problem] = []
        with reading(table.path) as lines:
            reader = csv.reader(_told(lines, progress), strict=True)
            header = next(reader, [])
            columns = columns_of(
                header,
                table.columns,
                self._fields,
                self._needed,
                others=self._fields is CLIENT_FIELDS,
            )
            while len(problems) < _MOST_PROBLEMS:
                try:
                    row = self._row(next(reader), columns, len(header))
                except StopIteration:
                    break
                except csv.Error as error:
                    problems.append(Problem(f"line {reader.line_num}", str(error)))
                except CellRefused as error:
                    problems.append(Problem(f"line {reader.line_num}", error.message))
                else:
                    yield row
        if problems:
            raise TableInvalid(table.path, problems)

    def _row(self, row: list[str], columns: dict[str, int], width: int) -> dict[str, Any]:
        require_width(row, width)
        read: dict[str, Any] = {"attributes": {}}
        for name, place in columns.items():
            text = row[place].strip()
            if not text and name in self._needed:
                raise CellRefused(Message("%(field)s is empty", field=name))
            if text and name.startswith(BY_NAME):
                own = name.removeprefix(BY_NAME)
                read["attributes"][own] = self._cells.attribute(own, text)
            elif text:
                read[name] = self._field(name, text)
        return read

    def _field(self, name: str, text: str) -> Any:
        match name:
            case "client":
                return self._cells.reference(name, text)
            case "date":
                return self._cells.day(text)
            case "kind":
                return self._cells.key(name, text)
            case "amount":
                return self._cells.money(text)
            case "quantity":
                return self._cells.number(text)
            case _:
                return text


def require_width(row: list[str], width: int) -> None:
    """Refuse a row that has more or fewer fields than the header."""
    if len(row) != width:
        raise CellRefused(
            Message("has %(found)d fields, the header %(wanted)d", found=len(row), wanted=width)
        )


def columns_of(
    header: Sequence[str],
    named: Mapping[str, str],
    fields: tuple[str, ...],
    needed: tuple[str, ...],
    *,
    others: bool,
) -> dict[str, int]:
    """Return where each field stands in a row.

    :param others: whether every other column that is named like a key is an attribute.
    :raises CellRefused: if a column stands twice, is not there, or is named for no field.
    """
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise CellRefused(
            Message("the column %(column)s stands twice in the header", column=twice[0])
        )
    for name, column in named.items():
        own = name.removeprefix(BY_NAME)
        if name not in fields and not (own != name and KEY.fullmatch(own)):
            raise CellRefused(
                Message(
                    "%(name)s is not a field; these are %(known)s and attribute:NAME",
                    name=name,
                    known=", ".join(fields),
                )
            )
        if column not in header:
            raise CellRefused(
                Message(
                    "there is no column %(column)s; these are %(known)s",
                    column=column,
                    known=", ".join(header),
                )
            )
    columns = dict(named)
    for column in header:
        if column in named.values():
            continue
        if column in fields and column not in named:
            columns[column] = column
        elif others and KEY.fullmatch(column):
            columns[BY_NAME + column] = column
    lacking = [name for name in needed if name not in columns]
    if lacking:
        raise CellRefused(Message("no column is named for %(fields)s", fields=", ".join(lacking)))
    return {name: header.index(column) for name, column in columns.items()}


@contextmanager
def reading(
    path: Path, encoding: str = "utf-8", errors: str = "strict"
) -> Iterator[io.TextIOWrapper]:
    """Open a file of rows; what keeps it from being read at all becomes one problem.

    :raises TableInvalid: with that problem.
    """
    name = encoding.upper()
    codec = "utf-8-sig" if name in {"UTF-8", "UTF8"} else encoding
    try:
        with path.open(encoding=codec, errors=errors, newline="") as lines:
            yield lines
    except OSError as error:
        raise TableInvalid(path, [Problem("", error.strerror or str(error))]) from error
    except UnicodeError as error:
        raise TableInvalid(path, [Problem("", Message("is not %(name)s", name=name))]) from error
    except csv.Error as error:
        raise TableInvalid(path, [Problem("line 1", str(error))]) from error
    except CellRefused as error:
        raise TableInvalid(path, [Problem("line 1", error.message)]) from error


def _told(lines: Iterator[str], progress: Progress) -> Iterator[str]:
    for line in lines:
        progress(len(line))
        yield line
