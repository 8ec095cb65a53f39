"""A policy as a programme: what clients are told of it, and nothing of how it is worked out.

What is measured from which records, who answers for what, and which letters are written is left
out; names are those that the policy gives to be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rules.describe import (
    Line,
    asked_for,
    course,
    groups_lines,
    how_held,
    rising_lines,
    settlement_lines,
    step_said,
)
from rules.messages import Message
from rules.policy import DemotionPolicy, Policy, Standard, Tier
from rules.sentences import Named


@dataclass(frozen=True, slots=True)
class Chapter:
    """What a client may know about a tier.

    ``entry`` is empty where everybody has the tier; ``keep`` is empty where it is kept by what it
    is reached by.  ``steps`` is how one is stepped down, empty where that is at once.
    """

    tier: Tier
    entry: tuple[Line, ...]
    keep: tuple[Line, ...]
    held: tuple[Message, ...]
    benefits: tuple[Named, ...]
    promises: tuple[Named, ...]
    steps: tuple[Line, ...]


def chapters(policy: Policy) -> tuple[Chapter, ...]:
    """Return what a policy says of each tier, from the highest."""
    return tuple(_chapter(policy, each) for each in reversed(policy.tiers))


def common(policy: Policy) -> tuple[Message, ...]:
    """Return what a policy says of all tiers: when one rises, of groups, of what comes late."""
    lines = (*rising_lines(policy), *groups_lines(policy), *settlement_lines(policy))
    return tuple(each.sentence for each in lines)


def _chapter(policy: Policy, tier: Tier) -> Chapter:
    demotion = policy.demotion_of(tier.key)
    promised: list[Standard] = [each for each in policy.standards if each.key in tier.standards]
    return Chapter(
        tier,
        () if tier.entry is None else tuple(asked_for(policy, tier.entry)),
        () if tier.keep is None else tuple(asked_for(policy, tier.keep)),
        tuple(line.sentence for line in how_held(tier)),
        tuple(Named(each.name) for each in tier.benefits),
        tuple(Named(each.name) for each in promised),
        () if demotion is None else tuple(_steps(policy, demotion)),
    )


def _steps(policy: Policy, demotion: DemotionPolicy) -> Iterator[Line]:
    """Say how one is stepped down, without the letters: their names are the company's own."""
    yield from course(policy, demotion, lambda *step: [Line(0, step_said(*step))])
    if demotion.unless is not None:
        yield Line(0, Message("None of this befalls who meets:"))
        yield from (
            Line(each.depth + 1, each.sentence) for each in asked_for(policy, demotion.unless)
        )
