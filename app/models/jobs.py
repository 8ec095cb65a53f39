"""Work that outlives a request, leased to one worker at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, ExactJson, Instant


class Job(Base):
    """A piece of work, named once by its ``key``.

    Whoever works on it holds a lease until ``leased_until`` and writes only under the ``fence``
    it was given: a worker that was taken for dead cannot write any more.
    """

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_due_at", "state", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime] = mapped_column(Instant)
    worker: Mapped[str | None] = mapped_column(String(100))
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    fence: Mapped[int]
    failures: Mapped[int]
    cursor: Mapped[Any] = mapped_column(ExactJson, nullable=True)
    done: Mapped[int]
    total: Mapped[int | None]
    report: Mapped[Any] = mapped_column(ExactJson, nullable=True)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
