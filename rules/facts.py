"""Facts as they are written in JSON, and as the rules count them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from marshmallow import ValidationError

from rules.document import Problem
from rules.document.fields import listed, read_day
from rules.messages import Message
from rules.policy import Metric, Policy
from rules.vocabulary import LARGEST, MetricType, Number, Value, settle

MOST_PLACES = 12
"""How many decimal places a stated number may have; it is compared exactly, however many."""

_WIDE = Context(prec=60)


class FactsInvalid(ValueError):
    """Some of the facts are not what the policy's metrics can be."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


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
            raise _refuse("must be true or false")
        case MetricType.CHOICE:
            if isinstance(value, str) and value in metric.options:
                return value
            raise _refuse("must be %(words)s", words=listed(list(metric.options)))
        case MetricType.DATE:
            return read_day(value)
        case MetricType.DECIMAL:
            if type(value) in (int, Decimal):
                exact = Fraction(value) * 10**MOST_PLACES  # type: ignore[arg-type]  # just checked
                number = settle(exact * 10**metric.places / 10**MOST_PLACES)
                if exact.denominator == 1 and abs(number) <= LARGEST:
                    return number
            raise _refuse(
                "must be a number between -%(most)d and %(most)d with at most %(places)d "
                "decimal places",
                most=LARGEST // 10**metric.places,
                places=MOST_PLACES,
            )
        case _:
            if type(value) is int and abs(value) <= LARGEST:
                return value
            raise _refuse("must be a whole number between -%(most)d and %(most)d", most=LARGEST)


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
            return written_number(metric, value)


def written_number(metric: Metric, steps: Number) -> int | Decimal:
    """Write a number of the metric's smallest steps in the unit the metric is stated in."""
    number = Fraction(steps) / 10**metric.places
    if number.denominator == 1:
        return number.numerator
    decimal = _WIDE.divide(Decimal(number.numerator), Decimal(number.denominator))
    if isinstance(steps, Fraction):
        decimal = decimal.quantize(
            Decimal(1).scaleb(-metric.places - 6), rounding=ROUND_HALF_EVEN, context=_WIDE
        )
    return decimal.normalize(_WIDE)


def exact_text(metric: Metric, value: Value | None) -> str | None:
    """Return a value that no decimal can write as ``numerator/denominator``; else None."""
    if isinstance(value, Fraction):
        number = value / 10**metric.places
        return f"{number.numerator}/{number.denominator}"
    return None


def _refuse(template: str, /, **params: object) -> ValidationError:
    return ValidationError([Message(template, **params)])
