"""What an evaluation of clients leaves behind for those who run the service."""

from __future__ import annotations

import structlog

from app import telemetry
from app.services.policies import PolicyInForce
from app.services.standings import Decided

log = structlog.get_logger()


def count(in_force: PolicyInForce, found: Decided) -> None:
    """Count what was decided and put what the evaluators failed at into the log.

    It is called once the decisions are committed: what is undone is not counted.
    """
    telemetry.count_evaluations(in_force.policy.digest, found.decided)
    for failure in found.failures:
        reason = type(failure).__name__
        telemetry.count_failure(reason)
        log.error("no_tier_named", reason=reason, detail=failure.message)
