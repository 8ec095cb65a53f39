"""What there is to tell a client of an event of their standing: the meaning of a letter's names.

Everything here is said as messages and values; the application puts it into the words of the
client's language and into a letter (:mod:`rules.letters`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from rules.criteria import AllOf, Condition, Criteria, QualifiesFor, walk
from rules.describe import asked_for
from rules.explain import Explanation, Way
from rules.letters import Occasion
from rules.messages import Listed, Message
from rules.policy import Letter, Policy, Step, Tier
from rules.prospects import NONE_OLDER, Older, ahead, deadline, in_force, losing, steps_of
from rules.sentences import Named, shown
from rules.standing import Event, EventKind, Standing
from rules.transition import carry_over
from rules.vocabulary import Value
from rules.ways import Step as Change
from rules.windows import DAY

STEP_KINDS: Mapping[EventKind, tuple[str, ...]] = {
    "notice_given": ("warning", "notice"),
    "benefit_withdrawn": ("withdraw",),
    "demoted": ("demote",),
}
"""Which steps of a demotion policy an event can be."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told: which of a decision's events, for what, by which letter if by one."""

    place: int
    event: Event
    occasion: Occasion
    letter: Letter | None


def due(
    policy: Policy,
    before: Standing | None,
    standing: Standing,
    events: Sequence[Event],
    older: Older = NONE_OLDER,
) -> Iterator[Notice]:
    """Yield what a client has to be told of a decision.

    Nothing of the first one about them, which finds them as they are; and nothing while a person
    has them served by another tier than they hold.
    """
    if before is None or standing.tier != in_force(
        policy, standing, standing.under, standing.as_of
    ):
        return
    by, steps = _steps(policy, before, standing, events, older)
    for place, event in enumerate(events):
        step = steps.get(place)
        occasion = _occasion(event, step)
        if occasion is not None:
            yield Notice(place, event, occasion, _letter(policy, by, event, occasion, step))


def _steps(
    policy: Policy, before: Standing, standing: Standing, events: Sequence[Event], older: Older
) -> tuple[Policy, dict[int, Step]]:
    """Return of which steps the events tell, by their places, and the version they are steps of."""
    places = [place for place, event in enumerate(events) if event.kind in STEP_KINDS]
    if not places:
        return policy, {}
    falling = standing if standing.run is not None else carry_over(before, policy)
    by, tier = losing(policy, falling, falling.run, older)
    steps = steps_of(by, tier)
    done = len(steps) if standing.run is None else len(standing.run.done)
    taken = steps[max(0, done - len(places)) : done]
    return by, {
        place: step
        for place, step in zip(places, taken, strict=False)
        if step.kind in STEP_KINDS[events[place].kind]
    }


def _occasion(event: Event, step: Step | None) -> Occasion | None:
    match event.kind:
        case "notice_given":
            return "warning" if step is not None and step.kind == "warning" else "notice"
        case "benefit_withdrawn":
            return "withdraw" if event.benefits else None
        case "demoted":
            return "demote"
        case "promoted":
            return "promotion"
        case "reinstated":
            return "return" if event.benefits else "reinstatement"
        case _:
            return None


def _letter(
    policy: Policy, by: Policy, event: Event, occasion: Occasion, step: Step | None
) -> Letter | None:
    """Return the policy's own letter for an occasion; of a step, that of its own version."""
    if step is not None:
        return by.letter(step.letter) if step.letter else None
    demotion = policy.demotion_of(event.tier)
    key = None
    if occasion == "promotion":
        key = policy.promotion.letter
    elif demotion is not None and occasion in {"reinstatement", "return"}:
        key = demotion.reinstatement_letter
        if occasion == "return":
            key = demotion.return_letter or key
    return policy.letter(key) if key else None


# -- the meaning of each name ------------------------------------------------------------------


class Row(NamedTuple):
    """One of several things to be said, and how deep it lies under the one it belongs to."""

    depth: int
    said: object


@dataclass(frozen=True, slots=True)
class Told:
    """All that a letter about a notice can tell: how the client stands after it, and why.

    ``as_of`` is the business date it was decided for, ``issued`` the one of the letter.
    """

    policy: Policy
    standing: Standing
    explained: Explanation
    as_of: date
    issued: date
    notice: Notice
    older: Older = field(default_factory=dict)

    def programme(self) -> object:
        return Named(self.policy.name)

    def tier(self) -> object:
        return Named(self._after.name)

    def former_tier(self) -> object:
        return Named(self._before.name)

    def tier_after(self) -> object:
        return Named(self._lands_on(self._deadline + DAY).name)

    def deadline(self) -> object:
        return self._deadline

    def rule(self) -> object:
        return tuple(Row(*line) for line in asked_for(self.policy, self._kept))

    def figures(self) -> object:
        values = {each.condition.metric: each.value for each in self.explained.reasons}
        rows = []
        for key in dict.fromkeys(_metrics(self.policy, self._kept)):
            metric, value = self.policy.metrics[key], values.get(key)
            known = Message("not known") if value is None else shown(self.policy, metric, value)
            said = Message("%(metric)s: %(value)s", metric=Named(metric.name), value=known)
            rows.append(Row(0, said))
        return tuple(rows)

    def gap(self) -> object:
        """Return what would have to change to stay; in a demotion, to rise again."""
        demoted = self.notice.occasion == "demote"
        way = self.explained.next_tier if demoted else self.explained.to_stay
        return tuple(Row(0, self._change(step)) for step in (way and way.steps) or ())

    def to_stay(self) -> object:
        return _way(self.explained.to_stay)

    def to_rise(self) -> object:
        if self.explained.next_tier is None:
            return Message("%(tier)s is the highest tier.", tier=self.tier())
        return _way(self.explained.next_tier)

    def ahead(self) -> object:
        coming = ahead(self.policy, self.standing, self.older)
        rows = tuple(Row(0, self._coming(step, day)) for step, day in coming)
        return rows or Message("Nothing more follows; %(tier)s stays.", tier=self.tier())

    def benefits(self) -> object:
        names = self._benefits(self.notice.event.benefits)
        return tuple(Row(0, name) for name in names)

    def service(self) -> object:
        """Return what the client now has by their tier: its benefits, and what is promised."""
        tier, withdrawn = self._after, self.standing.withdrawn
        names = [each.name for each in tier.benefits if each.key not in withdrawn]
        names += [each.name for each in self.policy.standards if each.key in tier.standards]
        rows = tuple(Row(0, Named(each)) for each in names)
        return rows or Message("our usual service, in full")

    @property
    def _after(self) -> Tier:
        return self.policy.tier(self.notice.event.tier)

    @property
    def _before(self) -> Tier:
        return self.policy.tier(self.notice.event.before or self.notice.event.tier)

    @property
    def _kept(self) -> Criteria:
        """What keeping the tier asks for that the letter is about: that lost, else that held."""
        tier = self._before if self.notice.occasion == "demote" else self._after
        return tier.keep or tier.entry or AllOf(())

    @property
    def _deadline(self) -> date:
        return deadline(self.policy, self.standing, self.older) or self.issued

    def _change(self, step: Change) -> Message:
        metric = self.policy.metrics[step.metric]

        def known(value: Value | None, otherwise: Message) -> object:
            return otherwise if value is None else shown(self.policy, metric, value)

        return Message(
            "%(metric)s: %(value)s → %(target)s",
            metric=Named(metric.name),
            value=known(step.value, Message("not known")),
            target=known(step.target, Message("a known value")),
        )

    def _coming(self, step: Step, day: date) -> Message:
        match step.kind:
            case "withdraw":
                names = self._benefits(step.benefits)
                quoted = tuple(Message("“%(name)s”", name=name) for name in names)
                what = Message("without %(benefits)s", benefits=Listed(quoted))
            case "demote":
                tier = Named(self._lands_on(day).name)
                what = Message("%(tier)s instead of %(held)s", tier=tier, held=self.tier())
            case _:
                what = Message("another letter from us")
        return Message("from %(day)s: %(what)s", day=day, what=what)

    def _lands_on(self, day: date) -> Tier:
        """Return the tier that a client who goes on failing then holds, as things stand."""
        policy, standing = self.policy, self.standing
        keys = [tier.key for tier in policy.tiers]
        held = keys.index(standing.tier)
        steps = steps_of(*losing(policy, standing, standing.run, self.older))
        places = [keys.index(self.explained.at_least.key)]
        places += [
            keys.index(ground.tier)
            for ground in standing.grounds
            if ground.cause != "grace" and ground.holds(day)
        ]
        if steps[-1].to == "one_rung":
            places.append(held - 1)
        return policy.tiers[max(place for place in (0, *places) if place < held)]

    def _benefits(self, keys: Sequence[str]) -> tuple[Named, ...]:
        """Name benefits; those that have disappeared as the version did that had them."""
        versions = (*(each.policy for each in self.older.values()), self.policy)
        tiers = [tier for version in versions for tier in version.tiers]
        names = {each.key: each.name for tier in tiers for each in tier.benefits}
        return tuple(Named(names[key]) for key in keys if key in names)


def _way(way: Way | None) -> Message:
    if way is None or way.steps is None:
        return Message("Please speak with us: together we shall look for a way.")
    return way.sentence


def _metrics(policy: Policy, criteria: Criteria) -> Iterator[str]:
    for each in walk(criteria):
        if isinstance(each, Condition):
            yield each.metric
        elif isinstance(each, QualifiesFor):
            yield from _metrics(policy, policy.tier(each.tier).entry or AllOf(()))


MEANINGS: Mapping[str, Callable[[Told], object]] = {
    "programme": Told.programme,
    "date": attrgetter("issued"),
    "as_of": attrgetter("as_of"),
    "tier": Told.tier,
    "former_tier": Told.former_tier,
    "tier_after": Told.tier_after,
    "deadline": Told.deadline,
    "rule": Told.rule,
    "figures": Told.figures,
    "gap": Told.gap,
    "to_stay": Told.to_stay,
    "to_rise": Told.to_rise,
    "ahead": Told.ahead,
    "benefits": Told.benefits,
    "service": Told.service,
}
"""What each name stands for: something to be said, or a tuple of rows, each on a line of its own.

The two others, ``client`` and ``contact``, are said by who knows whom is written to."""
