"""On which day a standing may become another, with nothing new recorded or decided by people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from rules.assessment import next_look
from rules.decide import days_to_lifetime, decide
from rules.policy import Anniversary, Assessment, Policy, Tier
from rules.prospects import NONE_OLDER, Older, due_on, ground_of, losing, steps_of
from rules.standing import Findings, Ground, Measure, Standing
from rules.validity import last_day
from rules.windows import DAY


def next_turn(  # noqa: PLR0913 - as decide
    policy: Policy,
    found: Findings,
    standing: Standing,
    measures: Sequence[Measure] = (),
    *,
    version: int = 0,
    older: Older = NONE_OLDER,
) -> date | None:
    """Return the first day on which deciding could bring an event or another standing.

    As long as findings and measures stay as they are, nothing comes of deciding any day before;
    None where nothing ever does.  A policy that looks at every date once more does so every day.
    """
    tomorrow = standing.as_of + DAY
    if policy.settlement_days:
        return tomorrow
    after, events = decide(
        policy, found, standing, tomorrow, measures=measures, version=version, older=older
    )
    if events or at_rest(after) != at_rest(standing):
        return tomorrow
    turns = _Turns(policy, found, after, older)
    days = [*turns.all(), *(day for each in measures for day in (each.first, each.last + DAY))]
    return min((day for day in days if day > tomorrow), default=None)


def at_rest(standing: Standing) -> Standing:
    """Return a standing without what changes every day: its date, and how long a clock stood."""
    run = standing.run and replace(standing.run, stood=0)
    return replace(standing, as_of=date.min, run=run)


class _Turns:
    """The days on which a standing that rests today may turn; too many rather than too few."""

    def __init__(self, policy: Policy, found: Findings, standing: Standing, older: Older) -> None:
        self._policy, self._found, self._older = policy, found, older
        self._standing, self._day = standing, standing.as_of
        self._places = {tier.key: place for place, tier in enumerate(policy.tiers)}
        self._held = self._places[standing.tier]
        self._ground = ground_of(standing, self._day)

    def all(self) -> Iterator[date]:
        for ground in self._standing.grounds:
            if ground.last is not None:
                yield ground.last + DAY
        yield from (each.day for each in self._standing.returning)
        if self._policy.transition.until is not None:
            yield self._policy.transition.until + DAY
        yield from self._losses()
        yield from self._promotions()
        yield from self._renewals()
        yield from self._lifetimes()

    def _losses(self) -> Iterator[date]:
        """Yield when a warning or another step may be due, and when a run may start."""
        run, ground = self._standing.run, self._ground
        steps = steps_of(*losing(self._policy, self._standing, run, self._older))
        if run is not None and run.started is not None and len(run.done) < len(steps):
            yield due_on(steps, run, len(run.done))
        if ground is not None and ground.last is not None and steps[0].kind == "warning":
            yield ground.last - steps[0].days * DAY
        if ground is not None and ground.cause == "grace":
            yield from self._starts()

    def _starts(self) -> Iterator[date]:
        policy, tier = losing(self._policy, self._standing, None, self._older)
        demotion = policy.demotion_of(tier)
        if demotion is not None:
            yield self._standing.since + demotion.minimum_stay_days * DAY
            if demotion.assessment is not None:
                yield from self._looks(demotion.assessment)

    def _promotions(self) -> Iterator[date]:
        assessment, above = self._policy.promotion.assessment, self._policy.tiers[self._held + 1 :]
        may_rise = self._best() > self._held or any(map(_for_life, above))
        if assessment is not None and may_rise:
            yield from self._looks(assessment)

    def _looks(self, look: Assessment) -> Iterator[date]:
        """Yield the next assessment date, by the findings of any version."""
        for found in (self._found, *(each.found for each in self._older.values())):
            day = next_look(look, self._day, _counted_from(look, self._standing.since, found))
            if day is not None:
                yield day

    def _renewals(self) -> Iterator[date]:
        """Yield when a ground that is earned every day gets a later end."""
        earned = {min(self._best(), self._held)} | {self._held}
        for ground in self._standing.grounds:
            place = self._places[ground.tier]
            if ground.cause == "earned" and place in earned and ground.holds(self._day):
                yield from self._lengthened(ground, self._policy.tiers[place])

    def _lengthened(self, ground: Ground, tier: Tier) -> Iterator[date]:
        """Yield the first day on which a later last day than the ground's is earned."""
        if ground.last is None:
            return
        first, last = self._day, ground.last + DAY
        while first < last:
            middle = first + (last - first).days // 2 * DAY
            if self._earned_until(tier, middle) > ground.last:
                last = middle
            else:
                first = middle + DAY
        yield first

    def _earned_until(self, tier: Tier, day: date) -> date:
        demotion = self._policy.demotion_of(tier.key)
        look = (demotion and demotion.assessment) or self._policy.promotion.assessment
        since = self._standing.since if self._places[tier.key] == self._held else day
        following = next_look(look, day, _counted_from(look, since, self._found)) if look else None
        return last_day(tier.validity, day, following) or date.max

    def _lifetimes(self) -> Iterator[date]:
        """Yield when the years for a lifetime are over, if each day to come counts."""
        for place, tier in enumerate(self._policy.tiers):
            counted = [each for each in self._standing.grounds if self._places[each.tier] >= place]
            growing = any(each.holds(self._day) and each.cause == "earned" for each in counted)
            if tier.lifetime_after_years and growing:
                missing = days_to_lifetime(counted, self._day, tier.lifetime_after_years)
                yield self._day + missing * DAY

    def _best(self) -> int:
        return self._found.at_least if self._found.entitled is None else self._found.entitled


def _for_life(tier: Tier) -> bool:
    return tier.lifetime_after_years is not None


def _counted_from(look: Assessment, since: date, found: Findings) -> date | None:
    if isinstance(look, Anniversary) and look.of is not None:
        return found.dates.get(look.of)
    return since
