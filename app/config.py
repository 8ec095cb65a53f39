"""What an installation sets, all of it by environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_VAR = Path(__file__).parents[1] / "var"
DATABASE, SECRET_FILE = f"sqlite:///{_VAR / 'merit.db'}", _VAR / "secret"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process; docs/configuration.md lists them."""

    database: str = DATABASE
    """Where the service keeps everything (``MERIT_DATABASE``), as SQLAlchemy writes addresses."""

    owner: str | None = None
    """The same database, as the role that owns the tables (``MERIT_DATABASE_OWNER``).

    On PostgreSQL the service's own role must not own them, or the history could be changed."""

    secret_file: Path = SECRET_FILE
    """The file that holds the installation's secret (``MERIT_SECRET_FILE``)."""

    hook_networks: str = ""
    """Networks inside which web hooks may be sent (``MERIT_HOOK_NETWORKS``), commas between."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Read the settings; what is not set, or set to nothing, keeps its default."""
        return cls(
            database=environment.get("MERIT_DATABASE") or DATABASE,
            owner=environment.get("MERIT_DATABASE_OWNER") or None,
            secret_file=Path(environment.get("MERIT_SECRET_FILE") or SECRET_FILE),
            hook_networks=environment.get("MERIT_HOOK_NETWORKS", ""),
        )
