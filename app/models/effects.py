"""What a version of the policy would do if it were in force, as it was last worked out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, ExactJson, Instant


class Effect(Base):
    """One working out of what a version would do, of exactly the document of this ``digest``.

    ``metric`` is the one that says how much revenue is concerned; ``summary`` is what it came to,
    None until it is finished.
    """

    __tablename__ = "effects"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"), index=True)
    revision: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    day: Mapped[date]
    in_force: Mapped[int | None] = mapped_column(ForeignKey("policy_versions.id"))
    metric: Mapped[str | None] = mapped_column(String(63))
    asked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    summary: Mapped[Any] = mapped_column(ExactJson, nullable=True)


class EffectMove(Base):
    """A client who would move: from the tier ``held`` to the one the version ``gives``.

    ``comes`` says when; ``anyway`` that the policy in force would move them there, too.
    ``gives`` is None where the client could not be measured.  Kept until the version's next
    effect is worked out.
    """

    __tablename__ = "effect_moves"
    __table_args__ = (
        Index("ix_effect_moves_effect_id_held_gives", "effect_id", "held", "gives", "client_id"),
    )

    effect_id: Mapped[int] = mapped_column(ForeignKey("effects.id"), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), primary_key=True, index=True)
    held: Mapped[str | None] = mapped_column(String(63))
    gives: Mapped[str | None] = mapped_column(String(63))
    comes: Mapped[str | None] = mapped_column(String(20))
    anyway: Mapped[bool]
    amount: Mapped[int | None] = mapped_column(BigInteger)
