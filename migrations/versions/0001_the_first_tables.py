"""The first tables."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = {
    "activities": ("UPDATE",),  # a person's own can be deleted, and so below
    "approvals": ("UPDATE", "DELETE"),
    "attribute_values": ("UPDATE",),
    "decisions": ("UPDATE",),
    "history": ("UPDATE", "DELETE"),
    "history_inputs": ("UPDATE", "DELETE"),
    "memberships": ("UPDATE",),
    "policy_revisions": ("UPDATE", "DELETE"),
    "standing_events": ("UPDATE",),
}

WRITTEN = (
    "id, client_id, decision_id, place, event, day, issued, language, subject, text, html, batch"
)
"""What of a notice stays as it was issued."""


def _sqlite_triggers() -> Iterator[str]:
    for table, changes in APPEND_ONLY.items():
        for change in changes:
            yield f"""
                CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}
                BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
            """
    yield """
        CREATE TRIGGER policy_versions_frozen
        BEFORE UPDATE ON policy_versions WHEN OLD.state <> 'draft'
            AND (OLD.document IS NOT NEW.document OR OLD.digest IS NOT NEW.digest
                OR NEW.state = 'draft' AND OLD.state <> 'in_review')
        BEGIN SELECT RAISE(ABORT, 'a submitted policy cannot be changed'); END
    """
    yield f"""
        CREATE TRIGGER notices_written BEFORE UPDATE OF {WRITTEN} ON notices
        BEGIN SELECT RAISE(ABORT, 'a notice that was issued cannot be changed'); END
    """
    yield """
        CREATE TRIGGER policy_versions_no_delete BEFORE DELETE ON policy_versions
        BEGIN SELECT RAISE(ABORT, 'a policy cannot be deleted'); END
    """


def _postgresql_triggers() -> Iterator[str]:
    yield """
        CREATE FUNCTION merit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
    """
    yield """
        CREATE FUNCTION merit_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'a submitted policy cannot be changed'; END $$
    """
    yield """
        CREATE FUNCTION merit_written() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'a notice that was issued cannot be changed'; END $$
    """
    yield f"""
        CREATE TRIGGER notices_written BEFORE UPDATE OF {WRITTEN} ON notices
        FOR EACH ROW EXECUTE FUNCTION merit_written()
    """
    for table, changes in APPEND_ONLY.items():
        for change in changes:
            yield f"""
                CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}
                FOR EACH ROW EXECUTE FUNCTION merit_append_only()
            """
        yield f"""
            CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION merit_append_only()
        """
    yield """
        CREATE TRIGGER policy_versions_frozen BEFORE UPDATE ON policy_versions
        FOR EACH ROW WHEN (OLD.state <> 'draft' AND (OLD.document IS DISTINCT FROM NEW.document
            OR OLD.digest IS DISTINCT FROM NEW.digest
            OR NEW.state = 'draft' AND OLD.state <> 'in_review'))
        EXECUTE FUNCTION merit_frozen()
    """
    yield """
        CREATE TRIGGER policy_versions_no_delete BEFORE DELETE ON policy_versions
        FOR EACH ROW EXECUTE FUNCTION merit_append_only()
    """


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_attempts"),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("facts_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
        sa.UniqueConstraint("reference", name="uq_clients_reference"),
        sa.UniqueConstraint("subject", name="uq_clients_subject"),
    )
    op.create_table(
        "history",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("verb", sa.String(length=60), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_history"),
    )
    op.create_index("ix_history_actor", "history", ["actor"], unique=False)
    op.create_index("ix_history_object", "history", ["object"], unique=False)
    op.create_index("ix_history_verb", "history", ["verb"], unique=False)
    op.create_table(
        "history_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_history_head_one")),
        sa.PrimaryKeyConstraint("id", name="pk_history_head"),
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.UniqueConstraint("reference", name="uq_groups_reference"),
        sa.UniqueConstraint("subject", name="uq_groups_subject"),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("public_page", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_one")),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("key", name="uq_jobs_key"),
    )
    op.create_index("ix_jobs_state_due_at", "jobs", ["state", "due_at"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_counter", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("email", name="uq_people_email"),
        sa.UniqueConstraint("subject", name="uq_people_subject"),
    )
    op.create_table(
        "browser_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_browser_sessions_person_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_browser_sessions"),
    )
    op.create_index(
        "ix_browser_sessions_person_id", "browser_sessions", ["person_id"], unique=False
    )
    op.create_index("ix_browser_sessions_seen_at", "browser_sessions", ["seen_at"], unique=False)
    op.create_table(
        "subjects",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subjects"),
    )
    op.create_table(
        "activities",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Numeric().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("product", sa.String(length=200), nullable=True),
        sa.Column("channel", sa.String(length=200), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("voids", sa.String(length=64), nullable=True),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_activities_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_activities"),
        sa.UniqueConstraint("source", "external_id", name="uq_activities_source_external_id"),
        sa.UniqueConstraint("source", "voids", name="uq_activities_source_voids"),
    )
    op.create_index("ix_activities_batch", "activities", ["batch"], unique=False)
    op.create_index("ix_activities_client_id", "activities", ["client_id"], unique=False)
    op.create_table(
        "attribute_values",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name="fk_attribute_values_client_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attribute_values"),
    )
    op.create_index(
        "ix_attribute_values_client_id_name_day",
        "attribute_values",
        ["client_id", "name", "day"],
        unique=False,
    )
    op.create_table(
        "contact_persons",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("level", sa.String(length=63), nullable=True),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("counterpart", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_contact_persons_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_persons"),
        sa.UniqueConstraint("client_id", "key", name="uq_contact_persons_client_id_key"),
    )
    op.create_table(
        "history_inputs",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sequence"], ["history.sequence"], name="fk_history_inputs_sequence"
        ),
        sa.PrimaryKeyConstraint("sequence", "subject", name="pk_history_inputs"),
    )
    _add_hooks()
    op.create_table(
        "keys",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name="fk_keys_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )
    op.create_index("ix_keys_name", "keys", ["name"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_head", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_memberships_client_id"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_memberships_group_id"),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
    )
    op.create_index(
        "ix_memberships_client_id_day", "memberships", ["client_id", "day"], unique=False
    )
    op.create_index("ix_memberships_group_id", "memberships", ["group_id"], unique=False)
    op.create_table(
        "policy_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_force_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["based_on"], ["policy_versions.id"], name="fk_policy_versions_based_on"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["people.id"], name="fk_policy_versions_created_by"
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["people.id"], name="fk_policy_versions_submitted_by"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_policy_versions"),
    )
    op.create_index("ix_policy_versions_digest", "policy_versions", ["digest"], unique=False)
    op.create_index(
        "ix_policy_versions_scheduled_for", "policy_versions", ["scheduled_for"], unique=False
    )
    op.create_index("ix_policy_versions_state", "policy_versions", ["state"], unique=False)
    op.create_index(
        "uq_policy_versions_in_force",
        "policy_versions",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'in_force'"),
        postgresql_where=sa.text("state = 'in_force'"),
    )
    op.create_table(
        "role_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.Integer(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name="fk_role_grants_asked_by"),
        sa.ForeignKeyConstraint(["ended_by"], ["people.id"], name="fk_role_grants_ended_by"),
        sa.ForeignKeyConstraint(["granted_by"], ["people.id"], name="fk_role_grants_granted_by"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_role_grants_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_role_grants"),
    )
    op.create_index("ix_role_grants_person_id", "role_grants", ["person_id"], unique=False)
    op.create_index(
        "uq_role_grants_open",
        "role_grants",
        ["person_id", "role"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "measures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("tier", sa.String(length=63), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_because", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.Column("shortened_to", sa.Date(), nullable=True),
        sa.CheckConstraint("(kind = 'hold') = (tier IS NULL)", name=op.f("ck_measures_tier")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_measures_days")),
        sa.CheckConstraint("asked_by <> decided_by", name=op.f("ck_measures_two_people")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name="fk_measures_asked_by"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_measures_client_id"),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name="fk_measures_decided_by"),
        sa.ForeignKeyConstraint(["ended_by"], ["people.id"], name="fk_measures_ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_measures"),
    )
    op.create_index("ix_measures_client_id", "measures", ["client_id"], unique=False)
    op.create_index(
        "uq_measures_hold",
        "measures",
        ["client_id", "first_day"],
        unique=True,
        sqlite_where=sa.text("state = 'granted' AND kind = 'hold'"),
        postgresql_where=sa.text("state = 'granted' AND kind = 'hold'"),
    )
    op.create_index(
        "uq_measures_override",
        "measures",
        ["client_id", "kind", "first_day", "tier"],
        unique=True,
        sqlite_where=sa.text("state = 'granted'"),
        postgresql_where=sa.text("state = 'granted'"),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_approvals_person_id"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["policy_versions.id"], name="fk_approvals_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
    )
    op.create_index("ix_approvals_version_id", "approvals", ["version_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("entitled", sa.String(length=63), nullable=True),
        sa.Column("held", sa.String(length=63), nullable=False),
        sa.Column("tier", sa.String(length=63), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_decisions_client_id"),
        sa.ForeignKeyConstraint(
            ["policy_version"], ["policy_versions.id"], name="fk_decisions_policy_version"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_client_id_day", "decisions", ["client_id", "day"], unique=False)
    op.create_table(
        "policy_revisions",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_policy_revisions_person_id"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["policy_versions.id"], name="fk_policy_revisions_version_id"
        ),
        sa.PrimaryKeyConstraint("version_id", "revision", name="pk_policy_revisions"),
    )
    op.create_table(
        "repeatable_requests",
        sa.Column("key_id", sa.String(length=12), nullable=False),
        sa.Column("route", sa.String(length=100), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name="fk_repeatable_requests_key_id"),
        sa.PrimaryKeyConstraint(
            "key_id", "route", "idempotency_key", name="pk_repeatable_requests"
        ),
    )
    op.create_index(
        "ix_repeatable_requests_started_at", "repeatable_requests", ["started_at"], unique=False
    )
    op.create_table(
        "fixed_places",
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(length=63), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("over", sa.BigInteger(), nullable=False),
        sa.Column("under", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_fixed_places_client_id"),
        sa.ForeignKeyConstraint(
            ["policy_version"], ["policy_versions.id"], name="fk_fixed_places_policy_version"
        ),
        sa.PrimaryKeyConstraint(
            "client_id", "policy_version", "metric", "day", name="pk_fixed_places"
        ),
    )
    op.create_index("ix_fixed_places_day", "fixed_places", ["day"], unique=False)
    op.create_table(
        "standings",
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tier", sa.String(length=63), nullable=False),
        sa.Column("held", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("next_due", sa.Date(), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("policy_digest", sa.String(length=64), nullable=False),
        sa.Column("facts_version", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_standings_client_id"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name="fk_standings_decision_id"),
        sa.ForeignKeyConstraint(
            ["policy_version"], ["policy_versions.id"], name="fk_standings_policy_version"
        ),
        sa.PrimaryKeyConstraint("client_id", name="pk_standings"),
    )
    op.create_index("ix_standings_state", "standings", ["state"], unique=False)
    op.create_index("ix_standings_tier", "standings", ["tier"], unique=False)
    op.create_table(
        "standing_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("tier", sa.String(length=63), nullable=False),
        sa.Column("before", sa.String(length=63), nullable=True),
        sa.Column("benefits", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_standing_events_client_id"),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name="fk_standing_events_decision_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_standing_events"),
    )
    op.create_index(
        "ix_standing_events_client_id_day", "standing_events", ["client_id", "day"], unique=False
    )
    op.create_index("ix_standing_events_day_kind", "standing_events", ["day", "kind"], unique=False)
    op.create_index(
        "ix_standing_events_decision_id", "standing_events", ["decision_id"], unique=False
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("issued", sa.Date(), nullable=False),
        sa.Column("language", sa.String(length=63), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_notices_client_id"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name="fk_notices_decision_id"),
        sa.ForeignKeyConstraint(["sent_by"], ["people.id"], name="fk_notices_sent_by"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("decision_id", "place", name="uq_notices_decision_id_place"),
    )
    op.create_index("ix_notices_batch", "notices", ["batch"], unique=False)
    op.create_index("ix_notices_client_id", "notices", ["client_id"], unique=False)
    op.create_index(
        "ix_notices_waiting",
        "notices",
        ["issued", "id"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    _add_effects()
    head = sa.text("INSERT INTO history_head (id, size, frontier) VALUES (1, 0, :none)")
    op.execute(head.bindparams(none=b""))
    postgresql = op.get_bind().dialect.name == "postgresql"
    for trigger in _postgresql_triggers() if postgresql else _sqlite_triggers():
        op.execute(trigger)


def downgrade() -> None:
    _drop_effects()
    op.drop_index(
        "ix_notices_waiting",
        table_name="notices",
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.drop_index("ix_notices_client_id", table_name="notices")
    op.drop_index("ix_notices_batch", table_name="notices")
    op.drop_table("notices")
    op.drop_index("ix_standing_events_decision_id", table_name="standing_events")
    op.drop_index("ix_standing_events_day_kind", table_name="standing_events")
    op.drop_index("ix_standing_events_client_id_day", table_name="standing_events")
    op.drop_table("standing_events")
    op.drop_index("ix_standings_state", table_name="standings")
    op.drop_index("ix_fixed_places_day", table_name="fixed_places")
    op.drop_table("fixed_places")
    op.drop_index("ix_standings_tier", table_name="standings")
    op.drop_table("standings")
    op.drop_index("ix_repeatable_requests_started_at", table_name="repeatable_requests")
    op.drop_table("repeatable_requests")
    op.drop_table("policy_revisions")
    op.drop_index("ix_decisions_client_id_day", table_name="decisions")
    op.drop_table("decisions")
    op.drop_index("ix_approvals_version_id", table_name="approvals")
    op.drop_table("approvals")
    op.drop_index(
        "uq_measures_override",
        table_name="measures",
        sqlite_where=sa.text("state = 'granted'"),
        postgresql_where=sa.text("state = 'granted'"),
    )
    op.drop_index(
        "uq_measures_hold",
        table_name="measures",
        sqlite_where=sa.text("state = 'granted' AND kind = 'hold'"),
        postgresql_where=sa.text("state = 'granted' AND kind = 'hold'"),
    )
    op.drop_index("ix_memberships_group_id", table_name="memberships")
    op.drop_index("ix_memberships_client_id_day", table_name="memberships")
    op.drop_table("memberships")
    op.drop_index("ix_measures_client_id", table_name="measures")
    op.drop_table("measures")
    op.drop_index(
        "uq_role_grants_open",
        table_name="role_grants",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("ix_role_grants_person_id", table_name="role_grants")
    op.drop_table("role_grants")
    op.drop_index(
        "uq_policy_versions_in_force",
        table_name="policy_versions",
        sqlite_where=sa.text("state = 'in_force'"),
        postgresql_where=sa.text("state = 'in_force'"),
    )
    op.drop_index("ix_policy_versions_state", table_name="policy_versions")
    op.drop_index("ix_policy_versions_scheduled_for", table_name="policy_versions")
    op.drop_index("ix_policy_versions_digest", table_name="policy_versions")
    op.drop_table("policy_versions")
    op.drop_index("ix_keys_name", table_name="keys")
    op.drop_table("keys")
    _drop_hooks()
    op.drop_table("history_inputs")
    op.drop_table("contact_persons")
    op.drop_index("ix_attribute_values_client_id_name_day", table_name="attribute_values")
    op.drop_table("attribute_values")
    op.drop_index("ix_activities_client_id", table_name="activities")
    op.drop_index("ix_activities_batch", table_name="activities")
    op.drop_table("activities")
    op.drop_table("subjects")
    op.drop_index("ix_browser_sessions_seen_at", table_name="browser_sessions")
    op.drop_index("ix_browser_sessions_person_id", table_name="browser_sessions")
    op.drop_table("browser_sessions")
    op.drop_table("people")
    op.drop_index("ix_jobs_state_due_at", table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("installation")
    op.drop_table("groups")
    op.drop_table("history_head")
    op.drop_index("ix_history_verb", table_name="history")
    op.drop_index("ix_history_object", table_name="history")
    op.drop_index("ix_history_actor", table_name="history")
    op.drop_table("history")
    op.drop_table("clients")
    op.drop_table("attempts")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION merit_append_only")
        op.execute("DROP FUNCTION merit_frozen")
        op.execute("DROP FUNCTION merit_written")


def _add_hooks() -> None:
    op.create_table(
        "hook_messages",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hook_messages"),
    )
    op.create_index("ix_hook_messages_created_at", "hook_messages", ["created_at"], unique=False)
    op.create_index("ix_hook_messages_subject", "hook_messages", ["subject"], unique=False)
    op.create_table(
        "hook_receivers",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("former_secret", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name="fk_hook_receivers_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_hook_receivers"),
    )
    op.create_table(
        "hook_deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("receiver_id", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["hook_messages.id"],
            name="fk_hook_deliveries_message_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["receiver_id"],
            ["hook_receivers.id"],
            name="fk_hook_deliveries_receiver_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_hook_deliveries"),
        sa.UniqueConstraint(
            "message_id", "receiver_id", name="uq_hook_deliveries_message_id_receiver_id"
        ),
    )
    op.create_index(
        "ix_hook_deliveries_due",
        "hook_deliveries",
        ["receiver_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_hook_deliveries_order",
        "hook_deliveries",
        ["receiver_id", "subject", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _drop_hooks() -> None:
    for index in ("order", "due"):
        op.drop_index(
            f"ix_hook_deliveries_{index}",
            table_name="hook_deliveries",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
    op.drop_table("hook_deliveries")
    op.drop_table("hook_receivers")
    op.drop_index("ix_hook_messages_subject", table_name="hook_messages")
    op.drop_index("ix_hook_messages_created_at", table_name="hook_messages")
    op.drop_table("hook_messages")


def _add_effects() -> None:
    op.create_table(
        "effects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("in_force", sa.Integer(), nullable=True),
        sa.Column("metric", sa.String(length=63), nullable=True),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name="fk_effects_asked_by"),
        sa.ForeignKeyConstraint(["in_force"], ["policy_versions.id"], name="fk_effects_in_force"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["policy_versions.id"], name="fk_effects_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_effects"),
    )
    op.create_index("ix_effects_version_id", "effects", ["version_id"], unique=False)
    op.create_table(
        "effect_moves",
        sa.Column("effect_id", sa.Integer(), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("held", sa.String(length=63), nullable=True),
        sa.Column("gives", sa.String(length=63), nullable=True),
        sa.Column("comes", sa.String(length=20), nullable=True),
        sa.Column("anyway", sa.Boolean(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_effect_moves_client_id"),
        sa.ForeignKeyConstraint(["effect_id"], ["effects.id"], name="fk_effect_moves_effect_id"),
        sa.PrimaryKeyConstraint("effect_id", "client_id", name="pk_effect_moves"),
    )
    op.create_index("ix_effect_moves_client_id", "effect_moves", ["client_id"], unique=False)
    op.create_index(
        "ix_effect_moves_effect_id_held_gives",
        "effect_moves",
        ["effect_id", "held", "gives", "client_id"],
        unique=False,
    )


def _drop_effects() -> None:
    op.drop_index("ix_effect_moves_effect_id_held_gives", table_name="effect_moves")
    op.drop_index("ix_effect_moves_client_id", table_name="effect_moves")
    op.drop_table("effect_moves")
    op.drop_index("ix_effects_version_id", table_name="effects")
    op.drop_table("effects")
