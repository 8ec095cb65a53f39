"""``Idempotency-Key``: a POST that is sent again is answered again, and done once.

The name is bound to the key that asks, the route and the body.  The answer is kept in the same
transaction as what was done, so that there is never one without the other; a process that dies
in between leaves a claim that can be taken over after a minute.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar

from flask import Response, g, request
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.merit import merit
from app.models import Repeatable
from app.services.errors import Refused
from app.services.history import random_id

_View = TypeVar("_View", bound=Callable[..., Response])
_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_LEASE = timedelta(minutes=1)

HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    "description": "A name of your own for this request: sent again under it, it is done once.",
}


class NameInvalid(Refused):
    """The header cannot be taken."""


class NameTaken(Refused):
    """The name stands for another request."""


class StillRunning(Refused):
    """The same request is being worked on."""


def repeatable(view: _View) -> _View:
    """Honour ``Idempotency-Key`` on a view that calls :func:`complete` in its transaction.

    :raises NameTaken: if the name was used for another body.
    :raises StillRunning: if the same request has not been answered yet.
    """

    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        name = request.headers.get("Idempotency-Key")
        if name is None:
            return view(*args, **kwargs)
        if not _NAME.fullmatch(name):
            raise NameInvalid("Idempotency-Key must be 1 to 200 visible ASCII characters.")
        claim = _Claim(name)
        known = claim.take()
        if known is not None:
            return known
        g.claim = claim
        try:
            answer = view(*args, **kwargs)
        except BaseException:
            claim.drop()
            raise
        if not claim.kept:
            with merit().database.writing() as session:
                claim.keep(session, answer)
        return answer

    return once  # type: ignore[return-value]  # it takes and gives what the view does


def complete(session: Session, answer: Response) -> None:
    """Keep the answer to this request in the transaction that did what it says."""
    if "claim" in g:
        g.claim.keep(session, answer)


class _Claim:
    """One request under the name it was given."""

    def __init__(self, name: str) -> None:
        self._where = (
            Repeatable.key_id == g.actor.name.removeprefix("key:"),
            Repeatable.route == str(request.url_rule),
            Repeatable.idempotency_key == name,
        )
        self._name = name
        self._digest = sha256(
            (request.mimetype + "\n").encode() + request.get_data(cache=True)
        ).digest()
        self._token = random_id()
        self.kept = False

    def take(self) -> Response | None:
        """Claim the name; return the answer if the request was answered already."""
        now = merit().clock()
        try:
            with merit().database.writing() as session:
                found = session.execute(
                    select(Repeatable).where(*self._where).with_for_update()
                ).scalar()
                if found is None:
                    session.add(
                        Repeatable(
                            key_id=g.actor.name.removeprefix("key:"),
                            route=str(request.url_rule),
                            idempotency_key=self._name,
                            digest=self._digest,
                            token=self._token,
                            started_at=now,
                        )
                    )
                elif found.digest != self._digest:
                    raise NameTaken("This Idempotency-Key was used for another request.")
                elif found.status is not None:
                    return _again(found)
                elif now < found.started_at + _LEASE:
                    raise _still_running()
                else:
                    found.token, found.started_at = self._token, now
        except IntegrityError as error:  # somebody else claimed it at the same moment
            raise _still_running() from error
        return None

    def keep(self, session: Session, answer: Response) -> None:
        """Keep the answer, unless the claim was taken over meanwhile."""
        changed = session.execute(
            update(Repeatable)
            .where(*self._where, Repeatable.token == self._token, Repeatable.status.is_(None))
            .values(status=answer.status_code, body=answer.get_data())
        )
        if not isinstance(changed, CursorResult) or changed.rowcount != 1:
            raise _still_running()
        self.kept = True

    def drop(self) -> None:
        """Let the name be used anew: nothing was done."""
        with merit().database.writing() as session:
            session.execute(
                delete(Repeatable).where(
                    *self._where, Repeatable.token == self._token, Repeatable.status.is_(None)
                )
            )


def _again(found: Repeatable) -> Response:
    answer = Response(found.body, found.status, content_type="application/json")
    answer.headers["Idempotent-Replayed"] = "true"
    return answer


def _still_running() -> StillRunning:
    return StillRunning("The same request is being worked on; send it again in a moment.")
