"""How a client stands today, as a counter and a page ask: decided first where that is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout
from sqlalchemy.orm import Session

from app.clock import Clock
from app.database import Database
from app.models import Client, PolicyVersion
from app.models import Standing as StandingRow
from app.services.authority import SYSTEM
from app.services.clients import client_named
from app.services.history import Act
from app.services.past import Erased, tell
from app.services.rulebook import NoPolicy, PolicyUnusable, Rulebook
from app.services.standings import NoTier, decide
from app.services.tally import count
from app.telemetry import count_stale
from app.words import Words
from rules.document.strict_json import loads
from rules.engine import EngineFailure
from rules.judge import Disagreement

PATIENCE = 1.0
"""Seconds that whoever asks waits for others that write; then the last answer is given."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A client's standing; ``is_stale`` where it should have been decided anew and could not be."""

    row: StandingRow
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Where clients are looked up; ``language`` is that of the answers kept ready."""

    database: Database
    clock: Clock
    rulebook: Rulebook
    language: str

    def decided(self, client_id: int, day: date) -> Looked:
        """Decide about a client whose answer is not ready; where that fails, return the last one.

        :raises NoPolicy, PolicyUnusable, NoTier, OperationalError: if there is none.
        """
        ready = Words.negotiated([self.language])
        try:
            with self.database.writing(PATIENCE) as session:
                act = Act(session, SYSTEM, self.clock())
                in_force, result = decide(act, self.rulebook, [client_id], day, ready)
        except (NoPolicy, PolicyUnusable, OperationalError, SQLAlchemyTimeout) as error:
            return self._stale(client_id, error)
        count(in_force, result)
        if client_id in result.failed:
            return self._stale(client_id, NoTier(result.failed[client_id]))
        return Looked(result.standings[client_id])

    def _stale(self, client_id: int, error: Exception) -> Looked:
        with self.database.reading() as session:
            last = session.get(StandingRow, client_id)
        if last is None:
            raise error
        count_stale()
        return Looked(last, is_stale=True)

    def look_up(self, reference: str, day: date, words: Words) -> dict[str, Any]:
        """Return the answer about a client, as the API gives it, in a reader's words.

        :raises NotThere: if there is no such client.
        :raises NoPolicy, PolicyUnusable, NoTier, OperationalError: if nothing can be said.
        """
        with self.database.reading() as session:
            client = client_named(session, reference)
            row = session.get(StandingRow, client.id)
            is_good = row is not None and _is_good(session, client, row, day)
        looked = Looked(row) if row is not None and is_good else self.decided(client.id, day)
        answer = self._told(reference, looked.row, words)
        return {**answer, "stale": True} if looked.is_stale else answer

    def _told(self, reference: str, row: StandingRow, words: Words) -> dict[str, Any]:
        """Put an answer into the reader's words.

        Of the erased only the ready one is left; so it is where the evaluators fail.
        """
        text = row.answer
        if words != Words.negotiated([self.language]):
            try:
                with self.database.reading() as session:
                    text = tell(session, self.rulebook, reference, row, words)
            except (Erased, EngineFailure, Disagreement):
                pass
        return cast(dict[str, Any], loads(text))


def _is_good(session: Session, client: Client, row: StandingRow, day: date) -> bool:
    """Tell whether a standing is the answer for a day, as it was decided."""
    version = session.execute(
        select(PolicyVersion.id).where(PolicyVersion.state == "in_force")
    ).scalar()
    known = row.facts_version, row.policy_version
    due = row.next_due
    return (
        known == (client.facts_version, version) and row.as_of <= day and (due is None or day < due)
    )
