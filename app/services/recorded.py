"""What is recorded of clients, and what their metrics come to by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Activity, AttributeValue, Client
from app.models import Standing as StandingRow
from app.services.basis import read_standing
from app.services.evaluations import Stored
from app.services.groups import Groups
from app.services.places import has_ranks, places_of
from app.services.policies import PolicyInForce
from rules import measure
from rules.facts import too_large, write_value
from rules.measure import CannotMeasure, Statement
from rules.policy import Facts, OfGroup, Policy
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


class Known:
    """What is recorded of clients; on a date, also of their groups, and their places.

    What a policy asks nothing of is not read.
    """

    def __init__(self, session: Session, client_ids: Collection[int]) -> None:
        self._session, self._ids = session, list(client_ids)
        self._recorded = dict(recorded_of(session, self._ids))
        self._places: dict[tuple[int, date], dict[int, dict[str, Fraction]]] = {}

    def on(self, with_policy: PolicyInForce, client_id: int, day: date) -> measure.Client:
        """Return what a policy measures a client by on a date."""
        client = self._recorded[client_id]
        if has_groups(with_policy.policy):
            client = self._groups.joined(client_id, self._recorded, day)
        if has_ranks(with_policy.policy):
            client = replace(client, ranks=self._places_on(with_policy, day).get(client_id, {}))
        return client

    @cached_property
    def _groups(self) -> Groups:
        groups = Groups.of(self._session, self._ids)
        others = [each for each in groups.members if each not in self._recorded]
        self._recorded |= recorded_of(self._session, others)
        return groups

    def _places_on(self, with_policy: PolicyInForce, day: date) -> dict[int, dict[str, Fraction]]:
        wanted = with_policy.number, day
        if wanted not in self._places:
            self._places[wanted] = places_of(self._session, self._ids, *wanted)
        return self._places[wanted]


def has_groups(policy: Policy) -> bool:
    """Tell whether a policy has a metric that is added up over a group."""
    return any(isinstance(each.source, OfGroup) for each in policy.metrics.values())


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


def stored(
    session: Session, with_policy: PolicyInForce, references: Collection[str]
) -> dict[str, Stored]:
    """Return, of those of these clients that there are, what is recorded, and how they stood.

    It is read while the session is open.
    """
    if not references:
        return {}
    rows = session.execute(
        select(Client.id, Client.reference, StandingRow.basis)
        .outerjoin(StandingRow, StandingRow.client_id == Client.id)
        .where(Client.reference.in_(references))
    ).all()
    known = Known(session, [each.id for each in rows])
    return {
        each.reference: Stored(
            partial(known.on, with_policy, each.id),
            None if each.basis is None else read_standing(each.basis),
        )
        for each in rows
    }


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
