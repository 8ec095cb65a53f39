"""How clients stand: decided by the policy in force, recorded, and kept ready to be told.

Grounds and demotion are not carried out yet: the tier held is the one the facts give, or, where
that cannot be said, at least the one held before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.models import Activity, AttributeValue, Client, Decision, Standing, Subject
from app.services.answers import Writer
from app.services.errors import NotThere
from app.services.evaluations import Stored
from app.services.history import Act, Entry, Input, SubjectKey, random_id, read_input, record
from app.services.policies import PolicyInForce
from app.services.rulebook import Rulebook
from app.words import Words
from rules import measure
from rules.document.strict_json import canonical_bytes, dumps
from rules.due import next_due
from rules.engine import EngineFailure
from rules.facts import too_large, write_value
from rules.judge import Disagreement
from rules.measure import CannotMeasure, Statement
from rules.messages import Message
from rules.policy import Facts, Policy
from rules.vocabulary import MetricType, Value

NO_AGREEMENT = Message("The evaluators failed to agree on an answer; it has been recorded.")
"""What a reader is told of it; the facts it was about are for the log only."""


class NoTier(Exception):
    """No tier can be named for a client, and none was before; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Decided:
    """What an evaluation of clients came to.

    ``standings`` are those now good, by client id, whether decided here or just before by
    somebody else; ``failed`` says of whom no tier could be named, and why.
    """

    standings: dict[int, Standing] = field(default_factory=dict)
    decided: int = 0
    failed: dict[int, Message] = field(default_factory=dict)
    failures: list[EngineFailure | Disagreement] = field(default_factory=list)


def is_good(standing: Standing | None, facts_version: int, version: int | None, day: date) -> bool:
    """Tell whether a standing can be told on a business date without deciding again."""
    return (
        standing is not None
        and standing.facts_version == facts_version
        and standing.policy_version == version
        and standing.as_of <= day
        and (standing.next_due is None or day < standing.next_due)
    )


def decide(
    act: Act, rulebook: Rulebook, client_ids: Collection[int], day: date, words: Words
) -> tuple[PolicyInForce, Decided]:
    """Decide about those of these clients whose standing is not good any more.

    Whoever comes second to a client, on the same date, by the same policy and with the same
    facts, finds it decided.

    :raises NoPolicy, PolicyUnusable: if there is nothing to decide by.
    """
    session, found = act.session, Decided()
    clients = session.execute(
        select(Client.id, Client.reference, Client.subject, Client.facts_version, Subject.key)
        .join(Subject, Subject.id == Client.subject)
        .where(Client.id.in_(client_ids))
        .order_by(Client.id)
        .with_for_update(of=Client)
    ).all()
    in_force = rulebook.in_force(session)
    held = {
        each.client_id: each
        for each in session.execute(
            select(Standing).where(Standing.client_id.in_(client_ids))
        ).scalars()
    }
    open_ = []
    for client in clients:
        standing = held.get(client.id)
        if standing and is_good(standing, client.facts_version, in_force.number, day):
            found.standings[client.id] = standing
        else:
            open_.append(client)
    for gone in set(client_ids).difference(client.id for client in clients):
        found.failed[gone] = Message("Nothing is decided about a client who has been erased.")
    recorded = recorded_of(session, [client.id for client in open_])
    decisions: list[dict[str, Any]] = []
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    entries: list[Entry] = []
    for client in open_:
        standing, known = held.get(client.id), recorded[client.id]
        try:
            answer = _Answer.of(in_force, measured(in_force.policy, known, day), day, standing)
            text = answer.written(in_force, client.reference, words)
        except CannotMeasure as error:
            found.failed[client.id] = error.message
            continue
        except (EngineFailure, Disagreement) as error:
            found.failed[client.id] = NO_AGREEMENT
            found.failures.append(error)
            continue
        decisions.append(
            {
                "id": answer.decision,
                "client_id": client.id,
                "day": day,
                "at": act.at,
                "policy_version": in_force.number,
                "held": standing.tier if standing else None,
                "entitled": answer.entitled,
                "tier": answer.tier,
            }
        )
        details = {
            "day": day.isoformat(),
            "policy": {"version": in_force.number, "digest": in_force.policy.digest},
        }
        said = canonical_bytes(answer.said(in_force.policy))
        inputs = [Input(SubjectKey(client.subject, client.key), said)]
        entries.append(Entry("client.decided", f"decision:{answer.decision}", details, inputs))
        row = {
            "client_id": client.id,
            "tier": answer.tier,
            "since": answer.since,
            "as_of": day,
            "next_due": next_due(in_force.policy, known, day),
            "policy_version": in_force.number,
            "policy_digest": in_force.policy.digest,
            "facts_version": client.facts_version,
            "decision_id": answer.decision,
            "answer": text,
        }
        (added if standing is None else changed).append(row)
        found.standings[client.id] = Standing(**row)
    if decisions:
        session.execute(insert(Decision), decisions)
        for statement, rows in ((insert(Standing), added), (update(Standing), changed)):
            if rows:
                session.execute(statement, rows)
        record(act, *entries)
    return in_force, Decided(found.standings, len(decisions), found.failed, found.failures)


def tell(
    session: Session, rulebook: Rulebook, reference: str, standing: Standing, words: Words
) -> str:
    """Return a standing's answer in other words than those it is kept ready in.

    :raises LookupError: if what it was decided from has been erased.
    """
    in_force = rulebook.version(session, standing.policy_version)
    subject = session.execute(
        select(Client.subject).where(Client.id == standing.client_id)
    ).scalar_one()
    said = read_input(session, f"decision:{standing.decision_id}", subject)
    if said is None:
        raise LookupError(standing.decision_id)
    answer = _Answer(
        unpacked(in_force.policy, said["facts"]),
        standing.as_of,
        standing.tier,
        standing.since,
        said["entitled"],
        standing.decision_id,
    )
    return answer.written(in_force, reference, words)


@dataclass(frozen=True, slots=True)
class _Answer:
    """One decision, and all that is told of it."""

    facts: Facts
    day: date
    tier: str
    since: date
    entitled: str | None
    decision: str

    @classmethod
    def of(
        cls, in_force: PolicyInForce, facts: Facts, day: date, standing: Standing | None
    ) -> _Answer:
        verdict = in_force.judge.judge(facts)
        keys = [tier.key for tier in in_force.policy.tiers]
        place = verdict.tier
        if verdict.open_tiers and standing is not None and standing.tier in keys:
            place = max(place, keys.index(standing.tier))  # undetermined: nothing is lost
        since = standing.since if standing and standing.tier == keys[place] else day
        entitled = None if verdict.open_tiers else keys[verdict.tier]
        return cls(facts, day, keys[place], since, entitled, random_id())

    def said(self, policy: Policy) -> dict[str, Any]:
        """Return what the history keeps of the decision, for the client's eyes."""
        return {
            "facts": packed(policy, self.facts),
            "entitled": self.entitled,
            "tier": self.tier,
        }

    def written(self, in_force: PolicyInForce, reference: str, words: Words) -> str:
        policy = in_force.policy
        verdict = in_force.judge.judge(self.facts)
        explained = in_force.explainer.explain(self.facts, verdict, self.day, self.tier)
        write, tier = Writer(policy, words), policy.tier(self.tier)
        promised = {
            *tier.standards,
            *(key for segment in explained.segments for key in segment.standards),
        }
        return dumps(
            {
                "client": reference,
                "tier": write.named(tier.key, tier.name),
                "since": self.since.isoformat(),
                "entitled": None
                if self.entitled is None
                else write.named(self.entitled, policy.tier(self.entitled).name),
                "undetermined": write.undetermined(explained),
                "as_of": self.day.isoformat(),
                "segments": [write.named(each.key, each.name) for each in explained.segments],
                "benefits": [write.named(each.key, each.name) for each in tier.benefits],
                "standards": [
                    {
                        **write.named(each.key, each.name),
                        "answers": each.answers,
                        "promise": {"kind": each.promise.kind, **each.promise.terms},
                    }
                    for each in policy.standards
                    if each.key in promised
                ],
                "reasons": write.reasons(explained),
                "next_tier": write.way(explained.next_tier),
                "to_stay": write.way(explained.to_stay),
                "sentences": write.sentences(explained),
                "policy": {"version": in_force.number, "digest": policy.digest},
                "decision": self.decision,
            }
        )


def measured(policy: Policy, client: measure.Client, day: date) -> dict[str, Value]:
    """Return a client's facts on a business date.

    :raises CannotMeasure: if what is recorded does not fit the policy.
    """
    facts = measure.measure(policy, client, day)
    for problem in too_large(policy, facts):
        raise CannotMeasure(problem.path, problem.message)
    return facts


def recorded_of(session: Session, client_ids: Sequence[int]) -> Mapping[int, measure.Client]:
    """Return what is recorded of clients, without what was taken out again."""
    statements: dict[int, dict[str, list[Statement]]] = defaultdict(dict)
    rows = session.execute(
        select(
            AttributeValue.client_id, AttributeValue.name, AttributeValue.day, AttributeValue.value
        )
        .where(AttributeValue.client_id.in_(client_ids))
        .order_by(AttributeValue.day, AttributeValue.id)
    )
    for client_id, name, day, value in rows:
        statements[client_id].setdefault(name, []).append(Statement(day, value))
    happened: dict[int, list[tuple[tuple[str, str], measure.Activity]]] = defaultdict(list)
    voided: set[tuple[str, str]] = set()
    rows = session.execute(
        select(
            Activity.client_id,
            Activity.source,
            Activity.external_id,
            Activity.voids,
            Activity.kind,
            Activity.day,
            Activity.amount,
            Activity.quantity,
            Activity.product,
            Activity.channel,
            Activity.attributes,
        )
        .where(Activity.client_id.in_(client_ids))
        .order_by(Activity.day, Activity.id)
    )
    for client_id, source, name, voids, *said, attributes in rows:
        if voids is not None:
            voided.add((source, voids))
        else:
            activity = measure.Activity(*said, attributes or {})  # type: ignore[call-arg]  # as the columns are
            happened[client_id].append(((source, name), activity))
    return {
        each: measure.Client(
            statements.get(each, {}),
            [activity for name, activity in happened.get(each, ()) if name not in voided],
        )
        for each in client_ids
    }


def stored(session: Session, references: Collection[str]) -> dict[str, Stored]:
    """Return, of those of these clients that there are, what is recorded and the tier held."""
    if not references:
        return {}
    rows = session.execute(
        select(Client.id, Client.reference, Standing.tier)
        .outerjoin(Standing, Standing.client_id == Client.id)
        .where(Client.reference.in_(references))
    ).all()
    recorded = recorded_of(session, [each.id for each in rows])
    return {each.reference: Stored(recorded[each.id], each.tier) for each in rows}


def packed(policy: Policy, facts: Facts) -> dict[str, object]:
    """Write facts so that they can be read again exactly; what lies between steps as n/d."""
    return {
        key: f"{value.numerator}/{value.denominator}"
        if isinstance(value, Fraction)
        else write_value(policy.metrics[key], value)
        if isinstance(value, date)
        else value
        for key, value in facts.items()
    }


def unpacked(policy: Policy, written: Mapping[str, Any]) -> dict[str, Value]:
    """Read what :func:`packed` wrote."""
    facts: dict[str, Value] = {}
    for key, value in written.items():
        match policy.metrics[key].type:
            case MetricType.DATE:
                facts[key] = date.fromisoformat(value)
            case MetricType.CHOICE:
                facts[key] = value
            case _:
                facts[key] = Fraction(value) if isinstance(value, str) else value
    return facts


def tiers_on(
    session: Session, rulebook: Rulebook, day: date, progress: Any = lambda _: None
) -> tuple[PolicyInForce, dict[str, int], dict[str, Message]]:
    """Count what tiers all clients' facts give on a business date, by the policy in force.

    Nothing is recorded.  ``None`` counts the undetermined; the messages say, by reference, of
    whom no tier could be named.
    """
    in_force = rulebook.in_force(session)
    keys = [tier.key for tier in in_force.policy.tiers]
    counts: dict[str, int] = {**dict.fromkeys(reversed(keys), 0)}
    failed: dict[str, Message] = {}
    last = 0
    while True:
        clients = session.execute(
            select(Client.id, Client.reference)
            .where(Client.id > last)
            .order_by(Client.id)
            .limit(1000)
        ).all()
        if not clients:
            return in_force, counts, failed
        recorded = recorded_of(session, [each.id for each in clients])
        for client in clients:
            try:
                facts = measured(in_force.policy, recorded[client.id], day)
                verdict = in_force.judge.judge(facts)
            except (CannotMeasure, EngineFailure, Disagreement) as error:
                failed[client.reference] = error.message
                continue
            key = UNDETERMINED if verdict.open_tiers else keys[verdict.tier]
            counts[key] = counts.get(key, 0) + 1
        last = clients[-1].id
        progress(len(clients))


UNDETERMINED = "undetermined"


def number_of_clients(session: Session) -> int:
    """Return how many clients there are."""
    return session.execute(select(func.count()).select_from(Client)).scalar_one()


def decision_named(
    session: Session, rulebook: Rulebook, name: str
) -> tuple[Decision, Client, PolicyInForce, dict[str, Value] | None]:
    """Return a recorded decision, whose it was, by which policy, and its facts.

    The facts are None where the client has been erased.

    :raises NotThere: if there is none of this id.
    """
    decision = session.get(Decision, name)
    if decision is None:
        raise NotThere("There is no decision %(id)s.", id=name)
    client = session.get_one(Client, decision.client_id)
    in_force = rulebook.version(session, decision.policy_version)
    said = read_input(session, f"decision:{name}", client.subject)
    facts = None if said is None else unpacked(in_force.policy, said["facts"])
    return decision, client, in_force, facts
