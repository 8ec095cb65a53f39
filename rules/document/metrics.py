"""Metrics as they are written: a source, a type that fits it, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, post_load, validates_schema

from rules.document.fields import (
    NAMES,
    Key,
    Keyed,
    Nested,
    StrictSchema,
    Translated,
    Union,
    Whole,
    Word,
    metric_named,
)
from rules.document.sources import (
    ActivitiesSchema,
    AttributeHistorySchema,
    AttributeSchema,
    CarryOverSchema,
    ChangeSchema,
    DaysSinceSchema,
    GroupSchema,
    RankSchema,
    RatioSchema,
    StandingSchema,
    WeightedSumSchema,
)
from rules.messages import Message, alternatives
from rules.policy import (
    Activities,
    Attribute,
    AttributeHistory,
    CarryOver,
    Change,
    DaysSince,
    Metric,
    OfGroup,
    OfStanding,
    Rank,
    Ratio,
    Source,
    WeightedSum,
)
from rules.vocabulary import NUMERIC, MetricType, Missing


class OptionSchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)


class MetricSchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)
    type = Word(*(each.value for each in MetricType), required=True)
    places = Whole(0, 6)
    unit = Word("percent")
    options = Keyed(Nested(OptionSchema), 1, 100)
    missing = Word(*(each.value for each in Missing))
    source = Union(
        {
            "attribute": AttributeSchema,
            "attribute_history": AttributeHistorySchema,
            "activities": ActivitiesSchema,
            "ratio": RatioSchema,
            "weighted_sum": WeightedSumSchema,
            "change": ChangeSchema,
            "days_since": DaysSinceSchema,
            "carry_over": CarryOverSchema,
            "standing": StandingSchema,
            "group": GroupSchema,
            "rank": RankSchema,
        },
        required=True,
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _parts_fit_the_type(self, data: dict[str, Any], original: Any, **kwargs: Any) -> None:
        if "type" not in data:
            return
        kind = MetricType(data["type"])
        errors: dict[str, Any] = {}
        parts = {"places": MetricType.DECIMAL, "options": MetricType.CHOICE}
        if is_tier_held(original.get("source")):
            del parts["options"]
            if "options" in original:
                errors["options"] = [Message("must be left out: the tiers are its options")]
        for part, wanted in parts.items():
            if (part in original) != (kind is wanted):
                errors[part] = [
                    Message("is missing: a %(type)s needs it", type=kind.value)
                    if kind is wanted
                    else Message("must be left out: a %(type)s has none", type=kind.value)
                ]
        if "unit" in original and kind is not MetricType.DECIMAL:
            errors["unit"] = [Message("must be left out: only a decimal can be a percentage")]
        if data.get("missing") == Missing.ZERO and kind in (MetricType.DATE, MetricType.CHOICE):
            errors["missing"] = [Message("a %(type)s cannot count as zero", type=kind.value)]
        source = data.get("source")
        if isinstance(source, Source) and kind not in (fitting := _fitting_types(source)):
            errors["type"] = [
                Message(
                    "must be %(types)s for this source",
                    types=alternatives(sorted(each.value for each in fitting)),
                )
            ]
        if (
            isinstance(source, Change)
            and source.measured == "percent"
            and original.get("unit") != "percent"
        ):
            errors["unit"] = [Message("must be percent for a change in percent")]
        if isinstance(source, Rank) and "unit" not in original:
            errors["unit"] = [Message("is missing: a rank is in percent")]
        if errors:
            raise ValidationError(errors)

    @validates_schema(skip_on_field_errors=False)
    def _rests_on_others(self, data: dict[str, Any], **kwargs: Any) -> None:
        if "key" in data and data["key"] in _reached_from(data["key"]):
            raise ValidationError({"source": [Message("is derived from itself")]})
        if isinstance(source := data.get("source"), Rank) and _rests_on_a_rank(source.metric):
            message = Message("must not rest on another rank: both are fixed at the same time")
            raise ValidationError({"source": {"metric": [message]}})
        named = "key" in data and data["key"] in NAMES.get().metrics
        if named and isinstance(data.get("source"), Source):
            _reads_as_others_do(data["key"])

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Metric:
        return Metric(
            key=data["key"],
            name=data["name"],
            type=MetricType(data["type"]),
            source=data["source"],
            places=data.get("places", 0),
            unit=data.get("unit"),
            options={each["key"]: each["name"] for each in data.get("options", ())},
            missing=Missing(data.get("missing", Missing.UNKNOWN)),
        )


_AMOUNT = frozenset({MetricType.MONEY})
_WHOLE = frozenset({MetricType.COUNT, MetricType.DAYS})
_PLAIN = _WHOLE | {MetricType.DECIMAL}
_AGGREGATE_TYPES: dict[str, frozenset[MetricType]] = {
    "count": frozenset({MetricType.COUNT}),
    "distinct_products": frozenset({MetricType.COUNT}),
    "first_date": frozenset({MetricType.DATE}),
    "last_date": frozenset({MetricType.DATE}),
    "days_since_last": frozenset({MetricType.DAYS}),
    "days_with": frozenset({MetricType.COUNT, MetricType.DAYS}),
    "weeks_with": frozenset({MetricType.COUNT}),
    "months_with": frozenset({MetricType.COUNT}),
    "quarters_with": frozenset({MetricType.COUNT}),
}


def _fitting_types(source: Source) -> frozenset[MetricType]:
    """Return the types a metric with this source can have."""
    match source:
        case Attribute():
            return frozenset(MetricType)
        case AttributeHistory(aggregate="daily_average"):
            return NUMERIC - _WHOLE
        case AttributeHistory():
            return NUMERIC
        case Activities(aggregate=aggregate, of=None):
            return _AGGREGATE_TYPES[aggregate]
        case Activities(aggregate=aggregate, of=of):
            measured = _AMOUNT if of == "amount" else _PLAIN if of == "quantity" else NUMERIC
            return measured - _WHOLE if aggregate == "average" else measured
        case Ratio(numerator=over, denominator=under):
            types = metric_named(over).type, metric_named(under).type
            per_piece = types[0] is MetricType.MONEY and types[1] is not MetricType.MONEY
            return _AMOUNT if per_piece else frozenset({MetricType.DECIMAL})
        case WeightedSum(terms=terms):
            money = metric_named(terms[0][0]).type is MetricType.MONEY
            return _AMOUNT if money else _PLAIN
        case (
            Change(metric=metric, measured="difference")
            | CarryOver(metric=metric)
            | OfGroup(metric=metric)
        ):
            return frozenset({metric_named(metric).type})
        case Change() | Rank():
            return frozenset({MetricType.DECIMAL})
        case OfStanding(measure="tier_held"):
            return frozenset({MetricType.CHOICE})
        case OfStanding(measure="years_at_or_above"):
            return frozenset({MetricType.COUNT})
        case DaysSince() | OfStanding():
            return frozenset({MetricType.DAYS})


def is_tier_held(source: object) -> bool:
    """Tell whether a source as written is the tier held, whose options are the tiers."""
    return isinstance(source, Mapping) and source.get("measure") == "tier_held"


def _rests_on_a_rank(key: str) -> bool:
    metrics = NAMES.get().metrics
    reached = {key, *_reached_from(key)}.intersection(metrics)
    return any(metrics[each].source.get("kind") == "rank" for each in reached)


def references(source: Mapping[str, Any]) -> list[str]:
    """Return the metrics that a source, as it is written, is derived from."""
    terms = source.get("terms")
    found = [source.get(name) for name in ("numerator", "denominator", "metric")]
    if isinstance(terms, list):
        found += [each.get("metric") for each in terms if isinstance(each, dict)]
    return [each for each in found if isinstance(each, str)]


def _reads_as_others_do(key: str) -> None:
    """Refuse to read a recorded attribute as another kind of value than an earlier metric does."""
    metrics = NAMES.get().metrics
    for earlier, other in metrics.items():
        if earlier == key:
            return
        shared = _recorded(metrics[key].source) & _recorded(other.source)
        if shared and _KINDS[other.type] != _KINDS[metrics[key].type]:
            message = Message(
                "reads %(what)s as %(type)s; the metric %(other)s reads it as %(kind)s",
                what=min(shared),
                type=metrics[key].type.value,
                other=earlier,
                kind=other.type.value,
            )
            raise ValidationError({"source": [message]})


_KINDS = {kind: "number" if kind in NUMERIC - {MetricType.MONEY} else kind for kind in MetricType}


def _recorded(source: Mapping[str, Any]) -> set[str]:
    """Return the attribute, of clients or of activities, that a source as written reads."""
    if source.get("kind") in ("attribute", "attribute_history"):
        return {f"the client's {source.get('attribute')}"}
    of = source.get("of")
    return {of} if isinstance(of, str) and of.startswith("attribute:") else set()


def _reached_from(key: str) -> set[str]:
    metrics = NAMES.get().metrics
    reached: set[str] = set()
    waiting = [key]
    while waiting:
        current = waiting.pop()
        for other in references(metrics[current].source) if current in metrics else ():
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached
