"""The policy in force, as the database says in the caller's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.models import Approval, PolicyVersion
from app.services.policies import PolicyInForce
from rules.document import DocumentInvalid, load
from rules.engine import EngineFailure
from rules.explain import Explainer
from rules.judge import Judge
from rules.messages import Message
from rules.policy import Policy
from rules.standing import Measure, Standing
from rules.transition import carry_over


class NoPolicy(Exception):
    """No policy is in force, so nothing can be decided."""

    def __init__(self) -> None:
        self.message = Message("No policy is in force yet: nothing can be decided.")
        super().__init__(self.message)


class PolicyUnusable(Exception):
    """A policy is in force and cannot decide here; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class Rulebook:
    """The policies this process is ready to judge by; which of them is in force, it always asks.

    A policy came through its trial before it went into force, so none is needed here.  It is
    made ready once for a process: a compiled rule set is never given back (docs/engine.md).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._ready: dict[int, PolicyInForce | PolicyUnusable] = {}

    def in_force(self, session: Session) -> PolicyInForce:
        """Return the policy in force.

        :raises NoPolicy: if there is none.
        :raises PolicyUnusable: if the engine fails on it, or this program cannot read it.
        """
        found = session.execute(
            select(PolicyVersion.id).where(PolicyVersion.state == "in_force")
        ).scalar()
        if found is None:
            raise NoPolicy
        return self.version(session, found)

    def at(self, session: Session, instant: datetime) -> PolicyInForce | None:
        """Return the policy that was in force at an instant, if there was one.

        :raises PolicyUnusable: if the engine fails on it, or this program cannot read it.
        """
        found = session.execute(
            select(PolicyVersion.id)
            .where(
                PolicyVersion.in_force_from <= instant,
                or_(PolicyVersion.in_force_until.is_(None), PolicyVersion.in_force_until > instant),
            )
            .order_by(PolicyVersion.in_force_from.desc())
            .limit(1)
        ).scalar()
        return None if found is None else self.version(session, found)

    def version(self, session: Session, number: int) -> PolicyInForce:
        """Return a version that is or was in force, ready to judge.

        :raises PolicyUnusable: if the engine fails on it, or this program cannot read it.
        """
        with self._lock:
            if number not in self._ready:
                self._ready[number] = _prepared(session, number)
            found = self._ready[number]
        if isinstance(found, PolicyUnusable):
            raise PolicyUnusable(found.message)
        return found


class Lineage:
    """The versions that were in force one after the other, through which standings are carried."""

    def __init__(self, session: Session, rulebook: Rulebook) -> None:
        self._session, self._rulebook = session, rulebook
        self._numbers: Sequence[int] | None = None

    def carried(
        self, standing: Standing | None, version: int | None, to: PolicyInForce
    ) -> Standing | None:
        """Return a standing of a version by the tiers of a later one."""
        if standing is None or version in (None, to.number):
            return standing
        until = self._until(to)
        for each in until[until.index(version) + 1 :] if version in until else (to.number,):
            standing = carry_over(standing, self._policy(each, to))
        return standing

    def carried_measures(
        self, measures: Sequence[Measure], to: PolicyInForce
    ) -> tuple[Measure, ...]:
        """Return what people decided by the tiers of a version."""
        known = {None, *(tier.key for tier in to.policy.tiers)}
        if all(each.tier in known for each in measures):
            return tuple(measures)
        found = list(measures)
        for number in self._until(to):
            policy = self._policy(number, to)
            mapped = policy.transition.tiers
            found = [replace(each, tier=mapped.get(each.tier or "", each.tier)) for each in found]
        return tuple(each for each in found if each.tier in known)

    def _policy(self, number: int, to: PolicyInForce) -> Policy:
        return (
            to.policy
            if number == to.number
            else self._rulebook.version(self._session, number).policy
        )

    def _until(self, to: PolicyInForce) -> Sequence[int]:
        """Return the numbers of the versions that were in force, the first first, until one."""
        if self._numbers is None:
            self._numbers = (
                self._session.execute(
                    select(PolicyVersion.id)
                    .where(PolicyVersion.in_force_from.is_not(None))
                    .order_by(PolicyVersion.in_force_from, PolicyVersion.id)
                )
                .scalars()
                .all()
            )
        return self._numbers[: self._numbers.index(to.number) + 1]


def _prepared(session: Session, number: int) -> PolicyInForce | PolicyUnusable:
    document, digest, is_approved = session.execute(
        select(
            PolicyVersion.document,
            PolicyVersion.digest,
            exists().where(
                Approval.version_id == number,
                Approval.digest == PolicyVersion.digest,
                Approval.verdict == "approved",
            ),
        ).where(PolicyVersion.id == number)
    ).one()
    try:
        judge = Judge(load(document))
    except EngineFailure as error:
        return PolicyUnusable(error.message)
    except DocumentInvalid as error:  # taken by another version of this program
        message = Message("The policy in force is not valid: %(problems)s", problems=str(error))
        return PolicyUnusable(message)
    if not is_approved or judge.policy.digest != digest:
        return PolicyUnusable(Message("What is in force as the policy is not what was approved."))
    return PolicyInForce(document, judge, Explainer(judge), number)
