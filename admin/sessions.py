"""Sessions of browsers, kept by the service: what a cookie stands for ends with signing out."""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, Response
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from app.merit import Merit
from app.services import browsers
from app.services.browsers import Kept

COOKIE = "__Host-merit"
"""A browser takes a cookie of such a name from this host alone, and only over a safe line."""

_PERSON = "_person_id"
_serializer = TaggedJSONSerializer()


class _Browser(CallbackDict[str, Any], SessionMixin):
    """What is remembered of a visitor, and under which cookie."""

    def __init__(self, token: str | None, kept: Kept | None) -> None:
        def changed(_: Any) -> None:
            self.modified = True

        super().__init__(_serializer.loads(kept.data) if kept else None, changed)
        self.token = token if kept else None
        self.person_id = kept.person_id if kept else None
        self.to_be_noted = kept is not None and kept.to_be_noted
        self.modified = False


class ServerSide(SessionInterface):
    """Keeps sessions in the database; whoever signs in or out is given a new one."""

    def __init__(self, found: Merit) -> None:
        self._merit = found

    def open_session(self, app: Flask, request: Request) -> _Browser:
        token = request.cookies.get(COOKIE)
        kept = None
        if token:
            with self._merit.database.reading() as session:
                kept = browsers.find(session, token, self._merit.clock())
        return _Browser(token, kept)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not isinstance(session, _Browser) or not (session.modified or session.to_be_noted):
            return
        person_id, data = session.get(_PERSON), _serializer.dumps(dict(session))
        renewed = session.token is None or person_id != session.person_id
        token = browsers.new_token() if renewed else str(session.token)
        with self._merit.database.writing() as writing:
            if renewed and session.token is not None:
                browsers.end(writing, session.token)
            kept = Kept(data, person_id, to_be_noted=False)
            if session:
                browsers.keep(writing, token, kept, self._merit.clock())
        if not session:
            response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax")
        elif renewed:
            response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="Lax")


def belongs_to(session: SessionMixin, person_id: int | None) -> None:
    """Note whose session it is from now on; None after signing out."""
    if person_id is None:
        session.clear()
    else:
        session[_PERSON] = person_id
