"""Every request is counted and logged by its route, never by what it carried."""

from __future__ import annotations

from time import perf_counter

import structlog
from flask import Flask, Response, g, request

from app.telemetry import count_request

log = structlog.get_logger()


def watch(app: Flask) -> None:
    """Count and log the requests that an application answers."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started = perf_counter()


def _finish(response: Response) -> Response:
    seconds = perf_counter() - g.started
    route = request.url_rule.rule if request.url_rule else "none"
    count_request(request.method, route, response.status_code, seconds)
    log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        milliseconds=round(1000 * seconds, 3),
    )
    return response
