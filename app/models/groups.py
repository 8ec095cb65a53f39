"""Households and company groups: who is in which, from which day on."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Instant

_Number = BigInteger().with_variant(Integer(), "sqlite")


class Group(Base):
    """A household or company group; ``subject`` stands for it in the history.

    ``version`` counts changes of its membership, for those who change it.
    """

    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    reference: Mapped[str] = mapped_column(String(64), unique=True)
    subject: Mapped[str] = mapped_column(Id, unique=True)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)


class Membership(Base):
    """In which group a client is from a day on, None for no more.  Never changed.

    The latest is the one that counts, so that a client is in one group at a time.
    """

    __tablename__ = "memberships"
    __table_args__ = (Index("ix_memberships_client_id_day", "client_id", "day"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"), index=True)
    day: Mapped[date]
    is_head: Mapped[bool]
