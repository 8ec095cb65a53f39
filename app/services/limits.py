"""How often something may be tried: counted in the database, the same for all processes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import case, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import Attempts
from app.services.errors import TooMany

WINDOW = timedelta(minutes=5)
MOST = 10
"""Failures from one place in a window, after which nothing from there is looked at."""


def require_few(session: Session, place: str, now: datetime) -> None:
    """Refuse who has failed too often.

    :raises TooMany: until the window is over.
    """
    found = session.execute(select(Attempts).where(Attempts.place == place)).scalar()
    if found is not None and found.number >= MOST and found.since <= now < found.since + WINDOW:
        raise TooMany(max(1, int((found.since + WINDOW - now).total_seconds())))


def count_failure(session: Session, place: str, now: datetime) -> None:
    """Count one more failure from a place, and begin anew after a window.

    A window that lies ahead was begun by a clock that has been put back since, and is over.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    over = or_(Attempts.since <= now - WINDOW, Attempts.since > now)
    session.execute(
        insert(Attempts)
        .values(place=place, since=now, number=1)
        .on_conflict_do_update(
            index_elements=[Attempts.place],
            set_={
                "since": case((over, now), else_=Attempts.since),
                "number": case((over, 1), else_=Attempts.number + 1),
            },
        )
    )


def forget_failures(session: Session, place: str) -> None:
    """Begin anew with a place from which it was done right."""
    session.execute(delete(Attempts).where(Attempts.place == place))
