"""The places of clients among all, as a review fixed them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class FixedPlace(Base):
    """A client's place by a metric that is a rank, fixed by the review of a date.

    In percent from the top, as ``over`` divided by ``under``; good under one policy version.
    """

    __tablename__ = "fixed_places"

    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), primary_key=True)
    policy_version: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"), primary_key=True)
    metric: Mapped[str] = mapped_column(String(63), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True, index=True)
    over: Mapped[int] = mapped_column(BigInteger)
    under: Mapped[int] = mapped_column(BigInteger)
