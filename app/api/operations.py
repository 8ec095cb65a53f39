"""Whether the service lives, is ready, and what it has counted."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.api.problems import problem, problems
from app.api.telemetry import exposition
from app.merit import merit
from app.services.policies import NoPolicy, PolicyUnusable
from app.services.trial import trial_facts
from rules.document import Problem
from rules.document.strict_json import dumps
from rules.engine import EngineFailure
from rules.judge import Disagreement
from rules.messages import Message

operations = Blueprint("operations", __name__, description="For those who run the service.")


class StatusSchema(Schema):
    status = fields.String(required=True)


def _status(status: str) -> Response:
    return Response(dumps({"status": status}), content_type="application/json")


@operations.route("/livez")
class Alive(MethodView):
    @operations.response(200, StatusSchema)
    def get(self) -> Response:
        """Tell that the process answers."""
        return _status("alive")


@operations.route("/readyz")
class Ready(MethodView):
    @operations.doc(**problems(503))
    @operations.response(200, StatusSchema)
    def get(self) -> Response:
        """Tell whether clients can be judged.

        The policy is there, both evaluators agree on a client made up for the purpose, and have
        not failed to agree on any since the service was started.
        """
        try:
            judge = merit().rulebook.in_force().judge
            judge.judge(next(trial_facts(judge.policy)))
        except PolicyUnusable as error:
            return _not_ready(error.message, error.problems)
        except (NoPolicy, EngineFailure, Disagreement) as error:
            return _not_ready(error.message)
        return _status("ready") if judge.failure is None else _not_ready(_FAILED)


_FAILED = Message("The evaluators failed to agree on a client; the log has the case.")


def _not_ready(detail: Message, found: tuple[Problem, ...] = ()) -> Response:
    return problem(503, "not-ready", Message("The service is not ready"), detail, found)


@operations.route("/metrics")
class Counted(MethodView):
    @operations.response(
        200, {"type": "string"}, content_type="text/plain", description="Prometheus text."
    )
    def get(self) -> Response:
        """Read what was counted, for Prometheus."""
        body, content_type = exposition()
        return Response(body, content_type=content_type)
