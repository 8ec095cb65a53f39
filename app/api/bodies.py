"""Bodies of requests, read strictly, and JSON answers."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from rules.document.strict_json import dumps, loads

NDJSON = "application/x-ndjson"


def json_body() -> object:
    """Return the request's body as JSON.

    :raises UnsupportedMediaType: if it does not say that it is JSON.
    :raises JsonRefused: if it is not.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    return loads(body())


def body() -> bytes:
    """Return the request's body; one that does not say its size is cut off at the largest."""
    found = request.get_data()
    if request.content_length is None and len(found) == request.max_content_length:
        raise RequestEntityTooLarge
    return found


def json_answer(value: Any, status: int = 200) -> Response:
    """Return a value as a JSON response."""
    return Response(dumps(value), status, content_type="application/json")
