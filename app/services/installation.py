"""What is fixed once for an installation, and the one policy it can be served by."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Installation
from rules.messages import Message


class NotSetUp(Exception):
    """The database is empty; the message says what to do."""

    def __init__(self) -> None:
        self.message = Message(
            "This database is not set up: run flask setup, or flask demo to try Merit out."
        )
        super().__init__(self.message)


@dataclass(frozen=True, slots=True)
class Fixed:
    """The installation's currency, time zone and language; they never change."""

    currency: str
    time_zone: str
    language: str
    demo: bool


def fixed(session: Session) -> Fixed:
    """Return what is fixed.

    :raises NotSetUp: if nothing is yet.
    """
    found = session.execute(
        select(
            Installation.currency, Installation.time_zone, Installation.language, Installation.demo
        )
    ).one_or_none()
    if found is None:
        raise NotSetUp
    return Fixed(*found)


def is_public(session: Session) -> bool:
    """Tell whether the page that needs no account is shown."""
    return bool(session.execute(select(Installation.public_page)).scalar())


def lock(session: Session) -> None:
    """Let one transaction after the other through: those that change what all answers rest on."""
    session.execute(select(Installation.id).with_for_update())
