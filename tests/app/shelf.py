"""A company with a version of the policy in every state, each brought there as people do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

from sqlalchemy import select, text

from app.models import Approval, HistoryEntry, PolicyRevision, PolicyVersion
from app.services.governance import (
    State,
    Verdict,
    draft,
    publish_due,
    review,
    save,
    schedule,
    submit,
    withdraw,
)
from rules.document.strict_json import loads
from tests.app.company import NOW, Company
from tests.rules.builders import Document, condition, metric, policy_document, tier

STATES: tuple[State, ...] = get_args(State)
TOMORROW = NOW + timedelta(days=1)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def document(limit: int = 1000, **parts: Any) -> Document:
    """Return a small policy of the company's: silver from this revenue on."""
    made = policy_document(
        metrics=[metric("spend", "money")],
        tiers=[tier("silver", entry=condition("spend", "at_least", limit))],
    )
    return {**made, "currency": "GBP", "time_zone": "Europe/London", **parts}


def drafted(company: Company, content: Document | None = None, by: str = "edith") -> int:
    with company.merit.acting(company.actor(by)) as act:
        return draft(act, document() if content is None else content)


def saved(company: Company, number: int, content: Document, revision: int, by: str = "emil") -> int:
    with company.merit.acting(company.actor(by)) as act:
        return save(act, number, revision, content)


def submitted(company: Company, content: Document | None = None, by: str = "edith") -> int:
    number = drafted(company, content, by)
    submit(company.merit.database, company.actor(by), number, "Because.", company.clock())
    return number


def reviewed(
    company: Company,
    number: int,
    verdict: Verdict = "approved",
    by: str = "paul",
    digest: str | None = None,
) -> None:
    seen = digest or version(company, number).digest or ""
    with company.merit.acting(company.actor(by)) as act:
        review(act, number, seen, verdict, f"It is {verdict}.")


def approved(company: Company, content: Document | None = None) -> int:
    number = submitted(company, content)
    reviewed(company, number)
    return number


def scheduled(company: Company, number: int, after: timedelta = timedelta(0)) -> None:
    with company.merit.acting(company.actor("petra")) as act:
        schedule(act, number, company.clock() + after, "When it is due.")


def withdrawn(company: Company, number: int) -> None:
    with company.merit.acting(company.actor("edith")) as act:
        withdraw(act, number, "Not needed.")


def held(company: Company, number: int) -> None:
    """Hold an approved version: on the day it is due it is in another currency."""
    scheduled(company, number)
    by_hand(company, "UPDATE installation SET currency = 'EUR'")
    [found] = publish_due(company.merit.database, company.clock())
    assert found.problems
    by_hand(company, "UPDATE installation SET currency = 'GBP'")


def by_hand(company: Company, statement: str, **values: object) -> None:
    """Do something behind the service's back, as the owner of the tables."""
    with company.merit.owner.writing() as session:
        session.execute(text(statement), values)


def stocked(company: Company) -> dict[State, int]:
    """Bring a version into every state; return their numbers."""
    numbers: dict[State, int] = {}
    for limit in (1000, 2000):
        numbers["superseded" if limit == 1000 else "in_force"] = company.publish(document(limit))
    numbers["draft"] = drafted(company, document(3000))
    numbers["in_review"] = submitted(company, document(4000))
    numbers["approved"] = approved(company, document(5000))
    numbers["rejected"] = submitted(company, document(6000))
    reviewed(company, numbers["rejected"], "rejected")
    numbers["withdrawn"] = drafted(company, document(7000))
    withdrawn(company, numbers["withdrawn"])
    numbers["held"] = approved(company, document(8000))
    held(company, numbers["held"])
    numbers["scheduled"] = approved(company, document(9000))
    scheduled(company, numbers["scheduled"], timedelta(days=1))
    return numbers


def version(company: Company, number: int) -> PolicyVersion:
    with company.merit.database.reading() as session:
        return session.execute(select(PolicyVersion).where(PolicyVersion.id == number)).scalar_one()


def states(company: Company) -> dict[int, str]:
    with company.merit.database.reading() as session:
        return {each.id: each.state for each in session.execute(select(PolicyVersion)).scalars()}


def everything(company: Company) -> list[list[tuple[Any, ...]]]:
    """Return all that the database says of the policy, and the history."""
    with company.merit.database.reading() as session:
        return [
            [tuple(row) for row in session.execute(select(*each.__table__.columns)).all()]
            for each in (PolicyVersion, PolicyRevision, Approval, HistoryEntry)
        ]


def told(company: Company, number: int) -> list[dict[str, Any]]:
    """Return the history of a version, leaf by leaf."""
    with company.merit.database.reading() as session:
        leaves = session.execute(
            select(HistoryEntry.leaf)
            .where(HistoryEntry.object == f"policy:{number}")
            .order_by(HistoryEntry.sequence)
        ).scalars()
        return [loads(leaf) for leaf in leaves]  # type: ignore[misc]  # each is an object


def verbs(company: Company, number: int) -> list[str]:
    return [each["verb"].removeprefix("policy.") for each in told(company, number)]


Verb = Callable[[Company, int], object]

VERBS: dict[str, Verb] = {
    "saved": lambda company, number: saved(
        company, number, document(1), version(company, number).revision
    ),
    "submitted": lambda company, number: submit(
        company.merit.database, company.actor("edith"), number, "Because.", company.clock()
    ),
    "approved": lambda company, number: reviewed(company, number, "approved"),
    "changes_requested": lambda company, number: reviewed(company, number, "changes_requested"),
    "rejected": lambda company, number: reviewed(company, number, "rejected"),
    "scheduled": scheduled,
    "withdrawn": withdrawn,
}
"""What people do with a version, by somebody who may."""
