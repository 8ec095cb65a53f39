"""How a client stands and what is coming, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rules.messages import N_, Listed, Message
from rules.policy import Policy
from rules.prospects import ground_of
from rules.sentences import Named
from rules.standing import Measure, Standing

_OPEN = {
    "earned": N_("%(tier)s is held since %(since)s, for as long as its criteria are kept."),
    "grace": N_("%(tier)s is held since %(since)s, now by grace alone."),
    "landing": N_("%(tier)s is held since %(since)s, as a landing from a higher tier."),
    "lifetime": N_("%(tier)s is held since %(since)s, and for life."),
}
_UNTIL = {
    "earned": N_("%(tier)s is held since %(since)s, and is certain until %(until)s."),
    "grace": N_("%(tier)s is held since %(since)s, by grace until %(until)s."),
    "landing": N_(
        "%(tier)s is held since %(since)s, as a landing from a higher tier until %(until)s."
    ),
}
_MEASURES = {
    "hold": N_("A hold keeps %(tier)s until %(last)s."),
    "floor": N_("Service is at least that of %(tier)s until %(last)s, as was decided by people."),
    "ceiling": N_("Service is at most that of %(tier)s until %(last)s, as was decided by people."),
    "exact": N_("Service is that of %(tier)s until %(last)s, as was decided by people."),
}


def outlook(policy: Policy, standing: Standing, deadline: date | None) -> tuple[Message, ...]:
    """Return why the tier is held and until when, what would cost it, and what is taken from it.

    :param deadline: the last day on which what is missing can be made good.
    """
    return tuple(_sentences(policy, standing, deadline))


def _sentences(policy: Policy, standing: Standing, deadline: date | None) -> Iterator[Message]:
    held = Named(policy.tier(standing.tier).name)
    ground = ground_of(standing, standing.as_of)
    if ground is None:
        yield Message("%(tier)s needs no ground: it is for everybody.", tier=held)
    elif ground.last is None:
        yield Message(_OPEN[ground.cause], tier=held, since=standing.since)
    else:
        until = ground.last
        yield Message(_UNTIL[ground.cause], tier=held, since=standing.since, until=until)
    if deadline is not None:
        yield Message(
            "%(tier)s is lost after %(deadline)s unless what is missing is made good by then.",
            tier=held,
            deadline=deadline,
        )
    if standing.withdrawn:
        names = {each.key: each.name for tier in policy.tiers for each in tier.benefits}
        taken = Listed(tuple(Named(names[key]) for key in standing.withdrawn if key in names))
        yield Message("Withdrawn for now: %(benefits)s.", benefits=taken)
    for each in standing.under:
        yield _measure(policy, each, held)


def _measure(policy: Policy, measure: Measure, held: Named) -> Message:
    named = held if measure.tier is None else Named(policy.tier(measure.tier).name)
    return Message(_MEASURES[measure.kind], tier=named, last=measure.last)
