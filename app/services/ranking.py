"""Everybody ranked for a date, before anybody is decided about for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Client, Subject
from app.models import Standing as StandingRow
from app.services.basis import read_standing
from app.services.history import Act
from app.services.jobs import due_on
from app.services.places import are_fixed, fix_places, has_ranks
from app.services.policies import PolicyInForce
from app.services.recorded import Known, measured
from app.services.rulebook import Rulebook
from rules.measure import CannotMeasure
from rules.policy import Facts
from rules.windows import local_day

_BATCH = 500


def rank_everybody(act: Act, rulebook: Rulebook, day: date) -> None:
    """Fix the places for a date, if the policy it is decided by has ranks and they are not fixed.

    :raises NoPolicy, PolicyUnusable: if there is nothing to rank by.
    """
    session, in_force = act.session, rulebook.in_force(act.session)
    zone = in_force.policy.time_zone
    if day < local_day(act.at, ZoneInfo(zone)):
        in_force = rulebook.at(session, due_on(day, zone)) or in_force
    if has_ranks(in_force.policy) and not are_fixed(session, in_force, day):
        fix_places(session, in_force, day, _population(session, in_force, day))


def _population(
    session: Session, in_force: PolicyInForce, day: date
) -> Iterator[tuple[int, Facts]]:
    """Yield all clients with their facts; whose cannot be measured have no place."""
    last = 0
    while bases := _next(session, last):
        known = Known(session, bases)
        for client, basis in bases.items():
            before = read_standing(basis) if basis is not None else None
            with suppress(CannotMeasure):
                recorded = known.on(in_force, client, day)
                yield client, measured(in_force.policy, recorded, day, before)
        last = max(bases)


def _next(session: Session, last: int) -> dict[int, Any]:
    """Return the next clients, none of them erased, and what their standings rest on."""
    rows = session.execute(
        select(Client.id, StandingRow.basis)
        .join(Subject, Subject.id == Client.subject)
        .outerjoin(StandingRow, StandingRow.client_id == Client.id)
        .where(Client.id > last)
        .order_by(Client.id)
        .limit(_BATCH)
    )
    return {client: basis for client, basis in rows}  # noqa: C416 - rows are tuples
