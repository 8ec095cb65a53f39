"""How many clients the policy in force gives which tier, with nothing recorded."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Client
from app.models import Standing as StandingRow
from app.services.basis import read_standing
from app.services.policies import PolicyInForce
from app.services.recorded import Known, measured
from app.services.rulebook import Rulebook
from rules.engine import EngineFailure
from rules.judge import Disagreement
from rules.measure import CannotMeasure
from rules.messages import Message


def tiers_on(
    session: Session, rulebook: Rulebook, day: date, progress: Any = lambda _: None
) -> tuple[PolicyInForce, dict[str, int], dict[str, Message]]:
    """Count what tiers all clients' facts give on a business date, by the policy in force.

    Nothing is recorded.  ``None`` counts the undetermined; the messages say, by reference, of
    whom no tier could be named.
    """
    in_force = rulebook.in_force(session)
    keys = [tier.key for tier in in_force.policy.tiers]
    counts: dict[str, int] = {**dict.fromkeys(reversed(keys), 0)}
    failed: dict[str, Message] = {}
    last = 0
    while True:
        clients = session.execute(
            select(Client.id, Client.reference, StandingRow.basis)
            .outerjoin(StandingRow, StandingRow.client_id == Client.id)
            .where(Client.id > last)
            .order_by(Client.id)
            .limit(1000)
        ).all()
        if not clients:
            return in_force, counts, failed
        known = Known(session, [each.id for each in clients])
        for client in clients:
            try:
                before = None if client.basis is None else read_standing(client.basis)
                recorded = known.on(in_force, client.id, day)
                facts = measured(in_force.policy, recorded, day, before)
                verdict = in_force.judge.judge(facts)
            except (CannotMeasure, EngineFailure, Disagreement) as error:
                failed[client.reference] = error.message
                continue
            key = UNDETERMINED if verdict.open_tiers else keys[verdict.tier]
            counts[key] = counts.get(key, 0) + 1
        last = clients[-1].id
        progress(len(clients))


UNDETERMINED = "undetermined"


def number_of_clients(session: Session) -> int:
    """Return how many clients there are."""
    return session.execute(select(func.count()).select_from(Client)).scalar_one()
