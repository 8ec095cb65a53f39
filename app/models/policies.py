"""Versions of the policy: what they say, who wrote it, who approved it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, ExactJson, Instant


class PolicyVersion(Base):
    """One version of the policy; its ``id`` is its number.

    ``document`` can change only while it is a draft; ``digest`` is that of the document when it
    was last submitted.
    """

    __tablename__ = "policy_versions"
    __table_args__ = (
        Index(
            "uq_policy_versions_in_force",
            "state",
            unique=True,
            sqlite_where=text("state = 'in_force'"),
            postgresql_where=text("state = 'in_force'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    document: Mapped[Any] = mapped_column(ExactJson)
    digest: Mapped[str | None] = mapped_column(String(64), index=True)
    revision: Mapped[int]
    based_on: Mapped[int | None] = mapped_column(ForeignKey("policy_versions.id"))
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str | None] = mapped_column(Text)
    scheduled_for: Mapped[datetime | None] = mapped_column(Instant, index=True)
    in_force_from: Mapped[datetime | None] = mapped_column(Instant)
    in_force_until: Mapped[datetime | None] = mapped_column(Instant)
    held_because: Mapped[Any] = mapped_column(ExactJson, nullable=True)


class PolicyRevision(Base):
    """One saving of a draft: who wrote it is an author of the version.

    ``undoes`` is the revision that this one takes back, if that is what it does.
    """

    __tablename__ = "policy_revisions"

    version_id: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[Any] = mapped_column(ExactJson)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    undoes: Mapped[int | None]


class Approval(Base):
    """What a reviewer decided about exactly these bytes; never changed, never deleted."""

    __tablename__ = "approvals"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    comment: Mapped[str] = mapped_column(Text)
    seen: Mapped[Any] = mapped_column(ExactJson)
