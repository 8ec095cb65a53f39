"""On which day an answer may become another, with nothing new recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rules.measure import Client
from rules.policy import (
    Activities,
    Attribute,
    AttributeHistory,
    DaysSince,
    Metric,
    OfStanding,
    Policy,
    Previous,
    Rank,
    Rolling,
    Since,
    This,
)
from rules.windows import DAY, last_day

_MOVING = (Rolling, This, Previous, Since)


def next_due(policy: Policy, client: Client, day: date) -> date | None:
    """Return the first day after ``day`` on which the client's answer could be another.

    None: as long as nothing is recorded and the policy stays.  Windows that move do so every
    day, so wherever a metric has one and there is anything to measure it is tomorrow; else the
    day of what is recorded ahead, or on which a period begins: answers tell until when what is
    missing still counts.  A standing grows older, and a rank is fixed anew, every day, whatever is
    recorded; what is recorded of the other members of a group counts as the client's own.
    """
    if any(isinstance(each.source, OfStanding | Rank) for each in policy.metrics.values()):
        return day + DAY
    days = [*_days_of(client)]
    for other in client.group.others if client.group else ():
        days += _days_of(other)
    ahead = [each for each in days if each > day]
    if len(ahead) < len(days) and any(map(_moves, policy.metrics.values())):
        return day + DAY
    return min([*ahead, *_beginnings(policy, day)], default=None)


def _days_of(client: Client) -> Iterator[date]:
    """Yield the day of everything that is recorded of a client."""
    yield from (each.day for each in client.activities)
    for history in client.statements.values():
        yield from (each.day for each in history)


def _beginnings(policy: Policy, day: date) -> Iterator[date]:
    """Yield when the next of each period begins that a metric measures this one of."""
    for metric in policy.metrics.values():
        match metric.source:
            case Activities(window=This() as window) | AttributeHistory(window=This() as window):
                last = last_day(window, day)
                if last is not None:
                    yield last + DAY


def _moves(metric: Metric) -> bool:
    match metric.source:
        case Activities(aggregate="days_since_last") | DaysSince() | AttributeHistory():
            return True
        case Activities(window=window):
            return isinstance(window, _MOVING)
        case Attribute(good_for_days=days):
            return days is not None
        case _:
            return False
