"""What a browser's cookie stands for: kept here, so that signing out ends it for good."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.models import BrowserSession

IDLE = timedelta(hours=1)
"""How long a session lasts without a request."""

LONGEST = timedelta(hours=12)
"""How long a session lasts at most."""

_NOTED = timedelta(minutes=1)
"""How old the note of the last request may be: not every page is a write."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a browser's session."""

    data: str
    person_id: int | None
    to_be_noted: bool


def new_token() -> str:
    """Return what the cookie of a new session says; nothing else can be made to."""
    return secrets.token_urlsafe(32)


def find(session: Session, token: str, now: datetime) -> Kept | None:
    """Return the session that a cookie stands for, unless it is over."""
    found = session.get(BrowserSession, _digest(token))
    if found is None or now - found.seen_at > IDLE or now - found.created_at > LONGEST:
        return None
    return Kept(found.data, found.person_id, now - found.seen_at > _NOTED)


def keep(session: Session, token: str, kept: Kept, now: datetime) -> None:
    """Keep a session, new or changed, as of now."""
    changed = {"data": kept.data, "person_id": kept.person_id, "seen_at": now}
    if (found := session.get(BrowserSession, _digest(token))) is None:
        session.add(BrowserSession(digest=_digest(token), created_at=now, **changed))
    else:
        session.execute(
            update(BrowserSession).where(BrowserSession.digest == found.digest).values(**changed)
        )


def end(session: Session, token: str) -> None:
    """End one session."""
    session.execute(delete(BrowserSession).where(BrowserSession.digest == _digest(token)))


def end_all(session: Session, person_id: int) -> None:
    """End all sessions of a person."""
    session.execute(delete(BrowserSession).where(BrowserSession.person_id == person_id))


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
