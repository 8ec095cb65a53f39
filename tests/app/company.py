"""A company under test: an installation with a fixed cast, a policy in force, and a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.cli.installation import migrate
from app.config import Config
from app.merit import Merit
from app.models import Installation
from app.services.authority import Actor, Role, Scope
from app.services.governance import draft, publish_due, review, schedule, submit
from app.services.keys import Terms, create_key
from app.services.people import (
    NewPerson,
    actor_for,
    add_person,
    ask_role,
    find_person,
    grant_role,
    set_up,
)
from tests.databases import Place, copy, empty

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)

CAST = {
    "anna": Role.ADMINISTRATOR,
    "ben": Role.ADMINISTRATOR,
    "edith": Role.EDITOR,
    "emil": Role.EDITOR,
    "paul": Role.APPROVER,
    "petra": Role.APPROVER,
    "olga": Role.AUDITOR,
    "max": Role.MANAGER,
}
"""Who works at the company, and what they do; their addresses are NAME@example.com."""


class SetClock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Company:
    """An installation, its clock, the passwords of its people, and a key with every scope."""

    merit: Merit
    clock: SetClock
    place: Place
    passwords: dict[str, str]
    key: str = ""

    def actor(self, name: str) -> Actor:
        """Return one of the cast as they are now."""
        with self.merit.database.reading() as session:
            return actor_for(session, find_person(session, email(name)))

    def publish(self, document: dict[str, Any]) -> int:
        """Bring a policy into force as people do: edith writes it, paul approves."""
        edith, paul = self.actor("edith"), self.actor("paul")
        with self.merit.acting(edith) as act:
            number = draft(act, document)
        digest = submit(self.merit.database, edith, number, "First version.", self.clock())
        with self.merit.acting(paul) as act:
            review(act, number, digest, "approved", "Read and tried.")
            schedule(act, number, self.clock(), "At once.")
        [published] = publish_due(self.merit.database, self.clock())
        assert published.number == number, published
        assert not published.problems, published
        return number


def email(name: str) -> str:
    return f"{name}@example.com"


def founded(
    place: Place,
    secret: Path,
    currency: str = "GBP",
    time_zone: str = "Europe/London",
    *,
    demo: bool = False,
) -> Company:
    """Found a company in an empty database, with its cast and a key, without a policy."""
    clock = SetClock()
    merit = Merit(Config(place.service, place.owner, secret), clock)
    merit.secret.ensure()
    migrate(merit)
    installation = Installation(
        id=1, currency=currency, time_zone=time_zone, language="en", demo=demo, created_at=NOW
    )
    first, second = (NewPerson(email(name), name.title()) for name in ("anna", "ben"))
    with merit.database.writing() as session:
        passwords = dict(
            zip(("anna", "ben"), set_up(session, installation, first, second), strict=True)
        )
    company = Company(merit, clock, place, passwords)
    anna, ben = company.actor("anna"), company.actor("ben")
    for name, role in CAST.items():
        if name not in passwords:
            with merit.acting(anna) as act:
                passwords[name] = add_person(act, NewPerson(email(name), name.title()))
                at_once = ask_role(act, email(name), role, "Hired.")
            if not at_once:
                with merit.acting(ben) as act:
                    grant_role(act, email(name), role)
    with merit.acting(anna) as act:
        terms = Terms("everything", list(Scope), timedelta(days=365))
        key = create_key(act, merit.secret, terms)
    return replace(company, key=key.text)


def reopened(company: Company, place: Place) -> Company:
    """Return the same company in a copy of its database, with a clock of its own."""
    clock = SetClock(company.clock.now)
    merit = Merit(Config(place.service, place.owner, company.merit.config.secret_file), clock)
    return replace(company, merit=merit, clock=clock, place=place)


@contextmanager
def branch(company: Company, folder: Path) -> Iterator[Company]:
    """Give a copy of a company that nobody works with, and close it afterwards."""
    with copy(company.place, folder) as place:
        found = reopened(company, place)
        try:
            yield found
        finally:
            close(found)


def close(company: Company) -> None:
    company.merit.database.close()
    company.merit.owner.close()


@contextmanager
def company_in(kind: str, folder: Path, **fixed: Any) -> Iterator[Company]:
    """Found a company in a new database of a kind."""
    with empty(kind, folder) as place:
        company = founded(place, folder / "secret", **fixed)
        try:
            yield company
        finally:
            close(company)
