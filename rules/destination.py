"""Where a policy takes a client in the end, whatever time it gives them."""

from __future__ import annotations

from datetime import date

from rules.policy import Policy
from rules.prospects import steps_of
from rules.standing import Findings, Standing


def destination(policy: Policy, found: Findings, standing: Standing | None, day: date) -> str:
    """Return the tier that a client holds once all is over that their facts set going.

    As if the facts stayed as they are: who earns a higher tier has it, and who fails the one they
    hold has lost it, its last step carried out.  Who keeps theirs has it; so has who cannot be
    judged, is excepted, holds it for life, or is never demoted.  What people decided beside the
    rules is left out.
    """
    places = {tier.key: place for place, tier in enumerate(policy.tiers)}
    earned = found.at_least if found.entitled is None else found.entitled
    if standing is None:
        return policy.tiers[earned].key
    held = places[standing.tier]
    for_life = [
        places[each.tier]
        for each in standing.grounds
        if each.cause == "lifetime" and each.holds(day)
    ]
    floor = held if _stays(policy, found, held) else max(for_life, default=0)
    return policy.tiers[max(earned, floor)].key


def _stays(policy: Policy, found: Findings, held: int) -> bool:
    tier = policy.tiers[held].key
    demotion = policy.demotion_of(tier)
    return (
        found.entitled is None
        or found.keep[held] is not False
        or (demotion is not None and found.unless[demotion.key] is not False)
        or all(step.kind != "demote" for step in steps_of(policy, tier))
    )
