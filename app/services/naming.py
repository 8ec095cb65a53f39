"""What people call the things that tables know by keys: tiers, clients, who acted."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from app.services.rulebook import NoPolicy, PolicyUnusable, Rulebook
from rules.messages import N_, Message
from rules.policy import Policy
from rules.sentences import Named
from rules.standing import MeasureKind

CHANNELS: dict[str, str] = {
    "email": N_("by e-mail"),
    "post": N_("by post"),
    "message": N_("by message"),
    "call": N_("by telephone"),
    "visit": N_("at a visit"),
}

_MEASURES: dict[MeasureKind, str] = {
    "hold": N_("a hold on the tier held"),
    "floor": N_("an override: at least %(tier)s"),
    "ceiling": N_("an override: at most %(tier)s"),
    "exact": N_("an override: exactly %(tier)s"),
}

_JOBS: dict[str, str] = {
    "review": N_("the review of all clients for %(day)s"),
    "housekeeping": N_("the tidying up on %(day)s"),
}
"""What the jobs of each day are, by their kind."""

_EVENTS: dict[str, str] = {
    "promoted": N_("Rose to %(tier)s."),
    "renewed": N_("Renewed %(tier)s."),
    "notice_given": N_("Was given notice of losing %(tier)s."),
    "benefit_withdrawn": N_("Had benefits of %(tier)s withdrawn."),
    "demoted": N_("Stepped down to %(tier)s."),
    "reinstated": N_("Stands firm at %(tier)s again."),
    "hold_set": N_("Is held at %(tier)s from this day on."),
    "hold_ended": N_("Is not held at %(tier)s any more."),
    "override_set": N_("Is served by an override from this day on; the rules give %(tier)s."),
    "override_ended": N_("Is served by the rules again, which give %(tier)s."),
}


LETTERS: dict[str, str] = {
    "promoted": N_("a promotion"),
    "notice_given": N_("a notice"),
    "benefit_withdrawn": N_("benefits withdrawn"),
    "demoted": N_("a demotion"),
    "reinstated": N_("a tier kept, or benefits given back"),
}
"""What letters are about, by the event that they tell of."""

STATES: dict[str, str] = {
    "secure": N_("secure"),
    "on_notice": N_("on notice"),
    "reduced": N_("with benefits withdrawn"),
    "on_hold": N_("on hold"),
    "overridden": N_("served by an override"),
}
"""How a client can stand."""

GROUNDS: dict[str, str] = {
    "earned": N_("earned"),
    "grace": N_("by grace"),
    "landing": N_("as a landing from a higher tier"),
    "lifetime": N_("for life"),
}
"""On what ground a tier is held."""

PHASES: dict[str, str] = {
    "asked": N_("waits for a decision"),
    "granted": N_("granted, not begun"),
    "in_force": N_("in force"),
    "over": N_("over"),
    "refused": N_("refused"),
    "withdrawn": N_("withdrawn"),
}
"""How far a hold or an override has come."""


def measure_said(kind: MeasureKind, tier: Named | str | None) -> Message:
    """Say what a hold or an override is."""
    return Message(_MEASURES[kind], **({} if tier is None else {"tier": tier}))


def job_said(key: str) -> Message:
    """Say what a job is, by its key."""
    kind, _, rest = key.partition(":")
    if kind in _JOBS:
        return Message(_JOBS[kind], day=date.fromisoformat(rest))
    if kind == "effect":
        version = int(rest.partition(".")[0])
        return Message("the working out of what version %(version)d would do", version=version)
    return Message("the job “%(key)s”", key=key)


def event_said(kind: str, tier: Named | str) -> Message:
    """Say what happened to a client's standing."""
    return Message(_EVENTS[kind], tier=tier)


class TierNames:
    """The names of tiers as the versions of the policy give them, each read once."""

    def __init__(self, session: Session, rulebook: Rulebook) -> None:
        self._session, self._rulebook = session, rulebook
        self._known: dict[int | None, Policy | None] = {}

    def name(self, key: str, version: int | None = None) -> Named | str:
        """Return what a version calls a tier, or the one in force; its key if neither does."""
        if version not in self._known:
            self._known[version] = self._policy(version)
        policy = self._known[version]
        tiers = () if policy is None else policy.tiers
        return next((Named(each.name) for each in tiers if each.key == key), key)

    def _policy(self, version: int | None) -> Policy | None:
        try:
            if version is None:
                return self._rulebook.in_force(self._session).policy
            return self._rulebook.version(self._session, version).policy
        except (NoPolicy, PolicyUnusable):
            return None
