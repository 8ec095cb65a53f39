"""What is kept for a while only, and deleted once a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, select

from app.models import Attempts, Repeatable
from app.services import limits
from app.services.history import Act
from app.services.jobs import Lease, Step

KIND = "housekeeping"

KEPT = timedelta(days=1)
"""How long the answer to a request with an Idempotency-Key is kept to be given again."""

_BATCH = 1000
_TABLES: dict[str, tuple[Any, timedelta]] = {
    "answers": (Repeatable.started_at, KEPT),
    "attempts": (Attempts.since, limits.WINDOW),
}
"""By name: since when a row is there, and how long it is kept."""


def tidy(act: Act, lease: Lease) -> Step:
    """Delete some rows whose time is over; the report counts them by table."""
    deleted = {
        name: _delete_oldest(act, since, act.at - kept) for name, (since, kept) in _TABLES.items()
    }
    report = {name: number + lease.report.get(name, 0) for name, number in deleted.items()}
    done = lease.done + sum(deleted.values())
    return Step(None, done, None, report, is_last=max(deleted.values()) < _BATCH)


def _delete_oldest(act: Act, since: Any, before: datetime) -> int:
    """Delete a batch of the oldest rows, and those as old as its last."""
    oldest = select(since).where(since < before).order_by(since)
    last = act.session.execute(oldest.offset(_BATCH - 1).limit(1)).scalar()
    is_over = since < before if last is None else since <= last
    changed = act.session.execute(delete(since.class_).where(is_over))
    return changed.rowcount if isinstance(changed, CursorResult) else 0
