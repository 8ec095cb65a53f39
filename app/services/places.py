"""The place of each client among all: fixed by each review, and good until the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from fractions import Fraction

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from app.models import FixedPlace
from app.services.policies import PolicyInForce
from app.services.rows import among, insert_rows
from rules.policy import Facts, Policy, Rank
from rules.rank import ranks
from rules.windows import DAY

KEPT = 40
"""Days for which places are kept: longer than missed dates are caught up with."""


def has_ranks(policy: Policy) -> bool:
    """Tell whether a policy has a metric that is a rank."""
    return any(isinstance(each.source, Rank) for each in policy.metrics.values())


def are_fixed(session: Session, in_force: PolicyInForce, day: date) -> bool:
    """Tell whether the places for a date have been fixed under a policy."""
    fixed = exists().where(FixedPlace.day == day, FixedPlace.policy_version == in_force.number)
    return bool(session.execute(select(fixed)).scalar_one())


def fix_places(
    session: Session, in_force: PolicyInForce, day: date, population: Iterable[tuple[int, Facts]]
) -> None:
    """Fix everybody's places for a date, those fixed for it before replaced.

    :param population: all clients by their ids, and what they are ranked by.
    """
    number = in_force.number
    session.execute(
        delete(FixedPlace).where(
            (FixedPlace.day < day - KEPT * DAY)
            | ((FixedPlace.day == day) & (FixedPlace.policy_version == number))
        )
    )
    rows = (
        (client, number, metric, day, place.numerator, place.denominator)
        for metric, places in ranks(in_force.policy, population).items()
        for client, place in places.items()
    )
    insert_rows(session, FixedPlace, _COLUMNS, rows)


_COLUMNS = ("client_id", "policy_version", "metric", "day", "over", "under")


def places_of(
    session: Session, client_ids: Collection[int], policy_version: int, day: date
) -> dict[int, dict[str, Fraction]]:
    """Return the places of clients by the last review on or before a day, by metric.

    Who has none by that one has none, whatever the one before said.
    """
    last = (
        select(func.max(FixedPlace.day))
        .where(FixedPlace.policy_version == policy_version, FixedPlace.day <= day)
        .scalar_subquery()
    )
    rows = session.execute(
        select(FixedPlace.client_id, FixedPlace.metric, FixedPlace.over, FixedPlace.under).where(
            among(session, FixedPlace.client_id, client_ids),
            FixedPlace.policy_version == policy_version,
            FixedPlace.day == last,
        )
    )
    found: dict[int, dict[str, Fraction]] = defaultdict(dict)
    for client, metric, over, under in rows:
        found[client][metric] = Fraction(over, under)
    return dict(found)
