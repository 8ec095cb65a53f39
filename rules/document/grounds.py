"""What a policy says of how tiers are held and lost has to fit together across its parts."""

from __future__ import annotations

from collections.abc import Iterator

from rules.messages import Message
from rules.policy import DemotionPolicy, Open, Policy, Tier, UntilAssessment


def misfits(policy: Policy) -> Iterator[tuple[str, Message]]:
    """Yield, by its path, what a policy promises and could not do, right as each part is."""
    for index, tier in enumerate(policy.tiers):
        for part, message in _of_tier(policy, tier):
            yield f"tiers[{index}].{part}", message
    for index, demotion in enumerate(policy.demotion_policies):
        place = len(demotion.steps) - 1
        if _lands_until_no_date(policy, demotion):
            yield f"demotion_policies[{index}].steps[{place}].landing", _NO_ASSESSMENT


def _of_tier(policy: Policy, tier: Tier) -> Iterator[tuple[str, Message]]:
    demotion = policy.demotion_of(tier.key)
    if isinstance(tier.validity, UntilAssessment) and not _is_assessed(policy, tier):
        yield "validity", _NO_ASSESSMENT
    if isinstance(tier.validity, Open):
        if tier.renewal == "at_expiry":
            yield "renewal", Message("needs a validity that ends")
        if demotion is not None and demotion.steps[0].kind == "warning":
            yield "demotion", Message("warns of an end; the tier needs a validity that ends")


def _lands_until_no_date(policy: Policy, demotion: DemotionPolicy) -> bool:
    """Tell whether a landing lasts until an assessment that the tier landed on never has."""
    return isinstance(demotion.steps[-1].landing, UntilAssessment) and any(
        upper.demotion == demotion.key and not _is_assessed(policy, lower)
        for lower, upper in zip(policy.tiers[1:], policy.tiers[2:], strict=False)
    )


def _is_assessed(policy: Policy, tier: Tier) -> bool:
    demotion = policy.demotion_of(tier.key)
    own = None if demotion is None else demotion.assessment
    return (own or policy.promotion.assessment) is not None


_NO_ASSESSMENT = Message(
    "needs assessment dates: those of the tier's demotion policy, or of promotion"
)
