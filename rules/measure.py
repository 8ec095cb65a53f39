"""The metrics of one client on a business date, exactly.

Nothing is rounded: an average that falls between two steps stays a fraction.  An empty sum or
count is nought; an empty average, a zero denominator and an attribute never stated, or no longer,
are missing and left out of the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from marshmallow import ValidationError

from rules.facts import read_value
from rules.messages import Message
from rules.policy import (
    Activities,
    Attribute,
    AttributeHistory,
    CarryOver,
    Change,
    DaysSince,
    Derivation,
    Filter,
    Metric,
    OfGroup,
    OfStanding,
    Policy,
    Rank,
    Ratio,
    Since,
    WeightedSum,
    Window,
)
from rules.standing import Standing
from rules.tenure import began, tenure
from rules.vocabulary import Missing, Number, Operator, Value, exact, settle
from rules.windows import DAY, Span, preceding, span, whole_period_before

Raw = str | int | Decimal | bool
"""An attribute's or activity's value as JSON writes it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What was stated about a client from a day on.

    ``value`` is None where the statement ended: from that day on nothing is stated any more.
    """

    day: date
    value: Raw | None


@dataclass(frozen=True, slots=True)
class Activity:
    """Something dated that happened with a client.

    ``day`` is its day in the company's time zone; ``amount`` is in minor units.
    """

    kind: str
    day: date
    amount: int | None = None
    quantity: int | Decimal | None = None
    product: str | None = None
    channel: str | None = None
    attributes: Mapping[str, Raw] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Client:
    """What is recorded of one client: statements by attribute, oldest first, and activities.

    ``group`` is who else is in their group on the business date; ``ranks`` are the places last
    fixed by metric, in percent from the top.
    """

    statements: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    activities: Sequence[Activity] = ()
    group: Members | None = None
    ranks: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Members:
    """The others in a client's group, and whether the client is its head."""

    others: Sequence[Client]
    is_head: bool


class CannotMeasure(ValueError):
    """A recorded value does not fit the metric that is measured from it."""

    def __init__(self, metric: str, message: str) -> None:
        self.message = Message(
            "The metric %(metric)s cannot be measured: %(reason)s.", metric=metric, reason=message
        )
        super().__init__(self.message)


def measure(
    policy: Policy,
    client: Client,
    day: date,
    stated: Mapping[str, Value | None] | None = None,
    standing: Standing | None = None,
) -> dict[str, Value]:
    """Return what every metric of the policy came to for a client on business date ``day``.

    Facts that are ``stated`` stand instead of what is recorded; what is derived follows them.

    :param standing: how the client stood before the date; None for who is new.
    :raises CannotMeasure: if what is recorded is not of the metric's type.
    """
    found = _Facts(policy, day, client, stated, standing)
    return {key: value for key in policy.metrics if (value := found[key]) is not None}


def number_of(policy: Policy, key: str, facts: Mapping[str, Value]) -> Fraction | None:
    """Return a fact in its metric's unit; one that is missing counts as the metric says."""
    return _in_its_unit(policy.metrics[key], facts.get(key))


def complete(policy: Policy, stated: Mapping[str, Value | None], day: date) -> dict[str, Value]:
    """Return stated facts with the derivations added that follow from them.

    A fact stated as None stays missing, and one stated is never overruled by a derivation.
    """
    found = _Facts(policy, day, None, stated)
    return {key: value for key in policy.metrics if (value := found[key]) is not None}


_Recorded = Attribute | AttributeHistory | Activities | OfStanding | OfGroup | Rank
_OF_ANOTHER = Message("what is recorded of another member of the group does not fit it")


class _Facts:
    """Metrics by key, each measured at most once."""

    def __init__(
        self,
        policy: Policy,
        day: date,
        client: Client | None,
        stated: Mapping[str, Value | None] | None = None,
        standing: Standing | None = None,
    ) -> None:
        self._policy, self._day, self._client = policy, day, client
        self._standing = standing
        self._known: dict[str, Value | None] = dict(stated or {})

    def __getitem__(self, key: str) -> Value | None:
        if key not in self._known:
            self._known[key] = self._measured(self._policy.metrics[key])
        return self._known[key]

    def _measured(self, metric: Metric) -> Value | None:
        source = metric.source
        if isinstance(source, Derivation):
            return self._derived(metric, source)
        return None if self._client is None else self._recorded(metric, source, self._client)

    def _recorded(self, metric: Metric, source: _Recorded, client: Client) -> Value | None:
        match source:
            case Attribute():
                return _attribute(metric, source, client, self._day)
            case AttributeHistory():
                return _history(metric, source, client, self._span(source.window))
            case Activities():
                return _aggregate(metric, source, client, self._day, self._span(source.window))
            case OfStanding():
                return tenure(self._policy, source, self._standing, self._day)
            case OfGroup():
                return self._pooled(metric, source, client)
            case Rank():
                place = client.ranks.get(metric.key)
                return None if place is None else _scaled(metric, place)

    def _span(self, window: Window) -> Span:
        if isinstance(window, Since):
            return Span(began(window.event, self._standing, self._day), self._day + DAY)
        return span(window, self._day)

    def _pooled(self, metric: Metric, source: OfGroup, client: Client) -> Value | None:
        """Add a metric up over today's members; where the head has it, nobody else does."""
        group = client.group or Members((), is_head=True)
        if self._policy.group_tier_goes_to == "head" and not group.is_head:
            return None
        numbers = [
            self._number(source.metric),
            *(self._number_of_another(metric, source, each) for each in group.others),
        ]
        known = [each for each in numbers if each is not None]
        return _scaled(metric, sum(known, Fraction(0))) if len(known) == len(numbers) else None

    def _number_of_another(self, metric: Metric, source: OfGroup, other: Client) -> Fraction | None:
        """Measure another member; what is recorded of them is never told, not even if it is wrong.

        :raises CannotMeasure: if that is not of the metric's type.
        """
        try:
            return _Facts(self._policy, self._day, other)._number(source.metric)  # noqa: SLF001 - of the same class
        except CannotMeasure as error:
            raise CannotMeasure(metric.key, _OF_ANOTHER) from error

    def _derived(self, metric: Metric, source: Derivation) -> Value | None:
        match source:
            case Ratio():
                over, under = self._number(source.numerator), self._number(source.denominator)
                if over is None or not under:
                    return None
                return _scaled(metric, over / under * (100 if metric.unit == "percent" else 1))
            case WeightedSum():
                total = Fraction(0)
                for key, weight in source.terms:
                    number = self._number(key)
                    if number is None:
                        return None
                    total += number * weight
                return _scaled(metric, total)
            case Change():
                now, before = self._number(source.metric), self._before(source.metric, preceding)
                if now is None or before is None:
                    return None
                if source.measured == "difference":
                    return _scaled(metric, now - before)
                return _scaled(metric, 100 * (now - before) / abs(before)) if before else None
            case DaysSince():
                since = self[source.metric]
                return (self._day - since).days if isinstance(since, date) else None
            case CarryOver():
                before = self._before(source.metric, whole_period_before)
                if before is None:
                    return None
                step = Fraction(1, 10 ** self._policy.metrics[source.metric].places)
                beyond = max(Fraction(0), before - source.above * step)
                return _scaled(metric, min(source.cap * step, beyond))

    def _number(self, key: str) -> Fraction | None:
        return _in_its_unit(self._policy.metrics[key], self[key])

    def _before(self, key: str, window_to_span: Callable[..., Span]) -> Fraction | None:
        """Measure a metric over a span before its own; flat facts do not tell it."""
        metric = self._policy.metrics[key]
        source, client = metric.source, self._client
        if client is None or not isinstance(source, Activities | AttributeHistory):
            return None
        other = window_to_span(source.window, self._day)
        if isinstance(source, Activities):
            return _in_its_unit(metric, _aggregate(metric, source, client, other.end - DAY, other))
        return _in_its_unit(metric, _history(metric, source, client, other))


# -- attributes ------------------------------------------------------------------------------


def _attribute(metric: Metric, source: Attribute, client: Client, day: date) -> Value | None:
    last = None
    for statement in client.statements.get(source.attribute, ()):
        if statement.day <= day:
            last = statement
    if last is None or last.value is None:
        return None
    if source.good_for_days is not None and (day - last.day).days > source.good_for_days:
        return None
    return _read(metric, last.value)


def _history(
    metric: Metric, source: AttributeHistory, client: Client, window: Span
) -> Number | None:
    """Aggregate an attribute as it stood at the end of each day it was stated on.

    Days before the first statement, and those on which none was in force any more, are left out.
    """
    statements = client.statements.get(source.attribute, ())
    total, days, least = Fraction(0), 0, None
    for statement, until in zip(
        statements, [*(each.day for each in statements[1:]), window.end], strict=False
    ):
        first = statement.day if window.first is None else max(statement.day, window.first)
        length = (min(until, window.end) - first).days
        if length > 0 and statement.value is not None:
            number = _as_number(_read(metric, statement.value))
            total += number * length
            days += length
            least = number if least is None else min(least, number)
    if source.aggregate == "minimum":
        return least
    return settle(total / days) if days else None


# -- activities ------------------------------------------------------------------------------

_PERIOD_OF: dict[str, Callable[[date], object]] = {
    "days_with": lambda day: day,
    "weeks_with": lambda day: day.isocalendar()[:2],
    "months_with": lambda day: (day.year, day.month),
    "quarters_with": lambda day: (day.year, (day.month - 1) // 3),
}


def _aggregate(
    metric: Metric, source: Activities, client: Client, day: date, window: Span
) -> Value | None:
    found = [
        each
        for each in client.activities
        if each.kind in source.kinds
        and each.day in window
        and all(_passes(each, where) for where in source.where)
    ]
    if source.of is not None:
        return _measured_of(source.aggregate, _numbers(metric, source.of, found))
    if source.aggregate == "count":
        return len(found)
    if source.aggregate == "distinct_products":
        return len({each.product for each in found if each.product is not None})
    if source.aggregate in _PERIOD_OF:
        return len({_PERIOD_OF[source.aggregate](each.day) for each in found})
    if not found:
        return None
    days = [each.day for each in found]
    if source.aggregate == "first_date":
        return min(days)
    return max(days) if source.aggregate == "last_date" else (day - max(days)).days


def _measured_of(aggregate: str, numbers: list[Number]) -> Number | None:
    if aggregate == "sum":
        return settle(sum(numbers))
    if not numbers:
        return None
    if aggregate == "average":
        return settle(Fraction(sum(numbers)) / len(numbers))
    return min(numbers) if aggregate == "minimum" else max(numbers)


def _numbers(metric: Metric, of: str, activities: Iterable[Activity]) -> list[Number]:
    """Return one field of the activities that have it, in the metric's smallest steps."""
    if of == "amount":
        return [each.amount for each in activities if each.amount is not None]
    values = [_field(each, of) for each in activities]
    return [_as_number(_read(metric, value)) for value in values if value is not None]


def _passes(activity: Activity, where: Filter) -> bool:
    """Tell whether an activity counts; what has no such field is *not* any given value."""
    value, operator, wanted = _field(activity, where.field), where.operator, where.value
    if operator in (Operator.IS, Operator.ONE_OF, Operator.IS_NOT, Operator.NONE_OF):
        options = wanted if isinstance(wanted, tuple) else (wanted,)
        among = any(
            isinstance(value, bool) is isinstance(option, bool) and value == option
            for option in options
        )
        return among is (operator in (Operator.IS, Operator.ONE_OF))
    number = exact(value)
    if number is None or not isinstance(wanted, Fraction):
        return False
    match operator:
        case Operator.AT_LEAST:
            return number >= wanted
        case Operator.MORE_THAN:
            return number > wanted
        case Operator.AT_MOST:
            return number <= wanted
        case _:
            return number < wanted


def _field(activity: Activity, name: str) -> Raw | None:
    match name:
        case "amount":
            return activity.amount
        case "quantity":
            return activity.quantity
        case "product":
            return activity.product
        case "channel":
            return activity.channel
        case _:
            return activity.attributes.get(name.removeprefix("attribute:"))


# -- numbers ---------------------------------------------------------------------------------


def _read(metric: Metric, value: Raw) -> Value:
    try:
        return read_value(metric, value)
    except ValidationError as error:
        raise CannotMeasure(metric.key, f"{value!r} {error.messages[0]}") from error


def _scaled(metric: Metric, number: Fraction) -> Number:
    """Return a number in the unit a metric is written in as its smallest steps."""
    return settle(number * 10**metric.places)


def _in_its_unit(metric: Metric, value: Value | None) -> Fraction | None:
    """Return a value, given in smallest steps, in the unit its metric is written in."""
    if value is None:
        return Fraction(0) if metric.missing is Missing.ZERO else None
    number: Fraction = Fraction(_as_number(value)) / 10**metric.places
    return number


def _as_number(value: Value) -> Number:
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise TypeError(f"{value!r} is not a number; documents are checked to ask only for these")
    return value
