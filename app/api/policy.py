"""``GET /policy``: the rules everybody is judged by, for programs and for people."""

from __future__ import annotations

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.problems import problems, reader_words
from app.merit import merit
from rules.describe import describe
from rules.document.schemas import PolicySchema
from rules.document.strict_json import dumps

policy = Blueprint("policy", __name__, url_prefix="/api/v1", description="The policy in force.")


class SentenceSchema(Schema):
    depth = fields.Integer(required=True, metadata={"description": "How far to indent it."})
    text = fields.String(required=True)


class PolicyInForceSchema(Schema):
    document = fields.Nested(PolicySchema, required=True)
    digest = fields.String(
        required=True, metadata={"description": "SHA-256 of the document's canonical bytes."}
    )
    sentences = fields.List(fields.Nested(SentenceSchema), required=True)


@policy.route("/policy")
class PolicyInForce(MethodView):
    @policy.doc(
        parameters=[
            {
                "in": "header",
                "name": "Accept-Language",
                "schema": {"type": "string"},
                "description": "The language of the sentences.",
            }
        ],
        **problems(503),
    )
    @policy.response(200, PolicyInForceSchema)
    def get(self) -> Response:
        """Read the policy in force.

        Its document, its digest, and what it says in plain sentences.
        """
        in_force = merit().rulebook.in_force()
        words = reader_words()
        body = {
            "document": in_force.document,
            "digest": in_force.policy.digest,
            "sentences": [
                {"depth": line.depth, "text": words.say(line.sentence)}
                for line in describe(in_force.policy)
            ],
        }
        answer = Response(dumps(body), content_type="application/json")
        answer.set_etag(f"{in_force.policy.digest}-{words.language}")
        answer.headers["Content-Language"] = words.language
        answer.vary.add("Accept-Language")
        answer.make_conditional(request)
        return answer
