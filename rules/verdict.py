"""What an evaluator finds: the outcome of every condition and group, and the tier they give."""

from __future__ import annotations

from dataclasses import dataclass

Outcome = bool | None
"""Met, not met, or — None — unknown."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one evaluation.

    ``outcomes`` has one entry per node of every root of :attr:`rules.policy.Policy.roots`,
    parents before their parts.  ``tier`` is the place, from 0 for the lowest, of the highest
    tier whose entry criteria hold.  ``open_tiers`` are the places of those above it that would
    hold if what cannot be decided without were known and spoke for the client; where there are
    any, the answer is undetermined.
    """

    outcomes: tuple[Outcome, ...]
    tier: int
    open_tiers: tuple[int, ...] = ()
