"""Instants as people write them: local time where the company does its business."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.services.errors import Invalid
from rules.document import Problem
from rules.messages import Message


class NotOnce(Invalid):
    """Local clocks show a time never or twice; ``choices`` are the instants it could stand for.

    Each is written as :func:`read_instant` takes it.
    """

    def __init__(self, problem: Problem, choices: tuple[str, str], *, is_twice: bool) -> None:
        self.choices, self.is_twice = choices, is_twice
        super().__init__([problem])


def read_instant(field: str, text: str, time_zone: str) -> datetime:
    """Return the instant of a local date and time, such as ``2026-10-01T09:00``.

    With an offset (``2026-10-01T09:00+02:00``) it is that instant, whatever local clocks show.

    :raises Invalid: if it cannot be read.
    :raises NotOnce: if local clocks show it never or twice; it says what to write instead.
    """
    zone = ZoneInfo(time_zone)
    try:
        written = datetime.fromisoformat(text)
        if written.utcoffset() is not None:
            return written.astimezone(UTC)
        first, second = (written.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError) as error:
        message = Message("must be a date and time such as 2026-10-01T09:00")
        raise Invalid([Problem(field, message)]) from error
    if first == second:
        return first
    # Local clocks are put forward or back around it: said in order, with their offsets.
    earlier, later = (each.astimezone(zone).isoformat() for each in sorted((first, second)))
    is_twice = first.astimezone(zone).replace(tzinfo=None) == written
    if is_twice:
        message = Message(
            "comes twice in %(zone)s: write %(earlier)s or %(later)s",
            zone=time_zone,
            earlier=earlier,
            later=later,
        )
    else:
        message = Message(
            "never comes in %(zone)s: write %(earlier)s or %(later)s",
            zone=time_zone,
            earlier=earlier,
            later=later,
        )
    raise NotOnce(Problem(field, message), (earlier, later), is_twice=is_twice)
