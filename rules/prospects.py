"""What a standing means on a day: the tier served by, the state, the ground, what lies ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Literal

from rules.policy import Policy, Step
from rules.standing import Ground, Mark, Measure, Ruling, Run, Standing
from rules.windows import DAY, add_months

AT_ONCE = (Step("demote", 0, to="entitled"),)
"""What happens to who fails a tier without a demotion policy."""

Older = Mapping[int, Ruling]
"""Older versions by which clients are still judged, by number, each with its own findings."""

NONE_OLDER: Older = MappingProxyType({})


def in_force(policy: Policy, standing: Standing, measures: Sequence[Measure], day: date) -> str:
    """Return the tier by which a client is served: the one held, overrides gone over it.

    Exactly a tier goes over a ceiling, a ceiling over a floor; of two of a kind the stricter.
    """
    places = {tier.key: place for place, tier in enumerate(policy.tiers)}
    holding = [each for each in measures if each.holds(day)]

    def named(kind: str) -> list[int]:
        return [places[each.tier] for each in holding if each.kind == kind and each.tier]

    place = min([max([places[standing.tier], *named("floor")]), *named("ceiling")])
    return policy.tiers[min(named("exact"), default=place)].key


State = Literal["secure", "on_notice", "reduced", "on_hold", "overridden"]


def state(standing: Standing, measures: Sequence[Measure], day: date) -> State:
    """Return in what state a standing is on the day it was decided for, or later."""
    kinds = {each.kind for each in measures if each.holds(day)}
    if "hold" in kinds:
        return "on_hold"
    if kinds:
        return "overridden"
    if standing.withdrawn:
        return "reduced"
    return "on_notice" if standing.run and standing.run.done else "secure"


def ground_of(standing: Standing, day: date) -> Ground | None:
    """Return the ground by which the tier is held: the one that ends last, grace only for want.

    Of two without an end the one for life.
    """
    holding = [each for each in standing.grounds if each.tier == standing.tier and each.holds(day)]
    return max(holding, key=rank, default=None)


def deadline(policy: Policy, standing: Standing, older: Older = NONE_OLDER) -> date | None:
    """Return the last day on which what is missing can be made good: on the next the tier may go.

    None where no step is under way, or none of them demotes.

    :param older: as for :func:`decide`.
    """
    return next(
        (day - DAY for step, day in ahead(policy, standing, older) if step.kind == "demote"), None
    )


def ahead(
    policy: Policy, standing: Standing, older: Older = NONE_OLDER
) -> tuple[tuple[Step, date], ...]:
    """Return what is still to come of a run, if the client goes on failing, on which day at best.

    Nothing where no step is under way.

    :param older: as for :func:`decide`.
    """
    run, ground = standing.run, ground_of(standing, standing.as_of)
    if run is None:
        return ()
    steps = steps_of(*losing(policy, standing, run, older))
    earliest = standing.as_of + DAY
    if run.started is None:
        if ground is not None and ground.last is not None:
            earliest = ground.last + (1 + policy.settlement_days) * DAY
        run = replace(run, started=Mark(earliest, run.stood))
    places = range(len(run.done), len(steps))
    return tuple((steps[place], max(earliest, due_on(steps, run, place))) for place in places)


def losing(policy: Policy, standing: Standing, run: Run | None, older: Older) -> tuple[Policy, str]:
    """Return the version by whose steps the tier is lost, and what that calls the tier."""
    named = lost_by(policy, run, ground_of(standing, standing.as_of))
    if named is None or named.version not in older:
        return policy, standing.tier
    return older[named.version].policy, named.was or standing.tier


def steps_of(policy: Policy, tier: str) -> tuple[Step, ...]:
    """Return what happens, step by step, to who fails a tier."""
    demotion = policy.demotion_of(tier)
    return AT_ONCE if demotion is None else demotion.steps


def due_on(steps: Sequence[Step], run: Run, place: int) -> date:
    """Return the day on which a step of a run is due.

    Counted from the run's start, as much later as a notice went out late, so that what it
    announced is kept; or from the day the step before was really carried out, or will be.
    """
    if run.started is None:
        raise ValueError("a run that has not started has no steps that are due")
    step = steps[place]
    if step.kind == "warning":
        return run.clocked(run.started)
    if step.counted == "start" or place == 0:
        return _after(run.clocked(run.started) + run.late * DAY, step)
    done = place <= len(run.done)
    return _after(run.clocked(run.done[place - 1]) if done else due_on(steps, run, place - 1), step)


def lost_by(policy: Policy, run: Run | None, ground: Ground | None) -> Run | Ground | None:
    """Return what says by which version's steps a tier is lost; None: the policy's own."""
    if run is not None and run.done:
        return run
    return ground if policy.transition.moves == "new_grounds_only" else None


def _after(day: date, step: Step) -> date:
    return add_months(day, step.months) + step.days * DAY


def rank(ground: Ground) -> tuple[bool, date, bool]:
    """Return by what grounds of one tier are compared: the highest is the one that counts."""
    return ground.cause != "grace", end_of(ground), ground.cause == "lifetime"


def end_of(ground: Ground) -> date:
    """Return a ground's last day, as late as can be where it is open."""
    return ground.last or date.max
