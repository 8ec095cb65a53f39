"""How a policy comes into force: drafted by some, approved by others, by one gate.

Every transition is a row of :data:`_TRANSITIONS` and goes through :func:`_move`, which takes it
only from the states named there; whoever comes second finds it taken.  What is submitted is
checked — validity, examples, the trial on the engine — and checked again when it falls due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import CursorResult, exists, select, update
from sqlalchemy.orm import Session, aliased

from app.database import Database
from app.models import Approval, PolicyRevision, PolicyVersion
from app.services.authority import SYSTEM, Actor, Permission
from app.services.errors import Conflict, Invalid, NotActionable, NotAllowed, NotThere, Stale
from app.services.history import Act, Entry, record
from app.services.installation import Fixed, fixed, lock
from app.services.people import require
from app.services.policies import LARGEST_DOCUMENT, ExamplesFail, PolicyInForce, prepare
from app.services.texts import require_reason
from app.services.trial import TrialFailed
from rules.document import DocumentInvalid, Problem, load
from rules.document.strict_json import JsonRefused, canonical_bytes, digest, loads
from rules.engine import EngineFailure
from rules.messages import N_, Listed, Message
from rules.policy import Policy
from rules.transition import tiers_left_out

State = Literal[
    "draft",
    "in_review",
    "approved",
    "scheduled",
    "in_force",
    "superseded",
    "rejected",
    "withdrawn",
    "held",
]

STATES: dict[str, str] = {
    "draft": N_("a draft"),
    "in_review": N_("in review"),
    "approved": N_("approved"),
    "scheduled": N_("scheduled"),
    "in_force": N_("in force"),
    "superseded": N_("superseded"),
    "rejected": N_("rejected"),
    "withdrawn": N_("withdrawn"),
    "held": N_("held"),
}
"""How each state is said: the version is …"""

_TRANSITIONS: dict[str, tuple[tuple[State, ...], State]] = {
    "saved": (("draft",), "draft"),
    "submitted": (("draft",), "in_review"),
    "changes_requested": (("in_review",), "draft"),
    "rejected": (("in_review",), "rejected"),
    "approved": (("in_review",), "approved"),
    "scheduled": (("approved", "held"), "scheduled"),
    "published": (("scheduled",), "in_force"),
    "held": (("scheduled",), "held"),
    "superseded": (("in_force",), "superseded"),
    "withdrawn": (("draft", "in_review", "approved", "scheduled", "held"), "withdrawn"),
}
"""By what was done: from which states, to which."""


def draft(act: Act, document: dict[str, Any], based_on: int | None = None) -> int:
    """Begin a new version and return its number.

    :raises Invalid: if the document is too large.
    """
    person = require(act.session, act.actor, Permission.DRAFT_POLICY)
    _require_size(document)
    if based_on is not None:
        version_named(act.session, based_on)
    version = PolicyVersion(
        state="draft",
        document=document,
        revision=1,
        based_on=based_on,
        created_by=person,
        created_at=act.at,
    )
    act.session.add(version)
    act.session.flush()
    _keep_revision(act, version.id, 1, document)
    details = {"revision": 1, "digest": digest(document), "based_on": based_on}
    record(act, Entry("policy.drafted", f"policy:{version.id}", details))
    return version.id


def save(
    act: Act, number: int, revision: int, document: dict[str, Any], undoes: int | None = None
) -> int:
    """Save a draft over the revision that its editor began from; return the new revision.

    :param undoes: the revision that this one takes back, if that is what it does.
    :raises Stale: if somebody has saved another since.
    :raises Conflict: if nothing is different.
    """
    require(act.session, act.actor, Permission.DRAFT_POLICY)
    _require_size(document)
    version = draft_taken(act.session, number)
    if version.revision != revision:
        raise Stale(
            "Somebody has saved version %(number)d since you began from revision %(revision)d.",
            number=number,
            revision=revision,
        )
    if digest(version.document) == digest(document):
        raise Conflict("Nothing is different from what is saved already.")
    _move(act.session, version, "saved", document=document, revision=revision + 1)
    _keep_revision(act, number, revision + 1, document, undoes)
    details = {"revision": revision + 1, "digest": digest(document)}
    details |= {} if undoes is None else {"undoes": undoes}
    record(act, Entry("policy.saved", f"policy:{number}", details))
    return revision + 1


def draft_taken(session: Session, number: int) -> PolicyVersion:
    """Return a draft that nobody else changes before this transaction is over.

    :raises NotThere: if there is no version of this number.
    :raises NotActionable: if it is no draft.
    """
    version = _taken(session, number)
    require_state(version, "saved")
    return version


def submit(database: Database, actor: Actor, number: int, reason: str, now: datetime) -> str:
    """Check a draft and lay it before the reviewers as it is; return its digest.

    :raises DocumentInvalid, ExamplesFail, TrialFailed, Invalid: if it does not pass the checks.
    :raises Stale: if it was saved while it was checked.
    """
    require_reason("reason", reason)
    with database.reading() as session:
        require(session, actor, Permission.DRAFT_POLICY)
        version = version_named(session, number)
        require_state(version, "submitted")
        document, revision, installation = version.document, version.revision, fixed(session)
        former = in_force_now(session)
        before = None if former is None else former.document
    found = check(document, installation, before).policy.digest
    with database.writing() as session:
        person = require(session, actor, Permission.DRAFT_POLICY)
        version = _taken(session, number)
        require_state(version, "submitted")
        if version.revision != revision:
            raise Stale("Version %(number)d was changed while it was checked.", number=number)
        _move(
            session,
            version,
            "submitted",
            digest=found,
            submitted_by=person,
            submitted_at=now,
            reason=reason,
        )
        details = {"revision": revision, "digest": found, "reason": reason}
        record(Act(session, actor, now), Entry("policy.submitted", f"policy:{number}", details))
    return found


Verdict = Literal["approved", "changes_requested", "rejected"]


def review(  # noqa: PLR0913, PLR0917 - who decided what about which bytes, and why
    act: Act,
    number: int,
    seen_digest: str,
    verdict: Verdict,
    comment: str,
    beside: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Record what a reviewer decided about exactly the bytes they saw.

    :param beside: what else they saw; it is kept with the approval.
    :raises NotAllowed: to whoever wrote any of it.
    :raises Stale: if these are not the bytes under review.
    :raises NotActionable: if it is not under review, or another reviewer was first.
    """
    person = require(act.session, act.actor, Permission.REVIEW_POLICY)
    require_reason("comment", comment)
    version = _taken(act.session, number)
    require_state(version, verdict)
    if version.digest != seen_digest:
        raise Stale(
            "What is under review as version %(number)d has the digest %(digest)s; read it again.",
            number=number,
            digest=version.digest or "-",
        )
    if person in authors(act.session, number):
        raise NotAllowed("You wrote some of this; somebody else has to decide about it.")
    _move(act.session, version, verdict)
    act.session.add(
        Approval(
            version_id=number,
            digest=seen_digest,
            verdict=verdict,
            person_id=person,
            at=act.at,
            comment=comment,
            seen={
                "revision": version.revision,
                "reason": version.reason,
                "examples": len(version.document.get("examples", ())),
                "in_force": act.session.execute(
                    select(PolicyVersion.id).where(PolicyVersion.state == "in_force")
                ).scalar(),
                **beside,
            },
        )
    )
    details = {"digest": seen_digest, "comment": comment}
    record(act, Entry(f"policy.{verdict}", f"policy:{number}", details))


def withdraw(act: Act, number: int, comment: str) -> None:
    """Take a version back that is not in force yet.

    :raises NotActionable: if it is, or was, or has come to its end already.
    """
    require(act.session, act.actor, Permission.DRAFT_POLICY, Permission.REVIEW_POLICY)
    require_reason("comment", comment)
    _move(act.session, _taken(act.session, number), "withdrawn", scheduled_for=None)
    entry = Entry("policy.withdrawn", f"policy:{number}", {"comment": comment})
    record(act, entry)


def schedule(act: Act, number: int, at: datetime, comment: str) -> None:
    """Set the instant from which an approved version is to be in force.

    :raises Invalid: for an instant that is over; now is the earliest.
    """
    require(act.session, act.actor, Permission.REVIEW_POLICY)
    require_reason("comment", comment)
    version = _taken(act.session, number)
    require_state(version, "scheduled")
    if at < act.at:
        raise Invalid([Problem("at", Message("must not be in the past"))])
    _move(act.session, version, "scheduled", scheduled_for=at, held_because=None)
    details = {"digest": version.digest, "for": at.isoformat(), "comment": comment}
    record(act, Entry("policy.scheduled", f"policy:{number}", details))


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a version that fell due; ``problems`` says why it was held, if it was."""

    number: int
    problems: tuple[Problem, ...] = ()


def publish_due(database: Database, now: datetime) -> list[Published]:
    """Put into force what is due, the earliest first, or hold what no longer passes.

    From the moment this returns, no process answers by the version before.
    """
    with database.reading() as session:
        due = session.execute(
            select(PolicyVersion.id)
            .where(PolicyVersion.state == "scheduled", PolicyVersion.scheduled_for <= now)
            .order_by(PolicyVersion.scheduled_for, PolicyVersion.id)
        ).scalars()
        numbers = list(due)
    done = []
    for number in numbers:
        try:
            done.append(_publish(database, number, now))
        except NotActionable:
            continue  # another process was first
    return done


def _publish(database: Database, number: int, now: datetime) -> Published:
    with database.reading() as session:
        version = version_named(session, number)
        document, bound, installation = version.document, version.digest, fixed(session)
        former = in_force_now(session)
        before = None if former is None else former.document
    problems: tuple[Problem, ...] = ()
    try:
        check(document, installation, before)
    except (DocumentInvalid, ExamplesFail, Invalid) as error:
        problems = error.problems
    except (TrialFailed, EngineFailure) as error:
        problems = (Problem("", error.message),)
    with database.writing() as session:
        lock(session)
        version = _taken(session, number)
        if version.scheduled_for is None or version.scheduled_for > now:
            raise NotActionable("It was put off while it was checked.")
        if not problems and not _is_approved(session, version, bound):
            problems = (Problem("", Message("nobody who did not write it approved these bytes")),)
        if problems:
            held = [str(each) for each in problems]
            _move(session, version, "held", held_because=held, scheduled_for=None)
            entry = Entry("policy.held", f"policy:{number}", {"because": held})
            record(Act(session, SYSTEM, now), entry)
            return Published(number, problems)
        entries = []
        former = in_force_now(session)
        if former is not None:
            _move(session, former, "superseded", in_force_until=now)
            entries.append(Entry("policy.superseded", f"policy:{former.id}", {"by": number}))
        _move(session, version, "published", in_force_from=now)
        entries.append(Entry("policy.published", f"policy:{number}", {"digest": bound}))
        record(Act(session, SYSTEM, now), *entries)
    return Published(number)


def in_force_now(session: Session) -> PolicyVersion | None:
    """Return the version in force, if one is."""
    return session.execute(select(PolicyVersion).where(PolicyVersion.state == "in_force")).scalar()


def check(
    document: dict[str, Any], installation: Fixed, former: dict[str, Any] | None
) -> PolicyInForce:
    """Return a policy ready to judge, if it may come into force here.

    :param former: the document of the version in force, if there is one.
    :raises DocumentInvalid, ExamplesFail, TrialFailed: if it does not pass.
    :raises Invalid: if it is not in the installation's currency and time zone, or leaves out a
        tier that clients may hold without saying which takes its place.
    """
    ready = prepare(document)
    if problems := [*misplaced(document, installation), *left_out(ready.policy, former)]:
        raise Invalid(problems)
    return ready


def misplaced(document: dict[str, Any], installation: Fixed) -> Iterator[Problem]:
    """Say what of a document is not the installation's."""
    for name, wanted in (
        ("currency", installation.currency),
        ("time_zone", installation.time_zone),
    ):
        if document.get(name) != wanted:
            yield Problem(name, Message("must be %(wanted)s, the installation's", wanted=wanted))


def left_out(policy: Policy, former: dict[str, Any] | None) -> Iterator[Problem]:
    """Say which tiers of the version in force a policy neither has nor replaces."""
    if former is not None and (gone := tiers_left_out(load(former), policy)):
        message = Message("must say which tiers take the place of %(tiers)s", tiers=Listed(gone))
        yield Problem("transition.former_tiers", message)


def authors(session: Session, number: int) -> frozenset[int]:
    """Return the ids of all who ever wrote any of a version, or of what it took over unapproved.

    A version begun from one that never was in force holds what that one's authors wrote, too.
    """
    line = [number]
    while (former := _taken_over(session, line[-1])) is not None:
        line.append(former)
    return frozenset(
        session.execute(
            select(PolicyRevision.person_id).where(PolicyRevision.version_id.in_(line))
        ).scalars()
    )


def _taken_over(session: Session, number: int) -> int | None:
    former = aliased(PolicyVersion)
    return session.execute(
        select(former.id)
        .join(PolicyVersion, PolicyVersion.based_on == former.id)
        .where(PolicyVersion.id == number, former.in_force_from.is_(None))
    ).scalar()


def version_named(session: Session, number: int) -> PolicyVersion:
    """Return a version as it is now.

    :raises NotThere: if there is none of this number.
    """
    version = session.get(PolicyVersion, number, populate_existing=True)
    if version is None:
        raise NotThere("There is no version %(number)d of the policy.", number=number)
    return version


def _taken(session: Session, number: int) -> PolicyVersion:
    """Return a version that nobody else changes before this transaction is over.

    :raises NotThere: if there is none of this number.
    """
    session.execute(select(PolicyVersion.id).where(PolicyVersion.id == number).with_for_update())
    return version_named(session, number)


def versions(session: Session) -> Sequence[PolicyVersion]:
    """Return all versions, the newest first."""
    return session.execute(select(PolicyVersion).order_by(PolicyVersion.id.desc())).scalars().all()


def approvals(session: Session, number: int) -> Sequence[Approval]:
    """Return what reviewers decided about a version, in order."""
    return (
        session.execute(select(Approval).where(Approval.version_id == number).order_by(Approval.id))
        .scalars()
        .all()
    )


def _is_approved(session: Session, version: PolicyVersion, bound: str | None) -> bool:
    """Tell whether somebody who wrote none of it approved exactly these bytes."""
    return (
        bound == version.digest == digest(version.document)
        and session.execute(
            select(
                exists().where(
                    Approval.version_id == version.id,
                    Approval.digest == bound,
                    Approval.verdict == "approved",
                    Approval.person_id.not_in(authors(session, version.id)),
                )
            )
        ).scalar_one()
    )


def _move(session: Session, version: PolicyVersion, verb: str, **values: Any) -> None:
    """Take a version from one state to the next: nothing else writes a state.

    :raises NotActionable: if it is in another, or somebody has taken it there first.
    """
    require_state(version, verb)
    before, after = _TRANSITIONS[verb]
    changed = session.execute(
        update(PolicyVersion)
        .where(
            PolicyVersion.id == version.id,
            PolicyVersion.state.in_(before),
            PolicyVersion.revision == version.revision,
        )
        .values(state=after, **values)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(changed, CursorResult) or changed.rowcount != 1:
        raise NotActionable("Somebody else was first.")


def require_state(version: PolicyVersion, verb: str) -> None:
    """Refuse to do something with a version that is not in a state for it.

    :raises NotActionable: if it is in another.
    """
    before, _after = _TRANSITIONS[verb]
    if version.state not in before:
        raise NotActionable(
            "Version %(number)d is %(state)s; this is possible only while it is %(before)s.",
            number=version.id,
            state=Message(STATES[version.state]),
            before=Listed(tuple(Message(STATES[each]) for each in before), "or"),
        )


def _keep_revision(
    act: Act, number: int, revision: int, document: dict[str, Any], undoes: int | None = None
) -> None:
    act.session.add(
        PolicyRevision(
            version_id=number,
            revision=revision,
            document=document,
            person_id=act.actor.person_id,
            at=act.at,
            undoes=undoes,
        )
    )
    act.session.flush()


def _require_size(document: dict[str, Any]) -> None:
    """:raises Invalid: for a document too large, or that could not be read again."""
    content = canonical_bytes(document)
    if len(content) > LARGEST_DOCUMENT:
        message = Message("must be at most %(most)d bytes", most=LARGEST_DOCUMENT)
        raise Invalid([Problem("", message)])
    try:
        loads(content)
    except JsonRefused as error:
        raise Invalid([Problem("", error.message)]) from error
