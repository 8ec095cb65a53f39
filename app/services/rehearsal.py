"""A policy rehearsed: dated facts in, standings and events out, nothing stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from marshmallow import ValidationError, post_load, validates_schema

from app.services.changes import Change, events_written, standing_written
from app.services.evaluations import StatedFacts
from app.services.policies import PolicyInForce
from rules.decide import decide, settled_on
from rules.document import Problem, problems_in
from rules.document.fields import BusinessDay, Key, ListOf, Nested, StrictSchema, Word
from rules.facts import FactsInvalid, too_large
from rules.facts import read as read_facts
from rules.measure import complete
from rules.messages import Message, alternatives
from rules.policy import Facts, Policy
from rules.standing import Event, Findings, Ground, Measure, Standing
from rules.windows import DAY


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How a client stood on one date of a rehearsal, and what happened to them on it."""

    facts: Facts
    before: Standing | None
    standing: Standing
    entitled: str | None
    measures: tuple[Measure, ...]
    events: tuple[Event, ...]


class _SpanSchema(StrictSchema):
    """Something with a first and a last day, named so by ``bounds``."""

    bounds = ("first", "last")

    @validates_schema
    def _ends_no_earlier_than_it_begins(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        first, last = self.bounds
        if first in data and last in data and data[last] < data[first]:
            raise ValidationError({last: [Message("must not be before %(first)s", first=first)]})


class StartSchema(_SpanSchema):
    """The tier a client comes in with, and until when it is theirs; while it is kept, if open."""

    bounds = ("since", "until")
    tier = Key(required=True)
    since = BusinessDay()
    until = BusinessDay()


class MeasureSchema(_SpanSchema):
    """What a person decided beside the rules."""

    kind = Word("hold", "floor", "ceiling", "exact", required=True)
    first = BusinessDay(required=True)
    last = BusinessDay(required=True)
    tier = Key()

    @validates_schema
    def _names_a_tier_or_none(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if data["kind"] == "hold" and "tier" in data:
            raise ValidationError({"tier": [Message("must be left out of a hold")]})
        if data["kind"] != "hold" and "tier" not in data:
            raise ValidationError({"tier": [Message("is missing")]})

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Measure:
        return Measure(**data)


class StepSchema(StrictSchema):
    """A date, and all that is known of the client on it."""

    date = BusinessDay(required=True)
    facts = StatedFacts(required=True)


class SequenceSchema(StrictSchema):
    """Dated facts about one client, in order; none are carried from one date to the next."""

    start = Nested(StartSchema)
    measures = ListOf(Nested(MeasureSchema), 0, 100)
    steps = ListOf(Nested(StepSchema), 1, 5000, required=True)


@dataclass(frozen=True, slots=True)
class DatedFacts:
    """What is known of one client from date to date, read and found to fit the policy."""

    start: Standing | None
    measures: tuple[Measure, ...]
    steps: tuple[tuple[date, Facts], ...]


def read_sequence(policy: Policy, content: object) -> DatedFacts:
    """Read what is to be rehearsed.

    :raises FactsInvalid: naming everything that is wrong with it, or does not fit the policy.
    """
    try:
        read: dict[str, Any] = SequenceSchema().load(content)  # type: ignore[arg-type]  # anything
    except ValidationError as error:
        raise FactsInvalid(problems_in(error.messages)) from error
    problems = [*_unknown_tiers(policy, read), *_disorder(read)]
    steps = []
    for index, step in enumerate(read["steps"]):
        try:
            steps.append((step["date"], _facts(policy, step)))
        except FactsInvalid as error:
            path = f"steps[{index}].facts"
            problems += [Problem(f"{path}.{each.path}", each.message) for each in error.problems]
    if problems:
        raise FactsInvalid(problems)
    start = _start(policy, read["start"], steps[0][0]) if "start" in read else None
    return DatedFacts(start, tuple(read.get("measures", ())), tuple(steps))


def rehearse(with_policy: PolicyInForce, sequence: DatedFacts) -> Iterator[Rehearsed]:
    """Yield how the client stands on each date."""
    policy, standing = with_policy.policy, sequence.start
    known: dict[date | None, Findings] = {}
    for day, facts in sequence.steps:
        before = standing
        found = known[day] = Findings.of(policy, with_policy.judge.judge(facts), facts)
        settled = known.get(settled_on(policy, day))
        standing, events = decide(
            policy, found, before, day, measures=sequence.measures, settled=settled
        )
        entitled = None if found.entitled is None else policy.tiers[found.entitled].key
        yield Rehearsed(facts, before, standing, entitled, sequence.measures, events)


def change(with_policy: PolicyInForce, found: Rehearsed, language: str | None) -> Change:
    """Return what one date of a rehearsal changed about a client who is in no database."""
    standing, facts, day = found.standing, found.facts, found.standing.as_of
    verdict = with_policy.judge.judge(facts)
    return Change(
        client_id=0,
        reference="",
        subject="",
        language=language,
        decision="",
        in_force=with_policy,
        day=day,
        issued=day,
        before=found.before,
        standing=standing,
        measures=found.measures,
        events=found.events,
        explained=with_policy.explainer.explain(facts, verdict, day, standing.tier),
    )


def written(policy: Policy, found: Rehearsed) -> dict[str, Any]:
    """Write one date of a rehearsal as JSON."""
    standing = found.standing
    return {
        "date": standing.as_of.isoformat(),
        "entitled": found.entitled,
        **standing_written(policy, standing, found.measures),
        "withdrawn": list(standing.withdrawn),
        "events": events_written(found.events),
    }


def _facts(policy: Policy, step: Mapping[str, Any]) -> Facts:
    facts = complete(policy, read_facts(policy, step["facts"]), step["date"])
    if large := list(too_large(policy, facts)):
        raise FactsInvalid(large)
    return facts


def _start(policy: Policy, start: Mapping[str, Any], first: date) -> Standing:
    """Return how the client stood on the day before the first date."""
    before, until = first - DAY, start.get("until")
    since = start.get("since", min(before, until or before))
    tier = policy.tier(start["tier"])
    at_expiry = tier.renewal == "at_expiry" and until is not None
    ground = Ground(tier.key, since, until, "earned", at_expiry)
    return Standing(tier.key, since, before, (ground,) if tier != policy.tiers[0] else ())


def _unknown_tiers(policy: Policy, read: Mapping[str, Any]) -> Iterator[Problem]:
    keys = [tier.key for tier in policy.tiers]
    named = {"start.tier": read["start"]["tier"]} if "start" in read else {}
    for index, measure in enumerate(read.get("measures", ())):
        if measure.tier is not None:
            named[f"measures[{index}].tier"] = measure.tier
    for path, key in named.items():
        if key not in keys:
            message = Message(
                "is not a tier of this policy; these are %(keys)s", keys=alternatives(keys)
            )
            yield Problem(path, message)


def _disorder(read: Mapping[str, Any]) -> Iterator[Problem]:
    dates = [step["date"] for step in read["steps"]]
    if "since" in read.get("start", {}) and read["start"]["since"] >= dates[0]:
        yield Problem("start.since", Message("must be before the first date"))
    for index, (before, day) in enumerate(pairwise(dates), 1):
        if day <= before:
            yield Problem(f"steps[{index}].date", Message("must be after the date before it"))
