"""The demo company's life, from its founding two years ago to this morning.

Everything goes through the services, each step at the instant at which it is said to have
happened, one after the other, so that the history reads as if the company had been there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.merit import Merit
from app.models import Client, Installation, Standing
from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM, Actor, Role, Scope
from app.services.clients import Stated, put_client
from app.services.demo import documents
from app.services.demo.invention import DAYS, ZONE, invent
from app.services.errors import Invalid
from app.services.governance import draft, publish_due, review, save, schedule, submit
from app.services.history import Act
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
from app.services.standings import decide
from app.words import Words
from rules.document import Problem
from rules.windows import local_day

SEED, CLIENTS = 2026, 2000

_Item = TypeVar("_Item")

_PEOPLE = (
    (Role.ADMINISTRATOR, "ada", "Ada Applewright"),
    (Role.ADMINISTRATOR, "bela", "Bela Barleyson"),
    (Role.EDITOR, "cyra", "Cyra Cloudberry"),
    (Role.EDITOR, "danko", "Danko Dewfield"),
    (Role.APPROVER, "elmo", "Elmo Elderfen"),
    (Role.APPROVER, "fedra", "Fedra Fernwick"),
    (Role.AUDITOR, "gordo", "Gordo Gladebrook"),
    (Role.MANAGER, "hanka", "Hanka Hazelton"),
    (Role.MANAGER, "ivo", "Ivo Irisdale"),
    (Role.FRONT_DESK, "jola", "Jola Junipers"),
)
_FRONT_DESK = (
    Scope.STANDING_READ,
    Scope.POLICY_READ,
    Scope.EVALUATE_FACTS,
    Scope.EVALUATE_CLIENT,
)
_YEAR = timedelta(days=365)
_AT_ONCE = 100
_ACTIVITIES_AT_ONCE = 2000
_POLICY_EFFORT = 150
"""How many clients could be stated in the time that the steps of a policy take."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who can sign in; the password is shown once."""

    role: Role
    email: str
    password: str


@dataclass(slots=True)
class Demo:
    """What there is to try: accounts, and two keys, shown once."""

    accounts: list[Account] = field(default_factory=list)
    front_desk_key: str = ""
    integration_key: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at an instant; ``effort`` is how long it takes, in clients stated."""

    at: datetime
    effort: int
    do: Callable[[datetime], None]


class Filling:
    """A demo about to be filled into an empty database."""

    def __init__(self, merit: Merit, seed: int = SEED, clients: int = CLIENTS) -> None:
        """:param clients: how many, 20 at least: fewer would leave some kinds out."""
        self._merit = merit
        self._now = merit.clock()
        self._today = local_day(self._now, ZONE)
        self._invented = invent(seed, self._today, clients)
        self._demo = Demo()
        self._numbers: dict[str, tuple[int, str]] = {}
        self.steps = sorted(self._life(), key=lambda step: step.at)

    def fill(self, progress: Callable[[int], None]) -> Demo:
        """Let everything happen; ``progress`` is told each step's effort.

        :raises NotActionable: if the database is set up already.
        """
        for step in self.steps:
            step.do(step.at)
            progress(step.effort)
        return self._demo

    def _life(self) -> Iterator[Step]:
        founded = self._ago(DAYS, 8)
        yield Step(founded, 10, self._found)
        yield from self._months(founded)
        yield from self._policy("first", documents.first(), self._ago(DAYS - 10, 9))
        yield from self._policy("second", documents.second(), self._ago(395, 9))
        yield from self._policy("third", documents.third(), self._ago(100, 9), documents.in_force())
        yield from self._drafted("stricter", documents.stricter(), self._ago(6, 9))
        yield self._submitted("stricter", self._ago(1, 10), "Gold has grown too large.")
        yield from self._drafted("gentler", documents.gentler(), self._ago(2, 11))
        for days in (365, 183):
            yield Step(self._ago(days, 3), len(self._invented) // 2, self._decide_all)
        yield Step(self._now, 10, self._make_keys)
        yield Step(self._now, len(self._invented), self._decide_all)

    def _ago(self, days: int, hour: int) -> datetime:
        """Return an hour of a day, so many days ago."""
        day = self._today - timedelta(days=days)
        return datetime.combine(day, time(hour), ZONE)

    # -- people ----------------------------------------------------------------------------------

    def _found(self, at: datetime) -> None:
        installation = Installation(
            id=1, currency="EUR", time_zone=ZONE.key, language="en", demo=True, created_at=at
        )
        (role, *first), (_, *second), *others = _PEOPLE
        with self._merit.database.writing() as session:
            passwords = set_up(session, installation, _person(*first), _person(*second))
        for (name, _), password in zip((first, second), passwords, strict=True):
            self._demo.accounts.append(Account(role, _email(name), password))
        for role, name, full_name in others:
            with self._acting("ada", at) as act:
                password = add_person(act, _person(name, full_name))
                at_once = ask_role(act, _email(name), role, "Works here from the first day.")
            if not at_once:
                with self._acting("bela", at) as act:
                    grant_role(act, _email(name), role)
            self._demo.accounts.append(Account(role, _email(name), password))

    def _make_keys(self, at: datetime) -> None:
        with self._acting("ada", at) as act:
            front_desk = Terms("Front desk", _FRONT_DESK, _YEAR)
            everything = Terms("Integration", tuple(Scope), _YEAR)
            self._demo.front_desk_key = create_key(act, self._merit.secret, front_desk).text
            self._demo.integration_key = create_key(act, self._merit.secret, everything).text

    def _actor(self, name: str) -> Actor:
        with self._merit.database.reading() as session:
            return actor_for(session, find_person(session, _email(name)))

    def _acting(self, name: str, at: datetime) -> AbstractContextManager[Act]:
        return _acting(self._merit, self._actor(name), at)

    # -- policies --------------------------------------------------------------------------------

    def _policy(
        self,
        name: str,
        document: documents.Document,
        at: datetime,
        improved: documents.Document | None = None,
    ) -> Iterator[Step]:
        """Yield the steps by which a policy comes into force, three days after it is drafted.

        :param improved: what it becomes after a reviewer has asked for changes.
        """
        yield from self._drafted(name, document, at)
        hour, day = timedelta(hours=1), timedelta(days=1)
        yield self._submitted(name, at + hour, "As agreed with the managers.")
        if improved is not None:
            yield Step(at + 2 * hour, 1, partial(self._request_changes, name))
            yield Step(at + 3 * hour, 1, partial(self._improve, name, improved))
            yield self._submitted(name, at + 4 * hour, "The name says whom it is about.")
        yield Step(at + day, 1, partial(self._approve, name, at + 3 * day))
        yield Step(at + 3 * day, _POLICY_EFFORT, self._publish)

    def _drafted(self, name: str, document: documents.Document, at: datetime) -> Iterator[Step]:
        yield Step(at, 1, partial(self._draft, name, document))

    def _submitted(self, name: str, at: datetime, reason: str) -> Step:
        return Step(at, _POLICY_EFFORT, partial(self._submit, name, reason))

    def _draft(self, name: str, document: documents.Document, at: datetime) -> None:
        with self._acting("cyra", at) as act:
            self._numbers[name] = draft(act, document), ""

    def _submit(self, name: str, reason: str, at: datetime) -> None:
        number, _ = self._numbers[name]
        digest = submit(self._merit.database, self._actor("cyra"), number, reason, at)
        self._numbers[name] = number, digest

    def _request_changes(self, name: str, at: datetime) -> None:
        with self._acting("elmo", at) as act:
            comment = "The name of the policy should say whom it is about."
            review(act, *self._numbers[name], "changes_requested", comment)

    def _improve(self, name: str, document: documents.Document, at: datetime) -> None:
        number, _ = self._numbers[name]
        with self._acting("danko", at) as act:
            save(act, number, 1, document)

    def _approve(self, name: str, due: datetime, at: datetime) -> None:
        number, digest = self._numbers[name]
        with self._acting("fedra", at) as act:
            review(act, number, digest, "approved", "Read, tried on ten clients I know.")
            schedule(act, number, due, "From the beginning of that day's business.")

    def _publish(self, at: datetime) -> None:
        publish_due(self._merit.database, at)

    # -- clients ---------------------------------------------------------------------------------

    def _months(self, founded: datetime) -> Iterator[Step]:
        """Yield what is taken over every month: who is new or known better, and what happened."""
        instants = [founded + timedelta(hours=1)]
        day = local_day(founded, ZONE)
        while (day := (day.replace(day=1) + timedelta(days=32)).replace(day=1)) < self._today:
            instants.append(datetime.combine(day, time(2), ZONE))
        known = date.min
        for at in [*instants, self._now]:
            until = local_day(at, ZONE)
            yield from self._month(at, known, until)
            known = until

    def _month(self, at: datetime, first: date, until: date) -> Iterator[Step]:
        stated = [
            (each.reference, day, stated)
            for each in self._invented
            for day, stated in each.stated
            if first <= day < until
        ]
        happened = [
            activity
            for each in self._invented
            for activity in each.activities
            if first <= activity.day < until
        ]
        for some in _batches(stated, _AT_ONCE):
            yield Step(at, len(some), partial(self._state, some))
        for others in _batches(happened, _ACTIVITIES_AT_ONCE):
            yield Step(at, len(others) // 20, partial(self._record, others))

    def _state(self, stated: Sequence[tuple[str, date, Stated]], at: datetime) -> None:
        with _acting(self._merit, SYSTEM, at) as act:
            for reference, day, each in stated:
                put_client(act, reference, each, day)

    def _record(self, activities: Sequence[NewActivity], at: datetime) -> None:
        with _acting(self._merit, SYSTEM, at) as act:
            refused = record_activities(act, activities).refused
        if refused:
            raise Invalid(
                Problem(f"activities[{place}]", each.message) for place, each in refused.items()
            )

    def _decide_all(self, at: datetime) -> None:
        """Decide about everybody, as the nightly evaluation does."""
        with self._merit.database.reading() as session:
            ids = session.execute(select(Client.id).order_by(Client.id)).scalars().all()
        words = Words.negotiated(["en"])
        for some in _batches(ids, _AT_ONCE):
            with _acting(self._merit, SYSTEM, at) as act:
                decide(act, self._merit.rulebook, some, local_day(at, ZONE), words)


def tiers_held(session: Session) -> dict[str, int]:
    """Return how many clients hold each tier that anybody holds."""
    found = session.execute(
        select(Standing.tier, func.count()).group_by(Standing.tier).order_by(func.count().desc())
    )
    return {tier: number for tier, number in found}  # noqa: C416 - rows are tuples


def _person(name: str, full_name: str) -> NewPerson:
    return NewPerson(_email(name), full_name)


def _email(name: str) -> str:
    return f"{name}@linden.example"


@contextmanager
def _acting(merit: Merit, actor: Actor, at: datetime) -> Iterator[Act]:
    """Open the transaction of one use case, as if it were another time."""
    with merit.database.writing() as session:
        yield Act(session, actor, at)


def _batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
