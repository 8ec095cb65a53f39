"""Facts as they are written in JSON, and as the rules count them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction

from marshmallow import ValidationError

from rules.document import Problem
from rules.document.fields import listed, read_day, refuse, whole
from rules.messages import Message
from rules.policy import Metric, Policy
from rules.vocabulary import LARGEST, MetricType, Number, Value, exact, settle

MOST_PLACES = 12
"""How many decimal places a stated number may have; it is compared exactly, however many."""

_PLACES_BEYOND = 6
"""To how many places beyond a metric's smallest step a value between two steps is written."""

_WIDE = Context(prec=60)


class FactsInvalid(ValueError):
    """Some of the facts are not what the policy's metrics can be."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def read(policy: Policy, stated: Mapping[str, object]) -> dict[str, Value | None]:
    """Read flat facts: metric key to value; null says that the value is missing.

    :raises FactsInvalid: naming every fact that is unknown, of a wrong type or out of bounds.
    """
    facts: dict[str, Value | None] = {}
    problems: list[Problem] = []
    for key, value in stated.items():
        metric = policy.metrics.get(key)
        if metric is None:
            message = Message(
                "is not a metric of this policy; these are %(known)s",
                known=listed(sorted(policy.metrics) or ["-"]),
            )
            problems.append(Problem(key, message))
            continue
        try:
            facts[key] = None if value is None else read_value(metric, value)
        except ValidationError as error:
            problems.append(Problem(key, error.messages[0]))
    if problems:
        raise FactsInvalid(problems)
    return facts


def read_value(metric: Metric, value: object) -> Value:
    """Read one value as JSON writes it: money in minor units, decimals as numbers, ISO dates.

    :raises ValidationError: with a sentence on what the metric takes.
    """
    match metric.type:
        case MetricType.BOOLEAN:
            if isinstance(value, bool):
                return value
            raise refuse("must be true or false")
        case MetricType.CHOICE:
            if isinstance(value, str) and value in metric.options:
                return value
            raise refuse("must be %(words)s", words=listed(list(metric.options)))
        case MetricType.DATE:
            return read_day(value)
        case MetricType.DECIMAL:
            number = exact(value)
            if number is not None and (number * 10**MOST_PLACES).denominator == 1:
                steps: Fraction = number * 10**metric.places
                if abs(steps) <= LARGEST:
                    return settle(steps)
            raise refuse(
                "must be a number between -%(most)d and %(most)d with at most %(places)d "
                "decimal places",
                most=LARGEST // 10**metric.places,
                places=MOST_PLACES,
            )
        case _:
            if type(value) is int and abs(value) <= LARGEST:
                return value
            raise refuse(whole(metric.type), most=LARGEST)


def write_value(metric: Metric, value: Value | None) -> object:
    """Write a value as JSON does: the reverse of :func:`read_value`.

    A value between two of the metric's smallest steps is rounded six places beyond them; what
    it is exactly, :func:`exact_text` says.
    """
    match value:
        case bool() | str() | None:
            return value
        case date():
            return value.isoformat()
        case _:
            return written_number(metric.places, value)


def written_number(places: int, steps: Number) -> int | Decimal:
    """Write a number of smallest steps in the unit a metric of so many places is stated in."""
    unit: int = 10**places
    if isinstance(steps, int) and steps % unit == 0:
        return steps // unit  # most numbers are whole; a Fraction takes its time
    rounded = Fraction(round(steps * 10**_PLACES_BEYOND), 10 ** (places + _PLACES_BEYOND))
    if rounded.denominator == 1:
        return rounded.numerator
    return _WIDE.divide(Decimal(rounded.numerator), Decimal(rounded.denominator))


def exact_text(metric: Metric, value: Value | None) -> str | None:
    """Return ``numerator/denominator`` of a value that :func:`write_value` rounds; else None."""
    if not isinstance(value, Fraction) or (value * 10**_PLACES_BEYOND).denominator == 1:
        return None
    number: Fraction = value / 10**metric.places
    return f"{number.numerator}/{number.denominator}"
