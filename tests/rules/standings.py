"""Ladders, findings and lives for tests of standings, and the laws that every life keeps.

Findings are stated here, not measured: a test says which tier the facts give and which are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Any, Literal

from hypothesis import strategies as st

from rules.decide import decide, settled_on
from rules.policy import (
    Anniversary,
    Assessment,
    Calendar,
    DemotionPolicy,
    Fixed,
    Monthly,
    Open,
    Policy,
    Promotion,
    Step,
    Tier,
    Transition,
    UntilAssessment,
    Validity,
    YearDays,
)
from rules.prospects import Older, due_on, ground_of, steps_of
from rules.standing import Event, Findings, Ground, Mark, Measure, Ruling, Run, Standing
from rules.transition import carry_over, keeps_rules, tiers_left_out, versions_needed
from rules.turn import at_rest, next_turn
from rules.verdict import Outcome
from rules.windows import DAY

# -- ladders and findings ----------------------------------------------------------------------

NOTICE = Step("notice")
AT_ONCE = Promotion()
NEVER = date(9999, 12, 31)


def ladder(
    *tiers: Tier, demotion: Sequence[DemotionPolicy] = (), promotion: Promotion = AT_ONCE
) -> Policy:
    """Return a policy with these tiers above a lowest one named ``base``."""
    return Policy(
        key="example",
        name={},
        digest="",
        languages=("en",),
        currency="EUR",
        time_zone="Europe/Kyiv",
        metrics={},
        tiers=(Tier("base", {}), *tiers),
        demotion_policies=tuple(demotion),
        promotion=promotion,
    )


def tier(key: str, **parts: Any) -> Tier:
    return Tier(key, {}, **parts)


def demoting(*steps: Step, key: str = "slowly", **parts: Any) -> DemotionPolicy:
    return DemotionPolicy(key, {}, steps, **parts)


def demote(days: int = 0, **parts: Any) -> Step:
    return Step("demote", days, **{"to": "entitled", **parts})


def withdraw(days: int, *benefits: str, **parts: Any) -> Step:
    return Step("withdraw", days, benefits=benefits, **parts)


def findings(
    policy: Policy,
    entitled: str | None,
    *,
    at_least: str = "base",
    keeps: Collection[str] = (),
    keep: Mapping[str, Outcome] | None = None,
    enters: Collection[str] = (),
    unless: Outcome = False,
    dates: Mapping[str, date] | None = None,
) -> Findings:
    """Return what facts say that give a tier.

    The lower tiers are entered and kept too; ``keeps`` are others that are kept, ``keep`` says
    otherwise for some, and ``enters`` are others whose entry holds.
    """
    keys = [each.key for each in policy.tiers]
    best = keys.index(entitled or at_least)
    reached = {*keys[: best + 1], *enters}
    kept: dict[str, Outcome] = {key: key in reached or key in keeps for key in keys}
    kept |= keep or {}
    return Findings(
        None if entitled is None else best,
        best,
        tuple(key in reached for key in keys),
        tuple(kept[key] for key in keys),
        {each.key: unless for each in policy.demotion_policies},
        dates or {},
    )


@dataclass
class Life:
    """One client, decided date by date."""

    policy: Policy
    standing: Standing | None = None
    measures: Sequence[Measure] = ()
    events: list[Event] = field(default_factory=list)
    version: int = 0

    def on(
        self,
        day: str,
        entitled: str | None,
        *,
        issued: str | None = None,
        older: Older | None = None,
        settled: Findings | None = None,
        **findings_: Any,
    ) -> list[str]:
        """Decide a date on which the facts give a tier; return what happened, as words."""
        self.standing, events = decide(
            self.policy,
            findings(self.policy, entitled, **findings_),
            self.standing,
            date.fromisoformat(day),
            measures=self.measures,
            issued=None if issued is None else date.fromisoformat(issued),
            version=self.version,
            older=older or {},
            settled=settled,
        )
        self.events += events
        return [each.kind for each in events]

    def daily(self, first: str, last: str, entitled: str | None, **findings_: Any) -> list[str]:
        """Decide every date from the first to the last; return what happened, with the day."""
        day, end = date.fromisoformat(first), date.fromisoformat(last)
        told = []
        while day <= end:
            told += [f"{day} {each}" for each in self.on(day.isoformat(), entitled, **findings_)]
            day += DAY
        return told

    @property
    def now(self) -> Standing:
        assert self.standing is not None
        return self.standing

    @property
    def tier(self) -> str:
        return self.now.tier

    @property
    def ground(self) -> str:
        """Why the tier is held, and until when: ``earned 2026-12-31``, ``grace open``."""
        found = ground_of(self.now, self.now.as_of)
        if found is None:
            return "none"
        return f"{found.cause} {found.last or 'open'}"

    def grounds(self, key: str) -> list[str]:
        """Return the grounds of a tier, the first first."""
        several = [each for each in self.now.grounds if each.tier == key]
        return [
            f"{each.first} {each.last or 'open'} {each.cause}"
            for each in sorted(several, key=lambda each: (each.first, each.last or NEVER))
        ]


# -- random policies, findings and lives ---------------------------------------------------------

assessments: st.SearchStrategy[Assessment] = st.sampled_from(
    [
        YearDays(((1, 1), (7, 1))),
        Monthly(1),
        Monthly(31),
        Anniversary("month"),
        Anniversary("year"),
        Anniversary("month", "joined"),
    ]
)
maybe_assessments: st.SearchStrategy[Assessment | None] = st.none() | assessments
paths: st.SearchStrategy[Literal["straight", "one_rung"]] = st.sampled_from(
    ["straight", "one_rung"]
)
validities: st.SearchStrategy[Validity] = st.sampled_from(
    [
        Open(),
        Open(),
        Fixed(10, "days"),
        Fixed(45, "days"),
        Fixed(2, "months"),
        Fixed(1, "months", True),
        Calendar("month"),
        Calendar("quarter", 1, 1),
        UntilAssessment(),
    ]
)
some_days = st.sampled_from([0, 1, 5, 20])
counted = st.sampled_from(["start", "previous_step"])
middle = st.one_of(
    st.builds(lambda days, how: Step("notice", days, counted=how), some_days, counted),
    st.builds(
        lambda days, how, benefit: withdraw(days, benefit, counted=how),
        some_days,
        counted,
        st.sampled_from(["lounge", "gift"]),
    ),
)
ends = st.lists(
    st.builds(
        lambda days, how, to, landing: demote(days, counted=how, to=to, landing=landing),
        some_days,
        counted,
        st.sampled_from(["entitled", "one_rung"]),
        validities,
    ),
    max_size=1,
)
beginnings = st.sampled_from([[], [NOTICE], [Step("warning", 7)], [Step("warning", 30)]])


@st.composite
def demotion_policies(draw: st.DrawFn, key: str) -> DemotionPolicy:
    steps = draw(beginnings) + draw(st.lists(middle, max_size=2)) + draw(ends)
    return DemotionPolicy(
        key,
        {},
        tuple(steps) or (NOTICE,),
        draw(st.sampled_from([0, 0, 14])),
        None,
        draw(maybe_assessments),
        draw(st.sampled_from([0, 0, 4])),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy of two to five tiers."""
    several = range(draw(st.integers(1, 4)))
    demotion = [draw(demotion_policies(f"slowly{number}")) for number in several]
    tiers = [
        tier(
            f"tier{number}",
            validity=draw(validities),
            renewal=draw(st.sampled_from(["at_once", "at_expiry"])),
            demotion=draw(st.sampled_from([None, *(each.key for each in demotion)])),
            lifetime_after_years=draw(st.sampled_from([None, None, None, None, 0, 1])),
        )
        for number in several
    ]
    return ladder(
        *tiers,
        demotion=demotion,
        promotion=Promotion(draw(st.none() | maybe_assessments), draw(paths)),
    )


@st.composite
def settling_lives(draw: st.DrawFn) -> Lived:
    """Draw a life under a policy that looks at each date once more, and nothing came late."""
    policy = replace(draw(policies()), settlement_days=draw(st.sampled_from([1, 2, 5])))
    measures, standing = draw(some_measures(policy)), None
    decided: list[Decided] = []
    known: dict[date | None, Findings] = {}
    for each in draw(histories(policy, late=False)):
        settled = known.get(settled_on(policy, each.day))
        known[each.day] = each.found
        parts = (policy, each.found, standing, each.day)
        after, events = decide(*parts, measures=measures, settled=settled)
        decided.append(Decided(each, standing, after, events))
        _, unsettled = decide(*parts, measures=measures)
        assert _gains(events) == _gains(unsettled)
        standing = after
    return Lived(policy, measures, decided)


def _gains(events: Sequence[Event]) -> list[Event]:
    return [each for each in events if each.kind in {"promoted", "renewed"}]


def a_settled_life_keeps_the_laws(lived: Lived) -> None:
    for law in LAWS:
        if law != deciding_again_gives_the_same:
            law(lived)


@st.composite
def some_findings(draw: st.DrawFn, policy: Policy, *, determined: bool = False) -> Findings:
    """Draw what a date's facts say: consistent, but no more monotone than a policy need be."""
    places = range(len(policy.tiers))
    best = draw(st.sampled_from(places))
    in_doubt = not determined and draw(st.integers(0, 7)) == 7
    outcomes = [True, False, False] if determined else [True, False, False, None]
    return Findings(
        None if in_doubt else best,
        best,
        tuple(place in {0, best} or (place < best and draw(st.booleans())) for place in places),
        tuple(place == 0 or draw(st.sampled_from(outcomes)) for place in places),
        {each.key: draw(st.sampled_from([False, False, True])) for each in policy.demotion_policies}
        if draw(st.integers(0, 4)) == 4
        else {each.key: False for each in policy.demotion_policies},
        {"joined": date(2020, 2, 29)},
    )


FIRST = date(2023, 12, 20)


@st.composite
def some_measures(draw: st.DrawFn, policy: Policy) -> list[Measure]:
    measures = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        kind = draw(st.sampled_from(["hold", "hold", "floor", "ceiling", "exact"]))
        first = FIRST + draw(st.integers(0, 200)) * DAY
        named = None if kind == "hold" else draw(st.sampled_from(policy.tiers)).key
        last = first + draw(st.integers(0, 40)) * DAY
        measures.append(Measure(kind, first, last, named))  # type: ignore[arg-type]  # drawn
    return measures


@dataclass(frozen=True)
class Dated:
    """A date of a life: what its facts say, and when it was really decided."""

    day: date
    found: Findings
    issued: date


@st.composite
def histories(draw: st.DrawFn, policy: Policy, *, late: bool = True) -> list[Dated]:
    """Draw dated facts, some dates decided late: whatever was missed is caught up with in order."""
    lags = [0, 0, 0, 12] if late else [0]
    dated: list[Dated] = []
    day = issued = FIRST
    for _ in range(draw(st.integers(2, 4))):
        found = draw(some_findings(policy))
        for gap in draw(st.lists(st.sampled_from([1, 1, 2, 5, 10, 30]), min_size=2, max_size=8)):
            day += gap * DAY
            issued = max(issued, day + draw(st.sampled_from(lags)) * DAY)
            dated.append(Dated(day, found, issued))
    return dated


@st.composite
def starts(draw: st.DrawFn, policy: Policy) -> Standing | None:
    """Draw how a client comes in: new, or with a tier that ends soon, or lasts while it is kept."""
    key = draw(st.sampled_from([None, *(each.key for each in policy.tiers[1:])]))
    if key is None:
        return None
    last = draw(st.none() | st.integers(0, 40).map(lambda days: FIRST + days * DAY))
    at_expiry = last is not None and policy.tier(key).renewal == "at_expiry"
    return Standing(key, FIRST, FIRST, (Ground(key, FIRST, last, "earned", at_expiry),))


@dataclass(frozen=True)
class Decided:
    """One date of a life as it was decided."""

    dated: Dated
    before: Standing | None
    after: Standing
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Lived:
    policy: Policy
    measures: Sequence[Measure]
    decided: Sequence[Decided]

    def place(self, key: str) -> int:
        return [each.key for each in self.policy.tiers].index(key)


def live(
    policy: Policy,
    history: Sequence[Dated],
    measures: Sequence[Measure] = (),
    start: Standing | None = None,
) -> Lived:
    """Decide date by date."""
    standing, decided = start, []
    for each in history:
        after, events = decide(
            policy, each.found, standing, each.day, measures=measures, issued=each.issued
        )
        decided.append(Decided(each, standing, after, events))
        standing = after
    return Lived(policy, measures, decided)


@st.composite
def lives(draw: st.DrawFn) -> Lived:
    policy = draw(policies())
    measures, start = draw(some_measures(policy)), draw(starts(policy))
    return live(policy, draw(histories(policy)), measures, start)


# -- the laws ------------------------------------------------------------------------------------


def no_step_comes_twice_or_out_of_order(lived: Lived) -> None:
    taken: list[str] = []
    for each in lived.decided:
        held = lived.policy.tiers[_held(lived, each)].key
        for event in each.events:
            if event.kind in STEPS:
                taken.append(STEPS[event.kind])
                steps = steps_of(lived.policy, held)
                expected = [_told(step) for step in steps[: len(taken)]]
                assert taken == expected, (held, taken, steps)
            if event.kind in {"promoted", "demoted", "reinstated"}:
                taken, held = [], event.tier


STEPS = {"notice_given": "notice", "benefit_withdrawn": "withdraw", "demoted": "demote"}


def _told(step: Step) -> str:
    return "notice" if step.kind == "warning" else step.kind


def what_a_notice_announced_comes_no_earlier(lived: Lived) -> None:
    """Count in days, as these policies' steps do, from when each notice really went out."""
    notices: list[tuple[int, date]] = []
    place = 0
    for each in lived.decided:
        for event in each.events:
            if event.kind in STEPS:
                steps = steps_of(lived.policy, event.before or event.tier)
                if event.kind == "notice_given":
                    notices.append((place, each.dated.issued))
                else:
                    for noticed, issued in notices:
                        assert each.dated.day >= issued + _stated(steps, noticed, place) * DAY
                place += 1
            if event.kind in {"promoted", "demoted", "reinstated"}:
                notices, place = [], 0


def _stated(steps: Sequence[Step], notice: int, place: int) -> int:
    """Count the days that a policy states between two of its steps.

    A warning comes when it may; what hangs on it by days is what is counted from step to step.
    """
    if steps[notice].kind == "warning":
        between = steps[notice + 1 : place + 1]
        if any(each.counted == "start" for each in between):
            return 0
        return sum(each.days for each in between)
    run = Run(Mark(FIRST))
    return (due_on(steps, run, place) - due_on(steps, run, notice)).days


def the_tier_moves_only_as_told(lived: Lived) -> None:
    for each in lived.decided:
        held = _held(lived, each)
        for event in each.events:
            moved = lived.place(event.tier)
            if event.kind == "promoted":
                assert (moved > held, lived.place(event.before or "")) == (True, held)
            elif event.kind == "demoted":
                assert (moved < held, lived.place(event.before or "")) == (True, held)
            else:
                assert moved == held
            held = moved
        assert lived.place(each.after.tier) == held


def the_highest_ground_decides(lived: Lived) -> None:
    for each in lived.decided:
        day = each.dated.day
        holding = [lived.place(ground.tier) for ground in each.after.grounds if ground.holds(day)]
        assert lived.place(each.after.tier) == max(holding, default=0)


def grounds_of_a_tier_and_cause_never_overlap(lived: Lived) -> None:
    by_kind: dict[tuple[str, str], list[Ground]] = {}
    for ground in lived.decided[-1].after.grounds:
        assert ground.first <= (ground.last or NEVER)
        by_kind.setdefault((ground.tier, ground.cause), []).append(ground)
    for several in by_kind.values():
        for one, other in pairwise(sorted(several, key=lambda each: each.first)):
            assert (one.last or NEVER) < other.first


def nothing_is_lost_in_doubt(lived: Lived) -> None:
    for each in lived.decided:
        held = _held(lived, each)
        if each.dated.found.entitled is None or each.dated.found.keep[held] is None:
            assert not _losses(each)
        if each.dated.found.entitled is None and each.before is not None:
            for ground in each.before.grounds:
                if ground.holds(each.dated.day):
                    assert any(
                        other.tier == ground.tier and other.holds(each.dated.day)
                        for other in each.after.grounds
                    )


def nothing_is_lost_while_a_person_says_so(lived: Lived) -> None:
    for each in lived.decided:
        if any(measure.holds(each.dated.day) for measure in lived.measures):
            assert not _losses(each)


def a_tier_with_a_ground_that_protects_is_not_lost(lived: Lived) -> None:
    for each in lived.decided:
        if each.before is not None and "demoted" in _losses(each):
            for ground in each.before.grounds:
                if ground.tier == each.before.tier and ground.holds(each.dated.day):
                    assert ground.cause != "lifetime"
                    assert ground.cause == "grace" or ground.last is None


def only_who_fails_loses(lived: Lived) -> None:
    for each in lived.decided:
        held = _held(lived, each)
        found = each.dated.found
        if _losses(each):
            assert (found.entitled or 0) < held
            assert found.keep[held] is False
            assert True not in found.unless.values() or _spared_by_none(lived, held, found)


def _spared_by_none(lived: Lived, held: int, found: Findings) -> bool:
    demotion = lived.policy.demotion_of(lived.policy.tiers[held].key)
    return demotion is None or found.unless[demotion.key] is False


def _held(lived: Lived, each: Decided) -> int:
    return 0 if each.before is None else lived.place(each.before.tier)


def _losses(each: Decided) -> set[str]:
    return {event.kind for event in each.events if event.kind in STEPS}


def nothing_is_earned_under_a_ground_that_renews_at_its_end(lived: Lived) -> None:
    for each in lived.decided:
        if each.before is None or "demoted" in _losses(each):
            continue
        new = [ground for ground in each.after.grounds if ground.first == each.dated.day]
        for ground in each.before.grounds:
            if ground.renews_at_expiry and ground.holds(each.dated.day):
                top = lived.place(ground.tier)
                assert not [
                    other
                    for other in new
                    if other.cause == "earned" and lived.place(other.tier) <= top
                ]


def the_events_replayed_give_the_standing(lived: Lived) -> None:
    tier = lived.policy.tiers[_held(lived, lived.decided[0])].key
    withdrawn: tuple[str, ...] = ()
    for each in lived.decided:
        for event in each.events:
            tier, withdrawn = replayed(event, tier, withdrawn)
        assert (tier, withdrawn) == (each.after.tier, each.after.withdrawn)


def replayed(event: Event, tier: str, withdrawn: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    match event.kind:
        case "demoted":
            return event.tier, ()
        case "promoted" | "reinstated":
            return event.tier, tuple(each for each in withdrawn if each not in event.benefits)
        case "benefit_withdrawn":
            return tier, withdrawn + event.benefits
        case _:
            return tier, withdrawn


def what_is_withdrawn_returns_no_later_than_planned(lived: Lived) -> None:
    for each in lived.decided:
        after = each.after
        planned = [benefit for one in after.returning for benefit in one.benefits]
        assert len(planned) == len(set(planned))
        assert set(planned) == (set(after.withdrawn) if after.returning else set())
        assert all(one.day > each.dated.day for one in after.returning)
        if after.withdrawn and not after.returning:
            assert after.run is not None


def a_measure_is_told_when_it_begins_and_when_it_is_over(lived: Lived) -> None:
    told = 0
    for each in lived.decided:
        for event in each.events:
            told += {"set": 1, "ended": -1}.get(event.kind.partition("_")[2], 0)
        assert told == len({measure.named for measure in each.after.under})
        assert each.after.under == tuple(
            measure for measure in lived.measures if measure.holds(each.dated.day)
        )


def deciding_again_gives_the_same(lived: Lived) -> None:
    for each in lived.decided:
        assert (each.after, each.events) == decide(
            lived.policy,
            each.dated.found,
            each.before,
            each.dated.day,
            measures=lived.measures,
            issued=each.dated.issued,
        )


def a_date_decided_once_more_loses_nobody_anything(lived: Lived) -> None:
    for each in lived.decided:
        dated, standing = each.dated, each.after
        for found in (dated.found, lived.decided[-1].dated.found, lived.decided[0].dated.found):
            once, events = decide(lived.policy, found, standing, dated.day, measures=lived.measures)
            assert {event.kind for event in events} <= {"promoted", "renewed", "reinstated"}
            assert lived.place(once.tier) >= lived.place(standing.tier)
            assert set(once.withdrawn) <= set(standing.withdrawn)
            if once.run is not None:
                assert once.run == standing.run
            twice, again = decide(lived.policy, found, once, dated.day, measures=lived.measures)
            assert again == () or lived.policy.promotion.path == "one_rung"
            assert once == twice or events
            standing = twice


def nothing_comes_of_deciding_before_the_next_turn(lived: Lived) -> None:
    for each in lived.decided[::3]:
        found, standing = each.dated.found, each.after
        turn = next_turn(lived.policy, found, standing, lived.measures) or NEVER
        assert turn > standing.as_of
        for _ in range(min(60, (turn - standing.as_of).days - 1)):
            day = standing.as_of + DAY
            after, events = decide(lived.policy, found, standing, day, measures=lived.measures)
            assert (events, at_rest(after)) == ((), at_rest(standing)), (day, turn)
            standing = after


LAWS = (
    no_step_comes_twice_or_out_of_order,
    what_a_notice_announced_comes_no_earlier,
    the_tier_moves_only_as_told,
    the_highest_ground_decides,
    grounds_of_a_tier_and_cause_never_overlap,
    nothing_is_lost_in_doubt,
    nothing_is_lost_while_a_person_says_so,
    a_tier_with_a_ground_that_protects_is_not_lost,
    only_who_fails_loses,
    nothing_is_earned_under_a_ground_that_renews_at_its_end,
    the_events_replayed_give_the_standing,
    what_is_withdrawn_returns_no_later_than_planned,
    a_measure_is_told_when_it_begins_and_when_it_is_over,
    deciding_again_gives_the_same,
    a_date_decided_once_more_loses_nobody_anything,
    nothing_comes_of_deciding_before_the_next_turn,
)

# -- two lives beside each other -----------------------------------------------------------------


@dataclass(frozen=True)
class Better:
    """A life, and for its last date findings that are better in every respect."""

    lived: Lived
    found: Findings


@st.composite
def better_findings(draw: st.DrawFn, policy: Policy, than: Findings) -> Findings:
    places = range(len(policy.tiers))
    best = draw(st.sampled_from(places[than.at_least :]))
    return replace(
        than,
        entitled=best,
        at_least=best,
        entry=tuple(than.entry[place] or place == best for place in places),
        keep=tuple(than.keep[place] or draw(st.booleans()) for place in places),
        unless={key: outcome or draw(st.booleans()) for key, outcome in than.unless.items()},
    )


@st.composite
def better_lives(draw: st.DrawFn) -> Better:
    policy = draw(policies())
    measures = draw(some_measures(policy))
    history = draw(histories(policy))
    last = replace(history[-1], found=draw(some_findings(policy, determined=True)))
    lived = live(policy, [*history[:-1], last], measures, draw(starts(policy)))
    return Better(lived, draw(better_findings(policy, last.found)))


def the_better_never_comes_out_lower(better: Better) -> None:
    lived, last = better.lived, better.lived.decided[-1]
    other, _ = decide(
        lived.policy,
        better.found,
        last.before,
        last.dated.day,
        measures=lived.measures,
        issued=last.dated.issued,
    )
    assert lived.place(other.tier) >= lived.place(last.after.tier)


@st.composite
def unhurried(draw: st.DrawFn) -> tuple[Lived, Lived]:
    """Draw a life in which no step hangs on when another was carried out: daily, and caught up."""
    policy = draw(policies())
    demotion = [replace(each, steps=each.steps[-1:]) for each in policy.demotion_policies]
    policy = replace(policy, demotion_policies=tuple(demotion))
    measures, start = draw(some_measures(policy)), draw(starts(policy))
    history = draw(histories(policy, late=False))
    late = [replace(each, issued=history[-1].day) for each in history]
    return live(policy, history, measures, start), live(policy, late, measures, start)


def caught_up_it_is_the_same(both: tuple[Lived, Lived]) -> None:
    daily, caught_up = both
    for one, other in zip(daily.decided, caught_up.decided, strict=True):
        assert one.events == other.events
        assert replace(one.after, run=None) == replace(other.after, run=None)


# -- lives under two versions of a policy ---------------------------------------------------------


@dataclass(frozen=True)
class Changed:
    """A life from the first date decided by a new version, with what the old one found."""

    lived: Lived
    former: Policy
    found: Sequence[Findings]


@st.composite
def changed_lives(draw: st.DrawFn) -> Changed:
    former, policy = draw(policies()), draw(policies())
    keys = [each.key for each in policy.tiers]
    policy = replace(
        policy,
        transition=Transition(
            draw(st.sampled_from(["everybody", "upgrades_only", "new_grounds_only"])),
            FIRST + draw(st.sampled_from([0, 40, 80, 200])) * DAY,
            {gone: draw(st.sampled_from(keys)) for gone in tiers_left_out(former, policy)},
        ),
    )
    measures, history = draw(some_measures(former)), draw(histories(former))
    at = draw(st.integers(1, len(history)))
    start = draw(starts(former))
    if start is not None:
        start = replace(start, grounds=tuple(replace(one, version=1) for one in start.grounds))
    before = start
    for each in history[:at]:
        before, _ = decide(
            former, each.found, before, each.day, measures=measures, issued=each.issued, version=1
        )
    assert before is not None
    decided, found = [], []
    for each in history[at:]:
        new = replace(each, found=draw(some_findings(policy)))
        older = {one: Ruling(former, each.found) for one in versions_needed(policy, 2, before)}
        after, events = decide(
            policy,
            new.found,
            before,
            new.day,
            measures=measures,
            issued=new.issued,
            version=2,
            older=older,
        )
        decided.append(Decided(new, carry_over(before, policy), after, events))
        found.append(each.found)
        before = after
    return Changed(Lived(policy, measures, decided), former, found)


def who_still_keeps_by_the_older_version_loses_nothing(changed: Changed) -> None:
    keys = [tier.key for tier in changed.former.tiers]
    for each, old in zip(changed.lived.decided, changed.found, strict=True):
        assert each.before is not None
        for ground in each.before.grounds:
            if (
                ground.tier == each.before.tier
                and ground.version == 1
                and ground.holds(each.dated.day)
                and keeps_rules(changed.lived.policy, ground, each.dated.day)
                and old.keep[keys.index(ground.was or ground.tier)] is not False
            ):
                assert not _losses(each)


def no_ground_of_an_older_version_outlasts_its_time(changed: Changed) -> None:
    for each in changed.lived.decided:
        for ground in each.after.grounds:
            if ground.holds(each.dated.day):
                assert ground.version == 2 or keeps_rules(
                    changed.lived.policy, ground, each.dated.day
                )


def a_changed_life_keeps_the_laws(changed: Changed) -> None:
    if changed.lived.decided:
        for law in (
            the_tier_moves_only_as_told,
            the_highest_ground_decides,
            grounds_of_a_tier_and_cause_never_overlap,
            nothing_is_lost_in_doubt,
            nothing_is_lost_while_a_person_says_so,
            a_tier_with_a_ground_that_protects_is_not_lost,
            what_is_withdrawn_returns_no_later_than_planned,
        ):
            law(changed.lived)
    who_still_keeps_by_the_older_version_loses_nothing(changed)
    no_ground_of_an_older_version_outlasts_its_time(changed)
