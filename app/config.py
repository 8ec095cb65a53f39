"""What an installation sets, all of it by environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process; docs/configuration.md lists them."""

    policy_file: Path | None = None
    """The policy document the service answers by (``MERIT_POLICY``)."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Read the settings; what is not set keeps its default."""
        named = environment.get("MERIT_POLICY")
        return cls(policy_file=Path(named) if named else None)
