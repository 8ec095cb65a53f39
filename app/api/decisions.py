"""``GET /decisions/{id}`` and ``GET /history``: for compliance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.bodies import json_answer
from app.api.evaluations import ConditionSchema
from app.api.problems import ACCEPT_LANGUAGE, problems, reader_words, written_in
from app.api.security import requires
from app.api.standing import VersionSchema
from app.merit import merit
from app.services.answers import Judged, Writer
from app.services.authority import Scope
from app.services.basis import write_events, write_standing
from app.services.errors import Invalid, NotThere
from app.services.history import entries
from app.services.past import Erased, decision_named, judged_again
from app.words import Words
from rules.document import Problem
from rules.facts import exact_text, write_value
from rules.messages import Message
from rules.standing import Event

MOST_AT_ONCE = 1000
_ID = re.compile("[0-9a-f]{32}")

decisions = Blueprint(
    "decisions", __name__, url_prefix="/api/v1", description="What was decided and done, and why."
)


class DecisionSchema(Schema):
    """One recorded evaluation."""

    decision = fields.String(required=True)
    client = fields.String(required=True)
    date = fields.Date(required=True, metadata={"description": "The business date."})
    at = fields.DateTime(required=True)
    entitled = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The tier by the facts; null if that could not be said."},
    )
    held = fields.String(required=True, metadata={"description": "The tier held from then on."})
    tier = fields.String(
        required=True, metadata={"description": "The tier by which the client was served then."}
    )
    standing = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "All that the tier held rests on; null if it was erased."},
    )
    events = fields.List(
        fields.Dict(),
        required=True,
        allow_none=True,
        metadata={"description": "What happened to the standing."},
    )
    facts = fields.Dict(
        required=True, allow_none=True, metadata={"description": "Null if they were erased."}
    )
    exact = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "Those of the facts that no decimal can write, as n/d."},
    )
    conditions = fields.List(fields.Nested(ConditionSchema), required=True, allow_none=True)
    policy = fields.Nested(VersionSchema, required=True)


class EntrySchema(Schema):
    """One entry of the history; people and clients appear by random subjects only."""

    sequence = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    actor = fields.String(required=True)
    verb = fields.String(required=True)
    object = fields.String(required=True)
    details = fields.Dict(required=True)
    inputs = fields.String(
        required=True, allow_none=True, metadata={"description": "Digest of what was given."}
    )


class HistorySchema(Schema):
    entries = fields.List(fields.Nested(EntrySchema), required=True)
    next = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Where to read on: `from`."}
    )


_DECISION = {
    "in": "path",
    "name": "decision_id",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "description": "As an answer names it.",
}


@decisions.route("/decisions/<decision_id>", parameters=[_DECISION])
class DecisionView(MethodView):
    @decisions.doc(
        parameters=[ACCEPT_LANGUAGE],
        **problems(401, 403, 404, 429, 503),
    )
    @decisions.response(200, DecisionSchema)
    @requires(Scope.DECISIONS_READ)
    def get(self, decision_id: str) -> Response:
        """Read a decision: its inputs, the policy it was made by, its result and reasons."""
        found, words = merit(), reader_words()
        if not _ID.fullmatch(decision_id):
            raise NotThere("There is no decision %(id)s.", id=decision_id)
        with found.database.reading() as session:
            decision, client = decision_named(session, decision_id)
            in_force = found.rulebook.version(session, decision.policy_version)
            try:
                inputs = _inputs(*judged_again(session, found.rulebook, decision), words)
            except Erased:
                inputs = _NOTHING_LEFT
        policy = in_force.policy
        body = {
            "decision": decision.id,
            "client": client.reference,
            "date": decision.day.isoformat(),
            "at": decision.at.isoformat(),
            "entitled": decision.entitled,
            "held": decision.held,
            "tier": decision.tier,
            **inputs,
            "policy": {"version": in_force.number, "digest": policy.digest},
        }
        return written_in(words, json_answer(body))


_NOTHING_LEFT: dict[str, Any] = {
    "standing": None,
    "events": None,
    "facts": None,
    "exact": {},
    "conditions": None,
}


def _inputs(judged: Judged, events: Sequence[Event], words: Words) -> dict[str, Any]:
    """Write what a decision was made from, and all it came to."""
    policy, facts = judged.policy, judged.facts
    return {
        "standing": write_standing(judged.standing),
        "events": write_events(events),
        "facts": {
            key: write_value(metric, facts.get(key)) for key, metric in policy.metrics.items()
        },
        "exact": {
            key: text
            for key, value in facts.items()
            if (text := exact_text(policy.metrics[key], value)) is not None
        },
        "conditions": Writer(policy, words).reasons(judged.explained),
    }


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": schema, "description": description}


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


_LAST = 2**53
_TEXT = {"type": "string", "pattern": "^[!-~]{1,80}$"}
_FILTERS = ("actor", "verb", "object")


@decisions.route("/history")
class HistoryView(MethodView):
    @decisions.doc(
        parameters=[
            _parameter("from", _whole(0, _LAST), "The first sequence; 0."),
            _parameter("limit", _whole(1, MOST_AT_ONCE), "100."),
            _parameter("actor", _TEXT, "`person:…`, `key:…` or `system`."),
            _parameter("verb", _TEXT, "Such as `policy.published`."),
            _parameter("object", _TEXT, "Such as `policy:3`."),
        ],
        **problems(401, 403, 422, 429, 503),
    )
    @decisions.response(200, HistorySchema)
    @requires(Scope.HISTORY_READ)
    def get(self) -> Response:
        """Read the history in its order."""
        _require_known()
        first, limit = _number("from", 0, 0, _LAST), _number("limit", 100, 1, MOST_AT_ONCE)
        wanted = {name: _text(name) for name in _FILTERS if name in request.args}
        with merit().database.reading() as session:
            found = entries(session, first, limit, wanted)
        following = found[-1]["sequence"] + 1 if len(found) == limit else None
        return json_answer({"entries": found, "next": following})


def _require_known() -> None:
    """Refuse a parameter that is not known or stands twice: it would find too much."""
    wrong = [
        Problem(name, Message("is not a parameter here, or stands twice"))
        for name, given in request.args.lists()
        if name not in ("from", "limit", *_FILTERS) or len(given) > 1
    ]
    if wrong:
        raise Invalid(wrong)


def _text(name: str) -> str:
    text = request.args[name]
    if not re.fullmatch("[!-~]{1,80}", text):
        raise Invalid([Problem(name, Message("must be 1 to 80 letters, digits or signs"))])
    return text


def _number(name: str, default: int, least: int, most: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 17 and least <= int(text) <= most):
        message = Message(
            "must be a whole number from %(least)d to %(most)d", least=least, most=most
        )
        raise Invalid([Problem(name, message)])
    return int(text)
