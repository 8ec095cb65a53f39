"""Keys: every route of the API says which scope it takes, and gives nothing without."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request
from sqlalchemy import update

from app.database import retried
from app.merit import merit
from app.models import Key
from app.pace import Pace
from app.services.authority import Actor, Scope
from app.services.errors import NotAllowed
from app.services.keys import parse
from app.services.limits import count_failure, require_few
from rules.messages import Message

_View = TypeVar("_View", bound=Callable[..., Any])

SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of this installation: the command `key create` makes one.",
}

KEY_COLUMNS = "k.digest, k.scopes, k.per_minute, k.last_used"
LIVE_KEY = "k.id = ? AND k.revoked_at IS NULL AND k.expires_at > ?"
_STATEMENT = f"SELECT {KEY_COLUMNS} FROM keys k WHERE {LIVE_KEY}"  # noqa: S608 - constants

_pace = Pace()


class Unauthorized(Exception):
    """The request bears no key that is good."""

    def __init__(self) -> None:
        self.message = Message(
            "A key is needed that is known here and still good: Authorization: Bearer merit_…"
        )
        super().__init__(self.message)


def requires(*scopes: Scope) -> Callable[[_View], _View]:
    """Let only requests through whose key has one of these scopes.

    ``g.actor`` is then who asks.

    :raises Unauthorized: without a good key.
    :raises NotAllowed: if it has none of them.
    :raises TooMany: if it is used more often than it may be, or too many wrong ones were tried.
    """

    def decorate(view: _View) -> _View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            key_id, secret = presented()
            found = merit()
            now = found.database.instant(found.clock())
            admit(key_id, secret, found.database.row(_STATEMENT, key_id, now), *scopes)
            return view(*args, **kwargs)

        return takes(*scopes)(guarded)  # type: ignore[return-value]  # as the view does

    return decorate


def takes(*scopes: Scope) -> Callable[[_View], _View]:
    """Say on a view what scopes it takes, for the description; it lets requests in by itself."""

    def mark(view: _View) -> _View:
        view.scopes = scopes  # type: ignore[attr-defined]  # read by those who list the routes
        return view

    return mark


def presented() -> tuple[str, str]:
    """Return the id and the secret of the key that the request bears.

    :raises Unauthorized: if it bears none that could be one.
    """
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    found = parse(text.strip()) if kind.lower() == "bearer" else None
    if found is None:
        raise _refused()
    return found


def admit(key_id: str, secret: str, key: tuple[Any, ...] | None, *scopes: Scope) -> None:
    """Let a key in, or not: see :func:`requires`.

    :param key: its columns as :data:`KEY_COLUMNS`; None if there is no live one of this id.
    """
    if key is None:
        raise _refused()
    digest, given, per_minute, last_used = key
    if not hmac.compare_digest(bytes(digest), merit().secret.digest(secret)):
        raise _refused()
    now = merit().clock()
    _pace.require(key_id, per_minute, now)
    g.actor, g.scopes = Actor(f"key:{key_id}"), given
    if not any(map(_has, scopes)):
        require_scope(scopes[0])
    if str(last_used) != now.date().isoformat():
        with merit().database.writing() as session:
            session.execute(update(Key).where(Key.id == key_id).values(last_used=now.date()))


def require_scope(scope: Scope) -> None:
    """Refuse a request whose key has not this scope, too.

    :raises NotAllowed: if so.
    """
    if not _has(scope):
        raise NotAllowed("This takes a key with the scope %(scope)s.", scope=scope.value)


def _has(scope: Scope) -> bool:
    return f'"{scope.value}"' in g.scopes


def _refused() -> Unauthorized:
    """Count a wrong key against where it came from.

    :raises TooMany: if there were too many from there.
    """
    now, place = merit().clock(), f"key:{request.remote_addr}"
    with merit().database.reading() as session:
        require_few(session, place, now)

    def count() -> None:
        with merit().database.writing() as session:
            count_failure(session, place, now)

    retried(count)
    return Unauthorized()
