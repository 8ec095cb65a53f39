"""What decisions change about clients, for whoever has to be told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.services.policies import PolicyInForce
from rules.explain import Explanation
from rules.policy import Policy
from rules.prospects import NONE_OLDER, Older, deadline, ground_of, in_force, state
from rules.standing import Event, Measure, Standing


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a client's standing by one decision, and how they stand since.

    ``day`` is the business date decided for, ``issued`` the one on which it was really decided;
    ``language`` is the client's own, if it is known; ``older`` are the versions of the policy that
    the decision needed beside the one in force.
    """

    client_id: int
    reference: str
    subject: str
    language: str | None
    decision: str
    in_force: PolicyInForce
    day: date
    issued: date
    before: Standing | None
    standing: Standing
    measures: tuple[Measure, ...]
    events: tuple[Event, ...]
    explained: Explanation
    older: Older = field(default_factory=dict)


def standing_written(
    policy: Policy,
    standing: Standing,
    measures: Sequence[Measure],
    older: Older = NONE_OLDER,
) -> dict[str, Any]:
    """Write as JSON how a client stands on the date decided for."""
    day = standing.as_of
    until = deadline(policy, standing, older)
    return {
        "held": standing.tier,
        "tier": in_force(policy, standing, measures, day),
        "since": standing.since.isoformat(),
        "state": state(standing, measures, day),
        "ground": ground_written(standing, until),
        "deadline": until and until.isoformat(),
    }


def ground_written(standing: Standing, deadline: date | None) -> dict[str, str | None] | None:
    """Write why the tier is held, and until when: grace lasts until the step that takes it."""
    ground = ground_of(standing, standing.as_of)
    if ground is None:
        return None
    until = ground.last or (deadline if ground.cause == "grace" else None)
    return {"cause": ground.cause, "until": None if until is None else until.isoformat()}


def events_written(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Write as JSON what happened to a standing."""
    return [
        {
            "event": each.kind,
            "tier": each.tier,
            **({"before": each.before} if each.before is not None else {}),
            **({"benefits": list(each.benefits)} if each.benefits else {}),
        }
        for each in events
    ]
