"""What if, now: the tier that facts give, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from marshmallow import ValidationError

from app.services.policies import PolicyInForce
from app.services.tables import REFERENCE
from app.words import Words
from rules.document import Problem, problems_in
from rules.document.fields import Currency, Day, Key, StrictField, StrictSchema, refuse
from rules.explain import Explanation, Reason, Way
from rules.facts import FactsInvalid, exact_text, write_value, written_number
from rules.facts import read as read_stated
from rules.measure import complete
from rules.messages import Message
from rules.policy import Facts, Metric, Names, Policy
from rules.vocabulary import LARGEST, MetricType, Value

FIRST_BUSINESS_DATE, LAST_BUSINESS_DATE = date(1970, 1, 1), date(2199, 12, 31)
"""Windows of a century reach back from any of these without leaving the calendar."""


MOST_FACTS = 200
"""No policy has more metrics than that."""


class ClientReference(StrictField[str]):
    """A company's own number for a client."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string", "pattern": f"^{REFERENCE.pattern}$"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not REFERENCE.fullmatch(value):
            raise refuse("must be 1 to 64 letters, digits or . _ ~ -")
        return value


class StatedFacts(StrictField[dict[str, object]]):
    """Facts as JSON writes them, by metric key; only a policy can tell whether they fit."""

    def __init__(self, **kwargs: Any) -> None:
        shape = {
            "type": "object",
            "maxProperties": MOST_FACTS,
            "additionalProperties": {"type": ["number", "string", "boolean", "null"]},
        }
        super().__init__(shape, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, object]:
        if not isinstance(value, dict):
            raise refuse("must be an object: {…}")
        if len(value) > MOST_FACTS:
            raise refuse("must have at most %(most)d entries", most=MOST_FACTS)
        return value


@dataclass(frozen=True, slots=True)
class Question:
    """Facts to be judged on a business date.

    ``facts`` are as JSON writes them; ``held`` is the key of the tier held until now, ``client``
    and ``currency`` what the asker says of them.
    """

    date: date
    facts: Mapping[str, object]
    client: str | None = None
    held: str | None = None
    currency: str | None = None


class QuestionSchema(StrictSchema):
    """Facts to be judged, and on which business date."""

    date = Day(metadata={"description": "The business date; today if left out."})
    facts = StatedFacts(
        required=True,
        metadata={
            "description": "Metric key to value: money in minor units, counts and days as whole "
            "numbers, decimals and percentages as numbers, dates as YYYY-MM-DD, options and "
            "true or false as they are, null for what is missing."
        },
    )
    client = ClientReference()
    held = Key(metadata={"description": "The tier held until now; else the one the facts give."})
    currency = Currency(metadata={"description": "If given, must be the policy's."})


def read_question(policy: Policy, item: object, today: date) -> tuple[Question, Facts]:
    """Read one question as JSON gives it, and its facts with the derivations that follow.

    Without a date it is asked about ``today``.

    :raises FactsInvalid: naming everything that is wrong with it, or does not fit the policy.
    """
    problems: list[Problem] = []
    read: dict[str, Any] = {}
    try:
        read = QuestionSchema().load(item)  # type: ignore[arg-type]  # may be anything
    except ValidationError as error:
        problems += problems_in(error.messages)
        read = error.valid_data if isinstance(error.valid_data, dict) else {}
    problems += _misfits(policy, read)
    facts: dict[str, Value | None] = {}
    try:
        facts = read_stated(policy, read.get("facts", {}))
    except FactsInvalid as error:
        problems += [Problem(f"facts.{each.path}", each.message) for each in error.problems]
    if not problems:
        question = Question(**{"date": today} | read)
        found = complete(policy, facts, question.date)
        problems += [
            Problem(f"facts.{each.path}", each.message) for each in too_large(policy, found)
        ]
        if not problems:
            return question, found
    raise FactsInvalid(problems)


def _misfits(policy: Policy, read: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what in a question, its facts apart, does not fit the policy."""
    if "date" in read and not FIRST_BUSINESS_DATE <= read["date"] <= LAST_BUSINESS_DATE:
        message = Message(
            "must be a business date from %(first)s to %(last)s",
            first=FIRST_BUSINESS_DATE.isoformat(),
            last=LAST_BUSINESS_DATE.isoformat(),
        )
        yield Problem("date", message)
    if "held" in read and read["held"] not in {tier.key for tier in policy.tiers}:
        yield Problem("held", Message("is not a tier of this policy"))
    if "currency" in read and read["currency"] != policy.currency:
        message = Message("must be %(code)s, the policy's", code=policy.currency)
        yield Problem("currency", message)


def too_large(policy: Policy, facts: Facts) -> Iterator[Problem]:
    """Yield the metrics whose values, summed up or derived, are beyond what is decided about."""
    for key, value in facts.items():
        if isinstance(value, int | Fraction) and not -LARGEST <= value <= LARGEST:
            most = LARGEST // 10 ** policy.metrics[key].places
            message = Message("comes to a number not between -%(most)d and %(most)d", most=most)
            yield Problem(key, message)


def answer_for(
    in_force: PolicyInForce, question: Question, facts: Facts, words: Words
) -> dict[str, Any]:
    """Judge facts and write the answer as the API and the commands give it.

    :raises EngineFailure, Disagreement: if no tier may be named.
    """
    verdict = in_force.judge.judge(facts)
    found = in_force.explainer.explain(facts, verdict, question.date, question.held)
    return _Writer(in_force.policy, words).answer(question, found)


class _Writer:
    def __init__(self, policy: Policy, words: Words) -> None:
        self._policy, self._words = policy, words

    def answer(self, question: Question, found: Explanation) -> dict[str, Any]:
        open_ = found.tier is None
        return {
            **({"client": question.client} if question.client is not None else {}),
            "date": question.date.isoformat(),
            "tier": None if found.tier is None else self._named(found.tier.key, found.tier.name),
            "undetermined": {
                "missing": list(found.missing),
                "at_least": self._named(found.at_least.key, found.at_least.name),
            }
            if open_
            else None,
            "tiers": [
                {
                    **self._named(tier.key, tier.name),
                    "qualifies": found.qualifies[tier.key],
                    "keeps": found.keeps[tier.key],
                }
                for tier in self._policy.tiers
            ],
            "segments": [self._named(each.key, each.name) for each in found.segments],
            "conditions": [self._condition(each) for each in found.reasons],
            "next_tier": self._way(found.next_tier),
            "to_stay": self._way(found.to_stay),
            "sentences": [self._words.sentence(each) for each in found.sentences],
            "policy": {"key": self._policy.key, "digest": self._policy.digest},
        }

    def _named(self, key: str, names: Names) -> dict[str, str]:
        return {"key": key, "name": self._words.name(names)}

    def _condition(self, reason: Reason) -> dict[str, Any]:
        metric = self._policy.metrics[reason.condition.metric]
        exact = exact_text(metric, reason.value)
        return {
            "condition": metric.key,
            "criteria": reason.root.part,
            _OWNERS[reason.root.part]: reason.root.owner,
            "value": write_value(metric, reason.value),
            **({"exact": exact} if exact is not None else {}),
            "operator": reason.condition.operator.value,
            "limit": _written(metric, reason.condition.limit),
            "met": reason.met,
            "helps": reason.helps,
            "shortfall": _shortfall(metric, reason.shortfall),
            "sentence": self._words.sentence(reason.sentence),
        }

    def _way(self, way: Way | None) -> dict[str, Any] | None:
        if way is None:
            return None
        return {
            **self._named(way.tier.key, way.tier.name),
            "steps": None
            if way.steps is None
            else [
                {
                    "metric": step.metric,
                    "value": write_value(self._policy.metrics[step.metric], step.value),
                    "target": write_value(self._policy.metrics[step.metric], step.target),
                    "shortfall": _shortfall(self._policy.metrics[step.metric], step.shortfall),
                }
                for step in way.steps
            ],
            "by": None if way.by is None else way.by.isoformat(),
            "sentence": self._words.sentence(way.sentence),
        }


_OWNERS = {"entry": "tier", "keep": "tier", "segment": "segment", "unless": "demotion_policy"}


def _written(metric: Metric, limit: object) -> object:
    if isinstance(limit, tuple):
        return [write_value(metric, each) for each in limit]
    return write_value(metric, limit)  # type: ignore[arg-type]  # a Limit that is no tuple


def _shortfall(metric: Metric, steps: int | None) -> object:
    """Write a shortfall in the metric's unit; for a date it is a number of days."""
    if steps is None or metric.type is MetricType.DATE:
        return steps
    return written_number(metric.places, steps)
