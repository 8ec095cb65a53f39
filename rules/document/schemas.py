"""The shape of a policy document: promises, demotion, tiers, segments, and the whole."""

from __future__ import annotations

from typing import Any, Literal, get_args

from marshmallow import ValidationError, post_load, validates_schema

from rules.document.criteria import CriteriaField
from rules.document.fields import (
    NAMES,
    Currency,
    Distinct,
    Key,
    Keyed,
    LanguageCode,
    ListOf,
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
from rules.document.metrics import MetricSchema
from rules.document.sources import kind_word
from rules.messages import Message
from rules.policy import (
    Benefit,
    DemotionPolicy,
    Period,
    Policy,
    Promise,
    Segment,
    Standard,
    Step,
    Tier,
)


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


def _days() -> Whole:
    return Whole(0, 3660, required=True)


def _counted() -> Word:
    return Word(*get_args(Literal["start", "previous_step"]))


class WarningSchema(StrictSchema):
    kind = kind_word("warning")
    days = _days()

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Step:
        return Step(**data)


class NoticeSchema(WarningSchema):
    kind = kind_word("notice")
    counted = _counted()


class WithdrawSchema(WarningSchema):
    kind = kind_word("withdraw")
    counted = _counted()
    benefits = Distinct(Reference("benefits"), 1, 50, required=True)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Step:
        return Step(**data | {"benefits": tuple(data["benefits"])})


class DemoteSchema(WarningSchema):
    kind = kind_word("demote")
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
