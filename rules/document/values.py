"""Values of metrics as JSON writes them: one, or those of a client by metric."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from marshmallow import ValidationError

from rules.document.fields import (
    NAMES,
    Data,
    MetricName,
    StrictField,
    read_day,
    refuse,
    whole,
)
from rules.messages import Message, alternatives
from rules.policy import Metric
from rules.vocabulary import LARGEST, MetricType, Value, exact, settle

MOST_PLACES = 12
"""How many decimal places a stated number may have; it is compared exactly, however many."""

Stated = dict[str, Value | None]
"""Facts as they were stated; None says that the value is missing."""


def read_value(metric: Metric | MetricName, value: object) -> Value:
    """Read one value as JSON writes it: money in minor units, decimals as numbers, ISO dates.

    :raises ValidationError: with a sentence on what the metric takes.
    """
    match metric.type:
        case MetricType.BOOLEAN:
            if isinstance(value, bool):
                return value
            raise refuse("must be true or false")
        case MetricType.CHOICE:
            if isinstance(value, str) and value in metric.options:
                return value
            raise refuse("must be %(words)s", words=alternatives(list(metric.options)))
        case MetricType.DATE:
            return read_day(value)
        case MetricType.DECIMAL:
            number = exact(value)
            if number is not None and (number * 10**MOST_PLACES).denominator == 1:
                steps: Fraction = number * 10**metric.places
                if abs(steps) <= LARGEST:
                    return settle(steps)
            raise refuse(
                "must be a number between -%(most)d and %(most)d with at most %(places)d "
                "decimal places",
                most=LARGEST // 10**metric.places,
                places=MOST_PLACES,
            )
        case _:
            if type(value) is int and abs(value) <= LARGEST:
                return value
            raise refuse(whole(metric.type), most=LARGEST)


def read_facts(
    metrics: Mapping[str, Metric] | Mapping[str, MetricName], stated: Mapping[str, object]
) -> Stated:
    """Read the values of a client, by the key of the metric.

    :raises ValidationError: with a sentence on every one that is wrong, by its key.
    """
    facts: Stated = {}
    errors: dict[str, list[str]] = {}
    for key, value in stated.items():
        metric = metrics.get(key)
        if metric is None:
            message = Message(
                "is not a metric of this policy; these are %(known)s",
                known=alternatives(sorted(metrics)),
            )
            errors[key] = [message]
            continue
        try:
            facts[key] = None if value is None else read_value(metric, value)
        except ValidationError as error:
            errors[key] = list(error.messages)
    if errors:
        raise ValidationError(errors)
    return facts


class FactsField(StrictField[Stated]):
    """Facts about a client, by the metrics of the document they stand in."""

    def __init__(self, **kwargs: Any) -> None:
        shape = {
            "type": "object",
            "additionalProperties": {"type": ["number", "string", "boolean", "null"]},
        }
        super().__init__(shape, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> Stated:
        if not isinstance(value, dict):
            raise refuse("must be an object: {…}")
        return read_facts(NAMES.get().metrics, value)
