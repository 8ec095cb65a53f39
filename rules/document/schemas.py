"""The shape of a policy document: promises, demotion, tiers, segments, and the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from marshmallow import ValidationError, post_load, validates_schema

from rules.document.criteria import CriteriaField
from rules.document.fields import (
    NAMES,
    BusinessDay,
    Currency,
    Distinct,
    Flag,
    Key,
    Keyed,
    LanguageCode,
    ListOf,
    MetricReference,
    MonthDay,
    Nested,
    Reference,
    StrictSchema,
    Text,
    TimeZone,
    Translated,
    Union,
    Whole,
    Word,
)
from rules.document.letters import LetterSchema
from rules.document.metrics import MetricSchema
from rules.document.sources import kind_word
from rules.document.values import FactsField
from rules.messages import Message
from rules.policy import (
    Anniversary,
    Benefit,
    Calendar,
    DemotionPolicy,
    Example,
    Fixed,
    Metric,
    Monthly,
    OfStanding,
    Open,
    Period,
    Policy,
    Promise,
    Promotion,
    Segment,
    Standard,
    Step,
    Tier,
    Transition,
    UntilAssessment,
    YearDays,
)
from rules.vocabulary import MetricType


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
    kind = kind_word("respond_within")
    request = Key(required=True)
    working_minutes = Whole(1, 100_000, required=True)


class ContactEverySchema(_PromiseSchema):
    kind = kind_word("contact_every")
    days = Whole(1, 3660, required=True)


class AfterActivitySchema(_PromiseSchema):
    kind = kind_word("after_activity")
    activity = Key(required=True)
    days = Whole(0, 3660, required=True)


class OnDateSchema(_PromiseSchema):
    kind = kind_word("on_date")
    attribute = Key(required=True)
    days_before = Whole(0, 366, required=True)


class AfterEventSchema(_PromiseSchema):
    kind = kind_word("after_event")
    event = Word(
        "promoted", "renewed", "notice_given", "benefit_withdrawn", "demoted", required=True
    )
    days = Whole(0, 366, required=True)


class SurveyEverySchema(_PromiseSchema):
    kind = kind_word("survey_every")
    survey = Word("nps", "csi", "ces", required=True)
    unit = Word(*get_args(Period), required=True)


class KeepPromiseSchema(_PromiseSchema):
    kind = kind_word("keep_promise")


class EntitlementSchema(_PromiseSchema):
    kind = kind_word("entitlement")
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


class YearDaysSchema(StrictSchema):
    kind = kind_word("year_days")
    days = Distinct(MonthDay(), 1, 24, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> YearDays:
        return YearDays(tuple(sorted(data["days"])))


class MonthlySchema(StrictSchema):
    kind = kind_word("monthly")
    day = Whole(1, 31, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Monthly:
        return Monthly(data["day"])


class AnniversarySchema(StrictSchema):
    kind = kind_word("anniversary")
    every = Word("year", "month", required=True)
    of = MetricReference(frozenset({MetricType.DATE}))

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Anniversary:
        return Anniversary(data["every"], data.get("of"))


def _assessment() -> Union:
    return Union(
        {"year_days": YearDaysSchema, "monthly": MonthlySchema, "anniversary": AnniversarySchema}
    )


class PromotionSchema(StrictSchema):
    """When clients rise; at once and straight if left out."""

    assessment = _assessment()
    path = Word("straight", "one_rung")
    letter = Reference("letters")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Promotion:
        return Promotion(**data)


class FormerTierSchema(StrictSchema):
    """A tier that the policy has no longer, and the one that takes its place."""

    key = Key(required=True)
    now = Reference("tiers", required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> tuple[str, str]:
        if data["key"] in NAMES.get().tiers:
            message = Message("is a tier of this policy; name one that it has no longer")
            raise ValidationError({"key": [message]})
        return data["key"], data["now"]


class TransitionSchema(StrictSchema):
    """Whom a new version moves; everybody if left out."""

    moves = Word("everybody", "upgrades_only", "new_grounds_only")
    until = BusinessDay()
    former_tiers = Keyed(Nested(FormerTierSchema), 0, 100)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Transition:
        former = dict(data.get("former_tiers", ()))
        found = Transition(data.get("moves", "everybody"), data.get("until"), former)
        if found.moves == "everybody" and found.until is not None:
            raise ValidationError({"until": [Message("must be left out: everybody is moved")]})
        if found.moves != "everybody" and found.until is None:
            raise ValidationError({"until": [Message("is missing")]})
        return found


class OpenSchema(StrictSchema):
    kind = kind_word("open")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Open:
        return Open()


class FixedSchema(StrictSchema):
    kind = kind_word("fixed")
    n = Whole(1, 1200, required=True)
    unit = Word("days", "months", required=True)
    to_month_end = Flag()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Fixed:
        data.pop("kind")
        return Fixed(**data)


class CalendarSchema(StrictSchema):
    kind = kind_word("calendar")
    unit = Word(*get_args(Period), required=True)
    further = Whole(0, 10)
    plus_months = Whole(0, 24)
    starts = MonthDay()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Calendar:
        data.pop("kind")
        return Calendar(**data)


class UntilAssessmentSchema(StrictSchema):
    kind = kind_word("until_assessment")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> UntilAssessment:
        return UntilAssessment()


def _validity() -> Union:
    return Union(
        {
            "open": OpenSchema,
            "fixed": FixedSchema,
            "calendar": CalendarSchema,
            "until_assessment": UntilAssessmentSchema,
        }
    )


class _StepSchema(StrictSchema):
    letter = Reference("letters")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Step:
        if "landing" in data and data["to"] != "one_rung":
            raise ValidationError({"landing": [Message("needs the demotion to be to one_rung")]})
        return Step(**data | {"benefits": tuple(data.get("benefits", ()))})


class WarningSchema(_StepSchema):
    kind = kind_word("warning")
    days = Whole(0, 3660, required=True)


class NoticeSchema(_StepSchema):
    kind = kind_word("notice")
    days = Whole(0, 3660)
    months = Whole(0, 120)
    counted = Word("start", "previous_step")


class WithdrawSchema(NoticeSchema):
    kind = kind_word("withdraw")
    benefits = Distinct(Reference("benefits"), 1, 50, required=True)


class DemoteSchema(NoticeSchema):
    kind = kind_word("demote")
    to = Word("entitled", "one_rung", required=True)
    landing = _validity()


class DemotionPolicySchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)
    minimum_stay_days = Whole(0, 3660)
    assessment = _assessment()
    unless = CriteriaField()
    benefits_return_days = Whole(0, 3660)
    reinstatement_letter = Reference("letters")
    return_letter = Reference("letters")
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


_NOT_FOR_THE_LOWEST = (
    "entry",
    "keep",
    "demotion",
    "validity",
    "renewal",
    "lifetime_after_years",
)


class TierSchema(StrictSchema):
    key = Key(required=True)
    name = Translated(required=True)
    entry = CriteriaField(of_tier=True)
    keep = CriteriaField(of_tier=True)
    benefits = Keyed(Nested(BenefitSchema), 0, 50)
    standards = Distinct(Reference("standards"), 0, 50)
    demotion = Reference("demotion_policies")
    validity = _validity()
    renewal = Word("at_once", "at_expiry")
    lifetime_after_years = Whole(0, 100)

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
            for part in _NOT_FOR_THE_LOWEST
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


class ExampleSchema(StrictSchema):
    name = Translated(required=True)
    date = BusinessDay(required=True)
    facts = FactsField(
        required=True,
        metadata={
            "description": "Metric key to value, as conditions are given theirs; null for what "
            "is missing."
        },
    )
    tier = Reference(
        "tiers",
        required=True,
        allow_none=True,
        metadata={"description": "The tier to be given; null for an undetermined answer."},
    )

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Example:
        return Example(**data)


class GroupsSchema(StrictSchema):
    """To whom the tier goes that all members of a group reach together."""

    tier_goes_to = Word("members", "head", required=True)


def _with_tiers(metric: Metric, tiers: Sequence[Tier]) -> Metric:
    """Return a metric; the tier held has the tiers for its options."""
    if not isinstance(metric.source, OfStanding) or metric.source.measure != "tier_held":
        return metric
    return replace(metric, options={tier.key: tier.name for tier in tiers})


class PolicySchema(StrictSchema):
    """A policy document."""

    schema = Text(500, data_key="$schema", metadata={"description": "For editors; any text."})
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
    promotion = Nested(PromotionSchema)
    groups = Nested(GroupsSchema)
    transition = Nested(TransitionSchema)
    settlement_days = Whole(0, 366)
    letters = Keyed(Nested(LetterSchema), 0, 50)
    examples = ListOf(Nested(ExampleSchema), 0, 200)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Policy:
        return Policy(
            key=data["key"],
            name=data["name"],
            digest="",
            languages=tuple(data["languages"]),
            currency=data["currency"],
            time_zone=data["time_zone"],
            metrics={each.key: _with_tiers(each, data["tiers"]) for each in data["metrics"]},
            tiers=tuple(data["tiers"]),
            segments=tuple(data.get("segments", ())),
            standards=tuple(data.get("standards", ())),
            demotion_policies=tuple(data.get("demotion_policies", ())),
            promotion=data.get("promotion", Promotion()),
            group_tier_goes_to=data.get("groups", {}).get("tier_goes_to", "members"),
            transition=data.get("transition", Transition()),
            settlement_days=data.get("settlement_days", 0),
            letters=tuple(data.get("letters", ())),
            examples=tuple(data.get("examples", ())),
        )
