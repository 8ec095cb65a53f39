"""``GET /policy``: the rules everybody is judged by, for programs and for people."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from werkzeug.exceptions import PreconditionFailed

from app.api.problems import ACCEPT_LANGUAGE, IF_NONE_MATCH, problems, reader_words, written_in
from app.api.security import requires
from app.merit import merit
from app.services.authority import Scope
from rules.describe import describe
from rules.document.schemas import PolicySchema
from rules.document.strict_json import dumps

policy = Blueprint("policy", __name__, url_prefix="/api/v1", description="The policy in force.")


class SentenceSchema(Schema):
    depth = fields.Integer(required=True, metadata={"description": "How far to indent it."})
    text = fields.String(required=True)


class PolicyInForceSchema(Schema):
    document = fields.Nested(PolicySchema, required=True)
    version = fields.Integer(required=True)
    digest = fields.String(
        required=True, metadata={"description": "SHA-256 of the document's canonical bytes."}
    )
    sentences = fields.List(fields.Nested(SentenceSchema), required=True)


@policy.route("/policy")
class PolicyInForce(MethodView):
    @policy.doc(parameters=[ACCEPT_LANGUAGE, IF_NONE_MATCH], **problems(401, 403, 412, 429, 503))
    @policy.response(200, PolicyInForceSchema)
    @policy.alt_response(304, description="It is still the one that If-None-Match names.")
    @requires(Scope.POLICY_READ)
    def get(self) -> Response:
        """Read the policy in force.

        Its document, its digest, and what it says in plain sentences.
        """
        with merit().database.reading() as session:
            in_force = merit().rulebook.in_force(session)
        words = reader_words()
        body = {
            "document": in_force.document,
            "version": in_force.number,
            "digest": in_force.policy.digest,
            "sentences": [
                {"depth": line.depth, "text": words.say(line.sentence)}
                for line in describe(in_force.policy)
            ],
        }
        answer = Response(dumps(body), content_type="application/json")
        answer.add_etag()
        written_in(words, answer).make_conditional(request)
        if answer.status_code == HTTPStatus.PRECONDITION_FAILED:
            raise PreconditionFailed
        return answer
