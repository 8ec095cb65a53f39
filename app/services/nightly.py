"""The nightly evaluation: how every client stands on a business date, decided ahead of asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.models import Client, Subject
from app.services.history import Act
from app.services.installation import Fixed
from app.services.jobs import Lease, Step
from app.services.rulebook import NoPolicy, Rulebook
from app.services.standings import Decided, decide
from app.services.tally import count
from app.words import Words
from rules.windows import local_day

KIND = "nightly"

BATCH = 50
"""Clients in a batch, a tenth of a second: on SQLite nobody else writes while it lasts."""

_MOST_NAMED = 20
_KNOWN = select(Client.id, Client.subject).join(Subject, Subject.id == Client.subject)
"""Clients who have not been erased."""

_NOTHING = {"clients": 0, "decided": 0, "already_good": 0, "failed": 0, "subjects": [], "tiers": {}}


def evaluate(rulebook: Rulebook, fixed: Fixed, act: Act, lease: Lease) -> Step:
    """Decide about the next clients whose standing is not good any more.

    A date that is over is not evaluated any more: missed dates are not caught up with, only the
    present one is decided for.  Without a policy in force there is nothing to decide.

    The report counts clients, those decided, those good already and those of whom no tier could
    be named, of which it names the first by their subjects; and by tier how they stand.
    """
    if local_day(act.at, ZoneInfo(fixed.time_zone)) > lease.day:
        return _ended(lease, "The date is over.")
    rows = act.session.execute(
        _KNOWN.where(Client.id > (lease.cursor or 0)).order_by(Client.id).limit(BATCH)
    )
    clients = {each.id: each.subject for each in rows}
    words = Words.negotiated([fixed.language])
    try:
        in_force, found = decide(act, rulebook, list(clients), lease.day, words)
    except NoPolicy:
        return _ended(lease, "No policy is in force.")
    return Step(
        cursor=max(clients, default=lease.cursor),
        done=lease.done + len(clients),
        total=lease.total if lease.total is not None else _number(act),
        report=_added(lease.report or _NOTHING, clients, found),
        is_last=len(clients) < BATCH,
        committed=partial(count, in_force, found),
    )


def _number(act: Act) -> int:
    return act.session.execute(select(func.count()).select_from(_KNOWN.subquery())).scalar_one()


def _ended(lease: Lease, because: str) -> Step:
    report = {**(lease.report or _NOTHING), "ended": because}
    return Step(lease.cursor, lease.done, lease.total, report, is_last=True)


def _added(report: Mapping[str, Any], clients: Mapping[int, str], found: Decided) -> dict[str, Any]:
    """Return a report with what a batch came to."""
    subjects: Sequence[str] = [*report["subjects"], *(clients[each] for each in found.failed)]
    tiers = Counter(report["tiers"])
    tiers.update(each.tier for each in found.standings.values())
    return {
        "clients": report["clients"] + len(clients),
        "decided": report["decided"] + found.decided,
        "already_good": report["already_good"] + len(found.standings) - found.decided,
        "failed": report["failed"] + len(found.failed),
        "subjects": subjects[:_MOST_NAMED],
        "tiers": dict(tiers),
    }
