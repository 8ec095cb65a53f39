"""How long a ground holds that is earned on a day."""

from __future__ import annotations

from datetime import date

from rules.policy import Calendar, Fixed, Open, UntilAssessment, Validity
from rules.windows import DAY, add_months, last_of_period


def last_day(validity: Validity, day: date, next_look: date | None) -> date | None:
    """Return the last day of a ground earned on ``day``; None if it has none.

    :param next_look: the first assessment date after ``day``, if there is one.
    """
    match validity:
        case Open():
            return None
        case Fixed():
            return _fixed(validity, day)
        case Calendar(unit, further, plus_months, starts):
            after = last_of_period(unit, starts, day, further) + DAY
            return add_months(after, plus_months) - DAY
        case UntilAssessment():
            return None if next_look is None else next_look - DAY


def _fixed(validity: Fixed, day: date) -> date:
    end = day + validity.n * DAY if validity.unit == "days" else add_months(day, validity.n)
    if validity.to_month_end:
        return add_months(end.replace(day=1), 1) - DAY
    return end - DAY
