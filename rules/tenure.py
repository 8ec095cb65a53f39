"""Since when a client stands as they do, and for how long they have: read from their standing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from rules.policy import OfStanding, Policy
from rules.prospects import ground_of
from rules.standing import Standing
from rules.windows import DAY, add_months


def began(event: Literal["tier", "ground"], standing: Standing | None, day: date) -> date:
    """Return when the tier held, or the ground it rests on, began.

    The lowest tier rests on no ground: its own beginning counts.  Who is new begins on ``day``.
    """
    if standing is None:
        return day
    ground = ground_of(standing, standing.as_of) if event == "ground" else None
    return standing.since if ground is None else ground.first


def tenure(
    policy: Policy, source: OfStanding, standing: Standing | None, day: date
) -> int | str | None:
    """Return what a metric of the standing comes to on a business date, the date left out.

    :param standing: how the client stood before the date; None for who is new.
    """
    match source.measure:
        case "tier_held":
            return _tier_held(policy, standing)
        case "days_since_tier":
            return (day - began("tier", standing, day)).days
        case "days_since_ground":
            return (day - began("ground", standing, day)).days
        case "days_at_or_above":
            return _days(_counted(policy, source, standing, day))
        case "years_at_or_above":
            return _years(_counted(policy, source, standing, day))


def _tier_held(policy: Policy, standing: Standing | None) -> str | None:
    """Return the tier held; None where the policy has no such tier any more."""
    held = policy.tiers[0].key if standing is None else standing.tier
    return held if any(tier.key == held for tier in policy.tiers) else None


Stretch = tuple[date, date]
"""Days without a break: from the first up to, not including, the second."""


def _counted(
    policy: Policy, source: OfStanding, standing: Standing | None, day: date
) -> list[Stretch]:
    """Return the stretches before a day on which the tier or a higher one was earned, or for life.

    Where they have to be unbroken, only the one that reaches up to the day.
    """
    keys = [tier.key for tier in policy.tiers]
    enough = keys[keys.index(source.tier) :] if source.tier else []
    grounds = [
        (each.first, day if each.last is None else min(day, each.last + DAY))
        for each in (standing.grounds if standing else ())
        if each.tier in enough and each.cause in {"earned", "lifetime"} and each.first < day
    ]
    found = _joined(grounds)
    return [each for each in found if each[1] == day] if source.unbroken else found


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return stretches in order, those that touch or overlap made one."""
    found: list[Stretch] = []
    for first, end in sorted(stretches):
        if found and first <= found[-1][1]:
            begun, before = found.pop()
            found.append((begun, max(before, end)))
        else:
            found.append((first, end))
    return found


def _days(stretches: Sequence[Stretch]) -> int:
    return sum((end - first).days for first, end in stretches)


def _years(stretches: Sequence[Stretch]) -> int:
    """Count years: they have as many days as the years from the first of those days on."""
    days = _days(stretches)
    if not days:
        return 0
    begun = stretches[0][0]
    years = range(days // 365, -1, -1)
    return next(n for n in years if (add_months(begun, 12 * n) - begun).days <= days)
