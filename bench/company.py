"""A company to measure: founded in SQLite, with a policy in force and a key for everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.cli.installation import migrate
from app.clock import Clock, system_clock
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
from rules.document.strict_json import loads

WHOLESALE = Path(__file__).parents[1] / "examples" / "wholesale.json"


@dataclass(frozen=True, slots=True)
class Founded:
    """What was founded, and a key that may do everything as often as it likes."""

    merit: Merit
    key: str


def found(folder: Path, document: object = None, clock: Clock = system_clock) -> Founded:
    """Found a company in a new SQLite file and bring a policy into force, as people do."""
    merit = Merit(Config(f"sqlite:///{folder / 'merit.db'}", None, folder / "secret"), clock)
    merit.secret.ensure()
    migrate(merit)
    document = document or loads(WHOLESALE.read_bytes())
    assert isinstance(document, dict)
    people = [NewPerson(f"{name}@example.com", name) for name in ("anna", "ben", "edith", "paul")]
    with merit.database.writing() as session:
        fixed = Installation(
            id=1,
            currency=document["currency"],
            time_zone=document["time_zone"],
            language="en",
            demo=False,
            created_at=merit.clock(),
        )
        set_up(session, fixed, people[0], people[1])

    def actor(person: NewPerson) -> Actor:
        with merit.database.reading() as session:
            return actor_for(session, find_person(session, person.email))

    for person, role in zip(people[2:], (Role.EDITOR, Role.APPROVER), strict=True):
        with merit.acting(actor(people[0])) as act:
            add_person(act, person)
            ask_role(act, person.email, role, "Hired.")
        with merit.acting(actor(people[1])) as act:
            grant_role(act, person.email, role)
    editor, approver = actor(people[2]), actor(people[3])
    with merit.acting(editor) as act:
        number = draft(act, document)
    digest = submit(merit.database, editor, number, "First version.", merit.clock())
    with merit.acting(approver) as act:
        review(act, number, digest, "approved", "Read.")
        schedule(act, number, act.at, "At once.")
    publish_due(merit.database, merit.clock())
    with merit.acting(actor(people[0])) as act:
        terms = Terms("bench", list(Scope), timedelta(days=365), per_minute=10**9)
        return Founded(merit, create_key(act, merit.secret, terms).text)
