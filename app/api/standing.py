"""``GET /clients/{reference}/standing``: the front desk reads, it does not compute."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout
from werkzeug.exceptions import PreconditionFailed

from app.api.clients import REFERENCE_PARAMETER
from app.api.evaluations import ConditionSchema, NamedSchema, UndeterminedSchema, WaySchema
from app.api.problems import ACCEPT_LANGUAGE, IF_NONE_MATCH, problems, reader_words, written_in
from app.api.security import KEY_COLUMNS, LIVE_KEY, admit, presented, takes
from app.clock import business_date
from app.merit import merit
from app.models import Standing
from app.services.authority import SYSTEM, Scope
from app.services.errors import NotThere
from app.services.rulebook import NoPolicy, PolicyUnusable
from app.services.standings import NoTier, decide, tell
from app.services.tables import REFERENCE
from app.services.tally import count
from app.telemetry import count_stale
from app.words import Words

PATIENCE = 1.0
"""Seconds that a front desk waits for others that write; then the last answer is given."""

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

standing = Blueprint("standing", __name__, url_prefix="/api/v1")


class StandardInForceSchema(NamedSchema):
    answers = fields.String(required=True, metadata={"description": "Who answers for it."})
    promise = fields.Dict(required=True)


class VersionSchema(Schema):
    version = fields.Integer(required=True)
    digest = fields.String(required=True)


class StandingAnswerSchema(Schema):
    """How a client stands, why, and how to serve them."""

    client = fields.String(required=True)
    tier = fields.Nested(NamedSchema, required=True)
    since = fields.Date(required=True)
    entitled = fields.Nested(
        NamedSchema, required=True, allow_none=True, metadata={"description": "By today's facts."}
    )
    undetermined = fields.Nested(UndeterminedSchema, required=True, allow_none=True)
    as_of = fields.Date(required=True, metadata={"description": "The business date decided for."})
    segments = fields.List(fields.Nested(NamedSchema), required=True)
    benefits = fields.List(fields.Nested(NamedSchema), required=True)
    standards = fields.List(fields.Nested(StandardInForceSchema), required=True)
    reasons = fields.List(fields.Nested(ConditionSchema), required=True)
    next_tier = fields.Nested(WaySchema, required=True, allow_none=True)
    to_stay = fields.Nested(WaySchema, required=True, allow_none=True)
    sentences = fields.List(fields.String(), required=True)
    policy = fields.Nested(VersionSchema, required=True)
    decision = fields.String(required=True)
    stale = fields.Boolean(
        metadata={"description": "True where it should have been decided anew and could not be."}
    )


@standing.route("/clients/<reference>/standing", parameters=[REFERENCE_PARAMETER])
class StandingView(MethodView):
    @standing.doc(
        parameters=[ACCEPT_LANGUAGE, IF_NONE_MATCH],
        **problems(401, 403, 404, 412, 429, 503),
    )
    @standing.response(200, StandingAnswerSchema)
    @standing.alt_response(304, description="It is still the one that If-None-Match names.")
    @takes(Scope.STANDING_READ)
    def get(self, reference: str) -> Response:
        """Tell how a client stands: the tier, the reasons, what is missing, how to serve them.

        By the policy in force, on today's business date.
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
    found = merit()
    ready = Words.negotiated([found.fixed.language])
    try:
        with found.acting(SYSTEM, PATIENCE) as act:
            in_force, result = decide(act, found.rulebook, [client_id], today, ready)
    except (NoPolicy, PolicyUnusable, OperationalError, SQLAlchemyTimeout) as error:
        return _stale(client_id, error)
    count(in_force, result)
    if client_id in result.failed:
        return _stale(client_id, NoTier(result.failed[client_id]))
    known = result.standings[client_id]
    if _wants_other_words():
        return _in_other_words(reference, known)
    return _given(known.answer, known.decision_id)


def _in_other_words(reference: str, known: Standing) -> Response:
    """Put an answer into the reader's words; of whoever was erased only the ready one is left."""
    found, words = merit(), reader_words()
    try:
        with found.database.reading() as session:
            text = tell(session, found.rulebook, reference, known, words)
    except LookupError:
        return _given(known.answer, known.decision_id)
    response = written_in(words, Response(text, content_type="application/json"))
    response.add_etag()
    return _unless_known(response)


def _stale(client_id: int, error: Exception) -> Response:
    """Give the last answer there is, and say that it is old.

    :raises Exception: the error, if there is none.
    """
    with merit().database.reading() as session:
        last = session.get(Standing, client_id)
    if last is None:
        raise error
    count_stale()
    return _ready(last.answer.removesuffix("}") + ', "stale": true}')
