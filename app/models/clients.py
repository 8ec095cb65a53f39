"""Clients: who they are, what is stated of them, what happened, and how they stand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, ExactJson, ExactNumber, Id, Instant

_Number = BigInteger().with_variant(Integer(), "sqlite")


class Client(Base):
    """A person or organisation that is served; ``subject`` stands for them in the history.

    ``version`` counts changes of what is stated here, for those who change it;
    ``facts_version`` counts everything that may change the client's tier.
    """

    __tablename__ = "clients"

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    reference: Mapped[str] = mapped_column(String(64), unique=True)
    subject: Mapped[str] = mapped_column(Id, unique=True)
    name: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[int]
    facts_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)


class ContactPerson(Base):
    """Somebody at a client's, and whom they deal with here."""

    __tablename__ = "contact_persons"
    __table_args__ = (UniqueConstraint("client_id", "key"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    key: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    level: Mapped[str | None] = mapped_column(String(63))
    birthday: Mapped[date | None]
    counterpart: Mapped[str | None] = mapped_column(String(200))


class AttributeValue(Base):
    """What was stated about a client from a day on; None ends it.  Never changed."""

    __tablename__ = "attribute_values"
    __table_args__ = (Index("ix_attribute_values_client_id_name_day", "client_id", "name", "day"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    name: Mapped[str] = mapped_column(String(63))
    day: Mapped[date]
    value: Mapped[Any] = mapped_column(ExactJson, nullable=True)


class Activity(Base):
    """Something dated that happened with a client.  Never changed; a ``void`` takes one out.

    ``batch`` names the history's entry it was recorded with; ``voids`` is the id, at the same
    source, of the activity that this one takes out.
    """

    __tablename__ = "activities"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        UniqueConstraint("source", "voids"),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), index=True)
    source: Mapped[str] = mapped_column(String(63))
    external_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(63))
    day: Mapped[date]
    at: Mapped[datetime | None] = mapped_column(Instant)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    quantity: Mapped[int | Decimal | None] = mapped_column(ExactNumber)
    product: Mapped[str | None] = mapped_column(String(200))
    channel: Mapped[str | None] = mapped_column(String(200))
    attributes: Mapped[Any] = mapped_column(ExactJson, nullable=True)
    voids: Mapped[str | None] = mapped_column(String(64))
    batch: Mapped[str] = mapped_column(Id, index=True)


class Decision(Base):
    """One recorded evaluation; its inputs are in the history, encrypted for the client.

    ``held`` is the tier held from then on, ``tier`` the one by which the client is served.
    """

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_client_id_day", "client_id", "day"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    day: Mapped[date]
    at: Mapped[datetime] = mapped_column(Instant)
    policy_version: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"))
    entitled: Mapped[str | None] = mapped_column(String(63))
    held: Mapped[str] = mapped_column(String(63))
    tier: Mapped[str] = mapped_column(String(63))


class StandingEvent(Base):
    """Something that happened to a client's standing by a decision.

    ``tier`` is the tier held after it, ``before`` the one before, where it is another;
    ``benefits`` are the keys of those withdrawn or given back.
    """

    __tablename__ = "standing_events"
    __table_args__ = (
        Index("ix_standing_events_client_id_day", "client_id", "day"),
        Index("ix_standing_events_day_kind", "day", "kind"),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id"), index=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    day: Mapped[date]
    kind: Mapped[str] = mapped_column(String(20))
    tier: Mapped[str] = mapped_column(String(63))
    before: Mapped[str | None] = mapped_column(String(63))
    benefits: Mapped[Any] = mapped_column(ExactJson)


class Standing(Base):
    """How a client stands, with the answer ready to be given.

    It is good as long as the client's ``facts_version`` and the policy in force are those it was
    decided with, and the business date is before ``next_due`` (None: as long as nothing else
    changes).  ``tier`` is the one by which the client is served, ``held`` the one held by the
    rules; ``basis`` is all that the next decision goes on from.
    """

    __tablename__ = "standings"

    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), primary_key=True)
    tier: Mapped[str] = mapped_column(String(63), index=True)
    held: Mapped[str] = mapped_column(String(63))
    state: Mapped[str] = mapped_column(String(20), index=True)
    since: Mapped[date]
    deadline: Mapped[date | None]
    as_of: Mapped[date]
    next_due: Mapped[date | None]
    policy_version: Mapped[int] = mapped_column(ForeignKey("policy_versions.id"))
    policy_digest: Mapped[str] = mapped_column(String(64))
    facts_version: Mapped[int]
    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id"))
    basis: Mapped[Any] = mapped_column(ExactJson)
    answer: Mapped[str] = mapped_column(Text)
