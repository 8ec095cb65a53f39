"""The review: how every client stands on a business date, decided ahead of asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import func, select

from app.models import Client, Subject
from app.services.history import Act
from app.services.installation import Fixed
from app.services.jobs import Lease, Step
from app.services.ranking import rank_everybody
from app.services.rulebook import NoPolicy, Rulebook
from app.services.standings import Decided, decide, reviewed_until
from app.services.tally import count
from app.words import Words
from rules.windows import DAY

BATCH = 50
"""Clients in a batch, a tenth of a second: on SQLite nobody else writes while it lasts."""

_MOST_NAMED = 20
_KNOWN = select(Client.id, Client.subject).join(Subject, Subject.id == Client.subject)
"""Clients who have not been erased."""

NOTHING: Mapping[str, Any] = {
    "clients": 0,
    "decisions": 0,
    "already_good": 0,
    "failed": 0,
    "subjects": [],
    "tiers": {},
    "events": {},
}


def missed(act: Act, today: date) -> list[date]:
    """Return the dates before today that nobody has been reviewed for, since the last review."""
    last = reviewed_until(act.session, today)
    if last is None:
        return []
    return [last + n * DAY for n in range(1, (today - last).days)]


def review(
    rulebook: Rulebook, fixed: Fixed, act: Act, lease: Lease, *, catches_up: bool = True
) -> Step:
    """Decide about the next clients whose standing is not good any more.

    Where the policy has ranks everybody is ranked first, together with the first batch.
    Without a policy in force there is nothing to decide.

    The report counts clients, decisions, those who stood well already and those of whom no tier
    could be named, of which it names the first by their subjects; by tier how they stand, and by
    event what happened.
    """
    rows = act.session.execute(
        _KNOWN.where(Client.id > (lease.cursor or 0)).order_by(Client.id).limit(BATCH)
    )
    clients = {each.id: each.subject for each in rows}
    words = Words.negotiated([fixed.language])
    try:
        if lease.cursor is None:
            rank_everybody(act, rulebook, lease.day)
        in_force, found = decide(
            act, rulebook, list(clients), lease.day, words, catches_up=catches_up
        )
    except NoPolicy:
        report = {**(lease.report or NOTHING), "ended": "No policy is in force."}
        return Step(lease.cursor, lease.done, lease.total, report, is_last=True)
    return Step(
        cursor=max(clients, default=lease.cursor),
        done=lease.done + len(clients),
        total=lease.total if lease.total is not None else _number(act),
        report=_added(lease.report or NOTHING, clients, found),
        is_last=len(clients) < BATCH,
        committed=partial(count, in_force, found),
    )


def _number(act: Act) -> int:
    return act.session.execute(select(func.count()).select_from(_KNOWN.subquery())).scalar_one()


def _added(report: Mapping[str, Any], clients: Mapping[int, str], found: Decided) -> dict[str, Any]:
    """Return a report with what a batch came to."""
    subjects: Sequence[str] = [*report["subjects"], *(clients[each] for each in found.failed)]
    tiers = Counter(report["tiers"])
    tiers.update(each.tier for each in found.standings.values())
    return {
        "clients": report["clients"] + len(clients),
        "decisions": report["decisions"] + found.decided,
        "already_good": report["already_good"] + found.already_good,
        "failed": report["failed"] + len(found.failed),
        "subjects": subjects[:_MOST_NAMED],
        "tiers": dict(tiers),
        "events": dict(Counter(report["events"]) + found.events),
    }
