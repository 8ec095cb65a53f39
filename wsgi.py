"""Where servers and commands find the application."""

from __future__ import annotations

import sys
from ipaddress import ip_address

import structlog
from flask import Flask, Response, request
from sqlalchemy.exc import OperationalError

from app import create_app
from app.database import DatabaseUnsuitable
from app.merit import Merit
from app.schema import require_current, require_safe
from app.services.installation import NotSetUp
from app.words import Words
from rules.messages import Message

__all__ = ["create_app", "serve"]

_NO_DATABASE = Message("The database that MERIT_DATABASE names does not answer.")
_DEMO_IS_LOCAL = Message("This is a demo: it answers only who asks from its own machine.")


def serve() -> Flask:
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


def _served() -> Flask:
    """:raises DatabaseUnsuitable, NotSetUp, OperationalError: if it cannot or must not start."""
    app = create_app()
    found: Merit = app.extensions["merit"]
    require_current(found.database)
    if found.fixed.demo:
        app.before_request(_refuse_strangers)
    else:
        require_safe(found.database)
    found.secret.require_safe()
    return app


def _refuse_strangers() -> Response | None:
    """Keep a demo to its own machine: its passwords and keys lie about."""
    if request.remote_addr and ip_address(request.remote_addr).is_loopback:
        return None
    return Response(Words().sentence(_DEMO_IS_LOCAL), 403, content_type="text/plain; charset=utf-8")
