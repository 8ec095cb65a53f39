"""Changes of standings as a decision makes them, to be told to receivers of web hooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from threading import Event

from sqlalchemy import select

from app.clock import Clock
from app.models import HookDelivery
from app.services import hooks
from app.services.authority import SYSTEM
from app.services.changes import Change
from app.services.courier import Courier
from app.services.hooks import NewSecret
from app.services.policies import PolicyInForce
from app.services.sending import Networks
from app.services.trial import trial_facts
from rules import standing
from rules.standing import Ground, Standing
from tests.app.company import Company

TODAY = date(2026, 7, 1)
INSIDE = Networks.parse("127.0.0.0/8, ::1/128")
AFTER_ALL = timedelta(hours=27)
"""Longer than between any two attempts."""


def in_force(company: Company) -> PolicyInForce:
    with company.merit.database.reading() as session:
        return company.merit.rulebook.in_force(session)


def change(
    policy: PolicyInForce,
    reference: str = "C-17",
    decision: str = "1",
    events: Sequence[standing.Event] | None = None,
) -> Change:
    """Return a client's promotion to gold by a decision, unless other events are given."""
    ground = Ground("gold", TODAY, date(2027, 6, 30), "earned")
    facts = next(trial_facts(policy.policy))
    promoted = standing.Event("promoted", TODAY, "gold", "silver")
    return Change(
        client_id=17,
        reference=reference,
        subject=reference.encode().hex()[:32].rjust(32, "0"),
        language=None,
        decision=decision,
        in_force=policy,
        day=TODAY,
        issued=TODAY,
        before=None,
        standing=Standing("gold", TODAY, TODAY, (ground,)),
        measures=(),
        events=(promoted,) if events is None else tuple(events),
        explained=policy.explainer.explain(facts, policy.judge.judge(facts), TODAY, "gold"),
    )


def announced(company: Company, changes: Iterable[Change]) -> int:
    with company.merit.acting(SYSTEM) as act:
        return hooks.announce(act, list(changes))


def added(company: Company, url: str) -> NewSecret:
    with company.merit.acting(company.actor("anna")) as act:
        return hooks.add_receiver(act, company.merit.secret, url)


def courier(company: Company, clock: Clock | None = None) -> Courier:
    merit = company.merit
    return Courier(merit.database, clock or merit.clock, merit.secret, INSIDE)


def delivered(company: Company, attempts: int = 1) -> None:
    """Send what is due, again and again, each time after the longest delay."""
    for each in range(attempts):
        if each:
            company.clock.now += AFTER_ALL
        courier(company).work_off(Event())


def deliveries(company: Company) -> list[HookDelivery]:
    with company.merit.database.reading() as session:
        return list(session.execute(select(HookDelivery).order_by(HookDelivery.id)).scalars())
