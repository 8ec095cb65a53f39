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
from rules.messages import Message
from rules.policy import (
    Activities,
    Attribute,
    AttributeHistory,
    Facts,
    Names,
    Part,
    Policy,
    Root,
    Segment,
    Tier,
)
from rules.sentences import Listed, Named, shown, wanted
from rules.verdict import Outcome, Verdict
from rules.vocabulary import KNOWNESS, MetricType, Missing, Value
from rules.ways import Step, nearest_way, shortfall
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


def explain(
    judge: Judge, facts: Facts, verdict: Verdict, day: date, held: str | None = None
) -> Explanation:
    """Explain a verdict on these facts on a business date.

    :param held: the key of the tier held until now; without it the one the facts give.
    """
    policy = judge.policy
    at_least = policy.tiers[verdict.tier]
    stands = policy.tier(held) if held is not None else at_least
    outcomes = {(root.part, root.owner): verdict.outcomes[root.place] for root in policy.roots}
    missing = tuple(_missing(policy, facts, verdict))
    next_tier = _way_up(judge, facts, day, stands)
    to_stay = _way_to_stay(judge, facts, day, stands)
    tier = None if verdict.open_tiers else at_least
    return Explanation(
        tier=tier,
        at_least=at_least,
        missing=missing,
        qualifies={each.key: outcomes.get(("entry", each.key), True) for each in policy.tiers},
        keeps={
            each.key: outcomes.get(("keep", each.key), outcomes.get(("entry", each.key), True))
            for each in policy.tiers
        },
        segments=tuple(each for each in policy.segments if outcomes["segment", each.key] is True),
        reasons=tuple(_reasons(policy, facts, verdict)),
        next_tier=next_tier,
        to_stay=to_stay,
        sentences=tuple(
            [
                _answer(policy, tier, at_least, missing),
                *(way.sentence for way in (to_stay, next_tier) if way is not None),
            ]
        ),
    )


# -- conditions ------------------------------------------------------------------------------


def _reasons(policy: Policy, facts: Facts, verdict: Verdict) -> Iterator[Reason]:
    for root in policy.roots:
        place = root.place
        for node, helps in _nodes(root.criteria, True):
            if isinstance(node, Condition):
                yield _reason(policy, facts, root, node, helps, verdict.outcomes[place])
            place += 1


def _nodes(node: Criteria, helps: bool) -> Iterator[tuple[Criteria, bool]]:
    """Yield the nodes as the verdict numbers them, and whether each one's truth helps."""
    yield node, helps
    if isinstance(node, Group):
        for part in node.parts:
            yield from _nodes(part, helps is not isinstance(node, NoneOf))


def _reason(
    policy: Policy, facts: Facts, root: Root, condition: Condition, helps: bool, met: Outcome
) -> Reason:
    metric = policy.metrics[condition.metric]
    value = facts.get(condition.metric)
    if value is None and metric.missing is Missing.ZERO:
        value = 0 if metric.type is not MetricType.BOOLEAN else False
    short = None
    if met is (not helps) and value is not None:
        short = shortfall(metric, condition, helps, value)
    show = _Show(policy)
    return Reason(
        root,
        condition,
        helps,
        value,
        met,
        short,
        show.reason(root, condition, helps, value, met, short),
    )


# -- ways ------------------------------------------------------------------------------------


def _way_up(judge: Judge, facts: Facts, day: date, stands: Tier) -> Way | None:
    """Return the nearest way to the next tier up, or a higher one if that has no way."""
    policy = judge.policy
    higher = policy.tiers[policy.tiers.index(stands) + 1 :]
    ways = (_way(judge, facts, day, tier, ("entry",)) for tier in higher)
    first = None
    for way in ways:
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
    ends = [end for step in steps or () if (end := _last_day(policy, step.metric, day)) is not None]
    by = min(ends, default=None)
    return Way(tier, steps, by, _Show(policy).way(tier, parts[0] == "keep", steps, by))


def _last_day(policy: Policy, key: str, day: date) -> date | None:
    """Return the last day on which a metric's present window still takes something in."""
    source: Any = policy.metrics[key].source
    if isinstance(source, Activities | AttributeHistory):
        return last_day(source.window, day)
    if isinstance(source, Attribute):
        return None
    inputs = [getattr(source, name, None) for name in ("numerator", "metric")]
    inputs += [term for term, _ in getattr(source, "terms", ())]
    ends = [_last_day(policy, each, day) for each in inputs if each is not None]
    return min((end for end in ends if end is not None), default=None)


def _missing(policy: Policy, facts: Facts, verdict: Verdict) -> Iterator[str]:
    """Yield the metrics without which it cannot be said whether a higher tier holds."""
    open_keys = {policy.tiers[place].key for place in verdict.open_tiers}
    wanted: dict[str, None] = {}
    for root in policy.roots:
        if root.part == "entry" and root.owner in open_keys:
            for key in _undecided(policy, root, verdict):
                wanted[key] = None
    yield from (key for key in wanted if facts.get(key) is None)


def _undecided(policy: Policy, root: Root, verdict: Verdict) -> Iterator[str]:
    place = root.place
    for node, _ in _nodes(root.criteria, True):
        unknown = verdict.outcomes[place] is None
        if unknown and isinstance(node, QualifiesFor):
            below = next(
                each for each in policy.roots if (each.part, each.owner) == ("entry", node.tier)
            )
            yield from _undecided(policy, below, verdict)
        elif unknown and isinstance(node, Condition):
            if policy.metrics[node.metric].missing is Missing.CANNOT_DECIDE:
                yield node.metric
        place += 1


# -- sentences -------------------------------------------------------------------------------


def _answer(policy: Policy, tier: Tier | None, at_least: Tier, missing: Sequence[str]) -> Message:
    if tier is not None:
        return Message("The tier is %(tier)s.", tier=Named(tier.name))
    return Message(
        "Which tier it is cannot be said until %(metrics)s is known; at least %(tier)s holds.",
        metrics=Listed(tuple(Named(policy.metrics[key].name) for key in missing)),
        tier=Named(at_least.name),
    )


class _Show:
    """Sentences about one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def reason(
        self,
        root: Root,
        condition: Condition,
        helps: bool,
        value: Value | None,
        met: Outcome,
        short: int | None,
    ) -> Message:
        """Say how one condition stands, whom it belongs to, and what is missing."""
        metric = self._policy.metrics[condition.metric]
        asked = self._asked(root, condition, helps)
        name = Named(metric.name)
        if condition.operator in KNOWNESS:
            known = Message("known") if value is not None else Message("not known")
        elif value is None:
            return Message("%(metric)s is not known; %(asked)s.", metric=name, asked=asked)
        else:
            known = Message("%(value)s", value=shown(self._policy, metric, value))
        if met is helps:
            return Message(
                "%(metric)s is %(value)s; %(asked)s: fulfilled.",
                metric=name,
                value=known,
                asked=asked,
            )
        if short is None:
            return Message(
                "%(metric)s is %(value)s; %(asked)s: not fulfilled.",
                metric=name,
                value=known,
                asked=asked,
            )
        by = shown(self._policy, metric, abs(short), difference=True)
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

    def _asked(self, root: Root, condition: Condition, helps: bool) -> Message:
        owner, asks = Named(self._owner(root)), wanted(self._policy, condition)
        if not helps:
            return Message("%(wanted)s speaks against %(owner)s", wanted=asks, owner=owner)
        match root.part:
            case "entry":
                return Message("%(owner)s asks for %(wanted)s", owner=owner, wanted=asks)
            case "keep":
                return Message("keeping %(owner)s asks for %(wanted)s", owner=owner, wanted=asks)
            case "segment":
                return Message("“%(owner)s” means %(wanted)s", owner=owner, wanted=asks)
            case _:
                return Message(
                    "“%(owner)s” makes an exception for %(wanted)s", owner=owner, wanted=asks
                )

    def _owner(self, root: Root) -> Names:
        holders = (
            self._policy.segments
            if root.part == "segment"
            else self._policy.demotion_policies
            if root.part == "unless"
            else self._policy.tiers
        )
        return next(each.name for each in holders if each.key == root.owner)

    def way(
        self, tier: Tier, keep: bool, steps: tuple[Step, ...] | None, by: date | None
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
        parts = Listed(tuple(self.step(step) for step in steps))
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

    def step(self, step: Step) -> Message:
        """Say one thing that has to change."""
        metric = self._policy.metrics[step.metric]
        name, target = Named(metric.name), shown(self._policy, metric, step.target)
        if step.shortfall is None:
            return Message("%(metric)s has to be %(target)s", metric=name, target=target)
        by = shown(self._policy, metric, abs(step.shortfall), difference=True)
        if step.shortfall > 0:
            return Message(
                "%(metric)s has to rise by %(by)s to %(target)s", metric=name, by=by, target=target
            )
        return Message(
            "%(metric)s has to fall by %(by)s to %(target)s", metric=name, by=by, target=target
        )
