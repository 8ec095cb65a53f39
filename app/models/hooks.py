"""Web hooks: who is told of standings that changed, what they are told, and whether they were."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Instant

_Number = BigInteger().with_variant(Integer(), "sqlite")


class HookReceiver(Base):
    """An address that is told; its secrets are kept encrypted, for signing needs them.

    Until ``former_until`` what is sent is signed with the former secret, too.
    """

    __tablename__ = "hook_receivers"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    former_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_until: Mapped[datetime | None] = mapped_column(Instant)
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)


class HookMessage(Base):
    """What there is to tell about a client: exactly the bytes that are signed and sent."""

    __tablename__ = "hook_messages"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(Id, index=True)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)


class HookDelivery(Base):
    """A message on its way to a receiver; of those about one client the lowest ``id`` goes first.

    While it is being sent ``due_at`` lies ahead, so that it is sent again if nobody comes back to
    say what became of it; who does writes under the ``fence`` that taking it raised.
    """

    __tablename__ = "hook_deliveries"
    __table_args__ = (
        UniqueConstraint("message_id", "receiver_id"),
        Index(
            "ix_hook_deliveries_due",
            "receiver_id",
            "due_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_hook_deliveries_order",
            "receiver_id",
            "subject",
            "id",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("hook_messages.id", ondelete="CASCADE"))
    receiver_id: Mapped[str] = mapped_column(ForeignKey("hook_receivers.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime] = mapped_column(Instant)
    fence: Mapped[int]
    attempts: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
