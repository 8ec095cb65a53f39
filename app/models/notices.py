"""Letters to clients: what they were written about their standing, and that it was sent."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Instant

_Number = BigInteger().with_variant(Integer(), "sqlite")


class Notice(Base):
    """A letter about one of a decision's events, ``place`` among them.

    ``day`` is the business date decided for, ``issued`` the one on which the letter was written,
    from which its dates count.  ``batch`` names the history's entry it was issued with.  What is
    written never changes; ``sent_at``, ``sent_by`` and ``channel`` are set once.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("decision_id", "place"),
        Index(
            "ix_notices_waiting",
            "issued",
            "id",
            sqlite_where=text("sent_at IS NULL"),
            postgresql_where=text("sent_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), index=True)
    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id"))
    place: Mapped[int]
    event: Mapped[str] = mapped_column(String(40))
    day: Mapped[date]
    issued: Mapped[date]
    language: Mapped[str] = mapped_column(String(63))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    batch: Mapped[str] = mapped_column(Id, index=True)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    channel: Mapped[str | None] = mapped_column(String(20))
