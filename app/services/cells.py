"""Cells of a table, read exactly: references, days, numbers, money, and what attributes are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Context, Decimal, Inexact
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from marshmallow import ValidationError

from rules.document.fields import KEY, Text, refuse
from rules.facts import read_value
from rules.measure import Raw
from rules.messages import Message
from rules.policy import Activities, Attribute, AttributeHistory, Filter, Metric, Policy
from rules.vocabulary import EARLIEST_DAY, LARGEST, LATEST_DAY, MetricType
from rules.windows import local_day

REFERENCE = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""A company's own number for a client, or a source's for an activity."""

BY_NAME = "attribute:"

_PLAIN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_LONGEST = 60
_EXACT = Context(prec=2 * _LONGEST, traps=[Inexact])
_BLANKS = {" ": " \u00a0\u202f"}
"""Blanks that look the same stand for each other between groups of digits."""

Wanted = Metric | MetricType
"""What an attribute is read for: a metric, or a filter that compares it with such values."""


class CellRefused(ValueError):
    """A cell, a row or the header cannot be taken; the message says why."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True)
class Cells:
    """How the cells of one table are written, and what the company counts in.

    ``date_format`` is ISO 8601 if None, else as ``datetime.strptime`` has it.
    """

    time_zone: str
    currency: str
    date_format: str | None = None
    decimal: str = "."
    thousands: str = ""
    attributes: Mapping[str, Wanted] = field(default_factory=dict)
    """What the company's own attributes are read for; one not here is a text."""

    def reference(self, name: str, text: str) -> str:
        if not REFERENCE.fullmatch(text):
            raise CellRefused(
                Message(
                    "%(field)s must be 1 to 64 letters, digits or . _ ~ -, not %(text)s",
                    field=name,
                    text=text,
                )
            )
        return text

    def key(self, name: str, text: str) -> str:
        if not KEY.fullmatch(text):
            raise CellRefused(
                Message("%(field)s must be a key such as sale, not %(text)s", field=name, text=text)
            )
        return text

    def text(self, name: str, text: str) -> str:
        if text.isascii() and text.isprintable() and len(text) <= _ALWAYS_TAKEN:
            return text
        try:
            return Text().deserialize(text)
        except ValidationError as error:
            raise self._unfit(name, text, error) from error

    def day(self, text: str) -> date:
        """Read a day, or an instant; without an offset it is the company's local time."""
        return self.moment(text)[0]

    def moment(self, text: str) -> tuple[date, datetime | None]:
        """Read a day and, where there is an offset that says so, its instant."""
        try:
            if self.date_format is None:
                at = datetime.fromisoformat(text)
            else:
                at = datetime.strptime(text, self.date_format)  # noqa: DTZ007 - local time
            is_local = at.utcoffset() is None
            day = at.date() if is_local else local_day(at, self._zone)
        except ValueError as error:
            raise self._undated(text) from error
        if not EARLIEST_DAY <= day <= LATEST_DAY:
            raise CellRefused(Message("date %(text)s is out of all proportion", text=text))
        return day, None if is_local else at

    def money(self, text: str) -> int:
        """Read an amount in whole units of the currency, and return it in minor ones."""
        minor = self._number(text).scaleb(self._places, _EXACT)
        found = int(minor)
        if found != minor:
            raise CellRefused(
                Message(
                    "amount %(text)s has more decimal places than %(currency)s",
                    text=text,
                    currency=self.currency,
                )
            )
        if not -LARGEST <= found <= LARGEST:
            raise _out_of_proportion(text)
        return found

    def number(self, text: str) -> int | Decimal:
        number = self._number(text)
        return int(number) if number == number.to_integral_value() else number

    def attribute(self, name: str, text: str) -> Raw:
        """Read an attribute as what it is read for wants; one that nothing asks for as text."""
        wanted = self.attributes.get(name)
        if wanted is None:
            return self.text(name, text)
        raw = self._typed(name, wanted.type if isinstance(wanted, Metric) else wanted, text)
        try:
            if isinstance(wanted, Metric):
                read_value(wanted, raw)
            elif wanted is MetricType.BOOLEAN and isinstance(raw, str):
                raise refuse("must be true or false")
        except ValidationError as error:
            raise self._unfit(name, text, error) from error
        return raw

    def _typed(self, name: str, kind: MetricType, text: str) -> Raw:
        match kind:
            case MetricType.MONEY:
                return self.money(text)
            case MetricType.BOOLEAN:
                return {"true": True, "yes": True, "false": False, "no": False}.get(
                    text.lower(), text
                )
            case MetricType.COUNT | MetricType.DAYS | MetricType.DECIMAL:
                return self.number(text)
            case MetricType.DATE if self.date_format is not None:
                return self.day(text).isoformat()
            case _:
                return self.text(name, text)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _places(self) -> int:
        return get_currency_precision(self.currency)

    @cached_property
    def _is_plain(self) -> bool:
        return (self.decimal, self.thousands) == (".", "")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        if self._is_plain:
            return re.compile(_PLAIN)
        point = re.escape(self.decimal)
        blank = f"[{re.escape(_BLANKS.get(self.thousands, self.thousands))}]"
        grouped = rf"|[0-9]{{1,3}}({blank}[0-9]{{3}})+" if self.thousands else ""
        return re.compile(rf"[+-]?(([0-9]+{grouped})({point}[0-9]*)?|{point}[0-9]+)")

    @cached_property
    def _written(self) -> dict[int, str]:
        """Return what each sign of a number is in the common way of writing."""
        blanks = _BLANKS.get(self.thousands, self.thousands)
        return str.maketrans({**dict.fromkeys(blanks, ""), self.decimal: "."})

    def _number(self, text: str) -> Decimal:
        if not self._pattern.fullmatch(text):
            raise CellRefused(Message("%(text)s is not a number", text=text))
        if len(text) > _LONGEST:
            raise _out_of_proportion(text)
        number = Decimal(text if self._is_plain else text.translate(self._written))
        if not -12 <= number.adjusted() < 15 and number and abs(number) != LARGEST:
            raise _out_of_proportion(text)
        return number

    def _undated(self, text: str) -> CellRefused:
        if self.date_format is None:
            return CellRefused(
                Message("date must be YYYY-MM-DD, with a time or without, not %(text)s", text=text)
            )
        return CellRefused(
            Message(
                "date must be written as %(format)s, not %(text)s",
                format=self.date_format,
                text=text,
            )
        )

    def _unfit(self, name: str, text: str, error: ValidationError) -> CellRefused:
        return CellRefused(
            Message(
                "%(field)s is %(text)s, which %(reason)s",
                field=name,
                text=text,
                reason=error.messages[0],
            )
        )


_ALWAYS_TAKEN = 200
"""Characters: a text of plain ones and no longer than this is never refused."""


def stated(policy: Policy) -> dict[str, Wanted]:
    """Return what the attributes of clients are read for."""
    return {
        metric.source.attribute: metric
        for metric in policy.metrics.values()
        if isinstance(metric.source, Attribute | AttributeHistory)
    }


def recorded(policy: Policy) -> dict[str, Wanted]:
    """Return what the attributes of activities are read for; those not here are texts."""
    measured: dict[str, Wanted] = {}
    compared: dict[str, Wanted] = {}
    for metric in policy.metrics.values():
        if isinstance(metric.source, Activities):
            measured[metric.source.of or ""] = metric
            compared |= {each.field: _compared_as(each) for each in metric.source.where}
    return {
        name.removeprefix(BY_NAME): wanted
        for name, wanted in (compared | measured).items()
        if name.startswith(BY_NAME)
    }


def _compared_as(where: Filter) -> MetricType:
    values: tuple[Any, ...] = where.value if isinstance(where.value, tuple) else (where.value,)
    if any(isinstance(value, str) for value in values):
        return MetricType.CHOICE
    return MetricType.BOOLEAN if isinstance(values[0], bool) else MetricType.DECIMAL


def _out_of_proportion(text: str) -> CellRefused:
    return CellRefused(Message("the number %(text)s is out of all proportion", text=text))
