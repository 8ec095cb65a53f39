"""``/api/docs``: the API's description as a page to read and try, without any other host."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, send_from_directory
from werkzeug.exceptions import NotFound

_OWN = Path(__file__).parent / "static"
_SWAGGER = _OWN.parents[2] / "node_modules" / "swagger-ui-dist"
_ASSETS = {
    "docs.js": _OWN,
    "swagger-ui.css": _SWAGGER,
    "swagger-ui-bundle.js": _SWAGGER,
}
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def register_docs(app: Flask) -> None:
    """Add the page and what it needs."""
    app.add_url_rule("/api/docs", "docs", _page)
    app.add_url_rule("/api/docs/<name>", "docs_asset", _asset)


def _page() -> Response:
    answer = send_from_directory(_OWN, "docs.html")
    answer.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    return answer


def _asset(name: str) -> Response:
    if name not in _ASSETS:
        raise NotFound
    return send_from_directory(_ASSETS[name], name)
