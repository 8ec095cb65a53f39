"""Holds and overrides: what people decided about one client beside the rules."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant


class Measure(Base):
    """A hold or an override of one client: asked for by one person, granted by another.

    ``tier`` is None for a hold, and for nothing else.  ``first_day`` is the day asked for, or the
    day on which it was granted if that was later; ``shortened_to`` is its last day where it was
    ended early, which lies before the first if it never began.
    """

    __tablename__ = "measures"
    __table_args__ = (
        CheckConstraint("(kind = 'hold') = (tier IS NULL)", name="tier"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("asked_by <> decided_by", name="two_people"),
        Index(
            "uq_measures_override",
            "client_id",
            "kind",
            "first_day",
            "tier",
            unique=True,
            sqlite_where=text("state = 'granted'"),
            postgresql_where=text("state = 'granted'"),
        ),
        Index(
            "uq_measures_hold",  # the index above takes two without a tier for different
            "client_id",
            "first_day",
            unique=True,
            sqlite_where=text("state = 'granted' AND kind = 'hold'"),
            postgresql_where=text("state = 'granted' AND kind = 'hold'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    tier: Mapped[str | None] = mapped_column(String(63))
    first_day: Mapped[date]
    last_day: Mapped[date]
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_because: Mapped[str | None] = mapped_column(Text)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_because: Mapped[str | None] = mapped_column(Text)
    shortened_to: Mapped[date | None]
