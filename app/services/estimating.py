"""The effect of a version worked out: batch by batch, as a job (see :mod:`app.services.effect`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Client, Effect, EffectMove, Subject
from app.models import Standing as StandingRow
from app.services.basis import read_standing
from app.services.effect import Cell, Comes, Summary, document_of
from app.services.governance import in_force_now
from app.services.history import Act
from app.services.jobs import Lease, Step
from app.services.measures import granted
from app.services.places import has_ranks
from app.services.policies import PolicyInForce, as_draft
from app.services.recorded import Known, measured
from app.services.rows import insert_rows
from app.services.rulebook import Lineage, Rulebook
from rules.decide import decide
from rules.destination import destination
from rules.measure import CannotMeasure
from rules.policy import Facts
from rules.rank import ranks
from rules.standing import Findings, Ruling, Standing
from rules.transition import carry_over, versions_needed
from rules.vocabulary import Value
from rules.windows import DAY

BATCH = 200
"""Clients in a batch, some tenths of a second: on SQLite nobody else writes while it lasts."""


class Working:
    """Works effects out, batch by batch; what is needed for all is kept between batches."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._study: _Study | None = None

    def __call__(self, act: Act, lease: Lease) -> Step:
        """Judge the next clients; of an effect that has been overtaken, nobody any more."""
        session = act.session
        effect = session.get_one(Effect, int(lease.key.rpartition(":")[2]), populate_existing=True)
        if _is_overtaken(session, effect):
            return Step(lease.cursor, lease.done, lease.total, lease.report, is_last=True)
        if self._study is None or self._study.effect != effect.id:
            self._study = _Study.of(session, self._rulebook, effect)
        clients = _next(session, lease.cursor or 0)
        judged = list(_Batch(self._study, session, clients).judge())
        summary = _added(Summary.read(lease.report), judged, self._study)
        moving = (each.row(effect.id) for each in judged if each.moves)
        insert_rows(session, EffectMove, _MOVE, moving)
        if is_last := len(clients) < BATCH:
            effect.summary, effect.finished_at = summary.written(), act.at
            session.flush()
            self._study = None  # everybody's places may be large
        return Step(
            cursor=max((each.id for each in clients), default=lease.cursor),
            done=lease.done + len(clients),
            total=lease.total if lease.total is not None else _number(session),
            report=summary.written(),
            is_last=is_last,
        )


_MOVE = ("effect_id", "client_id", "held", "gives", "comes", "anyway", "amount")


def _is_overtaken(session: Session, effect: Effect) -> bool:
    """Tell whether a newer one of the version was asked for, or another policy is in force."""
    newer = select(Effect.id).where(Effect.version_id == effect.version_id, Effect.id > effect.id)
    former = in_force_now(session)
    return (former and former.id) != effect.in_force or session.execute(newer).first() is not None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A client to be judged: how they stood last, and by which version."""

    id: int
    standing: Standing | None
    version: int | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What comes of one client; ``segments`` are those they are in now, and by the version."""

    id: int
    held: str | None
    gives: str | None
    moves: bool
    comes: Comes | None = None
    anyway: bool = False
    amount: int | None = None
    segments: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())

    def row(self, effect: int) -> tuple[object, ...]:
        return effect, self.id, self.held, self.gives, self.comes, self.anyway, self.amount


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a client's facts say by one policy, and where it takes them."""

    standing: Standing | None
    facts: Facts
    found: Findings
    segments: frozenset[str]
    leads: str


@dataclass
class _Study:
    """A version, the policy in force, and everybody's places by the version."""

    effect: int
    day: date
    metric: str | None
    draft: PolicyInForce
    in_force: PolicyInForce | None
    rulebook: Rulebook
    places: Mapping[str, Mapping[int, Fraction]] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, rulebook: Rulebook, effect: Effect) -> _Study:
        draft = as_draft(document_of(session, effect), effect.version_id)
        former = None if effect.in_force is None else rulebook.version(session, effect.in_force)
        study = cls(effect.id, effect.day, effect.metric, draft, former, rulebook)
        if has_ranks(draft.policy):
            study.places = ranks(draft.policy, study._population(session))
        return study

    @cached_property
    def measures_alike(self) -> bool:
        """Whether the version measures what the policy in force does: most change limits only."""
        return (
            self.in_force is not None
            and not has_ranks(self.draft.policy)
            and (dict(self.in_force.policy.metrics) == dict(self.draft.policy.metrics))
        )

    @property
    def segments(self) -> tuple[frozenset[str], frozenset[str]]:
        """The keys of the segments that there are now, and by the version."""
        now = self.in_force.policy.segments if self.in_force else ()
        then = self.draft.policy.segments
        return frozenset(each.key for each in now), frozenset(each.key for each in then)

    def _population(self, session: Session) -> Iterator[tuple[int, Facts]]:
        """Yield all clients with their facts by the version; whose cannot be measured have none."""
        last = 0
        while clients := _next(session, last):
            batch = _Batch(self, session, clients)
            for each in clients:
                with suppress(CannotMeasure):
                    yield each.id, batch.facts(self.draft, each, batch.carried(each)[1])
            last = clients[-1].id


class _Batch:
    """Some clients, judged by the version and by the policy in force."""

    def __init__(self, study: _Study, session: Session, clients: Sequence[_Asked]) -> None:
        self._study, self._session, self._clients = study, session, clients
        ids = [each.id for each in clients]
        self._known, self._measures = Known(session, ids), granted(session, ids)
        self._lineage = Lineage(session, study.rulebook)

    def judge(self) -> Iterator[_Judged]:
        for each in self._clients:
            try:
                yield self._judged(each)
            except CannotMeasure:
                held = self.carried(each)[0]
                yield _Judged(each.id, None if held is None else held.tier, None, moves=True)

    def carried(self, client: _Asked) -> tuple[Standing | None, Standing | None]:
        """Return how a client stands by the tiers of the policy in force, and of the version."""
        in_force = self._study.in_force
        if client.standing is None or in_force is None:
            return None, None
        standing = self._lineage.carried(client.standing, client.version, in_force)
        return standing, standing and carry_over(standing, self._study.draft.policy)

    def facts(self, by: PolicyInForce, client: _Asked, before: Standing | None) -> Facts:
        """Return a client's facts by a policy; by the version, with the places it gives.

        :raises CannotMeasure: if what is recorded does not fit the policy.
        """
        study = self._study
        recorded = self._known.on(by, client.id, study.day)
        if by is study.draft:
            placed = {key: each.get(client.id) for key, each in study.places.items()}
            known = {key: place for key, place in placed.items() if place is not None}
            recorded = replace(recorded, ranks=known)
        return measured(by.policy, recorded, study.day, before)

    def _judged(self, client: _Asked) -> _Judged:
        study = self._study
        standing, carried = self.carried(client)
        now = None if study.in_force is None else self._seen(study.in_force, client, standing)
        is_same = study.measures_alike and now is not None and standing == carried
        then = self._seen(study.draft, client, carried, now.facts if now and is_same else None)
        held = standing.tier if standing else now.leads if now else None
        moves = then.leads != study.draft.policy.transition.tiers.get(held or "", held)
        return _Judged(
            client.id,
            held,
            then.leads,
            moves=moves,
            comes=self._comes(client, then) if moves else None,
            anyway=moves and now is not None and now.leads == then.leads,
            amount=_whole(then.facts.get(study.metric or "")),
            segments=(now.segments if now else frozenset(), then.segments),
        )

    def _seen(
        self,
        by: PolicyInForce,
        client: _Asked,
        standing: Standing | None,
        facts: Facts | None = None,
    ) -> _Seen:
        """Look at a client by a policy; with ``facts`` where they have been measured already."""
        facts = self.facts(by, client, standing) if facts is None else facts
        verdict = by.judge.reference.judge(facts)
        found = Findings.of(by.policy, verdict, facts)
        segments = frozenset(
            root.owner
            for root in by.policy.roots
            if root.part == "segment" and verdict.outcomes[root.place]
        )
        leads = destination(by.policy, found, standing, self._study.day)
        return _Seen(standing, facts, found, segments, leads)

    def _comes(self, client: _Asked, then: _Seen) -> Comes:
        """Say when a client moves, by the first night on which the version would decide."""
        draft, in_force, day = self._study.draft, self._study.in_force, self._study.day
        before, older = then.standing, dict[int, Ruling]()
        if before is not None:
            before = replace(before, as_of=min(before.as_of, day - DAY))
            for number in versions_needed(draft.policy, draft.number, before):
                one = self._study.rulebook.version(self._session, number)
                older[number] = Ruling(one.policy, self._seen(one, client, before).found)
        measures = self._measures[client.id]
        standing, _ = decide(
            draft.policy,
            then.found,
            before,
            day,
            measures=self._lineage.carried_measures(measures, in_force) if in_force else (),
            version=draft.number,
            older=older,
        )
        if standing.tier == then.leads:
            return "at_once"
        return "notice" if standing.run and standing.run.done else "later"


def _whole(amount: Value | None) -> int | None:
    """Return an amount in whole minor units."""
    return round(amount) if isinstance(amount, int | Fraction) else None


def _next(session: Session, last: int) -> list[_Asked]:
    """Return the next clients, none of them erased."""
    rows = session.execute(
        select(Client.id, StandingRow.basis, StandingRow.policy_version)
        .join(Subject, Subject.id == Client.subject)
        .outerjoin(StandingRow, StandingRow.client_id == Client.id)
        .where(Client.id > last)
        .order_by(Client.id)
        .limit(BATCH)
    )
    return [
        _Asked(
            each.id, None if each.basis is None else read_standing(each.basis), each.policy_version
        )
        for each in rows
    ]


def _number(session: Session) -> int:
    known = select(func.count()).select_from(Client).join(Subject, Subject.id == Client.subject)
    return session.execute(known).scalar_one()


def _added(summary: Summary, judged: Sequence[_Judged], study: _Study) -> Summary:
    """Return a summary with what a batch came to."""
    cells = {(each.held, each.gives): each for each in summary.cells}
    for each in judged:
        place = each.held, each.gives
        cells[place] = _counted(cells.get(place, Cell(*place, each.moves)), each)
    now, then = study.segments
    return Summary(
        tuple(cells.values()),
        {
            key: (
                _in_segment(summary, judged, key, 0) if key in now else None,
                _in_segment(summary, judged, key, 1) if key in then else None,
            )
            for key in sorted(now | then)
        },
    )


def _in_segment(summary: Summary, judged: Sequence[_Judged], key: str, side: int) -> int:
    """Return how many are in a segment, now (0) or by the version (1)."""
    before = summary.segments.get(key, (None, None))[side] or 0
    return before + sum(key in each.segments[side] for each in judged)


def _counted(cell: Cell, judged: _Judged) -> Cell:
    found = replace(
        cell,
        clients=cell.clients + 1,
        amount=cell.amount + (judged.amount or 0),
        anyway=cell.anyway + judged.anyway,
    )
    if judged.comes is None:
        return found
    return replace(found, **{judged.comes: getattr(cell, judged.comes) + 1})
