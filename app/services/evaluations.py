"""What if, now: the tier that facts give, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from marshmallow import ValidationError, validates_schema

from app.services.answers import Writer
from app.services.policies import PolicyInForce
from app.services.tables import REFERENCE
from app.words import Words
from rules import measure
from rules.document import Problem, problems_in
from rules.document.fields import BusinessDay, Currency, Key, StrictField, StrictSchema, refuse
from rules.facts import FactsInvalid, too_large
from rules.facts import read as read_stated
from rules.measure import CannotMeasure, complete
from rules.messages import Message
from rules.policy import Facts, Policy
from rules.standing import Standing
from rules.vocabulary import Value

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

    ``facts`` are as JSON writes them; or ``changed`` are, and the rest is what is recorded of the
    client.  ``held`` is the key of the tier held until now, ``client`` and ``currency`` what the
    asker says of them.
    """

    date: date
    facts: Mapping[str, object] = field(default_factory=dict)
    changed: Mapping[str, object] | None = None
    client: str | None = None
    held: str | None = None
    currency: str | None = None


class QuestionSchema(StrictSchema):
    """Facts to be judged, and on which business date."""

    date = BusinessDay(metadata={"description": "The business date; today if left out."})
    facts = StatedFacts(
        metadata={
            "description": "Metric key to value: money in minor units, counts and days as whole "
            "numbers, decimals and percentages as numbers, dates as YYYY-MM-DD, options and "
            "true or false as they are, null for what is missing."
        },
    )
    changed = StatedFacts(
        metadata={
            "description": "Instead of facts: what is to stand in place of what is recorded of "
            "the client; {} for nothing."
        }
    )
    client = ClientReference(metadata={"description": "Needed with changed; else a label."})
    held = Key(metadata={"description": "The tier held until now; else the one the facts give."})
    currency = Currency(metadata={"description": "If given, must be the policy's."})

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _says_of_whom(self, _: Any, given: Any, **__: Any) -> None:
        if not isinstance(given, dict):
            return  # said already
        if ("facts" in given) == ("changed" in given):
            message = Message("must be given, or changed, and not both")
            raise ValidationError({"facts": [message]})
        if "changed" in given and "client" not in given:
            raise ValidationError({"client": [Message("is missing")]})


@dataclass(frozen=True, slots=True)
class Stored:
    """What is recorded of a client, as of a day, and how they stood last, if they ever did."""

    recorded: Callable[[date], measure.Client]
    standing: Standing | None

    @property
    def held(self) -> str | None:
        return None if self.standing is None else self.standing.tier


NOBODY: Mapping[str, Stored] = {}


def read_question(
    policy: Policy, item: object, today: date, stored: Mapping[str, Stored] = NOBODY
) -> tuple[Question, Facts]:
    """Read one question as JSON gives it, and its facts with the derivations that follow.

    Without a date it is asked about ``today``.

    :param stored: the clients by reference whose recorded facts may be asked about.
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
    part = "changed" if "changed" in read else "facts"
    stated: dict[str, Value | None] = {}
    try:
        stated = read_stated(policy, read.get(part, {}))
    except FactsInvalid as error:
        problems += [Problem(f"{part}.{each.path}", each.message) for each in error.problems]
    client = stored.get(read.get("client", ""))
    if part == "changed" and client is None and "client" in read:
        problems.append(Problem("client", Message("is not known here")))
    if not problems:
        question = Question(**{"date": today} | _held(policy, client, part) | read)
        try:
            found = _facts(policy, question, stated, client)
        except CannotMeasure as error:
            raise FactsInvalid([Problem("client", error.message)]) from error
        problems += [
            Problem(f"{part}.{each.path}", each.message) for each in too_large(policy, found)
        ]
        if not problems:
            return question, found
    raise FactsInvalid(problems)


def _held(policy: Policy, client: Stored | None, part: str) -> dict[str, str]:
    """Return the tier a stored client holds, if the policy still has it."""
    if client is None or part == "facts" or client.held not in {tier.key for tier in policy.tiers}:
        return {}
    return {"held": client.held}


def _facts(
    policy: Policy, question: Question, stated: dict[str, Value | None], client: Stored | None
) -> Facts:
    if question.changed is None or client is None:
        return complete(policy, stated, question.date)
    recorded = client.recorded(question.date)
    return measure.measure(policy, recorded, question.date, stated, client.standing)


def _misfits(policy: Policy, read: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what in a question, its facts apart, does not fit the policy."""
    if "held" in read and read["held"] not in {tier.key for tier in policy.tiers}:
        yield Problem("held", Message("is not a tier of this policy"))
    if "currency" in read and read["currency"] != policy.currency:
        message = Message("must be %(code)s, the policy's", code=policy.currency)
        yield Problem("currency", message)


def answer_for(
    in_force: PolicyInForce, question: Question, facts: Facts, words: Words
) -> dict[str, Any]:
    """Judge facts and write the answer as the API and the commands give it.

    :raises EngineFailure, Disagreement: if no tier may be named.
    """
    verdict = in_force.judge.judge(facts)
    found = in_force.explainer.explain(facts, verdict, question.date, question.held)
    write = Writer(in_force.policy, words)
    return {
        **({"client": question.client} if question.client is not None else {}),
        "date": question.date.isoformat(),
        "tier": None if found.tier is None else write.named(found.tier.key, found.tier.name),
        "undetermined": write.undetermined(found),
        "tiers": [
            {
                **write.named(tier.key, tier.name),
                "qualifies": found.qualifies[tier.key],
                "keeps": found.keeps[tier.key],
            }
            for tier in in_force.policy.tiers
        ],
        "segments": [write.named(each.key, each.name) for each in found.segments],
        "conditions": write.reasons(found),
        "next_tier": write.way(found.next_tier),
        "to_stay": write.way(found.to_stay),
        "sentences": write.sentences(found),
        "policy": {"key": in_force.policy.key, "digest": in_force.policy.digest},
    }
