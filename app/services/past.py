"""Recorded decisions, read again: in other words, and for days gone by."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Client, Decision
from app.models import Standing as StandingRow
from app.services.answers import Judged, standing_answer
from app.services.basis import read_events, read_standing
from app.services.errors import NotThere
from app.services.history import read_input
from app.services.recorded import unpacked
from app.services.rulebook import Rulebook
from app.words import Words
from rules.document.strict_json import dumps
from rules.standing import Event


class Erased(LookupError):
    """What a decision was made from has been erased."""


def tell(
    session: Session, rulebook: Rulebook, reference: str, standing: StandingRow, words: Words
) -> str:
    """Return a standing's answer in other words than those it is kept ready in.

    :raises Erased: if what it was decided from is gone.
    """
    decision = session.get_one(Decision, standing.decision_id)
    judged, _ = judged_again(session, rulebook, decision)
    return dumps(standing_answer(reference, judged, words))


def told_then(  # noqa: PLR0913 - of whom, of which day, as known when, and in which words
    session: Session,
    rulebook: Rulebook,
    client: Client,
    day: date,
    words: Words,
    *,
    known: datetime | None = None,
) -> dict[str, Any]:
    """Return how a client stood on a day, as it was decided.

    :param known: only by what had been decided until then; without it, by all there is.
    :raises NotThere: if nothing had been decided, or it has been erased.
    """
    decision = decision_on(session, client.id, day, known)
    if decision is None:
        raise NotThere(
            "Nothing had been decided about client %(reference)s.", reference=client.reference
        )
    try:
        judged, _ = judged_again(session, rulebook, decision)
    except Erased as error:
        raise NotThere("What this was decided from has been erased.") from error
    return standing_answer(client.reference, judged, words)


def judged_again(
    session: Session, rulebook: Rulebook, decision: Decision
) -> tuple[Judged, tuple[Event, ...]]:
    """Return a recorded decision as it was made, and what happened by it.

    :raises Erased: if what it was decided from is gone.
    """
    in_force = rulebook.version(session, decision.policy_version)
    subject = session.execute(
        select(Client.subject).where(Client.id == decision.client_id)
    ).scalar_one()
    said = read_input(session, f"decision:{decision.id}", subject)
    if said is None:
        raise Erased(decision.id)
    facts = unpacked(in_force.policy, said["facts"])
    verdict = in_force.judge.judge(facts)
    deadline = said["deadline"] and date.fromisoformat(said["deadline"])
    standing = read_standing(said["standing"])
    judged = Judged(in_force, decision.id, facts, verdict, standing, deadline)
    return judged, read_events(said["events"])


def decision_named(session: Session, name: str) -> tuple[Decision, Client]:
    """Return a recorded decision, and whose it was.

    :raises NotThere: if there is none of this id.
    """
    decision = session.get(Decision, name)
    if decision is None:
        raise NotThere("There is no decision %(id)s.", id=name)
    return decision, session.get_one(Client, decision.client_id)


def decision_on(
    session: Session, client_id: int, day: date, known: datetime | None = None
) -> Decision | None:
    """Return the decision by which a client stood on a date, if there was one.

    :param known: only decisions made until then; without it, all that there are.
    """
    query = select(Decision).where(Decision.client_id == client_id, Decision.day <= day)
    if known is not None:
        query = query.where(Decision.at <= known)
    return session.execute(
        query.order_by(Decision.day.desc(), Decision.at.desc()).limit(1)
    ).scalar()
