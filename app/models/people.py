"""The installation, the people who work with it, and the keys of systems that ask it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, ExactJson, Id, Instant


class Installation(Base):
    """What is fixed once, before the first activity: currency, time zone, language.

    ``public_page`` is no such thing: whether the page for everybody is shown.
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    currency: Mapped[str] = mapped_column(String(3))
    time_zone: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16))
    demo: Mapped[bool]
    public_page: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)


class Person(Base):
    """Somebody with an account; ``subject`` stands for them in the history.

    ``totp_secret`` is that of their authenticator, encrypted, and ``totp_counter`` says which of
    its codes was used last.
    """

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Id, unique=True)
    email: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(Text)
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_counter: Mapped[int | None]
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(Instant)


class BrowserSession(Base):
    """What a browser's cookie stands for; only a digest of the cookie is stored.

    ``data`` is what the pages remember of the visitor; ``person_id`` is None until they sign in.
    """

    __tablename__ = "browser_sessions"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant, index=True)


class RoleGrant(Base):
    """A role asked for somebody; theirs from when it was granted until it was ended."""

    __tablename__ = "role_grants"
    __table_args__ = (
        Index(
            "uq_role_grants_open",
            "person_id",
            "role",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    granted_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class Key(Base):
    """A key with which a system asks the API; only a keyed hash of its secret is stored."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[Any] = mapped_column(ExactJson)
    per_minute: Mapped[int]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used: Mapped[date | None]


class Attempts(Base):
    """How often something was tried from one place in one span of time."""

    __tablename__ = "attempts"

    place: Mapped[str] = mapped_column(String(100), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)
    number: Mapped[int]


class Repeatable(Base):
    """The answer to a request that named an Idempotency-Key; None while it is worked on."""

    __tablename__ = "repeatable_requests"

    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id"), primary_key=True)
    route: Mapped[str] = mapped_column(String(100), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    token: Mapped[str] = mapped_column(Id)
    started_at: Mapped[datetime] = mapped_column(Instant, index=True)
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
