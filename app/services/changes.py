"""What decisions change about clients, for whoever has to be told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.services.policies import PolicyInForce
from rules.explain import Explanation
from rules.standing import Event, Measure, Standing


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a client's standing by one decision, and how they stand since.

    ``day`` is the business date decided for, ``issued`` the one on which it was really decided;
    ``language`` is the client's own, if it is known.
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
