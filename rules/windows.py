"""Which days a window takes in on a business date, and months that clamp to their end.

A span is half-open: from its first day up to, not including, its ``end``; ``first`` is None for
a lifetime.  No span reaches past the business date, so that what is booked ahead counts from
its own day.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.policy import Between, Lifetime, Period, Previous, Rolling, Since, This, Window

DAY = timedelta(days=1)
_MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass(frozen=True, slots=True)
class Span:
    """The days from ``first`` (None: from the beginning) up to, not including, ``end``."""

    first: date | None
    end: date

    def __contains__(self, day: date) -> bool:
        return day < self.end and (self.first is None or self.first <= day)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the day an instant falls on in the company's time zone.

    :raises ValueError: for an instant without an offset, as nobody knows when that was, and for
        one at the calendar's very edge, whose local day lies beyond it.
    """
    if instant.utcoffset() is None:
        raise ValueError("an instant needs its offset from UTC")
    try:
        return instant.astimezone(zone).date()
    except OverflowError as error:
        raise ValueError("the local day lies beyond the calendar") from error


def add_months(day: date, months: int) -> date:
    """Return the same day ``months`` later (or earlier), or that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def span(window: Window, day: date) -> Span:
    """Return the days a window takes in on business date ``day``."""
    tomorrow = day + DAY
    match window:
        case Lifetime():
            return Span(None, tomorrow)
        case Rolling():
            return Span(_back(tomorrow, window, 1), tomorrow)
        case This():
            return Span(_period_start(window, day, 0), tomorrow)
        case Previous():
            return Span(_period_start(window, day, -window.n), _period_start(window, day, 0))
        case Between():
            return Span(window.first, max(window.first, min(window.last, day) + DAY))
        case Since():
            raise ValueError("a window since the standing began needs a standing")


def preceding(window: Rolling | This | Previous, day: date) -> Span:
    """Return the span just before a window's own.

    For a period that is still running it is the period before, cut at the same point of it, so
    that half a year is not compared with a whole one.
    """
    tomorrow = day + DAY
    match window:
        case Rolling():
            return Span(_back(tomorrow, window, 2), _back(tomorrow, window, 1))
        case Previous(n=n):
            return Span(_period_start(window, day, -2 * n), _period_start(window, day, -n))
        case This():
            before = whole_period_before(window, day)
            if tomorrow == _period_start(window, day, 1):
                return before
            return Span(before.first, add_months(tomorrow, -_MONTHS[window.unit]))


def whole_period_before(window: This, day: date) -> Span:
    """Return the whole calendar period before the one the business date lies in."""
    return Span(_period_start(window, day, -1), _period_start(window, day, 0))


def last_of_period(unit: Period, starts: tuple[int, int], day: date, further: int) -> date:
    """Return the last day of the calendar period a day lies in, or of a further one after it."""
    return _period_start(This(unit, starts), day, further + 1) - DAY


def last_day(window: Window, day: date) -> date | None:
    """Return the last day on which something can still be added to the window's present run.

    None where a window has no such day because it moves on every day.
    """
    match window:
        case This():
            return _period_start(window, day, 1) - DAY
        case Between():
            return window.last
        case _:
            return None


def _back(tomorrow: date, window: Rolling, times: int) -> date:
    n = window.n * times
    match window.unit:
        case "days":
            return tomorrow - n * DAY
        case "weeks":
            return tomorrow - 7 * n * DAY
        case "months":
            return add_months(tomorrow, -n)
        case "years":
            return add_months(tomorrow, -12 * n)


def _period_start(window: This | Previous, day: date, periods: int) -> date:
    """Return the first day of the period ``periods`` after the one ``day`` lies in.

    Every period is counted from the year's start, not from its neighbour, so that clamping at a
    short month does not shift the ones after it.
    """
    length = _MONTHS[window.unit]
    year_start = date(day.year, *window.starts)
    if day < year_start:
        year_start = date(day.year - 1, *window.starts)
    index = max(
        step for step in range(12 // length) if add_months(year_start, step * length) <= day
    )
    return add_months(year_start, (index + periods) * length)
