"""The days on which a policy looks, where it does not look every day."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from rules.policy import Anniversary, Assessment, Monthly, YearDays
from rules.windows import DAY, add_months


def looks_on(assessment: Assessment, day: date, since: date | None) -> bool:
    """Tell whether a policy looks on a day.

    :param since: what anniversaries are counted from; without it there are none.
    """
    return next_look(assessment, day - DAY, since) == day


def next_look(assessment: Assessment, day: date, since: date | None) -> date | None:
    """Return the first day after ``day`` on which a policy looks; None if it never does."""
    return next((found for found in _looks(assessment, day, since) if found > day), None)


def _looks(assessment: Assessment, day: date, since: date | None) -> Iterator[date]:
    """Yield days on which a policy looks, in order, from before ``day`` until after it."""
    match assessment:
        case YearDays(days):
            for year in (day.year, day.year + 1):
                yield from (date(year, *each) for each in sorted(days))
        case Monthly(wanted):
            for months in (0, 1):
                first = add_months(day.replace(day=1), months)
                yield first.replace(day=min(wanted, monthrange(first.year, first.month)[1]))
        case Anniversary(every) if since is not None:
            step = 12 if every == "year" else 1
            passed = 12 * (day.year - since.year) + day.month - since.month
            times = max(1, passed // step)
            yield from (add_months(since, step * each) for each in (times, times + 1))
        case _:
            return
