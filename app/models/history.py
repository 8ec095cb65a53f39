"""The history: a Merkle log of what people and the system did (docs/history.md)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Instant


class HistoryEntry(Base):
    """One leaf of the log; ``leaf`` is what is hashed, the other columns repeat it to search."""

    __tablename__ = "history"

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(80), index=True)
    verb: Mapped[str] = mapped_column(String(60), index=True)
    object: Mapped[str] = mapped_column(String(80), index=True)
    leaf: Mapped[str] = mapped_column(Text)


class HistoryInput(Base):
    """What an entry says of one subject: its salted digest in the log, the rest encrypted.

    ``sealed`` (nonce and ciphertext) is None where the content stays in its own table.
    """

    __tablename__ = "history_inputs"

    sequence: Mapped[int] = mapped_column(ForeignKey("history.sequence"), primary_key=True)
    subject: Mapped[str] = mapped_column(Id, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class HistoryHead(Base):
    """How far the log has come: its size and the frontier of its tree.  One row, one lock."""

    __tablename__ = "history_head"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)


class Subject(Base):
    """Somebody the history speaks of.  Deleting the row makes all it says of them unreadable."""

    __tablename__ = "subjects"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
