"""Explanations as programs and people read them: the same for what if and for standings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from app.services.changes import ground_written
from app.services.policies import PolicyInForce
from app.words import Words
from rules.explain import Explanation, Reason, Way
from rules.facts import exact_text, write_value, written_number
from rules.outlook import outlook
from rules.policy import Facts, Metric, Names, Policy
from rules.prospects import State, in_force, state
from rules.standing import Standing
from rules.verdict import Verdict
from rules.vocabulary import MetricType


class Writer:
    """Writes what is said by one policy in one reader's words."""

    def __init__(self, policy: Policy, words: Words) -> None:
        self._policy, self._words = policy, words

    def named(self, key: str, name: Names) -> dict[str, str]:
        return {"key": key, "name": self._words.name(name)}

    def undetermined(self, found: Explanation) -> dict[str, Any] | None:
        """Say what would have to be known for a tier to be named; None if one is."""
        if found.tier is not None:
            return None
        return {
            "missing": list(found.missing),
            "at_least": self.named(found.at_least.key, found.at_least.name),
        }

    def reasons(self, found: Explanation) -> list[dict[str, Any]]:
        return [self._condition(each) for each in found.reasons]

    def sentences(self, found: Explanation) -> list[str]:
        return [self._words.sentence(each) for each in found.sentences]

    def _condition(self, reason: Reason) -> dict[str, Any]:
        metric = self._policy.metrics[reason.condition.metric]
        exact = exact_text(metric, reason.value)
        return {
            "condition": metric.key,
            "criteria": reason.root.part,
            _OWNERS[reason.root.part]: reason.root.owner,
            "value": write_value(metric, reason.value),
            **({"exact": exact} if exact is not None else {}),
            "operator": reason.condition.operator.value,
            "limit": _written(metric, reason.condition.limit),
            "met": reason.met,
            "helps": reason.helps,
            "shortfall": _shortfall(metric, reason.shortfall),
            "sentence": self._words.sentence(reason.sentence),
        }

    def way(self, way: Way | None) -> dict[str, Any] | None:
        if way is None:
            return None
        return {
            **self.named(way.tier.key, way.tier.name),
            "steps": None
            if way.steps is None
            else [
                {
                    "metric": step.metric,
                    "value": write_value(self._policy.metrics[step.metric], step.value),
                    "target": write_value(self._policy.metrics[step.metric], step.target),
                    "shortfall": _shortfall(self._policy.metrics[step.metric], step.shortfall),
                }
                for step in way.steps
            ],
            "by": None if way.by is None else way.by.isoformat(),
            "sentence": self._words.sentence(way.sentence),
        }


_OWNERS = {"entry": "tier", "keep": "tier", "segment": "segment", "unless": "demotion_policy"}


def _written(metric: Metric, limit: object) -> object:
    if isinstance(limit, tuple):
        return [write_value(metric, each) for each in limit]
    return write_value(metric, limit)  # type: ignore[arg-type]  # a Limit that is no tuple


def _shortfall(metric: Metric, steps: int | None) -> object:
    """Write a shortfall in the metric's unit; for a date it is a number of days."""
    if steps is None or metric.type is MetricType.DATE:
        return steps
    return written_number(metric.places, steps)


@dataclass(frozen=True)
class Judged:
    """One decision about a client: by which policy, from which facts, and how they stand by it.

    ``deadline`` is the last day on which what is missing can be made good; None if nothing is
    under way that would cost the tier.
    """

    in_force: PolicyInForce
    decision: str
    facts: Facts
    verdict: Verdict
    standing: Standing
    deadline: date | None

    @property
    def policy(self) -> Policy:
        return self.in_force.policy

    @property
    def day(self) -> date:
        return self.standing.as_of

    @property
    def tier(self) -> str:
        """The tier by which the client is served: an override goes over the one held."""
        return in_force(self.policy, self.standing, self.standing.under, self.day)

    @property
    def entitled(self) -> str | None:
        """The tier that the facts give; None where that cannot be said."""
        return None if self.verdict.open_tiers else self.policy.tiers[self.verdict.tier].key

    @property
    def state(self) -> State:
        return state(self.standing, self.standing.under, self.day)

    @cached_property
    def explained(self) -> Explanation:
        """Why, and what is missing; worked out once for the answer and for those to be told."""
        return self.in_force.explainer.explain(
            self.facts, self.verdict, self.day, self.standing.tier
        )


def standing_answer(client: str, judged: Judged, words: Words) -> dict[str, Any]:
    """Write how a client stands, why, what is missing, and how to serve them."""
    policy, standing, explained = judged.policy, judged.standing, judged.explained
    write, tier = Writer(policy, words), policy.tier(judged.tier)
    promised = {
        *tier.standards,
        *(key for segment in explained.segments for key in segment.standards),
    }

    def tier_named(key: str | None) -> dict[str, str] | None:
        return None if key is None else write.named(key, policy.tier(key).name)

    def benefits(are_withdrawn: bool) -> list[dict[str, str]]:
        return [
            write.named(each.key, each.name)
            for each in tier.benefits
            if (each.key in standing.withdrawn) is are_withdrawn
        ]

    return {
        "client": client,
        "tier": tier_named(tier.key),
        "held": tier_named(standing.tier),
        "entitled": tier_named(judged.entitled),
        "undetermined": write.undetermined(explained),
        "since": standing.since.isoformat(),
        "ground": ground_written(standing, judged.deadline),
        "state": judged.state,
        "deadline": judged.deadline and judged.deadline.isoformat(),
        "under": [
            {
                "kind": each.kind,
                "tier": tier_named(each.tier),
                "first": each.first.isoformat(),
                "last": each.last.isoformat(),
            }
            for each in standing.under
        ],
        "as_of": judged.day.isoformat(),
        "segments": [write.named(each.key, each.name) for each in explained.segments],
        "benefits": benefits(are_withdrawn=False),
        "withdrawn": benefits(are_withdrawn=True),
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
        "to_stay": write.way(_until(explained.to_stay, judged.deadline)),
        "sentences": write.sentences(explained),
        "outlook": [words.sentence(each) for each in outlook(policy, standing, judged.deadline)],
        "policy": {"version": judged.in_force.number, "digest": policy.digest},
        "decision": judged.decision,
    }


def _until(way: Way | None, deadline: date | None) -> Way | None:
    """Return the way to stay; what is missing has to be made good by the deadline."""
    if way is None or not way.steps or deadline is None:
        return way
    return replace(way, by=deadline if way.by is None else min(way.by, deadline))
