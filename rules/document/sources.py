"""Where a metric's value comes from, as it is written: windows and sources."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, get_args

from marshmallow import ValidationError, post_load, validates_schema

from rules.document.fields import (
    KEY,
    NAMES,
    Data,
    Day,
    Distinct,
    Exact,
    Flag,
    Key,
    ListOf,
    MetricReference,
    MonthDay,
    Nested,
    Reference,
    StrictField,
    StrictSchema,
    Text,
    Union,
    Whole,
    Word,
    metric_named,
    refuse,
    scaled,
)
from rules.messages import Message, alternatives
from rules.policy import (
    Activities,
    Aggregate,
    Attribute,
    AttributeHistory,
    Between,
    CarryOver,
    Change,
    DaysSince,
    Filter,
    Lifetime,
    OfGroup,
    OfStanding,
    Period,
    Previous,
    Rank,
    Ratio,
    Rolling,
    Since,
    This,
    WeightedSum,
)
from rules.vocabulary import LARGEST, NUMERIC, MetricType, Operator, exact

_LONGEST_WINDOW = {"days": 36525, "weeks": 5217, "months": 1200, "years": 100}
_LONGEST_PERIODS = {"month": 1200, "quarter": 400, "half_year": 200, "year": 100}


def kind_word(word: str) -> Word:
    """Return the field by which one of several shapes is told from the others."""
    return Word(word, required=True)


# -- windows ---------------------------------------------------------------------------------


class LifetimeSchema(StrictSchema):
    kind = kind_word("lifetime")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Lifetime:
        return Lifetime()


class RollingSchema(StrictSchema):
    kind = kind_word("rolling")
    n = Whole(1, 36525, required=True)
    unit = Word(*_LONGEST_WINDOW, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Rolling:
        _at_most_a_century(data, _LONGEST_WINDOW)
        return Rolling(data["n"], data["unit"])


class ThisSchema(StrictSchema):
    kind = kind_word("this")
    unit = Word(*get_args(Period), required=True)
    starts = MonthDay()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> This:
        return This(data["unit"], data.get("starts", (1, 1)))


class PreviousSchema(StrictSchema):
    kind = kind_word("previous")
    n = Whole(1, 1200, required=True)
    unit = Word(*get_args(Period), required=True)
    starts = MonthDay()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Previous:
        _at_most_a_century(data, _LONGEST_PERIODS)
        return Previous(data["n"], data["unit"], data.get("starts", (1, 1)))


class SinceSchema(StrictSchema):
    kind = kind_word("since")
    event = Word("tier", "ground", required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Since:
        return Since(data["event"])


class BetweenSchema(StrictSchema):
    kind = kind_word("between")
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
    kind = kind_word("attribute")
    attribute = Key(required=True)
    good_for_days = Whole(0, 36525)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Attribute:
        return Attribute(data["attribute"], data.get("good_for_days"))


class AttributeHistorySchema(StrictSchema):
    kind = kind_word("attribute_history")
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
        raise refuse("must be %(names)s", names=alternatives([*self.names, "attribute:NAME"]))


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
    kind = kind_word("activities")
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
    kind = kind_word("ratio")
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
    kind = kind_word("weighted_sum")
    terms = ListOf(Nested(TermSchema), 1, 20, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> WeightedSum:
        money = {metric_named(key).type is MetricType.MONEY for key, _ in data["terms"]}
        if len(money) > 1:
            raise ValidationError({"terms": [Message("must all be money, or none of them")]})
        return WeightedSum(tuple(data["terms"]))


class ChangeSchema(StrictSchema):
    kind = kind_word("change")
    metric = MetricReference(NUMERIC, required=True)
    measured = Word("difference", "percent", required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Change:
        _needs_window(data["metric"], ("rolling", "this", "previous"))
        return Change(data["metric"], data["measured"])


class DaysSinceSchema(StrictSchema):
    kind = kind_word("days_since")
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
        steps = scaled(value, metric)
        if steps < 0:
            raise refuse("must not be negative")
        return steps


class CarryOverSchema(StrictSchema):
    kind = kind_word("carry_over")
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
                        kinds=alternatives(kinds),
                    )
                ]
            }
        )


class StandingSchema(StrictSchema):
    kind = kind_word("standing")
    measure = Word(
        "tier_held",
        "days_at_or_above",
        "years_at_or_above",
        "days_since_tier",
        "days_since_ground",
        required=True,
    )
    tier = Reference("tiers")
    unbroken = Flag()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _parts_fit(self, data: dict[str, Any], original: Any, **kwargs: Any) -> None:
        if "measure" not in data:
            return
        at_or_above = data["measure"].endswith("_at_or_above")
        errors = {
            part: [Message("must be left out: only days or years at a tier or above have it")]
            for part in ("tier", "unbroken")
            if part in original and not at_or_above
        }
        if at_or_above and "tier" not in original:
            errors["tier"] = [Message("is missing")]
        if at_or_above and "tier" in data and data["tier"] == NAMES.get().lowest:
            errors["tier"] = [Message("must be above the lowest, which everybody always has")]
        if errors:
            raise ValidationError(errors)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> OfStanding:
        return OfStanding(data["measure"], data.get("tier"), data.get("unbroken", False))


class GroupSchema(StrictSchema):
    kind = kind_word("group")
    metric = MetricReference(NUMERIC, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> OfGroup:
        if not _adds_up(data["metric"]):
            message = Message(
                "must name a metric that adds up over several clients: a sum or a count of "
                "activities, a number stated (no percentage), or these weighted or in difference; "
                "not since the tier or the ground began"
            )
            raise ValidationError({"metric": [message]})
        return OfGroup(data["metric"])


def _adds_up(key: object, seen: frozenset[object] = frozenset()) -> bool:
    """Tell whether the sum of a metric over clients is that of all they did, taken together.

    What is derived from itself, or wrong itself, is refused elsewhere.
    """
    metric = NAMES.get().metrics.get(key) if isinstance(key, str) else None
    if metric is None or key in seen:
        return True
    match metric.source:
        case {"kind": "attribute"}:
            return metric.unit is None
        case {"kind": "activities", "window": {"kind": "since"}}:
            return False
        case {"kind": "activities", "aggregate": aggregate}:
            return aggregate not in _NOT_ADDING_UP
        case {"kind": "change", "measured": "difference", "metric": base}:
            return _adds_up(base, seen | {key})
        case {"kind": "weighted_sum", "terms": list(terms)}:
            bases = [each.get("metric") for each in terms if isinstance(each, dict)]
            return all(_adds_up(base, seen | {key}) for base in bases)
        case source:
            return "kind" not in source


_NOT_ADDING_UP = tuple(each for each in get_args(Aggregate) if each not in ("sum", "count"))


class RankSchema(StrictSchema):
    kind = kind_word("rank")
    metric = MetricReference(NUMERIC, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Rank:
        return Rank(data["metric"])
