"""Clients and activities from CSV files: columns by name, every bad row by its line."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from marshmallow import ValidationError

from rules.document import Problem
from rules.document.fields import KEY, refuse
from rules.facts import read_value
from rules.measure import Activity, Client, Raw, Statement
from rules.messages import Message
from rules.policy import Activities, Attribute, AttributeHistory, Filter, Metric, Policy
from rules.vocabulary import EARLIEST_DAY, LARGEST, LATEST_DAY, MetricType
from rules.windows import local_day

ACTIVITY_FIELDS = ("client", "date", "kind", "amount", "quantity", "product", "channel")
CLIENT_FIELDS = ("client", "date")
REFERENCE = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""A company's own number for a client."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_MOST_PROBLEMS = 20
_BY_NAME = "attribute:"

Progress = Callable[[int], None]
"""Told, with each line, how many characters more of a file are read."""


class TableInvalid(ValueError):
    """A file cannot be taken; ``problems`` names each row by its line."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path, self.problems = path, tuple(problems)
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))


class _Refused(ValueError):
    """A row, or the header, cannot be taken; the message says why."""

    def __init__(self, template: str, /, **params: object) -> None:
        self.message = Message(template, **params)
        super().__init__(self.message)


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
    stating = _Reader(policy, CLIENT_FIELDS, ("client",), _stated(policy))
    for row in stating.rows(clients, progress) if clients else ():
        stated = statements.setdefault(row["client"], {})
        for name, raw in row["attributes"].items():
            stated.setdefault(name, []).append(Statement(row.get("date", EARLIEST_DAY), raw))
    happening = _Reader(policy, ACTIVITY_FIELDS, ("client", "date", "kind"), _recorded(policy))
    for row in happening.rows(activities, progress):
        client, day = row.pop("client"), row.pop("date")
        happened.setdefault(client, []).append(Activity(day=day, **row))
    for stated in statements.values():
        for history in stated.values():
            history.sort(key=lambda statement: statement.day)
    return {
        key: Client(statements.get(key, {}), happened.get(key, ()))
        for key in dict.fromkeys([*statements, *happened])
    }


_Wanted = Metric | MetricType
"""What an attribute is read for: a metric, or a filter that compares it with such values."""


def _stated(policy: Policy) -> dict[str, _Wanted]:
    """Return what the attributes of clients are read for."""
    return {
        metric.source.attribute: metric
        for metric in policy.metrics.values()
        if isinstance(metric.source, Attribute | AttributeHistory)
    }


def _recorded(policy: Policy) -> dict[str, _Wanted]:
    """Return what the attributes of activities are read for; those not here are texts."""
    measured: dict[str, _Wanted] = {}
    compared: dict[str, _Wanted] = {}
    for metric in policy.metrics.values():
        if isinstance(metric.source, Activities):
            measured[metric.source.of or ""] = metric
            compared |= {each.field: _compared_as(each) for each in metric.source.where}
    return {
        field.removeprefix(_BY_NAME): wanted
        for field, wanted in (compared | measured).items()
        if field.startswith(_BY_NAME)
    }


def _compared_as(where: Filter) -> MetricType:
    values = where.value if isinstance(where.value, tuple) else (where.value,)
    if any(isinstance(value, str) for value in values):
        return MetricType.CHOICE
    return MetricType.BOOLEAN if isinstance(values[0], bool) else MetricType.DECIMAL


class _Reader:
    """Rows of one table, as a policy's metrics want them."""

    def __init__(
        self,
        policy: Policy,
        fields: tuple[str, ...],
        needed: tuple[str, ...],
        attributes: Mapping[str, _Wanted],
    ) -> None:
        self._zone = ZoneInfo(policy.time_zone)
        self._currency = policy.currency
        self._minor = 10 ** get_currency_precision(policy.currency)
        self._fields, self._needed, self._attributes = fields, needed, attributes

    def rows(self, table: Table, progress: Progress) -> Iterator[dict[str, Any]]:
        """Yield each row's fields that are not empty; raise for all bad rows at the end."""
        problems: list[Problem] = []
        with _reading(table.path) as lines:
            reader = csv.reader(_told(lines, progress), strict=True)
            header = next(reader, [])
            columns = _columns(header, table.columns, self._fields, self._needed)
            while len(problems) < _MOST_PROBLEMS:
                try:
                    row = self._row(next(reader), columns, len(header))
                except StopIteration:
                    break
                except csv.Error as error:
                    problems.append(Problem(f"line {reader.line_num}", str(error)))
                except _Refused as error:
                    problems.append(Problem(f"line {reader.line_num}", error.message))
                else:
                    yield row
        if problems:
            raise TableInvalid(table.path, problems)

    def _row(self, row: list[str], columns: dict[str, int], width: int) -> dict[str, Any]:
        if len(row) != width:
            raise _Refused(
                "has %(found)d fields, the header %(wanted)d", found=len(row), wanted=width
            )
        read: dict[str, Any] = {"attributes": {}}
        for name, place in columns.items():
            text = row[place].strip()
            if not text and name in self._needed:
                raise _Refused("%(field)s is empty", field=name)
            if text and name.startswith(_BY_NAME):
                own = name.removeprefix(_BY_NAME)
                read["attributes"][own] = self._attribute(own, text)
            elif text:
                read[name] = self._field(name, text)
        return read

    def _field(self, name: str, text: str) -> Any:
        match name:
            case "client":
                if not REFERENCE.fullmatch(text):
                    raise _Refused(
                        "client must be 1 to 64 letters, digits or . _ ~ -, not %(text)s",
                        text=text,
                    )
                return text
            case "date":
                return self._day(text)
            case "kind":
                if not KEY.fullmatch(text):
                    raise _Refused("kind must be a key such as sale, not %(text)s", text=text)
                return text
            case "amount":
                return self._money(text)
            case "quantity":
                return _plain(_decimal(text))
            case _:
                return text

    def _day(self, text: str) -> date:
        """Read a day, or an instant; without an offset it is the company's local time."""
        try:
            at = datetime.fromisoformat(text)
            day = at.date() if at.utcoffset() is None else local_day(at, self._zone)
        except ValueError as error:
            raise _Refused(
                "date must be YYYY-MM-DD, with a time or without, not %(text)s", text=text
            ) from error
        if not EARLIEST_DAY <= day <= LATEST_DAY:
            raise _Refused("date %(text)s is out of all proportion", text=text)
        return day

    def _money(self, text: str) -> int:
        minor = Fraction(_decimal(text)) * self._minor
        if minor.denominator != 1:
            raise _Refused(
                "amount %(text)s has more decimal places than %(currency)s",
                text=text,
                currency=self._currency,
            )
        if abs(minor) > LARGEST:
            raise _out_of_proportion(text)
        return int(minor)

    def _attribute(self, name: str, text: str) -> Raw:
        """Read an attribute as what it is read for wants; one that nothing asks for as text."""
        wanted = self._attributes.get(name)
        if wanted is None:
            return text
        raw = self._typed(wanted.type if isinstance(wanted, Metric) else wanted, text)
        try:
            if isinstance(wanted, Metric):
                read_value(wanted, raw)
            elif wanted is MetricType.BOOLEAN and isinstance(raw, str):
                raise refuse("must be true or false")
        except ValidationError as error:
            raise _Refused(
                "%(field)s is %(text)s, which %(reason)s",
                field=name,
                text=text,
                reason=error.messages[0],
            ) from error
        return raw

    def _typed(self, kind: MetricType, text: str) -> Raw:
        match kind:
            case MetricType.MONEY:
                return self._money(text)
            case MetricType.BOOLEAN:
                return {"true": True, "yes": True, "false": False, "no": False}.get(
                    text.lower(), text
                )
            case MetricType.COUNT | MetricType.DAYS | MetricType.DECIMAL:
                return _plain(_decimal(text))
            case _:
                return text


def _columns(
    header: list[str],
    named: Mapping[str, str],
    fields: tuple[str, ...],
    needed: tuple[str, ...],
) -> dict[str, int]:
    """Return where each field stands in a row."""
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise _Refused("the column %(column)s stands twice in the header", column=twice[0])
    for name, column in named.items():
        own = name.removeprefix(_BY_NAME)
        if name not in fields and not (own != name and KEY.fullmatch(own)):
            raise _Refused(
                "%(name)s is not a field; these are %(known)s and attribute:NAME",
                name=name,
                known=", ".join(fields),
            )
        if column not in header:
            raise _Refused(
                "there is no column %(column)s; these are %(known)s",
                column=column,
                known=", ".join(header),
            )
    free = [column for column in header if column not in named.values()]
    columns = dict(named)
    for column in free:
        if column in fields and column not in named:
            columns[column] = column
        elif fields is CLIENT_FIELDS and KEY.fullmatch(column):
            columns[_BY_NAME + column] = column
    lacking = [name for name in needed if name not in columns]
    if lacking:
        raise _Refused("no column is named for %(fields)s", fields=", ".join(lacking))
    return {name: header.index(column) for name, column in columns.items()}


@contextmanager
def _reading(path: Path) -> Iterator[Iterator[str]]:
    """Open a file of rows; what keeps it from being read at all becomes one problem."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield lines
    except OSError as error:
        raise TableInvalid(path, [Problem("", error.strerror or str(error))]) from error
    except UnicodeDecodeError as error:
        raise TableInvalid(path, [Problem("", Message("is not UTF-8"))]) from error
    except csv.Error as error:
        raise TableInvalid(path, [Problem("line 1", str(error))]) from error
    except _Refused as error:
        raise TableInvalid(path, [Problem("line 1", error.message)]) from error


def _told(lines: Iterator[str], progress: Progress) -> Iterator[str]:
    for line in lines:
        progress(len(line))
        yield line


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise _Refused("%(text)s is not a number", text=text)
    number = Decimal(text)
    if abs(number) > LARGEST or (number and number.adjusted() < -12):
        raise _out_of_proportion(text)
    return number


def _out_of_proportion(text: str) -> _Refused:
    return _Refused("the number %(text)s is out of all proportion", text=text)


def _plain(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number
