"""How a client stands on a business date, from how they stood before and that day's facts.

The tier held is the highest with a ground valid on the date; it is lost only by the steps of its
demotion policy.  A pure function of policy, facts, standing and date, applied date by date in
order; docs/semantics.md has its rules, by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rules.assessment import looks_on, next_look
from rules.policy import Anniversary, Assessment, DemotionPolicy, Policy, Step, Tier
from rules.prospects import NONE_OLDER, Older, due_on, end_of, lost_by, rank, steps_of
from rules.standing import (
    Event,
    EventKind,
    Findings,
    Ground,
    Mark,
    Measure,
    Return,
    Ruling,
    Run,
    Standing,
)
from rules.transition import carried_measures, carry_over, joined, keeps_rules
from rules.validity import last_day
from rules.verdict import Outcome
from rules.windows import DAY, add_months


def decide(  # noqa: PLR0913 - the whole of what a standing depends on
    policy: Policy,
    found: Findings,
    before: Standing | None,
    day: date,
    *,
    measures: Sequence[Measure] = (),
    issued: date | None = None,
    version: int = 0,
    older: Older = NONE_OLDER,
    settled: Findings | None = None,
) -> tuple[Standing, tuple[Event, ...]]:
    """Return how a client stands on business date ``day``, and what happened to them on it.

    :param before: how they stood on an earlier date, or earlier on this one; None for who is new.
        On a date decided before, what came since only earns, mends and promotes: nothing is lost
        between two nights.
    :param measures: what people decided beside the rules.
    :param issued: the day on which this is really carried out, and notices go out; ``day``
        unless it is caught up with later.
    :param version: the number of the policy's version.
    :param older: the versions that :func:`rules.transition.versions_needed` names.
    :param settled: what is known now of the date that :func:`settled_on` says; None if nothing.
    :raises ValueError: if ``before`` is of a later date, ``issued`` is before ``day``, an older
        version is wanting, or the policy neither has nor maps a tier.
    """
    if before is None:
        before = Standing(policy.tiers[0].key, day, date.min)
    if before.as_of > day:
        raise ValueError("dates are decided in order")
    if issued is not None and issued < day:
        raise ValueError("a date is decided on that day or later")
    rulings = {**older, version: Ruling(policy, found)}
    carried = carried_measures(measures, policy)
    case = _Case(rulings, version, carry_over(before, policy), day, carried, issued or day)
    case.measure()
    case.give_back()
    if before.as_of < day:
        case.settle(settled)
    case.bridge()
    case.move()
    case.earn()
    if not case.promote() and not case.mend() and before.as_of < day:
        case.fail()
    return case.standing(), tuple(case.events)


def settled_on(policy: Policy, day: date) -> date | None:
    """Return the date that is looked at once more on a day; None if the policy settles nothing."""
    return day - policy.settlement_days * DAY if policy.settlement_days else None


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a version has for a tier, and what the facts say by it.

    ``was`` is what the version calls the tier, where the tier has disappeared since.
    """

    version: int
    was: str | None
    tier: str
    policy: Policy
    found: Findings

    @property
    def keep(self) -> Outcome:
        keys = [each.key for each in self.policy.tiers]
        return self.found.keep[keys.index(self.tier)]

    @property
    def demotion(self) -> DemotionPolicy | None:
        return self.policy.demotion_of(self.tier)

    @property
    def steps(self) -> tuple[Step, ...]:
        return steps_of(self.policy, self.tier)


class _Case:
    """One client on one date."""

    def __init__(  # noqa: PLR0913, PLR0917 - as decide
        self,
        rulings: Older,
        version: int,
        before: Standing,
        day: date,
        measures: Sequence[Measure],
        issued: date,
    ) -> None:
        self._rulings, self._version, self._before = rulings, version, before
        self._policy, self._found = rulings[version].policy, rulings[version].found
        self._day, self._measures, self._issued = day, measures, issued
        self._under = tuple(each for each in measures if each.holds(day))
        self._is_again, self._is_settled = before.as_of >= day, before.as_of > day
        self._then = day - self._policy.settlement_days * DAY
        self._settled: Findings | None = None
        self._places = {tier.key: place for place, tier in enumerate(self._policy.tiers)}
        self._held = self._places[before.tier]
        self._grounds = list(before.grounds)
        self._since, self._run = before.since, before.run
        self._withdrawn, self._returning = before.withdrawn, before.returning
        self._is_renewed = self._is_regained = False
        self.events: list[Event] = []

    def standing(self) -> Standing:
        return Standing(
            self._key(self._held),
            self._since,
            self._day,
            tuple(self._grounds),
            self._run,
            self._withdrawn,
            self._under,
            self._returning,
        )

    def measure(self) -> None:
        """Tell what a person decided that is now in force, or no longer is (rule 5)."""
        was = {each.named: each for each in self._before.under}
        now = {each.named: each for each in self._under}
        for each in (now[name] for name in now if name not in was):
            self._tell("hold_set" if each.kind == "hold" else "override_set")
        for each in (was[name] for name in was if name not in now):
            self._tell("hold_ended" if each.kind == "hold" else "override_ended")

    # -- a date looked at once more --------------------------------------------------------------

    def settle(self, found: Findings | None) -> None:
        """Earn on an earlier date, as of that date, and rise to what is held by it (rule 7)."""
        then, self._settled = self._then, found
        if found is None or then == self._day:
            return
        known = [each for each in self._grounds if each.first <= then]
        places = [self._places[each.tier] for each in known if each.holds(then - DAY)]
        tier = self._key(max(places, default=0))
        since = min(self._since, then - DAY)
        before = replace(self._before, tier=tier, since=since, grounds=tuple(known))
        rulings = {**self._rulings, self._version: Ruling(self._policy, found)}
        earning = _Case(rulings, self._version, before, then, (), then)
        earning.earn()
        self._gain([*earning.standing().grounds, *(g for g in self._grounds if g.first > then)])

    def _gain(self, grounds: Sequence[Ground]) -> None:
        """Take grounds that were earned late; who is held by one is not held by grace."""
        before = {place: self._last(place) for place in self._places.values()}
        in_grace = self._is_in_grace()
        self._grounds = list(joined(grounds))
        for place in self._places.values():
            if self._last(place) > before[place]:
                self._end_grace(place)
                self._is_renewed = self._is_renewed or place == self._held
        self._is_regained = self._is_renewed and in_grace
        self.promote()

    def _last(self, place: int) -> date:
        """Return the last day on which a tier is held by more than grace; long ago if it is not."""
        holding = [each for each in self._of(place) if each.holds(self._day)]
        return max((end_of(each) for each in holding if each.cause != "grace"), default=date.min)

    # -- benefits that return --------------------------------------------------------------------

    def give_back(self) -> None:
        """Give the benefits back whose day has come (rule 2)."""
        due = [each for each in self._returning if each.day <= self._day]
        self._returning = self._returning[len(due) :]
        if due:
            self._tell("reinstated", benefits=self._back(due))

    def _end_run(self) -> tuple[str, ...]:
        """End the run and plan the return of what was withdrawn; return what is back at once.

        A run of which no step was carried out leaves what returns as it was planned.
        """
        run, demotion = self._run, self._losing().demotion
        self._run = None
        if run is None or not run.done:
            return ()
        returns = self._returns(demotion)
        self._returning = tuple(each for each in returns if each.day > self._day)
        return self._back([each for each in returns if each.day == self._day])

    def _returns(self, demotion: DemotionPolicy | None) -> list[Return]:
        """Plan what returns when: what was withdrawn last today, the rest at once or stepwise.

        What none of the steps withdraws, as another tier's did, returns today.
        """
        left = self._withdrawn
        if demotion is None or demotion.benefits_return_days == 0:
            return [Return(self._day, left)]
        groups = []
        for step in demotion.steps:
            groups.append(tuple(each for each in left if each in step.benefits))
            left = tuple(each for each in left if each not in step.benefits)
        back = [each for each in reversed(groups) if each]
        return [Return(self._day, left)] + [
            Return(self._day + place * demotion.benefits_return_days * DAY, benefits)
            for place, benefits in enumerate(back)
        ]

    def _back(self, returns: Sequence[Return]) -> tuple[str, ...]:
        """Give benefits back; return them in the order in which they had been withdrawn."""
        named = {benefit for each in returns for benefit in each.benefits}
        back = tuple(each for each in self._withdrawn if each in named)
        self._withdrawn = tuple(each for each in self._withdrawn if each not in named)
        return back

    # -- the versions of the policy ----------------------------------------------------------------

    def move(self) -> None:
        """Move to this version what keeps the rules of an older one no longer."""
        self._grounds = [self._moved(each) for each in self._grounds]

    def _moved(self, ground: Ground) -> Ground:
        is_over = ground.last is not None and ground.last < self._day
        if ground.version == self._version or is_over:
            return ground
        if keeps_rules(self._policy, ground, self._day):
            return ground
        moved = replace(ground, version=self._version, was=None)
        place = self._places[ground.tier]
        if moved.last is not None or moved.cause != "earned" or self._found.keep[place] is not True:
            return moved
        return replace(self._earned(place), first=ground.first)

    def _rules(self, named: Ground | Run | None) -> _Rules:
        """Return the rules by which a ground is held, or that a run follows."""
        tier = named.tier if isinstance(named, Ground) else self._key(self._held)
        if named is None or named.version == self._version:
            return _Rules(self._version, None, tier, self._policy, self._found)
        ruling = self._rulings.get(named.version)
        if ruling is None:
            raise ValueError(f"version {named.version} of the policy is needed")
        was = named.was
        return _Rules(named.version, was, was or tier, ruling.policy, ruling.found)

    def _losing(self) -> _Rules:
        """Return the rules by whose steps the held tier is lost."""
        return self._rules(lost_by(self._policy, self._run, self._ground()))

    def _failing(self) -> _Rules:
        """Return the rules that say besides the keep criteria who fails the held tier, and when."""
        return self._rules(lost_by(self._policy, None, self._ground()))

    def _keep(self, place: int) -> Outcome:
        """Return whether a tier is kept by this version, or one by which it is still held."""
        holding = [each for each in self._of(place) if each.holds(self._day)]
        return _any({self._found.keep[place], *(self._rules(each).keep for each in holding)})

    def _keeps(self, ground: Ground) -> Outcome:
        """Return whether a ground is kept: by its own version, or by either."""
        own = self._rules(ground).keep
        if self._policy.transition.moves == "new_grounds_only":
            return own
        return _any({own, self._found.keep[self._places[ground.tier]]})

    # -- grounds -------------------------------------------------------------------------------

    def bridge(self, *, follows_open: bool = False) -> None:
        """Bridge the held tier's end by grace: it is lost only by a step (rules 4 and 6)."""
        if self._held and not self._causes():
            ended = max(self._of(self._held), key=end_of, default=None)
            grace = Ground(self._key(self._held), self._day, None, "grace", version=self._version)
            if ended is not None and ended.last is not None:
                first, version, was = ended.last + DAY, ended.version, ended.was
                grace = replace(grace, first=first, version=version, was=was)
            self._grounds.append(replace(grace, follows_open=follows_open))

    def earn(self) -> None:
        """Earn and renew grounds, also at and below the held tier (rule 1)."""
        best = self._found.at_least if self._found.entitled is None else self._found.entitled
        reach = self._reach()
        earned = {self._held} if self._found.keep[self._held] is True else set()
        if best <= reach or reach > self._held:
            earned.add(min(best, reach))
        lowest = self._held if self._has_expired() else 1
        for place in sorted(earned - {0}):
            if place >= lowest:
                self._earn(place)
        for place, tier in enumerate(self._policy.tiers[: reach + 1]):
            if self._is_for_life(place, tier):
                self._add(Ground(tier.key, self._day, None, "lifetime", version=self._version))
        if not self._is_again:
            self._end_open_grounds(earned)

    def _reach(self) -> int:
        """Return the highest place that may be earned today."""
        promotion = self._policy.promotion
        if promotion.assessment is not None and not self._looks(promotion.assessment):
            return self._held
        highest = len(self._policy.tiers) - 1
        if promotion.path == "straight":
            return highest
        has_moved = self._is_again and self._held and self._since == self._day
        return self._held if has_moved else min(self._held + 1, highest)

    def _earn(self, place: int) -> None:
        if not self._is_locked(place):
            self._add(self._earned(place))

    def _earned(self, place: int) -> Ground:
        tier = self._policy.tiers[place]
        last = last_day(tier.validity, self._day, self._next_look(place))
        at_expiry = tier.renewal == "at_expiry" and last is not None
        return Ground(tier.key, self._day, last, "earned", at_expiry, self._version)

    def _is_locked(self, place: int) -> bool:
        """Tell whether a ground runs, of this tier or higher, that renews only at its end."""
        return any(
            each.renews_at_expiry and each.holds(self._day) and place <= self._places[each.tier]
            for each in self._grounds
        )

    def _has_expired(self) -> bool:
        """Tell whether the held tier's last earned ground renews at its end, and that is past."""
        earned = [each for each in self._of(self._held) if each.cause == "earned"]
        latest = max(earned, key=end_of, default=None)
        return (
            latest is not None
            and latest.renews_at_expiry
            and self._since <= end_of(latest) < self._day
        )

    def _add(self, ground: Ground) -> None:
        """Add a ground, or lengthen the one of its cause that runs: the later end counts.

        An open one of an older version is followed by it where that version's keep fails.
        """
        place = self._places[ground.tier]
        if place == self._held:
            self._is_regained = self._is_regained or self._is_in_grace()
            self._is_renewed = True
        self._end_grace(place)
        for each in self._of(place):
            if each.cause == ground.cause and each.holds(self._day):
                if self._has_lapsed(each):
                    self._cut(each)
                    break
                if end_of(each) < end_of(ground) and not (self._is_settled and ground.last is None):
                    self._grounds[self._grounds.index(each)] = replace(ground, first=each.first)
                return
        self._grounds.append(ground)

    def _has_lapsed(self, ground: Ground) -> bool:
        """Tell whether an open ground is no longer kept by the older version that it keeps to."""
        is_older = ground.version != self._version and ground.last is None
        return is_older and self._keeps(ground) is False

    def _end_open_grounds(self, earned: set[int]) -> None:
        """End what lasts only while the keep criteria hold, where they do not.

        Also the grace that a promotion left behind below the held tier.  Where the entry is
        undetermined nothing ends (rule 6).
        """
        if self._found.entitled is None:
            return
        ended = [
            each
            for each in self._grounds
            if each.last is None and self._may_end(each, earned) and self._keeps(each) is False
        ]
        for each in ended:
            self._cut(each)
        self.bridge(follows_open=True)

    def _may_end(self, ground: Ground, earned: set[int]) -> bool:
        place = self._places[ground.tier]
        causes = {"earned", "landing"} | ({"grace"} if place < self._held else set())
        return place not in earned and ground.cause in causes

    def _is_for_life(self, place: int, tier: Tier) -> bool:
        years = tier.lifetime_after_years
        if years is None or "lifetime" in self._causes(place):
            return False
        return self._found.entry[place] is True if years == 0 else self._was_held(place, years)

    def _was_held(self, place: int, years: int) -> bool:
        """Tell whether a tier or a higher one was earned for so many years in all."""
        counted = [each for each in self._grounds if self._places[each.tier] >= place]
        return days_to_lifetime(counted, self._day, years) <= 0

    # -- the tier held ---------------------------------------------------------------------------

    def promote(self) -> bool:
        """Let the highest ground decide; a promotion closes a run and gives all benefits back."""
        top = self._top()
        if top <= self._held:
            return False
        self._move(top, "promoted")
        return True

    def mend(self) -> bool:
        """Tell of a tier earned again, and end the run of who keeps it (rule 2)."""
        if self._is_regained:
            self._tell("renewed")
        if self._run is None or not (self._is_renewed or self._is_kept()):
            return False
        done, back = self._run.done, self._end_run()
        if done:
            self._tell("reinstated", benefits=back)
        return True

    def _is_kept(self) -> bool:
        """Tell whether the tier cannot be lost: by its keep criteria, or by more than grace.

        A run that has started finds more than grace only where tiers have become one.
        """
        has_started = self._run is not None and self._run.started is not None
        return self._keep(self._held) is True or (has_started and not self._is_in_grace())

    def fail(self) -> None:
        """Begin a failing run, or go on with it (rules 2, 3 and 5)."""
        if self._run is not None:
            self._run = replace(self._run, stood=self._run.stood + self._days_stopped())
        if self._held == 0 or self._is_stopped() or not self._fails():
            return
        if self._may_start():
            run = self._run or Run(None)
            self._run = replace(run, started=Mark(self._day, run.stood))
        elif self._run is None:
            self._warn()
        self._carry_out()

    def _fails(self) -> bool:
        """Tell whether the facts say that the held tier is not kept; doubt loses nobody a tier."""
        entitled, rules = self._found.entitled, self._failing()
        return (
            entitled is not None
            and entitled < self._held
            and self._keep(self._held) is False
            and (rules.demotion is None or rules.found.unless[rules.demotion.key] is False)
        )

    def _may_start(self) -> bool:
        """Tell whether a run may start: by grace alone, after the minimum stay, on a date to look.

        A ground with an end, or for life, protects; an open one has ended by now.
        """
        if (self._run is not None and self._run.started is not None) or not self._is_in_grace():
            return False
        if not self._failed_then():
            return False
        rules = self._failing()
        demotion = rules.demotion
        return demotion is None or (
            self._then >= self._since + demotion.minimum_stay_days * DAY
            and (demotion.assessment is None or self._looked_then(demotion.assessment, rules.found))
        )

    def _failed_then(self) -> bool:
        """Tell whether the tier is failed on the date looked at once more, if there is one."""
        found, ground, then = self._settled, self._ground(), self._then
        if then == self._day:
            return True
        if found is None or found.entitled is None or ground is None or ground.first > then:
            return False
        demotion = self._policy.demotion_of(self._key(self._held))
        return (
            found.entitled < self._held
            and found.keep[self._held] is False
            and (demotion is None or found.unless[demotion.key] is False)
            and not any(each.holds(then) for each in self._measures)
        )

    def _looked_then(self, look: Assessment, found: Findings) -> bool:
        return looks_on(look, self._then, self._counted_from(look, self._since, found))

    # -- steps -------------------------------------------------------------------------------------

    def _warn(self) -> None:
        """Warn n days before the last day of the ground, the ground intact (rule 3)."""
        first = self._losing().steps[0]
        end = max(end_of(each) for each in self._of(self._held) if each.holds(self._day))
        if first.kind == "warning" and self._day >= end - first.days * DAY:
            self._run = Run(None)
            self._take(first)

    def _carry_out(self) -> None:
        """Carry out what is due; nothing before the run has started."""
        while self._run is not None and self._run.started is not None:
            steps, place = self._losing().steps, len(self._run.done)
            if place == len(steps) or self._day < due_on(steps, self._run, place):
                return
            self._take(steps[place])

    def _take(self, step: Step) -> None:
        run = self._run
        assert run is not None  # noqa: S101 - only a run has steps
        rules, done = self._losing(), (*run.done, Mark(self._issued, run.stood))
        self._run = replace(run, done=done, version=rules.version, was=rules.was)
        self._returning = ()
        match step.kind:
            case "warning" | "notice":
                self._run = replace(self._run, late=max(run.late, self._days_late(run)))
                self._tell("notice_given")
            case "withdraw":
                taken = tuple(each for each in step.benefits if each not in self._withdrawn)
                self._withdrawn += taken
                self._tell("benefit_withdrawn", benefits=taken)
            case "demote":
                self._demote(step)

    def _days_late(self, run: Run) -> int:
        """Count by how much a run's next step goes out later than if nothing had been late."""
        planned = self._day
        if run.started is not None:
            steps = self._losing().steps
            planned = due_on(steps, replace(run, done=(), late=0), len(run.done))
        return (self._issued - planned).days

    def _demote(self, step: Step) -> None:
        """End the grace, all that holds the tier; what remains, is earned or lands decides (4)."""
        fallen = self._held
        self._end_grace(fallen)
        if self._found.entitled:
            self._earn(self._found.entitled)
        if step.to == "one_rung" and fallen > 1:
            last = last_day(step.landing, self._day, self._next_look(fallen - 1))
            key = self._key(fallen - 1)
            self._add(Ground(key, self._day, last, "landing", version=self._version))
        self._move(self._top(), "demoted")

    def _move(self, place: int, kind: EventKind) -> None:
        before, back = self._key(self._held), self._end_run() if place > self._held else ()
        if place < self._held:
            self._run, self._withdrawn, self._returning = None, (), ()
        self._held, self._since = place, self._day
        self._tell(kind, before, back)

    # -- small things ------------------------------------------------------------------------------

    def _top(self) -> int:
        return max(
            (self._places[each.tier] for each in self._grounds if each.holds(self._day)), default=0
        )

    def _causes(self, place: int | None = None) -> set[str]:
        """Return the causes by which a tier, the held one unless told, is held today."""
        grounds = self._of(self._held if place is None else place)
        return {each.cause for each in grounds if each.holds(self._day)}

    def _is_in_grace(self) -> bool:
        """Tell whether nothing but grace holds the held tier."""
        return self._causes() == {"grace"}

    def _end_grace(self, place: int) -> None:
        for each in self._of(place):
            if each.cause == "grace" and each.holds(self._day):
                self._cut(each)

    def _cut(self, ground: Ground) -> None:
        """End a ground with yesterday."""
        self._grounds.remove(ground)
        if ground.first < self._day:
            self._grounds.append(replace(ground, last=self._day - DAY))

    def _of(self, place: int) -> list[Ground]:
        return [each for each in self._grounds if each.tier == self._key(place)]

    def _key(self, place: int) -> str:
        return self._policy.tiers[place].key

    def _ground(self) -> Ground | None:
        """Return the ground by which the tier is held."""
        holding = [each for each in self._of(self._held) if each.holds(self._day)]
        return max(holding, key=rank, default=None)

    def _looks(self, look: Assessment) -> bool:
        return looks_on(look, self._day, self._counted_from(look, self._since))

    def _next_look(self, place: int) -> date | None:
        """Return the next assessment date of a tier: its demotion policy's, or promotion's."""
        demotion = self._policy.demotion_of(self._key(place))
        look = (demotion and demotion.assessment) or self._policy.promotion.assessment
        since = self._since if place == self._held else self._day
        return next_look(look, self._day, self._counted_from(look, since)) if look else None

    def _counted_from(
        self, look: Assessment, since: date, found: Findings | None = None
    ) -> date | None:
        """Return what anniversaries are counted from: a date of the client's, or the tier's."""
        if isinstance(look, Anniversary) and look.of is not None:
            return (found or self._found).dates.get(look.of)
        return since

    def _is_stopped(self) -> bool:
        return bool(self._under)

    def _days_stopped(self) -> int:
        """Count the days since the last decision on which a person had the clock stopped."""
        since = (self._day - self._before.as_of).days
        days = [self._day - back * DAY for back in range(since)]
        return sum(any(each.holds(day) for each in self._measures) for day in days)

    def _tell(
        self, kind: EventKind, before: str | None = None, benefits: tuple[str, ...] = ()
    ) -> None:
        self.events.append(Event(kind, self._day, self._key(self._held), before, benefits))


def days_to_lifetime(grounds: Sequence[Ground], day: date, years: int) -> int:
    """Count the days that are wanting on a day of so many years on grounds that were earned.

    The years have as many days as those from the first of these days on.
    """
    spans = sorted(
        (each.first, min(day, end_of(each)))
        for each in grounds
        if each.cause in {"earned", "lifetime"}
    )
    begun = covered = spans[0][0] if spans else day
    days = 0
    for first, last in spans:
        days += max(0, (last + DAY - max(first, covered)).days)
        covered = max(covered, last + DAY)
    return (add_months(begun, 12 * years) - begun).days - days


def _any(outcomes: set[Outcome]) -> Outcome:
    return True if True in outcomes else None if None in outcomes else False
