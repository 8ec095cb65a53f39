"""Errors as ``application/problem+json`` (RFC 9457): one status and one sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, request
from marshmallow import Schema, fields
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.api.repeatable import NameInvalid, NameTaken, StillRunning
from app.api.security import Unauthorized
from app.database import DatabaseUnsuitable
from app.services.errors import (
    Conflict,
    Conflicting,
    Invalid,
    NotActionable,
    NotAllowed,
    NotThere,
    Refused,
    Stale,
    TooMany,
)
from app.services.installation import NotSetUp
from app.services.rulebook import NoPolicy, PolicyUnusable
from app.services.standings import NoTier
from app.telemetry import count_failure
from app.words import Words
from rules.document import Problem
from rules.document.strict_json import JsonRefused, dumps
from rules.engine import EngineFailure
from rules.facts import FactsInvalid
from rules.judge import Disagreement
from rules.messages import Message

log = structlog.get_logger()


class ProblemSchema(Schema):
    """What went wrong, for a person and for a program (RFC 9457)."""

    type = fields.String(metadata={"description": "A name for the kind of problem."})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String(metadata={"description": "A sentence to act on."})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "By field, what would be right."},
    )


def problems(*statuses: int) -> dict[str, Any]:
    """Return the part of an operation's description that says which problems it answers."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "responses": {
            str(status): {
                "description": HTTPStatus(status).phrase,
                "content": {"application/problem+json": {"schema": schema}},
            }
            for status in statuses
        }
    }


ACCEPT_LANGUAGE = {
    "in": "header",
    "name": "Accept-Language",
    "schema": {"type": "string"},
    "description": "The language of the sentences.",
}

IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The ETag of the answer that is already known.",
}


def reader_words() -> Words:
    """Return the words of the language the request asks for."""
    return Words.negotiated(list(request.accept_languages.values()))


def written_in(words: Words, response: Response) -> Response:
    """Return a response, said to be written in the language of these words."""
    response.headers["Content-Language"] = words.language
    response.vary.add("Accept-Language")
    return response


def problem(
    status: int, kind: str, title: Message, detail: Message, errors: Iterable[Problem] = ()
) -> Response:
    """Return a problem as a response."""
    words = reader_words()
    body: dict[str, Any] = {
        "type": f"urn:merit:problem:{kind}",
        "title": words.say(title),
        "status": status,
        "detail": words.say(detail),
    }
    by_field: dict[str, list[str]] = {}
    for each in errors:
        by_field.setdefault(each.path, []).append(words.say(each.message))
    if by_field:
        body["errors"] = by_field
    return Response(dumps(body), status, content_type="application/problem+json")


_BY_STATUS = {
    400: ("bad-request", Message("Bad request"), Message("The request cannot be understood.")),
    403: ("not-allowed", Message("Not allowed"), Message("You may not do this.")),
    404: ("not-found", Message("Not found"), Message("There is nothing under this address.")),
    405: (
        "method-not-allowed",
        Message("Method not allowed"),
        Message("This address does not take this method; the header Allow names those it does."),
    ),
    409: (
        "conflict",
        Message("Conflict"),
        Message("It contradicts what stands here already."),
    ),
    412: (
        "precondition-failed",
        Message("Precondition failed"),
        Message("What is here now is not what the header If-Match names."),
    ),
    413: ("too-large", Message("Too large"), Message("The body must be at most 8 MiB.")),
    415: (
        "unsupported-media-type",
        Message("Unsupported media type"),
        Message("The body is of a media type that is not taken here."),
    ),
    416: (
        "range-not-satisfiable",
        Message("Range not satisfiable"),
        Message("There is nothing in the range that was asked for."),
    ),
    422: ("invalid", Message("Invalid"), Message("Something given cannot be taken.")),
    500: (
        "internal",
        Message("Internal error"),
        Message("Something went wrong here, not with the request; it has been logged."),
    ),
}


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    kind, title, detail = _BY_STATUS.get(status) or _BY_STATUS[400 if status < 500 else 500]
    answer = problem(status, kind, title, detail)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(error.valid_methods)
    return answer


def _not_json(error: JsonRefused) -> Response:
    return problem(400, "not-json", Message("The body cannot be read"), error.message)


def _facts(error: FactsInvalid) -> Response:
    return problem(
        422,
        "facts-invalid",
        Message("The facts do not fit the policy"),
        Message("See errors: each names a field and what would be right."),
        error.problems,
    )


def _unavailable(kind: str, title: Message) -> Callable[[Any], Response]:
    def answer(error: NoPolicy | NotSetUp | DatabaseUnsuitable | PolicyUnusable) -> Response:
        return problem(503, kind, title, error.message)

    return answer


def _no_answer(error: NoTier) -> Response:
    return problem(503, "no-answer", Message("No tier can be named"), error.message)


def _invalid(error: Invalid) -> Response:
    status = 409 if isinstance(error, Conflicting) else 422
    kind, title, _ = _BY_STATUS[status]
    detail = Message("See errors: each names a field and what would be right.")
    return problem(status, kind, title, detail, error.problems)


_STATUSES: dict[type[Refused], int] = {
    NotAllowed: 403,
    NotThere: 404,
    NotActionable: 409,
    Conflict: 409,
    StillRunning: 409,
    Stale: 412,
    NameInvalid: 400,
    NameTaken: 422,
}


def _refused(error: Refused) -> Response:
    status = _STATUSES[type(error)]
    kind, title, _ = _BY_STATUS[status]
    return problem(status, kind, title, error.message)


def _unauthorized(error: Unauthorized) -> Response:
    answer = problem(401, "unauthorized", Message("Not authorised"), error.message)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _too_many(error: TooMany) -> Response:
    answer = problem(429, "too-many", Message("Too many requests"), error.message)
    answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _database(error: OperationalError | SQLAlchemyTimeout) -> Response:
    log.error("database", reason=type(error).__name__)
    answer = problem(
        503,
        "unavailable",
        Message("Unavailable"),
        Message("The database does not answer; try again in a moment."),
    )
    answer.headers["Retry-After"] = "1"
    return answer


def _failed(error: EngineFailure | Disagreement) -> Response:
    reason = type(error).__name__
    count_failure(reason)
    log.error("no_tier_named", reason=reason, detail=error.message)
    return problem(
        503,
        "no-answer",
        Message("No tier can be named"),
        Message("The evaluators failed to agree on an answer; it has been recorded."),
    )


_HANDLERS: dict[type[Exception], Callable[[Any], Response]] = {
    HTTPException: _http,
    JsonRefused: _not_json,
    FactsInvalid: _facts,
    **dict.fromkeys(_STATUSES, _refused),
    Invalid: _invalid,
    NotSetUp: _unavailable("not-set-up", Message("The service is not set up")),
    NoPolicy: _unavailable("no-policy", Message("There is no policy")),
    PolicyUnusable: _unavailable("policy-unusable", Message("The policy cannot be used")),
    DatabaseUnsuitable: _unavailable("unavailable", Message("Unavailable")),
    NoTier: _no_answer,
    OperationalError: _database,
    SQLAlchemyTimeout: _database,
    TooMany: _too_many,
    Unauthorized: _unauthorized,
    EngineFailure: _failed,
    Disagreement: _failed,
}


def register_problems(app: Flask) -> None:
    """Answer every error of the application with its problem."""
    for error, handler in _HANDLERS.items():
        app.register_error_handler(error, handler)
