"""``POST /evaluations``: what if, now.  Nothing is stored and nothing changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.bodies import json_answer, json_body
from app.api.problems import ACCEPT_LANGUAGE, problems, reader_words, written_in
from app.api.repeatable import HEADER, repeatable
from app.api.security import require_scope, requires
from app.clock import business_date
from app.merit import merit
from app.services.authority import Scope
from app.services.cells import REFERENCE
from app.services.evaluations import Question, Stored, answer_for, read_question
from app.services.policies import PolicyInForce
from app.services.recorded import stored
from app.telemetry import count_evaluations
from app.words import Words
from rules.document import Problem
from rules.facts import FactsInvalid
from rules.messages import Message
from rules.policy import Facts, Policy

MOST_AT_ONCE = 1000
MOST_PROBLEMS = 100
"""Having found so many, no further question is looked at: else a body of 8 MiB has gigabytes."""

evaluations = Blueprint(
    "evaluations",
    __name__,
    url_prefix="/api/v1",
    description="The tier that facts give, why, and what is missing for the next.",
)


class NamedSchema(Schema):
    key = fields.String(required=True)
    name = fields.String(required=True)


class UndeterminedSchema(Schema):
    """Why no tier is named: what would have to be known, and what holds in any case."""

    missing = fields.List(fields.String(), required=True)
    at_least = fields.Nested(NamedSchema, required=True)


class TierOutcomeSchema(NamedSchema):
    qualifies = fields.Boolean(required=True, allow_none=True)
    keeps = fields.Boolean(required=True, allow_none=True)


_ANY: dict[str, Any] = {"type": ["number", "string", "boolean", "array", "null"]}


class ConditionSchema(Schema):
    """One condition; ``met`` null means unknown, ``helps`` false that it speaks against."""

    condition = fields.String(required=True, metadata={"description": "The metric."})
    criteria = fields.String(
        required=True, metadata={"enum": ["entry", "keep", "segment", "unless"]}
    )
    tier = fields.String()
    segment = fields.String()
    demotion_policy = fields.String()
    value = fields.Raw(required=True, metadata=_ANY)
    exact = fields.String(metadata={"description": "The value, where no decimal can write it."})
    operator = fields.String(required=True)
    limit = fields.Raw(required=True, metadata=_ANY)
    met = fields.Boolean(required=True, allow_none=True)
    helps = fields.Boolean(required=True)
    shortfall = fields.Raw(
        required=True,
        metadata={
            "type": ["number", "null"],
            "description": "How much more (positive) or less (negative) is needed.",
        },
    )
    sentence = fields.String(required=True)


class StepSchema(Schema):
    metric = fields.String(required=True)
    value = fields.Raw(required=True, metadata=_ANY)
    target = fields.Raw(required=True, metadata=_ANY)
    shortfall = fields.Raw(required=True, metadata={"type": ["number", "null"]})


class WaySchema(NamedSchema):
    """What would have to change; ``steps`` null means that no way was found."""

    steps = fields.List(fields.Nested(StepSchema), required=True, allow_none=True)
    by = fields.Date(required=True, allow_none=True)
    sentence = fields.String(required=True)


class PolicyNameSchema(Schema):
    key = fields.String(required=True)
    digest = fields.String(required=True)


class AnswerSchema(Schema):
    """The tier that the facts give, and why."""

    client = fields.String()
    date = fields.Date(required=True)
    tier = fields.Nested(NamedSchema, required=True, allow_none=True)
    undetermined = fields.Nested(UndeterminedSchema, required=True, allow_none=True)
    tiers = fields.List(fields.Nested(TierOutcomeSchema), required=True)
    segments = fields.List(fields.Nested(NamedSchema), required=True)
    conditions = fields.List(fields.Nested(ConditionSchema), required=True)
    next_tier = fields.Nested(WaySchema, required=True, allow_none=True)
    to_stay = fields.Nested(WaySchema, required=True, allow_none=True)
    sentences = fields.List(fields.String(), required=True)
    policy = fields.Nested(PolicyNameSchema, required=True)


def _one_or_many(name: str) -> dict[str, Any]:
    one = {"$ref": f"#/components/schemas/{name}"}
    many = {"type": "array", "minItems": 1, "maxItems": MOST_AT_ONCE, "items": one}
    return {"oneOf": [one, many]}


_EXAMPLE = {
    "date": "2026-07-01",
    "client": "C-17",
    "held": "silver",
    "facts": {"revenue_12m": 450000, "orders": 7, "cancellations": 1, "days_since_order": 30},
}
"""Answered by the policy that ``make run`` serves."""


@evaluations.route("/evaluations")
class Evaluations(MethodView):
    @evaluations.doc(
        requestBody={
            "required": True,
            "content": {
                "application/json": {"schema": _one_or_many("Question"), "example": _EXAMPLE}
            },
        },
        parameters=[ACCEPT_LANGUAGE, HEADER],
        **problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
    )
    @evaluations.response(200, _one_or_many("Answer"), description="One answer, or one for each.")
    @requires(Scope.EVALUATE_FACTS, Scope.EVALUATE_CLIENT)
    @repeatable
    def post(self) -> Response:
        """Judge facts, or a client with some facts changed.

        One question, or up to 1,000 in an array; all are answered or, with errors by index,
        none. The same question alone or among others has the same answer.
        """
        body = json_body()
        several = isinstance(body, list)
        words = reader_words()
        in_force, answers = _answers(
            body if isinstance(body, list) else [body], words, several=several
        )
        count_evaluations(in_force.policy.digest, len(answers))
        return written_in(words, json_answer(answers if several else answers[0]))


def _answers(
    items: list[object], words: Words, *, several: bool
) -> tuple[PolicyInForce, list[dict[str, Any]]]:
    if not 1 <= len(items) <= MOST_AT_ONCE:
        message = Message("must hold 1 to %(most)d questions", most=MOST_AT_ONCE)
        raise FactsInvalid([Problem("", message)])
    found = merit()
    clients = _clients(items)
    with found.database.reading() as session:
        in_force = found.rulebook.in_force(session)
        known = stored(session, in_force, clients)
        today = business_date(found.clock, in_force.policy.time_zone)
        read = _read(in_force.policy, items, today, known, several=several)
    return in_force, [answer_for(in_force, question, facts, words) for question, facts in read]


def _read(
    policy: Policy,
    items: list[object],
    today: date,
    known: Mapping[str, Stored],
    *,
    several: bool,
) -> list[tuple[Question, Facts]]:
    """Read questions and their facts.

    :raises FactsInvalid: naming what is wrong with them, or with the first of very many.
    """
    read, wrong = [], []
    for index, item in enumerate(items):
        try:
            read.append(read_question(policy, item, today, known))
        except FactsInvalid as error:
            prefix = f"[{index}]." if several else ""
            wrong += [
                Problem(f"{prefix}{each.path}".rstrip("."), each.message) for each in error.problems
            ]
            if len(wrong) >= MOST_PROBLEMS:
                break
    if wrong:
        raise FactsInvalid(wrong)
    return read


def _clients(items: list[object]) -> set[str]:
    """Return the clients whose recorded facts are asked about.

    :raises NotAllowed: if the key is not for that, or not for what is asked of the others.
    """
    stored_, stated = set(), False
    for item in items:
        if isinstance(item, dict) and "changed" in item:
            require_scope(Scope.EVALUATE_CLIENT)
            client = item.get("client")
            if isinstance(client, str) and REFERENCE.fullmatch(client):
                stored_.add(client)
        else:
            stated = True
    if stated:
        require_scope(Scope.EVALUATE_FACTS)
    return stored_
