"""Errors as pages: one status and one sentence each."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from admin.language import words
from app.services.errors import (
    Conflict,
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
from rules.document import Problem
from rules.messages import Message

log = structlog.get_logger()

_STATUSES: dict[type[Refused], int] = {
    NotAllowed: 403,
    NotThere: 404,
    NotActionable: 409,
    Conflict: 409,
    Stale: 412,
    TooMany: 429,
}

_SAID = {
    400: Message("The request cannot be understood."),
    403: Message("You may not do this."),
    404: Message("There is nothing under this address."),
    405: Message("This address does not take this method."),
    413: Message("What was sent is too large."),
    500: Message("Something went wrong here, not with what you did; it has been logged."),
}

_TITLES = {
    403: Message("Not allowed"),
    404: Message("Not found"),
    409: Message("Not possible now"),
    412: Message("Changed meanwhile"),
    422: Message("Something is missing or wrong"),
    429: Message("Too many attempts"),
    503: Message("Not available"),
}


def register_problems(pages: Flask) -> None:
    """Answer every error with a page that says what to do."""
    pages.register_error_handler(HTTPException, _http)
    pages.register_error_handler(CSRFError, _expired)
    pages.register_error_handler(Refused, _refused)
    pages.register_error_handler(Invalid, _invalid)
    for error in (NotSetUp, NoPolicy, PolicyUnusable):
        pages.register_error_handler(error, _unavailable)
    pages.register_error_handler(OperationalError, _database)


def error_page(status: int, said: Message, problems: tuple[Problem, ...] = ()) -> Response:
    """Return a page for an error; in place of the whole page where only a part was asked for."""
    title = _TITLES.get(status, Message("Something went wrong"))
    response = make_response(
        render_template("error.html", title=title, said=said, problems=problems), status
    )
    if "HX-Request" in request.headers:
        response.headers["HX-Retarget"] = "body"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def by_field(problems: tuple[Problem, ...]) -> dict[str, list[str]]:
    """Return sentences by field, for a form to show each where it belongs."""
    found: dict[str, list[str]] = {}
    for each in problems:
        found.setdefault(each.path, []).append(words().sentence(_as_message(each.message)))
    return found


def _as_message(message: str) -> Message:
    return message if isinstance(message, Message) else Message("%(text)s", text=message)


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error
    return error_page(status, _SAID.get(status) or _SAID[400 if status < 500 else 500])


def _expired(_: CSRFError) -> Response:
    return error_page(
        400, Message("This form is of a session that is over. Open the page again and repeat it.")
    )


def _refused(error: Refused) -> Response:
    status = next(status for kind, status in _STATUSES.items() if isinstance(error, kind))
    answer = error_page(status, error.message)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _invalid(error: Invalid) -> Response:
    return error_page(422, Message("Something given cannot be taken."), error.problems)


def _unavailable(error: NotSetUp | NoPolicy | PolicyUnusable) -> Response:
    return error_page(503, error.message)


def _database(error: OperationalError) -> Response:
    log.error("database", reason=type(error).__name__)
    return error_page(503, Message("The database does not answer; try again in a moment."))
