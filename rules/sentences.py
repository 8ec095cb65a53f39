"""What goes into a sentence: names, values, lists, to be written as the reader's language does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.criteria import Condition
from rules.facts import write_value
from rules.messages import N_, Listed, Message
from rules.policy import Metric, Names, OfGroup, Policy
from rules.vocabulary import Operator, Value


@dataclass(frozen=True, slots=True)
class Named:
    """A name to be written in the reader's language."""

    names: Names

    def __str__(self) -> str:
        return next(iter(self.names.values()))


@dataclass(frozen=True, slots=True)
class Shown:
    """A value, or a difference between values, to be written as the reader's language does."""

    metric: Metric
    value: Value
    currency: str
    difference: bool = False

    def __str__(self) -> str:
        return str(write_value(self.metric, self.value))


LengthUnit = Literal["day", "week", "month", "year"]


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time to be written as the reader's language does: ``12 months``."""

    n: int
    unit: LengthUnit

    def __str__(self) -> str:
        return f"{self.n} {self.unit}"


@dataclass(frozen=True, slots=True)
class DayOfYear:
    """A day that comes every year, to be written as the reader's language does."""

    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"


def called(metric: Metric) -> Named | Message:
    """Return what a metric is called; of one that is added up over a group, that it is."""
    name = Named(metric.name)
    if isinstance(metric.source, OfGroup):
        return Message("%(metric)s (of the whole group)", metric=name)
    return name


def shown(policy: Policy, metric: Metric, value: Value, *, difference: bool = False) -> Shown:
    """Return a value of one of the policy's metrics, to be put into a sentence."""
    return Shown(metric, value, policy.currency, difference)


_WANTED = {
    Operator.AT_LEAST: N_("at least %(limit)s"),
    Operator.MORE_THAN: N_("more than %(limit)s"),
    Operator.AT_MOST: N_("at most %(limit)s"),
    Operator.LESS_THAN: N_("less than %(limit)s"),
    Operator.EQUAL: N_("exactly %(limit)s"),
    Operator.NOT_EQUAL: N_("anything but %(limit)s"),
    Operator.BETWEEN: N_("between %(limit)s and %(high)s"),
    Operator.ONE_OF: N_("one of %(limit)s"),
    Operator.NONE_OF: N_("none of %(limit)s"),
    Operator.IS: N_("%(limit)s"),
    Operator.IS_NOT: N_("not %(limit)s"),
    Operator.ON_OR_AFTER: N_("%(limit)s or later"),
    Operator.BEFORE: N_("earlier than %(limit)s"),
    Operator.IS_KNOWN: N_("a known value"),
    Operator.IS_NOT_KNOWN: N_("no known value"),
}


def wanted(policy: Policy, condition: Condition) -> Message:
    """Say what a condition asks for: ``at least £1,000``."""
    metric, limit = policy.metrics[condition.metric], condition.limit
    template = _WANTED[condition.operator]
    if limit is None:
        return Message(template)
    if not isinstance(limit, tuple):
        return Message(template, limit=shown(policy, metric, limit))
    values = tuple(shown(policy, metric, each) for each in limit)
    if condition.operator is Operator.BETWEEN:
        return Message(template, limit=values[0], high=values[1])
    return Message(template, limit=Listed(values, "or"))


def tier_given(policy: Policy, tier: str | None, missing: tuple[str, ...] = ()) -> Named | Message:
    """Name a tier by its key; None is an undetermined answer, for want of the missing metrics."""
    if tier is not None:
        return Named(policy.tier(tier).name)
    if not missing:
        return Message("an undetermined answer")
    return Message(
        "an undetermined answer, for want of %(metrics)s",
        metrics=Listed(tuple(called(policy.metrics[key]) for key in missing)),
    )
