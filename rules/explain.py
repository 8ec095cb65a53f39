"""Why an answer is what it is: every condition, every tier, the nearest ways up and to stay.

What people read is made here as :class:`~rules.messages.Message`: a template and what goes into
it.  Names and values go in as :class:`Named` and :class:`Shown`; the application writes them as
the reader's language does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.criteria import Condition, Criteria, Group, NoneOf, QualifiesFor
from rules.judge import Judge
from rules.messages import Listed, Message
from rules.policy import (
    Activities,
    Attribute,
    AttributeHistory,
    DemotionPolicy,
    Facts,
    Metric,
    Part,
    Policy,
    Rank,
    Root,
    Segment,
    Tier,
)
from rules.sentences import Named, Shown, called, shown, wanted
from rules.verdict import Outcome, Verdict
from rules.vocabulary import KNOWNESS, Missing, Value
from rules.ways import Step, counted, nearest_way, shortfall
from rules.windows import last_day


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition, as it stands for this client.

    ``met`` is the condition's own outcome.  ``helps`` is False where its being met speaks
    against the client, inside a *none of*.  ``shortfall`` is in the metric's smallest steps:
    positive where more is needed, negative where less; None where nothing is, or nothing
    countable.
    """

    root: Root
    condition: Condition
    helps: bool
    value: Value | None
    met: Outcome
    shortfall: int | None
    sentence: Message


@dataclass(frozen=True, slots=True)
class Way:
    """What would have to change for a tier to be reached or kept.

    ``steps`` is empty where nothing has to, None where no way was found.  ``by`` is the last
    day on which it still counts, where there is one.
    """

    tier: Tier
    steps: tuple[Step, ...] | None
    by: date | None
    sentence: Message


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer and its reasons.

    ``tier`` is None where the answer is undetermined; ``at_least`` then still names the highest
    tier that holds, and ``missing`` the metrics that would have to be known.
    """

    tier: Tier | None
    at_least: Tier
    missing: tuple[str, ...]
    qualifies: dict[str, Outcome]
    keeps: dict[str, Outcome]
    segments: tuple[Segment, ...]
    reasons: tuple[Reason, ...]
    next_tier: Way | None
    to_stay: Way | None
    sentences: tuple[Message, ...]


class Explainer:
    """Explains what a judge decides; what no client comes into is put into words once."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._questions = tuple(_questions(judge.policy))

    def explain(
        self, facts: Facts, verdict: Verdict, day: date, held: str | None = None
    ) -> Explanation:
        """Explain a verdict on these facts on a business date.

        :param held: the key of the tier held until now; without it the one the facts give.
        """
        policy = self._judge.policy
        at_least = policy.tiers[verdict.tier]
        tier = None if verdict.open_tiers else at_least
        outcomes = {(root.part, root.owner): verdict.outcomes[root.place] for root in policy.roots}
        qualifies = {each.key: outcomes.get(("entry", each.key), True) for each in policy.tiers}
        missing = lacking(policy, verdict)
        stands = policy.tier(held) if held is not None else at_least
        to_stay = _way_to_stay(self._judge, facts, day, stands)
        next_tier = _way_up(self._judge, facts, day, stands)
        return Explanation(
            tier=tier,
            at_least=at_least,
            missing=missing,
            qualifies=qualifies,
            keeps={key: outcomes.get(("keep", key), entry) for key, entry in qualifies.items()},
            segments=tuple(each for each in policy.segments if outcomes["segment", each.key]),
            reasons=tuple(
                _reason(policy, question, facts, verdict.outcomes[question.place])
                for question in self._questions
            ),
            next_tier=next_tier,
            to_stay=to_stay,
            sentences=(
                _answer(policy, tier, at_least, missing),
                *(way.sentence for way in (to_stay, next_tier) if way is not None),
            ),
        )


# -- conditions ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Question:
    """One condition of a policy, put into words as far as no client comes into it."""

    root: Root
    condition: Condition
    place: int
    helps: bool
    metric: Metric
    name: Named | Message
    asked: Message


def _questions(policy: Policy) -> Iterator[_Question]:
    for root in policy.roots:
        for place, (node, helps) in enumerate(_nodes(root.criteria, True), root.place):
            if isinstance(node, Condition):
                metric = policy.metrics[node.metric]
                asked = _asked(policy, root, node, helps)
                yield _Question(root, node, place, helps, metric, called(metric), asked)


def _nodes(node: Criteria, helps: bool) -> Iterator[tuple[Criteria, bool]]:
    """Yield the nodes as the verdict numbers them, and whether each one's truth helps."""
    yield node, helps
    if isinstance(node, Group):
        for part in node.parts:
            yield from _nodes(part, helps is not isinstance(node, NoneOf))


def _reason(policy: Policy, question: _Question, facts: Facts, met: Outcome) -> Reason:
    metric, condition, helps = question.metric, question.condition, question.helps
    fact = facts.get(metric.key)
    value = fact if condition.operator in KNOWNESS else counted(metric, fact)
    short = shortfall(metric, condition, helps, fact) if met is (not helps) else None
    return Reason(
        question.root,
        condition,
        helps,
        value,
        met,
        short,
        _how_it_stands(policy, question, value, met, short),
    )


def _how_it_stands(
    policy: Policy, question: _Question, value: Value | None, met: Outcome, short: int | None
) -> Message:
    """Say how one condition stands, whom it belongs to, and what is missing."""
    name, asked = question.name, question.asked
    known: Message | Shown
    if question.condition.operator in KNOWNESS:
        known = Message("known") if value is not None else Message("not known")
    elif value is None:
        return Message("%(metric)s is not known; %(asked)s.", metric=name, asked=asked)
    else:
        known = shown(policy, question.metric, value)
    if met is question.helps:
        return Message(
            "%(metric)s is %(value)s; %(asked)s: fulfilled.", metric=name, value=known, asked=asked
        )
    if short is None:
        return Message(
            "%(metric)s is %(value)s; %(asked)s: not fulfilled.",
            metric=name,
            value=known,
            asked=asked,
        )
    by = shown(policy, question.metric, abs(short), difference=True)
    if short > 0:
        return Message(
            "%(metric)s is %(value)s; %(asked)s: %(by)s short.",
            metric=name,
            value=known,
            asked=asked,
            by=by,
        )
    return Message(
        "%(metric)s is %(value)s; %(asked)s: %(by)s too much.",
        metric=name,
        value=known,
        asked=asked,
        by=by,
    )


def _asked(policy: Policy, root: Root, condition: Condition, helps: bool) -> Message:
    """Say whose condition it is, and what it asks for."""
    owner, asks = _owner(policy, root), wanted(policy, condition)
    if not helps:
        return Message("%(wanted)s speaks against %(owner)s", wanted=asks, owner=owner)
    match root.part:
        case "entry":
            return Message("%(owner)s asks for %(wanted)s", owner=owner, wanted=asks)
        case "keep":
            return Message("keeping %(owner)s asks for %(wanted)s", owner=owner, wanted=asks)
        case "segment":
            return Message("“%(owner)s” means %(wanted)s", owner=owner, wanted=asks)
        case "unless":
            return Message(
                "“%(owner)s” makes an exception for %(wanted)s", owner=owner, wanted=asks
            )


def _owner(policy: Policy, root: Root) -> Named:
    owners: Sequence[Tier | Segment | DemotionPolicy] = policy.tiers
    if root.part == "segment":
        owners = policy.segments
    elif root.part == "unless":
        owners = policy.demotion_policies
    return next(Named(each.name) for each in owners if each.key == root.owner)


# -- the answer ------------------------------------------------------------------------------


def _answer(policy: Policy, tier: Tier | None, at_least: Tier, missing: Sequence[str]) -> Message:
    if tier is not None:
        return Message("The tier is %(tier)s.", tier=Named(tier.name))
    return Message(
        "Which tier it is cannot be said until %(metrics)s is known; at least %(tier)s holds.",
        metrics=Listed(tuple(called(policy.metrics[key]) for key in missing)),
        tier=Named(at_least.name),
    )


def lacking(policy: Policy, verdict: Verdict) -> tuple[str, ...]:
    """Return the metrics without which it cannot be said whether a higher tier holds."""
    roots = {root.owner: root for root in policy.roots if root.part == "entry"}
    tiers = dict.fromkeys(policy.tiers[place].key for place in verdict.open_tiers)
    metrics: dict[str, None] = {}
    waiting = list(tiers)
    while waiting:
        root = roots[waiting.pop(0)]
        for node in _unknown(root.criteria, iter(verdict.outcomes[root.place :]), True):
            if isinstance(node, QualifiesFor) and node.tier not in tiers:
                tiers[node.tier] = None
                waiting.append(node.tier)
            elif isinstance(node, Condition):
                metrics[node.metric] = None
    return tuple(key for key in metrics if policy.metrics[key].missing is Missing.CANNOT_DECIDE)


def _unknown(node: Criteria, outcomes: Iterator[Outcome], matters: bool) -> Iterator[Criteria]:
    """Yield the nodes that are unknown and lie in nothing that is known."""
    matters = next(outcomes) is None and matters
    if matters:
        yield node
    if isinstance(node, Group):
        for part in node.parts:
            yield from _unknown(part, outcomes, matters)


# -- ways ------------------------------------------------------------------------------------


def _way_up(judge: Judge, facts: Facts, day: date, stands: Tier) -> Way | None:
    """Return the nearest way to the next tier up, or a higher one if that has no way."""
    tiers = judge.policy.tiers
    first = None
    for tier in tiers[tiers.index(stands) + 1 :]:
        way = _way(judge, facts, day, tier, ("entry",))
        if way.steps is not None:
            return way
        first = first or way
    return first


def _way_to_stay(judge: Judge, facts: Facts, day: date, stands: Tier) -> Way | None:
    if stands.entry is None:
        return None
    return _way(judge, facts, day, stands, ("keep", "entry"))


def _way(judge: Judge, facts: Facts, day: date, tier: Tier, parts: tuple[Part, ...]) -> Way:
    policy = judge.policy
    roots = {root.part: root for root in policy.roots if root.owner == tier.key}
    root = next(roots[part] for part in parts if part in roots)
    steps = nearest_way(policy, judge.reference, facts, root)
    ends = [_last_day(policy, step.metric, day) for step in steps or ()]
    by = min((end for end in ends if end is not None), default=None)
    return Way(tier, steps, by, _what_is_missing(policy, tier, parts[0] == "keep", steps, by))


def _last_day(policy: Policy, key: str, day: date) -> date | None:
    """Return the last day on which a metric's present window still takes something in."""
    source: Any = policy.metrics[key].source
    if isinstance(source, Activities | AttributeHistory):
        return last_day(source.window, day)
    if isinstance(source, Attribute | Rank):
        return None
    inputs = [getattr(source, name, None) for name in ("numerator", "metric")]
    inputs += [term for term, _ in getattr(source, "terms", ())]
    ends = [_last_day(policy, each, day) for each in inputs if each is not None]
    return min((end for end in ends if end is not None), default=None)


def _what_is_missing(
    policy: Policy, tier: Tier, keep: bool, steps: tuple[Step, ...] | None, by: date | None
) -> Message:
    """Say what is missing for a tier, or to keep it."""
    name = Named(tier.name)
    if steps is None:
        return (
            Message("No set of changes to the figures keeps %(tier)s.", tier=name)
            if keep
            else Message("No set of changes to the figures leads to %(tier)s.", tier=name)
        )
    if not steps:
        return (
            Message("Nothing is missing to keep %(tier)s.", tier=name)
            if keep
            else Message("Nothing is missing for %(tier)s.", tier=name)
        )
    parts = Listed(tuple(_what_has_to_change(policy, step) for step in steps))
    if by is not None:
        return (
            Message("To keep %(tier)s by %(day)s: %(steps)s.", tier=name, day=by, steps=parts)
            if keep
            else Message("For %(tier)s by %(day)s: %(steps)s.", tier=name, day=by, steps=parts)
        )
    return (
        Message("To keep %(tier)s: %(steps)s.", tier=name, steps=parts)
        if keep
        else Message("For %(tier)s: %(steps)s.", tier=name, steps=parts)
    )


def _what_has_to_change(policy: Policy, step: Step) -> Message:
    """Say one thing that has to change."""
    metric = policy.metrics[step.metric]
    name = called(metric)
    if step.target is None:
        return Message("%(metric)s has to be known", metric=name)
    target = shown(policy, metric, step.target)
    if step.shortfall is None:
        return Message("%(metric)s has to be %(target)s", metric=name, target=target)
    by = shown(policy, metric, abs(step.shortfall), difference=True)
    if step.shortfall > 0:
        return Message(
            "%(metric)s has to rise by %(by)s to %(target)s", metric=name, by=by, target=target
        )
    return Message(
        "%(metric)s has to fall by %(by)s to %(target)s", metric=name, by=by, target=target
    )
