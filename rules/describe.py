"""A policy in plain sentences, for people who never see its document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from rules.criteria import AllOf, AnyOf, AtLeast, Condition, Criteria, QualifiesFor
from rules.facts import written_number
from rules.messages import N_, Listed, Message
from rules.policy import (
    Activities,
    Anniversary,
    Assessment,
    Attribute,
    AttributeHistory,
    Between,
    Calendar,
    CarryOver,
    Change,
    DaysSince,
    DemotionPolicy,
    Derivation,
    Example,
    Filter,
    Fixed,
    Letter,
    Lifetime,
    Metric,
    Monthly,
    Names,
    OfGroup,
    OfStanding,
    Open,
    Policy,
    Previous,
    Promise,
    Rank,
    Ratio,
    Rolling,
    Segment,
    Since,
    Source,
    Standard,
    Step,
    This,
    Tier,
    UntilAssessment,
    Validity,
    WeightedSum,
    Window,
    YearDays,
)
from rules.sentences import (
    DayOfYear,
    Length,
    LengthUnit,
    Named,
    shown,
    tier_given,
    wanted,
)
from rules.vocabulary import MetricType, Operator, settle


class Line(NamedTuple):
    """A sentence and how deep it lies under the one it belongs to."""

    depth: int
    sentence: Message


def describe(policy: Policy) -> list[Line]:
    """Say what a policy holds: metrics, tiers from the lowest, segments, what follows, examples."""
    lines = [
        Line(
            0,
            Message(
                "%(name)s. Money is in %(currency)s, days are those of %(zone)s.",
                name=Named(policy.name),
                currency=policy.currency,
                zone=policy.time_zone,
            ),
        ),
        Line(0, Message("What is measured:")),
    ]
    lines += [Line(1, metric_sentence(policy, metric)) for metric in policy.metrics.values()]
    lines.append(Line(0, Message("The tiers, from the lowest:")))
    for tier in policy.tiers:
        lines += _under(tier_lines(policy, tier))
    lines += promotion_lines(policy)
    lines += groups_lines(policy)
    lines += transition_lines(policy)
    lines += settlement_lines(policy)
    if policy.segments:
        lines.append(Line(0, Message("The segments:")))
    for segment in policy.segments:
        lines += _under(segment_lines(policy, segment))
    if policy.letters:
        lines.append(Line(0, Message("The letters:")))
    lines += [Line(1, letter_sentence(letter)) for letter in policy.letters]
    if policy.examples:
        lines.append(Line(0, Message("The examples:")))
    lines += [Line(1, example_sentence(policy, example)) for example in policy.examples]
    return lines


def _under(lines: Iterable[Line], by: int = 1) -> Iterator[Line]:
    return (Line(each.depth + by, each.sentence) for each in lines)


def segment_lines(policy: Policy, segment: Segment) -> Iterator[Line]:
    """Say who is in a segment, and what they are promised."""
    yield Line(0, Message("“%(name)s” is who meets:", name=Named(segment.name)))
    yield from criteria_lines(policy, segment.criteria, 1)
    yield from _standards(policy, segment)


def settlement_lines(policy: Policy) -> Iterator[Line]:
    """Say how late something may be recorded and still count for its day."""
    if policy.settlement_days:
        days = Length(policy.settlement_days, "day")
        said = Message("What is recorded up to %(days)s late still counts for its day.", days=days)
        yield Line(0, said)


def letter_sentence(letter: Letter) -> Message:
    """Say which letter it is."""
    return Message("%(key)s: “%(subject)s”.", key=letter.key, subject=Named(letter.subject))


def example_sentence(policy: Policy, example: Example) -> Message:
    """Say what an example is expected to give."""
    return Message(
        "“%(name)s” gives %(tier)s.",
        name=Named(example.name),
        tier=tier_given(policy, example.tier),
    )


# -- tiers -----------------------------------------------------------------------------------


def tier_lines(policy: Policy, tier: Tier) -> Iterator[Line]:
    """Say who reaches and keeps a tier, what it brings, and how it is held and lost."""
    name = Named(tier.name)
    if tier.entry is None:
        yield Line(0, Message("%(tier)s: everybody.", tier=name))
    else:
        yield Line(0, Message("%(tier)s is reached by who meets:", tier=name))
        yield from criteria_lines(policy, tier.entry, 1)
    if tier.keep is not None:
        yield Line(0, Message("%(tier)s is kept by who meets:", tier=name))
        yield from criteria_lines(policy, tier.keep, 1)
    if tier.benefits:
        benefits = Listed(tuple(Named(each.name) for each in tier.benefits))
        yield Line(0, Message("%(tier)s brings: %(what)s.", tier=name, what=benefits))
    yield from _standards(policy, tier)
    yield from how_held(tier)
    for demotion in policy.demotion_policies:
        if demotion.key == tier.demotion:
            yield Line(
                0,
                Message(
                    "Who no longer keeps %(tier)s is stepped down by “%(name)s”:",
                    tier=name,
                    name=Named(demotion.name),
                ),
            )
            yield from _under(demotion_lines(policy, demotion))


def _standards(policy: Policy, owner: Tier | Segment) -> Iterator[Line]:
    for standard in policy.standards:
        if standard.key in owner.standards:
            sentence = Message(
                "%(owner)s is promised: %(promise)s (%(kind)s); %(who)s answers for it.",
                owner=Named(owner.name),
                promise=Named(standard.name),
                kind=_promised(standard.promise),
                who=standard.answers,
            )
            yield Line(0, sentence)


def standard_sentence(standard: Standard) -> Message:
    """Say what a standard promises, whomever to, and who answers for it."""
    return Message(
        "%(promise)s (%(kind)s); %(who)s answers for it.",
        promise=Named(standard.name),
        kind=_promised(standard.promise),
        who=standard.answers,
    )


def _promised(promise: Promise) -> Message:
    terms = {name: _term(name, value) for name, value in promise.terms.items()}
    return Message(_PROMISES[promise.kind], **terms)


def _term(name: str, value: object) -> object:
    """Return a term of a promise as it is said."""
    match name, value:
        case "days" | "days_before", int():
            return Length(value, "day")
        case "event" | "unit", str():
            return Message(_TERMS[value])
        case "survey", str():
            return value.upper()
        case _:
            return value


_PROMISES = {
    "respond_within": N_("within %(working_minutes)s working minutes of a %(request)s"),
    "contact_every": N_("a contact at least every %(days)s"),
    "after_activity": N_("%(days)s after a %(activity)s unless there is another"),
    "on_date": N_("%(days_before)s before %(attribute)s"),
    "after_event": N_("within %(days)s of %(event)s"),
    "survey_every": N_("a survey every %(unit)s (%(survey)s)"),
    "keep_promise": N_("what was promised is done by its date"),
    "entitlement": N_("an entitlement"),
}
_TERMS = {
    "promoted": N_("a promotion"),
    "renewed": N_("a renewal"),
    "notice_given": N_("a notice"),
    "benefit_withdrawn": N_("a withdrawal"),
    "demoted": N_("a demotion"),
    "month": N_("month"),
    "quarter": N_("quarter"),
    "half_year": N_("half-year"),
    "year": N_("year"),
}


# -- how tiers are held and lost ---------------------------------------------------------------


def how_held(tier: Tier) -> Iterator[Line]:
    """Say how long a tier is held by who has earned it, and when it is earned anew."""
    name = Named(tier.name)
    if not isinstance(tier.validity, Open):
        held = how_long(tier.validity)
        yield Line(0, Message("%(tier)s, once earned, is held %(held)s.", tier=name, held=held))
    if tier.renewal == "at_expiry":
        yield Line(0, Message("%(tier)s is renewed only when it ends.", tier=name))
    if tier.lifetime_after_years == 0:
        yield Line(0, Message("%(tier)s, once earned, is held for life.", tier=name))
    elif tier.lifetime_after_years is not None:
        years = Length(tier.lifetime_after_years, "year")
        yield Line(0, Message("%(tier)s is held for life after %(years)s.", tier=name, years=years))


def how_long(validity: Validity) -> Message:
    """Say how long a ground of this validity holds: ``for 12 months``."""
    match validity:
        case Fixed(n, unit, to_month_end):
            template = _FOR_TO_MONTH_END if to_month_end else _FOR
            return Message(template, length=Length(n, "day" if unit == "days" else "month"))
        case Calendar(unit, further, plus_months, starts):
            templates = (
                _UNTIL_END if further == 0 else _UNTIL_NEXT if further == 1 else _UNTIL_LATER
            )
            more = Message(" and %(months)s more", months=Length(plus_months, "month"))
            return Message(
                templates[unit],
                n=further,
                from_day=_year_start(starts),
                more=more if plus_months else "",
            )
        case UntilAssessment():
            return Message("until the day before the next assessment")
        case Open():
            return Message("as long as its criteria hold")


_FOR = N_("for %(length)s")
_FOR_TO_MONTH_END = N_("for %(length)s and on to the end of the month")
_UNTIL_END = {
    "month": N_("until the end of that month%(from_day)s%(more)s"),
    "quarter": N_("until the end of that quarter%(from_day)s%(more)s"),
    "half_year": N_("until the end of that half-year%(from_day)s%(more)s"),
    "year": N_("until the end of that calendar year%(from_day)s%(more)s"),
}
_UNTIL_NEXT = {
    "month": N_("until the end of the next month%(from_day)s%(more)s"),
    "quarter": N_("until the end of the next quarter%(from_day)s%(more)s"),
    "half_year": N_("until the end of the next half-year%(from_day)s%(more)s"),
    "year": N_("until the end of the next calendar year%(from_day)s%(more)s"),
}
_UNTIL_LATER = {
    "month": N_("until the end of that month and %(n)d further ones%(from_day)s%(more)s"),
    "quarter": N_("until the end of that quarter and %(n)d further ones%(from_day)s%(more)s"),
    "half_year": N_("until the end of that half-year and %(n)d further ones%(from_day)s%(more)s"),
    "year": N_("until the end of that calendar year and %(n)d further ones%(from_day)s%(more)s"),
}


def promotion_lines(policy: Policy) -> Iterator[Line]:
    """Say when clients rise, if not at once and straight, and what they are written then."""
    yield from rising_lines(policy)
    if policy.promotion.letter is not None:
        key = policy.promotion.letter
        yield Line(0, Message("Who rises gets the letter “%(key)s”.", key=key))


def rising_lines(policy: Policy) -> Iterator[Line]:
    """Say when clients rise, if not at once and straight."""
    promotion = policy.promotion
    if promotion.assessment is not None:
        days = assessment_days(policy, promotion.assessment)
        yield Line(0, Message("Clients rise only on %(days)s.", days=days))
    if promotion.path == "one_rung":
        yield Line(0, Message("Clients rise one tier at a time."))


def groups_lines(policy: Policy) -> Iterator[Line]:
    """Say to whom the tier of a group goes, if not to all of it."""
    if policy.group_tier_goes_to == "head":
        yield Line(0, Message("What a group comes to together counts for its head alone."))


def transition_lines(policy: Policy) -> Iterator[Line]:
    """Say whom the version moves, and where former tiers went."""
    transition = policy.transition
    if transition.moves in _MOVES:
        yield Line(0, Message(_MOVES[transition.moves], until=transition.until))
    for gone, tier in transition.tiers.items():
        now = _quoted(policy.tier(tier).name)
        yield Line(0, Message("Who held the former %(gone)s holds %(now)s.", gone=gone, now=now))


_MOVES = {
    "upgrades_only": N_(
        "Who holds a tier by an earlier version loses it only by failing that one’s criteria too; "
        "where the tier has no last day, until %(until)s."
    ),
    "new_grounds_only": N_(
        "Who holds a tier by an earlier version holds and loses it by that one’s rules; "
        "where the tier has no last day, until %(until)s."
    ),
}


def assessment_days(policy: Policy, assessment: Assessment) -> Message | Listed:
    """Say on which days is looked: ``1 January and 1 July``."""
    match assessment:
        case YearDays(days):
            return Listed(tuple(DayOfYear(*each) for each in days))
        case Monthly(31):
            return Message("the last day of each month")
        case Monthly(day):
            return Message("day %(day)d of each month", day=day)
        case Anniversary(every, of):
            reached = Message("the day on which the tier was reached")
            metric = reached if of is None else _quoted(policy.metrics[of].name)
            return Message(_ANNIVERSARIES[every], day=metric)


_ANNIVERSARIES = {
    "year": N_("the yearly anniversary of %(day)s"),
    "month": N_("the monthly anniversary of %(day)s"),
}


def _quoted(names: Names) -> Message:
    return Message("“%(name)s”", name=Named(names))


def demotion_lines(policy: Policy, demotion: DemotionPolicy) -> Iterator[Line]:
    """Say what happens to whoever is stepped down by a demotion policy."""
    yield from course(policy, demotion, step_lines)
    for key, template in (
        (demotion.reinstatement_letter, _REINSTATED),
        (demotion.return_letter, _RETURNED),
    ):
        if key is not None:
            yield Line(0, Message(template, key=key))
    if demotion.unless is not None:
        yield Line(0, Message("None of this befalls who meets:"))
        yield from criteria_lines(policy, demotion.unless, 1)


def course(
    policy: Policy,
    demotion: DemotionPolicy,
    said: Callable[[Policy, Step], Iterable[Line]],
) -> Iterator[Line]:
    """Say when a demotion begins, what its steps are, and how what they took returns.

    :param said: what is said of each step.
    """
    if demotion.minimum_stay_days:
        first = Length(demotion.minimum_stay_days, "day")
        yield Line(0, Message("not in the first %(days)s;", days=first))
    if demotion.assessment is not None:
        days = assessment_days(policy, demotion.assessment)
        yield Line(0, Message("beginning only on %(days)s;", days=days))
    for step in demotion.steps:
        yield from said(policy, step)
    if demotion.benefits_return_days:
        apart = Length(demotion.benefits_return_days, "day")
        yield Line(0, Message("What was withdrawn returns in reverse, %(days)s apart.", days=apart))


_REINSTATED = N_("Who meets the criteria again gets the letter “%(key)s”.")
_RETURNED = N_("Who then has benefits given back gets the letter “%(key)s”.")
_WHEN = {
    "start": N_("%(length)s after this began"),
    "previous_step": N_("%(length)s later"),
}


def _when(step: Step) -> Message:
    lengths = (Length(step.months, "month"), Length(step.days, "day"))
    length = Listed(tuple(each for each in lengths if each.n))
    return Message(_WHEN[step.counted], length=length) if length.parts else Message("at once")


def step_lines(policy: Policy, step: Step) -> Iterator[Line]:
    """Say when a step of a demotion policy is taken, what it does, and by which letter."""
    yield Line(0, step_said(policy, step))
    if step.letter is not None:
        yield Line(1, Message("with the letter “%(key)s”;", key=step.letter))


def step_said(policy: Policy, step: Step) -> Message:
    """Say when a step of a demotion policy is taken, and what it does."""
    when = _when(step)
    match step.kind:
        case "warning":
            days = Length(step.days, "day")
            return Message("%(days)s before the end: a warning;", days=days)
        case "notice":
            return Message("%(when)s: a notice;", when=when)
        case "withdraw":
            names = {each.key: each.name for tier in policy.tiers for each in tier.benefits}
            benefits = Listed(tuple(_quoted(names[key]) for key in step.benefits))
            return Message("%(when)s: without %(benefits)s;", when=when, benefits=benefits)
        case "demote" if not isinstance(step.landing, Open):
            return Message(
                "%(when)s: one tier down, held %(held)s.", when=when, held=how_long(step.landing)
            )
        case "demote" if step.to == "one_rung":
            return Message("%(when)s: one tier down.", when=when)
        case _:
            return Message("%(when)s: down to the tier the figures give.", when=when)


# -- criteria --------------------------------------------------------------------------------


def asked_for(policy: Policy, criteria: Criteria) -> Iterator[Line]:
    """Say what criteria ask for; where it is all of several things, each by itself."""
    for part in criteria.parts if isinstance(criteria, AllOf) else (criteria,):
        yield from criteria_lines(policy, part, 0)


def criteria_lines(policy: Policy, node: Criteria, depth: int = 0) -> Iterator[Line]:
    """Say what criteria are, each part under the group it belongs to."""
    if isinstance(node, Condition):
        metric = Named(policy.metrics[node.metric].name)
        if node.operator is Operator.IS_KNOWN:
            yield Line(depth, Message("%(metric)s is known", metric=metric))
        elif node.operator is Operator.IS_NOT_KNOWN:
            yield Line(depth, Message("%(metric)s is not known", metric=metric))
        else:
            asked = wanted(policy, node)
            yield Line(depth, Message("%(metric)s is %(asked)s", metric=metric, asked=asked))
        return
    if isinstance(node, QualifiesFor):
        tier = Named(policy.tier(node.tier).name)
        yield Line(depth, Message("the criteria of %(tier)s", tier=tier))
        return
    match node:
        case AllOf():
            yield Line(depth, Message("all of:"))
        case AnyOf():
            yield Line(depth, Message("any of:"))
        case AtLeast(k=k):
            yield Line(depth, Message("at least %(k)d of:", k=k))
        case _:
            yield Line(depth, Message("none of:"))
    for part in node.parts:
        yield from criteria_lines(policy, part, depth + 1)


# -- metrics ---------------------------------------------------------------------------------


def metric_sentence(policy: Policy, metric: Metric) -> Message:
    """Say what a metric measures, and what it means where there is nothing to measure."""
    name, source = Named(metric.name), _source(policy, metric, metric.source)
    match metric.missing:
        case "zero":
            return Message(
                "%(metric)s: %(source)s; nothing counts as zero.", metric=name, source=source
            )
        case "cannot_decide":
            return Message(
                "%(metric)s: %(source)s; without it no higher tier is decided.",
                metric=name,
                source=source,
            )
        case _:
            return Message("%(metric)s: %(source)s.", metric=name, source=source)


_AGGREGATES = {
    "sum": N_("the sum of %(of)s of each %(kinds)s%(where)s, %(window)s"),
    "average": N_("the average %(of)s of each %(kinds)s%(where)s, %(window)s"),
    "minimum": N_("the smallest %(of)s of a %(kinds)s%(where)s, %(window)s"),
    "maximum": N_("the largest %(of)s of a %(kinds)s%(where)s, %(window)s"),
    "count": N_("the number of activities of kind %(kinds)s%(where)s, %(window)s"),
    "distinct_products": N_(
        "the number of different products of each %(kinds)s%(where)s, %(window)s"
    ),
    "first_date": N_("the day of the first %(kinds)s%(where)s, %(window)s"),
    "last_date": N_("the day of the last %(kinds)s%(where)s, %(window)s"),
    "days_since_last": N_("days since the last %(kinds)s%(where)s, %(window)s"),
    "days_with": N_("days with a %(kinds)s%(where)s, %(window)s"),
    "weeks_with": N_("weeks with a %(kinds)s%(where)s, %(window)s"),
    "months_with": N_("months with a %(kinds)s%(where)s, %(window)s"),
    "quarters_with": N_("quarters with a %(kinds)s%(where)s, %(window)s"),
}


def _source(policy: Policy, metric: Metric, source: Source) -> Message:
    match source:
        case Attribute(attribute=attribute, good_for_days=days):
            if days is None:
                return Message("as stated under %(attribute)s", attribute=attribute)
            return Message(
                "as stated under %(attribute)s, good for %(days)s",
                attribute=attribute,
                days=Length(days, "day"),
            )
        case AttributeHistory(attribute=attribute, aggregate="daily_average", window=window):
            return Message(
                "the average of %(attribute)s over the days, %(window)s",
                attribute=attribute,
                window=_window(window),
            )
        case AttributeHistory(attribute=attribute, window=window):
            return Message(
                "the lowest %(attribute)s of any day, %(window)s",
                attribute=attribute,
                window=_window(window),
            )
        case Activities():
            where = [_filter(policy, metric, each) for each in source.where]
            return Message(
                _AGGREGATES[source.aggregate],
                of=_field(source.of or ""),
                kinds=Listed(source.kinds, "or"),
                where=Message(" where %(filters)s", filters=Listed(tuple(where))) if where else "",
                window=_window(source.window),
            )
        case OfStanding():
            return _tenure(policy, source)
        case OfGroup(metric=key):
            return Message(
                "“%(metric)s” of all members of the group together",
                metric=Named(policy.metrics[key].name),
            )
        case Rank(metric=key):
            return Message(
                "the place among all clients by “%(metric)s”, in percent from the top",
                metric=Named(policy.metrics[key].name),
            )
        case _:
            return _derivation(policy, metric, source)


_TENURES = {
    "tier_held": N_("the tier held"),
    "days_since_tier": N_("days since the tier held was reached"),
    "days_since_ground": N_("days since the ground began on which the tier is held"),
    "days_at_or_above": N_("days at “%(tier)s” or above"),
    "years_at_or_above": N_("years at “%(tier)s” or above"),
}
_UNBROKEN_TENURES = {
    "days_at_or_above": N_("days at “%(tier)s” or above without a break"),
    "years_at_or_above": N_("years at “%(tier)s” or above without a break"),
}


def _tenure(policy: Policy, source: OfStanding) -> Message:
    if source.tier is None:
        return Message(_TENURES[source.measure])
    templates = _UNBROKEN_TENURES if source.unbroken else _TENURES
    return Message(templates[source.measure], tier=Named(policy.tier(source.tier).name))


def _derivation(policy: Policy, metric: Metric, source: Derivation) -> Message:
    def named(key: str) -> Named:
        return Named(policy.metrics[key].name)

    match source:
        case Ratio(numerator=over, denominator=under):
            template = (
                N_("“%(over)s” in percent of “%(under)s”")
                if metric.unit == "percent"
                else N_("“%(over)s” divided by “%(under)s”")
            )
            return Message(template, over=named(over), under=named(under))
        case WeightedSum(terms=terms):
            parts = tuple(
                Message(
                    "%(weight)s × “%(metric)s”",
                    weight=str(written_number(0, weight)),
                    metric=named(key),
                )
                for key, weight in terms
            )
            return Message("the sum of %(terms)s", terms=Listed(parts))
        case Change(metric=key, measured="percent"):
            return Message(
                "the change of “%(metric)s” against the window before, in percent",
                metric=named(key),
            )
        case Change(metric=key):
            return Message(
                "the change of “%(metric)s” against the window before", metric=named(key)
            )
        case DaysSince(metric=key):
            return Message("days since “%(metric)s”", metric=named(key))
        case CarryOver(metric=key, cap=cap, above=above):
            return Message(
                "what “%(metric)s” brought beyond %(above)s in the period before, up to %(cap)s",
                metric=named(key),
                above=shown(policy, metric, above),
                cap=shown(policy, metric, cap),
            )


def _filter(policy: Policy, metric: Metric, where: Filter) -> Message:
    values = where.value if isinstance(where.value, tuple) else (where.value,)
    money = replace(metric, type=MetricType.MONEY, places=0)
    texts: list[object] = []
    for each in values:
        if isinstance(each, bool):
            texts.append(_YES_NO[each])
        elif isinstance(each, Fraction):
            amount = (
                shown(policy, money, settle(each))
                if where.field == "amount"
                else str(written_number(0, each))
            )
            texts.append(amount)
        else:
            texts.append(str(each))
    return Message(
        _COMPARED[where.operator], field=_field(where.field), value=Listed(tuple(texts), "or")
    )


def _field(name: str) -> Message | str:
    """Return what a field of an activity is called; an attribute of it, by its key."""
    return Message(_FIELDS[name]) if name in _FIELDS else name.removeprefix("attribute:")


_FIELDS = {
    "amount": N_("amount"),
    "quantity": N_("quantity"),
    "product": N_("product"),
    "channel": N_("channel"),
}


_YES_NO = {True: Message("yes"), False: Message("no")}
_COMPARED = {
    Operator.IS: N_("%(field)s is %(value)s"),
    Operator.IS_NOT: N_("%(field)s is not %(value)s"),
    Operator.ONE_OF: N_("%(field)s is %(value)s"),
    Operator.NONE_OF: N_("%(field)s is none of %(value)s"),
    Operator.AT_LEAST: N_("%(field)s is at least %(value)s"),
    Operator.MORE_THAN: N_("%(field)s is more than %(value)s"),
    Operator.AT_MOST: N_("%(field)s is at most %(value)s"),
    Operator.LESS_THAN: N_("%(field)s is less than %(value)s"),
}

_ROLLING_ONE = {
    "days": N_("on this day"),
    "weeks": N_("in the last week"),
    "months": N_("in the last month"),
    "years": N_("in the last year"),
}
_UNITS: dict[str, LengthUnit] = {
    "days": "day",
    "weeks": "week",
    "months": "month",
    "years": "year",
}
_THIS = {
    "month": N_("in this month%(from_day)s"),
    "quarter": N_("in this quarter%(from_day)s"),
    "half_year": N_("in this half-year%(from_day)s"),
    "year": N_("in this year%(from_day)s"),
}
_PREVIOUS_ONE = {
    "month": N_("in the month before this one%(from_day)s"),
    "quarter": N_("in the quarter before this one%(from_day)s"),
    "half_year": N_("in the half-year before this one%(from_day)s"),
    "year": N_("in the year before this one%(from_day)s"),
}
_PREVIOUS = {
    "month": N_("in the %(n)d whole months before this one%(from_day)s"),
    "quarter": N_("in the %(n)d whole quarters before this one%(from_day)s"),
    "half_year": N_("in the %(n)d whole half-years before this one%(from_day)s"),
    "year": N_("in the %(n)d whole years before this one%(from_day)s"),
}

_SINCE = {
    "tier": N_("since the tier held was reached"),
    "ground": N_("since the ground began on which the tier is held"),
}


def _window(window: Window) -> Message:
    match window:
        case Lifetime():
            return Message("since the beginning")
        case Rolling(n=1, unit=unit):
            return Message(_ROLLING_ONE[unit])
        case Rolling(n=n, unit=unit):
            return Message("in the last %(length)s", length=Length(n, _UNITS[unit]))
        case This(unit=period, starts=starts):
            return Message(_THIS[period], from_day=_year_start(starts))
        case Previous(n=1, unit=period, starts=starts):
            return Message(_PREVIOUS_ONE[period], from_day=_year_start(starts))
        case Previous(n=n, unit=period, starts=starts):
            return Message(_PREVIOUS[period], n=n, from_day=_year_start(starts))
        case Since(event=event):
            return Message(_SINCE[event])
        case Between(first=first, last=last):
            return Message("from %(first)s to %(last)s", first=first, last=last)


def _year_start(starts: tuple[int, int]) -> Message | str:
    if starts == (1, 1):
        return ""
    return Message(" (years begin on %(day)s)", day=DayOfYear(*starts))
