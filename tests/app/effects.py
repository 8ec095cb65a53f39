"""Effects of drafts, worked out in tests as a worker does."""

from __future__ import annotations

from threading import Event
from typing import Any

from app.services import effect, estimating, jobs
from app.services.effect import Estimate
from rules.document import load
from rules.document.strict_json import loads
from tests.app.asking import EXAMPLE
from tests.app.company import Company
from tests.app.dealings import british, replacing
from tests.app.shelf import drafted
from tests.rules.builders import Document, metric


def begun(company: Company, number: int, by: str = "edith", **parts: Any) -> int:
    with company.merit.acting(company.actor(by)) as act:
        return effect.begin(act, number, **parts)


def work(company: Company, stop: Event | None = None) -> str:
    """Carry out the effect that is due; return in which state its job is left."""
    merit = company.merit
    lease = jobs.claim(merit.database, "one", company.clock(), [effect.KIND])
    assert lease is not None
    working = estimating.Working(merit.rulebook)
    left = jobs.carry_out(merit.database, merit.clock, lease, working, stop or Event())
    assert left.error is None, left.error
    return left.state


def estimate(company: Company, number: int) -> Estimate:
    with company.merit.database.reading() as session:
        return effect.estimate(session, number)


def worked_out(company: Company, content: Document, **parts: Any) -> Estimate:
    """Return the effect of a draft."""
    number = begun(company, drafted(company, content), **parts)
    assert work(company) == "finished"
    return estimate(company, number)


def of_nobody_measured(company: Company) -> Estimate:
    """Return the effect of a draft that measures money where examples/wholesale.json has texts."""
    former = load(loads(EXAMPLE.read_bytes())).tiers
    content = british(metric("vat", "money"), tiers=())
    return worked_out(company, replacing(content, **{each.key: "base" for each in former}))
