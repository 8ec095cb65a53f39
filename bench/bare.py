"""A Flask application that only reads a request's JSON: what HTTP costs without Merit."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request


def serve() -> Flask:
    """Return the application for a server."""
    app = Flask("bare", static_folder=None, template_folder=None)

    @app.get("/readyz")
    def ready() -> Response:
        return jsonify(status="ready")

    @app.post("/api/v1/evaluations")
    def read() -> Response:
        body = request.get_json()
        return jsonify(tier="gold", questions=len(body))

    return app
