"""Who would move where if a version of the policy were in force: worked out, and kept for a while.

Long work, so a job: a batch of clients after the other, each judged by the version's reference
evaluator.  What is kept is a summary, and who would move; docs/effect.md says what is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import Client, Effect, EffectMove, Job, PolicyRevision
from app.services.authority import Permission
from app.services.errors import Invalid, NotActionable, NotThere
from app.services.governance import STATES, in_force_now, left_out, version_named
from app.services.history import Act, Entry, record
from app.services.installation import fixed
from app.services.jobs import add
from app.services.people import require
from app.services.spreadsheet import csv_bytes
from rules.document import Problem, load
from rules.document.strict_json import digest
from rules.messages import Listed, Message
from rules.policy import Policy
from rules.vocabulary import MetricType
from rules.windows import local_day

KIND = "effect"
"""The kind of the jobs that work out what a version would do."""

Comes = Literal["at_once", "notice", "later"]
"""When a client moves: on the first day; after a notice that is given then; or later."""


def begin(act: Act, number: int, day: date | None = None, metric: str | None = None) -> int:
    """Have the effect of a version worked out anew; return the effect's number.

    :param day: on which it would be in force; today if not given.
    :param metric: what says how much revenue is concerned; else the first that is money.
    :raises DocumentInvalid: if the version cannot judge anybody.
    :raises Invalid: for a day that is over, a metric that is not money, or a version that leaves
        out tiers that clients hold.
    :raises NotActionable: if the version is in force, or was.
    """
    session = act.session
    person = require(session, act.actor, Permission.DRAFT_POLICY, Permission.REVIEW_POLICY)
    version = version_named(session, number)
    if version.in_force_from is not None:
        raise NotActionable(
            "Version %(number)d is %(state)s: what it does, the clients' standings say.",
            number=number,
            state=Message(STATES[version.state]),
        )
    today = local_day(act.at, ZoneInfo(fixed(session).time_zone))
    day, policy = day or today, load(version.document)
    former = in_force_now(session)
    if problems := [
        *_problems(policy, metric, day, today),
        *left_out(policy, None if former is None else former.document),
    ]:
        raise Invalid(problems)
    _forget(session, number)
    effect = Effect(
        version_id=number,
        revision=version.revision,
        digest=digest(version.document),
        day=day,
        in_force=former.id if former is not None else None,
        metric=metric or next(money(policy), None),
        asked_by=person,
        asked_at=act.at,
    )
    session.add(effect)
    session.flush()
    add(act, KIND, key_of(effect), act.at)
    details = {"revision": effect.revision, "digest": effect.digest, "day": day.isoformat()}
    record(act, Entry("policy.effect_asked", f"policy:{number}", details))
    return effect.id


def key_of(effect: Effect) -> str:
    """Return the key of the job by which an effect is worked out."""
    return f"{KIND}:{effect.version_id}.{effect.revision}:{effect.day}:{effect.id}"


def money(policy: Policy) -> Iterator[str]:
    """Yield the metrics that can say how much revenue is concerned."""
    return (each.key for each in policy.metrics.values() if each.type is MetricType.MONEY)


def _problems(policy: Policy, metric: str | None, day: date, today: date) -> Iterator[Problem]:
    if day < today:
        yield Problem("date", Message("must not be before today, %(day)s", day=today))
    if metric is not None and metric not in (known := tuple(money(policy))):
        message = Message("must be one of %(metrics)s", metrics=Listed(known, "or"))
        yield Problem("metric", message if known else Message("must be left out: none is money"))


def _forget(session: Session, number: int) -> None:
    """Forget whom an earlier effect of a version would have moved; its summary stays."""
    earlier = select(Effect.id).where(Effect.version_id == number)
    session.execute(delete(EffectMove).where(EffectMove.effect_id.in_(earlier)))


# -- what it came to -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """The clients who hold one tier and are given one by the version, and what they bring in.

    Of them, by when they move, and who the policy in force would move there, too.  ``held`` is
    None where no policy is in force, ``gives`` where they could not be measured.
    """

    held: str | None
    gives: str | None
    moves: bool
    clients: int = 0
    amount: int = 0
    at_once: int = 0
    notice: int = 0
    later: int = 0
    anyway: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What an effect came to: by tier held and given, and by segment how many are in it now/then.

    A segment that one of the two policies does not have has None there.
    """

    cells: tuple[Cell, ...] = ()
    segments: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)

    @property
    def clients(self) -> int:
        return sum(each.clients for each in self.cells)

    @property
    def moving(self) -> int:
        return sum(each.clients for each in self.cells if each.moves)

    @property
    def anyway(self) -> int:
        return sum(each.anyway for each in self.cells)

    @property
    def concerned(self) -> int:
        """What those who would move bring in."""
        return sum(each.amount for each in self.cells if each.moves)

    def written(self) -> dict[str, Any]:
        return {
            "cells": [asdict(each) for each in self.cells],
            "segments": {key: list(each) for key, each in self.segments.items()},
        }

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Summary:
        return cls(
            tuple(Cell(**each) for each in written.get("cells", ())),
            {key: (now, then) for key, (now, then) in written.get("segments", {}).items()},
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect, how far the job has come, and what it came to so far."""

    effect: Effect
    state: str
    done: int
    total: int | None
    summary: Summary

    @property
    def is_finished(self) -> bool:
        return self.effect.finished_at is not None


def latest(session: Session, number: int) -> Estimate | None:
    """Return the last effect that was asked for of a version, if any was."""
    found = session.execute(
        select(Effect.id).where(Effect.version_id == number).order_by(Effect.id.desc()).limit(1)
    ).scalar()
    return None if found is None else estimate(session, found)


def estimate(session: Session, effect_id: int) -> Estimate:
    """Return an effect as far as it is worked out.

    :raises NotThere: if there is none of this number.
    """
    effect = session.get(Effect, effect_id, populate_existing=True)
    if effect is None:
        raise NotThere("There is no effect %(number)d.", number=effect_id)
    job = session.execute(select(Job).where(Job.key == key_of(effect))).scalar_one()
    summary = Summary.read(effect.summary or job.report or {})
    return Estimate(effect, job.state, job.done, job.total, summary)


def document_of(session: Session, effect: Effect) -> dict[str, Any]:
    """Return the document that an effect is about."""
    its = effect.version_id, effect.revision
    document: dict[str, Any] = session.get_one(PolicyRevision, its).document
    return document


@dataclass(frozen=True, slots=True)
class Move:
    """A client who would move."""

    reference: str
    name: str | None
    held: str | None
    gives: str | None
    comes: str | None
    anyway: bool
    amount: int | None


ANY = ("", "")
"""Every tier held, and every one given."""


def moves(
    session: Session,
    effect_id: int,
    cell: tuple[str | None, str | None] = ANY,
    after: str = "",
    limit: int | None = None,
) -> list[Move]:
    """Return who would move, by reference.

    :param cell: only those who hold one tier and are given one.
    :param after: only those whose reference comes after this one.
    """
    of_cell = () if cell == ANY else (EffectMove.held == cell[0], EffectMove.gives == cell[1])
    rows = session.execute(
        select(
            Client.reference,
            Client.name,
            EffectMove.held,
            EffectMove.gives,
            EffectMove.comes,
            EffectMove.anyway,
            EffectMove.amount,
        )
        .join(Client, Client.id == EffectMove.client_id)
        .where(EffectMove.effect_id == effect_id, Client.reference > after, *of_cell)
        .order_by(Client.reference)
        .limit(limit)
    )
    return [Move(*row) for row in rows]


def names_table(found: Sequence[Move]) -> bytes:
    """Return who would move as a table for a spreadsheet."""
    return csv_bytes(_HEADER, ([_cell(each) for each in astuple(move)] for move in found))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


_HEADER = ("client", "name", "held", "gives", "comes", "anyway", "amount")
