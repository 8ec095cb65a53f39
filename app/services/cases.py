"""One client about whom is decided: what is known of them, and all that a decision depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Client, Subject
from app.models import Standing as StandingRow
from app.services.answers import Judged
from app.services.basis import read_standing, write_events, write_measures, write_standing
from app.services.changes import Change
from app.services.history import SubjectKey
from app.services.measures import granted
from app.services.policies import PolicyInForce
from app.services.recorded import Known, measured, packed
from rules import measure
from rules.policy import Facts, Policy
from rules.prospects import Older
from rules.standing import Event, Findings, Measure, Ruling, Standing
from rules.verdict import Verdict
from rules.windows import DAY


@dataclass(frozen=True, slots=True)
class Decidee:
    """A client as they are known when they are decided about."""

    id: int
    reference: str
    subject: SubjectKey
    language: str | None
    facts_version: int
    created_at: datetime
    row: StandingRow | None
    known: Known
    measures: tuple[Measure, ...]


def read(session: Session, client_ids: Collection[int]) -> Iterator[Decidee]:
    """Yield these clients; nobody else decides about them while the transaction is open."""
    clients = session.execute(
        select(
            Client.id,
            Client.reference,
            Client.language,
            Client.facts_version,
            Client.created_at,
            Client.subject,
            Subject.key,
        )
        .join(Subject, Subject.id == Client.subject)
        .where(Client.id.in_(client_ids))
        .order_by(Client.id)
        .with_for_update(of=Client)
    ).all()
    found = session.execute(select(StandingRow).where(StandingRow.client_id.in_(client_ids)))
    rows = {each.client_id: each for each in found.scalars()}
    ids = [each.id for each in clients]
    known, measures = Known(session, ids), granted(session, ids)
    for each in clients:
        yield Decidee(
            each.id,
            each.reference,
            SubjectKey(each.subject, each.key),
            each.language,
            each.facts_version,
            each.created_at,
            rows.get(each.id),
            known,
            measures.get(each.id, ()),
        )


def dates_of(
    row: StandingRow | None, created: date, day: date, today: date, reviewed: date | None
) -> list[date]:
    """Return the dates to be decided, in order: those missed since the last review, and one.

    A date that is over is decided once; today may be once more, when something came since.
    """
    if row is not None and row.as_of >= day:
        return [day] if row.as_of == day == today else []
    if reviewed is None:
        return [day]
    missed = max(reviewed + DAY, created if row is None else row.as_of + DAY)
    first = min(missed, day)
    return [first + number * DAY for number in range((day - first).days + 1)]


@dataclass(frozen=True, slots=True)
class Stand:
    """How a client stands as far as dates have been decided; ``judged`` where it was just now."""

    standing: Standing | None = None
    decision: str | None = None
    facts_version: int | None = None
    version: int | None = None
    next_due: date | None = None
    judged: Judged | None = None

    @classmethod
    def of(cls, row: StandingRow | None) -> Stand:
        if row is None:
            return cls()
        return cls(
            read_standing(row.basis),
            row.decision_id,
            row.facts_version,
            row.policy_version,
            row.next_due,
        )

    def is_good(self, facts_version: int, version: int, day: date) -> bool:
        """Tell whether nothing could come out differently on a day."""
        return (self.facts_version, self.version) == (facts_version, version) and (
            self.next_due is None or day < self.next_due
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client's facts say on a date, by one version of the policy."""

    policy: Policy
    recorded: measure.Client
    facts: Facts
    verdict: Verdict
    found: Findings

    @classmethod
    def of(
        cls, with_policy: PolicyInForce, client: Decidee, day: date, before: Standing | None
    ) -> Seen:
        policy = with_policy.policy
        recorded = client.known.on(with_policy, client.id, day)
        facts = measured(policy, recorded, day, before)
        verdict = with_policy.judge.judge(facts)
        return cls(policy, recorded, facts, verdict, Findings.of(policy, verdict, facts))

    def packed(self) -> dict[str, object]:
        return packed(self.policy, self.facts)


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision about a client on a date depends on.

    ``former`` is what is seen by the older versions that still judge the client, by number.
    """

    client: Decidee
    decision: str | None
    before: Standing | None
    measures: tuple[Measure, ...]
    seen: Seen
    settled: Seen | None
    former: Mapping[int, Seen]

    @property
    def older(self) -> Older:
        return {each: Ruling(one.policy, one.found) for each, one in self.former.items()}

    def said(self, judged: Judged, events: tuple[Event, ...], issued: date) -> dict[str, Any]:
        """Return what the history keeps of the decision: enough to make it again."""
        also: dict[str, Any] = {
            "measures": write_measures(self.measures),
            "settled": self.settled.packed() if self.settled else None,
            "older": {str(each): one.packed() for each, one in self.former.items()},
        }
        return {
            "facts": self.seen.packed(),
            "before": self.decision,
            "issued": issued.isoformat(),
            **{name: content for name, content in also.items() if content},
            "standing": write_standing(judged.standing),
            "deadline": judged.deadline and judged.deadline.isoformat(),
            "events": write_events(events),
        }

    def change(self, judged: Judged, events: tuple[Event, ...], issued: date) -> Change:
        """Return what happened, for those who are to be told of it."""
        return Change(
            self.client.id,
            self.client.reference,
            self.client.subject.id,
            self.client.language,
            judged.decision,
            judged.in_force,
            judged.day,
            issued,
            self.before,
            judged.standing,
            self.measures,
            events,
            judged.explained,
            self.older,
        )
