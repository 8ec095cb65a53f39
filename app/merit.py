"""What one running application has: its settings, its clock, its rulebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from app.clock import Clock
from app.config import Config
from app.services.policies import Rulebook


@dataclass(frozen=True, slots=True)
class Merit:
    """Put into the application by :func:`app.create_app`, found again by :func:`merit`."""

    config: Config
    clock: Clock
    rulebook: Rulebook

    def install(self, app: Flask) -> None:
        app.extensions["merit"] = self


def merit() -> Merit:
    """Return what the present application has."""
    return cast(Merit, current_app.extensions["merit"])
