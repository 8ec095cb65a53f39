"""``GET /clients/{reference}/standing``: the front desk reads, it does not compute."""

from __future__ import annotations

from datetime import date, datetime, time
from http import HTTPStatus
from typing import Any, get_args
from zoneinfo import ZoneInfo

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import OneOf
from werkzeug.exceptions import PreconditionFailed

from app.api.clients import REFERENCE_PARAMETER
from app.api.evaluations import ConditionSchema, NamedSchema, UndeterminedSchema, WaySchema
from app.api.problems import ACCEPT_LANGUAGE, IF_NONE_MATCH, problems, reader_words, written_in
from app.api.security import KEY_COLUMNS, LIVE_KEY, admit, presented, takes
from app.clock import business_date
from app.merit import merit
from app.models import Client, Standing
from app.services.authority import Scope
from app.services.errors import Invalid, NotThere
from app.services.past import Erased, tell, told_then
from app.services.tables import REFERENCE
from rules.document import Problem
from rules.document.fields import BusinessDay
from rules.document.strict_json import dumps
from rules.messages import Message
from rules.prospects import State
from rules.windows import DAY

STATEMENT = f"""
    SELECT {KEY_COLUMNS}, c.id, c.facts_version, s.facts_version, p.id, s.policy_version,
        s.as_of, s.next_due, s.decision_id, s.answer
    FROM keys k
    LEFT JOIN clients c ON c.reference = ?
    LEFT JOIN standings s ON s.client_id = c.id
    LEFT JOIN policy_versions p ON p.state = 'in_force'
    WHERE {LIVE_KEY}
"""  # noqa: S608 - constants
_KEY = KEY_COLUMNS.count(",") + 1


def _day_parameter(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "date"}
    return {"in": "query", "name": name, "schema": schema, "description": description}


AT = _day_parameter("at", "A day gone by: how the client stood then, as it was decided.")
KNOWN = _day_parameter("known", "With at: by what had been decided by the end of this day.")

standing = Blueprint("standing", __name__, url_prefix="/api/v1")


class StandardInForceSchema(NamedSchema):
    answers = fields.String(required=True, metadata={"description": "Who answers for it."})
    promise = fields.Dict(required=True)


class GroundSchema(Schema):
    """Why the tier is held, and until when."""

    cause = fields.String(required=True, validate=OneOf(["earned", "grace", "landing", "lifetime"]))
    until = fields.Date(
        required=True, allow_none=True, metadata={"description": "The last day; null: none is set."}
    )


class UnderSchema(Schema):
    """What a person decided beside the rules, and is in force."""

    kind = fields.String(required=True, validate=OneOf(["hold", "floor", "ceiling", "exact"]))
    tier = fields.Nested(NamedSchema, required=True, allow_none=True)
    first = fields.Date(required=True)
    last = fields.Date(required=True)


class VersionSchema(Schema):
    version = fields.Integer(required=True)
    digest = fields.String(required=True)


class StandingAnswerSchema(Schema):
    """How a client stands, why, and how to serve them."""

    client = fields.String(required=True)
    tier = fields.Nested(
        NamedSchema, required=True, metadata={"description": "By which the client is served."}
    )
    held = fields.Nested(
        NamedSchema, required=True, metadata={"description": "By the rules, overrides left out."}
    )
    entitled = fields.Nested(
        NamedSchema, required=True, allow_none=True, metadata={"description": "By today's facts."}
    )
    undetermined = fields.Nested(UndeterminedSchema, required=True, allow_none=True)
    since = fields.Date(required=True, metadata={"description": "When that held was reached."})
    ground = fields.Nested(GroundSchema, required=True, allow_none=True)
    state = fields.String(required=True, validate=OneOf(get_args(State)))
    deadline = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last day to mend what would cost the tier held."},
    )
    under = fields.List(fields.Nested(UnderSchema), required=True)
    as_of = fields.Date(required=True, metadata={"description": "The business date decided for."})
    segments = fields.List(fields.Nested(NamedSchema), required=True)
    benefits = fields.List(
        fields.Nested(NamedSchema), required=True, metadata={"description": "Now in force."}
    )
    withdrawn = fields.List(
        fields.Nested(NamedSchema),
        required=True,
        metadata={"description": "Benefits of the tier taken away for now."},
    )
    standards = fields.List(fields.Nested(StandardInForceSchema), required=True)
    reasons = fields.List(fields.Nested(ConditionSchema), required=True)
    next_tier = fields.Nested(WaySchema, required=True, allow_none=True)
    to_stay = fields.Nested(WaySchema, required=True, allow_none=True)
    sentences = fields.List(fields.String(), required=True)
    outlook = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Why the tier is held and until when, and what is coming."},
    )
    policy = fields.Nested(VersionSchema, required=True)
    decision = fields.String(required=True)
    stale = fields.Boolean(
        metadata={"description": "True where it should have been decided anew and could not be."}
    )


@standing.route("/clients/<reference>/standing", parameters=[REFERENCE_PARAMETER])
class StandingView(MethodView):
    @standing.doc(
        parameters=[AT, KNOWN, ACCEPT_LANGUAGE, IF_NONE_MATCH],
        **problems(401, 403, 404, 412, 422, 429, 503),
    )
    @standing.response(200, StandingAnswerSchema)
    @standing.alt_response(304, description="It is still the one that If-None-Match names.")
    @takes(Scope.STANDING_READ)
    def get(self, reference: str) -> Response:
        """Tell how a client stands: the tier, the reasons, what is missing, how to serve them.

        By the policy in force, on today's business date; or, with ``at``, as it was decided
        for a day gone by.
        """
        key_id, secret = presented()
        found = merit()
        now = found.database.instant(found.clock())
        wanted = reference if REFERENCE.fullmatch(reference) else ""  # no client has this one
        row = found.database.row(STATEMENT, wanted, key_id, now)
        admit(key_id, secret, row and row[:_KEY], Scope.STANDING_READ)
        assert row is not None  # noqa: S101 - or it had not been admitted
        client_id, facts, known_facts, version, known_version, *rest = row[_KEY:]
        as_of, next_due, decision, answer = rest
        if client_id is None:
            raise NotThere("There is no client %(reference)s.", reference=reference)
        today = business_date(found.clock, found.fixed.time_zone)
        if request.args:
            at, known_by = _days_asked_for(today)
            if at is not None:
                return _then(client_id, at, known_by)
        day = today.isoformat()
        is_good = (
            facts == known_facts
            and version == known_version
            and str(as_of) <= day
            and (next_due is None or day < str(next_due))
        )
        if not is_good:
            return _decided(client_id, reference, today)
        if _wants_other_words():
            with found.database.reading() as session:
                known = session.get_one(Standing, client_id)
            return _in_other_words(reference, known)
        return _given(answer, decision)


def _days_asked_for(today: date) -> tuple[date | None, date | None]:
    """Return of which day the reader wants to know, and what was known on which."""
    days = {name: _day(name, today) for name in ("at", "known") if name in request.args}
    if "known" in days and "at" not in days:
        raise Invalid([Problem("at", Message("is missing"))])
    at, known = days.get("at"), days.get("known")
    return (None, None) if at == today and known in (None, today) else (at, known)


def _day(name: str, today: date) -> date:
    try:
        day: date = BusinessDay().deserialize(request.args[name])
    except ValidationError as error:
        raise Invalid([Problem(name, error.messages[0])]) from error
    if day > today:
        raise Invalid([Problem(name, Message("must not be after today"))])
    return day


def _then(client_id: int, at: date, known: date | None) -> Response:
    """Give the answer by which a client stood on a day, as it was recorded."""
    found, words = merit(), reader_words()
    zone = ZoneInfo(found.fixed.time_zone)
    until = None if known is None else datetime.combine(known + DAY, time(), zone)
    with found.database.reading() as session:
        client = session.get_one(Client, client_id)
        answer = dumps(told_then(session, found.rulebook, client, at, words, known=until))
    response = written_in(words, Response(answer, content_type="application/json"))
    response.add_etag()
    return _unless_known(response)


def _given(answer: str, decision: str) -> Response:
    """Give an answer as it was kept ready."""
    response = _ready(answer)
    response.set_etag(f"{decision}.{merit().fixed.language}")
    return _unless_known(response)


def _ready(answer: str) -> Response:
    response = Response(answer, content_type="application/json")
    response.headers["Content-Language"] = merit().fixed.language
    response.headers["Vary"] = "Accept-Language"
    return response


def _unless_known(response: Response) -> Response:
    """Leave out of a response what the reader has already."""
    if request.headers.get("If-None-Match"):
        response.make_conditional(request)
        if response.status_code == HTTPStatus.PRECONDITION_FAILED:
            raise PreconditionFailed
    return response


def _wants_other_words() -> bool:
    """Tell whether the reader likes another language better than that of the ready answers."""
    language, header = merit().fixed.language, request.headers.get("Accept-Language")
    if header is None or header == language:
        return False
    best = request.accept_languages.best
    return best not in (None, "*") and str(best).partition("-")[0].lower() != language


def _decided(client_id: int, reference: str, today: date) -> Response:
    """Decide about a client whose answer is not ready."""
    looked = merit().desk.decided(client_id, today)
    if looked.is_stale:
        return _ready(looked.row.answer.removesuffix("}") + ', "stale": true}')
    if _wants_other_words():
        return _in_other_words(reference, looked.row)
    return _given(looked.row.answer, looked.row.decision_id)


def _in_other_words(reference: str, known: Standing) -> Response:
    """Put an answer into the reader's words; of whoever was erased only the ready one is left."""
    found, words = merit(), reader_words()
    try:
        with found.database.reading() as session:
            text = tell(session, found.rulebook, reference, known, words)
    except Erased:
        return _given(known.answer, known.decision_id)
    response = written_in(words, Response(text, content_type="application/json"))
    response.add_etag()
    return _unless_known(response)
