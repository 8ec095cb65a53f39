"""The one place where the time is read; everything else is given a clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from rules.windows import local_day

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the clock that is injected elsewhere


def business_date(clock: Clock, time_zone: str) -> date:
    """Return today's date where the company does its business."""
    return local_day(clock(), ZoneInfo(time_zone))
