"""Explanations as programs and people read them: the same for what if and for standings."""

from __future__ import annotations

from typing import Any

from app.words import Words
from rules.explain import Explanation, Reason, Way
from rules.facts import exact_text, write_value, written_number
from rules.policy import Metric, Names, Policy
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
