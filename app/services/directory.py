"""Clients to be found: by how their reference or name begins, by tier, by state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.models import Client, Subject
from app.models import Standing as StandingRow
from app.services.authority import Actor, Permission
from app.services.people import require

AT_ONCE = 50
"""Clients on one page."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which clients: those that fit all that is given.

    ``text`` is how the reference begins, or a word of the name; ``tier`` is the one by which
    clients are served.
    """

    text: str = ""
    tier: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A client as a list shows them; what is None was never decided."""

    reference: str
    name: str | None
    tier: str | None
    state: str | None
    since: date | None
    deadline: date | None


@dataclass(frozen=True, slots=True)
class Page:
    """Clients by reference; ``after`` is where the next page begins, None where none does."""

    clients: Sequence[Found]
    after: str | None


def search(session: Session, actor: Actor, sought: Sought, after: str = "") -> Page:
    """Return clients by reference, those after one; who was erased is not found.

    :raises NotAllowed: to who may not read about clients.
    """
    require(session, actor, Permission.READ_CLIENTS)
    conditions = [Client.reference > after] if after else []
    if sought.text.strip():
        conditions.append(_begins(sought.text.strip()))
    if sought.tier is not None:
        conditions.append(StandingRow.tier == sought.tier)
    if sought.state is not None:
        conditions.append(StandingRow.state == sought.state)
    rows = session.execute(
        select(
            Client.reference,
            Client.name,
            StandingRow.tier,
            StandingRow.state,
            StandingRow.since,
            StandingRow.deadline,
        )
        .join(Subject, Subject.id == Client.subject)
        .outerjoin(StandingRow, StandingRow.client_id == Client.id)
        .where(*conditions)
        .order_by(Client.reference)
        .limit(AT_ONCE + 1)
    ).all()
    shown = [Found(*row) for row in rows[:AT_ONCE]]
    return Page(shown, shown[-1].reference if len(rows) > AT_ONCE else None)


def _begins(text: str) -> ColumnElement[bool]:
    """Return the condition that a reference, a name or a word of a name begins with a text.

    SQLite knows capitals of the English alphabet only: others are looked for in each way in
    which names are written.
    """
    ways = {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}
    return or_(
        Client.reference.istartswith(text, autoescape=True),
        *(Client.name.istartswith(each, autoescape=True) for each in ways),
        *(Client.name.icontains(f" {each}", autoescape=True) for each in ways),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """How many clients are served by which tier, and how they stand, as last decided.

    ``undecided`` were never decided about; ``oldest`` is the first of the days decided for.
    """

    tiers: dict[str, int]
    states: dict[str, int]
    undecided: int
    oldest: date | None


def held(session: Session) -> Held:
    """Count who holds what, as it was last decided."""
    tiers, states = (
        {key: number for key, number in session.execute(select(each, func.count()).group_by(each))}  # noqa: C416 - rows are tuples
        for each in (StandingRow.tier, StandingRow.state)
    )
    everybody = session.execute(select(func.count()).select_from(Client)).scalar_one()
    oldest = session.execute(select(func.min(StandingRow.as_of))).scalar()
    return Held(tiers, states, everybody - sum(tiers.values()), oldest)
