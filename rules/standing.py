"""A standing and what it rests on, as immutable values (docs/semantics.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from rules.criteria import AllOf, AtLeast, Condition, Criteria, Group, NoneOf, QualifiesFor
from rules.policy import Part, Policy, Root
from rules.verdict import Outcome, Verdict
from rules.vocabulary import Missing
from rules.windows import DAY

Cause = Literal["earned", "grace", "landing", "lifetime"]


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a tier is held, from its first day to its last; without a last it is open.

    ``renews_at_expiry``: nothing at or below its tier is earned while it runs.  ``version`` is the
    version of the policy by whose rules it is held, and ``was`` what that calls the tier, where
    the tier has disappeared since.  ``follows_open``: a grace that an open ground left.
    """

    tier: str
    first: date
    last: date | None
    cause: Cause
    renews_at_expiry: bool = False
    version: int = 0
    was: str | None = None
    follows_open: bool = False

    def holds(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Mark:
    """A day of a failing run, and for how many days its clock had stood by then."""

    day: date
    stood: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A failing run: since when the client fails the held tier, and what was done about it.

    ``started`` is None where the client was only warned so far.  ``done`` are the steps of the
    demotion policy in their order, each on the day on which it was really carried out.  ``stood``
    counts the days on which a hold or an override stopped the clock; ``late`` those by which a
    notice went out later than it was due.  From the first step on the run keeps the steps of
    ``version``, which calls the tier ``was`` where it has disappeared since.
    """

    started: Mark | None
    done: tuple[Mark, ...] = ()
    stood: int = 0
    late: int = 0
    version: int = 0
    was: str | None = None

    def clocked(self, mark: Mark) -> date:
        """Return a day of the run, as much later as its clock has stood since."""
        return mark.day + (self.stood - mark.stood) * DAY


MeasureKind = Literal["hold", "floor", "ceiling", "exact"]


@dataclass(frozen=True, slots=True)
class Return:
    """Benefits that had been withdrawn, and the day on which they are to return."""

    day: date
    benefits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a person decided beside the rules, from its first day to its last.

    A *hold* keeps the tier held and stops the clock of a run; a *floor*, a *ceiling* or *exactly*
    a tier goes over the tier held.
    """

    kind: MeasureKind
    first: date
    last: date
    tier: str | None = None

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def named(self) -> tuple[str, date, str | None]:
        """What stays the same where its last day is set anew."""
        return self.kind, self.first, self.tier


@dataclass(frozen=True, slots=True)
class Standing:
    """How a client stands on a business date, overrides left out.

    ``since`` is when the tier was last reached; ``withdrawn`` are the benefits taken away, those
    included that are ``returning``; ``under`` is what people had decided and was in force.
    """

    tier: str
    since: date
    as_of: date
    grounds: tuple[Ground, ...] = ()
    run: Run | None = None
    withdrawn: tuple[str, ...] = ()
    under: tuple[Measure, ...] = ()
    returning: tuple[Return, ...] = ()


EventKind = Literal[
    "promoted",
    "renewed",
    "notice_given",
    "benefit_withdrawn",
    "demoted",
    "reinstated",
    "hold_set",
    "hold_ended",
    "override_set",
    "override_ended",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a standing: ``tier`` is the tier held after it.

    ``before`` is the tier held before, where it is another; ``benefits`` are those withdrawn or
    given back.
    """

    kind: EventKind
    day: date
    tier: str
    before: str | None = None
    benefits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What the facts of a date say, by the place of each tier and the key of each policy.

    ``entitled`` is None where it is undetermined; ``at_least`` then still holds.  ``keep`` and
    ``unless`` are None where they would hold if what cannot be decided without were known and
    spoke for the client; what is unknown otherwise does not hold.  ``dates`` are the metrics that
    are dates.
    """

    entitled: int | None
    at_least: int
    entry: tuple[Outcome, ...]
    keep: tuple[Outcome, ...]
    unless: Mapping[str, Outcome]
    dates: Mapping[str, date]

    @classmethod
    def of(cls, policy: Policy, verdict: Verdict, facts: Mapping[str, object]) -> Findings:
        """Read from a verdict what decides about a standing."""
        said = _Said(policy, verdict)
        return cls(
            entitled=None if verdict.open_tiers else verdict.tier,
            at_least=verdict.tier,
            entry=tuple(said.outcome("entry", tier.key, True) for tier in policy.tiers),
            keep=tuple(
                said.outcome("entry" if tier.keep is None else "keep", tier.key, True)
                for tier in policy.tiers
            ),
            unless={
                each.key: said.outcome("unless", each.key, False)
                for each in policy.demotion_policies
            },
            dates={key: value for key, value in facts.items() if isinstance(value, date)},
        )


@dataclass(frozen=True, slots=True)
class Ruling:
    """A version of the policy, and what the facts of a date say by it."""

    policy: Policy
    found: Findings


class _Said:
    """A verdict, read for what cannot be decided."""

    def __init__(self, policy: Policy, verdict: Verdict) -> None:
        self._metrics, self._outcomes = policy.metrics, verdict.outcomes
        self._roots = {(root.part, root.owner): root for root in policy.roots}

    def outcome(self, part: Part, owner: str, without: bool) -> Outcome:
        """Return the outcome of criteria; ``without`` where there are none.

        What is unknown does not hold, unless it cannot be decided.
        """
        root = self._roots.get((part, owner))
        if root is None:
            return without
        found = self._outcomes[root.place]
        return found if found is not None else None if self._hoped(root, True) else False

    def _hoped(self, root: Root, helps: bool) -> Outcome:
        """Return the outcome if what cannot be decided without spoke for the client."""
        return self._read(root.criteria, iter(self._outcomes[root.place :]), helps)

    def _read(self, node: Criteria, outcomes: Iterator[Outcome], helps: bool) -> Outcome:
        found = next(outcomes)
        if isinstance(node, Condition):
            needed = self._metrics[node.metric].missing is Missing.CANNOT_DECIDE
            return helps if found is None and needed else found
        if isinstance(node, QualifiesFor):
            return self._hoped(self._roots["entry", node.tier], helps) if found is None else found
        of_parts = helps is not isinstance(node, NoneOf)
        return _counted(node, [self._read(part, outcomes, of_parts) for part in node.parts])


def _counted(node: Group, parts: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a group by how many of its parts hold, and how many could."""
    met, possible = parts.count(True), len(parts) - parts.count(False)
    match node:
        case AllOf():
            needed = len(parts)
        case AtLeast(k=k):
            needed = k
        case _:
            needed = 1
    outcome = True if met >= needed else None if possible >= needed else False
    return outcome if outcome is None else outcome is not isinstance(node, NoneOf)
