"""What one running application has: its settings, clock, database, secret and rulebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from flask import Flask, current_app

from app.clock import Clock
from app.config import Config
from app.database import BUSY_SECONDS, Database
from app.services.authority import Actor
from app.services.history import Act
from app.services.installation import Fixed, fixed
from app.services.keys import Secret
from app.services.lookups import Desk
from app.services.rulebook import Rulebook
from app.services.sending import Networks


@dataclass(frozen=True)
class Merit:
    """Put into the application by :func:`app.create_app`, found again by :func:`merit`."""

    config: Config
    clock: Clock

    @cached_property
    def database(self) -> Database:
        return Database(self.config.database)

    @cached_property
    def owner(self) -> Database:
        """The database as the role that owns its tables."""
        return Database(self.config.owner) if self.config.owner else self.database

    @cached_property
    def secret(self) -> Secret:
        return Secret(self.config.secret_file)

    @cached_property
    def hook_networks(self) -> Networks:
        """The networks inside which web hooks may be sent.

        :raises NetworksInvalid: if what is configured are none.
        """
        return Networks.parse(self.config.hook_networks)

    @cached_property
    def rulebook(self) -> Rulebook:
        return Rulebook()

    @cached_property
    def fixed(self) -> Fixed:
        """What is fixed for the installation.

        :raises NotSetUp: if nothing is yet.
        """
        with self.database.reading() as session:
            return fixed(session)

    @cached_property
    def desk(self) -> Desk:
        """Where clients are looked up.

        :raises NotSetUp: if nothing is fixed for the installation yet.
        """
        return Desk(self.database, self.clock, self.rulebook, self.fixed.language)

    @contextmanager
    def acting(self, actor: Actor, wait: float = BUSY_SECONDS) -> Iterator[Act]:
        """Open the transaction of one use case; see :meth:`Database.writing`."""
        with self.database.writing(wait) as session:
            yield Act(session, actor, self.clock())

    def install(self, app: Flask) -> None:
        app.extensions["merit"] = self


def merit() -> Merit:
    """Return what the present application has."""
    return cast(Merit, current_app.extensions["merit"])
