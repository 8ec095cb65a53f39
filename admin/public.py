"""The one page that needs no account: the programme, as clients may know it.

It is the same for everybody who reads a language, so that it can be kept by whoever asked: no
session is opened for it, and no cookie set.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, render_template, request
from werkzeug.exceptions import NotFound

from admin.views import reading
from app.merit import merit
from app.services.installation import is_public
from app.services.policies import PolicyInForce
from app.services.rulebook import NoPolicy, PolicyUnusable
from app.words import LANGUAGES, Words
from rules.programme import chapters, common

public = Blueprint("public", __name__)

_KEPT_SECONDS = 300


@public.get("/programme", defaults={"language": None})
@public.get("/programme/<language>")
def programme(language: str | None) -> Response:
    """Show the programme in the language that a visitor's browser asks for, or in one chosen."""
    in_force = _public()
    if language is None:
        found = Words.negotiated(list(request.accept_languages.values()))
    elif language in LANGUAGES:
        found = Words.negotiated([language])
    else:
        raise NotFound
    g.words = found
    response = make_response(
        render_template(
            "programme.html",
            policy=in_force.policy,
            common=common(in_force.policy),
            chapters=chapters(in_force.policy),
        )
    )
    response.headers["Cache-Control"] = f"public, max-age={_KEPT_SECONDS}"
    response.headers["Content-Language"] = found.language
    if language is None:
        response.vary.add("Accept-Language")
    response.add_etag()
    response.make_conditional(request)
    return response


def _public() -> PolicyInForce:
    """Return the policy in force, if the page about it is shown.

    :raises NotFound: if it is not.
    """
    with reading() as session:
        if not is_public(session):
            raise NotFound
        try:
            return merit().rulebook.in_force(session)
        except (NoPolicy, PolicyUnusable) as error:
            raise NotFound from error
