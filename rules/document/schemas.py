"""The shape of a policy document, part by part, and the values each part becomes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, get_args

from marshmallow import ValidationError, post_load, validates_schema

from rules.document.criteria import CriteriaField
from rules.document.fields import (
    KEY,
    NAMES,
    Currency,
    Data,
    Day,
    Distinct,
    Exact,
    Flag,
    Key,
    Keyed,
    LanguageCode,
    ListOf,
    MetricReference,
    MonthDay,
    Nested,
    Reference,
    StrictField,
    StrictSchema,
    Text,
    TimeZone,
    Translated,
    Union,
    Whole,
    Word,
    listed,
    metric_named,
    refuse,
    scaled,
)
from rules.messages import Message
from rules.policy import (
    Activities,
    Aggregate,
    Attribute,
    AttributeHistory,
    Benefit,
    Between,
    CarryOver,
    Change,
    DaysSince,
    DemotionPolicy,
    Filter,
    Lifetime,
    Metric,
    Period,
    Policy,
    Previous,
    Promise,
    Ratio,
    Rolling,
    Segment,
    Since,
    Source,
    Standard,
    Step,
    This,
    Tier,
    WeightedSum,
)
from rules.vocabulary import LARGEST, NUMERIC, MetricType, Missing, Operator, exact

_LONGEST_WINDOW = {"days": 36525, "weeks": 5217, "months": 1200, "years": 100}
_LONGEST_PERIODS = {"month": 1200, "quarter": 400, "half_year": 200, "year": 100}


def _kind(word: str) -> Word:
    return Word(word, required=True)


# -- windows ---------------------------------------------------------------------------------


class LifetimeSchema(StrictSchema):
    kind = _kind("lifetime")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Lifetime:
        return Lifetime()


class RollingSchema(StrictSchema):
    kind = _kind("rolling")
    n = Whole(1, 36525, required=True)
    unit = Word(*_LONGEST_WINDOW, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Rolling:
        _at_most_a_century(data, _LONGEST_WINDOW)
        return Rolling(data["n"], data["unit"])


class ThisSchema(StrictSchema):
    kind = _kind("this")
    unit = Word(*get_args(Period), required=True)
    starts = MonthDay()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> This:
        return This(data["unit"], data.get("starts", (1, 1)))


class PreviousSchema(StrictSchema):
    kind = _kind("previous")
    n = Whole(1, 1200, required=True)
    unit = Word(*get_args(Period), required=True)
    starts = MonthDay()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Previous:
        _at_most_a_century(data, _LONGEST_PERIODS)
        return Previous(data["n"], data["unit"], data.get("starts", (1, 1)))


class SinceSchema(StrictSchema):
    kind = _kind("since")
    event = Word("tier", "ground", required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Since:
        raise refuse("cannot be measured yet: it needs the client's standing")


class BetweenSchema(StrictSchema):
    kind = _kind("between")
    first = Day(required=True, data_key="from")
    last = Day(required=True, data_key="to")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Between:
        if data["first"] > data["last"]:
            raise ValidationError({"to": [Message("must not lie before from")]})
        return Between(data["first"], data["last"])


def _at_most_a_century(data: dict[str, Any], longest: dict[str, int]) -> None:
    most = longest[data["unit"]]
    if data["n"] > most:
        raise ValidationError(
            {"n": [Message("must be at most %(most)d %(unit)s", most=most, unit=data["unit"])]}
        )


def _window() -> Union:
    return Union(
        {
            "lifetime": LifetimeSchema,
            "rolling": RollingSchema,
            "this": ThisSchema,
            "previous": PreviousSchema,
            "since": SinceSchema,
            "between": BetweenSchema,
        },
        required=True,
    )


# -- sources ---------------------------------------------------------------------------------


class AttributeSchema(StrictSchema):
    kind = _kind("attribute")
    attribute = Key(required=True)
    good_for_days = Whole(0, 36525)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Attribute:
        return Attribute(data["attribute"], data.get("good_for_days"))


class AttributeHistorySchema(StrictSchema):
    kind = _kind("attribute_history")
    attribute = Key(required=True)
    aggregate = Word("daily_average", "minimum", required=True)
    window = _window()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> AttributeHistory:
        return AttributeHistory(data["attribute"], data["aggregate"], data["window"])


class ActivityField(StrictField[str]):
    """A field of an activity: one of ``names``, or ``attribute:NAME`` for the company's own."""

    def __init__(self, *names: str, **kwargs: Any) -> None:
        pattern = f"^({'|'.join(names)}|attribute:{KEY.pattern})$"
        super().__init__({"type": "string", "pattern": pattern}, **kwargs)
        self.names = names

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        own = isinstance(value, str) and KEY.fullmatch(value.removeprefix("attribute:"))
        if value in self.names or (own and value.startswith("attribute:")):
            return str(value)
        raise refuse("must be %(names)s", names=listed([*self.names, "attribute:NAME"]))


class FilterValue(StrictField[Any]):
    """A text, a number or true/false, or a list of texts or numbers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            {
                "oneOf": [
                    {"type": ["string", "number", "boolean"]},
                    {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}},
                ]
            },
            **kwargs,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> Any:
        if isinstance(value, bool):
            return value
        if not isinstance(value, list):
            return _text_or_number(value)
        if not 1 <= len(value) <= 200:
            raise refuse("must be a list of 1 to 200 texts or numbers")
        return tuple(_text_or_number(each) for each in value)


def _text_or_number(value: object) -> str | Fraction:
    if isinstance(value, str):
        return Text().deserialize(value)
    if exact(value) is None:
        raise refuse("must be a text or a number")
    return Exact(6, LARGEST).deserialize(value)


_TEXT_OPERATORS = (Operator.IS, Operator.IS_NOT, Operator.ONE_OF, Operator.NONE_OF)
_SIZE_OPERATORS = (
    Operator.AT_LEAST,
    Operator.MORE_THAN,
    Operator.AT_MOST,
    Operator.LESS_THAN,
)


class FilterSchema(StrictSchema):
    field = ActivityField("product", "channel", "amount", "quantity", required=True)
    operator = Word(*(each.value for each in _TEXT_OPERATORS + _SIZE_OPERATORS), required=True)
    value = FilterValue(required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Filter:
        field, operator, value = data["field"], Operator(data["operator"]), data["value"]
        several = operator in (Operator.ONE_OF, Operator.NONE_OF)
        if several != isinstance(value, tuple):
            raise ValidationError(
                {"value": [Message("must be a list") if several else Message("must not be a list")]}
            )
        if operator in _SIZE_OPERATORS and not isinstance(value, Fraction):
            raise ValidationError({"value": [Message("must be a number for this operator")]})
        kinds = {type(each) for each in (value if several else (value,))}
        if field in ("product", "channel"):
            if kinds != {str} or operator in _SIZE_OPERATORS:
                raise refuse("%(field)s is a text; compare it with is or one_of", field=field)
        elif field in ("amount", "quantity") and kinds != {Fraction}:
            raise ValidationError({"value": [Message("must be a number for this field")]})
        return Filter(field, operator, value)


class ActivitiesSchema(StrictSchema):
    kind = _kind("activities")
    aggregate = Word(*get_args(Aggregate), required=True)
    of = ActivityField("amount", "quantity")
    kinds = Distinct(Key(), 1, 50, required=True)
    where = ListOf(Nested(FilterSchema), 0, 20)
    window = _window()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _of_what(self, data: dict[str, Any], original: Any, **kwargs: Any) -> None:
        if "aggregate" in data and (data["aggregate"] in _MEASURING) != ("of" in original):
            raise ValidationError(
                {
                    "of": [
                        Message("must be left out: this aggregate only counts or dates")
                        if "of" in original
                        else Message("is missing: amount, quantity or attribute:NAME")
                    ]
                }
            )

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Activities:
        return Activities(
            data["aggregate"],
            tuple(data["kinds"]),
            data["window"],
            data.get("of"),
            tuple(data.get("where", ())),
        )


_MEASURING = ("sum", "average", "minimum", "maximum")


class RatioSchema(StrictSchema):
    kind = _kind("ratio")
    numerator = MetricReference(NUMERIC, required=True)
    denominator = MetricReference(NUMERIC, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Ratio:
        return Ratio(data["numerator"], data["denominator"])


class TermSchema(StrictSchema):
    metric = MetricReference(NUMERIC, required=True)
    weight = Exact(6, 10**6, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> tuple[str, Fraction]:
        return data["metric"], data["weight"]


class WeightedSumSchema(StrictSchema):
    kind = _kind("weighted_sum")
    terms = ListOf(Nested(TermSchema), 1, 20, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> WeightedSum:
        money = {metric_named(key).type is MetricType.MONEY for key, _ in data["terms"]}
        if len(money) > 1:
            raise ValidationError({"terms": [Message("must all be money, or none of them")]})
        return WeightedSum(tuple(data["terms"]))


class ChangeSchema(StrictSchema):
    kind = _kind("change")
    metric = MetricReference(NUMERIC, required=True)
    measured = Word("difference", "percent", required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Change:
        _needs_window(data["metric"], ("rolling", "this", "previous"))
        return Change(data["metric"], data["measured"])


class DaysSinceSchema(StrictSchema):
    kind = _kind("days_since")
    metric = MetricReference(frozenset({MetricType.DATE}), required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> DaysSince:
        return DaysSince(data["metric"])


class Amount(StrictField[int]):
    """A number not below nought, in the unit of the metric named beside it; read as its steps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "number", "minimum": 0}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> int:
        try:
            metric = metric_named((data or {}).get("metric"))
        except ValidationError:
            return 0  # the reference is refused, and of its unit nothing is known
        steps = scaled(value, metric.places)
        if steps < 0:
            raise refuse("must not be negative")
        return steps


class CarryOverSchema(StrictSchema):
    kind = _kind("carry_over")
    metric = MetricReference(NUMERIC, required=True)
    cap = Amount(required=True)
    above = Amount()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> CarryOver:
        _needs_window(data["metric"], ("this",))
        return CarryOver(data["metric"], data["cap"], data.get("above", 0))


def _needs_window(metric: str, kinds: tuple[str, ...]) -> None:
    source = metric_named(metric).source
    window = source.get("window")
    kind = window.get("kind") if isinstance(window, dict) else None
    if kind not in kinds:
        raise ValidationError(
            {
                "metric": [
                    Message(
                        "must name a metric measured over a window of kind %(kinds)s",
                        kinds=listed(kinds),
                    )
                ]
            }
        )


class _NotYet(StrictSchema):
    """A source that the format has and this version cannot measure."""

    needs = ""

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> None:
        raise refuse("cannot be measured yet: it needs %(what)s", what=self.needs)


class StandingSchema(_NotYet):
    needs = "the client's standing"
    kind = _kind("standing")
    measure = Word(
        "tier_held", "days_at_or_above", "years_at_or_above", "days_since_ground", required=True
    )
    tier = Reference("tiers")
    unbroken = Flag()


class GroupSchema(_NotYet):
    needs = "the members of the client's group"
    kind = _kind("group")
    metric = MetricReference(NUMERIC, required=True)


class RankSchema(_NotYet):
    needs = "all other clients"
    kind = _kind("rank")
    metric = MetricReference(NUMERIC, required=True)


# -- metrics ---------------------------------------------------------------------------------


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
        for part, wanted in (("places", MetricType.DECIMAL), ("options", MetricType.CHOICE)):
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
                    types=listed(sorted(each.value for each in fitting)),
                )
            ]
        if (
            isinstance(source, Change)
            and source.measured == "percent"
            and original.get("unit") != "percent"
        ):
            errors["unit"] = [Message("must be percent for a change in percent")]
        if errors:
            raise ValidationError(errors)

    @validates_schema(skip_on_field_errors=False)
    def _rests_on_others(self, data: dict[str, Any], **kwargs: Any) -> None:
        if "key" in data and data["key"] in _reached_from(data["key"]):
            raise ValidationError({"source": [Message("is derived from itself")]})

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
        case Change(metric=metric, measured="difference") | CarryOver(metric=metric):
            return frozenset({metric_named(metric).type})
        case Change():
            return frozenset({MetricType.DECIMAL})
        case DaysSince():
            return frozenset({MetricType.DAYS})


def references(source: Any) -> list[str]:
    """Return the metrics that a source, as it is written, is derived from."""
    if not isinstance(source, dict) or source.get("kind") in ("attribute", "activities"):
        return []
    terms = source.get("terms")
    found = [source.get(name) for name in ("numerator", "denominator", "metric")]
    if isinstance(terms, list):
        found += [each.get("metric") for each in terms if isinstance(each, dict)]
    return [each for each in found if isinstance(each, str)]


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


# -- promises, demotion, tiers ---------------------------------------------------------------


class BenefitSchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Benefit:
        return Benefit(data["key"], data["name"])


class _PromiseSchema(StrictSchema):
    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Promise:
        return Promise(data.pop("kind"), data)


class RespondWithinSchema(_PromiseSchema):
    kind = _kind("respond_within")
    request = Key(required=True)
    working_minutes = Whole(1, 100_000, required=True)


class ContactEverySchema(_PromiseSchema):
    kind = _kind("contact_every")
    days = Whole(1, 3660, required=True)


class AfterActivitySchema(_PromiseSchema):
    kind = _kind("after_activity")
    activity = Key(required=True)
    days = Whole(0, 3660, required=True)


class OnDateSchema(_PromiseSchema):
    kind = _kind("on_date")
    attribute = Key(required=True)
    days_before = Whole(0, 366, required=True)


class AfterEventSchema(_PromiseSchema):
    kind = _kind("after_event")
    event = Word(
        "promoted", "renewed", "notice_given", "benefit_withdrawn", "demoted", required=True
    )
    days = Whole(0, 366, required=True)


class SurveyEverySchema(_PromiseSchema):
    kind = _kind("survey_every")
    survey = Word("nps", "csi", "ces", required=True)
    unit = Word(*get_args(Period), required=True)


class KeepPromiseSchema(_PromiseSchema):
    kind = _kind("keep_promise")


class EntitlementSchema(_PromiseSchema):
    kind = _kind("entitlement")
    detail = Text()


class StandardSchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)
    answers = Key(required=True)
    promise = Union(
        {
            "respond_within": RespondWithinSchema,
            "contact_every": ContactEverySchema,
            "after_activity": AfterActivitySchema,
            "on_date": OnDateSchema,
            "after_event": AfterEventSchema,
            "survey_every": SurveyEverySchema,
            "keep_promise": KeepPromiseSchema,
            "entitlement": EntitlementSchema,
        },
        required=True,
    )

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Standard:
        return Standard(**data)


def _days() -> Whole:
    return Whole(0, 3660, required=True)


def _counted() -> Word:
    return Word(*get_args(Literal["start", "previous_step"]))


class WarningSchema(StrictSchema):
    kind = _kind("warning")
    days = _days()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Step:
        return Step(**data)


class NoticeSchema(WarningSchema):
    kind = _kind("notice")
    counted = _counted()


class WithdrawSchema(WarningSchema):
    kind = _kind("withdraw")
    counted = _counted()
    benefits = Distinct(Reference("benefits"), 1, 50, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Step:
        return Step(**data | {"benefits": tuple(data["benefits"])})


class DemoteSchema(WarningSchema):
    kind = _kind("demote")
    counted = _counted()
    to = Word("entitled", "one_rung", required=True)


class DemotionPolicySchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)
    minimum_stay_days = Whole(0, 3660)
    unless = CriteriaField()
    steps = ListOf(
        Union(
            {
                "warning": WarningSchema,
                "notice": NoticeSchema,
                "withdraw": WithdrawSchema,
                "demote": DemoteSchema,
            }
        ),
        1,
        20,
        required=True,
    )

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> DemotionPolicy:
        steps: list[Step] = data["steps"]
        errors: dict[int, Any] = {}
        for index, step in enumerate(steps):
            if step.kind == "warning" and index > 0:
                errors[index] = [Message("a warning can only be the first step")]
            if step.kind == "demote" and index < len(steps) - 1:
                errors[index] = [Message("nothing can follow a demotion")]
        if errors:
            raise ValidationError({"steps": errors})
        return DemotionPolicy(**data | {"steps": tuple(steps)})


class TierSchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)
    entry = CriteriaField(of_tier=True)
    keep = CriteriaField(of_tier=True)
    benefits = Keyed(Nested(BenefitSchema), 0, 50)
    standards = Distinct(Reference("standards"), 0, 50)
    demotion = Reference("demotion_policies")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _only_the_lowest_is_open(self, data: dict[str, Any], original: Any, **kwargs: Any) -> None:
        if "key" not in data:
            return
        if data["key"] != NAMES.get().lowest:
            if "entry" not in original:
                raise ValidationError({"entry": [Message("is missing")]})
            return
        errors = {
            part: [Message("must be left out: everybody holds the lowest tier")]
            for part in ("entry", "keep", "demotion")
            if part in original
        }
        if errors:
            raise ValidationError(errors)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Tier:
        lists = {name: tuple(data.get(name, ())) for name in ("benefits", "standards")}
        return Tier(**data | lists)


class SegmentSchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)
    criteria = CriteriaField(required=True)
    standards = Distinct(Reference("standards"), 0, 50)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Segment:
        return Segment(**data | {"standards": tuple(data.get("standards", ()))})


class PolicySchema(StrictSchema):
    """A policy document."""

    format = Whole(1, 1, required=True)
    key = Key(required=True)
    name = Translated(required=True)
    languages = Distinct(LanguageCode(), 1, 20, required=True)
    currency = Currency(required=True)
    time_zone = TimeZone(required=True)
    metrics = Keyed(Nested(MetricSchema), 0, 200, required=True)
    tiers = Keyed(Nested(TierSchema), 1, 30, required=True)
    segments = Keyed(Nested(SegmentSchema), 0, 50)
    standards = Keyed(Nested(StandardSchema), 0, 100)
    demotion_policies = Keyed(Nested(DemotionPolicySchema), 0, 30)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Policy:
        return Policy(
            key=data["key"],
            name=data["name"],
            digest="",
            languages=tuple(data["languages"]),
            currency=data["currency"],
            time_zone=data["time_zone"],
            metrics={each.key: each for each in data["metrics"]},
            tiers=tuple(data["tiers"]),
            segments=tuple(data.get("segments", ())),
            standards=tuple(data.get("standards", ())),
            demotion_policies=tuple(data.get("demotion_policies", ())),
        )
