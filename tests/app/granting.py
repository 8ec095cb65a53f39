"""Holds and overrides as the people of a company ask for, grant and end them in tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import delete, select

from app.models import Client, Measure, Subject
from app.services import measures
from app.services.authority import Actor
from app.services.clients import Stated, put_client
from rules import standing
from tests.app.company import Company

TODAY, END = date(2026, 7, 1), date(2026, 7, 31)
HOLD = standing.Measure("hold", TODAY, END)
GOLD = standing.Measure("exact", TODAY, END, "gold")


def client(company: Company, reference: str = "C-17") -> int:
    """Return the id of a client, who is there from now on."""
    with company.merit.acting(Actor("key:till")) as act:
        found, _ = put_client(act, reference, Stated("Maria"), TODAY)
        return found.id


def asked(
    company: Company, wanted: standing.Measure = HOLD, reference: str = "C-17", by: str = "max"
) -> int:
    with company.merit.acting(company.actor(by)) as act:
        return measures.ask(act, company.merit.rulebook, reference, wanted, "A flood.")


def granted(company: Company, number: int, by: str = "paul") -> None:
    with company.merit.acting(company.actor(by)) as act:
        measures.grant(act, company.merit.rulebook, number, "It was on the news.")


def refused(company: Company, number: int, by: str = "paul") -> None:
    with company.merit.acting(company.actor(by)) as act:
        measures.refuse(act, number, "Everybody is wet.")


def withdrawn(company: Company, number: int, by: str = "max") -> None:
    with company.merit.acting(company.actor(by)) as act:
        measures.withdraw(act, number, "It dried up.")


def ended(company: Company, number: int, by: str = "paul") -> None:
    with company.merit.acting(company.actor(by)) as act:
        measures.end(act, number, "It is over.")


def given(company: Company, wanted: standing.Measure = HOLD, reference: str = "C-17") -> int:
    """Have something asked for and granted; return its number."""
    number = asked(company, wanted, reference)
    granted(company, number)
    return number


def measure(company: Company, number: int) -> Measure:
    with company.merit.database.reading() as session:
        return session.get_one(Measure, number)


def erase(company: Company, reference: str = "C-17") -> None:
    """Delete a client's key: nothing can be read of them any more."""
    with company.merit.owner.writing() as session:
        its = select(Client.subject).where(Client.reference == reference)
        session.execute(delete(Subject).where(Subject.id.in_(its)))


def every_phase(company: Company) -> dict[str, int]:
    """Bring a measure of C-17 into every phase as of 2 July; return their numbers."""
    client(company)
    later = standing.Measure("floor", date(2026, 8, 1), date(2026, 8, 31), "silver")
    numbers: dict[str, Any] = {
        "over": given(company, standing.Measure("ceiling", TODAY, TODAY, "silver")),
        "in_force": given(company),
        "granted": given(company, later),
        "refused": asked(company, GOLD),
        "withdrawn": asked(company, GOLD),
        "asked": asked(company, GOLD, by="edith"),
        "ended": given(company, standing.Measure("floor", TODAY, END, "gold")),
    }
    refused(company, numbers["refused"])
    withdrawn(company, numbers["withdrawn"])
    company.clock.advance(days=1)
    ended(company, numbers["ended"])
    return numbers
