"""What a policy says of each of its parts, aspect by aspect, so that two can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from rules.criteria import Criteria
from rules.describe import (
    Line,
    assessment_days,
    criteria_lines,
    demotion_lines,
    example_sentence,
    groups_lines,
    how_long,
    metric_sentence,
    promotion_lines,
    settlement_lines,
    standard_sentence,
    step_lines,
    tier_lines,
    transition_lines,
)
from rules.messages import N_, Listed, Message
from rules.policy import (
    DemotionPolicy,
    Example,
    Letter,
    Metric,
    Names,
    OfStanding,
    Policy,
    Segment,
    Standard,
    Tier,
)
from rules.sentences import Length, Named, shown
from rules.vocabulary import MetricType


class Part(Protocol):
    """A part of a policy that has a key."""

    @property
    def key(self) -> str: ...


_T = TypeVar("_T", bound=Part)


class Said(NamedTuple):
    """What a policy says of one aspect of a part, and how it is put into words."""

    value: object
    lines: tuple[Line, ...]


Aspects = Mapping[str, Said]
"""By the template that names the aspect, with a place for the part it is of."""

_NAME = N_("%(part)s: its name")


@dataclass(frozen=True, slots=True)
class How(Generic[_T]):
    """How parts of one sort are told: as a whole, by aspect, and their criteria by theirs."""

    subject: Callable[[_T], Message]
    order: str
    tell: Callable[[Policy, _T], Iterable[Line]]
    aspects: Callable[[Policy, _T], Aspects]
    criteria: Mapping[str, Callable[[_T], Criteria | None]] = field(default_factory=dict)


def _line(sentence: Message) -> tuple[Line, ...]:
    return (Line(0, sentence),)


def _names(names: Names) -> tuple[Line, ...]:
    return tuple(
        Line(0, Message("%(text)s (%(language)s)", text=text, language=language))
        for language, text in names.items()
    )


def of_policy(policy: Policy) -> Aspects:
    """Return what a policy says as a whole."""
    languages = Listed(policy.languages)
    gone = policy.transition
    return {
        _NAME: Said(policy.name, _names(policy.name)),
        N_("%(part)s: its key"): Said(policy.key, _line(Message("%(key)s", key=policy.key))),
        N_("%(part)s: its languages"): Said(
            policy.languages, _line(Message("%(languages)s", languages=languages))
        ),
        N_("%(part)s: its currency"): Said(
            policy.currency, _line(Message("%(currency)s", currency=policy.currency))
        ),
        N_("%(part)s: its time zone"): Said(
            policy.time_zone, _line(Message("%(zone)s", zone=policy.time_zone))
        ),
        N_("%(part)s: when clients rise"): Said(
            policy.promotion,
            tuple(promotion_lines(policy)) or _line(Message("Clients rise at once.")),
        ),
        N_("%(part)s: to whom the tier of a group goes"): Said(
            policy.group_tier_goes_to,
            tuple(groups_lines(policy))
            or _line(Message("What a group comes to together counts for all its members.")),
        ),
        N_("%(part)s: whom this version moves"): Said(
            gone,
            tuple(transition_lines(policy))
            or _line(Message("Everybody is judged by the new rules.")),
        ),
        N_("%(part)s: how late something may be recorded"): Said(
            policy.settlement_days,
            tuple(settlement_lines(policy))
            or _line(Message("What is recorded late counts from the next decision on.")),
        ),
    }


def _tier_aspects(policy: Policy, tier: Tier) -> Aspects:
    benefits = [Line(0, _called(each.key, each.name)) for each in tier.benefits]
    promised = {each.key: each for each in policy.standards}
    demotion = policy.demotion_of(tier.key)
    lifetime = tier.lifetime_after_years
    return {
        _NAME: Said(tier.name, _names(tier.name)),
        N_("%(part)s: what it brings"): Said(tier.benefits, tuple(benefits) or _NOTHING),
        N_("%(part)s: what is promised"): Said(
            tier.standards,
            tuple(Line(0, standard_sentence(promised[key])) for key in tier.standards) or _NOTHING,
        ),
        N_("%(part)s: how it is lost"): Said(
            tier.demotion,
            _line(Message("by “%(name)s”", name=Named(demotion.name))) if demotion else _NOTHING,
        ),
        N_("%(part)s: how long it is held"): Said(
            tier.validity, _line(Message("%(held)s", held=how_long(tier.validity)))
        ),
        N_("%(part)s: when it is earned anew"): Said(
            tier.renewal,
            _line(Message("at once") if tier.renewal == "at_once" else Message("when it ends")),
        ),
        N_("%(part)s: held for life"): Said(
            lifetime,
            _line(
                Message("never")
                if lifetime is None
                else Message("after %(years)s", years=Length(lifetime, "year"))
            ),
        ),
    }


_NOTHING = _line(Message("nothing"))


def _called(key: str, names: Names) -> Message:
    texts = tuple(
        Message("%(text)s (%(language)s)", text=text, language=language)
        for language, text in names.items()
    )
    return Message("%(key)s: %(texts)s", key=key, texts=Listed(texts))


_TYPES = {
    MetricType.MONEY: N_("an amount of money"),
    MetricType.COUNT: N_("a number of things"),
    MetricType.DECIMAL: N_("a number with %(places)d decimal places"),
    MetricType.DAYS: N_("a number of days"),
    MetricType.DATE: N_("a day"),
    MetricType.BOOLEAN: N_("yes or no"),
    MetricType.CHOICE: N_("one of several options"),
}
"""How the values of a metric of each type are called."""


def _metric_aspects(policy: Policy, metric: Metric) -> Aspects:
    kind = Message(_TYPES[metric.type], places=metric.places)
    if metric.unit == "percent":
        kind = Message("a percentage with %(places)d decimal places", places=metric.places)
    own = not isinstance(metric.source, OfStanding)
    options = [Line(0, _called(key, names)) for key, names in metric.options.items()]
    return {
        _NAME: Said(metric.name, _names(metric.name)),
        N_("%(part)s: what kind of figure it is"): Said(
            (metric.type, metric.places, metric.unit), _line(kind)
        ),
        N_("%(part)s: what is measured"): Said(
            (metric.source, metric.missing), _line(metric_sentence(policy, metric))
        ),
        N_("%(part)s: its options"): Said(
            list(metric.options.items()) if own else None, tuple(options) or _NOTHING
        ),
    }


def _segment_aspects(policy: Policy, segment: Segment) -> Aspects:
    promised = {each.key: each for each in policy.standards}
    return {
        _NAME: Said(segment.name, _names(segment.name)),
        N_("%(part)s: what is promised"): Said(
            segment.standards,
            tuple(Line(0, standard_sentence(promised[key])) for key in segment.standards)
            or _NOTHING,
        ),
    }


def _standard_aspects(_policy: Policy, standard: Standard) -> Aspects:
    detail = standard.promise.terms.get("detail")
    more = () if detail is None else _line(Message("%(detail)s", detail=detail))
    return {
        _NAME: Said(standard.name, _names(standard.name)),
        N_("%(part)s: what it promises"): Said(
            (standard.answers, standard.promise), (*_line(standard_sentence(standard)), *more)
        ),
    }


def _demotion_aspects(policy: Policy, demotion: DemotionPolicy) -> Aspects:
    assessment, stay = demotion.assessment, Length(demotion.minimum_stay_days, "day")
    back = Length(demotion.benefits_return_days, "day")
    return {
        _NAME: Said(demotion.name, _names(demotion.name)),
        N_("%(part)s: its steps"): Said(
            demotion.steps,
            tuple(line for step in demotion.steps for line in step_lines(policy, step)),
        ),
        N_("%(part)s: when it begins"): Said(
            (assessment, demotion.minimum_stay_days),
            (
                Line(
                    0,
                    Message("only on %(days)s", days=assessment_days(policy, assessment))
                    if assessment is not None
                    else Message("on any day"),
                ),
                Line(0, Message("not in the first %(days)s", days=stay)),
            ),
        ),
        N_("%(part)s: how benefits return"): Said(
            demotion.benefits_return_days, _line(Message("%(days)s apart", days=back))
        ),
        N_("%(part)s: the letter to who meets the criteria again"): Said(
            demotion.reinstatement_letter, _letter_named(demotion.reinstatement_letter)
        ),
        N_("%(part)s: the letter to who has benefits given back"): Said(
            demotion.return_letter, _letter_named(demotion.return_letter)
        ),
    }


def _letter_named(key: str | None) -> tuple[Line, ...]:
    return _NOTHING if key is None else _line(Message("“%(key)s”", key=key))


def _letter_aspects(_policy: Policy, letter: Letter) -> Aspects:
    return {
        N_("%(part)s: its subject"): Said(letter.subject, _names(letter.subject)),
        N_("%(part)s: its text"): Said(letter.body, _texts(letter.body)),
        N_("%(part)s: what stands for an unknown name"): Said(
            letter.unnamed, _names(letter.unnamed or {}) or _NOTHING
        ),
    }


def _texts(texts: Names) -> tuple[Line, ...]:
    """Return texts of several paragraphs, a line for each, under their languages."""
    return tuple(
        line
        for language, text in texts.items()
        for line in (
            Line(0, Message("In %(language)s:", language=language)),
            *(Line(1, Message("%(text)s", text=each)) for each in text.split("\n") if each.strip()),
        )
    )


def _letter_lines(_policy: Policy, letter: Letter) -> Iterator[Line]:
    yield from _names(letter.subject)
    yield from _texts(letter.body)


def example_lines(policy: Policy, example: Example) -> Iterator[Line]:
    """Say what an example is and what it gives."""
    yield Line(0, example_sentence(policy, example))
    yield from (Line(1, each.sentence) for each in _names(example.name))
    yield Line(1, Message("on %(day)s", day=example.date))
    for key, value in example.facts.items():
        metric = policy.metrics[key]
        said = (
            Message("%(metric)s: not known", metric=Named(metric.name))
            if value is None
            else Message(
                "%(metric)s: %(value)s",
                metric=Named(metric.name),
                value=shown(policy, metric, value),
            )
        )
        yield Line(1, said)


TIERS: How[Tier] = How(
    subject=lambda tier: Message("The tier “%(name)s”", name=Named(tier.name)),
    order=N_("The order of the tiers, from the lowest"),
    tell=tier_lines,
    aspects=_tier_aspects,
    criteria={
        N_("%(part)s: what it asks for"): lambda tier: tier.entry,
        N_("%(part)s: what keeping it asks for"): lambda tier: tier.keep,
    },
)
METRICS: How[Metric] = How(
    subject=lambda metric: Message("The figure “%(name)s”", name=Named(metric.name)),
    order=N_("The order of the figures"),
    tell=lambda policy, metric: _line(metric_sentence(policy, metric)),
    aspects=_metric_aspects,
)
SEGMENTS: How[Segment] = How(
    subject=lambda segment: Message("The segment “%(name)s”", name=Named(segment.name)),
    order=N_("The order of the segments"),
    tell=lambda policy, segment: criteria_lines(policy, segment.criteria),
    aspects=_segment_aspects,
    criteria={N_("%(part)s: who is in it"): lambda segment: segment.criteria},
)
STANDARDS: How[Standard] = How(
    subject=lambda standard: Message("The promise “%(name)s”", name=Named(standard.name)),
    order=N_("The order of the promises"),
    tell=lambda _, standard: _line(standard_sentence(standard)),
    aspects=_standard_aspects,
)
DEMOTIONS: How[DemotionPolicy] = How(
    subject=lambda demotion: Message("The way down “%(name)s”", name=Named(demotion.name)),
    order=N_("The order of the ways down"),
    tell=demotion_lines,
    aspects=_demotion_aspects,
    criteria={N_("%(part)s: who is spared"): lambda demotion: demotion.unless},
)
LETTERS: How[Letter] = How(
    subject=lambda letter: Message("The letter “%(key)s”", key=letter.key),
    order=N_("The order of the letters"),
    tell=_letter_lines,
    aspects=_letter_aspects,
)
