"""Facts as they are written in JSON, and as the rules count them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction

from marshmallow import ValidationError

from rules.document import Problem
from rules.document.values import MOST_PLACES, read_facts, read_value
from rules.messages import Message
from rules.policy import Facts, Metric, Policy
from rules.vocabulary import LARGEST, Number, Value

__all__ = [
    "MOST_PLACES",
    "FactsInvalid",
    "exact_text",
    "read",
    "read_value",
    "too_large",
    "write_value",
    "written_number",
]

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
    try:
        return read_facts(policy.metrics, stated)
    except ValidationError as error:
        raise FactsInvalid(
            Problem(key, said[0]) for key, said in error.messages_dict.items()
        ) from error


def too_large(policy: Policy, facts: Facts) -> Iterator[Problem]:
    """Yield the metrics whose values, summed up or derived, are beyond what is decided about."""
    for key, value in facts.items():
        if isinstance(value, int | Fraction) and not -LARGEST <= value <= LARGEST:
            most = LARGEST // 10 ** policy.metrics[key].places
            message = Message("comes to a number not between -%(most)d and %(most)d", most=most)
            yield Problem(key, message)


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
