"""What is recorded of clients, and what their metrics come to by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Activity, AttributeValue, Client
from app.models import Standing as StandingRow
from app.services.evaluations import Stored
from rules import measure
from rules.facts import too_large, write_value
from rules.measure import CannotMeasure, Statement
from rules.policy import Facts, Policy
from rules.standing import Standing
from rules.vocabulary import MetricType, Value


def recorded_of(session: Session, client_ids: Sequence[int]) -> Mapping[int, measure.Client]:
    """Return what is recorded of clients, without what was taken out again."""
    statements: dict[int, dict[str, list[Statement]]] = defaultdict(dict)
    rows = session.execute(
        select(
            AttributeValue.client_id, AttributeValue.name, AttributeValue.day, AttributeValue.value
        )
        .where(AttributeValue.client_id.in_(client_ids))
        .order_by(AttributeValue.day, AttributeValue.id)
    )
    for client_id, name, day, value in rows:
        statements[client_id].setdefault(name, []).append(Statement(day, value))
    happened: dict[int, list[tuple[tuple[str, str], measure.Activity]]] = defaultdict(list)
    voided: set[tuple[str, str]] = set()
    rows = session.execute(
        select(
            Activity.client_id,
            Activity.source,
            Activity.external_id,
            Activity.voids,
            Activity.kind,
            Activity.day,
            Activity.amount,
            Activity.quantity,
            Activity.product,
            Activity.channel,
            Activity.attributes,
        )
        .where(Activity.client_id.in_(client_ids))
        .order_by(Activity.day, Activity.id)
    )
    for client_id, source, name, voids, *said, attributes in rows:
        if voids is not None:
            voided.add((source, voids))
        else:
            activity = measure.Activity(*said, attributes or {})  # type: ignore[call-arg]  # as the columns are
            happened[client_id].append(((source, name), activity))
    return {
        each: measure.Client(
            statements.get(each, {}),
            [activity for name, activity in happened.get(each, ()) if name not in voided],
        )
        for each in client_ids
    }


def measured(
    policy: Policy, client: measure.Client, day: date, before: Standing | None = None
) -> dict[str, Value]:
    """Return a client's facts on a business date.

    :param before: how they stood before it; None for who is new.
    :raises CannotMeasure: if what is recorded does not fit the policy.
    """
    facts = measure.measure(policy, client, day, standing=before)
    for problem in too_large(policy, facts):
        raise CannotMeasure(problem.path, problem.message)
    return facts


def stored(session: Session, references: Collection[str]) -> dict[str, Stored]:
    """Return, of those of these clients that there are, what is recorded and the tier held."""
    if not references:
        return {}
    rows = session.execute(
        select(Client.id, Client.reference, StandingRow.held)
        .outerjoin(StandingRow, StandingRow.client_id == Client.id)
        .where(Client.reference.in_(references))
    ).all()
    recorded = recorded_of(session, [each.id for each in rows])
    return {each.reference: Stored(recorded[each.id], each.held) for each in rows}


def packed(policy: Policy, facts: Facts) -> dict[str, object]:
    """Write facts so that they can be read again exactly; what lies between steps as n/d."""
    return {
        key: f"{value.numerator}/{value.denominator}"
        if isinstance(value, Fraction)
        else write_value(policy.metrics[key], value)
        if isinstance(value, date)
        else value
        for key, value in facts.items()
    }


def unpacked(policy: Policy, written: Mapping[str, Any]) -> dict[str, Value]:
    """Read what :func:`packed` wrote."""
    facts: dict[str, Value] = {}
    for key, value in written.items():
        match policy.metrics[key].type:
            case MetricType.DATE:
                facts[key] = date.fromisoformat(value)
            case MetricType.CHOICE:
                facts[key] = value
            case _:
                facts[key] = Fraction(value) if isinstance(value, str) else value
    return facts
