"""A client tried out: on a draft and on the policy in force, side by side, and nothing stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Decision
from app.models import Standing as StandingRow
from app.services.basis import read_standing
from app.services.clients import client_named, key_of
from app.services.errors import Invalid
from app.services.evaluations import Question, answer_for, read_question
from app.services.places import has_ranks, places_of
from app.services.policies import PolicyInForce
from app.services.recorded import Known, measured
from app.services.rulebook import Lineage, NoPolicy, Rulebook
from app.words import Words
from rules import measure
from rules.decide import decide, settled_on
from rules.document import Problem
from rules.engine import EngineFailure
from rules.facts import FactsInvalid
from rules.judge import Disagreement
from rules.measure import CannotMeasure
from rules.messages import Message
from rules.policy import Facts, Metric, Policy, Rank
from rules.standing import Event, Findings, Standing
from rules.transition import carry_over
from rules.windows import DAY, add_months

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """What one policy makes of a client: its answer as the API gives it, or why there is none."""

    answer: Answer | None
    why: Message | None = None


@dataclass(frozen=True, slots=True)
class Both:
    """What the policy in force and the draft say of one thing; None where one does not have it."""

    in_force: Answer | None
    draft: Answer | None
    differs: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """A client under a draft, and under the policy in force if one is.

    ``tiers`` are those of both, ``reasons`` the conditions of both, each beside its like.
    """

    day: date
    draft: Side
    in_force: Side | None
    tiers: tuple[Both, ...]
    reasons: tuple[Both, ...]

    @property
    def differs(self) -> bool:
        """Whether the draft gives another tier."""
        return self.in_force is not None and _tier(self.draft) != _tier(self.in_force)


class Trying:
    """A draft, and the policy in force if one is, to try clients on."""

    def __init__(self, session: Session, rulebook: Rulebook, draft: PolicyInForce) -> None:
        self._session, self._rulebook, self._draft = session, rulebook, draft
        try:
            self._in_force: PolicyInForce | None = rulebook.in_force(session)
        except NoPolicy:
            self._in_force = None

    def client(self, reference: str, day: date, words: Words) -> Tried:
        """Try a client of the company, on what is recorded of them.

        :raises NotThere: if there is no such client.
        :raises NotActionable: if the client has been erased.
        """
        subject = self._subject(reference)
        by = self._in_force
        before = None if by is None else subject.judged(by, day, words)
        return _beside(day, subject.judged(self._draft, day, words), before)

    def facts(self, stated: Mapping[str, object], day: date, words: Words) -> Tried:
        """Try an invented client on stated facts, as JSON writes them.

        The policy in force is told those of them that it measures alike.

        :raises Invalid: naming each fact that does not fit the draft.
        """
        try:
            of_draft = _stated(self._draft, stated, day, words)
        except FactsInvalid as error:
            raise Invalid(
                Problem(each.path.removeprefix("facts."), each.message) for each in error.problems
            ) from error
        if self._in_force is None:
            return _beside(day, of_draft, None)
        known, metrics = self._in_force.policy.metrics, self._draft.policy.metrics
        alike = {
            key: value
            for key, value in stated.items()
            if key in known and _kind(known[key]) == _kind(metrics[key])
        }
        return _beside(day, of_draft, _stated(self._in_force, alike, day, words))

    def past_year(self, reference: str, day: date) -> Year:
        """Rehearse the year that ends on a day, date by date, on what is recorded now.

        The year before it is rehearsed as well, so that the client comes in with what was earned
        then.  Nothing that people decided beside the rules is taken into account.

        :raises NotThere: if there is no such client.
        :raises NotActionable: if the client has been erased.
        """
        subject = self._subject(reference)
        first = add_months(day, -12) + DAY
        stood, events, unmeasured = _rehearsed(subject, self._draft, add_months(first, -12), day)
        rows = self._session.execute(
            select(Decision.day, Decision.held)
            .where(Decision.client_id == subject.client.id, Decision.day <= day)
            .order_by(Decision.day, Decision.at)
        )
        return Year(
            first,
            day,
            tuple(_since(first, stood)),
            tuple(_since(first, ((each.day, each.held) for each in rows))),
            tuple(each for each in events if each.day >= first),
            sum(each >= first for each in unmeasured),
        )

    def _subject(self, reference: str) -> _Subject:
        return _Subject(self._session, self._rulebook, self._in_force, reference)


def _stated(by: PolicyInForce, stated: Mapping[str, object], day: date, words: Words) -> Side:
    question, facts = read_question(by.policy, {"facts": dict(stated)}, day)
    return _side(by, question, facts, words)


def _kind(metric: Metric) -> object:
    """Return what two metrics share of which one value can be a fact."""
    return metric.type, metric.places, metric.unit, tuple(metric.options)


def _side(by: PolicyInForce, question: Question, facts: Facts, words: Words) -> Side:
    try:
        return Side(answer_for(by, question, facts, words))
    except (EngineFailure, Disagreement) as error:
        return Side(None, error.message)


class _Subject:
    """A client of the company, as they are recorded."""

    def __init__(
        self, session: Session, rulebook: Rulebook, in_force: PolicyInForce | None, reference: str
    ) -> None:
        client = client_named(session, reference)
        key_of(session, client)
        self.client, self._session, self._in_force = client, session, in_force
        self._known, self._lineage = Known(session, [client.id]), Lineage(session, rulebook)

    def judged(self, by: PolicyInForce, day: date, words: Words) -> Side:
        before = self._before(by)
        try:
            facts = measured(by.policy, self.recorded(by, day), day, before)
        except CannotMeasure as error:
            return Side(None, error.message)
        held = None if before is None else before.tier
        question = Question(day, client=self.client.reference, held=held)
        return _side(by, question, facts, words)

    def recorded(self, by: PolicyInForce, day: date) -> measure.Client:
        """Return what a policy measures the client by; no draft has fixed any places."""
        recorded = self._known.on(by, self.client.id, day)
        if by is self._in_force or self._in_force is None or not has_ranks(by.policy):
            return recorded
        number = self._in_force.number
        places = places_of(self._session, [self.client.id], number, day).get(self.client.id, {})
        alike = _ranked_alike(self._in_force.policy, by.policy)
        return replace(recorded, ranks={key: places[key] for key in places if key in alike})

    def _before(self, by: PolicyInForce) -> Standing | None:
        """Return how the client stands, by the tiers of a policy; None if it lacks one of them."""
        row = self._session.execute(
            select(StandingRow.basis, StandingRow.policy_version).where(
                StandingRow.client_id == self.client.id
            )
        ).first()
        if row is None or self._in_force is None:
            return None
        standing = read_standing(row.basis)
        carried = self._lineage.carried(standing, row.policy_version, self._in_force)
        if carried is None or by is self._in_force:
            return carried
        try:
            return carry_over(carried, by.policy)
        except ValueError:  # a draft that does not say yet what takes the place of a tier
            return None


def _ranked_alike(former: Policy, policy: Policy) -> frozenset[str]:
    """Return the ranks of a draft that everybody has by the policy in force as well."""

    def definition(of: Policy, key: str) -> object:
        found = of.metrics.get(key)
        ranked = found.source.metric if found and isinstance(found.source, Rank) else None
        return found, ranked and of.metrics[ranked]

    return frozenset(
        key
        for key, each in policy.metrics.items()
        if isinstance(each.source, Rank) and definition(former, key) == definition(policy, key)
    )


# -- side by side ----------------------------------------------------------------------------------


def _beside(day: date, draft: Side, in_force: Side | None) -> Tried:
    return Tried(
        day,
        draft,
        in_force,
        tuple(_pairs(in_force, draft, "tiers", _tier_place, ("qualifies", "keeps"))),
        tuple(_pairs(in_force, draft, "conditions", _condition_place, ("met", "limit", "value"))),
    )


def _tier(side: Side) -> object:
    return side.answer and (side.answer["tier"] or {"undetermined": side.answer["undetermined"]})


def _tier_place(tier: Answer) -> object:
    return tier["key"]


def _condition_place(reason: Answer) -> object:
    owner = next(reason[each] for each in ("tier", "segment", "demotion_policy") if each in reason)
    return reason["criteria"], owner, reason["condition"], reason["operator"]


def _pairs(
    in_force: Side | None, draft: Side, part: str, place: Any, compared: tuple[str, ...]
) -> Iterator[Both]:
    """Yield what both say, the draft's order first; the nth of a place beside the nth."""
    before = _placed(in_force, part, place)
    after = _placed(draft, part, place)
    for each in dict.fromkeys((*after, *before)):
        one, other = before.get(each), after.get(each)
        same = one is not None and other is not None and all(one[k] == other[k] for k in compared)
        yield Both(one, other, differs=in_force is not None and not same)


def _placed(side: Side | None, part: str, place: Any) -> dict[object, Answer]:
    if side is None or side.answer is None:
        return {}
    seen: Counter[object] = Counter()
    found = dict[object, Answer]()
    for each in side.answer[part]:
        seen[place(each)] += 1
        found[place(each), seen[place(each)]] = each
    return found


# -- the past year ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Year:
    """A client's past year under a draft: how they would have stood from when, and what happened.

    ``held`` and ``decided`` begin on the first day, with what was held then; ``decided`` is how
    the client really stood, and begins later where nothing was decided before.
    """

    first: date
    last: date
    held: tuple[tuple[date, str], ...]
    decided: tuple[tuple[date, str], ...]
    events: tuple[Event, ...]
    unmeasured: int


def _rehearsed(
    subject: _Subject, draft: PolicyInForce, first: date, last: date
) -> tuple[list[tuple[date, str]], list[Event], list[date]]:
    policy, standing = draft.policy, None
    stood, events, unmeasured = list[tuple[date, str]](), list[Event](), list[date]()
    known: dict[date | None, Findings] = {}
    for n in range((last - first).days + 1):
        day = first + n * DAY
        try:
            facts = measured(policy, subject.recorded(draft, day), day, standing)
        except CannotMeasure:
            unmeasured.append(day)
            continue
        found = known[day] = Findings.of(policy, draft.judge.judge(facts), facts)
        settled = known.get(settled_on(policy, day))
        standing, happened = decide(policy, found, standing, day, settled=settled)
        stood.append((day, standing.tier))
        events += happened
    return stood, events, unmeasured


def _since(first: date, stood: Iterable[tuple[date, str]]) -> Iterator[tuple[date, str]]:
    """Yield what was held on a day, and from when on something else was."""
    held: str | None = None
    waiting: tuple[date, str] | None = None
    for day, tier in stood:
        if day <= first:
            waiting = (first, tier)
            continue
        if waiting is not None:
            yield waiting
            held, waiting = waiting[1], None
        if tier != held:
            yield day, tier
            held = tier
    if waiting is not None:
        yield waiting
