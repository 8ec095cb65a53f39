"""What a new version of a policy does to clients who stand by an older one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from rules.policy import Policy
from rules.standing import Ground, Measure, Standing


def tiers_left_out(former: Policy, policy: Policy) -> tuple[str, ...]:
    """Return the tiers of the version before that a new one neither has nor maps."""
    known = {*(tier.key for tier in policy.tiers), *policy.transition.tiers}
    return tuple(tier.key for tier in former.tiers if tier.key not in known)


def carry_over(standing: Standing, policy: Policy) -> Standing:
    """Return a standing by the tiers of a new version: those that disappeared are mapped.

    Carry it over through each version in between, in their order.

    :raises ValueError: for a tier that the version neither has nor maps.
    """
    tier, lowest = _mapped(policy, standing.tier), policy.tiers[0].key
    run = standing.run
    if run is not None and tier != standing.tier:
        run = replace(run, was=run.was or standing.tier)
    carried = replace(
        standing,
        tier=tier,
        grounds=_carried(policy, standing.grounds),
        run=run,
        under=carried_measures(standing.under, policy),
    )
    if tier == lowest:
        return replace(carried, run=None, withdrawn=(), returning=())
    return carried


def carried_measures(measures: Iterable[Measure], policy: Policy) -> tuple[Measure, ...]:
    """Return what people decided by the tiers of a new version.

    :raises ValueError: for a tier that the version neither has nor maps.
    """
    return tuple(
        each if each.tier is None else replace(each, tier=_mapped(policy, each.tier))
        for each in measures
    )


def versions_needed(policy: Policy, version: int, standing: Standing) -> frozenset[int]:
    """Return the older versions by which a standing is still judged; ``version`` is the policy's.

    What their findings say has to be known when the standing is decided.
    """
    named = {
        each.version
        for each in standing.grounds
        if (each.last is None or each.last >= standing.as_of)
        and keeps_rules(policy, each, standing.as_of)
    }
    if standing.run is not None and standing.run.done:
        named.add(standing.run.version)
    return frozenset(named - {version})


def keeps_rules(policy: Policy, ground: Ground, day: date) -> bool:
    """Tell whether a ground of an older version is judged by that version on a day."""
    transition = policy.transition
    if transition.moves == "everybody" or ground.cause == "lifetime":
        return False
    ends = ground.last is not None or (ground.cause == "grace" and not ground.follows_open)
    return ends or (transition.until is not None and day <= transition.until)


def _mapped(policy: Policy, tier: str) -> str:
    found = policy.transition.tiers.get(tier, tier)
    if all(each.key != found for each in policy.tiers):
        raise ValueError(f"the policy has no tier {tier}, and says of none that it takes its place")
    return found


def _carried(policy: Policy, grounds: Iterable[Ground]) -> tuple[Ground, ...]:
    """Map grounds; several of one tier and cause that then overlap become one, the longest."""
    carried: list[Ground] = []
    for each in grounds:
        tier = _mapped(policy, each.tier)
        if tier != policy.tiers[0].key:
            was = each.was if tier == each.tier else each.was or each.tier
            carried.append(replace(each, tier=tier, was=was))
    return joined(carried)


def joined(grounds: Iterable[Ground]) -> tuple[Ground, ...]:
    """Return grounds so that those of one tier and cause do not overlap: the one that ends last."""
    found: list[Ground] = []
    for each in grounds:
        one = each
        for other in [other for other in found if _overlap(one, other)]:
            found.remove(other)
            longer = max(one, other, key=lambda ground: ground.last or date.max)
            one = replace(longer, first=min(one.first, other.first))
        found.append(one)
    return tuple(found)


def _overlap(one: Ground, other: Ground) -> bool:
    return (
        (one.tier, one.cause) == (other.tier, other.cause)
        and one.first <= (other.last or date.max)
        and other.first <= (one.last or date.max)
    )
