"""What is kept for a while only, and deleted once a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import CursorResult, delete, select

from app.models import Attempts, BrowserSession, Repeatable
from app.services import browsers, hooks, limits
from app.services.history import Act
from app.services.jobs import Lease, Step

KIND = "housekeeping"

KEPT = timedelta(days=1)
"""How long the answer to a request with an Idempotency-Key is kept to be given again."""

_BATCH = 1000


def tidy(act: Act, lease: Lease) -> Step:
    """Delete some rows whose time is over; the report counts them by table."""
    deleted = {name: delete_some(act) for name, delete_some in _TABLES.items()}
    report = {name: number + lease.report.get(name, 0) for name, number in deleted.items()}
    done = lease.done + sum(deleted.values())
    return Step(None, done, None, report, is_last=max(deleted.values()) < _BATCH)


def _delete_oldest(since: Any, kept: timedelta, act: Act) -> int:
    """Delete a batch of the oldest rows, and those as old as its last."""
    before = act.at - kept
    oldest = select(since).where(since < before).order_by(since)
    last = act.session.execute(oldest.offset(_BATCH - 1).limit(1)).scalar()
    is_over = since < before if last is None else since <= last
    changed = act.session.execute(delete(since.class_).where(is_over))
    return changed.rowcount if isinstance(changed, CursorResult) else 0


_TABLES: Mapping[str, Callable[[Act], int]] = {
    "answers": partial(_delete_oldest, Repeatable.started_at, KEPT),
    "attempts": partial(_delete_oldest, Attempts.since, limits.WINDOW),
    "browsers": partial(_delete_oldest, BrowserSession.seen_at, browsers.IDLE),
    "messages": partial(hooks.forget, limit=_BATCH),
}
"""By name: what deletes some rows whose time is over, and says how many."""
