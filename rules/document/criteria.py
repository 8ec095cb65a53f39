"""Criteria as they are written: a condition on a metric, a prerequisite, or a group of parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError

from rules.criteria import AllOf, AnyOf, AtLeast, Condition, Criteria, NoneOf, QualifiesFor
from rules.document.fields import (
    NAMES,
    Data,
    MetricName,
    StrictField,
    metric_named,
    read_day,
    refuse,
    scaled,
)
from rules.messages import Message, alternatives
from rules.vocabulary import KNOWNESS, OPERATORS, Limit, MetricType, Operator

DEEPEST = 8
"""How many groups may lie within each other; deeper criteria cannot be explained to anybody."""

WIDEST = 60
"""How many parts one group may have."""

Errors = dict[str | int, Any]

JSON_SCHEMA: dict[str, Any] = {
    "description": "A condition, a prerequisite, or a group of parts.",
    "oneOf": [
        {
            "type": "object",
            "description": "A comparison; is_known and is_not_known take no value.",
            "required": ["metric", "operator"],
            "additionalProperties": False,
            "properties": {
                "metric": {"type": "string"},
                "operator": {"enum": [each.value for each in Operator]},
                "value": {
                    "description": "By the metric's type: money in minor units, a number, a "
                    "date YYYY-MM-DD, true or false, an option; [from, to] for between; a "
                    "list of options for one_of and none_of.",
                    "oneOf": [
                        {"type": ["number", "string", "boolean"]},
                        {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": ["number", "string"]},
                        },
                    ],
                },
            },
        },
        {
            "type": "object",
            "description": "The entry criteria of a lower tier hold.",
            "required": ["qualifies_for"],
            "additionalProperties": False,
            "properties": {"qualifies_for": {"type": "string"}},
        },
        *(
            {
                "type": "object",
                "required": [word],
                "additionalProperties": False,
                "properties": {word: {"$ref": "#/$defs/Parts"}},
            }
            for word in ("all", "any", "none")
        ),
        {
            "type": "object",
            "description": "At least so many of the parts hold.",
            "required": ["at_least", "of"],
            "additionalProperties": False,
            "properties": {
                "at_least": {"type": "integer", "minimum": 1},
                "of": {"$ref": "#/$defs/Parts"},
            },
        },
    ],
}
PARTS_JSON_SCHEMA: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "maxItems": WIDEST,
    "items": {"$ref": "#/$defs/Criteria"},
}

_GROUPS: dict[str, Callable[[tuple[Criteria, ...]], Criteria]] = {
    "all": AllOf,
    "any": AnyOf,
    "none": NoneOf,
}


class CriteriaField(StrictField[Criteria]):
    """A tree of conditions.

    With ``of_tier`` the criteria belong to the tier whose object holds this field, and may only
    build on tiers below it.
    """

    def __init__(self, *, of_tier: bool = False, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)
        self.of_tier = of_tier

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> Criteria:
        names = NAMES.get()
        reach = names.tiers
        if self.of_tier and data is not None and data.get("key") in reach:
            reach = reach[: reach.index(data["key"])]
        return _read(value, tuple(each for each in reach if each != names.lowest), 1)


def _read(node: Any, reach: tuple[str, ...], depth: int) -> Criteria:
    if not isinstance(node, dict):
        raise refuse('must be a condition such as {"metric": …} or a group such as {"all": […]}')
    names = set(node)
    if "metric" in names:
        return _condition(node)
    if names == {"qualifies_for"}:
        return _prerequisite(node["qualifies_for"], reach)
    if names == {"at_least", "of"}:
        return _at_least(node, reach, depth)
    for word, group in _GROUPS.items():
        if names == {word}:
            return group(_parts(node, word, reach, depth))
    raise refuse(
        "must be exactly one of {metric, operator, value}, {all}, {any}, {none}, "
        "{at_least, of} or {qualifies_for}"
    )


def _parts(node: dict[str, Any], word: str, reach: tuple[str, ...], depth: int) -> tuple[Any, ...]:
    parts = node[word]
    if not isinstance(parts, list) or not 1 <= len(parts) <= WIDEST:
        raise ValidationError(
            {word: [Message("must be a list of 1 to %(most)d parts", most=WIDEST)]}
        )
    if depth > DEEPEST:
        raise ValidationError(
            {word: [Message("groups may lie at most %(most)d deep", most=DEEPEST)]}
        )
    read: list[Criteria] = []
    errors: Errors = {}
    for index, part in enumerate(parts):
        try:
            read.append(_read(part, reach, depth + 1))
        except ValidationError as error:
            errors[index] = error.messages
    if errors:
        raise ValidationError({word: errors})
    return tuple(read)


def _at_least(node: dict[str, Any], reach: tuple[str, ...], depth: int) -> AtLeast:
    errors: Errors = {}
    parts: tuple[Criteria, ...] = ()
    try:
        parts = _parts(node, "of", reach, depth)
    except ValidationError as error:
        errors.update(error.messages_dict)
    k, of = node["at_least"], node["of"]
    most = len(of) if isinstance(of, list) and of else WIDEST
    if type(k) is not int or not 1 <= k <= most:
        errors["at_least"] = [
            Message("must be a whole number from 1 to the number of parts, %(most)d", most=most)
        ]
    if errors:
        raise ValidationError(errors)
    return AtLeast(k, parts)


def _prerequisite(tier: Any, reach: tuple[str, ...]) -> QualifiesFor:
    if tier not in reach:
        raise ValidationError(
            {
                "qualifies_for": [
                    Message(
                        "must name a lower tier that has entry criteria (%(known)s)",
                        known=alternatives(reach),
                    )
                ]
            }
        )
    return QualifiesFor(tier)


def _condition(node: dict[str, Any]) -> Condition:
    errors: Errors = {
        name: [Message("is not known here; known are metric, operator and value")]
        for name in sorted(set(node) - {"metric", "operator", "value"})
    }
    try:
        metric = metric_named(node["metric"])
    except ValidationError as error:
        raise ValidationError(errors | {"metric": error.messages}) from error
    operators = OPERATORS[metric.type]
    operator = next((each for each in operators if each == node.get("operator")), None)
    limit = None
    if operator is None:
        errors["operator"] = [
            Message(
                "must be an operator for %(type)s: %(operators)s",
                type=metric.type.value,
                operators=alternatives([each.value for each in operators]),
            )
        ]
    elif operator in KNOWNESS:
        if "value" in node:
            errors["value"] = [Message("must be left out: this operator compares with nothing")]
    else:
        try:
            limit = _limit(metric, operator, node.get("value"))
        except ValidationError as error:
            errors["value"] = error.messages
    if errors or operator is None:
        raise ValidationError(errors)
    return Condition(str(node["metric"]), operator, limit)


def _limit(metric: MetricName, operator: Operator, value: Any) -> Limit:
    if operator is Operator.BETWEEN:
        if not isinstance(value, list) or len(value) != 2:
            raise refuse("must be a list of two, [from, to], both included")
        low, high = _one(metric, value[0]), _one(metric, value[1])
        if low > high:  # type: ignore[operator]  # both are of the metric's one type
            raise refuse("must not go from the higher to the lower")
        return low, high  # type: ignore[return-value]  # two ints or two dates, as above
    if operator in (Operator.ONE_OF, Operator.NONE_OF):
        if not isinstance(value, list) or not value:
            raise refuse("must be a list of options")
        options = tuple(str(_one(metric, each)) for each in value)
        if len(set(options)) < len(options):
            raise refuse("names an option twice")
        return options
    return _one(metric, value)


def _one(metric: MetricName, value: Any) -> Limit:
    if metric.type is MetricType.DATE:
        return read_day(value)
    if metric.type is MetricType.BOOLEAN:
        if not isinstance(value, bool):
            raise refuse("must be true or false")
        return value
    if metric.type is MetricType.CHOICE:
        if value not in metric.options:
            raise refuse("must be %(words)s", words=alternatives(list(metric.options)))
        return str(value)
    return scaled(value, metric)
