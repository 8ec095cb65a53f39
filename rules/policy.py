"""A policy: the rulebook by which clients are judged, as immutable values.

Policies are made by :func:`rules.document.load`, which has checked every reference in them;
nothing here checks again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Literal

from rules.criteria import Criteria, walk
from rules.vocabulary import MetricType, Missing, Operator, Value

Names = Mapping[str, str]
"""A text in several languages, by language code; the policy's first language is always there."""


# -- windows ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Everything up to and including the business date."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last ``n`` days, weeks, months or years, ending with the business date."""

    n: int
    unit: Literal["days", "weeks", "months", "years"]


Period = Literal["month", "quarter", "half_year", "year"]


@dataclass(frozen=True, slots=True)
class This:
    """The calendar period the business date lies in, so far.

    ``starts`` is the (month, day) on which a company's own year begins; quarters and half-years
    are counted from it.
    """

    unit: Period
    starts: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Previous:
    """The last ``n`` whole calendar periods before the one the business date lies in."""

    n: int
    unit: Period
    starts: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Since:
    """Since the tier held, or the ground it rests on, began."""

    event: Literal["tier", "ground"]


@dataclass(frozen=True, slots=True)
class Between:
    """From one day to another, both included."""

    first: date
    last: date


Window = Lifetime | Rolling | This | Previous | Since | Between


# -- where a metric's value comes from -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attribute:
    """What was last stated about the client, good for ``good_for_days`` after the day it was."""

    attribute: str
    good_for_days: int | None = None


@dataclass(frozen=True, slots=True)
class AttributeHistory:
    """A stated number over a window of its past, taken at the end of each day (balances)."""

    attribute: str
    aggregate: Literal["daily_average", "minimum"]
    window: Window


@dataclass(frozen=True, slots=True)
class Filter:
    """A restriction on activities: a field, an operator, a value or several.

    ``field`` is ``product``, ``channel``, ``amount``, ``quantity`` or ``attribute:NAME``.
    """

    field: str
    operator: Operator
    value: str | int | Fraction | bool | tuple[str | int | Fraction, ...]


Aggregate = Literal[
    "sum",
    "count",
    "average",
    "minimum",
    "maximum",
    "distinct_products",
    "first_date",
    "last_date",
    "days_since_last",
    "days_with",
    "weeks_with",
    "months_with",
    "quarters_with",
]


@dataclass(frozen=True, slots=True)
class Activities:
    """An aggregate of the client's activities of some kinds in a window.

    ``of`` names what is summed, averaged or compared: ``amount``, ``quantity`` or
    ``attribute:NAME``; it is None for aggregates that only count or date.
    """

    aggregate: Aggregate
    kinds: tuple[str, ...]
    window: Window
    of: str | None = None
    where: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Ratio:
    """One metric divided by another; in percent if the metric's unit is percent."""

    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """Metrics times their weights, added up."""

    terms: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How far a metric moved against the window before its own."""

    metric: str
    measured: Literal["difference", "percent"]


@dataclass(frozen=True, slots=True)
class DaysSince:
    """Days from a date metric to the business date."""

    metric: str


@dataclass(frozen=True, slots=True)
class CarryOver:
    """What the period before brought in beyond ``above``, up to ``cap``, in smallest steps."""

    metric: str
    cap: int
    above: int = 0


Derivation = Ratio | WeightedSum | Change | DaysSince | CarryOver


@dataclass(frozen=True, slots=True)
class OfStanding:
    """What the client's standing was before the business date, or since when.

    ``tier`` is named for days and years at that tier or above: those on which one was earned, or
    for life, in all or, if ``unbroken``, in the last stretch.
    """

    measure: Literal[
        "tier_held",
        "days_at_or_above",
        "years_at_or_above",
        "days_since_tier",
        "days_since_ground",
    ]
    tier: str | None = None
    unbroken: bool = False


@dataclass(frozen=True, slots=True)
class OfGroup:
    """A metric added up over all members of the client's group."""

    metric: str


@dataclass(frozen=True, slots=True)
class Rank:
    """The client's place among all by a metric, in percent from the top, as last fixed."""

    metric: str


Source = Attribute | AttributeHistory | Activities | Derivation | OfStanding | OfGroup | Rank


@dataclass(frozen=True, slots=True)
class Metric:
    """A named measure of a client.

    ``places`` is how many decimal places its smallest step has beyond the unit it is written
    in: 0 for money (already minor units) and counts.
    """

    key: str
    name: Names
    type: MetricType
    source: Source
    places: int = 0
    unit: Literal["percent"] | None = None
    options: Mapping[str, Names] = field(default_factory=dict)
    missing: Missing = Missing.UNKNOWN


# -- how long a ground holds, and when a policy looks ------------------------------------------


@dataclass(frozen=True, slots=True)
class YearDays:
    """Assessment on given days of every year, as (month, day)."""

    days: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Monthly:
    """Assessment on a day of every month; where a month is shorter, on its last."""

    day: int


@dataclass(frozen=True, slots=True)
class Anniversary:
    """Assessment every year or month after a date of the client's, or after the tier began.

    ``of`` is the key of a metric that is a date; None for the tier.
    """

    every: Literal["year", "month"]
    of: str | None = None


Assessment = YearDays | Monthly | Anniversary


@dataclass(frozen=True, slots=True)
class Open:
    """A ground that holds as long as the keep criteria do."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A ground of ``n`` days or months, the first included; or to the end of that month."""

    n: int
    unit: Literal["days", "months"]
    to_month_end: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """A ground until the end of the calendar period, or of the ``further`` one after it.

    ``plus_months`` are counted from the day after; ``starts`` is the (month, day) on which the
    company's own year begins.
    """

    unit: Period
    further: int = 0
    plus_months: int = 0
    starts: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class UntilAssessment:
    """A ground until the day before the next assessment date."""


Validity = Open | Fixed | Calendar | UntilAssessment


@dataclass(frozen=True, slots=True)
class Promotion:
    """When a client rises: at once, or on assessment dates; straight, or one rung at a time.

    ``letter`` is the key of the letter that tells them.
    """

    assessment: Assessment | None = None
    path: Literal["straight", "one_rung"] = "straight"
    letter: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """Whom a version moves of those who stand by an older one, and where tiers went.

    ``until`` is the last day on which an open ground is still judged by its own version too;
    ``tiers`` are those that the version has no longer, each with the one that takes its place.
    """

    moves: Literal["everybody", "upgrades_only", "new_grounds_only"] = "everybody"
    until: date | None = None
    tiers: Mapping[str, str] = field(default_factory=dict)


# -- what is promised, and what happens to those who no longer qualify ------------------------


@dataclass(frozen=True, slots=True)
class Benefit:
    """Something a tier brings its clients."""

    key: str
    name: Names


@dataclass(frozen=True, slots=True)
class Promise:
    """What a service standard promises; ``terms`` are the details its kind asks for."""

    kind: str
    terms: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Standard:
    """A promise to the clients of a tier or segment, and who answers for it."""

    key: str
    name: Names
    answers: str
    promise: Promise


@dataclass(frozen=True, slots=True)
class Letter:
    """What a client is written: templates in the same languages throughout.

    ``unnamed`` stands where the client's name would, if it is not known.
    """

    key: str
    subject: Names
    body: Names
    unnamed: Names | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a demotion policy.

    ``months`` and ``days`` count from the start of the failing run or from the step before, as
    ``counted`` says; for a warning ``days`` are those before a ground's last day.  ``landing`` is
    how long the next tier down is held then, where ``to`` is one rung.  ``letter`` is the key of
    the letter that tells the client.
    """

    kind: Literal["warning", "notice", "withdraw", "demote"]
    days: int = 0
    months: int = 0
    counted: Literal["start", "previous_step"] = "previous_step"
    benefits: tuple[str, ...] = ()
    to: Literal["entitled", "one_rung"] | None = None
    landing: Validity = Open()
    letter: str | None = None


@dataclass(frozen=True, slots=True)
class DemotionPolicy:
    """What happens, step by step, to a client who no longer meets the keep criteria.

    ``benefits_return_days`` lie between the returns of what one step withdrew and what the step
    before it did; with 0 all benefits return at once.
    ``reinstatement_letter`` is the key of the letter to who meets them again, ``return_letter``
    of the one to who then has benefits given back.
    """

    key: str
    name: Names
    steps: tuple[Step, ...]
    minimum_stay_days: int = 0
    unless: Criteria | None = None
    assessment: Assessment | None = None
    benefits_return_days: int = 0
    reinstatement_letter: str | None = None
    return_letter: str | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A rung of the ladder.  The lowest has no entry criteria; ``keep`` None means as entry.

    ``lifetime_after_years`` is after how many years at the tier or above it is held for life;
    0 for at once, None for never.
    """

    key: str
    name: Names
    entry: Criteria | None = None
    keep: Criteria | None = None
    benefits: tuple[Benefit, ...] = ()
    standards: tuple[str, ...] = ()
    demotion: str | None = None
    validity: Validity = Open()
    renewal: Literal["at_once", "at_expiry"] = "at_once"
    lifetime_after_years: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A named group given by criteria, without rank."""

    key: str
    name: Names
    criteria: Criteria
    standards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A client as the policy's author imagines one, and the tier the policy should give.

    ``facts`` are as they are stated, None for what is missing; what is derived from them is
    added when they are judged.  ``tier`` is None where the answer should be undetermined.
    """

    name: Names
    date: date
    facts: Mapping[str, Value | None]
    tier: str | None


# -- the rulebook ----------------------------------------------------------------------------

Part = Literal["entry", "keep", "segment", "unless"]


@dataclass(frozen=True, slots=True)
class Root:
    """One root of criteria in a policy: whose, what for, and its place among all nodes.

    ``place`` is the index of its own outcome in :attr:`rules.verdict.Verdict.outcomes`; the
    outcomes of its parts follow, in the order of :func:`rules.criteria.walk`.
    """

    part: Part
    owner: str
    criteria: Criteria
    place: int


@dataclass(frozen=True)
class Policy:
    """The rulebook.  ``digest`` is the SHA-256 of its canonical bytes, in hex.

    Every date earns once more ``settlement_days`` later, on what is known of it by then.
    """

    key: str
    name: Names
    digest: str
    languages: tuple[str, ...]
    currency: str
    time_zone: str
    metrics: Mapping[str, Metric]
    tiers: tuple[Tier, ...]
    segments: tuple[Segment, ...] = ()
    standards: tuple[Standard, ...] = ()
    demotion_policies: tuple[DemotionPolicy, ...] = ()
    promotion: Promotion = Promotion()
    group_tier_goes_to: Literal["members", "head"] = "members"
    transition: Transition = Transition()
    settlement_days: int = 0
    letters: tuple[Letter, ...] = ()
    examples: tuple[Example, ...] = ()

    def tier(self, key: str) -> Tier:
        """Return the tier named ``key``; it is an error of the caller if there is none."""
        return next(tier for tier in self.tiers if tier.key == key)

    def letter(self, key: str) -> Letter:
        """Return the letter named ``key``; it is an error of the caller if there is none."""
        return next(letter for letter in self.letters if letter.key == key)

    def demotion_of(self, tier: str) -> DemotionPolicy | None:
        """Return the demotion policy of the tier named ``tier``, if it has one."""
        wanted = self.tier(tier).demotion
        return next((each for each in self.demotion_policies if each.key == wanted), None)

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """Every root of criteria, always in the same order: tiers from the lowest first."""
        found: list[Root] = []
        place = 0
        for part, owner, criteria in self._criteria():
            if criteria is not None:
                found.append(Root(part, owner, criteria, place))
                place += sum(1 for _ in walk(criteria))
        return tuple(found)

    def _criteria(self) -> Iterator[tuple[Part, str, Criteria | None]]:
        for tier in self.tiers:
            yield "entry", tier.key, tier.entry
            yield "keep", tier.key, tier.keep
        for segment in self.segments:
            yield "segment", segment.key, segment.criteria
        for demotion in self.demotion_policies:
            yield "unless", demotion.key, demotion.unless


Facts = Mapping[str, Value]
"""What the metrics came to for one client, by metric key; a missing value is left out."""
