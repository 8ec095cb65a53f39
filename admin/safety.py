"""What every answer carries and every request is asked for, whatever page it is."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_wtf import CSRFProtect

from app.services.errors import NotAllowed

_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def csp_nonce() -> str:
    """Return what scripts of this answer are known by."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def register_safety(pages: Flask) -> None:
    """Refuse what comes from elsewhere, and say to browsers what pages may do."""
    pages.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    pages.before_request(_refuse_others)
    CSRFProtect(pages)
    pages.after_request(_protect)
    pages.jinja_env.globals["csp_nonce"] = csp_nonce


def _refuse_others() -> None:
    """Refuse what a page of somebody else's has a browser send here.

    :raises NotAllowed: if so.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("Origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.host
    if elsewhere or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise NotAllowed("This came from a page that is not of this service.")


def _protect(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = _POLICY.format(nonce=csp_nonce())
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint not in ("static", "vendor"):
        headers.setdefault("Cache-Control", "no-store")
    return response
