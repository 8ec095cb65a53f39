"""Flask applications that do next to nothing: what HTTP costs without Merit."""

from __future__ import annotations

import os
import sqlite3
from threading import local

from flask import Flask, Response, jsonify, request


def serve() -> Flask:
    """Return an application that only reads a request's JSON."""
    app = Flask("bare", static_folder=None, template_folder=None)

    @app.get("/readyz")
    def ready() -> Response:
        return jsonify(status="ready")

    @app.post("/api/v1/evaluations")
    def read() -> Response:
        body = request.get_json()
        return jsonify(tier="gold", questions=len(body))

    return app


def lookup() -> Flask:
    """Return an application that reads one indexed row through sqlite3 and answers it."""
    app = Flask("bare", static_folder=None, template_folder=None)
    own = local()
    path = os.environ["BARE_DATABASE"]

    @app.get("/readyz")
    def ready() -> Response:
        return jsonify(status="ready")

    @app.get("/api/v1/clients/<reference>/standing")
    def read(reference: str) -> Response:
        connection = getattr(own, "connection", None)
        if connection is None:
            own.connection = connection = sqlite3.connect(path, isolation_level=None)
        found = connection.execute(
            "SELECT answer FROM answers WHERE reference = ?", (reference,)
        ).fetchone()
        return Response(found[0], content_type="application/json")

    return app
