"""The examples in a policy: whether each gives the tier that its author expects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rules.engine import EngineFailure
from rules.explain import lacking
from rules.facts import too_large
from rules.judge import Disagreement
from rules.measure import complete
from rules.messages import Message
from rules.policy import Example, Facts, Policy
from rules.sentences import Named, tier_given
from rules.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ExampleFailure:
    """An example, by its place in the policy, that gives something else than is expected."""

    place: int
    example: Example
    sentence: Message


def failures(policy: Policy, judge: Callable[[Facts], Verdict]) -> tuple[ExampleFailure, ...]:
    """Judge every example of a policy and return those that do not give what is expected.

    ``judge`` is the policy's: of both evaluators, or of one of them.
    """
    return tuple(
        ExampleFailure(place, example, sentence)
        for place, example in enumerate(policy.examples)
        if (sentence := _what_is_wrong(policy, judge, example)) is not None
    )


def _what_is_wrong(
    policy: Policy, judge: Callable[[Facts], Verdict], example: Example
) -> Message | None:
    facts = complete(policy, example.facts, example.date)
    for problem in too_large(policy, facts):
        metric = Named(policy.metrics[problem.path].name)
        return _not_judged(
            example, Message("%(metric)s %(what)s.", metric=metric, what=problem.message)
        )
    try:
        verdict = judge(facts)
    except (EngineFailure, Disagreement) as error:
        return _not_judged(example, error.message)
    found = None if verdict.open_tiers else policy.tiers[verdict.tier].key
    if found == example.tier:
        return None
    return Message(
        "“%(example)s” should give %(expected)s; it gives %(found)s.",
        example=Named(example.name),
        expected=tier_given(policy, example.tier),
        found=tier_given(policy, found, lacking(policy, verdict)),
    )


def _not_judged(example: Example, reason: Message) -> Message:
    return Message(
        "“%(example)s” cannot be judged: %(reason)s", example=Named(example.name), reason=reason
    )
