"""What awaits somebody who works here, and what is scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.models import (
    Approval,
    Job,
    Measure,
    Notice,
    Person,
    PolicyRevision,
    PolicyVersion,
    RoleGrant,
)
from app.services.authority import KNOWING, ROLES, Actor, Permission
from app.services.governance import authors
from app.services.naming import TierNames, job_said
from app.services.people import require
from app.services.portraits import ShownMeasure, shown_measures
from app.services.rulebook import Rulebook
from rules.messages import Message

MOST = 20
"""Of one kind; the page of that kind shows all."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for somebody; ``about`` is the kind of thing and how to find it."""

    sentence: Message
    about: tuple[str, str]
    since: datetime | date | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A version that comes into force by itself, at the instant that was set."""

    number: int
    at: datetime


def awaiting(session: Session, rulebook: Rulebook, actor: Actor, day: date) -> Sequence[Task]:
    """Return what waits for whoever acts, by what they may do now."""
    found = list[Task]()
    for permission, tasks in _TASKS.items():
        if actor.may(permission):
            person = require(session, actor, permission)
            found += tasks(_Desk(session, rulebook, actor, person, day))
    return list(dict.fromkeys(found))  # what is held waits for its authors and for approvers


def planned(session: Session) -> Sequence[Planned]:
    """Return what is scheduled, the earliest first."""
    rows = session.execute(
        select(PolicyVersion.id, PolicyVersion.scheduled_for)
        .where(PolicyVersion.state == "scheduled")
        .order_by(PolicyVersion.scheduled_for, PolicyVersion.id)
    )
    return [Planned(number, at) for number, at in rows if at is not None]


@dataclass(frozen=True, slots=True)
class _Desk:
    """Whose tasks are looked for, and on which day."""

    session: Session
    rulebook: Rulebook
    actor: Actor
    person: int
    day: date

    def versions(self, *wanted: ColumnElement[bool]) -> Sequence[PolicyVersion]:
        query = select(PolicyVersion).where(*wanted).order_by(PolicyVersion.id.desc())
        return self.session.execute(query.limit(MOST)).scalars().all()


def _drafts(desk: _Desk) -> Iterator[Task]:
    own = exists().where(
        PolicyRevision.version_id == PolicyVersion.id, PolicyRevision.person_id == desk.person
    )
    for each in desk.versions(PolicyVersion.state == "draft", own):
        sent_back = desk.session.execute(
            select(Approval.at)
            .where(Approval.version_id == each.id, Approval.verdict == "changes_requested")
            .order_by(Approval.id.desc())
        ).scalar()
        sentence = Message("Your version %(version)d is a draft.", version=each.id)
        if sent_back is not None:
            sentence = Message(
                "Changes were asked for to your version %(version)d.", version=each.id
            )
        yield Task(sentence, ("policy", str(each.id)), sent_back or each.created_at)
    for each in desk.versions(PolicyVersion.state == "held", own):
        yield _held(each)


def _held(version: PolicyVersion) -> Task:
    message = Message(
        "Version %(version)d was due and is held back: it does not pass any more.",
        version=version.id,
    )
    return Task(message, ("policy", str(version.id)))


def _reviews(desk: _Desk) -> Iterator[Task]:
    for each in desk.versions(PolicyVersion.state == "in_review"):
        if desk.person not in authors(desk.session, each.id):
            message = Message("Version %(version)d waits for a review.", version=each.id)
            yield Task(message, ("policy", str(each.id)), each.submitted_at)
    for each in desk.versions(PolicyVersion.state == "approved"):
        message = Message("Version %(version)d is approved and not scheduled.", version=each.id)
        yield Task(message, ("policy", str(each.id)))
    for each in desk.versions(PolicyVersion.state == "held"):
        yield _held(each)


def asked_measures(
    session: Session, rulebook: Rulebook, actor: Actor, day: date
) -> Sequence[ShownMeasure]:
    """Return the holds and overrides about which nobody has decided, by first day.

    :raises NotAllowed: to who may not know who asked for what, and why.
    """
    require(session, actor, *KNOWING)
    tiers = TierNames(session, rulebook)
    return shown_measures(session, actor, tiers, day, Measure.state == "asked")


def _measures(desk: _Desk) -> Iterator[Task]:
    waiting = asked_measures(desk.session, desk.rulebook, desk.actor, desk.day)
    for each in [one for one in waiting if "grant" in one.can][:MOST]:
        message = Message(
            "%(who)s asks for %(what)s for client %(client)s.",
            who=each.asked_by,
            what=each.what,
            client=each.client,
        )
        yield Task(message, ("measure", str(each.measure.id)), each.measure.asked_at)


def _letters(desk: _Desk) -> Iterator[Task]:
    number, oldest = desk.session.execute(
        select(func.count(), func.min(Notice.issued)).where(Notice.sent_at.is_(None))
    ).one()
    if number:
        message = Message("Letters to clients wait to be sent: %(number)d.", number=number)
        yield Task(message, ("notices", ""), oldest)


def _accounts(desk: _Desk) -> Iterator[Task]:
    rows = desk.session.execute(
        select(RoleGrant, Person)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(
            RoleGrant.granted_at.is_(None),
            RoleGrant.ended_at.is_(None),
            RoleGrant.asked_by != desk.person,
            RoleGrant.person_id != desk.person,
        )
        .order_by(RoleGrant.id)
        .limit(MOST)
    )
    for grant, person in rows:
        message = Message(
            "The role %(role)s is asked for %(person)s.",
            role=Message(ROLES[grant.role]),
            person=person.name,
        )
        yield Task(message, ("person", person.email), grant.asked_at)
    failed = select(Job).where(Job.state == "failed").order_by(Job.id.desc()).limit(MOST)
    for job in desk.session.execute(failed).scalars():
        message = Message("The service gave up on %(job)s.", job=job_said(job.key))
        yield Task(message, ("job", str(job.id)), job.finished_at)


_TASKS = {
    Permission.DRAFT_POLICY: _drafts,
    Permission.REVIEW_POLICY: _reviews,
    Permission.GRANT_MEASURE: _measures,
    Permission.SEND_NOTICES: _letters,
    Permission.MANAGE_ACCOUNTS: _accounts,
}
