"""How clients stand: decided date by date, recorded, and kept ready to be told.

Whoever needs a standing first decides about it, in the order of the dates: what was missed since
the last review is caught up with, each date on its own facts and by the policy of that date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.models import Decision, Job, StandingEvent
from app.models import Standing as StandingRow
from app.services.answers import Judged, standing_answer
from app.services.basis import write_standing
from app.services.cases import Case, Decidee, Seen, Stand, dates_of, read
from app.services.changes import Change
from app.services.history import Act, Entry, Input, random_id, record
from app.services.hooks import announce
from app.services.jobs import due_on
from app.services.notices import issue
from app.services.policies import PolicyInForce
from app.services.rows import insert_rows
from app.services.rulebook import Lineage, Rulebook
from app.words import Words
from rules.decide import decide as decide_on
from rules.decide import settled_on
from rules.document.strict_json import canonical_bytes, dumps
from rules.due import next_due
from rules.engine import EngineFailure
from rules.judge import Disagreement
from rules.measure import CannotMeasure
from rules.messages import Message
from rules.prospects import deadline
from rules.standing import Event, Standing
from rules.transition import versions_needed
from rules.turn import next_turn
from rules.windows import DAY, local_day

REVIEW = "review"
"""The kind of the jobs that decide about everybody on a date."""

NO_AGREEMENT = Message("The evaluators failed to agree on an answer; it has been recorded.")
"""What a reader is told of it; the facts it was about are for the log only."""

_ERASED = Message("Nothing is decided about a client who has been erased.")


class NoTier(Exception):
    """No tier can be named for a client, and none was before; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Decided:
    """What an evaluation of clients came to.

    ``standings`` are those now good, by client id, whether decided here or before by somebody
    else; ``failed`` says of whom no tier could be named, and why.  ``decided`` counts the
    decisions: several of a client with whom missed dates were caught up.
    """

    standings: dict[int, StandingRow] = field(default_factory=dict)
    decided: int = 0
    already_good: int = 0
    events: Counter[str] = field(default_factory=Counter)
    failed: dict[int, Message] = field(default_factory=dict)
    failures: list[EngineFailure | Disagreement] = field(default_factory=list)


LONGEST_GAP = 31
"""Days that are caught up with; those missed before stay unevaluated, which costs nobody a tier."""


def reviewed_until(session: Session, today: date) -> date | None:
    """Return the last business date that is not caught up with any more; None without a review.

    That is the one on which everybody was last reviewed, or one so long ago that it is let be.
    """
    found = session.execute(
        select(func.max(Job.key)).where(Job.kind == REVIEW, Job.state == "finished")
    ).scalar()
    if found is None:
        return None
    last = date.fromisoformat(found.removeprefix(f"{REVIEW}:"))
    return max(last, today - (LONGEST_GAP + 1) * DAY)


def decide(  # noqa: PLR0913 - about whom, when, by what, and in which words
    act: Act,
    rulebook: Rulebook,
    client_ids: Collection[int],
    day: date,
    words: Words,
    *,
    catches_up: bool = True,
) -> tuple[PolicyInForce, Decided]:
    """Decide about those of these clients whose standing is not good any more.

    Whoever comes second to a client, on the same date, by the same policy and with the same
    facts, finds it decided.

    :param catches_up: whether the dates missed since the last review are decided first.
    :raises NoPolicy, PolicyUnusable: if there is nothing to decide by.
    """
    in_force = rulebook.in_force(act.session)
    zone = ZoneInfo(in_force.policy.time_zone)
    today = max(day, local_day(act.at, zone))
    reviewed = reviewed_until(act.session, today) if catches_up else None
    batch = _Batch(act, rulebook, in_force, words, today)
    for client in read(act.session, client_ids):
        created = local_day(client.created_at, zone)
        batch.decide(client, dates_of(client.row, created, day, today, reviewed))
    return in_force, batch.stored(client_ids)


class _Batch:
    """Decides about clients one by one, and stores all it came to at the end."""

    def __init__(
        self, act: Act, rulebook: Rulebook, in_force: PolicyInForce, words: Words, today: date
    ) -> None:
        self._act, self._rulebook, self._words, self._today = act, rulebook, words, today
        self._in_force, self._lineage = in_force, Lineage(act.session, rulebook)
        self._policies = {today: in_force}
        self._found = Decided()
        self._decisions: list[dict[str, Any]] = []
        self._events: list[tuple[Any, ...]] = []
        self._entries: list[Entry] = []
        self._changes: list[Change] = []
        self._rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}

    def decide(self, client: Decidee, dates: Sequence[date]) -> None:
        """Decide about a client on these dates; on one that fails nothing is lost."""
        stand, why = Stand.of(client.row), None
        for day in dates:
            with_policy, why = self._policy_of(day), None
            if stand.is_good(client.facts_version, with_policy.number, day):
                continue
            try:
                stand = self._decided_on(client, stand, with_policy, day)
            except CannotMeasure as error:
                why = error.message
            except (EngineFailure, Disagreement) as error:
                why = NO_AGREEMENT
                self._found.failures.append(error)
        row = client.row if stand.judged is None else self._row(client, stand, stand.judged)
        if why is not None:
            self._found.failed[client.id] = why
        elif row is not None:
            self._found.standings[client.id] = row

    def _policy_of(self, day: date) -> PolicyInForce:
        """Return the policy by which a date is decided: the one it began with, if there was one.

        Today is decided by the one in force now.
        """
        if day not in self._policies:
            began = due_on(day, self._in_force.policy.time_zone)
            then = self._rulebook.at(self._act.session, began)
            self._policies[day] = then or self._in_force
        return self._policies[day]

    def _decided_on(
        self, client: Decidee, stand: Stand, with_policy: PolicyInForce, day: date
    ) -> Stand:
        case = self._case(client, stand, with_policy, day)
        policy, version, older = with_policy.policy, with_policy.number, case.older
        standing, events = decide_on(
            policy,
            case.seen.found,
            case.before,
            day,
            measures=case.measures,
            issued=self._today,
            version=version,
            older=older,
            settled=case.settled.found if case.settled else None,
        )
        until = deadline(policy, standing, older)
        seen = case.seen
        judged = Judged(with_policy, random_id(), seen.facts, seen.verdict, standing, until)
        self._note(case, judged, events)
        turn = next_turn(policy, seen.found, standing, case.measures, version=version, older=older)
        days = [turn, next_due(policy, case.seen.recorded, day)]
        due = min((each for each in days if each is not None), default=None)
        return Stand(standing, judged.decision, client.facts_version, version, due, judged)

    def _case(self, client: Decidee, stand: Stand, with_policy: PolicyInForce, day: date) -> Case:
        """Look at all that a decision on a date depends on."""
        before = self._lineage.carried(stand.standing, stand.version, with_policy)
        earlier = settled_on(with_policy.policy, day)
        return Case(
            client,
            stand.decision,
            before,
            self._lineage.carried_measures(client.measures, with_policy),
            Seen.of(with_policy, client, day, before),
            Seen.of(with_policy, client, earlier, before) if earlier else None,
            self._former(client, before, with_policy, day),
        )

    def _former(
        self, client: Decidee, before: Standing | None, with_policy: PolicyInForce, day: date
    ) -> dict[int, Seen]:
        """Return what the facts say by the older versions that still judge the client."""
        if before is None:
            return {}
        needed = versions_needed(with_policy.policy, with_policy.number, before)
        versions = {each: self._rulebook.version(self._act.session, each) for each in needed}
        return {each: Seen.of(one, client, day, before) for each, one in versions.items()}

    def _note(self, case: Case, judged: Judged, events: tuple[Event, ...]) -> None:
        """Note a decision, what happened by it, what the history keeps, and who is to be told."""
        decision, day, in_force = judged.decision, judged.day, judged.in_force
        self._decisions.append(
            {
                "id": decision,
                "client_id": case.client.id,
                "day": day,
                "at": self._act.at,
                "policy_version": in_force.number,
                "entitled": judged.entitled,
                "held": judged.standing.tier,
                "tier": judged.tier,
            }
        )
        self._events += [
            (decision, case.client.id, day, each.kind, each.tier, each.before, list(each.benefits))
            for each in events
        ]
        policy = {"version": in_force.number, "digest": judged.policy.digest}
        details = {"day": day.isoformat(), "policy": policy}
        said = canonical_bytes(case.said(judged, events, self._today))
        inputs = [Input(case.client.subject, said)]
        self._entries.append(Entry("client.decided", f"decision:{decision}", details, inputs))
        if events:
            self._changes.append(case.change(judged, events, self._today))

    def _row(self, client: Decidee, stand: Stand, judged: Judged) -> StandingRow:
        """Write how a client stands now, with the answer ready."""
        row = {
            "client_id": client.id,
            "tier": judged.tier,
            "held": judged.standing.tier,
            "state": judged.state,
            "since": judged.standing.since,
            "deadline": judged.deadline,
            "as_of": judged.day,
            "next_due": stand.next_due,
            "policy_version": judged.in_force.number,
            "policy_digest": judged.policy.digest,
            "facts_version": client.facts_version,
            "decision_id": judged.decision,
            "basis": write_standing(judged.standing),
            "answer": dumps(standing_answer(client.reference, judged, self._words)),
        }
        self._rows[client.row is None].append(row)
        return StandingRow(**row)

    def stored(self, client_ids: Collection[int]) -> Decided:
        """Store what was decided, and return it; who is not there has been erased."""
        session, found = self._act.session, self._found
        if self._decisions:
            session.execute(insert(Decision), self._decisions)
            insert_rows(session, StandingEvent, _EVENT, self._events)
            for is_new, statement in ((True, insert(StandingRow)), (False, update(StandingRow))):
                if self._rows[is_new]:
                    session.execute(statement, self._rows[is_new])
            announce(self._act, self._changes)
            issue(self._act, self._changes)
            record(self._act, *self._entries)
        for gone in set(client_ids).difference(found.standings, found.failed):
            found.failed[gone] = _ERASED
        found.events.update(kind for _, _, _, kind, *_ in self._events)
        decided = {each["client_id"] for each in self._decisions}
        good = len(found.standings.keys() - decided)
        return replace(found, decided=len(self._decisions), already_good=good)


_EVENT = ("decision_id", "client_id", "day", "kind", "tier", "before", "benefits")
