"""Where servers and commands find the application."""

from __future__ import annotations

from flask import Flask

from app import create_app
from app.merit import Merit

__all__ = ["create_app", "serve"]


def serve() -> Flask:
    """Return the application for a server: it does not start without a policy that works."""
    app = create_app()
    found: Merit = app.extensions["merit"]
    found.rulebook.in_force()
    return app
