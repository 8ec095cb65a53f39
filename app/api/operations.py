"""Whether the service lives, is ready, and what it has counted."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout

from app.api.problems import problem, problems
from app.api.security import requires
from app.merit import merit
from app.schema import OTHER_TABLES, is_current
from app.services.authority import Scope
from app.services.jobs import stalled_since
from app.services.rulebook import NoPolicy, PolicyUnusable
from app.services.trial import trial_facts
from app.telemetry import exposition
from rules.document.strict_json import dumps
from rules.engine import EngineFailure
from rules.judge import Disagreement
from rules.messages import N_, Message

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

        The database answers and has the tables of this program, a policy is in force, both
        evaluators agree on a client made up for the purpose, and have not failed to agree on any
        since the service was started. No job has failed for good or lies undone.
        """
        found = merit()
        try:
            with found.database.reading() as session:
                if not is_current(session.connection()):
                    return _not_ready(OTHER_TABLES)
                judge = found.rulebook.in_force(session).judge
                stalled = stalled_since(session, found.clock())
            judge.judge(next(trial_facts(judge.policy)))
        except (OperationalError, SQLAlchemyTimeout):
            return _not_ready(_NO_DATABASE)
        except (NoPolicy, PolicyUnusable, EngineFailure, Disagreement) as error:
            return _not_ready(error.message)
        if judge.failure is not None:
            return _not_ready(_FAILED)
        if stalled is not None:
            since = stalled.isoformat(timespec="minutes")
            return _not_ready(Message(_STALLED, since=since))
        return _status("ready")


_FAILED = Message("The evaluators failed to agree on a client; the log has the case.")
_STALLED = N_("A job has failed or been waiting since %(since)s; flask jobs list names it.")
_NO_DATABASE = Message("The database does not answer.")


def _not_ready(detail: Message) -> Response:
    return problem(503, "not-ready", Message("The service is not ready"), detail)


@operations.route("/metrics")
class Counted(MethodView):
    @operations.doc(**problems(401, 403, 429, 503))
    @operations.response(
        200, {"type": "string"}, content_type="text/plain", description="Prometheus text."
    )
    @requires(Scope.METRICS_READ)
    def get(self) -> Response:
        """Read what was counted, for Prometheus."""
        body, content_type = exposition()
        return Response(body, content_type=content_type)
