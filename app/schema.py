"""The tables of a database: brought up to date, taken back, and who may do what with them."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.database import Database, DatabaseUnsuitable
from app.models import Base
from app.services.installation import NotSetUp
from rules.messages import Message

_MIGRATIONS = Path(__file__).parents[1] / "migrations"

APPEND_ONLY = frozenset(
    {
        "activities",
        "approvals",
        "attribute_values",
        "decisions",
        "history",
        "history_inputs",
        "memberships",
        "policy_revisions",
        "standing_events",
    }
)
"""Tables whose rows nobody changes; triggers see to it, and on PostgreSQL the roles' rights."""

ERASABLE = frozenset(
    {"activities", "attribute_values", "decisions", "memberships", "standing_events"}
)
"""Those of them from which a person's rows can be deleted."""

_COULD_CHANGE = text("""
    SELECT bool_or(
        pg_has_role(relowner, 'MEMBER') OR has_table_privilege(oid, 'UPDATE, TRUNCATE, TRIGGER')
    )
    FROM pg_class
    WHERE oid = ANY (SELECT to_regclass(each) FROM unnest(CAST(:tables AS text[])) AS each)
""")


OTHER_TABLES = Message("The database has not the tables of this program: flask database upgrade.")


def upgrade(owner: Database, role: str | None = None) -> None:
    """Bring the tables to the newest state.

    :param owner: the database, as the role that owns its tables.
    :param role: on PostgreSQL, the service's own role, which is given what it needs and no more.
    """
    with owner.migrating() as connection:
        command.upgrade(_config(connection), "head")
        if not owner.is_sqlite and role is not None:
            _grant(connection, role)


def downgrade(owner: Database, revision: str = "base") -> None:
    """Take the tables back to an older state; what newer tables hold is lost."""
    with owner.migrating() as connection:
        command.downgrade(_config(connection), revision)


def is_current(connection: Connection) -> bool:
    """Tell whether the tables are in the newest state."""
    found = MigrationContext.configure(connection).get_current_revision()
    return found == ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def require_current(database: Database) -> None:
    """Refuse a database that has not the tables of this program.

    :raises NotSetUp: if it has none at all.
    :raises DatabaseUnsuitable: if they are those of another version.
    """
    with database.reading() as session:
        connection = session.connection()
        if MigrationContext.configure(connection).get_current_revision() is None:
            raise NotSetUp
        if not is_current(connection):
            raise DatabaseUnsuitable(OTHER_TABLES)


def require_safe(database: Database) -> None:
    """Refuse a database in which the service itself could change the history.

    :raises DatabaseUnsuitable: if so.
    """
    if database.is_sqlite:
        return
    with database.reading() as session:
        may = session.execute(_COULD_CHANGE, {"tables": list(APPEND_ONLY)}).scalar()
    if may:
        raise DatabaseUnsuitable(
            Message(
                "The role %(role)s could change the history. Name another one in MERIT_DATABASE, "
                "the owner of the tables in MERIT_DATABASE_OWNER, and run flask database upgrade.",
                role=database.engine.url.username or "",
            )
        )


def _config(connection: Connection) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _rights(table: str) -> str:
    if table == "history_head":
        return "SELECT, UPDATE"  # its one row is there from the beginning and stays
    if table in ERASABLE:
        return "SELECT, INSERT, DELETE"
    return "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"


def _grant(connection: Connection, role: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote(role)
    for table in Base.metadata.tables:
        connection.execute(text(f'REVOKE ALL ON "{table}" FROM {quoted}'))
        connection.execute(text(f'GRANT {_rights(table)} ON "{table}" TO {quoted}'))
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {quoted}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}"))
