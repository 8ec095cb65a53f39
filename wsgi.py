"""Where servers and commands find the application."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import structlog
from flask import Flask, Response, request
from sqlalchemy.exc import OperationalError

from admin import create_pages
from app import create_app
from app.database import DatabaseUnsuitable
from app.merit import Merit
from app.schema import require_current, require_safe
from app.services.installation import NotSetUp
from app.words import Words
from rules.messages import Message

__all__ = ["Together", "create_app", "serve"]

_NO_DATABASE = Message("The database that MERIT_DATABASE names does not answer.")
_DEMO_IS_LOCAL = Message("This is a demo: it answers only who asks from its own machine.")


_OF_THE_API = ("/api/", "/livez", "/readyz", "/metrics")
"""Where the addresses begin that the API answers; the pages answer all others."""


@dataclass(frozen=True, slots=True)
class Together:
    """One application of two: keys open the API and nothing else, sessions the pages."""

    api: Flask
    pages: Flask

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        of_the_api = str(environ.get("PATH_INFO", "")).startswith(_OF_THE_API)
        return (self.api if of_the_api else self.pages)(environ, start_response)


def serve() -> Together:
    """Return the application for a server: it does not start where that would not be safe.

    Instead the log says why not, in a sentence, and the process ends with status 1.
    """
    try:
        return _served()
    except (DatabaseUnsuitable, NotSetUp) as error:
        message = error.message
    except OperationalError:
        message = _NO_DATABASE
    structlog.get_logger().critical("not_started", detail=Words().sentence(message))
    sys.exit(1)


def _served() -> Together:
    """:raises DatabaseUnsuitable, NotSetUp, OperationalError: if it cannot or must not start."""
    api = create_app()
    found: Merit = api.extensions["merit"]
    require_current(found.database)
    found.secret.require_safe()
    pages = create_pages(found)
    if found.fixed.demo:
        api.before_request(_refuse_strangers)
        pages.before_request(_refuse_strangers)
    else:
        require_safe(found.database)
    return Together(api, pages)


def _refuse_strangers() -> Response | None:
    """Keep a demo to its own machine: its passwords and keys lie about."""
    if request.remote_addr and ip_address(request.remote_addr).is_loopback:
        return None
    return Response(Words().sentence(_DEMO_IS_LOCAL), 403, content_type="text/plain; charset=utf-8")
